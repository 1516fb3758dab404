//! The tree of links. [`Chain::insert`] takes a proof and returns the result for it and for all proofs that were held
//! for it.
//!
//! ```text
//! insert ─► judge (header, Bitcoin, payouts) ─► admit ─► complete (lists) ─► advance (fork choice, pending) ─► ChangeSet
//!              │ something is missing
//!              └─► held, and judged again when it arrives
//! ```
//!
//! # How to drive it
//!
//! A chain has no clock, thread, or database. Its owner makes one call after the other:
//!
//! | when | call |
//! |---|---|
//! | at the start | [`Chain::new`]; [`Chain::restore_settled`] with the settled link of the last run; then everything stored, in its order |
//! | a Bitcoin header that may count | [`Chain::insert_bitcoin_header`], after its parent; [`Chain::restore_bitcoin_header`] for a stored one |
//! | a proof | [`BoundProof::bind`], then [`Chain::insert`] |
//! | a list without its proof | [`Chain::supply_list`] |
//! | this node's bitcoind has another height, or the node gets into sync or out of it | [`Chain::note_own_bitcoin_height`] |
//! | every second or so | [`Chain::tick`] |
//!
//! - Order: proofs and lists may come in any order. Those that come too early wait, and [`Chain::missing`] says for
//!   what. A header that comes before its parent, or that is more than two hours ahead of the clock, is dropped: insert
//!   it again later.
//! - Results: store a [`ChangeSet`] before anyone hears of it: proofs first, then lists. Changes of a call that returns
//!   none, such as an [`Outcome::Held`], are in the change set of the next call.
//! - Time: `now` is this node's clock. It decides what is held, for how long, and what counts as an omission. It never
//!   decides what is valid.
//! - Readers: give them a clone. They query it with methods that take `&self`, such as [`Chain::plan_of`].

mod advance;
mod base;
mod block_window;
mod branch;
mod complete;
mod fate;
mod headers;
mod held;
mod judge;
mod link;
mod payouts;
mod plausible;
mod prune;
mod refused;
mod settled;
mod side;
mod template;
mod view;
mod wanted;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bitcoin_headers::BitcoinHeaders;
use crate::change_set::{AcceptedProof, ChangeSet, Refusal, Source};
use crate::check::binding::BoundProof;
use crate::check::list::check_root;
use crate::chunked::Chunked;
use crate::credit::Credit;
use crate::error::RuleError;
use crate::id_map::IdMap;
use crate::ordered::Ordered;
use crate::params::ChainParams;
use crate::share::Proof;
use crate::units::{Height, ShareId, Timestamp};
use crate::window::Scripts;

pub(crate) use base::FromBase;
pub use fate::{Fate, Unpaid};
pub use held::Missing;
pub use judge::TemplateError;
pub use link::{Complete, Link, List, ListState};
pub use payouts::{Plan, Unpayable};
pub use settled::Settled;
pub use template::Assignment;

use held::{Arrival, Held, Waiter};
use judge::Judgement;
use plausible::PlausibleTargets;
use prune::Pruned;
use refused::Refused;
use side::SideLinks;
use wanted::Wanted;

/// Result of inserting a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The proof is valid. The change set holds everything that changed.
    Accepted(ChangeSet),
    /// The proof was already known. The change set holds what its list changed, if one came with it.
    Known(ChangeSet),
    /// The proof cannot be judged yet.
    Held(Missing),
    /// The proof breaks a rule. Its sender is at fault.
    Invalid(RuleError),
    /// The proof is too old for any link to list it. Its sender is not at fault.
    Unlistable,
}

/// One node's view of the share-chain.
///
/// A clone is a frozen view for readers. Cloning takes less than a microsecond, however long the chain. The clone
/// shares its memory with the original; later changes to either copy only what they touch.
#[derive(Clone, Debug)]
pub struct Chain {
    params: ChainParams,
    consensus_id: [u8; 32],
    bitcoin: BitcoinHeaders,
    scripts: Scripts,
    links: IdMap<Link>,
    credits: IdMap<Credit>,
    /// Main chain by height. Never empty: it starts with genesis.
    main: Chunked<ShareId>,
    /// Height of the main chain's link that lists the id or is the id.
    listed: IdMap<Height>,
    /// Valid proofs that the main chain does not list, by height and id.
    pending: Ordered<(Height, ShareId), ()>,
    held: Held,
    wanted: Wanted,
    refused: Refused,
    payouts: Arc<payouts::Caches>,
    settled: Settled,
    side: SideLinks,
    /// Height up to which lists of the main chain were dropped. Never falls.
    forgotten: Height,
    /// Height of the highest tip so far.
    highest: Height,
    pruned: Pruned,
    plausible: PlausibleTargets,
    sequence: u64,
    /// Changes of calls whose outcome cannot return them. The next call returns them.
    untold: ChangeSet,
}

