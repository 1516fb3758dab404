//! The tree of links and what hangs on it: [`Chain::insert`] takes a proof and says what became of it and of everything
//! that had waited for it.
//!
//! ```text
//! insert ─► judge (header, Bitcoin, payouts) ─► admit ─► complete (lists) ─► advance (fork choice, pending) ─► ChangeSet
//!              │ something missing
//!              └─► held, judged again when it comes
//! ```

mod advance;
mod branch;
mod complete;
mod fate;
mod held;
mod judge;
mod link;
mod payouts;
mod template;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bitcoin::block::Header;

use crate::bitcoin_headers::{BitcoinHeaders, Inserted};
use crate::change_set::{AcceptedProof, ChangeSet, Refusal, Source};
use crate::check::binding::BoundProof;
use crate::check::list::check_root;
use crate::credit::Credit;
use crate::error::RuleError;
use crate::id_map::IdMap;
use crate::limits::{HELD_SECONDS_MAX, REFUSED_MAX};
use crate::params::ChainParams;
use crate::units::{Height, ShareId, Timestamp, U256};
use crate::window::Scripts;

pub use advance::Finality;
pub use fate::Fate;
pub use held::Missing;
pub use judge::TemplateError;
pub use link::{Body, Complete, Link};
pub use payouts::{Plan, Unpayable};
pub use template::Assignment;

use held::{Held, Waiter};
use judge::Judgement;

/// What became of an inserted proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is valid, and this is everything that changed.
    Accepted(ChangeSet),
    /// It was here already; the change set holds what a list that came with it changed.
    Known(ChangeSet),
    /// It cannot be judged yet.
    Held(Missing),
    /// It breaks a rule; whoever sent it pays.
    Invalid(RuleError),
    /// It is too old to be listed by anything. Costs nobody.
    Unlistable,
}

/// One node's view of the share-chain.
#[derive(Clone, Debug)]
pub struct Chain {
    params: ChainParams,
    consensus_id: [u8; 32],
    bitcoin: BitcoinHeaders,
    scripts: Scripts,
    links: IdMap<Link>,
    credits: IdMap<Credit>,
    /// Main chain by height; never empty, genesis first.
    main: Vec<ShareId>,
    /// Height of the main chain's link that lists an id, or is it.
    listed: IdMap<Height>,
    /// Valid proofs that the main chain does not list, by height.
    pending: BTreeSet<(Height, ShareId)>,
    held: Held,
    /// Links that wait with their lists.
    waiting: BTreeMap<Missing, Vec<ShareId>>,
    /// Proofs that a known link lists but nobody has brought yet.
    awaited: BTreeSet<ShareId>,
    /// Links whose list nobody has brought yet.
    lists_wanted: BTreeSet<ShareId>,
    refused: Refused,
    payouts: payouts::Caches,
    finality: Finality,
    sequence: u64,
}

/// Ids that are invalid whoever brings them, the newest [`REFUSED_MAX`].
#[derive(Clone, Debug, Default)]
struct Refused {
    rules: BTreeMap<ShareId, RuleError>,
    order: VecDeque<ShareId>,
}

impl Refused {
    fn get(&self, id: &ShareId) -> Option<RuleError> {
        self.rules.get(id).copied()
    }

    fn insert(&mut self, id: ShareId, rule: RuleError) {
        if self.rules.insert(id, rule).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > REFUSED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.rules.remove(&oldest);
            }
        }
    }
}

/// One call's clock, its list of changes, and what is still to be looked at again because of them.
struct Call {
    now: Timestamp,
    changes: ChangeSet,
    queue: VecDeque<Missing>,
}

impl Call {
    fn new(now: Timestamp) -> Self {
        Self { now, changes: ChangeSet::default(), queue: VecDeque::new() }
    }
}

impl Chain {
    /// A chain that holds nothing but its genesis, over the given Bitcoin headers.
    #[must_use]
    pub fn new(params: ChainParams, bitcoin: BitcoinHeaders) -> Self {
        let consensus_id = params.consensus_id();
        let genesis_id = ShareId(consensus_id);
        let mut links = IdMap::default();
        links.insert(genesis_id, Link::genesis(&params, genesis_id));
        let mut listed = IdMap::default();
        listed.insert(genesis_id, Height(0));
        Self {
            params,
            consensus_id,
            bitcoin,
            scripts: Scripts::default(),
            links,
            credits: IdMap::default(),
            main: vec![genesis_id],
            listed,
            pending: BTreeSet::new(),
            held: Held::default(),
            waiting: BTreeMap::new(),
            awaited: BTreeSet::new(),
            lists_wanted: BTreeSet::new(),
            refused: Refused::default(),
            payouts: payouts::Caches::default(),
            finality: Finality::new(genesis_id),
            sequence: 0,
        }
    }

