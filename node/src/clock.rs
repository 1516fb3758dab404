//! The one place where the node reads the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use sharechain::Timestamp;

/// Seconds since 1970 by this machine's clock; 0 for a clock before that, the end of 32 bits for one after 2106.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}
