//! From bitcoind's block template and a position in the share-chain to jobs for miners, and from what miners find back into
//! the share-chain.
//!
//! ```text
//! block_template.rs  bitcoind's block template, checked
//! contents.rs        which of its transactions stay when the coinbase needs room
//! position.rs        where a new job extends the share-chain, and whom it pays
//! template.rs        job templates and jobs
//! builder.rs         when to make a new job template, and how
//! recent.rs          job templates on which late work still counts
//! found.rs           what a miner found, given to the share-chain
//! fixtures.rs        job templates for tests, of this crate and of others
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

pub use block_template::{BlockTemplate, TemplateTransaction};
pub use builder::{JobBuilder, Trigger};
pub use contents::Contents;
pub use found::judge_found;
pub use position::{JobError, JobPosition};
pub use recent::RecentTemplates;
pub use template::{Job, JobTemplate};
