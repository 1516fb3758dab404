//! Waits until all databases are closed.
//!
//! When a process ends, RocksDB removes its static objects. A thread that closes or reads a database then locks a mutex that
//! is gone, and RocksDB aborts the process.

use std::sync::{Arc, LazyLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(2);

static OPEN: LazyLock<Arc<()>> = LazyLock::new(Arc::default);

/// Exists as long as a database is open.
#[derive(Debug)]
pub(super) struct Open(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Open {
    pub(super) fn new() -> Self {
        Self(Arc::clone(&OPEN))
    }
}

/// Waits until no [`Store`](super::Store) of this process is open, for `limit` at most. Returns whether that is so.
#[must_use]
pub fn wait_until_closed(limit: Duration) -> bool {
    let began = Instant::now();
    while Arc::strong_count(&OPEN) > 1 {
        if began.elapsed() >= limit {
            return false;
        }
        sleep(LOOK);
    }
    true
}
