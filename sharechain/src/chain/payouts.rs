//! From a proof's anchor and previous block to the outputs that its coinbase must have, remembered where many proofs
//! share the answer.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, ScriptBuf, TxOut};

use super::branch::Branch;
use super::judge::Judgement;
use super::{Chain, ListState, Missing};
use crate::error::RuleError;
use crate::limits::{AMOUNTS_MAX, SELECTIONS_MAX, WINDOWS_MAX};
use crate::payout::{Selection, select};
use crate::units::{Height, ShareId};
use crate::window::{Rows, Window};

/// Links over which a known window is moved rather than summed anew.
const SLIDE_MAX: u32 = 1_024;

/// Who is paid by proofs of one anchor and one previous block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// SC-302: the link up to which work counts.
    pub snapshot: ShareId,
    /// What the draw is drawn with.
    pub seed: [u8; 32],
    /// The outputs; `None` pays the finder alone.
    pub selection: Option<Selection>,
}

/// What a selection follows from: snapshot, seed and subsidy.
type Basis = (ShareId, [u8; 32], u64);

/// What was worked out before, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    plans: VecDeque<((ShareId, BlockHash), Arc<Plan>)>,
    selections: VecDeque<(Basis, Arc<Plan>)>,
    windows: VecDeque<(ShareId, Arc<Window>)>,
    /// What the proofs of one template pay: its plan and its value, satoshi.
    amounts: VecDeque<(Arc<Plan>, u64, Arc<[TxOut]>)>,
}

/// What [`Chain::find_plan`] had to work out because no cache had it; [`Chain::plan`] remembers it.
#[derive(Default)]
struct News {
    plan: Option<(ShareId, BlockHash)>,
    selection: Option<Basis>,
    window: Option<(ShareId, Arc<Window>)>,
}

impl Caches {
    fn remember(&mut self, plan: &Arc<Plan>, news: News) {
        if let Some((newest, window)) = news.window {
            keep(&mut self.windows, newest, window, WINDOWS_MAX);
        }
        if let Some(basis) = news.selection {
            keep(&mut self.selections, basis, Arc::clone(plan), SELECTIONS_MAX);
        }
        if let Some(key) = news.plan {
            keep(&mut self.plans, key, Arc::clone(plan), SELECTIONS_MAX);
        }
    }
}

fn find<K: PartialEq, V: Clone>(cache: &VecDeque<(K, V)>, key: &K) -> Option<V> {
    cache.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.clone())
}

fn keep<K, V>(cache: &mut VecDeque<(K, V)>, key: K, value: V, most: usize) {
    if cache.len() >= most {
        cache.pop_front();
    }
    cache.push_back((key, value));
}

impl Chain {
    /// The payouts of a coinbase with this anchor, previous block, value and finder: its outputs before the witness
    /// commitment.
    ///
    /// # Errors
    /// What is missing, or [`RuleError::Overflow`], for which no input is known.
    pub fn payouts(
        &mut self,
        anchor: &ShareId,
        previous: &BlockHash,
        value_sat: u64,
        finder: &ScriptBuf,
    ) -> Result<Vec<TxOut>, Unpayable> {
        self.shared_payouts(anchor, previous, value_sat, finder).map(|outputs| outputs.to_vec())
    }

    /// As [`Chain::payouts`], not copied: many proofs of one template are judged by the same.
    pub(super) fn shared_payouts(
        &mut self,
        anchor: &ShareId,
        previous: &BlockHash,
        value_sat: u64,
        finder: &ScriptBuf,
    ) -> Result<Arc<[TxOut]>, Unpayable> {
        let plan = self.plan(anchor, previous)?;
        let Some(selection) = &plan.selection else {
            return Ok(Selection::finder_alone(finder.clone()).amounts(value_sat)?.into());
        };
        let known =
            self.payouts.amounts.iter().rev().find(|(of, value, _)| *value == value_sat && Arc::ptr_eq(of, &plan));
        if let Some((.., outputs)) = known {
            return Ok(Arc::clone(outputs));
        }
        let outputs: Arc<[TxOut]> = selection.amounts(value_sat)?.into();
        let amounts = &mut Arc::make_mut(&mut self.payouts).amounts;
        if amounts.len() >= AMOUNTS_MAX {
            amounts.pop_front();
        }
        amounts.push_back((Arc::clone(&plan), value_sat, Arc::clone(&outputs)));
        Ok(outputs)
    }

    /// Who is paid by proofs of this anchor and this previous block. Remembers it.
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    pub fn plan(&mut self, anchor: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        let (plan, news) = self.find_plan(anchor, previous)?;
        if news.plan.is_some() {
            Arc::make_mut(&mut self.payouts).remember(&plan, news);
        }
        Ok(plan)
    }

    /// As [`Chain::plan`], for readers: takes what is remembered and remembers nothing.
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    pub fn plan_of(&self, anchor: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        self.find_plan(anchor, previous).map(|(plan, _)| plan)
    }

    /// A plan, and what is to be remembered of it.
    fn find_plan(&self, anchor: &ShareId, previous: &BlockHash) -> Result<(Arc<Plan>, News), Unpayable> {
        let key = (*anchor, *previous);
        let mut news = News::default();
        if let Some(plan) = find(&self.payouts.plans, &key) {
            return Ok((plan, news));
        }
        news.plan = Some(key);
        let basis = self.basis(anchor, previous)?;
        if let Some(plan) = find(&self.payouts.selections, &basis) {
            return Ok((plan, news));
        }
        news.selection = Some(basis);
        let (snapshot, seed, subsidy_sat) = basis;
        let selection = self.selection(&snapshot, &seed, subsidy_sat, &mut news)?;
        Ok((Arc::new(Plan { snapshot, seed, selection }), news))
    }

