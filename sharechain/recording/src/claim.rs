//! What a chain says of itself, as claims.

use bitcoin::{BlockHash, ScriptBuf, TxOut};
use sharechain::{Chain, Height, ShareId};

use crate::compare::{of_row, sum_rows};
use crate::line::{Claim, LinkClaim, OutputRow, OutputsClaim, TipClaim, WindowClaim};
use crate::value::{Decimal, Id, Number, RawScript};

/// How many claims of each kind are made.
#[derive(Clone, Copy, Debug)]
pub struct ClaimLimits {
    /// Links from the tip down whose rows are claimed.
    pub links: u32,
    /// Windows, at even distances from the tip down to genesis.
    pub windows: u32,
}

impl Default for ClaimLimits {
    /// All rows of a day of links, and windows enough to see drift; a window of many miners is some megabytes.
    fn default() -> Self {
        Self { links: 8_640, windows: 16 }
    }
}

/// Tip, rows of the main chain, windows, and what a proof on the tip would pay `finder`.
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
    claims.extend(tip_claim(chain).map(Claim::Tip));
    claims
}

/// `count` heights from `tip` down, at even distances; genesis is not among them.
fn spread(tip: u32, count: u32) -> impl Iterator<Item = u32> {
    let step = tip.checked_div(count.max(1)).unwrap_or(0).max(1);
    (0..count).map_while(move |number| tip.checked_sub(number * step)).filter(|height| *height > 0)
}

fn tip_claim(chain: &Chain) -> Option<TipClaim> {
    let id = chain.tip();
    let link = chain.link(&id)?;
    Some(TipClaim { id: id.into(), height: link.height.0, chain_work: Number(link.chain_work.0) })
}

/// What a complete link credits.
fn link(chain: &Chain, id: ShareId) -> Option<LinkClaim> {
    let link = chain.link(&id)?;
    let rows = sum_rows(chain.scripts(), link.complete()?.rows.iter().map(of_row));
    Some(LinkClaim { id: id.into(), height: link.height.0, rows })
}

/// The window that ends in a complete link. Genesis is no link that counts: the lowest height of others is 1.
pub(crate) fn window(chain: &mut Chain, snapshot: ShareId) -> Option<WindowClaim> {
    let window = chain.window(&snapshot)?;
    let newest = window.newest().0;
    let sums = window.sums().map(|(index, sum)| (index, sum.weight.0, sum.shares));
    Some(WindowClaim {
        snapshot: snapshot.into(),
        oldest: window.oldest().0.max(newest.min(1)),
        newest,
        rows: u32::try_from(window.rows()).unwrap_or(u32::MAX),
        total: Decimal(window.total().0),
        sums: sum_rows(chain.scripts(), sums),
    })
}

/// What a proof whose parent is the tip pays on a Bitcoin block, with nothing but the subsidy to pay.
fn outputs(chain: &mut Chain, previous: BlockHash, finder: &ScriptBuf) -> Option<OutputsClaim> {
    let anchor = chain.link(&chain.tip())?.position.anchor;
    let height = chain.bitcoin().get(&previous)?.height.saturating_add(1);
    let coinbase_value = chain.params().bitcoin.subsidy_sat(height);
    let outputs = chain.payouts(&anchor, &previous, coinbase_value, finder).ok()?;
    Some(OutputsClaim {
        anchor: anchor.into(),
        previous_block: Id::from(previous),
        payout: RawScript(finder.to_bytes()),
        coinbase_value,
        outputs: output_rows(&outputs),
    })
}

/// Outputs as a recording writes them.
pub(crate) fn output_rows(outputs: &[TxOut]) -> Vec<OutputRow> {
    outputs.iter().map(|output| (RawScript(output.script_pubkey.to_bytes()), output.value.to_sat())).collect()
}
