//! A chain of link proofs, verified without lists: by every header rule, but not the payout rules. A node can check
//! this much of a branch before it has anything else of it. It proves the work of the links, but not their payouts.
//!
//! A newcomer does not start at genesis, but at a link below the window, which it gets from a peer: the [`Beginning`].
//! The first link's state root commits to all of it.

mod encode;
mod rows;

use bitcoin::{BlockHash, ScriptBuf};
use thiserror::Error;

use crate::base::LinkFacts;
use crate::bitcoin_headers::BitcoinHeaders;
use crate::chain::Chain;
use crate::check::binding::BoundProof;
use crate::check::header::{Position, PreviousBlock, check_header};
use crate::error::RuleError;
use crate::limits::{BITCOIN_FUTURE_SECONDS, FUTURE_SECONDS};
use crate::params::ChainParams;
use crate::share::Proof;
use crate::signals::Signals;
use crate::state::{History, HistoryLink};
use crate::target;
use crate::units::{Height, ShareId, Timestamp, U256, Work};

pub(crate) use rows::{OwnCredit, without_own};
pub use rows::{RowsError, VerifiedRows};

/// The state that a chain of links continues, as claimed by a peer.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// All links below `recent`.
    pub history: History,
    /// The last links before the first one, ascending: as many as anchors and medians need, or all.
    pub recent: Vec<HistoryLink>,
    /// Upgrade signals after the last of them.
    pub signals: Signals,
}

/// A verified link, without its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkHeader {
    /// The facts that its proof shows, except for the fields below.
    pub facts: LinkFacts,
    /// Share target of its position.
    pub share_target: U256,
    /// Cumulative link work up to and including it.
    pub chain_work: Work,
    /// Script that it earns for.
    pub payout: ScriptBuf,
    /// Root of its list.
    pub shares_root: [u8; 32],
    /// Number of ids in its list.
    pub shares_count: u16,
    /// State root in its share header.
    pub state_root: [u8; 32],
}

/// Why a proof does not continue a chain of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// It extends another link.
    #[error("the proof does not extend the last link")]
    NotNext,
    /// It is a share, not a link.
    #[error("the proof does not meet the link target")]
    NotALink,
    /// It breaks a rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// This node does not know its previous Bitcoin block.
    #[error("Bitcoin block {0} is not known")]
    UnknownBlock(BlockHash),
    /// Its time is too far ahead of the clock.
    #[error("the time is too far ahead")]
    TooEarly,
}

/// A verified chain of links.
#[derive(Clone, Debug)]
pub struct LinkHeaders {
    params: ChainParams,
    consensus_id: [u8; 32],
    beginning: Beginning,
    /// Id, height and chain work of the link that the first one extends.
    below: (ShareId, Height, Work),
    /// Bitcoin work of that link; zero if it is not known.
    below_bitcoin_work: U256,
    links: Vec<LinkHeader>,
}

impl LinkHeaders {
    /// Begins at a peer's claimed beginning. [`LinkHeaders::push`] trusts it until the rows are verified; see
    /// [`VerifiedRows`].
    #[must_use]
    pub fn new(params: ChainParams, beginning: Beginning) -> Self {
        let consensus_id = params.consensus_id();
        let genesis = (ShareId(consensus_id), Height(0), Work::default());
        let below = beginning.recent.last().map_or(genesis, |link| (link.id, link.height, link.chain_work));
        Self { params, consensus_id, beginning, below, below_bitcoin_work: U256::ZERO, links: Vec::new() }
    }

    /// Begins at a link of this node's own chain. `None` if the chain lacks the link, or data needed to judge its
    /// children.
    #[must_use]
    pub fn on(chain: &Chain, id: &ShareId) -> Option<Self> {
        let params = chain.params().clone();
        let mut recent = Vec::new();
        let mut at = *id;
        let depth = usize::try_from(params.anchor_depth).unwrap_or(usize::MAX).max(params.median_span);
        while let Some(link) = chain.link(&at).filter(|link| link.height > Height(0) && recent.len() <= depth) {
            recent.push(HistoryLink {
                height: link.height,
                id: at,
                target: link.target,
                time: link.time,
                chain_work: link.chain_work,
                proofs: link.complete().map_or(0, |complete| complete.listed_total),
                snapshot: link.position.least_snapshot,
            });
            at = link.parent;
        }
        recent.reverse();
        let bitcoin_work = chain.link(id)?.position.bitcoin_work;
        let headers = Self::new(params, Beginning { recent, ..Beginning::default() });
        Some(Self { below_bitcoin_work: bitcoin_work, ..headers })
    }

