//! A recorded network with hostile miners. It also records what they send, and which of their items must not count.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::TxOut;
use sharechain::chain::Outcome;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, RuleError, ShareHeader, ShareId, U256};

use super::recording::{Event, Random, Recording};
use super::{Spec, miner};

/// Number of the hostile miners' payout script.
const HOSTILE: u8 = 66;

/// Maximum number of consecutive void links. Fewer than the anchor depth, so that proofs on them are judged.
const VOID_IN_A_ROW: usize = 3;

/// An item that reaches a node, and whether a hostile miner sent it.
#[derive(Clone)]
pub enum Told {
    Honest(Event),
    /// A proof that may be rejected.
    Hostile(Proof, Option<Vec<ShareId>>),
}

pub struct HostileNetwork {
    pub recording: Recording,
    pub told: Vec<Told>,
    /// Links that must never be on the main chain.
    pub void: BTreeSet<ShareId>,
    /// Proofs that must never be credited.
    pub invalid: BTreeSet<ShareId>,
    /// Shares that links list but that are not published yet.
    withheld: Vec<Proof>,
    /// Number of consecutive void links, by the newest.
    in_a_row: BTreeMap<ShareId, usize>,
}

impl HostileNetwork {
    pub fn new(seed: u64, steps: u32) -> Self {
        let mut network = Self {
            recording: Recording::empty_network(),
            told: Vec::new(),
            void: BTreeSet::new(),
            invalid: BTreeSet::new(),
            withheld: Vec::new(),
            in_a_row: BTreeMap::new(),
        };
        let mut random = Random(seed);
        for step in 0..steps {
            match random.below(40) {
                0..=11 => network.hostile_step(&mut random),
                12 => network.recording.bitcoin_reorganisation(1 + random.below(4) as usize),
                _ => network.recording.step(&mut random),
            }
            if step % 40 == 39 {
                network.recording.share_late();
                network.show_withheld();
            }
            network.hear();
        }
        network.show_withheld();
        network.recording.share_late();
        network.recording.decide(&mut random);
        network.hear();
        network
    }

    /// Takes over the events of the honest miners.
    fn hear(&mut self) {
        self.told.extend(self.recording.events.drain(..).map(Told::Honest));
    }

    fn show_withheld(&mut self) {
        for proof in core::mem::take(&mut self.withheld) {
            self.recording.share(proof);
        }
    }

    fn hostile_step(&mut self, random: &mut Random) {
        self.hear();
        match random.below(7) {
            0 | 1 => self.invalid_share(random),
            2 => self.void_link(random),
            3 => self.on_a_void_link(random),
            4 => self.altered_copy(random),
            5 => self.wrong_list(random),
            _ => self.withholding_link(random),
        }
    }

    fn spec(&self, parent: ShareId, random: &mut Random) -> Spec {
        Spec { payout: miner(HOSTILE), ..self.recording.spec(parent, random) }
    }

    fn tell(&mut self, proof: &Proof, list: Option<Vec<ShareId>>) -> Outcome {
        self.told.push(Told::Hostile(proof.clone(), list.clone()));
        self.recording.world.insert(proof, list)
    }

    fn invalid_share(&mut self, random: &mut Random) {
        type Alteration = fn(&mut ShareHeader, &mut Vec<TxOut>);
        const ALTERATIONS: [Alteration; 6] = [
            |share, _| share.anchor = ShareId([5; 32]),
            |share, _| share.bitcoin_height += 1,
            |share, _| share.coinbase_value = 0,
            |share, _| share.coinbase_value = u64::MAX,
            |_, payouts| payouts[0].script_pubkey = miner(HOSTILE + 1),
            |_, payouts| payouts.push(payouts[0].clone()),
        ];
        let spec = self.spec(self.recording.world.chain.tip(), random);
        let world = &mut self.recording.world;
        let mut share = world.header_of(&spec);
        let mut payouts = world.payouts(&share, &spec.previous_block);
        ALTERATIONS[random.below(ALTERATIONS.len() as u64) as usize](&mut share, &mut payouts);
        let target = world.chain.link(&spec.parent).unwrap().position.share_target;
        let proof = world.mine_until(share, &payouts, spec.previous_block, |_| (), |hash| hash <= target);
        let outcome = self.tell(&proof, None);
        assert!(matches!(outcome, Outcome::Invalid(_)), "{outcome:?}");
        self.invalid.insert(proof.id());
    }

    /// Sends a valid link whose list is not valid.
    fn void_link(&mut self, random: &mut Random) {
        let parent = self.recording.parent(random);
        let mut spec = Spec { link: true, ..self.spec(parent, random) };
        let world = &self.recording.world;
        let listed: Vec<ShareId> =
            world.chain.main_at(world.chain.height()).into_iter().filter(|id| *id == parent).collect();
        let refused: Vec<ShareId> =
            self.invalid.iter().filter(|id| world.chain.refusal(id).is_some()).take(1).copied().collect();
        match random.below(4) {
            0 if spec.list.len() > 1 => spec.list.reverse(),
            1 if !listed.is_empty() => spec.list.splice(0..0, listed).for_each(drop),
            2 if !refused.is_empty() => spec.list.extend(refused),
            _ => spec.list.push(ShareId([random.below(256) as u8; 32])),
        }
        self.void(spec, 1);
    }

