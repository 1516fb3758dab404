//! Concentration of Bitcoin's mining by pool. It cannot be computed from the chain alone, only from the names that
//! pools write into their coinbases. So it is a fixed table with a date.

use serde::Serialize;
use utoipa::ToSchema;

/// Pools and their part of a year's blocks, percent, rounded.
const PARTS: [(&str, u8); 8] = [
    ("Foundry USA", 30),
    ("AntPool", 18),
    ("ViaBTC", 13),
    ("F2Pool", 11),
    ("SpiderPool", 8),
    ("MARA Pool", 5),
    ("Luxor", 3),
    ("Braiins Pool", 2),
];

/// Concentration of Bitcoin's mining by pool, from a fixed table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BitcoinPools {
    /// Year of the numbers.
    pub as_of: &'static str,
    /// Source of the numbers, in one sentence.
    pub source: &'static str,
    /// The largest pools, largest first.
    pub pools: Vec<BitcoinPool>,
    /// Nakamoto coefficient: the smallest number of pools that together find more than half of all blocks.
    pub nakamoto: u32,
}

/// A Bitcoin mining pool.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BitcoinPool {
    /// Name of the pool.
    pub name: &'static str,
    /// Its part of all blocks, 0 to 1, rounded.
    pub part: f64,
}

pub(super) fn known() -> BitcoinPools {
    let mut sum = 0_u32;
    let majority = PARTS.iter().position(|(_, percent)| {
        sum += u32::from(*percent);
        sum > 50
    });
    BitcoinPools {
        as_of: "2025",
        source: "Rounded parts of the blocks of 2025, by the names that pools write into their coinbases.",
        pools: PARTS.map(|(name, percent)| BitcoinPool { name, part: f64::from(percent) / 100.0 }).into(),
        nakamoto: majority.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX)),
    }
}
