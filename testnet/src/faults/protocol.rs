//! What is said on the control socket.

use serde::{Deserialize, Serialize};

use crate::table::View;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Request {
    /// Kills a node at once.
    Kill {
        /// Its name.
        node: String,
    },
    /// Starts a node again, or for the first time.
    Restart {
        /// Its name.
        node: String,
    },
    /// Cuts the lines between groups of nodes.
    Partition {
        /// As [`super::parse_groups`] reads it: `A,B|C,D`.
        groups: String,
    },
    /// Joins all lines.
    Heal,
    /// Asks how everything is.
    Status,
    /// Ends the whole network, with its report.
    Stop,
}

/// What became of a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// How everything is.
    Status {
        /// The state of the network.
        status: Box<View>,
    },
    /// It was done.
    Done {
        /// What was done, in a sentence.
        done: String,
    },
    /// It was not.
    Error {
        /// Why, in a sentence.
        error: String,
    },
}
