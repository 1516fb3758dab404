//! Judges a proof, except for its list.

use bitcoin::BlockHash;

use super::{Chain, Link, ListState, Missing};
use crate::change_set::Source;
use crate::check::binding::BoundProof;
use crate::check::header::{Position, PreviousBlock, check_header};
use crate::credit::Credit;
use crate::error::RuleError;
use crate::limits::{BITCOIN_FUTURE_SECONDS, FUTURE_SECONDS};
use crate::params::ChainParams;
use crate::share::Proof;
use crate::signals::Signals;
use crate::state::{Commitment, History};
use crate::target;
use crate::units::{Height, ShareId, Timestamp, U256, Work};

/// The four results of protocol §11.
pub(super) enum Judgement {
    Valid(Box<Valid>),
    Held(Missing),
    Invalid(RuleError),
    Unlistable,
}

/// Data that a valid proof adds to the chain.
#[derive(Clone, Debug)]
pub(super) struct Valid {
    pub(super) credit: Credit,
    pub(super) link: Option<Link>,
}

impl From<RuleError> for Judgement {
    fn from(rule: RuleError) -> Self {
        Self::Invalid(rule)
    }
}

impl From<Missing> for Judgement {
    fn from(missing: Missing) -> Self {
        Self::Held(missing)
    }
}

impl Chain {
    /// Judges a bound proof, in the order of checks of protocol §11.
    pub(super) fn judge(&mut self, bound: &BoundProof, source: Source, now: Timestamp) -> Judgement {
        match self.try_judge(bound, source, now) {
            Ok(valid) => Judgement::Valid(Box::new(valid)),
            Err(judgement) => judgement,
        }
    }

    fn try_judge(&mut self, bound: &BoundProof, source: Source, now: Timestamp) -> Result<Valid, Judgement> {
        let id = bound.id();
        let proof = bound.proof();
        let position = self.position_after(&proof.share.parent).map_err(|held| self.or_too_old(proof, held))?.clone();
        // The main chain's lists at this depth were dropped, so the lists of such a branch can no longer be checked. The
        // first links above a base may list what is as high as the base.
        let is_too_deep = self.too_deep().is_some_and(|bound| position.height <= bound) && !self.wanted.awaits(&id);
        if is_too_deep || self.forks_too_deep(&proof.share.parent) {
            return Err(Judgement::Unlistable);
        }
        let previous = self.previous_block(&proof.header.prev_blockhash)?;
        check_header(proof, Some(&id), &position, &previous, &self.params)?;
        not_from_the_future(proof, now)?;
        let is_link = id.as_number() <= position.link_target;
        let depth = self.height().child().above(position.anchor_height);
        if !is_link && depth > self.params.listing_depth && !self.wanted.awaits(&id) {
            return Err(Judgement::Unlistable);
        }
        let snapshot = self.check_payout(bound)?;
        let credit = Credit { is_link, ..self.credit_of(proof, &position, &previous, source, now)? };
        let mut link = is_link.then(|| self.link_of(&id, proof, &position, &previous, snapshot)).flatten();
        if link.as_ref().is_some_and(|link| self.would_go_first(&id, link)) {
            if !self.can_be_listed_by_main(&credit) {
                return Err(Judgement::Unlistable);
            }
            link = None;
        }
        Ok(Valid { credit, link })
    }

    /// True if the branch that ends in `newest` leaves the main chain at or below the state depth.
    fn forks_too_deep(&self, newest: &ShareId) -> bool {
        let Some(bound) = self.state_bound() else { return false };
        let mut at = *newest;
        while let Some(link) = self.links.get(&at).filter(|link| link.height > bound) {
            if self.main_at(link.height) == Some(at) {
                return false;
            }
            at = link.parent;
        }
        true
    }

    /// Runs the checks on a job template that peers will run on its proofs. A template has no hash yet, so the checks
    /// of the hash do not apply.
    ///
    /// # Errors
    /// The verdict of a peer on a proof from this template.
    pub fn check_template(&mut self, bound: &BoundProof, now: Timestamp) -> Result<(), TemplateError> {
        let proof = bound.proof();
        let judged = (|| -> Result<(), Judgement> {
            let position = self.position_after(&proof.share.parent)?.clone();
            let previous = self.previous_block(&proof.header.prev_blockhash)?;
            check_header(proof, None, &position, &previous, &self.params)?;
            not_from_the_future(proof, now)?;
            self.check_payout(bound).map(drop)
        })();
        judged.map_err(|judgement| match judgement {
            Judgement::Invalid(rule) => TemplateError::Rule(rule),
            Judgement::Held(missing) => TemplateError::Missing(missing),
            Judgement::Valid(_) | Judgement::Unlistable => TemplateError::Rule(RuleError::Anchor),
        })
    }

