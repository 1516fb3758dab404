//! The times at which nodes run: joins, crashes, departures and churn combined.

use crate::faults::{Action, NodeFault};
use crate::ids::NodeId;
use crate::time::Micros;

/// A time span for which a node is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Down {
    pub(super) from: Micros,
    pub(super) until: Micros,
    pub(super) torn: bool,
}

/// Returns the actions for a node that joins at a time and is down for the given spans, which may overlap.
pub(super) fn actions(node: NodeId, join_at: Micros, mut downs: Vec<Down>) -> Vec<(Micros, Action)> {
    downs.sort_unstable();
    let mut up_from = join_at;
    let mut actions = Vec::new();
    for down in downs {
        if down.from >= up_from {
            actions.push((up_from, Action::Start(node)));
            if down.torn {
                actions.push((down.from, Action::Node(node, NodeFault::TornWrites)));
            }
            actions.push((down.from, Action::Crash(node)));
        }
        up_from = up_from.max(down.until);
    }
    if up_from < Micros::NEVER {
        actions.push((up_from, Action::Start(node)));
    }
    actions
}
