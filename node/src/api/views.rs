//! Types that several answers share.

use bitcoin::hex::DisplayHex;
use bitcoin::{Address, Network, Script, TxOut};
use serde::{Deserialize, Serialize};
use sharechain::{U256, Weight, Work};
use utoipa::ToSchema;

use crate::clock::now;
use crate::history::{PointRow, Step};

/// A payout script and its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Payee {
    /// Payout script, hex.
    pub script: String,
    /// Its address on this node's network; none if the script has no address.
    pub address: Option<String>,
}

impl Payee {
    pub(super) fn new(script: &Script, network: Network) -> Self {
        let address = Address::from_script(script, network).ok().map(|address| address.to_string());
        Self { script: script.to_hex_string(), address }
    }
}

/// A weight in the PPLNS window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct WeightView {
    /// Exact weight in units of 2^-64 expected Bitcoin block: an integer of up to 128 bits, so a string.
    pub weight: String,
    /// The same in expected Bitcoin blocks, rounded.
    pub weight_blocks: f64,
}

impl From<Weight> for WeightView {
    fn from(weight: Weight) -> Self {
        Self { weight: weight.0.to_string(), weight_blocks: weight.0 as f64 / Weight::ONE_BLOCK.0 as f64 }
    }
}

/// What a script earned over a range of links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Earned {
    /// Script and address.
    #[serde(flatten)]
    pub payee: Payee,
    /// Weight that it earned.
    #[serde(flatten)]
    pub weight: WeightView,
    /// Number of shares that earned it.
    pub shares: u64,
}

/// The weight of a script in the window that a block pays by.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct BlockDue {
    /// Script and address.
    #[serde(flatten)]
    pub payee: Payee,
    /// Weight that it earned.
    #[serde(flatten)]
    pub weight: WeightView,
    /// Number of shares that earned it; none if it comes from the window that is kept for payout proofs, which has weights
    /// only.
    pub shares: Option<u64>,
}

/// A payout output of a coinbase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Output {
    /// Script and address that are paid.
    #[serde(flatten)]
    pub payee: Payee,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// True for a lottery payout, false for a proportional one; none in records of older versions.
    pub drawn: Option<bool>,
}

impl Output {
    /// The outputs of a coinbase, of which the first `exact` are proportional.
    pub(super) fn all(outputs: &[TxOut], exact: Option<usize>, network: Network) -> Vec<Self> {
        let outputs = outputs.iter().enumerate().map(|(position, output)| Self {
            payee: Payee::new(&output.script_pubkey, network),
            value_sat: output.value.to_sat(),
            drawn: exact.map(|exact| position >= exact),
        });
        outputs.collect()
    }
}

/// What was found in one time step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Point {
    /// Start of the step, seconds since 1970.
    pub time_unix_s: u32,
    /// Average hashrate over the step, estimated from its shares, hashes per second. For the current step, the average
    /// so far.
    pub hashrate_hs: f64,
    /// Number of valid shares, links included.
    pub shares: u32,
    /// Number of links.
    pub links: u32,
    /// Number of distinct payout scripts.
    pub miners: u32,
}

impl Point {
    pub(super) fn new(point: &PointRow, step_s: u32) -> Self {
        let passed = now().0.saturating_sub(point.start).clamp(1, step_s);
        let Step { shares, links, miners, hashes } = point.step;
        Self { time_unix_s: point.start, hashrate_hs: hashes as f64 / f64::from(passed), shares, links, miners }
    }
}

/// A weight as a part of a total, 0 to 1.
pub(super) fn part(weight: Weight, total: Weight) -> f64 {
    if total == Weight::ZERO { 0.0 } else { weight.0 as f64 / total.0 as f64 }
}

/// Expected hashes to meet a target, as a decimal string, since it may have more than 53 bits.
pub(super) fn hashes(target: U256) -> String {
    Work::of_target(target).0.to_string()
}

/// Bytes in hex, first byte first.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.to_lower_hex_string()
}
