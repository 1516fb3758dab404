//! Compares claims with the state of the chain.

use bitcoin::ScriptBuf;
use sharechain::ShareId;
use sharechain::check::list::check_list;

use super::Replay;
use super::ancestors::Ancestors;
use crate::claim::{of_row, output_rows, sum_rows, window};
use crate::line::{Claim, LinkClaim, OutputRow, OutputsClaim, ProofClaim, StateClaim, SumRow, TipClaim, WindowClaim};
use crate::value::{Id, Number};
use crate::verdict::{ListVerdict, ProofVerdict};

fn show_sum((script, weight, proofs): &SumRow) -> String {
    format!("{script} {weight} {proofs}")
}

fn show_output((script, satoshi): &OutputRow) -> String {
    format!("{script} {satoshi}")
}

impl Replay {
    pub(super) fn check_claim(&mut self, line: u64, claim: &Claim) {
        match claim {
            Claim::Tip(claim) => self.check_tip(line, claim),
            Claim::Link(claim) => self.check_link(line, claim),
            Claim::Window(claim) => self.check_window(line, claim),
            Claim::Outputs(claim) => self.check_outputs(line, claim),
            Claim::State(claim) => self.check_state(line, claim),
            Claim::Proof(claim) => self.check_proof(line, claim),
        }
    }

    /// Accepts any complete link with the most chain work: on a tie, order of arrival and policy decide.
    fn check_tip(&mut self, line: u64, claim: &TipClaim) {
        let tip = self.chain.tip();
        let most = self.chain.link(&tip).map(|link| link.chain_work);
        let claimed = self.chain.link(&claim.id.share()).filter(|link| link.complete().is_some());
        match claimed.filter(|link| Some(link.chain_work) == most) {
            None => self.differences.note(line, "tip", Some(claim.id), claim.id, Id::from(tip)),
            Some(link) => {
                let id = Some(claim.id);
                self.differences.compare(line, "height", id, &claim.height, &link.height.0);
                self.differences.compare(line, "chain_work", id, &claim.chain_work, &Number(link.chain_work.0));
            }
        }
    }

    /// True if the link is complete. Otherwise records a difference.
    fn is_complete(&mut self, line: u64, what: &str, id: Id) -> bool {
        let complete = self.chain.link(&id.share()).is_some_and(|link| link.complete().is_some());
        if !complete {
            let found = match self.proof_state(id) {
                ProofVerdict::Valid => self.list_state(Some(id)).to_string(),
                other => other.to_string(),
            };
            self.differences.note(line, what, Some(id), ListVerdict::Complete, found);
        }
        complete
    }

    fn check_link(&mut self, line: u64, claim: &LinkClaim) {
        if !self.is_complete(line, "link", claim.id) {
            return;
        }
        let Some(link) = self.chain.link(&claim.id.share()) else { return };
        let rows = link.complete().into_iter().flat_map(|complete| complete.rows.iter());
        let rows = sum_rows(self.chain.scripts(), rows.map(of_row));
        self.differences.compare(line, "link height", Some(claim.id), &claim.height, &link.height.0);
        self.differences.compare_rows(line, "row", claim.id, &claim.rows, &rows, show_sum);
    }

    fn check_window(&mut self, line: u64, claim: &WindowClaim) {
        let id = claim.snapshot;
        if !self.is_complete(line, "window", id) {
            return;
        }
        let Some(found) = window(&mut self.chain, id.share()) else { return };
        let differences = &mut self.differences;
        differences.compare(line, "window oldest", Some(id), &claim.oldest, &found.oldest);
        differences.compare(line, "window newest", Some(id), &claim.newest, &found.newest);
        differences.compare(line, "window proofs", Some(id), &claim.proofs, &found.proofs);
        differences.compare(line, "window total", Some(id), &claim.total, &found.total);
        differences.compare_rows(line, "window sum", id, &claim.sums, &found.sums, show_sum);
    }

    fn check_outputs(&mut self, line: u64, claim: &OutputsClaim) {
        let parent = claim.parent.share();
        let Some(anchor) = self.chain.link(&parent).map(|link| link.position.anchor) else {
            self.differences.note(line, "outputs", Some(claim.parent), "link", "no valid link");
            return;
        };
        let complete = self.is_complete(line, "outputs", anchor.into());
        if !self.is_known(line, "outputs", claim.previous_block) || !complete {
            return;
        }
        let script = ScriptBuf::from_bytes(claim.payout.0.clone());
        match self.chain.payouts(&parent, &claim.previous_block.block(), claim.coinbase_value, &script) {
            Err(error) => self.differences.note(line, "outputs", Some(claim.parent), "outputs", error),
            Ok(outputs) => {
                let found = output_rows(&outputs);
                self.differences.compare_rows(line, "output", claim.parent, &claim.outputs, &found, show_output);
            }
        }
    }

    fn check_state(&mut self, line: u64, claim: &StateClaim) {
        let complete = self.is_complete(line, "state", claim.parent);
        if !self.is_known(line, "state", claim.previous_block) || !complete {
            return;
        }
        let found = self.state_root(claim);
        let found = found.as_ref().map_or_else(|verdict| verdict.to_string(), |root| Id(*root).to_string());
        self.differences.compare(line, "state root", Some(claim.parent), &claim.state_root.to_string(), &found);
    }

    /// State root of a link on a complete parent, on a known block. Fails if its list would not be complete.
    fn state_root(&mut self, claim: &StateClaim) -> Result<[u8; 32], ListVerdict> {
        let (parent, previous) = (claim.parent.share(), claim.previous_block.block());
        let list: Vec<ShareId> = claim.list.iter().copied().map(Id::share).collect();
        let items = list.iter().map(|id| Some((*id, self.chain.credit(id)?)));
        let items = items.collect::<Option<Vec<_>>>().ok_or(ListVerdict::Held)?;
        let ancestors = Ancestors::of(&self.chain, parent);
        check_list(&items, ancestors.height().child(), &ancestors, self.chain.params()).map_err(ListVerdict::from)?;
        self.chain.state_root(&parent, &previous, &list).map_err(|_| ListVerdict::Held)
    }

    /// True if the Bitcoin header is known. Otherwise records a difference.
    fn is_known(&mut self, line: u64, what: &str, header: Id) -> bool {
        let known = self.chain.bitcoin().get(&header.block()).is_some();
        if !known {
            self.differences.note(line, what, Some(header), "header", "held");
        }
        known
    }

    fn check_proof(&mut self, line: u64, claim: &ProofClaim) {
        let found = self.proof_state(claim.id);
        self.differences.compare(line, "verdict", Some(claim.id), &claim.verdict, &found);
        if let Some(claimed) = claim.list_verdict {
            let found = self.list_state(Some(claim.id));
            self.differences.compare(line, "list_verdict", Some(claim.id), &claimed, &found);
        }
    }
}
