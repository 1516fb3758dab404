//! Bounded memory: a node's memory stays within its limits, whatever peers send.

use p2p_proto::limits::{REPLIES_MAX, VERDICTS_MAX, WANTS_MAX};
use sharechain::limits::{HELD_MAX, REFUSED_MAX, SIDE_LINKS_MAX};

use super::{Finding, Oracle};
use crate::full::node::SimNode;
use crate::full::surroundings::Surroundings;

/// Checks the counts that are cheap to get.
///
/// # Errors
/// If a limit is exceeded.
pub(super) fn check(node: &SimNode) -> Result<(), Finding> {
    let (Some(chain), Some(endpoint), Some(exchange)) = (node.chain(), node.endpoint(), node.exchange()) else {
        return Ok(());
    };
    let [messages, requests, replies] = endpoint.net.sizes();
    let [wanted, undecided, looked_up] = exchange.sizes();
    within(&[
        ("held proofs", chain.held_len(), HELD_MAX),
        ("refused ids", chain.refused_len(), REFUSED_MAX),
        ("links off the main chain", chain.side_links(), SIDE_LINKS_MAX),
        ("wanted ids", wanted, WANTS_MAX),
        ("messages about what is held", undecided, node_core::limits::UNDECIDED_MAX),
        ("headers looked up", looked_up, node_core::limits::HEADER_LOOKUPS_MAX),
        ("messages without a verdict", messages, VERDICTS_MAX),
        ("requests on their way", requests, p2p_proto::limits::REQUESTS_MAX),
        ("requests to answer", replies, REPLIES_MAX),
    ])
}

/// Checks the other counts.
///
/// # Errors
/// If a limit is exceeded.
pub(super) fn check_pending(node: &SimNode, surroundings: &Surroundings) -> Result<(), Finding> {
    let Some(chain) = node.chain() else { return Ok(()) };
    let found = surroundings.ledger.finds().len();
    within(&[
        // Proofs that no miner found are held at most.
        ("pending shares", chain.pending(usize::MAX).len(), found),
        ("withheld finds", node.strategist().withheld().len(), found),
    ])
}

fn within(sizes: &[(&str, usize, usize)]) -> Result<(), Finding> {
    match sizes.iter().find(|(_, size, bound)| size > bound) {
        None => Ok(()),
        Some((what, size, bound)) => Err(Oracle::Memory.finds(format!("{size} {what}, and {bound} are the most"))),
    }
}
