//! Checks a database's data of deep links against their own proofs, without Bitcoin's headers.

use std::collections::VecDeque;

use thiserror::Error;

use super::{BaseError, BaseLink, Chunk, Start};
use crate::check::binding::BoundProof;
use crate::error::RuleError;
use crate::link_headers::{OwnCredit, without_own};
use crate::params::ChainParams;
use crate::share::Proof;
use crate::state::{self, State};
use crate::target;
use crate::units::{Height, U256};

/// A fault of a base link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BaseFault {
    /// Its chunk does not continue the one below.
    #[error(transparent)]
    Gap(#[from] BaseError),
    /// Its proof is another link's, or breaks a rule.
    #[error("the proof of the link at height {0} is not the one that the base names")]
    Proof(Height),
    /// Its state root commits to different data.
    #[error("the state root of the link at height {0} commits to other rows, another window, or another history")]
    State(Height),
}

/// Checks base links one after the other, from the lowest up.
#[derive(Clone, Debug)]
pub struct BaseCheck {
    params: ChainParams,
    at: Option<Start>,
    /// Link targets of the last links, oldest first: down to the next link's anchor.
    targets: VecDeque<U256>,
    checked: u64,
}

impl BaseCheck {
    /// A checker that starts with the first chunk passed to [`Self::begin`].
    #[must_use]
    pub fn new(params: ChainParams) -> Self {
        Self { params, at: None, targets: VecDeque::new(), checked: 0 }
    }

    /// Number of links whose state roots were checked. The first ones, whose anchors lie below the base, are not.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// Begins a chunk.
    ///
    /// # Errors
    /// It does not continue the one before.
    pub fn begin(&mut self, chunk: &Chunk) -> Result<(), BaseFault> {
        match &self.at {
            Some(at) if at.id != chunk.start.id => Err(BaseError::Gap(chunk.start.height).into()),
            Some(_) => Ok(()),
            None => {
                self.at = Some(chunk.start.clone());
                Ok(())
            }
        }
    }

    /// Checks the next link.
    ///
    /// # Errors
    /// The link is not what its proof commits to.
    pub fn link(&mut self, link: &BaseLink, proof: Proof) -> Result<(), BaseFault> {
        let Some(at) = self.at.clone() else { return Err(BaseError::Encoding.into()) };
        let height = at.height.child();
        let wrong = BaseFault::Proof(height);
        let bound = BoundProof::bind(proof, U256::MAX, &self.params.consensus_id()).map_err(|_: RuleError| wrong)?;
        let share = &bound.proof().share;
        if bound.id() != link.facts.id || share.parent != at.id || bound.id().as_number() > link.facts.target {
            return Err(wrong);
        }
        let fault = BaseFault::State(height);
        let depth = usize::try_from(self.params.anchor_depth).unwrap_or(usize::MAX);
        if self.targets.len() > depth {
            let anchor = self.targets.front().copied().unwrap_or_default();
            let own = OwnCredit {
                payout: &share.payout,
                weight: target::weight_of_link(
                    target::share_target(anchor, &self.params),
                    link.facts.target,
                    link.facts.bits,
                    &self.params,
                ),
                shares_count: share.shares_count,
            };
            let credits = without_own(&own, &link.rows).and_then(state::of_weights).ok_or(fault)?;
            let history = at.history.commitment().ok_or(fault)?;
            let state = State { window: link.window, credits, history, signals: at.signals.commitment() };
            if state.root() != share.state_root {
                return Err(fault);
            }
            self.checked = self.checked.saturating_add(1);
            self.targets.pop_front();
        }
        self.targets.push_back(link.facts.target);
        let proofs = u64::from(share.shares_count).saturating_add(1);
        self.at = Some(at.after(link, proofs).ok_or(fault)?);
        Ok(())
    }
}
