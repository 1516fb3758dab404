//! Models of pay over years: shares drawn from their exact distribution, and the pool's real window, selection and
//! amounts over them. What a whole network does in between (delay, forks, lists) is the business of other experiments.
//!
//! ```text
//! units.rs    Bitcoin and the pool in numbers: works, targets, weights
//! miners.rs   who mines with how much, under which scripts
//! ledger.rs   what the links credited, and the window that ends in a snapshot
//! pool.rs     a pool of constant hashrate for years: who was paid what
//! pay_run.rs   a pool whose hashrate goes up and down: what a hash is worth by the time at which it was done
//! ```

pub mod ledger;
pub mod miners;
pub mod pay_run;
pub mod pool;
#[cfg(test)]
mod tests;
pub mod units;