    fn void(&mut self, spec: Spec, in_a_row: usize) {
        let before = self.recording.world.chain.tip();
        let proof = self.recording.world.mine(&spec);
        let outcome = self.tell(&proof, Some(spec.list.clone()));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert_eq!(self.recording.world.chain.tip(), before, "a link with such a list counts for nothing");
        self.void.insert(proof.id());
        self.in_a_row.insert(proof.id(), in_a_row);
        self.recording.proofs.insert(proof.id(), (proof, spec.list));
    }

    /// Sends a proof on a void link: a valid share or one more void link.
    fn on_a_void_link(&mut self, random: &mut Random) {
        let chain = &self.recording.world.chain;
        let near = |id: &&ShareId| chain.link(id).is_some_and(|link| chain.height().above(link.height) < 4);
        let Some((parent, row)) = self.in_a_row.iter().map(|(id, row)| (*id, *row)).find(|(id, _)| near(&id)) else {
            return;
        };
        let link = random.below(2) == 0 && row < VOID_IN_A_ROW;
        let spec = Spec { link, list: vec![], ..self.spec(parent, random) };
        if link {
            return self.void(spec, row + 1);
        }
        let share = self.recording.world.mine(&spec);
        self.recording.share(share);
    }

    /// Sends a known honest proof with another extranonce.
    fn altered_copy(&mut self, random: &mut Random) {
        let proofs = &self.recording.proofs;
        let Some((proof, _)) = proofs.values().nth(random.below(proofs.len().max(1) as u64) as usize) else { return };
        let mut altered = proof.clone();
        altered.extranonce[15] ^= 1;
        let outcome = self.tell(&altered, None);
        assert!(matches!(outcome, Outcome::Known(_)), "{outcome:?}");
    }

    /// Sends an honest link with a list that it does not commit to.
    fn wrong_list(&mut self, random: &mut Random) {
        let proofs = &self.recording.proofs;
        let links = || proofs.values().filter(|(_, list)| !list.is_empty());
        let Some((proof, list)) = links().nth(random.below(links().count().max(1) as u64) as usize) else { return };
        let (proof, list) = (proof.clone(), list[1..].to_vec());
        assert_eq!(self.tell(&proof, Some(list)), Outcome::Invalid(RuleError::ListRoot));
    }

    /// Sends a link that lists a share that is published only much later.
    fn withholding_link(&mut self, random: &mut Random) {
        let tip = self.recording.world.chain.tip();
        let spec = self.spec(tip, random);
        let share = self.recording.world.mine(&Spec { list: vec![], ..spec.clone() });
        let chain = &self.recording.world.chain;
        let height = chain.link(&tip).unwrap().height.child();
        let known = spec.list.iter().map(|id| (chain.credit(id).unwrap().height, *id));
        let mut list: Vec<_> = known.chain([(height, share.id())]).collect();
        list.sort();
        let list: Vec<ShareId> = list.into_iter().map(|(_, id)| id).collect();
        let spec = Spec { link: true, list: list.clone(), ..spec };
        let link = self.recording.world.mine(&spec);
        let outcome = self.tell(&link, Some(list.clone()));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert_eq!(self.recording.world.chain.tip(), tip, "what it lists is not known");
        self.recording.proofs.insert(link.id(), (link, list));
        self.withheld.push(share);
    }

    /// The heaviest link whose branch has only valid lists, from the raw proofs.
    pub fn best(&self) -> ShareId {
        let naive = self.recording.naive();
        let mut best = (U256::ZERO, self.recording.world.chain.params().genesis_id());
        for id in self.recording.proofs.keys().filter(|id| self.recording.world.chain.link(id).is_some()) {
            let line = naive.line(*id);
            if line.links.iter().any(|id| self.void.contains(id)) {
                continue;
            }
            best = best.max((line.work(), *id));
        }
        best.1
    }

    /// Replays items in this order into an empty chain, and then provides what the chain reports as missing.
    pub fn replay(&self, told: &[Told]) -> sharechain::chain::Chain {
        let mut chain = self.recording.empty();
        for (number, told) in told.iter().enumerate() {
            match told {
                Told::Honest(event) => self.recording.play(&mut chain, event, number as u64 % 8),
                Told::Hostile(proof, list) => {
                    let bound = BoundProof::bind(proof.clone(), U256::MAX, chain.consensus_id()).unwrap();
                    chain.insert(bound, list.clone(), Source(100 + number as u64 % 4), self.recording.world.now);
                }
            }
        }
        for header in &self.recording.world.bitcoin_headers {
            chain.insert_bitcoin_header(*header, self.recording.world.now);
        }
        self.recording.answer_wants(&mut chain);
        chain
    }
}
