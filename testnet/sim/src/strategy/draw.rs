//! The payments of the draw, for miners that choose what pays them most.

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Script};
use sharechain::payout::select;
use sharechain::window::Window;
use sharechain::{Chain, Height, ShareId};

/// Returns what a block with this parent on the main chain and this previous block would pay a script, out of the
/// subsidy alone, in satoshi. If only the finder is paid, that is all of it.
#[must_use]
pub fn pays_sat(chain: &Chain, parent: &ShareId, previous: &BlockHash, script: &Script) -> Option<u64> {
    let params = chain.params();
    let complete = |height: u32| chain.link(&chain.main_at(Height(height))?)?.complete();
    let position = &chain.link(parent)?.position;
    let anchor = chain.link(&position.anchor)?;
    let bitcoin_height = chain.bitcoin().get(previous)?.height;
    let subsidy_sat = params.bitcoin.subsidy_sat(bitcoin_height.saturating_add(1));
    let deep = bitcoin_height.saturating_sub(params.snapshot_bitcoin_depth);
    let work = chain.bitcoin().work_at(previous, deep)?.min(anchor.position.bitcoin_work);
    let reached = |height: &Height| {
        let link = chain.main_at(*height).and_then(|id| chain.link(&id));
        link.is_some_and(|link| link.position.bitcoin_work >= work)
    };
    let first = (0..=anchor.height.0).rev().map(Height).take_while(reached).last()?;
    let snapshot = first.below(params.snapshot_burial).max(position.least_snapshot).0;
    if complete(snapshot)?.listed_total < params.listed_before_payouts {
        return Some(subsidy_sat);
    }
    let rows = (0..=snapshot).rev().map_while(|height| Some((Height(height), &complete(height)?.rows)));
    let window = Window::compute(rows, params)?;
    let seed = chain.bitcoin().ancestor(previous, bitcoin_height.saturating_sub(params.seed_depth))?;
    let selection = select(window.dues(chain.scripts()), seed.as_byte_array(), subsidy_sat, params).ok()?;
    let Some(selection) = selection else { return Some(subsidy_sat) };
    let outputs = selection.amounts(subsidy_sat).ok()?;
    let own = outputs.iter().filter(|output| *output.script_pubkey == *script);
    Some(own.map(|output| output.value.to_sat()).sum())
}
