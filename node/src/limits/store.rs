//! Bounds of the database and the history.

/// Maximum size of one database record, bytes. A Bitcoin block has up to 4 MB.
pub const RECORD_BYTES_MAX: usize = 5 << 20;

/// Rejections kept, newest first: a day of them at a high rate (one every 2 s), about 20 MB on disk.
pub const REFUSALS_MAX: usize = 50_000;

/// Size of RocksDB's block cache, which also holds indexes and filters, bytes.
pub const STORE_CACHE_BYTES: usize = 8 << 20;

/// Size of a write buffer, bytes. Each column family has at most two. A node of the test network writes 0.2 MB per
/// minute, a mainnet node a fraction of that.
pub const STORE_WRITE_BUFFER_BYTES: usize = 1 << 20;

/// Size of all write buffers together, bytes. It is small because the chain in memory already holds their content.
pub const STORE_WRITE_BUFFERS_BYTES: usize = 4 << 20;

/// Maximum size of the write-ahead log, which is replayed after a crash, bytes.
pub const STORE_WAL_BYTES: u64 = 16 << 20;

/// Table files that RocksDB keeps open. Each costs a descriptor and some memory for its footer.
pub const STORE_OPEN_FILES: i32 = 64;

/// Size of each of RocksDB's two log files, bytes.
pub const STORE_LOG_BYTES: usize = 1 << 20;

/// Rows of the history checked for removal at a time, besides [`SWEPT_ROWS_A_RECORD`] for each indexed record. The pool
/// finds three or four shares a second, so one pass over the five million rows of main's window takes half a day.
pub const SWEPT_ROWS: usize = 64;

/// Rows checked for removal per indexed record, in addition to [`SWEPT_ROWS`]. A record adds at most about ten rows, so
/// removal keeps up at any pace.
pub const SWEPT_ROWS_A_RECORD: usize = 32;

/// Maximum number of rows checked in one step, which takes a few milliseconds.
pub const SWEPT_ROWS_MAX: usize = 4_096;