    /// Returns the position that the parent determines for the proof.
    fn position_after(&self, parent: &ShareId) -> Result<&Position, Judgement> {
        if let Some(link) = self.links.get(parent) {
            return Ok(&link.position);
        }
        // SC-212: The parent is not invalid.
        if self.refused.get(parent).is_some() {
            return Err(RuleError::ParentInvalid.into());
        }
        // SC-201: The parent is genesis or meets the link target of its own position.
        match self.credits.get(parent) {
            // The parent was dropped to make room.
            Some(credit) if credit.is_link => return Err(Judgement::Unlistable),
            Some(_) => return Err(RuleError::ParentNotLink.into()),
            None => {}
        }
        Err(Missing::Proof(*parent).into())
    }

    /// Rejects a proof that would be held for its parent although no branch with it can be judged: its Bitcoin work is
    /// less than that of the link at the state depth. Otherwise, anyone could replay pruned proofs.
    fn or_too_old(&self, proof: &Proof, judgement: Judgement) -> Judgement {
        let deep = self.state_bound().and_then(|bound| self.links.get(&self.main_at(bound)?));
        let (Judgement::Held(_), Some(deep), Some(previous)) =
            (&judgement, deep, self.bitcoin.get(&proof.header.prev_blockhash))
        else {
            return judgement;
        };
        if previous.chain_work < deep.position.bitcoin_work { Judgement::Unlistable } else { judgement }
    }

    fn previous_block(&self, hash: &BlockHash) -> Result<PreviousBlock, Judgement> {
        let missing = || Judgement::Held(Missing::BitcoinHeader(*hash));
        let known = self.bitcoin.get(hash).ok_or_else(missing)?;
        Ok(PreviousBlock {
            height: known.height,
            chain_work: known.chain_work,
            next: self.bitcoin.next(hash).ok_or_else(missing)?,
        })
    }

    /// Checks that the coinbase is, byte for byte, the one with the payouts that follow from the share-chain (SC-301).
    /// Returns the height of the snapshot that it pays by.
    fn check_payout(&mut self, bound: &BoundProof) -> Result<Height, Judgement> {
        let Proof { header, share, .. } = bound.proof();
        let plan = self.plan(&share.parent, &header.prev_blockhash)?;
        let payouts = self.outputs(&plan, share.coinbase_value, &share.payout)?;
        bound.check_coinbase(&payouts)?;
        Ok(plan.snapshot_height)
    }

    fn credit_of(
        &mut self,
        proof: &Proof,
        position: &Position,
        previous: &PreviousBlock,
        source: Source,
        now: Timestamp,
    ) -> Result<Credit, RuleError> {
        Ok(Credit {
            is_link: false,
            parent: proof.share.parent,
            height: position.height,
            anchor: position.anchor,
            anchor_height: position.anchor_height,
            bitcoin_work: previous.chain_work,
            script: self.scripts.intern(&proof.share.payout)?,
            weight: target::weight_of_share(position.share_target, previous.next.period_bits, &self.params),
            first_seen: self.held.since(&proof.id()).map_or(now, |since| since.min(now)),
            validated_at: now,
            time: proof.share.time,
            signals: proof.share.signals,
            source,
        })
    }

