//! What the recorder says and the rules do not.

use std::collections::BTreeMap;
use std::fmt;

use bitcoin::ScriptBuf;
use sharechain::window::{Row, ScriptIndex};

use crate::line::{Claim, LinkClaim, OutputRow, OutputsClaim, ProofClaim, SumRow, TipClaim, WindowClaim};
use crate::replay::Replay;
use crate::value::{Decimal, Id, Number, RawScript};
use crate::verdict::{ListVerdict, ProofVerdict};

/// Something that a recording says and the rules do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of the line, from 1.
    pub line: u64,
    /// What it is about: a verdict, or a claim and its field.
    pub what: String,
    /// The proof, link or header.
    pub id: Option<Id>,
    /// What the recorder says.
    pub recorded: String,
    /// What the rules say; the number of a rule when one is broken.
    pub computed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, what, id, recorded, computed } = self;
        write!(f, "line {line}: {what}")?;
        if let Some(id) = id {
            write!(f, " of {id}")?;
        }
        write!(f, ": recorded {recorded}, computed {computed}")
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Differences(Vec<Difference>);

impl Differences {
    /// Notes a difference, if there is one.
    pub(crate) fn compare<T: PartialEq + fmt::Display>(
        &mut self,
        line: u64,
        what: &str,
        id: Option<Id>,
        recorded: &T,
        computed: &T,
    ) {
        if recorded != computed {
            self.note(line, what, id, recorded, computed);
        }
    }

    fn note(
        &mut self,
        line: u64,
        what: &str,
        id: Option<Id>,
        recorded: impl fmt::Display,
        computed: impl fmt::Display,
    ) {
        let (recorded, computed) = (recorded.to_string(), computed.to_string());
        self.0.push(Difference { line, what: what.to_owned(), id, recorded, computed });
    }

    /// Notes the first row that differs, or that there are more or fewer.
    fn compare_rows<T: PartialEq>(
        &mut self,
        line: u64,
        what: &str,
        id: Id,
        recorded: &[T],
        computed: &[T],
        show: impl Fn(&T) -> String,
    ) {
        let differs = recorded.iter().zip(computed).position(|(recorded, computed)| recorded != computed);
        match differs {
            Some(at) => self.note(line, &format!("{what} {at}"), Some(id), show(&recorded[at]), show(&computed[at])),
            None => self.compare(line, &format!("number of {what}s"), Some(id), &recorded.len(), &computed.len()),
        }
    }

    pub(crate) fn sort(&mut self) {
        self.0.sort_by_key(|difference| difference.line);
    }

    pub(crate) fn as_slice(&self) -> &[Difference] {
        &self.0
    }
}

/// Sums by script in the order of a recording.
pub(crate) fn sum_rows(
    scripts: &sharechain::window::Scripts,
    sums: impl Iterator<Item = (ScriptIndex, u128, u64)>,
) -> Vec<SumRow> {
    let by_script: BTreeMap<RawScript, (Decimal, u32)> = sums
        .filter_map(|(index, weight, proofs)| {
            let script = RawScript(scripts.script(index)?.to_bytes());
            Some((script, (Decimal(weight), u32::try_from(proofs).unwrap_or(u32::MAX))))
        })
        .collect();
    by_script.into_iter().map(|(script, (weight, proofs))| (script, weight, proofs)).collect()
}

/// A row of a link's credits.
pub(crate) fn of_row(row: &Row) -> (ScriptIndex, u128, u64) {
    (row.script, row.weight.0, u64::from(row.shares))
}

fn show_sum((script, weight, proofs): &SumRow) -> String {
    format!("{script} {weight} {proofs}")
}

fn show_output((script, satoshi): &OutputRow) -> String {
    format!("{script} {satoshi}")
}

impl Replay {
    pub(crate) fn check_claim(&mut self, line: u64, claim: &Claim) {
        match claim {
            Claim::Tip(claim) => self.check_tip(line, claim),
            Claim::Link(claim) => self.check_link(line, claim),
            Claim::Window(claim) => self.check_window(line, claim),
            Claim::Outputs(claim) => self.check_outputs(line, claim),
            Claim::Proof(claim) => self.check_proof(line, claim),
        }
    }

    /// Any complete link with the most work will do: on a tie order of arrival and policy decide.
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

    /// True for a complete link; otherwise notes that it is none.
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
        let Some(found) = crate::claim::window(&mut self.chain, id.share()) else { return };
        let differences = &mut self.differences;
        differences.compare(line, "window oldest", Some(id), &claim.oldest, &found.oldest);
        differences.compare(line, "window newest", Some(id), &claim.newest, &found.newest);
        differences.compare(line, "window rows", Some(id), &claim.rows, &found.rows);
        differences.compare(line, "window total", Some(id), &claim.total, &found.total);
        differences.compare_rows(line, "window sum", id, &claim.sums, &found.sums, show_sum);
    }

    fn check_outputs(&mut self, line: u64, claim: &OutputsClaim) {
        let complete = self.is_complete(line, "outputs", claim.anchor);
        let (anchor, previous) = (claim.anchor.share(), claim.previous_block.block());
        if self.chain.bitcoin().get(&previous).is_none() {
            self.differences.note(line, "outputs", Some(claim.previous_block), "header", "held");
            return;
        }
        if !complete {
            return;
        }
        let script = ScriptBuf::from_bytes(claim.payout.0.clone());
        match self.chain.payouts(&anchor, &previous, claim.coinbase_value, &script) {
            Err(error) => self.differences.note(line, "outputs", Some(claim.anchor), "outputs", error),
            Ok(outputs) => {
                let found = crate::claim::output_rows(&outputs);
                self.differences.compare_rows(line, "output", claim.anchor, &claim.outputs, &found, show_output);
            }
        }
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
