//! The data that payout proofs of a Bitcoin block of the pool need from the chain.

use super::{Chain, ListState};
use crate::payout::{Due, in_coinbase_order};
use crate::payout_proof::{BlockWindow, StateRest};
use crate::share::Proof;

impl Chain {
    /// A proof with the window that it pays by, for payout proofs. `None` unless it is a complete link whose list and
    /// window are in memory: call this when it becomes complete.
    #[must_use]
    pub fn block_window(&mut self, proof: &Proof) -> Option<BlockWindow> {
        let (parent, previous) = (proof.share.parent, proof.header.prev_blockhash);
        let ListState::Complete(complete) = &self.links.get(&proof.id())?.list else { return None };
        let list = complete.list.clone();
        let state = self.state_with(&parent, &previous, &list).ok()?;
        if state.root() != proof.share.state_root {
            return None;
        }
        let rest = StateRest {
            credits: state.credits.encode().try_into().ok()?,
            history: state.history.encode().try_into().ok()?,
            signals: state.signals,
        };
        let plan = self.plan(&parent, &previous).ok()?;
        let dues = match &plan.selection {
            None => Vec::new(),
            Some(selection) => {
                let window = self.window(&plan.snapshot)?;
                let ordered = in_coinbase_order(window.dues(&self.scripts), selection.exact(), &plan.seed);
                ordered.map(|(script, weight)| Due { script: script.into(), weight }).collect()
            }
        };
        let mut ancestors = Vec::new();
        let mut at = self.bitcoin.get(&previous)?;
        for _ in 0..self.params.seed_depth.min(at.height) {
            ancestors.push(at.header);
            at = self.bitcoin.get(&at.header.prev_blockhash)?;
        }
        let listed_total = self.links.get(&plan.snapshot)?.complete()?.listed_total;
        Some(BlockWindow { proof: proof.clone(), ancestors, rest, listed_total, dues })
    }
}
