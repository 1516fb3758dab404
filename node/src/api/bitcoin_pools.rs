//! In how many hands Bitcoin's mining is. It cannot be known from the chain alone, only from what pools write into their
//! coinbases, so it is a table of its time and says so.

use serde::Serialize;
use utoipa::ToSchema;

/// Parts of the blocks of a year, in percent, rounded.
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

/// In how many hands Bitcoin's mining is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BitcoinPools {
    /// When that was so.
    pub as_of: &'static str,
    /// Where it is from, in one sentence.
    pub source: &'static str,
    /// The largest pools, largest first.
    pub pools: Vec<BitcoinPool>,
    /// Smallest number of pools that together find more than half of all blocks.
    pub nakamoto: u32,
}

/// A pool.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BitcoinPool {
    /// Its name.
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
        source: "Rounded shares of the blocks of 2025, by the names that pools write into their coinbases.",
        pools: PARTS.map(|(name, percent)| BitcoinPool { name, part: f64::from(percent) / 100.0 }).into(),
        nakamoto: majority.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX)),
    }
}
