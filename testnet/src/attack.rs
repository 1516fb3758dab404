//! `shoal-testnet attack`: hostile peers over real sockets, with figures for each attack.
//!
//! Three honest nodes with a miner each run in network namespaces of their own. The first is the victim. The attacker is
//! a process with addresses of its own, and a newcomer tries to connect meanwhile.
//!
//! ```text
//! catalog.rs  the attacks
//! hostile.rs  the attacker's process, and the newcomer's
//! measure.rs  the effect of an attack on the victim
//! finding.rs  the figures of an attack, and whether the node held
//! run.rs      the network, and the attacks one after the other
//! ```

mod catalog;
mod finding;
mod hostile;
mod measure;
mod run;

use std::io;

pub use catalog::Attack;
pub use finding::{Finding, table};
pub use hostile::{HostileArgs, run as run_hostile};
pub use run::{Options, run};

use crate::api_client::ApiError;
use crate::network::{NetworkError, NodeError, PlanError, ProcessError};
use crate::rpc::RpcError;

/// An error of the suite itself.
#[derive(Debug, thiserror::Error)]
pub enum AttackError {
    /// No attack has this name.
    #[error("there is no attack {name}; `shoal-testnet attack --list` shows all")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The network cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The network does not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A node does not restart.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The attacker does not start.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The pool does not begin to work.
    #[error("the network did not begin to work within {seconds} s; see {dir}")]
    NotReady {
        /// The time limit.
        seconds: u64,
        /// Folder of the network.
        dir: String,
    },
    /// A node does not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Bitcoin does not answer.
    #[error(transparent)]
    Bitcoin(#[from] RpcError),
    /// A file or a socket fails.
    #[error("a file of the suite cannot be read or written")]
    Io(#[from] io::Error),
    /// The victim has exited on its own, which is worse than any measured effect.
    #[error("the victim is no longer running; see its log")]
    Ended,
    /// The node did not hold.
    #[error("the node did not hold against {}", .0.join(", "))]
    NotHeld(Vec<&'static str>),
}