    /// Verifies a proof and appends it.
    ///
    /// # Errors
    /// The proof is not the next link, or cannot be judged yet.
    pub fn push(&mut self, proof: Proof, bitcoin: &BitcoinHeaders, now: Timestamp) -> Result<(), HeaderError> {
        let (tip, height, chain_work) = self.tip();
        if proof.share.parent != tip {
            return Err(HeaderError::NotNext);
        }
        let position = self.position(height).ok_or(HeaderError::NotNext)?;
        let bound = BoundProof::bind(proof, position.share_target, &self.consensus_id)?;
        let (id, proof) = (bound.id(), bound.proof());
        let hash = proof.header.prev_blockhash;
        let previous = previous_block(bitcoin, &hash).ok_or(HeaderError::UnknownBlock(hash))?;
        check_header(proof, Some(&id), &position, &previous, &self.params)?;
        if id.as_number() > position.link_target {
            return Err(HeaderError::NotALink);
        }
        let too_early = proof.share.time > now.plus(FUTURE_SECONDS)
            || Timestamp(proof.header.time) > now.plus(BITCOIN_FUTURE_SECONDS);
        if too_early {
            return Err(HeaderError::TooEarly);
        }
        let share = &proof.share;
        self.links.push(LinkHeader {
            facts: LinkFacts {
                id,
                time: share.time,
                bitcoin_height: share.bitcoin_height,
                previous_block: hash,
                bitcoin_work: previous.chain_work,
                bits: previous.next.period_bits,
                target: position.link_target,
                signals: share.signals,
            },
            share_target: position.share_target,
            chain_work: chain_work.plus(Work::of_target(position.link_target)),
            payout: share.payout.clone(),
            shares_root: share.shares_root,
            shares_count: share.shares_count,
            state_root: share.state_root,
        });
        Ok(())
    }

    /// Forgets the links above a height.
    pub fn truncate(&mut self, height: Height) {
        let count = height.0.saturating_sub(self.below.1.0);
        self.links.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// Height of a link of this chain, or of the one that the first extends. Newer links are found faster.
    #[must_use]
    pub fn height_of(&self, id: &ShareId) -> Option<Height> {
        let (below, height, _) = self.below;
        if below == *id {
            return Some(height);
        }
        let index = self.links.iter().rposition(|link| link.facts.id == *id)?;
        Some(Height(self.first_height().0.saturating_add(u32::try_from(index).ok()?)))
    }

    /// Id, height and chain work of the newest link, or of the one that the first will extend.
    #[must_use]
    pub fn tip(&self) -> (ShareId, Height, Work) {
        let (below, height, work) = self.below;
        let count = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        self.links.last().map_or((below, height, work), |link| {
            (link.facts.id, Height(height.0.saturating_add(count)), link.chain_work)
        })
    }

    /// The rules by which the links are verified.
    #[must_use]
    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// Height of the first link.
    #[must_use]
    pub fn first_height(&self) -> Height {
        self.below.1.child()
    }

    /// The verified links, ascending.
    #[must_use]
    pub fn links(&self) -> &[LinkHeader] {
        &self.links
    }

    /// The link at a height.
    #[must_use]
    pub fn at(&self, height: Height) -> Option<&LinkHeader> {
        self.links.get(usize::try_from(height.0.checked_sub(self.first_height().0)?).ok()?)
    }

    /// Work of the links whose previous Bitcoin block has at least this much chain work. The chain work below is only a
    /// peer's claim, and decides nothing.
    #[must_use]
    pub fn work_since(&self, bitcoin_work: U256) -> Work {
        let first = self.links.partition_point(|link| link.facts.bitcoin_work < bitcoin_work);
        let links = self.links.get(first..).unwrap_or_default();
        links.iter().fold(Work::default(), |sum, link| sum.plus(Work::of_target(link.facts.target)))
    }

    /// Target and time of the link at a height, from the beginning or the verified links.
    fn target_and_time(&self, height: Height) -> Option<(U256, Timestamp)> {
        if let Some(link) = self.at(height) {
            return Some((link.facts.target, link.facts.time));
        }
        let known = self.beginning.recent.iter().find(|link| link.height == height)?;
        Some((known.target, known.time))
    }

    fn id_at(&self, height: Height) -> Option<ShareId> {
        if height == Height(0) {
            return Some(ShareId(self.consensus_id));
        }
        let recent = || Some(self.beginning.recent.iter().find(|link| link.height == height)?.id);
        self.at(height).map(|link| link.facts.id).or_else(recent)
    }

    /// Position of the children of the link at `height`.
    fn position(&self, height: Height) -> Option<Position> {
        let anchor_height = height.below(self.params.anchor_depth);
        let first_target = self.params.first_link_target;
        let target_at =
            |at: Height| if at == Height(0) { Some(first_target) } else { Some(self.target_and_time(at)?.0) };
        let share_target = target::share_target(target_at(anchor_height)?, &self.params);
        let link_target = match height {
            Height(0 | 1) => first_target.min(share_target),
            _ => {
                let (target, time) = self.target_and_time(height)?;
                let interval_s = time.seconds_since(self.target_and_time(height.below(1))?.1);
                target::link_target(target, interval_s, share_target, &self.params)
            }
        };
        let span = u32::try_from(self.params.median_span).unwrap_or(u32::MAX);
        let lowest = height.below(span.saturating_sub(1)).max(Height(1));
        let mut times =
            (lowest.0..=height.0).map(|at| Some(self.target_and_time(Height(at))?.1)).collect::<Option<Vec<_>>>()?;
        times.sort_unstable();
        Some(Position {
            height: height.child(),
            anchor: self.id_at(anchor_height)?,
            anchor_height,
            share_target,
            link_target,
            median_time: times.get(times.len() / 2).copied(),
            bitcoin_work: self.links.last().map_or(self.below_bitcoin_work, |link| link.facts.bitcoin_work),
            least_snapshot: Height(0),
        })
    }
}

/// A node's data of a previous block.
fn previous_block(bitcoin: &BitcoinHeaders, hash: &BlockHash) -> Option<PreviousBlock> {
    let known = bitcoin.get(hash)?;
    Some(PreviousBlock { height: known.height, chain_work: known.chain_work, next: bitcoin.next(hash)? })
}
