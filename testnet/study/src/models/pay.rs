//! Models of pay over years: shares drawn from their exact distribution, and the pool's real window, selection and
//! amounts on top of them. Delays, forks and lists are left to other experiments.
//!
//! ```text
//! units.rs    units and conversions: works, targets, weights
//! miners.rs   miners with their hashrates and scripts
//! ledger.rs   the credits of links, and the window that ends in a snapshot
//! pool.rs     a pool of constant hashrate over years, and its payments
//! pay_run.rs  a pool of varying hashrate: the worth of a hash by its time
//! ```

pub mod ledger;
pub mod miners;
pub mod pay_run;
pub mod pool;
#[cfg(test)]
mod tests;
pub mod units;
