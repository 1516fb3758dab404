//! Verifies the credits of links against their state roots (SC-408), so that a chain can start from them.

use bitcoin::Script;
use thiserror::Error;

use super::{Beginning, LinkHeader, LinkHeaders};
use crate::base::{BaseLink, BaseRow, Start};
use crate::bitcoin_headers::BitcoinHeaders;
use crate::chain::{Chain, FromBase};
use crate::params::ChainParams;
use crate::state::{self, History, State};
use crate::target;
use crate::units::{Height, ShareId, Timestamp, Weight};

/// Why rows are not those of a chain of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RowsError {
    /// The chain of links does not have this link, or another one at this height.
    #[error("link {0} is not the next one of the verified chain")]
    NotNext(ShareId),
    /// The state root does not commit to the peer's data.
    #[error("the state root at height {0} commits to something else")]
    StateRoot(Height),
    /// A sum leaves its range, or a row is less than what the link itself earns.
    #[error("the rows at height {0} are out of range")]
    Range(Height),
}

/// A chain of links whose rows are verified as they come.
///
/// The state root of a link commits to the history below it. So the last link's own data is verified only by the next
/// link's root: push one link more than the base will have.
#[derive(Clone, Debug)]
pub struct VerifiedRows {
    params: ChainParams,
    /// The state after the last verified link.
    at: Start,
    /// The chain up to the link below it.
    chain: FromBase,
    /// The last verified link, which the next one's root has to confirm.
    last: Option<BaseLink>,
}

impl VerifiedRows {
    /// Starts at the beginning of a chain of links. `None` if its history and its last links do not fit.
    #[must_use]
    pub fn new(headers: &LinkHeaders, bitcoin: &BitcoinHeaders) -> Option<Self> {
        let Beginning { history, recent, signals } = &headers.beginning;
        let mut history: History = history.clone();
        for link in recent {
            history = history.with(link)?;
        }
        let (id, height, chain_work) = headers.below;
        let last = recent.last();
        let start = Start {
            height,
            id,
            time: last.map_or(Timestamp(0), |link| link.time),
            chain_work,
            proofs: last.map_or(0, |link| link.proofs),
            history,
            signals: signals.clone(),
        };
        let params = headers.params.clone();
        let chain = FromBase::new(params.clone(), bitcoin.clone(), start.clone());
        Some(Self { params, at: start, chain, last: None })
    }

    /// Height of the last verified link.
    #[must_use]
    pub fn height(&self) -> Height {
        self.at.height
    }

    /// Verifies the next link's rows, window and snapshot.
    ///
    /// # Errors
    /// They are not what the link committed to. The peer that sent them, or the one that sent the beginning, sent false
    /// data.
    pub fn push(&mut self, headers: &LinkHeaders, link: BaseLink) -> Result<(), RowsError> {
        let height = self.at.height.child();
        let header = headers.at(height).filter(|header| header.facts.id == link.facts.id);
        let header = header.ok_or(RowsError::NotNext(link.facts.id))?;
        let out_of_range = RowsError::Range(height);
        let own = self.own_credit(header);
        let credits = without_own(&own, &link.rows).and_then(state::of_weights).ok_or(out_of_range)?;
        let history = self.at.history.commitment().ok_or(out_of_range)?;
        let state = State { window: link.window, credits, history, signals: self.at.signals.commitment() };
        if state.root() != header.state_root {
            return Err(RowsError::StateRoot(height));
        }
        // Everything that its proof shows comes from there.
        let link = BaseLink { facts: header.facts, ..link };
        let proofs = u64::from(header.shares_count).saturating_add(1);
        self.at = self.at.after(&link, proofs).ok_or(out_of_range)?;
        match self.last.replace(link) {
            Some(confirmed) => self.chain.push(confirmed).map_err(|_| out_of_range),
            None => Ok(()),
        }
    }

    fn own_credit<'a>(&self, header: &'a LinkHeader) -> OwnCredit<'a> {
        let weight = target::weight_of_link(header.share_target, header.facts.target, header.facts.bits, &self.params);
        OwnCredit { payout: &header.payout, weight, shares_count: header.shares_count }
    }

    /// The chain up to the link below the last verified one. It still lacks the lists of its last links; see
    /// [`Chain::note_base_lists`].
    #[must_use]
    pub fn into_chain(self, bitcoin: BitcoinHeaders) -> Chain {
        self.chain.finish(bitcoin)
    }
}

/// The part of a link's credit that follows from its own header.
pub(crate) struct OwnCredit<'a> {
    /// Script that it earns for.
    pub(crate) payout: &'a Script,
    /// Weight that it earns itself.
    pub(crate) weight: Weight,
    /// Number of proofs that it lists.
    pub(crate) shares_count: u16,
}

/// Rows of a link's list, by script, without what the link earns itself. `None` if they are not in order, or not what a
/// list of that length can give.
pub(crate) fn without_own<'a>(own: &OwnCredit<'_>, rows: &'a [BaseRow]) -> Option<Vec<(&'a Script, Weight)>> {
    let mut listed = Vec::with_capacity(rows.len());
    let mut found_own = false;
    let mut last: Option<&Script> = None;
    for row in rows {
        if row.shares == 0 || last.is_some_and(|last| last >= &*row.script) {
            return None;
        }
        last = Some(&row.script);
        let (mut weight, mut shares) = (row.weight.0, row.shares);
        if &*row.script == own.payout {
            found_own = true;
            (weight, shares) = (weight.checked_sub(own.weight.0)?, shares.checked_sub(1)?);
        }
        match shares {
            // Exactly what the link itself earns, and nothing else.
            0 if weight == 0 => {}
            0 => return None,
            _ => listed.push((&*row.script, Weight(weight))),
        }
    }
    let proofs = rows.iter().try_fold(0_u32, |sum, row| sum.checked_add(row.shares))?;
    let is_whole = proofs == u32::from(own.shares_count).checked_add(1)?;
    (found_own && is_whole).then_some(listed)
}
