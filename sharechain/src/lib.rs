//! The consensus rules of Shoal: pure, without clock, randomness or I/O.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]

pub mod bitcoin_headers;
pub mod chain;
pub mod change_set;
pub mod check;
mod chunked;
pub mod coinbase;
pub mod credit;
pub mod encode;
pub mod error;
pub mod fork_choice;
pub mod hash;
mod id_map;
pub mod limits;
mod ordered;
pub mod params;
pub mod payout;
pub mod share;
pub mod signals;
pub mod target;
pub mod units;
pub mod window;

pub use chain::{Chain, Outcome};
pub use error::RuleError;
pub use params::{BitcoinParams, ChainParams};
pub use share::{CoinbasePrefix, Proof, ShareHeader};
pub use units::{Height, ShareId, Timestamp, U256, Weight, Work};
