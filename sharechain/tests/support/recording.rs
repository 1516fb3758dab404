//! What a small network with forks, late shares and competing Bitcoin blocks found, to be played in any order.

use std::collections::BTreeMap;

use bitcoin::block::Header;
use sharechain::chain::{Chain, Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, ShareId, U256};

use super::naive::{Naive, Sums};
use super::{Spec, World, miner};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index as u64 + 1) as usize);
        }
    }
}

/// One thing that reaches a node.
#[derive(Clone)]
pub enum Event {
    Bitcoin(Header),
    Share(Proof),
    Link(Proof, Vec<ShareId>),
    /// A link whose list comes separately, or never.
    BareLink(Proof),
    List(ShareId, Vec<ShareId>),
}

pub struct Recording {
    pub world: World,
    pub events: Vec<Event>,
    pub proofs: BTreeMap<ShareId, (Proof, Vec<ShareId>)>,
}

impl Recording {
    /// Plays `steps` random moves, and then a few links that decide every race.
    pub fn new(seed: u64, steps: u32) -> Self {
        let mut recording = Self { world: World::new(), events: Vec::new(), proofs: BTreeMap::new() };
        let mut random = Random(seed);
        let mut late: Vec<Proof> = Vec::new();
        recording.bitcoin(false);
        recording.bitcoin(false);
        for step in 0..steps {
            match random.below(20) {
                0 => recording.bitcoin(random.below(3) == 0),
                1..=12 => {
                    let parent = recording.parent(&mut random);
                    let spec = recording.spec(parent, &mut random);
                    let proof = recording.world.mine(&spec);
                    if random.below(5) == 0 { late.push(proof) } else { recording.share(proof) }
                }
                13 if !late.is_empty() => {
                    let proof = late.remove(random.below(late.len() as u64) as usize);
                    recording.share(proof);
                }
                _ => {
                    let parent = recording.parent(&mut random);
                    let spec = recording.spec(parent, &mut random);
                    recording.link(spec);
                }
            }
            if step % 40 == 39 {
                // Late shares do not wait until nothing can list them.
                for proof in core::mem::take(&mut late) {
                    recording.share(proof);
                }
            }
        }
        for _ in 0..3 {
            let spec = recording.spec(recording.world.chain.tip(), &mut random);
            recording.link(Spec { previous_block: recording.world.bitcoin_tip.block_hash(), ..spec });
        }
        recording
    }

    /// The tip, mostly; otherwise one of its last ancestors or a link that lost a race.
    fn parent(&self, random: &mut Random) -> ShareId {
        let tip = self.world.chain.tip();
        let heights = self.world.chain.height();
        match random.below(12) {
            0 | 1 => self.world.chain.main_at(heights.below(random.below(4) as u32)).unwrap(),
            2 => {
                let recent =
                    |id: &&ShareId| self.world.chain.link(id).is_some_and(|link| heights.above(link.height) < 10);
                let links: Vec<_> = self.proofs.keys().filter(recent).collect();
                if links.is_empty() { tip } else { *links[random.below(links.len() as u64) as usize] }
            }
            _ => tip,
        }
    }

    fn spec(&self, parent: ShareId, random: &mut Random) -> Spec {
        let mut spec = self.world.spec_on(parent, miner(random.below(9) as u8 + 1));
        spec.fees_sat = random.below(1_000);
        // Some still work on the Bitcoin block before.
        let bitcoin = self.world.chain.bitcoin();
        let older = self.world.bitcoin_tip.prev_blockhash;
        let least = self.world.chain.link(&parent).unwrap().position.bitcoin_work;
        if random.below(6) == 0
            && bitcoin.get(&older).is_some_and(|known| known.chain_work >= least && known.height > 0)
        {
            spec.previous_block = older;
        }
        spec
    }

    fn bitcoin(&mut self, competing: bool) {
        if competing {
            let parent = *self.world.bitcoin_headers.iter().rev().nth(1).unwrap();
            self.world.bitcoin_block_on(parent);
        } else {
            self.world.bitcoin_block();
        }
        self.events.push(Event::Bitcoin(*self.world.bitcoin_headers.last().unwrap()));
    }

    fn share(&mut self, proof: Proof) {
        let outcome = self.world.insert(&proof, None);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        self.proofs.insert(proof.id(), (proof.clone(), Vec::new()));
        self.events.push(Event::Share(proof));
    }

    fn link(&mut self, spec: Spec) {
        let (proof, list) = self.world.link_of(Spec { link: true, ..spec });
        self.proofs.insert(proof.id(), (proof.clone(), list.clone()));
        self.events.push(Event::Link(proof, list));
    }

    pub fn naive(&self) -> Naive {
        let headers = self.world.bitcoin_headers.clone();
        Naive { params: self.world.chain.params().clone(), proofs: self.proofs.clone(), headers }
    }

    /// A chain that knows nothing but genesis, of Bitcoin as well.
    pub fn empty(&self) -> Chain {
        World::new().chain
    }

    pub fn play(&self, chain: &mut Chain, event: &Event, source: u64) {
        let now = self.world.now;
        let mut insert = |proof: &Proof, list| {
            let bound = BoundProof::bind(proof.clone(), U256::MAX, self.world.chain.consensus_id()).unwrap();
            let outcome = chain.insert(bound, list, Source(source), now);
            assert!(!matches!(outcome, Outcome::Invalid(_)), "{outcome:?}");
        };
        match event {
            Event::Bitcoin(header) => {
                chain.insert_bitcoin_header(*header, now);
            }
            Event::Share(proof) | Event::BareLink(proof) => insert(proof, None),
            Event::Link(proof, list) => insert(proof, Some(list.clone())),
            Event::List(id, list) => {
                chain.supply_list(*id, list.clone(), now).unwrap();
            }
        }
    }

    /// Brings what the chain says is missing until it misses nothing.
    pub fn answer_wants(&self, chain: &mut Chain) {
        for _ in 0..10_000 {
            let missing: Vec<Missing> = chain.missing().collect();
            if missing.is_empty() {
                return;
            }
            for want in missing {
                match want {
                    Missing::Proof(id) => self.play(chain, &Event::BareLink(self.proofs[&id].0.clone()), 99),
                    Missing::Body(id) => self.play(chain, &Event::List(id, self.proofs[&id].1.clone()), 99),
                    Missing::BitcoinHeader(_) => {
                        self.world.bitcoin_headers.iter().for_each(|header| {
                            chain.insert_bitcoin_header(*header, self.world.now);
                        });
                    }
                    Missing::Time(_) => unreachable!("the clock of the last event is used throughout"),
                }
            }
        }
        panic!("wants are never satisfied: {:?}", chain.missing().collect::<Vec<_>>());
    }
}

/// The window that ends in `newest`, by script.
pub fn window_of(chain: &mut Chain, newest: ShareId) -> (usize, Sums) {
    let window = chain.window(&newest).unwrap();
    let scripts = chain.scripts();
    let sums = window.sums().map(|(index, sum)| (scripts.script(index).unwrap().into(), (sum.weight, sum.shares)));
    (window.oldest().0 as usize, sums.collect())
}
