//! What a payout proof shows, in sentences and as JSON.

use std::fmt::Write;

use bitcoin::{Address, Amount, Network, Script};
use serde::Serialize;
use sharechain::payout_proof::{Finding, Paid, Ticket, Verdict};
use sharechain::{ChainParams, Weight};

/// What a proof shows, for programs.
#[derive(Debug, Serialize)]
pub(super) struct VerdictJson<'a> {
    /// Name of the pool's network.
    network: &'a str,
    block: String,
    height: u32,
    script: String,
    address: Option<String>,
    /// `exact`, `drawn`, `not_drawn`, `absent`, `finder` or `other_finder`.
    finding: &'static str,
    /// Satoshi that the block pays the script; 0 if it pays it nothing.
    value_sat: u64,
    /// Index of the output that pays the script.
    output: Option<usize>,
    /// Weight of the script in the window.
    weight: Option<String>,
    window_weight: String,
    window_scripts: u32,
    outputs: usize,
    has_most_outputs: bool,
    coinbase_value_sat: u64,
    lottery: Option<TicketJson>,
}

/// The interval of a due in the lottery, and the points.
#[derive(Debug, Serialize)]
struct TicketJson {
    start: String,
    end: String,
    first_point: String,
    step: String,
    points: usize,
}

impl From<&Ticket> for TicketJson {
    fn from(ticket: &Ticket) -> Self {
        Self {
            start: ticket.start.to_string(),
            end: ticket.end.to_string(),
            first_point: ticket.first_point.to_string(),
            step: ticket.step.to_string(),
            points: ticket.points,
        }
    }
}

/// The parts of a finding: its name, the output, the weight, the place in the lottery.
fn parts(finding: &Finding) -> (&'static str, Option<&Paid>, Option<Weight>, Option<&Ticket>) {
    match finding {
        Finding::Exact { output, weight } => ("exact", Some(output), Some(*weight), None),
        Finding::Drawn { output, weight, ticket } => ("drawn", Some(output), Some(*weight), Some(ticket)),
        Finding::NotDrawn { weight, ticket } => ("not_drawn", None, Some(*weight), Some(ticket)),
        Finding::Absent => ("absent", None, None, None),
        Finding::Finder { output } => ("finder", Some(output), None, None),
        Finding::OtherFinder => ("other_finder", None, None, None),
    }
}

impl<'a> VerdictJson<'a> {
    pub(super) fn new(verdict: &Verdict, script: &Script, network: Network, params: &'a ChainParams) -> Self {
        let (finding, output, weight, ticket) = parts(&verdict.finding);
        Self {
            network: params.name,
            block: verdict.block.to_string(),
            height: verdict.height,
            script: script.to_hex_string(),
            address: Address::from_script(script, network).ok().map(|address| address.to_string()),
            finding,
            value_sat: output.map_or(0, |output| output.value_sat),
            output: output.map(|output| output.index),
            weight: weight.map(|weight| weight.0.to_string()),
            window_weight: verdict.window_weight.0.to_string(),
            window_scripts: verdict.scripts,
            outputs: verdict.outputs,
            has_most_outputs: verdict.has_most_outputs,
            coinbase_value_sat: verdict.value_sat,
            lottery: ticket.map(TicketJson::from),
        }
    }
}

/// What a proof shows, for people.
pub(super) fn sentences(verdict: &Verdict, script: &Script, network: Network, params: &ChainParams) -> String {
    let payee = Address::from_script(script, network).map_or_else(|_| script.to_hex_string(), |a| a.to_string());
    let Verdict { height, block, outputs, .. } = verdict;
    let what = match &verdict.finding {
        Finding::Exact { output, .. } => {
            format!("is paid {} in proportion to its weight, in output {}", sats(output), output.index)
        }
        Finding::Drawn { output, .. } => {
            format!("won the lottery and is paid {}, in output {}", sats(output), output.index)
        }
        Finding::NotDrawn { .. } => "took part in the lottery, did not win, and is paid nothing".to_owned(),
        Finding::Absent => "had no weight in the window, and is paid nothing".to_owned(),
        Finding::Finder { output } => format!("found the block and is paid all of it, {}", sats(output)),
        Finding::OtherFinder => "is paid nothing: the block pays its finder alone".to_owned(),
    };
    let mut text = format!("{payee} {what}.\nBitcoin block {height}, {block}, of the pool {}.\n", params.name);
    let (_, _, weight, ticket) = parts(&verdict.finding);
    if let Some(weight) = weight {
        let Weight(sum) = verdict.window_weight;
        let _ = writeln!(text, "Weight {} of {sum}, in a window of {} scripts.", weight.0, verdict.scripts);
    }
    if let Some(Ticket { start, end, first_point, step, points }) = ticket {
        let _ = writeln!(
            text,
            "Its interval in the draw is {start} to {end}, the end not included. {points} points decide: {first_point}, and \
             then one every {step}."
        );
    }
    if !verdict.has_most_outputs {
        let _ = writeln!(
            text,
            "The block has {outputs} payouts, fewer than its window could fill. This proof does not show that one more \
             would be below {} sat.",
            params.output_floor_sat
        );
    }
    text.push_str(
        "The proof does not show that the block is in Bitcoin's chain: compare its hash with any Bitcoin node or explorer.\n",
    );
    text
}

fn sats(output: &Paid) -> String {
    format!("{} ({} sat)", Amount::from_sat(output.value_sat), output.value_sat)
}
