use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use node_core::engine::{Engine, Keep};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::STATE_DEPTH;
use sharechain::{ChainParams, Height, Outcome, Proof, ShareId, U256, Weight};
use testkit::{World, miner, params};

use super::super::keys::{self, LISTED, PAYEE_STEP, POOL_STEP, SHARE};
use super::super::rows::Step;
use super::super::{History, STEPS_S};
use super::*;
use crate::limits::{SWEPT_ROWS, SWEPT_ROWS_A_RECORD};
use crate::store;

/// A node with a window of 600 proofs and with its history, without threads.
struct Node {
    engine: Engine<Store>,
    history: History,
}

fn rules() -> ChainParams {
    ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() }
}

impl Node {
    fn open(world: &World, folder: &Path) -> Self {
        let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
        let mut chain = World::with(world.chain.params().clone()).chain;
        for header in &world.bitcoin_headers {
            chain.insert_bitcoin_header(*header, world.now);
        }
        let mut engine = Engine::open(chain, Arc::clone(&store), world.now).unwrap();
        engine.set_keep(Keep::Window);
        let history = History::open(store).unwrap();
        history.note_own(&[miner(0)]).unwrap();
        Self { engine, history }
    }

    fn take(&mut self, world: &World, proof: &Proof, list: Option<Vec<ShareId>>) {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        assert!(matches!(self.engine.insert(bound, list, Source(1), world.now), Outcome::Accepted(_)));
        drop(self.engine.take_events());
    }

    /// Does what [`History::run`] does after each change of the chain.
    fn turn(&self) {
        let chain = Arc::new(self.engine.chain().clone());
        let mut indexed = 0;
        while let count @ 1.. = self.history.index(|| Arc::clone(&chain)).unwrap() {
            indexed += count;
        }
        self.history.prune(&chain, indexed * SWEPT_ROWS_A_RECORD + SWEPT_ROWS).unwrap();
    }

    fn rows(&self, kind: u8) -> usize {
        self.history.store.history_up(&[kind], &[kind]).count()
    }
}

/// Proofs of an own miner, each with the link that lists it, or with itself if it is a link.
type Found = BTreeMap<ShareId, (ShareId, u32)>;

/// Lets miners come and go. One of them mines at this node, and finds every seventh link and every ninth share.
fn grow(world: &mut World, node: &mut Node, links: std::ops::Range<u32>, own: &mut Found) {
    for number in links {
        if number % 40 == 0 {
            world.bitcoin_block();
            node.engine.insert_bitcoin_headers(&[world.bitcoin_tip], world.now);
        }
        let foreign = miner(1 + (number / 100 % 200) as u8);
        if number % 3 == 0 {
            let share = world.share(if number % 9 == 0 { miner(0) } else { foreign.clone() });
            node.take(world, &share, None);
        }
        let (link, list) = world.link(if number % 7 == 0 { miner(0) } else { foreign });
        let height = world.chain.height().0;
        let mut listed = list.clone();
        listed.push(link.id());
        let is_own = |id: &&ShareId| {
            world.chain.credit(id).is_some_and(|credit| world.chain.scripts().script(credit.script) == Some(&*miner(0)))
        };
        own.extend(listed.iter().filter(is_own).map(|id| (*id, (link.id(), height))));
        node.take(world, &link, Some(list));
        node.engine.tick(world.now);
        if number % 20 == 0 {
            node.turn();
        }
    }
    node.turn();
}

fn of(node: &Node, script: &ScriptBuf) -> Vec<ShareId> {
    node.history.shares_of(script, None, usize::MAX).unwrap().items.into_iter().map(|row| row.id).collect()
}

#[test]
fn rows_of_other_miners_go_and_nothing_of_own_miners_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(rules());
    let mut node = Node::open(&world, folder.path());
    let mut own = Found::new();
    let (first, second) = (STATE_DEPTH + 1_500, STATE_DEPTH + 2_500);
    grow(&mut world, &mut node, 0..first, &mut own);
    let kinds = [SHARE, LISTED, PAYEE_STEP];
    let foreign = |node: &Node, found: &Found| {
        let own_shares = of(node, &miner(0)).len();
        let own_listed = found.iter().filter(|(share, (link, _))| *share != link).count();
        (node.rows(SHARE) - own_shares, node.rows(LISTED) - own_listed)
    };
    let before = foreign(&node, &own);
    assert!(before.0 < 15_000 && before.0 > STATE_DEPTH as usize, "{before:?}");

    // After a restart in the middle of a pass, the node continues where it stopped.
    let next = removed(&node.history.store).unwrap().unwrap().next;
    assert!(next.len() > 1, "in the middle of a pass");
    drop(node);
    let mut node = Node::open(&world, folder.path());
    assert_eq!(removed(&node.history.store).unwrap().unwrap().next, next);
    grow(&mut world, &mut node, first..second, &mut own);
    let after = foreign(&node, &own);
    assert!(after.0 <= before.0 + before.0 / 20 && after.1 <= before.1 + before.1 / 20, "{before:?} then {after:?}");
    eprintln!(
        "{} links: rows {:?}, of other miners {before:?} then {after:?}",
        second,
        kinds.map(|kind| node.rows(kind))
    );

    // Nothing remains of the miner of the first hundred links. The node's answers begin later.
    let (removed, chain) = (removed(&node.history.store).unwrap().unwrap(), node.engine.chain());
    assert_eq!(removed.height, chain.bottom().0);
    assert!(of(&node, &miner(1)).is_empty());
    assert_eq!(node.history.shares_since(&miner(1)).unwrap(), Some(removed.since));
    assert_eq!(node.history.shares_since(&miner(0)).unwrap(), None);
    assert_eq!(node.history.steps_since(Some(&miner(1)), 600).unwrap(), Some(removed.since));
    // All rows of this node's miner remain.
    let mut shares = of(&node, &miner(0));
    shares.sort();
    assert_eq!(shares, own.keys().copied().collect::<Vec<_>>());
    for (share, place) in own.iter().filter(|(share, (link, _))| *share != link) {
        assert_eq!(node.history.listed_in(share).unwrap(), [*place]);
    }
    for step_s in STEPS_S {
        let steps = node.history.payee_steps(&miner(0), step_s, None, usize::MAX).unwrap().items;
        assert_eq!(steps.iter().map(|point| point.step.shares as usize).sum::<usize>(), own.len());
    }
    // So do the kept links of all others.
    let lowest = chain.main_at(Height(removed.height + 1)).unwrap();
    assert!(of(&node, &finder(chain, &lowest)).contains(&lowest));
    drop(node);
    let checked = store::check(&folder.path().join("db"), world.chain.params()).unwrap();
    assert!(checked.faults.is_empty(), "{checked:?}");
}