    fn link_of(
        &self,
        id: &ShareId,
        proof: &Proof,
        at: &Position,
        previous: &PreviousBlock,
        snapshot: Height,
    ) -> Option<Link> {
        let share = &proof.share;
        let parent = self.links.get(&share.parent)?;
        let height = at.height;
        let times = self.times_down_from(share.time, parent);
        let anchor_height = height.below(self.params.anchor_depth);
        let anchor = if anchor_height == height { *id } else { self.ancestor(&share.parent, anchor_height)? };
        let anchor_target = if anchor == *id { at.link_target } else { self.links.get(&anchor)?.target };
        let share_target = target::share_target(anchor_target, &self.params);
        let link_target = match height {
            // The first two links have no interval before them.
            Height(0 | 1) => self.params.first_link_target.min(share_target),
            _ => {
                let interval_s = share.time.seconds_since(parent.time);
                target::link_target(at.link_target, interval_s, share_target, &self.params)
            }
        };
        Some(Link {
            parent: share.parent,
            height,
            time: share.time,
            bitcoin_height: share.bitcoin_height,
            previous_block: proof.header.prev_blockhash,
            state_root: share.state_root,
            target: at.link_target,
            shares_root: share.shares_root,
            shares_count: share.shares_count,
            bits: previous.next.period_bits,
            chain_work: parent.chain_work.plus(Work::of_target(at.link_target)),
            position: Position {
                height: height.child(),
                anchor,
                anchor_height,
                share_target,
                link_target,
                median_time: median(times),
                bitcoin_work: previous.chain_work,
                least_snapshot: snapshot,
            },
            list: ListState::Missing,
        })
    }

    /// Times of a link and its last ancestors, without genesis, which has no time. At most `median_span` times.
    fn times_down_from(&self, time: Timestamp, parent: &Link) -> Vec<Timestamp> {
        let mut times = vec![time];
        let mut at = Some(parent);
        while let Some(link) = at.filter(|link| link.height > Height(0)) {
            if times.len() >= self.params.median_span {
                break;
            }
            times.push(link.time);
            at = self.links.get(&link.parent);
        }
        times
    }

    /// Returns the ancestor of `id` at `height`, which may be `id` itself. `None` if `height` is above its own.
    pub(super) fn ancestor(&self, id: &ShareId, height: Height) -> Option<ShareId> {
        let mut at = *id;
        loop {
            let link = self.links.get(&at)?;
            if link.height == height {
                return Some(at);
            }
            if link.height < height {
                return None;
            }
            if self.main_at(link.height) == Some(at) {
                return self.main_at(height);
            }
            at = link.parent;
        }
    }
}

/// Reason why a job template cannot go to miners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Peers would reject proofs from the template.
    #[error("peers would reject work from this template: {0}")]
    Rule(RuleError),
    /// This node cannot judge the template yet.
    #[error("the template cannot be judged yet: {0:?} is missing")]
    Missing(Missing),
}

/// Holds a proof whose times are too far ahead of the clock: more than 30 s for the share header, 7,200 s for the
/// Bitcoin header.
fn not_from_the_future(proof: &Proof, now: Timestamp) -> Result<(), Judgement> {
    let ours = proof.share.time.0.saturating_sub(FUTURE_SECONDS);
    let bitcoins = proof.header.time.saturating_sub(BITCOIN_FUTURE_SECONDS);
    let due = Timestamp(ours.max(bitcoins));
    if due > now { Err(Missing::Time(due).into()) } else { Ok(()) }
}

/// Median, as in Bitcoin: for an even number, the later of the middle two.
pub(super) fn median(mut times: Vec<Timestamp>) -> Option<Timestamp> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

impl Link {
    /// Genesis link of a network.
    pub(super) fn genesis(params: &ChainParams, id: ShareId) -> Self {
        let share_target = target::share_target(params.first_link_target, params);
        Self {
            parent: id,
            height: Height(0),
            time: Timestamp(0),
            bitcoin_height: 0,
            previous_block: ShareId(params.bitcoin.genesis_hash()).block_hash(),
            state_root: [0; 32],
            target: params.first_link_target,
            shares_root: crate::encode::shares_root(&[]),
            shares_count: 0,
            bits: params.bitcoin.genesis().bits,
            chain_work: Work(U256::ZERO),
            position: Position {
                height: Height(1),
                anchor: id,
                anchor_height: Height(0),
                share_target,
                link_target: params.first_link_target.min(share_target),
                median_time: None,
                bitcoin_work: U256::ZERO,
                least_snapshot: Height(0),
            },
            list: ListState::Complete(super::Complete {
                list: super::List::default(),
                rows: crate::window::Rows::default(),
                listed_total: 0,
                window: Commitment::default(),
                history: History::default(),
                sequence: 0,
                live_since: None,
                live_total: 0,
                signals: Signals::default(),
                own_signals: 0,
                omits: false,
            }),
        }
    }
}