/// State of one call: its clock, its changes, and the arrivals whose dependents must still be judged again.
struct Call {
    now: Timestamp,
    changes: ChangeSet,
    queue: VecDeque<Missing>,
}

impl Chain {
    /// Creates a chain that holds only genesis, on top of the given Bitcoin headers.
    ///
    /// ```
    /// use sharechain::bitcoin_headers::{BitcoinHeaders, Root, RootError};
    /// use sharechain::{Chain, ChainParams, Height};
    ///
    /// let params = ChainParams::local();
    /// let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin))?;
    /// let chain = Chain::new(params, headers);
    /// assert_eq!(chain.height(), Height(0));
    /// assert_eq!(chain.tip().0, *chain.consensus_id(), "genesis has the network's id");
    /// # Ok::<(), RootError>(())
    /// ```
    #[must_use]
    pub fn new(params: ChainParams, bitcoin: BitcoinHeaders) -> Self {
        let consensus_id = params.consensus_id();
        let genesis_id = ShareId(consensus_id);
        let mut links = IdMap::default();
        links.insert(genesis_id, Link::genesis(&params, genesis_id));
        let mut listed = IdMap::default();
        listed.insert(genesis_id, Height(0));
        let mut main = Chunked::default();
        main.push(genesis_id);
        Self {
            params,
            consensus_id,
            bitcoin,
            scripts: Scripts::default(),
            links,
            credits: IdMap::default(),
            main,
            listed,
            pending: Ordered::default(),
            held: Held::default(),
            wanted: Wanted::default(),
            refused: Refused::default(),
            payouts: Arc::default(),
            settled: Settled::new(genesis_id),
            side: SideLinks::default(),
            forgotten: Height(0),
            highest: Height(0),
            pruned: Pruned::default(),
            plausible: PlausibleTargets::default(),
            sequence: 0,
            untold: ChangeSet::default(),
        }
    }

    /// Judges a proof, with its list if the sender provided one, and then all proofs that were held for it.
    ///
    /// `now` is the node's clock. It decides which proofs are held because their time is too far ahead.
    ///
    /// ```
    /// use sharechain::chain::{Missing, Outcome};
    /// use sharechain::change_set::Source;
    /// use testkit::{World, miner};
    ///
    /// let mut world = World::new();
    /// world.bitcoin_block();
    /// let mut other = world.newcomer();
    /// let (link, list) = world.link(miner(1));
    /// let share = world.share(miner(2));
    ///
    /// // Another node gets the share before the link that it extends: it is held.
    /// let peer = Source(1);
    /// let outcome = other.insert(world.bind(&share), None, peer, world.now);
    /// assert_eq!(outcome, Outcome::Held(Missing::Proof(link.id())));
    ///
    /// // The link comes, and what waited for it is judged with it.
    /// let outcome = other.insert(world.bind(&link), Some(list), peer, world.now);
    /// let Outcome::Accepted(changes) = outcome else { panic!("{outcome:?}") };
    /// assert_eq!(changes.accepted.len(), 2);
    /// assert_eq!((other.tip(), other.pending(10)), (link.id(), vec![share.id()]));
    /// ```
    pub fn insert(&mut self, proof: BoundProof, list: Option<Vec<ShareId>>, source: Source, now: Timestamp) -> Outcome {
        self.insert_as(Arrival { proof, list, source, requested: false }, now)
    }

    /// Like [`Chain::insert`], for a proof that this node requested from a peer, or that its own store holds: its list
    /// is kept even if its branch is still light.
    pub fn insert_requested(
        &mut self,
        proof: BoundProof,
        list: Option<Vec<ShareId>>,
        source: Source,
        now: Timestamp,
    ) -> Outcome {
        self.insert_as(Arrival { proof, list, source, requested: true }, now)
    }

    fn insert_as(&mut self, arrival: Arrival, now: Timestamp) -> Outcome {
        let Arrival { proof, list, .. } = &arrival;
        let id = proof.id();
        if let Some(rule) = self.refused.get(&id) {
            return Outcome::Invalid(rule);
        }
        if let Some(list) = list {
            let share = &proof.proof().share;
            if let Err(rule) = check_root(share.shares_count, &share.shares_root, list) {
                return Outcome::Invalid(rule);
            }
        }
        let mut call = self.call(now);
        if self.knows(&id) {
            let list = list_or_empty(arrival.proof.proof(), arrival.list);
            self.give_list(id, list, arrival.requested, &mut call);
            self.settle(&mut call);
            return Outcome::Known(call.changes);
        }
        let judgement = self.take(arrival, &mut call);
        self.settle(&mut call);
        if matches!(judgement, Judgement::Valid(_)) {
            return Outcome::Accepted(call.changes);
        }
        self.untold = call.changes;
        match judgement {
            Judgement::Held(missing) => Outcome::Held(missing),
            Judgement::Invalid(rule) => Outcome::Invalid(rule),
            Judgement::Valid(_) | Judgement::Unlistable => Outcome::Unlistable,
        }
    }

