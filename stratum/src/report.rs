//! What a session publishes about itself for the statistics.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::difficulty::Difficulty;
use crate::meter::Meter;
use crate::pool::Account;
use crate::totals::Totals;

/// Protocol of a device, and its kind of channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Stratum v1.
    #[default]
    V1,
    /// A standard channel of Stratum v2, whose device sees no coinbase.
    V2Standard,
    /// An extended channel of Stratum v2.
    V2Extended,
}

impl Protocol {
    /// Its name in the statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2Standard => "v2_standard",
            Self::V2Extended => "v2_extended",
        }
    }
}

/// A session's state for the statistics. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// Authorized user names in order of authorization, without blanks around the parts.
    pub(crate) workers: Arc<[Arc<str>]>,
    /// The account that the pool returned for these user names. `None` before the first accepted login.
    pub(crate) account: Option<Account>,
    /// User agent without control characters. Empty if the miner sent none.
    pub(crate) agent: Arc<str>,
    pub(crate) protocol: Protocol,
    /// Size of the newest job's coinbase, in bytes. `None` before the first job.
    pub(crate) coinbase_bytes: Option<usize>,
    /// Longest coinbase that the device can hold, in bytes. `None` if no limit is known.
    pub(crate) coinbase_bytes_max: Option<usize>,
    /// Difficulty of the newest job. `None` before the first job.
    pub(crate) difficulty: Option<Difficulty>,
    pub(crate) totals: Totals,
    pub(crate) meter: Meter,
    /// When the connection opened.
    pub(crate) opened: Instant,
    /// When the server last accepted a submission.
    pub(crate) last_share: Option<Instant>,
}

impl Report {
    /// Creates the report of a connection that opens at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            workers: Arc::new([]),
            account: None,
            agent: "".into(),
            protocol: Protocol::V1,
            coinbase_bytes: None,
            coinbase_bytes_max: None,
            difficulty: None,
            totals: Totals::default(),
            meter: Meter::new(now),
            opened: now,
            last_share: None,
        }
    }
}
