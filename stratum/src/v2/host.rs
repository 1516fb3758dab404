//! What a session shares with the rest of its server: the same pool, limits and statistics as those of v1.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::admission::{Admission, Full, Ticket};
use crate::agents::CoinbaseLimits;
use crate::budgets::Budgets;
use crate::difficulty::DifficultyRange;
use crate::extranonce::{Extranonces, Lease};
use crate::learnt::Learnt;
use crate::limits;
use crate::paces::Paces;
use crate::pool::Pool;
use crate::report::Report;
use crate::session::Timeouts;
use crate::stats::{OpenSlot, Stats};

/// A server as its sessions see it.
pub(crate) struct Host {
    pub(crate) pool: Arc<dyn Pool>,
    pub(crate) extranonces: Arc<Extranonces>,
    pub(crate) admission: Arc<Admission>,
    /// Messages that no work pays for, by address.
    pub(crate) messages: Arc<Budgets>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) learnt: Arc<Learnt>,
    /// The difficulties of devices that left.
    pub(crate) paces: Arc<Paces>,
    /// The miner's address.
    pub(crate) peer: SocketAddr,
    pub(crate) difficulty: DifficultyRange,
    pub(crate) coinbase_limits: CoinbaseLimits,
    pub(crate) timeouts: Timeouts,
}

/// The place of a channel: it counts as a connection, but for the one that has its connection's own place.
pub(super) struct Seat {
    pub(super) lease: Lease,
    pub(super) slot: OpenSlot,
    paces: Arc<Paces>,
    ip: IpAddr,
    _ticket: Option<Ticket>,
}

impl Seat {
    /// Notes the difficulty that fitted the device on its channel, for when it comes back.
    pub(super) fn note(&self, agent: &str, worker: &str, difficulty: f64) {
        self.paces.note((self.ip, agent, worker), difficulty);
    }
}

impl Host {
    /// A server with one session, for tests.
    pub(super) fn alone(pool: Arc<dyn Pool>) -> Self {
        Self {
            pool,
            extranonces: Extranonces::new(),
            admission: Admission::new(limits::CONNECTIONS_MAX, limits::CONNECTIONS_PER_IP_MAX),
            messages: Arc::new(Budgets::new(limits::ADDRESS_MESSAGES_BURST, limits::ADDRESS_MESSAGES_PER_SECOND)),
            stats: Arc::default(),
            learnt: Arc::default(),
            paces: Arc::default(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            difficulty: DifficultyRange::default(),
            coinbase_limits: CoinbaseLimits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// Takes the places of a channel. `is_only` says that its connection has no other one, so that this one has the place that
    /// the connection took.
    ///
    /// # Errors
    /// The server is full, or the miner's address has too many connections.
    pub(super) fn seat(&self, report: Report, is_only: bool) -> Result<Seat, Full> {
        let ticket = if is_only {
            None
        } else {
            let mut ticket = self.admission.admit()?;
            ticket.count_for(self.peer.ip())?;
            Some(ticket)
        };
        Ok(Seat {
            lease: self.extranonces.issue(),
            slot: self.stats.open(self.peer, report),
            paces: Arc::clone(&self.paces),
            ip: self.ip(),
            _ticket: ticket,
        })
    }

    /// The miner's address, as IPv4 if it is one.
    pub(super) fn ip(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }
}