    /// True if the proof was found valid before and is still stored.
    fn knows(&self, id: &ShareId) -> bool {
        self.credits.contains(id) || self.links.contains(id)
    }

    /// Starts a call with the changes that earlier calls could not return.
    fn call(&mut self, now: Timestamp) -> Call {
        Call { now, changes: core::mem::take(&mut self.untold), queue: VecDeque::new() }
    }

    /// Adds the list of a link that came without it, and returns all changes.
    ///
    /// # Errors
    /// SC-009 or SC-401 if the link does not commit to this list. The link itself remains valid.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<ChangeSet, RuleError> {
        if let Some(link) = self.links.get(&id) {
            check_root(link.shares_count, &link.shares_root, &list)?;
        }
        let mut call = self.call(now);
        self.give_list(id, Some(list), true, &mut call);
        self.settle(&mut call);
        Ok(call.changes)
    }

    /// Judges the held proofs whose time has come, and drops those that were held too long. Computes in advance what
    /// work on Bitcoin's next block will need.
    pub fn tick(&mut self, now: Timestamp) -> ChangeSet {
        let mut call = self.call(now);
        for waiter in self.held.take_due(now) {
            self.retake(waiter, &mut call);
        }
        call.changes.dropped.extend(self.held.expire(now));
        self.settle(&mut call);
        self.prepare_next_block();
        call.changes
    }

    /// Judges one proof, and stores, holds or drops it accordingly.
    fn take(&mut self, arrival: Arrival, call: &mut Call) -> Judgement {
        let Arrival { proof, list, source, requested } = arrival;
        let id = proof.id();
        let judgement = self.judge(&proof, source, call.now);
        match &judgement {
            Judgement::Valid(valid) => {
                let is_link = valid.credit.is_link;
                if let Some(link) = &valid.link {
                    self.links.insert(id, link.clone());
                    self.note_side(&id);
                }
                self.held.remove_all(&id);
                self.wanted.has_come(&id);
                self.credits.insert(id, valid.credit.clone());
                self.pending.insert((valid.credit.height, id), ());
                let list = list_or_empty(proof.proof(), list);
                let forward = self.is_worth_forwarding(&id);
                call.changes.accepted.push(AcceptedProof { id, proof: proof.into_proof(), is_link, forward, source });
                if let Some(link) = &valid.link {
                    self.wanted.add_link(link.height, id);
                    self.give_list(id, list, requested, call);
                    if self.is_void(&link.parent) {
                        self.try_complete(id, call);
                    }
                    self.evict_side_links();
                }
                call.queue.push_back(Missing::Proof(id));
            }
            Judgement::Held(missing) => {
                let held = Arrival { proof, list, source, requested };
                let evicted = self.held.hold(held, *missing, call.now);
                call.changes.dropped.extend(evicted);
            }
            Judgement::Invalid(rule) if rule.invalidates_id() => {
                self.refused.insert(id, *rule);
                call.queue.push_back(Missing::Proof(id));
            }
            Judgement::Invalid(_) | Judgement::Unlistable => {}
        }
        judgement
    }

    /// Judges a held proof again.
    fn retake(&mut self, waiter: Waiter, call: &mut Call) {
        let arrival = waiter.arrival;
        let (id, source) = (arrival.proof.id(), arrival.source);
        if self.knows(&id) {
            // Another version of the proof was valid.
            return self.give_list(id, arrival.list, arrival.requested, call);
        }
        match self.take(arrival, call) {
            Judgement::Invalid(rule) => call.changes.refused.push(Refusal { id, rule, source }),
            Judgement::Unlistable => call.changes.dropped.push(id),
            Judgement::Valid(_) | Judgement::Held(_) => {}
        }
    }

    /// Incomplete links that an arrival affects: those that waited for it, and those that it makes void.
    fn concerned_by(&mut self, arrived: &Missing) -> Vec<ShareId> {
        match arrived {
            Missing::Proof(id) if self.refused.get(id).is_some() => self.wanted.listing(id),
            Missing::List(id) if self.is_void(id) => self.incomplete_children(id),
            _ => self.wanted.take_waiting_for(arrived),
        }
    }

    /// Judges again everything that waited for this call's arrivals, until nothing changes anymore.
    fn settle(&mut self, call: &mut Call) {
        while let Some(arrived) = call.queue.pop_front() {
            for link in self.concerned_by(&arrived) {
                self.try_complete(link, call);
            }
            for waiter in self.held.take_waiting_for(arrived) {
                self.retake(waiter, call);
            }
        }
    }
}

/// The list of a proof as it came. An empty list need not come: the header commits to it.
fn list_or_empty(proof: &Proof, list: Option<Vec<ShareId>>) -> Option<Vec<ShareId>> {
    list.or_else(|| check_root(proof.share.shares_count, &proof.share.shares_root, &[]).is_ok().then(Vec::new))
}