    /// SC-302: snapshot, seed and subsidy for an anchor and a previous block.
    ///
    /// With h the height of the previous block and g = min(h - 12, Bitcoin height of the anchor), the snapshot lies 18
    /// links below the first link on the anchor's chain whose Bitcoin height reached g; the seed is the hash of the
    /// previous block's ancestor at height h - 2.
    fn basis(&self, anchor: &ShareId, previous: &BlockHash) -> Result<Basis, Unpayable> {
        let missing_header = Unpayable::Missing(Missing::BitcoinHeader(*previous));
        let height = self.bitcoin.get(previous).ok_or(missing_header)?.height;
        let branch = Branch::new(self, *anchor).ok_or(Unpayable::Missing(Missing::Proof(*anchor)))?;
        let anchor_link = self.links.get(anchor).ok_or(Unpayable::Missing(Missing::Proof(*anchor)))?;
        match anchor_link.list {
            ListState::Complete(_) => {}
            ListState::Invalid(_) => return Err(Unpayable::Abandoned(*anchor)),
            ListState::Missing | ListState::Waiting(_) => return Err(Unpayable::Missing(Missing::List(*anchor))),
        }
        let settled = height.saturating_sub(self.params.snapshot_bitcoin_depth).min(anchor_link.bitcoin_height);
        let first = branch.first_at_bitcoin_height(settled).ok_or(RuleError::Overflow)?;
        let snapshot = branch.at(first.below(self.params.snapshot_burial)).ok_or(RuleError::Overflow)?;
        let seed_height = height.saturating_sub(self.params.seed_depth);
        let seed = self.bitcoin.ancestor(previous, seed_height).ok_or(missing_header)?;
        let subsidy_sat = self.params.bitcoin.subsidy_sat(height.saturating_add(1));
        Ok((snapshot, seed.to_byte_array(), subsidy_sat))
    }

    fn selection(
        &self,
        snapshot: &ShareId,
        seed: &[u8; 32],
        subsidy_sat: u64,
        news: &mut News,
    ) -> Result<Option<Selection>, Unpayable> {
        let listed = self.links.get(snapshot).and_then(|link| link.complete()).map_or(0, |body| body.listed_total);
        // SC-304: until enough shares were listed, and whenever the window is empty, the finder is paid alone.
        if listed < self.params.listed_before_payouts {
            return Ok(None);
        }
        let (window, known) = self.find_window(snapshot).ok_or(Unpayable::Missing(Missing::List(*snapshot)))?;
        if !known {
            news.window = Some((*snapshot, Arc::clone(&window)));
        }
        Ok(select(window.dues(&self.scripts), seed, subsidy_sat, &self.params)?)
    }

    /// SC-303: the window that ends in a complete link. Remembers it.
    #[must_use]
    pub fn window(&mut self, newest: &ShareId) -> Option<Arc<Window>> {
        let (window, known) = self.find_window(newest)?;
        if !known {
            let caches = Arc::make_mut(&mut self.payouts);
            keep(&mut caches.windows, *newest, Arc::clone(&window), WINDOWS_MAX);
        }
        Some(window)
    }

    /// As [`Chain::window`], for readers: takes what is remembered and remembers nothing.
    #[must_use]
    pub fn window_of(&self, newest: &ShareId) -> Option<Arc<Window>> {
        self.find_window(newest).map(|(window, _)| window)
    }

    /// A window, and whether it was remembered.
    fn find_window(&self, newest: &ShareId) -> Option<(Arc<Window>, bool)> {
        if let Some(window) = find(&self.payouts.windows, newest) {
            return Some((window, true));
        }
        let branch = Branch::new(self, *newest)?;
        let window = self.moved_window(&branch, newest).or_else(|| self.summed_window(&branch, newest))?;
        Some((Arc::new(window), false))
    }

    /// A remembered window of the same branch, moved up to `newest`.
    fn moved_window(&self, branch: &Branch<'_>, newest: &ShareId) -> Option<Window> {
        let height = self.links.get(newest)?.height;
        let usable = |(id, window): &&(ShareId, Arc<Window>)| {
            let below = window.newest() < height && height.above(window.newest()) <= SLIDE_MAX;
            below && branch.contains(id, window.newest())
        };
        let (_, nearest) = self.payouts.windows.iter().filter(usable).max_by_key(|(_, window)| window.newest())?;
        let mut window = Window::clone(nearest);
        let rows_at = |height: Height| -> Option<&Rows> { Some(&branch.link_at(height)?.complete()?.rows) };
        for height in nearest.newest().child().0..=height.0 {
            window.slide_forward(rows_at(Height(height))?, rows_at, &self.params).ok()?;
        }
        Some(window)
    }

    fn summed_window(&self, branch: &Branch<'_>, newest: &ShareId) -> Option<Window> {
        let newest = self.links.get(newest)?;
        newest.complete()?;
        let links = (0..=newest.height.0).rev().map_while(|height| {
            let height = Height(height);
            Some((height, &branch.link_at(height)?.complete()?.rows))
        });
        Some(Window::compute(links, &self.params))
    }
}

/// Why payouts cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// Something of the history is not known yet.
    #[error("{0:?} is missing")]
    Missing(Missing),
    /// The anchor's list is invalid: no valid chain has that anchor, so nothing ever lists what names it.
    #[error("the list of the anchor {0} is invalid")]
    Abandoned(ShareId),
    /// An amount left its range.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl From<Unpayable> for Judgement {
    fn from(unpayable: Unpayable) -> Self {
        match unpayable {
            Unpayable::Missing(missing) => missing.into(),
            Unpayable::Abandoned(_) => Self::Unlistable,
            Unpayable::Rule(rule) => rule.into(),
        }
    }
}
