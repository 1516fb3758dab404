//! A node's disk and memory, from the sizes of its records and structures.

use std::mem::size_of;

use sharechain::chain::Link;
use sharechain::credit::Credit;
use sharechain::limits::{MEMORY_DEPTH, STATE_DEPTH, WINDOWS_MAX};
use sharechain::window::Sum;
use sharechain::{ChainParams, Height, ShareId};

use super::wire::Sizes;

/// Overhead of a record in bytes: key 8, checksum 4, kind 1, id 32; and of its index entry: key 33, sequence number 8
/// (`node/src/store`).
const RECORD_BYTES: u32 = 8 + 4 + 1 + 32 + 33 + 8;

/// Bytes that RocksDB adds to a record and its index entry, including indexes and filters of its blocks. Most of a
/// proof are hashes, which LZ4 cannot compress. This is an assumption, about one seventieth of a record. The ignored
/// test `disk_per_record` would measure it.
const ROCKSDB_BYTES: u32 = 12;

/// Mean load of a hash table, which doubles when seven eighths of its slots are used.
const TABLE_LOAD: f64 = 0.65;

/// Bytes of a row of a link's credits, packed.
const ROW_BYTES: f64 = 16.0;

/// Overhead of an allocation, in bytes.
const ALLOCATION_BYTES: f64 = 16.0;

/// Bytes of a node that has just started: program, RocksDB's caches and buffers, tasks. Measured with `shoal-testnet up
/// --nodes 10` after 45 s: 32 MB, including libraries.
pub const BASE_BYTES: f64 = 32e6;

/// Seconds between Bitcoin blocks.
const BITCOIN_INTERVAL_S: f64 = 600.0;

/// Seconds per day.
const DAY_S: f64 = 86_400.0;

/// The properties of a pool on which disk and memory depend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Number of paid addresses.
    pub miners: f64,
    /// The pool's part of Bitcoin's hashrate, 0 to 1.
    pub part: f64,
}

/// Returns the bytes that a node stores per day. They do not depend on the pool's size, because targets follow its hashrate.
#[must_use]
pub fn disk_bytes_per_day(params: &ChainParams, sizes: &Sizes) -> f64 {
    let record = |content: u32| f64::from(RECORD_BYTES + ROCKSDB_BYTES + content);
    let per_link = f64::from(params.shares_per_link);
    let list = 2.0 + f64::from(sizes.id) * (per_link - 1.0);
    links_per_day(params) * (per_link * record(sizes.proof) + record(0) + list)
}

/// Returns the bytes for proofs that may still be listed or undone. They stay constant after [`MEMORY_DEPTH`] links.
#[must_use]
pub fn recent_bytes(params: &ChainParams) -> f64 {
    let links = f64::from(MEMORY_DEPTH + params.listing_depth + 2);
    let proofs = links * f64::from(params.shares_per_link);
    let id = size_of::<ShareId>();
    let entry = |value: usize| f64::from(u32::try_from(id + value + 1).unwrap_or(u32::MAX)) / TABLE_LOAD;
    proofs
        * (entry(size_of::<Credit>()) + entry(size_of::<Height>()) + f64::from(u32::try_from(id).unwrap_or(u32::MAX)))
}

/// Returns the bytes that a node keeps for each link: the link, and its credits.
#[must_use]
pub fn link_bytes(params: &ChainParams, pool: Pool) -> f64 {
    let size = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    let entry = size(size_of::<ShareId>() + size_of::<Link>() + 1) / TABLE_LOAD;
    // The main chain by height, and the link's own entry in the index of listed proofs.
    let names = 2.0 * size(size_of::<ShareId>());
    entry + names + rows_per_link(params, pool) * ROW_BYTES + ALLOCATION_BYTES
}

/// Returns the number of distinct addresses among a link's shares, if all have the same hashrate.
#[must_use]
pub fn rows_per_link(params: &ChainParams, pool: Pool) -> f64 {
    pool.miners * (1.0 - (1.0 - 1.0 / pool.miners).powf(f64::from(params.shares_per_link)))
}

/// Returns the bytes for the addresses and for the windows that the node remembers.
#[must_use]
pub fn miners_bytes(pool: Pool) -> f64 {
    let size = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    // A script in a list and in a table, and a sum in each window.
    const SCRIPT_BYTES: f64 = 34.0;
    let script = 2.0 * (SCRIPT_BYTES + ALLOCATION_BYTES + size(size_of::<Vec<u8>>()));
    pool.miners * (script + size(WINDOWS_MAX) * size(size_of::<Sum>()))
}

/// Returns the bytes in all, `days` days after a chain began.
#[must_use]
pub fn memory_bytes(params: &ChainParams, pool: Pool, days: f64) -> f64 {
    let links = (links_per_day(params) * days).min(kept_links(params, pool));
    let recent = recent_bytes(params) * (links / f64::from(MEMORY_DEPTH)).min(1.0);
    BASE_BYTES + recent + links * link_bytes(params, pool) + miners_bytes(pool)
}

/// Returns the links that a node keeps: those to the state depth, and those down to the bottom of the window that the
/// link there pays by.
#[must_use]
pub fn kept_links(params: &ChainParams, pool: Pool) -> f64 {
    let blocks_s = f64::from(params.snapshot_bitcoin_depth) * BITCOIN_INTERVAL_S;
    let snapshot = blocks_s / f64::from(params.link_interval_s) + f64::from(params.snapshot_burial);
    f64::from(STATE_DEPTH) + snapshot + window_links(params, pool) + f64::from(params.anchor_depth)
}

/// Returns the links of a window: until the weights reach [`ChainParams::window_weight`] expected Bitcoin blocks, or
/// the proofs their limit.
#[must_use]
pub fn window_links(params: &ChainParams, pool: Pool) -> f64 {
    const WEIGHT_OF_A_BLOCK: f64 = 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_precision_loss, reason = "a few blocks, and two million proofs")]
    let (blocks, proofs) = (params.window_weight.0 as f64 / WEIGHT_OF_A_BLOCK, params.window_proofs as f64);
    let by_weight = blocks * BITCOIN_INTERVAL_S / pool.part / f64::from(params.link_interval_s);
    by_weight.min(proofs / f64::from(params.shares_per_link))
}

fn links_per_day(params: &ChainParams) -> f64 {
    DAY_S / f64::from(params.link_interval_s)
}

#[cfg(test)]
mod tests;
