//! Derives the payout outputs of a coinbase from the proof's parent and previous block. Caches results that many proofs
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
use crate::payout::{Selection, in_coinbase_order, select};
use crate::state::{self, Commitment};
use crate::units::{Height, ShareId, Weight};
use crate::window::{Rows, Window};

/// Payouts of all proofs with one parent and one previous block, in proportions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Newest link of the window (SC-302).
    pub snapshot: ShareId,
    /// Height of that link.
    pub snapshot_height: Height,
    /// Seed of the lottery: a Bitcoin block hash in SHA-256 output order (SC-302).
    pub seed: [u8; 32],
    /// Selection of outputs. `None` pays only the finder (SC-304).
    pub selection: Option<Selection>,
}

/// Inputs of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Basis {
    snapshot: ShareId,
    snapshot_height: Height,
    seed: [u8; 32],
    subsidy_sat: u64,
}

/// Cached results, newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Caches {
    plans: VecDeque<((ShareId, BlockHash), Arc<Plan>)>,
    selections: VecDeque<(Basis, Arc<Plan>)>,
    windows: VecDeque<(ShareId, Arc<Window>)>,
    /// The commitments of links with one plan.
    commitments: VecDeque<(Arc<Plan>, Commitment<Weight>)>,
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
    /// Returns the payout outputs of a coinbase, in order, given its proof's parent, previous block, coinbase value in
    /// satoshi and finder. They come before the null data and the witness commitment.
    ///
    /// # Errors
    /// [`Unpayable::Missing`] if something is not known yet, [`Unpayable::Abandoned`] if the anchor's list is invalid.
    /// [`RuleError::Overflow`] (SC-901) has no known input.
    pub fn payouts(
        &mut self,
        parent: &ShareId,
        previous: &BlockHash,
        value_sat: u64,
        finder: &ScriptBuf,
    ) -> Result<Vec<TxOut>, Unpayable> {
        let plan = self.plan(parent, previous)?;
        Ok(self.outputs(&plan, value_sat, finder)?.to_vec())
    }

    /// Outputs of one plan. They are shared: many proofs of one job template have the same ones.
    pub(super) fn outputs(
        &mut self,
        plan: &Arc<Plan>,
        value_sat: u64,
        finder: &ScriptBuf,
    ) -> Result<Arc<[TxOut]>, RuleError> {
        let Some(selection) = &plan.selection else {
            return Ok(Selection::finder_alone(finder.clone()).amounts(value_sat)?.into());
        };
        let known =
            self.payouts.amounts.iter().rev().find(|(of, value, _)| *value == value_sat && Arc::ptr_eq(of, plan));
        if let Some((.., outputs)) = known {
            return Ok(Arc::clone(outputs));
        }
        let outputs: Arc<[TxOut]> = selection.amounts(value_sat)?.into();
        let amounts = &mut Arc::make_mut(&mut self.payouts).amounts;
        if amounts.len() >= AMOUNTS_MAX {
            amounts.pop_front();
        }
        amounts.push_back((Arc::clone(plan), value_sat, Arc::clone(&outputs)));
        Ok(outputs)
    }

    /// Returns the plan for proofs with this parent and this previous block, and caches it.
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    pub fn plan(&mut self, parent: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        let (plan, computed) = self.find_plan(parent, previous)?;
        if computed.plan.is_some() {
            Arc::make_mut(&mut self.payouts).remember(&plan, computed);
        }
        Ok(plan)
    }

    /// Like [`Chain::plan`], for readers: it uses the caches but does not add to them.
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
    /// let plan = frozen.plan_of(&frozen.tip(), &world.bitcoin_tip.block_hash())?;
    /// let selection = plan.selection.as_ref().expect("enough proofs are listed");
    /// let outputs = selection.amounts(5_000_000_000)?;
    /// assert!(outputs.len() > 3);
    /// assert_eq!(outputs.iter().map(|output| output.value.to_sat()).sum::<u64>(), 5_000_000_000);
    /// # Ok::<(), Unpayable>(())
    /// ```
    pub fn plan_of(&self, parent: &ShareId, previous: &BlockHash) -> Result<Arc<Plan>, Unpayable> {
        self.find_plan(parent, previous).map(|(plan, _)| plan)
    }

    /// Returns a plan, and the new results to cache.
    fn find_plan(&self, parent: &ShareId, previous: &BlockHash) -> Result<(Arc<Plan>, Computed), Unpayable> {
        let key = (*parent, *previous);
        if let Some(plan) = find(&self.payouts.plans, &key) {
            return Ok((plan, Computed::default()));
        }
        let (plan, computed) = self.plan_on(self.basis(parent, previous)?)?;
        Ok((plan, Computed { plan: Some(key), ..computed }))
    }

    fn plan_on(&self, basis: Basis) -> Result<(Arc<Plan>, Computed), Unpayable> {
        let mut computed = Computed::default();
        if let Some(plan) = find(&self.payouts.selections, &basis) {
            return Ok((plan, computed));
        }
        computed.selection = Some(basis);
        let Basis { snapshot, snapshot_height, seed, subsidy_sat } = basis;
        let selection = self.selection(&snapshot, &seed, subsidy_sat, &mut computed)?;
        Ok((Arc::new(Plan { snapshot, snapshot_height, seed, selection }), computed))
    }

    /// Returns the basis of proofs with this parent and this previous block (SC-302).
    fn basis(&self, parent: &ShareId, previous: &BlockHash) -> Result<Basis, Unpayable> {
        let missing = Unpayable::Missing(Missing::BitcoinHeader(*previous));
        let height = self.bitcoin.get(previous).ok_or(missing)?.height;
        self.basis_at(parent, previous, height)
    }

    /// Like [`Chain::basis`], for a previous block at `height` that is `descendant`, one of its ancestors, or a block
    /// on it.
    ///
    /// Let w be the chain work of the block 13 below the previous block, at most that of the anchor's previous block. The
    /// snapshot is 18 links below the first link on the anchor's chain whose previous block has at least that work, but
    /// not below the parent's. The seed is the hash of the previous block's ancestor at height h - 2. The numbers are
    /// mainnet's.
    fn basis_at(&self, parent: &ShareId, descendant: &BlockHash, height: u32) -> Result<Basis, Unpayable> {
        let missing_header = Unpayable::Missing(Missing::BitcoinHeader(*descendant));
        let position = &self.links.get(parent).ok_or(Unpayable::Missing(Missing::Proof(*parent)))?.position;
        let anchor = position.anchor;
        let anchor_link = self.links.get(&anchor).ok_or(Unpayable::Missing(Missing::Proof(anchor)))?;
        match anchor_link.list {
            ListState::Complete(_) => {}
            ListState::Invalid(_) => return Err(Unpayable::Abandoned(anchor)),
            ListState::Missing | ListState::Waiting(_) => return Err(Unpayable::Missing(Missing::List(anchor))),
        }
        let branch = Branch::new(self, anchor).ok_or(Unpayable::Missing(Missing::Proof(anchor)))?;
        let deep = height.saturating_sub(self.params.snapshot_bitcoin_depth);
        let work = self.bitcoin.work_at(descendant, deep).ok_or(missing_header)?.min(anchor_link.position.bitcoin_work);
        let least = position.least_snapshot;
        let first = branch.first_with_bitcoin_work(work, least).ok_or(RuleError::Overflow)?;
        let snapshot_height = first.below(self.params.snapshot_burial).max(least);
        let snapshot = branch.at(snapshot_height).ok_or(RuleError::Overflow)?;
        let seed_height = height.saturating_sub(self.params.seed_depth);
        let seed = self.bitcoin.ancestor(descendant, seed_height).ok_or(missing_header)?.to_byte_array();
        let subsidy_sat = self.params.bitcoin.subsidy_sat(height.saturating_add(1));
        Ok(Basis { snapshot, snapshot_height, seed, subsidy_sat })
    }

    /// The commitment of a link with this parent and this previous block to the window that it pays by (SC-408).
    ///
    /// # Errors
    /// As [`Chain::payouts`].
    pub(super) fn window_commitment(
        &mut self,
        parent: &ShareId,
        previous: &BlockHash,
    ) -> Result<Commitment<Weight>, Unpayable> {
        let plan = self.plan(parent, previous)?;
        self.commitment_of(&plan)
    }

    fn commitment_of(&mut self, plan: &Arc<Plan>) -> Result<Commitment<Weight>, Unpayable> {
        let known = self.payouts.commitments.iter().rev().find(|(of, _)| Arc::ptr_eq(of, plan));
        if let Some((_, commitment)) = known {
            return Ok(*commitment);
        }
        let Some(selection) = &plan.selection else { return Ok(Commitment::default()) };
        let window = self.window(&plan.snapshot).ok_or(Unpayable::Missing(Missing::List(plan.snapshot)))?;
        let dues = in_coinbase_order(window.dues(&self.scripts), selection.exact(), &plan.seed);
        let commitment = state::of_weights(dues).ok_or(RuleError::Overflow)?;
        let commitments = &mut Arc::make_mut(&mut self.payouts).commitments;
        keep(commitments, Arc::clone(plan), commitment, SELECTIONS_MAX);
        Ok(commitment)
    }

    /// Computes in advance what the first links on Bitcoin's next block need, since their snapshot and seed are already
    /// known. Nothing of it then delays work on that block.
    pub(super) fn prepare_next_block(&mut self) {
        let best = self.bitcoin.best();
        let (hash, height) = (best.header.block_hash(), best.height.saturating_add(1));
        let Ok(basis) = self.basis_at(&self.tip(), &hash, height) else { return };
        let Ok((plan, computed)) = self.plan_on(basis) else { return };
        if computed.selection.is_some() {
            Arc::make_mut(&mut self.payouts).remember(&plan, computed);
        }
        // A failure repeats for the first link, with a reason.
        let _ = self.commitment_of(&plan);
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

    /// Like [`Chain::window`], for readers: it uses the caches but does not add to them.
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

    /// Moves a cached window of the same branch up to `newest`. `None` if there is none from which that saves work.
    fn moved_window(&self, branch: &Branch<'_>, newest: &ShareId) -> Option<Window> {
        let height = self.links.get(newest)?.height;
        let usable = |(id, window): &&(ShareId, Arc<Window>)| {
            window.newest() < height && window.reaches(height) && branch.contains(id, window.newest())
        };
        let (_, nearest) = self.payouts.windows.iter().filter(usable).max_by_key(|(_, window)| window.newest())?;
        let mut window = Window::clone(nearest);
        let rows_at = |height: Height| -> Option<&Rows> { Some(&branch.link_at(height)?.complete()?.rows) };
        for height in nearest.newest().child().0..=height.0 {
            window.slide_forward(rows_at(Height(height))?, rows_at, &self.params).ok()?;
        }
        Some(window)
    }

    /// Forgets cached windows that reach below a height: their sums may name scripts that are freed.
    pub(super) fn forget_windows_below(&mut self, bottom: Height) {
        Arc::make_mut(&mut self.payouts).windows.retain(|(_, window)| window.oldest() >= bottom);
    }

    fn summed_window(&self, branch: &Branch<'_>, newest: &ShareId) -> Option<Window> {
        let newest = self.links.get(newest)?;
        newest.complete()?;
        let links = (0..=newest.height.0).rev().map_while(|height| {
            let height = Height(height);
            Some((height, &branch.link_at(height)?.complete()?.rows))
        });
        Window::compute(links, &self.params)
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
