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
        let position = self.position_after(&proof.share.parent)?.clone();
        if self.too_deep().is_some_and(|bound| position.height <= bound) {
            // The main chain's lists at this depth were dropped, so the lists of such a branch can no longer be
            // checked.
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
        self.check_payout(bound, &position)?;
        let credit = self.credit_of(proof, &position, source, now)?;
        let link = is_link.then(|| self.link_of(&id, proof, &position, &previous)).flatten();
        Ok(Valid { credit, link })
    }

    /// Makes the checks on a job template that peers will make on its proofs. A template has no hash yet, so the checks
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
            self.check_payout(bound, &position)
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
        if self.credits.contains(parent) {
            return Err(RuleError::ParentNotLink.into());
        }
        Err(Missing::Proof(*parent).into())
    }

    fn previous_block(&self, hash: &BlockHash) -> Result<PreviousBlock, Judgement> {
        let missing = || Judgement::Held(Missing::BitcoinHeader(*hash));
        let known = self.bitcoin.get(hash).ok_or_else(missing)?;
        Ok(PreviousBlock {
            height: known.height,
            chain_work: known.chain_work,
            median_time: known.median_time,
            next_bits: self.bitcoin.next_bits(hash).ok_or_else(missing)?,
        })
    }

    /// Checks that the coinbase is, byte for byte, the one with the payouts that follow from the share-chain (SC-301).
    fn check_payout(&mut self, bound: &BoundProof, position: &Position) -> Result<(), Judgement> {
        let Proof { header, share, .. } = bound.proof();
        let previous = &header.prev_blockhash;
        let payouts = self.shared_payouts(&position.anchor, previous, share.coinbase_value, &share.payout)?;
        Ok(bound.check_coinbase(&payouts)?)
    }

    fn credit_of(
        &mut self,
        proof: &Proof,
        position: &Position,
        source: Source,
        now: Timestamp,
    ) -> Result<Credit, RuleError> {
        Ok(Credit {
            parent: proof.share.parent,
            height: position.height,
            anchor: position.anchor,
            anchor_height: position.anchor_height,
            bitcoin_height: proof.share.bitcoin_height,
            script: self.scripts.intern(&proof.share.payout)?,
            weight: target::weight_of_share(position.share_target, proof.header.bits, &self.params),
            validated_at: now,
            time: proof.share.time,
            signals: proof.share.signals,
            source,
        })
    }

    fn link_of(&self, id: &ShareId, proof: &Proof, at: &Position, previous: &PreviousBlock) -> Option<Link> {
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
            bitcoin_height_max: share.bitcoin_height.max(parent.bitcoin_height_max),
            previous_block: proof.header.prev_blockhash,
            target: at.link_target,
            shares_root: share.shares_root,
            shares_count: share.shares_count,
            bits: proof.header.bits,
            chain_work: parent.chain_work.plus(Work::of_target(at.link_target)),
            position: Position {
                height: height.child(),
                anchor,
                anchor_height,
                share_target,
                link_target,
                median_time: median(times),
                bitcoin_work: previous.chain_work,
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
fn median(mut times: Vec<Timestamp>) -> Option<Timestamp> {
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
            bitcoin_height_max: 0,
            previous_block: ShareId(params.bitcoin.genesis_hash()).block_hash(),
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
            },
            list: ListState::Complete(super::Complete {
                list: super::List::default(),
                rows: crate::window::Rows::default(),
                listed_total: 0,
                sequence: 0,
                live_since: None,
                live_total: 0,
                signals: Signals::default(),
                omits: false,
            }),
        }
    }
}
