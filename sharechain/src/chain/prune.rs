//! Pruning: a node forgets links and rows that no branch that is still judged can need.
//!
//! Let B be the main chain's link [`STATE_DEPTH`] below the highest tip so far. Branches that leave the main chain at B
//! or below are not judged. Snapshots never fall along a branch (SC-302), nor do the bottoms of their windows. So no
//! payout reaches below the window that B pays by. Everything deeper is forgotten, except for the few links that
//! determine the targets and times of the lowest one.

use std::sync::Arc;

use super::Chain;
use crate::base::Start;
use crate::limits::STATE_DEPTH;
use crate::units::Height;
use crate::window::Span;

/// Number of links after which the scripts of forgotten rows are freed. Finding them takes a pass over all rows.
const SCRIPTS_EVERY: u32 = 2_016;

/// State of pruning.
#[derive(Clone, Debug, Default)]
pub(super) struct Pruned {
    /// The state that the lowest link of a base continues.
    start: Option<Arc<Start>>,
    /// The window that the main chain's link at the state depth pays by.
    span: Span,
    /// Lowest height whose link and rows are kept. Never falls.
    bottom: Height,
    /// The bottom when scripts were last freed.
    scripts_freed: Height,
}

impl Pruned {
    /// A chain whose lowest link is the one above `start`.
    pub(super) fn above(start: Start) -> Self {
        let bottom = start.height.child();
        let span = Span::beginning_at(bottom);
        Self { start: Some(Arc::new(start)), span, bottom, scripts_freed: bottom }
    }

    /// The state that the lowest link of a base continues, if that is at `height`.
    pub(super) fn start_at(&self, height: Height) -> Option<&Start> {
        self.start.as_deref().filter(|start| start.height == height)
    }

    pub(super) fn bottom(&self) -> Height {
        self.bottom
    }
}

impl Chain {
    /// Lowest height whose link is kept. Genesis until the first link is forgotten.
    #[must_use]
    pub fn bottom(&self) -> Height {
        self.pruned.bottom()
    }

    /// Number of links below a link that determine its target and minimum time.
    pub(super) fn recent_depth(&self) -> u32 {
        let span = u32::try_from(self.params.median_span).unwrap_or(u32::MAX);
        self.params.anchor_depth.saturating_add(1).max(span)
    }

    /// Lowest height from which this chain can show a newcomer all links and their credits.
    #[must_use]
    pub fn lowest_shown(&self) -> Height {
        match self.bottom() {
            Height(0) => Height(1),
            bottom => Height(bottom.0.saturating_add(self.recent_depth()).saturating_add(1)),
        }
    }

    /// True if links on the main chain's link at this height are still judged.
    #[must_use]
    pub fn judges_above(&self, height: Height) -> bool {
        let is_too_deep = self.too_deep().is_some_and(|bound| height.child() <= bound);
        !is_too_deep && self.state_bound().is_none_or(|bound| height > bound)
    }

    /// Height at or below which no branch may leave the main chain. `None` until the chain is that long.
    pub(super) fn state_bound(&self) -> Option<Height> {
        Some(Height(self.highest.0.checked_sub(STATE_DEPTH)?)).filter(|bound| *bound > Height(0))
    }

    /// Forgets everything below the window of the link at the state depth.
    pub(super) fn prune(&mut self) {
        self.highest = self.highest.max(self.height());
        let Some(link) = self.state_bound().and_then(|bound| self.links.get(&self.main_at(bound)?)) else { return };
        let snapshot = link.position.least_snapshot;
        let mut span = self.pruned.span;
        while span.newest() < snapshot {
            let rows_at = |height: Height| Some(&self.links.get(&self.main_at(height)?)?.complete()?.rows);
            let Some(newest) = rows_at(span.newest().child()) else { return };
            if span.slide_forward(newest, rows_at, &self.params).is_err() {
                return;
            }
        }
        self.pruned.span = span;
        let bottom = span.oldest().below(self.recent_depth().saturating_add(1));
        for height in (self.pruned.bottom.0..bottom.0).map(Height) {
            if let Some(id) = self.main_at(height) {
                self.links.remove(&id);
            }
        }
        if bottom > self.pruned.bottom {
            self.drop_side_links_below(bottom);
            self.main.forget_below(usize::try_from(bottom.0).unwrap_or(usize::MAX));
            self.pruned.bottom = bottom;
        }
        if bottom.above(self.pruned.scripts_freed) >= SCRIPTS_EVERY {
            self.pruned.scripts_freed = bottom;
            self.free_scripts();
            self.forget_bitcoin_headers();
        }
    }

    /// Forgets Bitcoin's headers of the difficulty periods before the one below the lowest link.
    fn forget_bitcoin_headers(&mut self) {
        let lowest = self.main_at(self.pruned.bottom).and_then(|id| self.links.get(&id));
        let Some(height) = lowest.map(|link| link.bitcoin_height) else { return };
        let period = self.params.bitcoin.retarget_blocks;
        let root = height.saturating_sub(period);
        let root = root.saturating_sub(root.checked_rem(period).unwrap_or(0));
        if root > self.bitcoin.root().height
            && let Some(fresh) = self.bitcoin.from_height(root)
        {
            self.bitcoin = fresh;
        }
    }

    /// Frees the numbers of scripts that no row and no proof uses anymore.
    fn free_scripts(&mut self) {
        let mut used = vec![false; self.scripts.slots()];
        let mut mark = |script: crate::window::ScriptIndex| {
            if let Some(used) = used.get_mut(script.slot()) {
                *used = true;
            }
        };
        let main = (self.pruned.bottom.0..=self.height().0).filter_map(|height| self.main_at(Height(height)));
        for id in main.chain(self.side.ids()) {
            let Some(link) = self.links.get(&id) else { continue };
            let Some(complete) = link.complete() else { continue };
            complete.rows.iter().for_each(|row| mark(row.script));
            let listed = complete.list.iter().filter_map(|id| self.credits.get(id));
            listed.for_each(|credit| mark(credit.script));
        }
        let pending = self.pending.keys().filter_map(|(_, id)| self.credits.get(id));
        pending.for_each(|credit| mark(credit.script));
        self.scripts.retain(|script| used.get(script.slot()).copied().unwrap_or(false));
        self.forget_windows_below(self.pruned.bottom);
    }
}
