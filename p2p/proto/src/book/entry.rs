//! What is known of one node.

use crate::limits::{FAILURES, HORIZON_S, RECORD_CLOCK_S, RETRIES};
use crate::netgroup::Netgroup;
use crate::record::{Address, Checked};

/// Time after a dial within which a node is not terrible, seconds: its answer may still come.
const GRACE_S: u64 = 60;

/// Time after a dial within which another one is unlikely, seconds.
const AGAIN_S: u64 = 600;

/// A week, seconds.
const WEEK_S: u64 = 7 * 86_400;

/// The table that a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    New,
    Tried,
}

/// What is known of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) record: Checked,
    /// The address that its place follows from.
    pub(super) at: Address,
    /// Netgroup of the peer that told of it first.
    pub(super) source: Netgroup,
    pub(super) table: Table,
    pub(super) place: usize,
    /// The address at which it was reached last.
    pub(super) reached: Option<Address>,
    /// Dials since it was reached last.
    pub(super) attempts: u32,
    /// Unix time of the last dial, 0 if there was none.
    pub(super) last_try_s: u64,
    /// Unix time at which it was reached last, 0 if it never was.
    pub(super) last_success_s: u64,
}

impl Entry {
    pub(super) const fn new(record: Checked, at: Address, source: Netgroup, place: usize) -> Self {
        let (attempts, last_try_s, last_success_s) = (0, 0, 0);
        Self { record, at, source, table: Table::New, place, reached: None, attempts, last_try_s, last_success_s }
    }

    /// The node's record.
    #[must_use]
    pub const fn record(&self) -> &Checked {
        &self.record
    }

    /// Dials since it was reached last.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Unix time of the last dial, 0 if there was none.
    #[must_use]
    pub const fn last_try_s(&self) -> u64 {
        self.last_try_s
    }

    /// True if it is in the table of nodes that were reached.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        self.table == Table::Tried
    }

    /// Addresses to dial: the one that worked last, then those of its record.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        let told = self.record.addresses.iter().filter(|address| Some(**address) != self.reached);
        self.reached.iter().chain(told)
    }

    /// True if it is not worth its place, as Bitcoin Core's `AddrInfo::IsTerrible`. Only the node itself can renew its
    /// signature, so the age of that stands for the last sign of life.
    #[must_use]
    pub fn is_terrible(&self, now_s: u64) -> bool {
        let since = |time_s: u64| now_s.saturating_sub(time_s);
        if self.last_try_s > 0 && since(self.last_try_s) <= GRACE_S {
            return false;
        }
        let seen_s = self.record.signed_at_s.max(self.last_success_s);
        seen_s > now_s.saturating_add(RECORD_CLOCK_S)
            || since(seen_s) > HORIZON_S
            || (self.last_success_s == 0 && self.attempts >= RETRIES)
            || (since(self.last_success_s) > WEEK_S && self.attempts >= FAILURES)
    }

    /// Chance to be taken once it is drawn, parts per million, as Bitcoin Core's `AddrInfo::GetChance`: two thirds of it
    /// remain after each failure, and one in a hundred right after a dial.
    pub(super) fn chance_ppm(&self, now_s: u64) -> u64 {
        let base = if now_s.saturating_sub(self.last_try_s) < AGAIN_S { 10_000 } else { 1_000_000 };
        (0..self.attempts.min(8)).fold(base, |chance, _| chance * 66 / 100)
    }
}
