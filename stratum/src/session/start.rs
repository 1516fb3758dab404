//! The parameters of a new session.

use std::time::{Duration, Instant};

use crate::agents::CoinbaseLimits;
use crate::difficulty::DifficultyRange;
use crate::limits;
use crate::pool::EXTRANONCE1_BYTES;

/// Parameters of a new session.
#[derive(Clone, Debug)]
pub struct Start {
    /// Extranonce1 of the connection, unless the miner resumes an earlier one. It must be unique, or two miners repeat
    /// each other's work.
    pub extranonce1: [u8; EXTRANONCE1_BYTES],
    /// Id of the first job. Later ids count up and wrap around.
    pub first_job_id: u32,
    /// Difficulties of the miner's jobs.
    pub difficulty: DifficultyRange,
    /// What the operator knows of programs.
    pub coinbase_limits: CoinbaseLimits,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// What the server offers to a miner that subscribes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// The earlier extranonce, if the miner wants it and may have it.
    pub resumed: Option<Resumed>,
    /// Bytes of the coinbases of the present work. `None` if unknown.
    pub coinbase_bytes: Option<usize>,
    /// The longest coinbase that this device can hold, in bytes, as the server learned from it before.
    pub coinbase_bytes_learnt: Option<usize>,
}

/// The extranonce of an earlier connection, for a miner that resumes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Extranonce1 of the earlier connection, which has closed.
    pub extranonce1: [u8; EXTRANONCE1_BYTES],
    /// [`Session::last_job_time`](super::Session::last_job_time) of the earlier session: later jobs have later times.
    pub last_job_time: u32,
}

/// Deadlines of a connection. [`crate::limits`] has the defaults and the reasons.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Time from connecting to both subscribe and authorize.
    pub handshake: Duration,
    /// Longest interval without a line from the miner.
    pub idle: Duration,
    /// Time from the first byte of a line to its end. The caller enforces this one.
    pub partial_line: Duration,
    /// Time to write one batch of lines. The caller enforces this one.
    pub write: Duration,
    /// Longest interval without a job for the miner. After it, the session repeats the newest one.
    pub keepalive: Duration,
    /// Time over which devices that are to rest are disconnected.
    pub rest_spread: Duration,
}

impl Timeouts {
    /// Returns when a connection with this number leaves that is to rest from `now` on: spread evenly.
    pub(crate) fn leave_to_rest(&self, number: u64, now: Instant) -> Instant {
        let part = f64::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]) / 256.0;
        now + self.rest_spread.mul_f64(part)
    }

    /// Returns the interval at which to check the deadlines: an eighth of the shortest one, at most [`limits::TICK`].
    pub fn tick(&self) -> Duration {
        let Self { handshake, idle, partial_line, write: _, keepalive, rest_spread: _ } = *self;
        let shortest = handshake.min(idle).min(partial_line).min(keepalive);
        (shortest / 8).clamp(Duration::from_millis(1), limits::TICK)
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: limits::HANDSHAKE,
            idle: limits::IDLE,
            partial_line: limits::PARTIAL_LINE,
            write: limits::WRITE,
            keepalive: limits::KEEPALIVE,
            rest_spread: limits::REST_SPREAD,
        }
    }
}
