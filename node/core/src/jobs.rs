//! Builds jobs for miners from bitcoind's block template and a position in the share-chain, and inserts what miners
//! find into the share-chain.
//!
//! ```text
//! block_template.rs  bitcoind's block template, checked
//! contents.rs        which of its transactions stay when the coinbase needs room
//! position.rs        where a new job extends the share-chain, and which scripts it pays
//! template.rs        job templates and jobs
//! builder.rs         the job builder: when and how to build a new job template
//! recent.rs          recent job templates, for which late work still counts
//! found.rs           inserts a miner's work into the share-chain
//! fixtures.rs        job templates for tests of this crate and others
//! ```

mod block_template;
mod builder;
mod contents;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod found;
mod position;
mod recent;
mod template;

pub use block_template::{BlockTemplate, TemplateTransaction, Transactions};
pub use builder::{JobBuilder, Trigger};
pub use contents::{CoinbaseCost, Contents, Kept};
pub(crate) use contents::{hash_pair, parents};
pub use found::judge_found;
pub use position::{JobError, JobPosition};
pub use recent::RecentTemplates;
pub(crate) use template::with_witness;
pub use template::{Job, JobTemplate};