    /// The network's constants.
    #[must_use]
    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// The network's id.
    #[must_use]
    pub fn consensus_id(&self) -> &[u8; 32] {
        &self.consensus_id
    }

    /// Bitcoin's headers as far as they were given.
    #[must_use]
    pub fn bitcoin(&self) -> &BitcoinHeaders {
        &self.bitcoin
    }

    /// Takes a proof, with its list when the sender gave one, and everything that waited for it.
    ///
    /// `now` is the node's clock; it decides only what is held for being from the future.
    pub fn insert(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, now: Timestamp) -> Outcome {
        let id = proof.id();
        if let Some(rule) = self.refused.get(&id) {
            return Outcome::Invalid(rule);
        }
        if let Some(list) = &list {
            let share = &proof.proof().share;
            if let Err(rule) = check_root(share.shares_count, &share.shares_root, list) {
                return Outcome::Invalid(rule);
            }
        }
        let mut call = Call::new(now);
        if self.credits.contains(&id) {
            self.give_list(id, list, &mut call);
            self.settle(&mut call);
            return Outcome::Known(call.changes);
        }
        match self.take(proof, list, source, &mut call) {
            Judgement::Valid(_) => {
                self.settle(&mut call);
                Outcome::Accepted(call.changes)
            }
            Judgement::Held(missing) => Outcome::Held(missing),
            Judgement::Invalid(rule) => Outcome::Invalid(rule),
            Judgement::Unlistable => Outcome::Unlistable,
        }
    }

