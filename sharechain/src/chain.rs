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
mod finality;
mod held;
mod judge;
mod link;
mod payouts;
mod plausible;
mod refused;
mod template;
mod view;
mod wanted;

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::block::Header;

use crate::bitcoin_headers::{BitcoinHeaders, Inserted};
use crate::change_set::{AcceptedProof, ChangeSet, Refusal, Source};
use crate::check::binding::BoundProof;
use crate::check::list::check_root;
use crate::chunked::Chunked;
use crate::credit::Credit;
use crate::error::RuleError;
use crate::id_map::IdMap;
use crate::ordered::Ordered;
use crate::params::ChainParams;
use crate::units::{Height, ShareId, Timestamp};
use crate::window::Scripts;

pub use fate::Fate;
pub use finality::Finality;
pub use held::Missing;
pub use judge::TemplateError;
pub use link::{Complete, Link, List, ListState};
pub use payouts::{Plan, Unpayable};
pub use template::Assignment;

use held::{Held, Waiter};
use judge::Judgement;
use plausible::PlausibleTargets;
use refused::Refused;
use wanted::Wanted;

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
///
/// A clone is a frozen view for readers. It takes less than a microsecond, however long the chain, and shares its memory
/// with the original; later changes to either copy only what they touch.
#[derive(Clone, Debug)]
pub struct Chain {
    params: ChainParams,
    consensus_id: [u8; 32],
    bitcoin: BitcoinHeaders,
    scripts: Scripts,
    links: IdMap<Link>,
    credits: IdMap<Credit>,
    /// Main chain by height; never empty, genesis first.
    main: Chunked<ShareId>,
    /// Height of the main chain's link that lists an id, or is it.
    listed: IdMap<Height>,
    /// Valid proofs that the main chain does not list, by height.
    pending: Ordered<(Height, ShareId), ()>,
    held: Held,
    wanted: Wanted,
    refused: Refused,
    payouts: Arc<payouts::Caches>,
    finality: Finality,
    /// Lists of the main chain up to this height were forgotten. Never falls.
    forgotten: Height,
    plausible: PlausibleTargets,
    sequence: u64,
    /// What calls changed whose outcome carries no changes; the next call tells.
    untold: ChangeSet,
}

/// One call's clock, its list of changes, and what is still to be looked at again because of them.
struct Call {
    now: Timestamp,
    changes: ChangeSet,
    queue: VecDeque<Missing>,
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
            finality: Finality::new(genesis_id),
            forgotten: Height(0),
            plausible: PlausibleTargets::default(),
            sequence: 0,
            untold: ChangeSet::default(),
        }
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
        let mut call = self.call(now);
        if self.knows(&id) {
            self.give_list(id, list, &mut call);
            self.settle(&mut call);
            return Outcome::Known(call.changes);
        }
        let judgement = self.take(proof, list, source, &mut call);
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

    /// True for what was found valid before, however deep it lies by now.
    fn knows(&self, id: &ShareId) -> bool {
        self.credits.contains(id) || self.links.contains(id)
    }

    /// Starts a call, with what earlier ones could not tell.
    fn call(&mut self, now: Timestamp) -> Call {
        Call { now, changes: core::mem::take(&mut self.untold), queue: VecDeque::new() }
    }

    /// Takes the list of a link that came without it.
    ///
    /// # Errors
    /// SC-009 or SC-401: it is not the list that the link commits to. Says nothing about the link.
    pub fn supply_list(&mut self, id: ShareId, list: Vec<ShareId>, now: Timestamp) -> Result<ChangeSet, RuleError> {
        if let Some(link) = self.links.get(&id) {
            check_root(link.shares_count, &link.shares_root, &list)?;
        }
        let mut call = self.call(now);
        self.give_list(id, Some(list), &mut call);
        self.settle(&mut call);
        Ok(call.changes)
    }

    /// Takes a Bitcoin header that the node's bitcoind vouches for, or that is two blocks behind its tip on another
    /// branch, and judges again what waited for it.
    pub fn insert_bitcoin_header(&mut self, header: Header, now: Timestamp) -> ChangeSet {
        let mut call = self.call(now);
        if matches!(self.bitcoin.insert(header, now), Ok(Inserted::New)) {
            call.queue.push_back(Missing::BitcoinHeader(header.block_hash()));
            self.settle(&mut call);
        }
        call.changes
    }

    /// Judges again what was from the future and is not any more, and forgets what waited too long.
    pub fn tick(&mut self, now: Timestamp) -> ChangeSet {
        let mut call = self.call(now);
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
                self.held.remove_all(&id);
                self.wanted.has_come(&id);
                self.credits.insert(id, valid.credit.clone());
                self.pending.insert((valid.credit.height, id), ());
                let lists_nothing =
                    check_root(proof.proof().share.shares_count, &proof.proof().share.shares_root, &[]).is_ok();
                call.changes.accepted.push(AcceptedProof { id, proof: proof.into_proof(), is_link, source });
                if let Some(link) = &valid.link {
                    self.links.insert(id, link.clone());
                    self.wanted.add_link(link.height, id);
                    // Nobody need send an empty list: the header says that it is.
                    let list = if lists_nothing { Some(Vec::new()) } else { list };
                    self.give_list(id, list, call);
                    if self.is_void(&link.parent) {
                        self.try_complete(id, call);
                    }
                }
                call.queue.push_back(Missing::Proof(id));
            }
            Judgement::Held(missing) => {
                let evicted = self.held.hold(proof, list, source, *missing, call.now);
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
        let id = waiter.proof.id();
        let source = waiter.source;
        if self.knows(&id) {
            // Another version of it was the valid one.
            return self.give_list(id, waiter.list, call);
        }
        match self.take(waiter.proof, waiter.list, source, call) {
            Judgement::Invalid(rule) => call.changes.refused.push(Refusal { id, rule, source }),
            Judgement::Unlistable => call.changes.dropped.push(id),
            Judgement::Valid(_) | Judgement::Held(_) => {}
        }
    }

    /// The incomplete links for which something that arrived decides: those that waited for it, and all that it makes void.
    fn concerned_by(&mut self, arrived: &Missing) -> Vec<ShareId> {
        match arrived {
            Missing::Proof(id) if self.refused.get(id).is_some() => self.wanted.listing(id),
            Missing::List(id) if self.is_void(id) => self.incomplete_children(id),
            _ => self.wanted.take_waiting_for(arrived),
        }
    }

    /// Looks at everything again that waited for what this call brought, until nothing moves any more.
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
