//! The miners' side of the node: accounts and jobs for the Stratum server, and the handling of found work.
//!
//! ```text
//! pool.rs      the pool behind the Stratum server: an account pays one script or several, jobs come from the newest job template
//! account.rs   accounts of the Stratum server: whom work pays, and in which parts
//! ledger.rs    shares a miner's work between its payees
//! builder.rs   the job builder's task, which keeps the job template up to date
//! proposals.rs proposes blocks of job templates to bitcoind, and keeps its verdicts in order
//! blocks.rs    sends found Bitcoin blocks to bitcoind and to peers at once
//! payee.rs     the parser of user names
//! workers.rs   payout scripts of the connected miners
//! ```

mod account;
mod blocks;
mod builder;
mod ledger;
mod payee;
mod pool;
mod proposals;
mod workers;

pub use account::{Part, parts_of, percent_of};
pub use blocks::FoundBlocks;
pub use builder::{JobBuilderTask, WorkState, WorkWatch};
pub use payee::{Payee, PayeeError, SplitError};
pub use pool::{FoundQueues, Miners, RestWatch, stratum_work};
pub use proposals::Proposals;
pub use workers::{own_scripts, payees_of};
