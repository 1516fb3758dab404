//! Derives the payout outputs of a coinbase from the proof's anchor and previous block. Caches results that many proofs
//! share.

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

/// Maximum number of links over which a cached window is moved instead of summed again.
const SLIDE_MAX: u32 = 1_024;

/// Payouts of all proofs with one anchor and one previous block, in proportions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Newest link of the window (SC-302).
    pub snapshot: ShareId,
    /// Seed of the lottery: a Bitcoin block hash in SHA-256 output order (SC-302).
    pub seed: [u8; 32],
    /// Selection of outputs. `None` pays only the finder (SC-304).
    pub selection: Option<Selection>,
}

/// Inputs of a selection: snapshot, seed and subsidy in satoshi.
type Basis = (ShareId, [u8; 32], u64);

/// Cached results, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    plans: VecDeque<((ShareId, BlockHash), Arc<Plan>)>,
    selections: VecDeque<(Basis, Arc<Plan>)>,
    windows: VecDeque<(ShareId, Arc<Window>)>,
    /// Outputs of the proofs of one job template, by its plan and its coinbase value in satoshi.
    amounts: VecDeque<(Arc<Plan>, u64, Arc<[TxOut]>)>,
}

/// Results that [`Chain::find_plan`] computed because no cache had them. [`Chain::plan`] caches them.
#[derive(Default)]
struct Computed {
    plan: Option<(ShareId, BlockHash)>,
    selection: Option<Basis>,
    window: Option<(ShareId, Arc<Window>)>,
}

