//! The only place where the node reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use sharechain::Timestamp;

/// Current time by this machine's clock, seconds since 1970. Returns 0 for a clock before 1970, and `u32::MAX` for one
/// after 2106.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}

/// Current time by this machine's clock, nanoseconds since 1970. Returns 0 for a clock before 1970.
#[must_use]
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
