//! Bounds on reachability: proxies, dial-backs, relays, and hole punching.

/// Time within which a connection must be established, handshakes included, milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;

/// Time within which the SOCKS5 proxy must connect, milliseconds. Building a circuit to an onion service takes Tor up to
/// a minute.
pub const PROXY_TIMEOUT_MS: u64 = 60_000;

/// Maximum number of inbound connections through this node's onion service. They have no address to which limits could
/// apply, so they get a third of [`INBOUND_MAX`](super::INBOUND_MAX).
pub const ONION_INBOUND_MAX: usize = 32;

/// Maximum number of inbound connections through relays. They have no address to which limits could apply, and end when
/// a hole is punched or the circuit's time is over.
pub const RELAYED_INBOUND_MAX: usize = 8;

/// Maximum number of own addresses that peers of one netgroup can report: IPv4 and IPv6, TCP and QUIC.
pub const OBSERVED_PER_NETGROUP_MAX: usize = 4;

/// Maximum number of netgroups whose reports of own addresses are kept; more than outbound connections.
pub const OBSERVERS_MAX: usize = 64;

/// Maximum number of hosts that a peer can name to punch a hole: one IPv4 address and one IPv6 network.
pub const HOLE_HOSTS_MAX: usize = 2;

/// Time until the first dial-back is requested, milliseconds: some peers are connected by then.
pub const DIAL_BACK_FIRST_MS: u64 = 5_000;

/// Interval between dial-back requests until three peers agree, milliseconds.
pub const DIAL_BACK_RETRY_MS: u64 = 15_000;

/// Interval between dial-back requests once three peers agree, milliseconds.
pub const DIAL_BACK_REFRESH_MS: u64 = 900_000;

/// Pause before the same peer is asked for another dial-back, milliseconds. Also the period of the limits on dial-backs
/// for others.
pub const DIAL_BACK_PERIOD_MS: u64 = 60_000;

/// Maximum number of dial-backs for all peers together within [`DIAL_BACK_PERIOD_MS`]: each costs a handshake.
pub const DIAL_BACKS_MAX: usize = 30;

/// Maximum number of dial-backs for one peer within [`DIAL_BACK_PERIOD_MS`].
pub const DIAL_BACKS_PER_PEER_MAX: usize = 2;

/// Maximum number of addresses tried in one dial-back, one after the other, all at the peer's host: a port over TCP and
/// QUIC. Each takes up to [`CONNECT_TIMEOUT_MS`], and the peer waits for 30 s.
pub const DIAL_BACK_ADDRESSES_MAX: usize = 2;

/// How long a dial-back counts, milliseconds: four times the refresh interval.
pub const CONFIRMED_MS: u64 = 4 * DIAL_BACK_REFRESH_MS;

/// Maximum number of own addresses that count as confirmed.
pub const CONFIRMED_MAX: usize = 16;

/// Maximum number of relays at which a node without a public address reserves a place, each in another netgroup.
pub const RELAYS_MAX: usize = 2;

/// Time after the start when a node that no dial-back has reached reserves places at relays, milliseconds.
pub const RELAY_WAIT_MS: u64 = 60_000;

/// Pause after a relay refused or ended a reservation before the next one is tried, milliseconds.
pub const RELAY_PAUSE_MS: u64 = 30_000;

/// Maximum number of reservations that a public node grants. Each keeps one inbound connection open, of
/// [`INBOUND_MAX`](super::INBOUND_MAX).
pub const RESERVATIONS_MAX: usize = 32;

/// Maximum number of reservations of one host.
pub const RESERVATIONS_PER_HOST_MAX: usize = 2;

/// Maximum number of reservations of one netgroup.
pub const RESERVATIONS_PER_NETGROUP_MAX: usize = 8;

/// How long a reservation lasts, seconds. The peer renews it before that.
pub const RESERVATION_S: u64 = 3_600;

/// Maximum number of circuits that a relay carries at once. Each copies through two buffers of 8 KiB.
pub const CIRCUITS_MAX: usize = 16;

/// Maximum number of circuits that one host may open within [`CIRCUIT_S`], and so the maximum that it has at once.
pub const CIRCUITS_PER_HOST_MAX: usize = 4;

/// Maximum number of circuits that one netgroup may open within [`CIRCUIT_S`].
pub const CIRCUITS_PER_NETGROUP_MAX: usize = 8;

/// Maximum number of circuits that all peers may open within [`CIRCUIT_S`], however short each is.
pub const CIRCUIT_STARTS_MAX: usize = 64;

/// Maximum duration of a circuit, seconds: a hole is punched within seconds.
pub const CIRCUIT_S: u64 = 120;

/// Maximum number of bytes that a circuit carries in each direction, so that a relay carries at most 140 kB/s. The
/// shares of its two minutes take less than 100 kB.
pub const CIRCUIT_BYTES_MAX: u64 = 1 << 20;