impl Caches {
    fn remember(&mut self, plan: &Arc<Plan>, computed: Computed) {
        if let Some((newest, window)) = computed.window {
            keep(&mut self.windows, newest, window, WINDOWS_MAX);
        }
        if let Some(basis) = computed.selection {
            keep(&mut self.selections, basis, Arc::clone(plan), SELECTIONS_MAX);
        }
        if let Some(key) = computed.plan {
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
    /// Returns the payout outputs of a coinbase, in order, given its proof's anchor, previous block, coinbase value in
    /// satoshi and finder. They come before the witness commitment.
    ///
    /// # Errors
    /// [`Unpayable::Missing`] if something is not known yet, [`Unpayable::Abandoned`] if the anchor's list is invalid.
    /// [`RuleError::Overflow`] (SC-901) has no known input.
    pub fn payouts(
        &mut self,
        anchor: &ShareId,
        previous: &BlockHash,
        value_sat: u64,
        finder: &ScriptBuf,
    ) -> Result<Vec<TxOut>, Unpayable> {
        self.shared_payouts(anchor, previous, value_sat, finder).map(|outputs| outputs.to_vec())
    }

    /// Like [`Chain::payouts`], but shared: many proofs of one job template have the same outputs.
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

    /// Returns the plan for proofs with this anchor and this previous block, and caches it.
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    pub fn plan(&mut self, anchor: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        let (plan, computed) = self.find_plan(anchor, previous)?;
        if computed.plan.is_some() {
            Arc::make_mut(&mut self.payouts).remember(&plan, computed);
        }
        Ok(plan)
    }

    /// As [`Chain::plan`], for readers: it uses the caches but does not add to them.
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    ///
    /// # Example
    /// ```
    /// use sharechain::chain::Unpayable;
    /// use testkit::World;
    ///
    /// let mut world = World::new();
    /// world.grow(40, 3);
    /// let frozen = world.chain.clone();
    ///
    /// // Whom does the next Bitcoin block pay?
    /// let anchor = frozen.assignment().expect("genesis is complete").position.anchor;
    /// let plan = frozen.plan_of(&anchor, &world.bitcoin_tip.block_hash())?;
    /// let selection = plan.selection.as_ref().expect("enough proofs are listed");
    /// let outputs = selection.amounts(5_000_000_000)?;
    /// assert!(outputs.len() > 3);
    /// assert_eq!(outputs.iter().map(|output| output.value.to_sat()).sum::<u64>(), 5_000_000_000);
    /// # Ok::<(), Unpayable>(())
    /// ```
    pub fn plan_of(&self, anchor: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        self.find_plan(anchor, previous).map(|(plan, _)| plan)
    }

    /// Returns a plan, and the new results to cache.
    fn find_plan(&self, anchor: &ShareId, previous: &BlockHash) -> Result<(Arc<Plan>, Computed), Unpayable> {
        let key = (*anchor, *previous);
        let mut computed = Computed::default();
        if let Some(plan) = find(&self.payouts.plans, &key) {
            return Ok((plan, computed));
        }
        computed.plan = Some(key);
        let basis = self.basis(anchor, previous)?;
        if let Some(plan) = find(&self.payouts.selections, &basis) {
            return Ok((plan, computed));
        }
        computed.selection = Some(basis);
        let (snapshot, seed, subsidy_sat) = basis;
        let selection = self.selection(&snapshot, &seed, subsidy_sat, &mut computed)?;
        Ok((Arc::new(Plan { snapshot, seed, selection }), computed))
    }

    /// Returns snapshot, seed and subsidy for an anchor and a previous block (SC-302).
    ///
    /// Let h be the height of the previous block and g = min(h - 12, Bitcoin height of the anchor). The snapshot is 18
    /// links below the first link on the anchor's chain whose Bitcoin height is at least g. The seed is the hash of the
    /// previous block's ancestor at height h - 2. The numbers are mainnet's.
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
        computed: &mut Computed,
    ) -> Result<Option<Selection>, Unpayable> {
        let listed = self.links.get(snapshot).and_then(|link| link.complete()).map_or(0, |body| body.listed_total);
        // SC-304: Only the finder is paid until `listed_before_payouts` proofs are credited up to the snapshot, and
        // whenever the window is empty.
        if listed < self.params.listed_before_payouts {
            return Ok(None);
        }
        let (window, known) = self.find_window(snapshot).ok_or(Unpayable::Missing(Missing::List(*snapshot)))?;
        if !known {
            computed.window = Some((*snapshot, Arc::clone(&window)));
        }
        Ok(select(window.dues(&self.scripts), seed, subsidy_sat, &self.params)?)
    }

    /// Returns the window whose snapshot is this complete link (SC-303), and caches it. `None` if the link is not
    /// complete.
    #[must_use]
    pub fn window(&mut self, newest: &ShareId) -> Option<Arc<Window>> {
        let (window, known) = self.find_window(newest)?;
        if !known {
            let caches = Arc::make_mut(&mut self.payouts);
            keep(&mut caches.windows, *newest, Arc::clone(&window), WINDOWS_MAX);
        }
        Some(window)
    }

    /// As [`Chain::window`], for readers: it uses the caches but does not add to them.
    #[must_use]
    pub fn window_of(&self, newest: &ShareId) -> Option<Arc<Window>> {
        self.find_window(newest).map(|(window, _)| window)
    }

    /// Returns a window, and whether the cache had it.
    fn find_window(&self, newest: &ShareId) -> Option<(Arc<Window>, bool)> {
        if let Some(window) = find(&self.payouts.windows, newest) {
            return Some((window, true));
        }
        let branch = Branch::new(self, *newest)?;
        let window = self.moved_window(&branch, newest).or_else(|| self.summed_window(&branch, newest))?;
        Some((Arc::new(window), false))
    }

    /// Moves a cached window of the same branch up to `newest`.
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

/// Reason why payouts cannot be determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// A link, a list or a Bitcoin header is not known yet.
    #[error("{0:?} is missing")]
    Missing(Missing),
    /// The anchor's list is invalid. No complete branch contains this anchor, so no proof with it can ever be listed.
    #[error("the list of anchor {0} is invalid")]
    Abandoned(ShareId),
    /// A rule is broken: [`RuleError::Overflow`].
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