    /// Takes the list of a link that came without it.
    ///
    /// # Errors
    /// SC-009 or SC-401: it is not the list that the link commits to. Says nothing about the link.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<ChangeSet, RuleError> {
        let mut call = Call::new(now);
        if let Some(link) = self.links.get(&id) {
            check_root(link.shares_count, &link.shares_root, &list)?;
            self.give_list(id, Some(list), &mut call);
            self.settle(&mut call);
        }
        Ok(call.changes)
    }

    /// Takes a Bitcoin header that the node's bitcoind vouches for, or that is two blocks behind its tip on another
    /// branch, and judges again what waited for it.
    pub fn insert_bitcoin_header(&mut self, header: Header, now: Timestamp) -> ChangeSet {
        let mut call = Call::new(now);
        if matches!(self.bitcoin.insert(header, now), Ok(Inserted::New)) {
            call.queue.push_back(Missing::BitcoinHeader(header.block_hash()));
            self.settle(&mut call);
        }
        call.changes
    }

    /// Judges again what was from the future and is not any more, and forgets what waited too long.
    pub fn tick(&mut self, now: Timestamp) -> ChangeSet {
        let mut call = Call::new(now);
        for waiter in self.held.take_due(now) {
            self.retake(waiter, &mut call);
        }
        call.changes.dropped.extend(self.held.expire(now));
        self.settle(&mut call);
        call.changes
    }

    /// Judges one proof and keeps it accordingly.
    fn take(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, call: &mut Call) -> Judgement {
        let id = proof.id();
        let judgement = self.judge(&proof, source, call.now);
        match &judgement {
            Judgement::Valid(valid) => {
                let is_link = valid.link.is_some();
                self.held.remove(&id);
                self.awaited.remove(&id);
                self.credits.insert(id, valid.credit.clone());
                self.pending.insert((valid.credit.height, id));
                let counted = proof.proof().share.shares_count;
                call.changes.accepted.push(AcceptedProof { id, proof: proof.into_proof(), is_link, source });
                if let Some(link) = &valid.link {
                    self.links.insert(id, link.clone());
                    let list = if counted == 0 { Some(Vec::new()) } else { list };
                    self.give_list(id, list, call);
                }
                call.queue.push_back(Missing::Proof(id));
            }
            Judgement::Held(missing) => {
                let evicted = self.held.hold(proof, list, source, *missing, call.now);
                call.changes.dropped.extend(evicted);
            }
            Judgement::Invalid(rule) if rule.condemns_id() => {
                self.refused.insert(id, *rule);
                call.queue.push_back(Missing::Proof(id));
            }
            Judgement::Invalid(_) | Judgement::Unlistable => {}
        }
        judgement
    }

    /// Judges a held proof again.
    fn retake(&mut self, waiter: Waiter, call: &mut Call) {
        let id = waiter.proof.id();
        let source = waiter.source;
        match self.take(waiter.proof, waiter.list, source, call) {
            Judgement::Invalid(rule) => call.changes.refused.push(Refusal { id, rule, source }),
            Judgement::Unlistable => call.changes.dropped.push(id),
            Judgement::Valid(_) | Judgement::Held(_) => {}
        }
    }

    /// Looks at everything again that waited for what this call brought, until nothing moves any more.
    fn settle(&mut self, call: &mut Call) {
        while let Some(arrived) = call.queue.pop_front() {
            for link in self.waiting.remove(&arrived).unwrap_or_default() {
                self.try_complete(link, call);
            }
            for waiter in self.held.take_waiting_for(arrived) {
                self.retake(waiter, call);
            }
        }
    }

    /// The newest link of the heaviest complete branch.
    #[must_use]
    pub fn tip(&self) -> ShareId {
        self.main.last().copied().unwrap_or(ShareId(self.consensus_id))
    }

    /// The tip's height.
    #[must_use]
    pub fn height(&self) -> Height {
        Height(u32::try_from(self.main.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// The main chain's link at a height.
    #[must_use]
    pub fn main_at(&self, height: Height) -> Option<ShareId> {
        self.main.get(usize::try_from(height.0).ok()?).copied()
    }

    /// What is kept of a link.
    #[must_use]
    pub fn link(&self, id: &ShareId) -> Option<&Link> {
        self.links.get(id)
    }

    /// What is kept of a valid proof, share or link, that is not too deep.
    #[must_use]
    pub fn credit(&self, id: &ShareId) -> Option<&Credit> {
        self.credits.get(id)
    }

    /// The scripts that ever earned, by index.
    #[must_use]
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Proofs that are held.
    #[must_use]
    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    /// What is missing: parents, listed proofs, lists and Bitcoin headers that would let something be judged.
    pub fn missing(&self) -> impl Iterator<Item = Missing> {
        let awaited = self.awaited.iter().map(|id| Missing::Proof(*id));
        let lists = self.lists_wanted.iter().map(|id| Missing::Body(*id));
        self.held.missing().chain(awaited).chain(lists)
    }

    /// The easiest target that a proof can have met: what binding asks of it before anything else is known.
    ///
    /// While the tip is old the pool may have shrunk meanwhile, and only the network's bound is certain.
    #[must_use]
    pub fn easiest_plausible_target(&self, now: Timestamp) -> U256 {
        let floor = self.params.easiest_share_target;
        let Some(tip) = self.links.get(&self.tip()) else { return floor };
        if tip.height.0 <= self.params.listing_depth || now.seconds_since(tip.time) > i64::from(HELD_SECONDS_MAX) {
            return floor;
        }
        let first = tip.height.below(self.params.listing_depth);
        let easiest = (first.0..=tip.height.0)
            .filter_map(|height| self.links.get(&self.main_at(Height(height))?))
            .map(|link| link.position.share_target)
            .max()
            .unwrap_or(floor);
        // Another branch's targets may differ by what the retarget allows while it is still in sight.
        const SLACK: U256 = U256::from_limbs([16, 0, 0, 0]);
        easiest.saturating_mul(SLACK).min(floor)
    }

    /// Ids of the main chain from the tip down, at growing distances: what a peer needs to find the last common link.
    #[must_use]
    pub fn locator(&self) -> Vec<ShareId> {
        const DENSE: usize = 10;
        let mut locator = Vec::with_capacity(crate::limits::LOCATOR_MAX);
        let mut height = self.height();
        let mut step = 1_u32;
        while let Some(id) = self.main_at(height) {
            locator.push(id);
            if height == Height(0) || locator.len() == crate::limits::LOCATOR_MAX {
                break;
            }
            if locator.len() >= DENSE {
                step = step.saturating_mul(2);
            }
            height = height.below(step);
        }
        locator
    }
}
