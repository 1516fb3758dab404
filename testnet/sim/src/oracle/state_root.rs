//! State roots, computed again from the book in the words of protocol.md section 15, without the share-chain's trees.

use bitcoin::ScriptBuf;
use sharechain::ShareId;

use super::book::Book;
use super::chain_view::{ChainView, LinkView};
use super::history::tagged;
use super::payout::dues_in_order;
use super::{Finding, Oracle};

/// Hash and sum of a node of a sum tree; the sum as it is hashed, little-endian.
type Node = (Vec<u8>, Vec<u8>);

/// SC-408: compares the state root of a link in the book with the one that follows. Miners of the simulator set no signals,
/// so there are none.
///
/// # Errors
/// If they differ.
pub(super) fn check(book: &Book, id: &ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<(), Finding> {
    let unknown = || Oracle::State.finds(format!("what link {id} commits to is not known"));
    let (page, parent) = book.page(id).zip(book.page(&link.parent)).ok_or_else(unknown)?;
    let dues = dues_in_order(book, chain_view.chain.bitcoin(), &link.parent, &link.previous_block);
    let credits: Vec<_> = page.listed.iter().map(|(script, weight)| (script.clone(), weight.0)).collect();
    let parts = [
        commitment(&dues.ok_or_else(unknown)?),
        commitment(&credits),
        parent.links.commitment(),
        tagged("shoal/signals", &[]),
    ];
    if tagged("shoal/state", &parts.concat()) == link.state_root {
        return Ok(());
    }
    Err(Oracle::State.finds(format!("link {id} commits to another state")))
}

/// Commits to weights of scripts in this order.
fn commitment(weights: &[(ScriptBuf, u128)]) -> Vec<u8> {
    let leaf = |(script, weight): &(ScriptBuf, u128)| -> Node {
        let sum = weight.to_le_bytes().to_vec();
        let length = u8::try_from(script.len()).unwrap_or(u8::MAX);
        (tagged("shoal/leaf", &[&sum[..], &[length], script.as_bytes()].concat()), sum)
    };
    let mut level: Vec<Node> = weights.iter().map(leaf).collect();
    while level.len() > 1 {
        let pair = |nodes: &[Node]| match nodes {
            [(left, left_sum), (right, right_sum)] => {
                let hash = tagged("shoal/node", &[&left[..], left_sum, right, right_sum].concat());
                (hash, (number(left_sum) + number(right_sum)).to_le_bytes().to_vec())
            }
            odd => odd.first().cloned().unwrap_or_default(),
        };
        level = level.chunks(2).map(pair).collect();
    }
    let count = u32::try_from(weights.len()).unwrap_or(u32::MAX).to_le_bytes();
    match level.first() {
        Some((hash, sum)) => [&count[..], sum, hash].concat(),
        None => vec![0; 52],
    }
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
