//! Column families, keys, and options that limit memory.
//!
//! | family    | key                       | value                                    |
//! |-----------|---------------------------|------------------------------------------|
//! | `meta`    | `schema`                  | version, u32 big-endian                  |
//! | `meta`    | `network`                 | consensus id, 32 bytes                   |
//! | `meta`    | `floor`                   | sequence numbers up to it are not used again, u64 |
//! | `meta`    | `windows`                 | bytes of all values of `windows`, u64 big-endian; 0 if missing |
//! | `meta`    | `r` and id                | record of kind `Meta`                    |
//! | `journal` | sequence, u64 big-endian  | record: a proof, a list, a Bitcoin header|
//! | `blocks`  | sequence, u64 big-endian  | record: a Bitcoin block                  |
//! | `windows` | sequence, u64 big-endian  | record: the window of a Bitcoin block; a database from before payout proofs has no such family |
//! | `refused` | sequence, u64 big-endian  | record: a rejection                      |
//! | `index`   | kind (1 byte) and id      | sequence of the newest record, u64       |
//! | `bases`   | number, u32 big-endian     | record: a base chunk                     |
//! | `links`   | id                        | record: the proof of a deep link         |
//! | `history` | defined by `crate::history` | likewise; rebuilt from the others if lost |
//!
//! Versions 1 and 2 held share-chains of version 1 of the protocol, which no program of this version can judge.

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel, Options};

use crate::limits::{
    STORE_CACHE_BYTES, STORE_LOG_BYTES, STORE_OPEN_FILES, STORE_WAL_BYTES, STORE_WRITE_BUFFER_BYTES,
    STORE_WRITE_BUFFERS_BYTES,
};
use node_core::journal::RecordKind;

/// Version of the layout above and of the share-chain's protocol in it, raised with every change that other programs
/// cannot read.
pub const SCHEMA: u32 = 3;

pub(super) const META: &str = "meta";
pub(super) const JOURNAL: &str = "journal";
pub(super) const BLOCKS: &str = "blocks";
pub(super) const REFUSED: &str = "refused";
pub(super) const INDEX: &str = "index";
pub(super) const HISTORY: &str = "history";
pub(super) const BASES: &str = "bases";
pub(super) const LINKS: &str = "links";
pub(super) const WINDOWS: &str = "windows";
pub(super) const FAMILIES: [&str; 9] = [META, JOURNAL, BLOCKS, REFUSED, INDEX, HISTORY, BASES, LINKS, WINDOWS];

/// Families whose records have sequence numbers.
pub(super) const NUMBERED: [&str; 4] = [JOURNAL, BLOCKS, WINDOWS, REFUSED];

pub(super) const SCHEMA_KEY: &[u8] = b"schema";
pub(super) const NETWORK_KEY: &[u8] = b"network";
pub(super) const FLOOR_KEY: &[u8] = b"floor";
pub(super) const WINDOWS_KEY: &[u8] = b"windows";

/// The family that keeps records of a kind, by sequence number.
pub(super) fn family(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Proof | RecordKind::List | RecordKind::Header => JOURNAL,
        RecordKind::Block => BLOCKS,
        RecordKind::Refusal => REFUSED,
        RecordKind::Meta => META,
        RecordKind::Base => BASES,
        RecordKind::Window => WINDOWS,
    }
}

pub(super) fn index_key(kind: RecordKind, id: &[u8; 32]) -> [u8; 33] {
    let mut key = [kind as u8; 33];
    key[1..].copy_from_slice(id);
    key
}

/// First bytes of the index keys of a kind whose ids start like this.
pub(super) fn index_prefix(kind: RecordKind, start: &[u8]) -> Vec<u8> {
    [&[kind as u8], start].concat()
}

pub(super) fn meta_key(id: &[u8; 32]) -> [u8; 33] {
    let mut key = [b'r'; 33];
    key[1..].copy_from_slice(id);
    key
}

/// Key of a base chunk: its number, so that chunks sort by height.
pub(super) fn base_key(id: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = *id;
    u32::from_le_bytes([a, b, c, d]).to_be_bytes()
}

/// Key of a record that has no sequence number: one that is replaced when it changes.
pub(super) fn own_key(kind: RecordKind, id: &[u8; 32]) -> Option<Vec<u8>> {
    match kind {
        RecordKind::Meta => Some(meta_key(id).to_vec()),
        RecordKind::Base => Some(base_key(id).to_vec()),
        _ => None,
    }
}

pub(super) fn sequence_of(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// Options of the whole database.
pub(super) fn database_options() -> Options {
    let mut options = Options::default();
    options.set_db_write_buffer_size(STORE_WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(STORE_WAL_BYTES);
    options.set_max_open_files(STORE_OPEN_FILES);
    options.set_max_background_jobs(2);
    options.set_paranoid_checks(true);
    // A write cut short by a kill is dropped from the end. Damage anywhere else is an error; RocksDB's default would
    // silently drop everything after it.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(STORE_LOG_BYTES);
    options
}

/// All families, with one shared cache.
pub(super) fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(STORE_CACHE_BYTES);
    let described = |name: &&str| ColumnFamilyDescriptor::new(*name, family_options(&cache, name));
    FAMILIES.iter().map(described).collect()
}

fn family_options(cache: &Cache, name: &str) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    if name == INDEX {
        // Most lookups are for proofs that the node has never seen.
        table.set_bloom_filter(10.0, false);
    }
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(STORE_WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(2);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}
