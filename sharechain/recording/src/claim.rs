//! Describes the state of a chain as claims.

use std::collections::BTreeMap;

use bitcoin::{BlockHash, ScriptBuf, TxOut};
use sharechain::window::{Row, ScriptIndex, Scripts};
use sharechain::{Chain, Height, ShareId};

use crate::line::{Claim, LinkClaim, OutputRow, OutputsClaim, StateClaim, SumRow, TipClaim, WindowClaim};
use crate::value::{Decimal, Id, Number, RawScript};

/// Number of claims of each kind.
#[derive(Clone, Copy, Debug)]
pub struct ClaimLimits {
    /// Number of links, from the tip down, whose rows are claimed.
    pub links: u32,
    /// Number of windows, at even distances from the tip down to genesis.
    pub windows: u32,
}

impl Default for ClaimLimits {
    /// One day of links on mainnet, and enough windows to detect drift. A window of many miners takes a few megabytes.
    fn default() -> Self {
        Self { links: 8_640, windows: 16 }
    }
}

/// Returns claims for the tip, the rows of the main chain, windows, the outputs of a proof on the tip by `finder`, and
/// the state root of a link on the tip.
pub fn claims(chain: &mut Chain, limits: ClaimLimits, finder: &ScriptBuf) -> Vec<Claim> {
    let mut claims = Vec::new();
    let tip = chain.height().0;
    for height in tip.saturating_sub(limits.links).saturating_add(1).max(1)..=tip {
        claims.extend(chain.main_at(Height(height)).and_then(|id| link(chain, id)).map(Claim::Link));
    }
    for height in spread(tip, limits.windows) {
        let snapshot = chain.main_at(Height(height));
        claims.extend(snapshot.and_then(|id| window(chain, id)).map(Claim::Window));
    }
    let previous = chain.bitcoin().best().header.block_hash();
    claims.extend(outputs(chain, previous, finder).map(Claim::Outputs));
    claims.extend(state(chain, previous).map(Claim::State));
    claims.extend(tip_claim(chain).map(Claim::Tip));
    claims
}

/// Returns up to `count` heights from `tip` down, at even distances, without genesis.
fn spread(tip: u32, count: u32) -> impl Iterator<Item = u32> {
    let step = tip.checked_div(count.max(1)).unwrap_or(0).max(1);
    (0..count).map_while(move |number| tip.checked_sub(number * step)).filter(|height| *height > 0)
}

fn tip_claim(chain: &Chain) -> Option<TipClaim> {
    let id = chain.tip();
    let link = chain.link(&id)?;
    Some(TipClaim { id: id.into(), height: link.height.0, chain_work: Number(link.chain_work.0) })
}

/// Returns the claim of a complete link's rows.
fn link(chain: &Chain, id: ShareId) -> Option<LinkClaim> {
    let link = chain.link(&id)?;
    let rows = sum_rows(chain.scripts(), link.complete()?.rows.iter().map(of_row));
    Some(LinkClaim { id: id.into(), height: link.height.0, rows })
}

/// Returns the claim of the window whose snapshot is a complete link. Genesis does not count as a link in it, so the
/// lowest height is 1 unless the snapshot is genesis.
pub(crate) fn window(chain: &mut Chain, snapshot: ShareId) -> Option<WindowClaim> {
    let window = chain.window(&snapshot)?;
    let newest = window.newest().0;
    let sums = window.sums().map(|(index, sum)| (index, sum.weight.0, sum.shares));
    Some(WindowClaim {
        snapshot: snapshot.into(),
        oldest: window.oldest().0.max(newest.min(1)),
        newest,
        proofs: window.proofs(),
        total: Decimal(window.total().0),
        sums: sum_rows(chain.scripts(), sums),
    })
}

/// Returns the claim of the outputs of a proof whose parent is the tip, on this previous block, with only the subsidy
/// to pay.
fn outputs(chain: &mut Chain, previous: BlockHash, finder: &ScriptBuf) -> Option<OutputsClaim> {
    let parent = chain.tip();
    let height = chain.bitcoin().get(&previous)?.height.saturating_add(1);
    let coinbase_value = chain.params().bitcoin.subsidy_sat(height);
    let outputs = chain.payouts(&parent, &previous, coinbase_value, finder).ok()?;
    Some(OutputsClaim {
        parent: parent.into(),
        previous_block: Id::from(previous),
        payout: RawScript(finder.to_bytes()),
        coinbase_value,
        outputs: output_rows(&outputs),
    })
}

/// Returns the claim of the state root of a link whose parent is the tip, on this previous block, that lists what it
/// can.
fn state(chain: &mut Chain, previous: BlockHash) -> Option<StateClaim> {
    let parent = chain.tip();
    let list = chain.listable(&parent)?;
    let state_root = chain.state_root(&parent, &previous, &list).ok()?;
    Some(StateClaim {
        parent: parent.into(),
        previous_block: Id::from(previous),
        list: list.into_iter().map(Id::from).collect(),
        state_root: Id(state_root),
    })
}

/// Converts outputs to the rows of a recording.
pub(crate) fn output_rows(outputs: &[TxOut]) -> Vec<OutputRow> {
    outputs.iter().map(|output| (RawScript(output.script_pubkey.to_bytes()), output.value.to_sat())).collect()
}

/// Converts sums to the rows of a recording: one row per script, ascending by script bytes.
pub(crate) fn sum_rows(scripts: &Scripts, sums: impl Iterator<Item = (ScriptIndex, u128, u64)>) -> Vec<SumRow> {
    let by_script: BTreeMap<RawScript, (Decimal, u32)> = sums
        .filter_map(|(index, weight, proofs)| {
            let script = RawScript(scripts.script(index)?.to_bytes());
            Some((script, (Decimal(weight), u32::try_from(proofs).unwrap_or(u32::MAX))))
        })
        .collect();
    by_script.into_iter().map(|(script, (weight, proofs))| (script, weight, proofs)).collect()
}

/// Returns script, weight and number of proofs of a link's row.
pub(crate) fn of_row(row: Row) -> (ScriptIndex, u128, u64) {
    (row.script, row.weight.0, u64::from(row.shares))
}
