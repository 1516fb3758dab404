//! The messages on the control socket.

use serde::{Deserialize, Serialize};

use crate::table::View;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Request {
    /// Kills a node at once.
    Kill {
        /// Name of the node.
        node: String,
    },
    /// Starts a node again, or for the first time.
    Restart {
        /// Name of the node.
        node: String,
    },
    /// Cuts the lines between groups of nodes.
    Partition {
        /// The groups, as [`super::parse_groups`] reads them: `A,B|C,D`.
        groups: String,
    },
    /// Restores all lines.
    Heal,
    /// Asks for the network's status.
    Status,
    /// Stops the whole network and writes its report.
    Stop,
}

/// The result of a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// The status of the network.
    Status {
        /// The state of the network.
        status: Box<View>,
    },
    /// The command succeeded.
    Done {
        /// The effect, in a sentence.
        done: String,
    },
    /// The command failed.
    Error {
        /// The reason, in a sentence.
        error: String,
    },
}
