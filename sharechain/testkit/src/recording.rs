//! Everything that a small network found, with forks, late shares and competing Bitcoin blocks, for replay in any
//! order.

use std::collections::BTreeMap;

use bitcoin::block::Header;
use sharechain::chain::{Chain, Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, ShareId, U256};

use super::naive::{Naive, Sums};
use super::{Spec, World, miner};

/// Pseudorandom generator: SplitMix64 with the given seed.
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

/// One item that reaches a node.
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
    /// Shares that were found but not published yet.
    late: Vec<Proof>,
}

impl Recording {
    /// Makes `steps` random moves, and then a few links that decide every race.
    pub fn new(seed: u64, steps: u32) -> Self {
        let mut recording = Self::empty_network();
        let mut random = Random(seed);
        for step in 0..steps {
            recording.step(&mut random);
            if step % 40 == 39 {
                recording.share_late();
            }
        }
        recording.decide(&mut random);
        recording
    }

    /// A network that has found nothing yet, with two Bitcoin blocks.
    pub fn empty_network() -> Self {
        let (events, proofs, late) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut recording = Self { world: World::new(), events, proofs, late };
        recording.bitcoin(false);
        recording.bitcoin(false);
        recording
    }

    /// Makes one random move of honest miners or of Bitcoin.
    pub fn step(&mut self, random: &mut Random) {
        match random.below(20) {
            0 => self.bitcoin(random.below(3) == 0),
            1..=12 => {
                let parent = self.parent(random);
                let spec = self.spec(parent, random);
                let proof = self.world.mine(&spec);
                if random.below(5) == 0 { self.late.push(proof) } else { self.share(proof) }
            }
            13 if !self.late.is_empty() => {
                let proof = self.late.remove(random.below(self.late.len() as u64) as usize);
                self.share(proof);
            }
            _ => {
                let parent = self.parent(random);
                let spec = self.spec(parent, random);
                self.link(spec);
            }
        }
    }

    /// Publishes late shares while links can still list them.
    pub fn share_late(&mut self) {
        for proof in core::mem::take(&mut self.late) {
            self.share(proof);
        }
    }

    /// Mines a few links on the tip, so that no race is open.
    pub fn decide(&mut self, random: &mut Random) {
        for _ in 0..3 {
            let spec = self.spec(self.world.chain.tip(), random);
            self.link(Spec { previous_block: self.world.bitcoin_tip.block_hash(), ..spec });
        }
    }

    /// Usually the tip; otherwise one of its last ancestors or a link that lost a race.
    pub fn parent(&self, random: &mut Random) -> ShareId {
        let tip = self.world.chain.tip();
        let heights = self.world.chain.height();
        match random.below(12) {
            0 | 1 => self.world.chain.main_at(heights.below(random.below(4) as u32)).unwrap(),
            2 => {
                let recent = |id: &&ShareId| {
                    let link = self.world.chain.link(id);
                    link.is_some_and(|link| link.complete().is_some() && heights.above(link.height) < 10)
                };
                let links: Vec<_> = self.proofs.keys().filter(recent).collect();
                if links.is_empty() { tip } else { *links[random.below(links.len() as u64) as usize] }
            }
            _ => tip,
        }
    }

    pub fn spec(&self, parent: ShareId, random: &mut Random) -> Spec {
        let mut spec = self.world.spec_on(parent, miner(random.below(9) as u8 + 1));
        spec.fees_sat = random.below(1_000);
        // Some miners still work on the Bitcoin block before.
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

    /// Reorganizes Bitcoin: a new branch replaces its last blocks, up to `depth` of them, and has one more.
    pub fn bitcoin_reorganisation(&mut self, depth: usize) {
        let known = |hash: &bitcoin::BlockHash| self.world.chain.bitcoin().get(hash).map(|known| known.header);
        let mut fork = self.world.bitcoin_tip;
        let mut blocks = 1;
        while let Some(parent) = known(&fork.prev_blockhash).filter(|_| blocks <= depth) {
            fork = parent;
            blocks += 1;
        }
        for _ in 0..blocks {
            fork = self.world.bitcoin_block_on(fork);
            self.events.push(Event::Bitcoin(fork));
        }
        self.world.bitcoin_tip = fork;
    }

    pub fn share(&mut self, proof: Proof) {
        let outcome = self.world.insert(&proof, None);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        self.proofs.insert(proof.id(), (proof.clone(), Vec::new()));
        self.events.push(Event::Share(proof));
    }

    pub fn link(&mut self, spec: Spec) {
        let (proof, list) = self.world.link_of(Spec { link: true, ..spec });
        self.proofs.insert(proof.id(), (proof.clone(), list.clone()));
        self.events.push(Event::Link(proof, list));
    }

    pub fn naive(&self) -> Naive {
        let headers = self.world.bitcoin_headers.clone();
        Naive::new(self.world.chain.params().clone(), self.proofs.clone(), headers)
    }

    /// A chain that knows only genesis, and only Bitcoin's genesis.
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

    /// Provides what the chain reports as missing until only unknown items are missing.
    pub fn answer_wants(&self, chain: &mut Chain) {
        let mut before = Vec::new();
        for _ in 0..10_000 {
            let missing: Vec<Missing> = chain.missing().collect();
            if missing == before {
                return;
            }
            for want in &missing {
                self.answer(chain, *want);
            }
            before = missing;
        }
        panic!("wants are never satisfied: {:?}", chain.missing().collect::<Vec<_>>());
    }

    fn answer(&self, chain: &mut Chain, want: Missing) {
        let known = |id: &ShareId| self.proofs.get(id).cloned();
        match want {
            Missing::Proof(id) => {
                known(&id).into_iter().for_each(|(proof, _)| self.play(chain, &Event::BareLink(proof), 99))
            }
            Missing::List(id) => {
                known(&id).into_iter().for_each(|(_, list)| self.play(chain, &Event::List(id, list), 99))
            }
            Missing::BitcoinHeader(_) => self.world.bitcoin_headers.iter().for_each(|header| {
                chain.insert_bitcoin_header(*header, self.world.now);
            }),
            Missing::Time(_) => unreachable!("the clock of the last event is used throughout"),
        }
    }
}

/// Height of the oldest link and sums by script of the window whose snapshot is `newest`.
pub fn window_of(chain: &mut Chain, newest: ShareId) -> (usize, Sums) {
    let window = chain.window(&newest).unwrap();
    let scripts = chain.scripts();
    let sums = window.sums().map(|(index, sum)| (scripts.script(index).unwrap().into(), (sum.weight, sum.shares)));
    (window.oldest().0 as usize, sums.collect())
}
