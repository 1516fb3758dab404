//! The data of one node.

use crate::limits::{FAILURES, HORIZON_S, RECORD_CLOCK_S, RETRIES};
use crate::netgroup::Netgroup;
use crate::record::{Address, Checked};

/// How long after a dial a node is not terrible, seconds: its answer may still come.
const GRACE_S: u64 = 60;

/// How long after a dial another one is unlikely, seconds.
const AGAIN_S: u64 = 600;

/// A week, seconds.
const WEEK_S: u64 = 7 * 86_400;

/// The table that a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    New,
    Tried,
}

/// The data of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) record: Checked,
    /// The address that determines its place.
    pub(super) at: Address,
    /// Netgroup of the peer that first named it.
    pub(super) source: Netgroup,
    pub(super) table: Table,
    pub(super) place: usize,
    /// The address at which it was last reached.
    pub(super) reached: Option<Address>,
    /// Dials since it was last reached.
    pub(super) attempts: u32,
    /// Unix time of the last dial, 0 if there was none.
    pub(super) last_try_s: u64,
    /// Unix time at which it was last reached, 0 if it never was.
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

    /// Dials since it was last reached.
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

    /// True if it does not deserve its place, like Bitcoin Core's `AddrInfo::IsTerrible`. Only the node itself can
    /// renew its signature, so the signature's age tells when it was last alive.
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

    /// Chance of acceptance once it is drawn, parts per million, like Bitcoin Core's `AddrInfo::GetChance`: each
    /// failure leaves two thirds of it, and a recent dial a hundredth.
    pub(super) fn chance_ppm(&self, now_s: u64) -> u64 {
        let base = if now_s.saturating_sub(self.last_try_s) < AGAIN_S { 10_000 } else { 1_000_000 };
        (0..self.attempts.min(8)).fold(base, |chance, _| chance * 66 / 100)
    }
}
