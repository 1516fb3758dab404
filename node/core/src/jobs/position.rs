//! The position of new work in the share-chain, and why there may be none.

use std::sync::Arc;

use bitcoin::BlockHash;
use sharechain::chain::{Assignment, Chain, Missing, Plan, TemplateError, Unpayable};
use sharechain::{RuleError, ShareId};

use super::contents::CoinbaseCost;

/// Where a new job extends the share-chain, and which scripts it pays.
#[derive(Debug)]
pub struct JobPosition {
    /// The link to extend, and the values that follow from it. Its list may be changed before a job template commits to
    /// it.
    pub assignment: Assignment,
    pub(super) plan: Arc<Plan>,
    pub(super) consensus_id: [u8; 32],
}

/// Why no job can be built now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The share-chain has no link to extend.
    #[error("the share-chain has no link to build on")]
    NoParent,
    /// bitcoind has a problem, or has sent no template yet; the sentence says which.
    #[error("{0}")]
    Bitcoind(Arc<str>),
    /// The node is not in sync with its peers; the sentence says why.
    #[error("{0}")]
    NotSynced(Arc<str>),
    /// The share-chain does not know bitcoind's tip yet.
    #[error("the share-chain does not know bitcoind's tip {0}")]
    UnknownTip(BlockHash),
    /// bitcoind's tip has less work than the one that the share-chain builds on.
    #[error(
        "bitcoind is behind the share-chain; if it does not catch up, see its log, and use `reconsiderblock` if you invalidated a \
         block"
    )]
    BitcoinBehind,
    /// The share-chain would judge the template only later.
    #[error(
        "the block template is dated too far ahead of this machine's clock; set up time synchronization (NTP) on this machine and on \
         bitcoind's"
    )]
    TooEarly,
    /// The payouts of the coinbase are not known yet.
    #[error("the payouts of the next coinbase are not known yet: {0}")]
    Unpayable(#[from] Unpayable),
    /// The job template does not pass the check that peers apply.
    #[error(transparent)]
    Template(TemplateError),
}

impl From<TemplateError> for JobError {
    fn from(error: TemplateError) -> Self {
        match error {
            TemplateError::Missing(Missing::Time(_)) | TemplateError::Rule(RuleError::TimesApart) => Self::TooEarly,
            error => Self::Template(error),
        }
    }
}

impl JobPosition {
    /// The current position of a job on `prev_block`.
    ///
    /// # Errors
    /// No job can be built; the error says why.
    pub fn find(chain: &mut Chain, prev_block: &BlockHash) -> Result<Self, JobError> {
        let parent = chain.build_on();
        Self::find_on(chain, &parent, prev_block)
    }

    /// The position of a job on `prev_block` that extends `parent`, regardless of the chain's own choice.
    ///
    /// # Errors
    /// No job can be built; the error says why.
    pub fn find_on(chain: &mut Chain, parent: &ShareId, prev_block: &BlockHash) -> Result<Self, JobError> {
        let assignment = chain.assignment_on(parent).ok_or(JobError::NoParent)?;
        let known = chain.bitcoin().get(prev_block).ok_or(JobError::UnknownTip(*prev_block))?;
        if known.chain_work < assignment.position.bitcoin_work {
            return Err(JobError::BitcoinBehind);
        }
        let plan = chain.plan(&assignment.parent, prev_block)?;
        Ok(Self { assignment, plan, consensus_id: *chain.consensus_id() })
    }

    /// Number of payouts in the coinbase.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.plan.selection.as_ref().map_or(1, |selection| selection.entries().len())
    }

    /// Cost of the coinbase.
    #[must_use]
    pub fn coinbase_cost(&self) -> CoinbaseCost {
        match &self.plan.selection {
            Some(selection) => CoinbaseCost::of(selection.entries().iter().map(|due| due.script.as_script())),
            None => CoinbaseCost::of_finder(),
        }
    }
}
