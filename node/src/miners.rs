//! The miners' side of the node: accounts and jobs for the Stratum server, and the handling of found work.
//!
//! ```text
//! pool.rs      the pool behind the Stratum server: accounts are payout scripts, jobs come from the newest job template
//! builder.rs   the job builder's task, which keeps the job template up to date
//! blocks.rs    sends found Bitcoin blocks to bitcoind and to peers at once
//! payee.rs     the parser of user names
//! workers.rs   payout scripts of the connected miners
//! ```

mod blocks;
mod builder;
mod payee;
mod pool;
mod workers;

pub use blocks::FoundBlocks;
pub use builder::{JobBuilderTask, WorkState, WorkWatch};
pub use payee::{Payee, PayeeError};
pub use pool::{FoundQueues, Miners, stratum_work};
pub use workers::{own_scripts, payee_of};
