//! The miners' side of the node: accounts and jobs for the Stratum server, and what becomes of what miners find.
//!
//! ```text
//! pool.rs      the pool behind the Stratum server: accounts are payout scripts, jobs are made from the newest template
//! builder.rs   the task that keeps the job template up to date
//! blocks.rs    Bitcoin blocks that miners found go to bitcoind and to peers at once
//! payee.rs     from a user name to whom its work pays: the one parser
//! workers.rs   whom the connected miners work for
//! ```

mod blocks;
mod builder;
mod payee;
mod pool;
mod workers;

pub use blocks::FoundBlocks;
pub use builder::{JobBuilderTask, WorkState};
pub use payee::{Payee, PayeeError};
pub use pool::{FoundQueues, Miners, stratum_work};
pub use workers::{own_scripts, payee_of};
