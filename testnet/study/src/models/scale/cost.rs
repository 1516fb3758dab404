//! A node's disk and memory, from the sizes of what it stores and keeps.

use std::mem::size_of;

use sharechain::chain::Link;
use sharechain::credit::Credit;
use sharechain::limits::{MEMORY_DEPTH, WINDOWS_MAX};
use sharechain::window::{Row, Sum};
use sharechain::{ChainParams, Height, ShareId};

use super::wire::Sizes;

/// Bytes that a record has beside its content: key 8, checksum 4, kind 1, id 32; and its entry in the index: key 33,
/// sequence number 8 (`node/src/store`).
const RECORD_BYTES: u32 = 8 + 4 + 1 + 32 + 33 + 8;

/// Bytes that RocksDB adds to a record and its entry in the index, blocks' own indexes and filters included. Most of a
/// proof are hashes, which LZ4 cannot make smaller. An assumption, one part in seventy of a record; the ignored test
/// `disk_per_record` would measure it.
const ROCKSDB_BYTES: u32 = 12;

/// Part of a hash table's places that are taken, on average: it doubles when seven eighths are.
const TABLE_LOAD: f64 = 0.65;

/// Bytes that an allocation takes more than was asked for.
const ALLOCATION_BYTES: f64 = 16.0;

/// Bytes of a node that has just started: program, RocksDB's caches and buffers, tasks. Measured with
/// `shoal-testnet up --nodes 10` after 45 s: 32 MB, libraries included.
pub const BASE_BYTES: f64 = 32e6;

/// Seconds between Bitcoin blocks.
const BITCOIN_INTERVAL_S: f64 = 600.0;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// A pool, as far as disk and memory depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Addresses that are paid.
    pub miners: f64,
    /// The pool's part of Bitcoin's hash rate.
    pub part: f64,
}

/// Bytes that a node stores in a day; no pool's size changes them, since targets follow its hash rate.
#[must_use]
pub fn disk_bytes_per_day(params: &ChainParams, sizes: &Sizes) -> f64 {
    let record = |content: u32| f64::from(RECORD_BYTES + ROCKSDB_BYTES + content);
    let per_link = f64::from(params.shares_per_link);
    let list = 2.0 + f64::from(sizes.id) * (per_link - 1.0);
    links_per_day(params) * (per_link * record(sizes.proof) + record(0) + list)
}

/// Bytes that a node keeps for what may still be listed or undone: reached after [`MEMORY_DEPTH`] links, then constant.
#[must_use]
pub fn recent_bytes(params: &ChainParams) -> f64 {
    let links = f64::from(MEMORY_DEPTH + params.listing_depth + 2);
    let proofs = links * f64::from(params.shares_per_link);
    let id = size_of::<ShareId>();
    let entry = |value: usize| f64::from(u32::try_from(id + value + 1).unwrap_or(u32::MAX)) / TABLE_LOAD;
    proofs
        * (entry(size_of::<Credit>()) + entry(size_of::<Height>()) + f64::from(u32::try_from(id).unwrap_or(u32::MAX)))
}

/// Bytes that a node keeps for good of each link: the link, and who earned what in it.
#[must_use]
pub fn link_bytes(params: &ChainParams, pool: Pool) -> f64 {
    let size = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    let entry = size(size_of::<ShareId>() + size_of::<Link>() + 1) / TABLE_LOAD;
    // The main chain by height, and the link's own place among what is listed.
    let names = 2.0 * size(size_of::<ShareId>());
    entry + names + rows_per_link(params, pool) * size(size_of::<Row>()) + ALLOCATION_BYTES
}

/// Different addresses among a link's shares, when all have the same hash rate.
#[must_use]
pub fn rows_per_link(params: &ChainParams, pool: Pool) -> f64 {
    pool.miners * (1.0 - (1.0 - 1.0 / pool.miners).powf(f64::from(params.shares_per_link)))
}

/// Bytes that a node keeps of the addresses and of the windows it remembers.
#[must_use]
pub fn miners_bytes(pool: Pool) -> f64 {
    let size = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    // A script in a list and in a table, and a sum in each window.
    const SCRIPT_BYTES: f64 = 34.0;
    let script = 2.0 * (SCRIPT_BYTES + ALLOCATION_BYTES + size(size_of::<Vec<u8>>()));
    pool.miners * (script + size(WINDOWS_MAX) * size(size_of::<Sum>()))
}

/// Bytes in all, so many days after a chain began.
#[must_use]
pub fn memory_bytes(params: &ChainParams, pool: Pool, days: f64) -> f64 {
    let links = links_per_day(params) * days;
    let recent = recent_bytes(params) * (links / f64::from(MEMORY_DEPTH)).min(1.0);
    BASE_BYTES + recent + links * link_bytes(params, pool) + miners_bytes(pool)
}

/// Links of a window: until the weights reach [`ChainParams::window_weight`] expected Bitcoin blocks, or the rows their
/// bound.
#[must_use]
pub fn window_links(params: &ChainParams, pool: Pool) -> f64 {
    const WEIGHT_OF_A_BLOCK: f64 = 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_precision_loss, reason = "a few blocks, and two million rows")]
    let (blocks, rows) = (params.window_weight.0 as f64 / WEIGHT_OF_A_BLOCK, params.window_rows as f64);
    let by_weight = blocks * BITCOIN_INTERVAL_S / pool.part / f64::from(params.link_interval_s);
    by_weight.min(rows / rows_per_link(params, pool))
}

fn links_per_day(params: &ChainParams) -> f64 {
    DAY_S / f64::from(params.link_interval_s)
}

#[cfg(test)]
mod tests;
