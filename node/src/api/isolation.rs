//! What miners work on, and states in which the node may be cut off: a part of `/api/v1/status`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::state::{NodeState, StateView};

/// What miners of this node work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkName {
    /// Shares of the pool.
    Pool,
    /// Bitcoin blocks that pay their finder alone.
    Solo,
    /// Nothing.
    None,
}

/// A state in which this node may be cut off from the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateStatus {
    /// Its kind: no_peers, unlisted, stale_tip, hashrate, share_rate, clock, disk, bitcoind, bitcoind_alone, one_netgroup
    /// or outdated.
    pub kind: String,
    /// Since when, seconds since 1970.
    pub since_unix_s: u32,
    /// The finding, in one sentence.
    pub what: String,
    /// What to do, in one sentence.
    pub todo: String,
}

impl WorkName {
    pub(super) const fn of(node: &NodeState) -> Self {
        match (&node.no_work_because, &node.solo_because) {
            (Some(_), _) => Self::None,
            (None, Some(_)) => Self::Solo,
            (None, None) => Self::Pool,
        }
    }
}

impl From<&StateView> for StateStatus {
    fn from(state: &StateView) -> Self {
        let StateView { kind, since, what, todo } = state;
        Self { kind: kind.name().to_owned(), since_unix_s: *since, what: what.clone(), todo: (*todo).to_owned() }
    }
}
