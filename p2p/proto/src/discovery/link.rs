//! A connected peer.

use crate::limits::{RECORDS_BURST, RECORDS_PER_S_MILLI, RECORDS_WAITING_MAX};
use crate::netgroup::Netgroup;
use crate::record::{Address, Checked, Record, Scope};
use crate::time::Millis;

/// Pause before a peer that did not answer about records is greeted again, milliseconds. Doubles with each failure, up
/// to [`REGREET_MS_MAX`]. A peer also refuses if others at the same address have asked too often.
const REGREET_MS: u64 = 10_000;

/// Maximum pause before a peer is greeted again, milliseconds.
const REGREET_MS_MAX: u64 = 300_000;

/// Origin of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The peer dialed this node.
    Inbound,
    /// The operator or mDNS named the peer.
    Manual,
    /// The node chose the peer from its book.
    Automatic,
    /// The node asked a seed.
    Seed,
}

impl LinkKind {
    /// True if the node chose the peer itself.
    #[must_use]
    pub const fn is_automatic(self) -> bool {
        matches!(self, Self::Automatic | Self::Seed)
    }
}

/// A connected peer.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) kind: LinkKind,
    pub(super) address: Option<Address>,
    /// Local scope of the peer's address, if it is a local peer.
    local: Option<Scope>,
    /// True if the peer has sent a local address itself, so that it also considers this node local.
    pub(super) showed_local: bool,
    pub(super) since: Millis,
    /// When it last delivered something new.
    pub(super) useful_at: Millis,
    /// True while requested records are outstanding.
    pub(super) is_asked: bool,
    /// True for a peer that this node dialed and has not greeted yet.
    pub(super) is_new: bool,
    /// When to greet it.
    pub(super) greet_from: Millis,
    /// Consecutive greetings without an answer.
    failures: u32,
    /// When the peer got this node's record, if it should be asked once it has read it.
    pub(super) greeted_at: Option<Millis>,
    /// Records to send to it.
    pub(super) waiting: Vec<Checked>,
    /// Thousandths of records that it may still send unasked, and since when.
    allowance_milli: u64,
    allowance_at: Millis,
}

impl Link {
    pub(super) fn new(kind: LinkKind, address: Option<Address>, tells_local: bool, now: Millis) -> Self {
        let scope = address.as_ref().and_then(Address::scope);
        Self {
            kind,
            address,
            local: scope.filter(|scope| tells_local && *scope != Scope::Public),
            showed_local: kind != LinkKind::Inbound,
            since: now,
            useful_at: now,
            is_asked: kind != LinkKind::Inbound,
            is_new: kind != LinkKind::Inbound,
            greet_from: now,
            failures: 0,
            greeted_at: None,
            waiting: Vec::new(),
            allowance_milli: RECORDS_BURST * 1_000,
            allowance_at: now,
        }
    }

    /// Netgroup of the peer. Peers without an address that a record can have count as one netgroup.
    pub(super) fn netgroup(&self) -> Netgroup {
        self.address.map_or(Netgroup::Local, |address| address.netgroup())
    }

    /// Scopes of the addresses that the peer may get. An inbound peer may seem local because a proxy on this machine or
    /// a container's network is in between, so it gets nothing local before it has shown that it considers this node
    /// local.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        let local = self.local.filter(|_| self.showed_local);
        local.into_iter().chain([Scope::Public]).collect()
    }

    /// The narrowest scope that the peer may get.
    pub(super) fn scope(&self) -> Scope {
        self.scopes().into_iter().min().unwrap_or(Scope::Public)
    }

    /// True if the peer may know the record: local addresses come from local peers only.
    pub(super) fn may_bring(&self, record: &Record) -> bool {
        let may = |scope: Option<Scope>| scope == Some(Scope::Public) || (scope.is_some() && scope == self.local);
        record.addresses.iter().all(|address| may(address.scope()))
    }

    /// True if the peer may get the record.
    pub(super) fn may_be_told(&self, record: &Record) -> bool {
        let scopes = self.scopes();
        record.addresses.iter().all(|address| address.scope().is_some_and(|scope| scopes.contains(&scope)))
    }

    /// Handles a missing answer about records: a peer that this node dialed is greeted again after a pause.
    pub(super) fn not_answered(&mut self, now: Millis) {
        if self.kind != LinkKind::Inbound {
            let pause_ms = REGREET_MS.checked_shl(self.failures.min(32)).unwrap_or(u64::MAX).min(REGREET_MS_MAX);
            self.failures = self.failures.saturating_add(1);
            self.is_new = true;
            self.greeted_at = None;
            self.greet_from = now.plus(pause_ms);
        }
    }

    /// Records an answer. Returns whether one was outstanding.
    pub(super) fn answered(&mut self) -> bool {
        self.failures = 0;
        std::mem::take(&mut self.is_asked)
    }

    /// Counts a record that the peer sent unasked. Returns whether to judge it.
    pub(super) fn takes_one(&mut self, now: Millis) -> bool {
        let inflow = now.since(self.allowance_at).saturating_mul(RECORDS_PER_S_MILLI) / 1_000;
        if inflow > 0 {
            self.allowance_milli = self.allowance_milli.saturating_add(inflow).min(RECORDS_BURST * 1_000);
            self.allowance_at = now;
        }
        let rest = self.allowance_milli.checked_sub(1_000);
        self.allowance_milli = rest.unwrap_or(self.allowance_milli);
        rest.is_some()
    }

    /// Queues a record for the peer, in place of an older one of the same node.
    pub(super) fn wait(&mut self, record: &Checked) {
        if let Some(older) = self.waiting.iter_mut().find(|older| older.peer == record.peer) {
            *older = record.clone();
        } else if self.waiting.len() < RECORDS_WAITING_MAX {
            self.waiting.push(record.clone());
        }
    }
}
