//! A simulated network with a partition, recorded by two of its nodes; and what the recordings show, found without the
//! archive's code.

pub(crate) mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bitcoin::ScriptBuf;
use node_core::export::write;
use node_core::pool_block::PoolBlock;
use recording::{Claim, Line, Reader, Replay};
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, U256};
use sim::full::build;
use sim::scenario::Scenario;
use sim::time::Micros;

const SCENARIO: &str = include_str!("../../../../testnet/scenarios/cut.toml");

/// Settings of a server whose folder is thrown away: only a crash of the machine could harm it.
pub(crate) const FAST: [&str; 2] = ["fsync=off", "shared_buffers=32MB"];

/// Nodes that record: one on each side of the cut.
const RECORDERS: [usize; 2] = [0, 3];

/// The recordings of a network.
pub(crate) struct Network {
    pub(crate) recorded: Vec<Recorded>,
}

/// The recording of one node, and what it shows.
pub(crate) struct Recorded {
    pub(crate) path: PathBuf,
    replay: Replay,
    pub(crate) proofs: BTreeMap<ShareId, Proof>,
    pub(crate) claims: Vec<Claim>,
    reorganized: BTreeSet<(ShareId, ShareId, usize)>,
    lists: BTreeMap<ShareId, Vec<ShareId>>,
}

impl Network {
    pub(crate) fn cut_in_two(folder: &Path) -> Self {
        let scenario = Scenario::parse(SCENARIO).unwrap();
        let mut world = build(&scenario, 7).unwrap();
        world.run(Micros::from_secs_f64(scenario.duration_s));
        let recorded = RECORDERS.map(|index| {
            let node = &mut world.nodes[index];
            let disk = node.shared_disk();
            let chain = node.chain_mut().unwrap();
            let root = chain.bitcoin().root();
            let path = folder.join(format!("{index}.jsonl"));
            write(&*disk, chain, root, &[], Some("archived"), fs::File::create(&path).unwrap()).unwrap();
            Recorded::read(path)
        });
        Self { recorded: recorded.into() }
    }

    /// Old tip, new tip, and number of links that lost their places.
    pub(crate) fn reorganizations(&self) -> BTreeSet<(ShareId, ShareId, usize)> {
        self.recorded.iter().flat_map(|recorded| recorded.reorganized.iter().copied()).collect()
    }
}

impl Recorded {
    fn read(path: PathBuf) -> Self {
        let text = fs::read(&path).unwrap();
        let (start, mut reader) = Reader::new(text.as_slice()).unwrap();
        let mut replay = Replay::new(start).unwrap();
        replay.keep_changes();
        let (mut proofs, mut claims, mut lists) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut reorganized = BTreeSet::new();
        while let Some((number, line)) = reader.next_line().unwrap() {
            match &line {
                Line::Proof(line) => {
                    let proof = Proof::decode(&line.proof.0).unwrap();
                    let list = line.list.iter().flatten().map(|id| id.share()).collect();
                    lists.insert(proof.id(), list);
                    proofs.insert(proof.id(), proof);
                }
                Line::List(line) => {
                    lists.insert(line.list_of.share(), line.list.iter().map(|id| id.share()).collect());
                }
                Line::Claim(claim) => claims.push(claim.clone()),
                _ => {}
            }
            replay.play(number, line);
            for tip in replay.take_changes().into_iter().flat_map(|changes| changes.tips) {
                if !tip.disconnected.is_empty() {
                    reorganized.insert((tip.old, tip.new, tip.disconnected.len()));
                }
            }
        }
        replay.finish();
        assert_eq!(replay.differences(), []);
        Self { path, replay, proofs, claims, reorganized, lists }
    }

    pub(crate) fn chain(&self) -> &Chain {
        self.replay.chain()
    }

    fn complete(&self) -> impl Iterator<Item = ShareId> {
        let is_complete = |id: &ShareId| self.chain().link(id).is_some_and(|link| link.complete().is_some());
        self.proofs.keys().copied().filter(is_complete)
    }

    pub(crate) fn lists(&self) -> impl Iterator<Item = (ShareId, Vec<ShareId>)> {
        self.complete().map(|id| (id, self.lists[&id].clone()))
    }

    pub(crate) fn credits(&self) -> impl Iterator<Item = ((ShareId, ScriptBuf), (U256, u32))> {
        self.complete().flat_map(move |id| {
            let rows = self.chain().link(&id).unwrap().complete().unwrap().rows.clone();
            let rows: Vec<_> = rows.iter().collect();
            rows.into_iter().map(move |row| {
                let script = self.chain().scripts().script(row.script).unwrap().to_owned();
                ((id, script), (U256::from(row.weight.0), row.shares))
            })
        })
    }

    pub(crate) fn work(&self) -> U256 {
        self.chain().link(&self.chain().tip()).unwrap().chain_work.0
    }

    pub(crate) fn main_chain(&self) -> Vec<ShareId> {
        (1..=self.chain().height().0).map(|height| self.chain().main_at(Height(height)).unwrap()).collect()
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = ShareId> {
        self.proofs.iter().filter(|(id, proof)| PoolBlock::is_block(proof, id)).map(|(id, _)| *id)
    }
}