fn finder(chain: &Chain, link: &ShareId) -> ScriptBuf {
    let credit = chain.credit(link).map(|credit| credit.script);
    let row = chain.link(link).unwrap().complete().unwrap().rows.iter().next().map(|row| row.script);
    chain.scripts().script(credit.or(row).unwrap()).unwrap().to_owned()
}

#[test]
fn short_steps_go_with_age_and_long_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("db").as_path(), [7; 32]).unwrap();
    let newest = 2_000_000_000;
    let own = OwnPayees::default();
    let chain = World::new().chain;
    let removed = Removed { newest, since: newest - 100, height: 9, next: Vec::new() };
    let sweep = Sweep { chain: &chain, own: &own, removed };
    for (step_s, kept_s) in STEPS_KEPT_S {
        let is_due = |age_s: u32| sweep.is_due(&keys::pool_step(step_s, newest - age_s), &Step::default().to_bytes());
        assert!(!is_due(kept_s) && is_due(kept_s + 1), "{step_s} s");
    }
    assert!(!sweep.is_due(&keys::pool_step(86_400, 0), &Step::default().to_bytes()));
    // If the chain forgot nothing, the history removes nothing.
    store.write_history(&[(keys::pool_step(60, 0), Step::default().to_bytes())], &[]).unwrap();
    step(&store, &chain, &own, 10).unwrap();
    assert_eq!(store.history_up(&[POOL_STEP], &[POOL_STEP]).count(), 1);
}

#[test]
fn own_payees_outlive_a_restart_and_the_one_not_seen_for_longest_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path, [7; 32]).unwrap();
    let mut own = OwnPayees::load(&store).unwrap();
    let script = |number: usize| ScriptBuf::from_bytes(number.to_be_bytes().to_vec());
    for number in 0..crate::limits::OWN_PAYEES_MAX {
        own.note(&[script(number)], 1_000 + number as u32, &store).unwrap();
    }
    // The first one returns two days later, then another one.
    own.note(&[script(0), script(usize::MAX)], 200_000, &store).unwrap();
    for own in [own, OwnPayees::load(&store).unwrap()] {
        let has = |number| own.contains(&keys::payee(&script(number)));
        assert!(has(0) && !has(1) && has(2) && has(usize::MAX));
    }
}

#[test]
fn a_deep_block_of_the_pool_is_noted_as_in_the_chain_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(rules());
    let mut node = Node::open(&world, folder.path());
    let mut blocks = Vec::new();
    while blocks.len() < 3 || world.chain.bitcoin().best().height < NOTED_CONFIRMATIONS + 60 {
        let (link, list) = world.link(miner(1));
        node.take(&world, &link, Some(list));
        let is_block = node.engine.store().contains(store::RecordKind::Block, &link.id().0).unwrap();
        // Every second one loses to another block at its height.
        if is_block && blocks.len() % 2 == 0 {
            world.chain.insert_bitcoin_header(link.header, world.now);
            world.bitcoin_headers.push(link.header);
            world.bitcoin_tip = link.header;
        } else {
            world.bitcoin_block();
        }
        if is_block {
            let height = world.chain.bitcoin().get(&link.header.prev_blockhash).unwrap().height + 1;
            blocks.push((height, link.id(), blocks.len() % 2 == 0));
        }
        node.engine.insert_bitcoin_headers(&[world.bitcoin_tip], world.now);
    }
    node.turn();
    note_blocks(&node.history.store, node.engine.chain()).unwrap();
    let best = world.chain.bitcoin().best().height;
    let deep = blocks.iter().filter(|(height, ..)| height + NOTED_CONFIRMATIONS <= best);
    let noted: Vec<_> = deep.map(|(height, id, is)| (node.history.in_chain(*height, id).unwrap(), Some(*is))).collect();
    assert!(noted.len() > 1 && noted.iter().all(|(noted, is)| noted == is), "{noted:?}");
}
