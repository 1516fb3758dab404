//! Discovery: which nodes this node dials on its own, and the exchange of node records.
//!
//! A pure state machine: the owner of the sockets reports connections and records to it, calls [`Discovery::tick`] a
//! few times a second, and executes its outputs. It keeps [`OUTBOUND_TARGET`] outbound connections, no two in one
//! netgroup, not counting those that the operator or mDNS named. See decision 0041.
//!
//! ```text
//! link.rs    a connected peer
//! own.rs     this node's own addresses, and its record
//! plan.rs    which nodes to dial, and which to drop
//! tell.rs    records in and out
//! tried.rs   recently dialed hosts
//! ```

mod link;
mod own;
mod plan;
mod tell;
mod tried;

use std::collections::{BTreeMap, VecDeque};

use ed25519_dalek::SigningKey;

use crate::book::Book;
use crate::limits::{ANCHORS, DIAL_TIMEOUT_MS, OUTBOUND_TARGET, SEEDS_MAX};
use crate::peer::PeerId;
use crate::record::{Address, Checked, Record};
use crate::time::Millis;
use link::Link;
pub use link::LinkKind;
pub use own::{OwnAddresses, OwnSource};
use tried::TriedHosts;

/// The time by two clocks. Only the first never goes back; records need the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Time since an arbitrary start.
    pub at: Millis,
    /// Seconds since 1970.
    pub unix_s: u64,
}

/// Identifies a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialId(pub u64);

/// Purpose of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To stay connected.
    Outbound,
    /// To test whether it runs, and disconnect.
    Feeler,
    /// To get the addresses of other nodes.
    Seed,
}

/// A seed: a node to ask if the book gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Its address, a multiaddr, which may have a DNS name.
    pub address: String,
    /// Its identity, if known.
    pub peer: Option<PeerId>,
}

/// An action for the owner of the sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Dial an address, and report [`Discovery::dialed`] or [`Discovery::dial_failed`].
    Dial {
        /// Id of the dial.
        id: DialId,
        /// The expected peer; any if unknown.
        peer: Option<PeerId>,
        /// The address, a multiaddr without a peer id.
        address: String,
        /// Purpose of the dial.
        purpose: Purpose,
    },
    /// Close all connections with a peer.
    Disconnect(PeerId),
    /// Ask a peer for records.
    Ask(PeerId),
    /// Send records to a peer.
    Tell(PeerId, Vec<Record>),
    /// Look up the DNS seeds, and report [`Discovery::seeds_found`].
    LookUpSeeds,
}

/// Settings of a node.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node's identity key, which signs its record.
    pub key: SigningKey,
    /// Consensus id of the pool.
    pub pool: [u8; 32],
    /// Name and version of the program.
    pub user_agent: String,
    /// True if the node discovers others, and lets itself be discovered.
    pub is_on: bool,
    /// True if local peers get local addresses.
    pub tells_local: bool,
    /// Seeds of the configuration and the release.
    pub seeds: Vec<Seed>,
    /// True if there are DNS seeds.
    pub has_dns_seeds: bool,
}

#[derive(Clone, Copy, Debug)]
struct Dialing {
    peer: Option<PeerId>,
    address: Option<Address>,
    purpose: Purpose,
    since: Millis,
}

/// Numbers for display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Nodes in the book that were never reached.
    pub book_new: usize,
    /// Nodes in the book that were reached.
    pub book_tried: usize,
    /// Outbound connections that the node chose itself.
    pub outbound: usize,
    /// Target number of outbound connections; 0 if discovery is off.
    pub outbound_target: usize,
}

/// The state machine.
#[derive(Debug)]
pub struct Discovery {
    setup: Setup,
    local: PeerId,
    book: Book,
    own: OwnAddresses,
    links: BTreeMap<PeerId, Link>,
    dials: BTreeMap<DialId, Dialing>,
    /// Connected peers that were dialed, and whose network is not known yet.
    connecting: BTreeMap<PeerId, Dialing>,
    tried: TriedHosts,
    next_dial: u64,
    outputs: VecDeque<Output>,
    /// Anchors still to dial after the start.
    anchors: Vec<PeerId>,
    timers: plan::Timers,
    is_stale: bool,
    /// Cached answers to requests for records, by narrowest scope, and when each was made.
    samples: BTreeMap<crate::record::Scope, (Millis, Vec<Checked>)>,
}

impl Discovery {
    /// Starts with a book, which may be empty.
    #[must_use]
    pub fn new(mut setup: Setup, book: Book, now: Now) -> Self {
        setup.seeds.truncate(SEEDS_MAX);
        let local = PeerId(setup.key.verifying_key().to_bytes());
        let is_fresh = book.counts() == (0, 0) && (setup.has_dns_seeds || !setup.seeds.is_empty());
        Self {
            local,
            own: OwnAddresses::default(),
            anchors: book.anchors().to_vec(),
            book,
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            connecting: BTreeMap::new(),
            tried: TriedHosts::default(),
            next_dial: 0,
            outputs: VecDeque::new(),
            timers: plan::Timers::new(now.at, is_fresh),
            is_stale: false,
            samples: BTreeMap::new(),
            setup,
        }
    }

    /// The address book.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// This node's own addresses. Changes are announced at the next tick.
    pub const fn own_mut(&mut self) -> &mut OwnAddresses {
        &mut self.own
    }

    /// Numbers for display.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let (book_new, book_tried) = self.book.counts();
        let outbound_target = if self.setup.is_on { OUTBOUND_TARGET } else { 0 };
        Numbers { book_new, book_tried, outbound: self.outbound(), outbound_target }
    }

    /// Connected peers that the node chose itself.
    pub fn outbound_peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.links.iter().filter(|(_, link)| link.kind.is_automatic()).map(|(peer, _)| *peer)
    }

    /// Number of peers that this node or its operator chose.
    fn chosen(&self) -> usize {
        self.links.values().filter(|link| link.kind != LinkKind::Inbound).count()
    }

    fn outbound(&self) -> usize {
        self.outbound_peers().count()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Records that a dial led to a connection with a peer. [`Discovery::opened`] follows once its network is known.
    pub fn dialed(&mut self, id: DialId, peer: PeerId) {
        // A peer that dialed this node at the same moment is connected already.
        if let Some(dialing) = self.dials.remove(&id).filter(|_| !self.links.contains_key(&peer)) {
            self.connecting.insert(peer, dialing);
        }
    }

    /// Records that a dial failed.
    pub fn dial_failed(&mut self, id: DialId) {
        self.dials.remove(&id);
    }

    /// Records that a peer of this pool is connected. `address` is the one dialed, or the one from which it dialed this
    /// node; `None` if a record cannot have it.
    pub fn opened(&mut self, peer: PeerId, address: Option<Address>, inbound: bool, now: Now) {
        let dialing = self.connecting.remove(&peer).filter(|_| !inbound);
        if let (false, Some(address)) = (inbound, &address) {
            self.book.reached(&peer, address, now.unix_s);
            self.tried.reached(address);
        }
        let kind = match dialing.map(|dialing| dialing.purpose) {
            Some(Purpose::Outbound) => LinkKind::Automatic,
            Some(Purpose::Seed) => LinkKind::Seed,
            Some(Purpose::Feeler) => return self.outputs.push_back(Output::Disconnect(peer)),
            None if inbound => LinkKind::Inbound,
            None => LinkKind::Manual,
        };
        if !self.setup.is_on {
            return;
        }
        self.links.insert(peer, Link::new(kind, address, self.setup.tells_local, now.at));
        if kind == LinkKind::Inbound {
            self.tell_own(peer);
        } else {
            self.greet(now);
        }
    }

    /// Records that a direct connection with a peer opened. It replaces one through a relay.
    pub fn opened_directly(&mut self, peer: PeerId, address: Address) {
        let relayed = |link: &&mut Link| link.address.is_some_and(|address| address.relay.is_some());
        if let Some(link) = self.links.get_mut(&peer).filter(relayed) {
            link.address = Some(address);
        }
    }

    /// Records that the last connection with a peer closed.
    pub fn closed(&mut self, peer: PeerId) {
        self.connecting.remove(&peer);
        self.links.remove(&peer);
    }

    /// Records that a peer belongs to another pool.
    pub fn other_pool(&mut self, peer: PeerId) {
        self.book.remove(&peer);
    }

    /// Records that a peer delivered something new and valid.
    pub fn useful(&mut self, peer: PeerId, now: Now) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.useful_at = now.at;
        }
    }

    /// Records whether the pool's tip is stale. If it is, the node looks for better peers.
    pub fn set_stale(&mut self, is_stale: bool) {
        self.is_stale = is_stale;
    }

    /// Adds what the DNS seeds answered.
    pub fn seeds_found(&mut self, found: impl IntoIterator<Item = Seed>) {
        for seed in found {
            if self.setup.seeds.len() < 2 * SEEDS_MAX && !self.setup.seeds.contains(&seed) {
                self.setup.seeds.push(seed);
            }
        }
        self.timers.seeds_came();
    }

    /// Performs due actions. `may_dial` says whether an address can be dialed, and is neither blocked nor banned.
    pub fn tick(&mut self, now: Now, may_dial: &dyn Fn(&PeerId, &Address) -> bool) {
        if !self.setup.is_on {
            return;
        }
        self.dials.retain(|_, dialing| now.at.since(dialing.since) < DIAL_TIMEOUT_MS);
        self.renew_own(now);
        self.tell_waiting(now);
        self.ask_now_and_then(now);
        self.book.settle_collisions(now.unix_s);
        self.note_anchors(now);
        self.rotate(now);
        self.dial_next(now, may_dial);
        self.feel(now, may_dial);
        self.ask_seeds(now);
    }

    /// The oldest connections become anchors; earlier anchors stay while there are too few connections.
    fn note_anchors(&mut self, now: Now) {
        if !self.timers.anchors_due(now.at) {
            return;
        }
        let mut oldest: Vec<(Millis, PeerId)> = self.automatic().map(|(peer, link)| (link.since, *peer)).collect();
        oldest.sort();
        let mut anchors: Vec<PeerId> = oldest.into_iter().map(|(_, peer)| peer).take(ANCHORS).collect();
        let earlier: Vec<_> = self.book.anchors().iter().filter(|peer| !anchors.contains(peer)).copied().collect();
        anchors.extend(earlier);
        self.book.set_anchors(anchors);
    }

    fn automatic(&self) -> impl Iterator<Item = (&PeerId, &Link)> {
        self.links.iter().filter(|(_, link)| link.kind == LinkKind::Automatic)
    }
}

#[cfg(test)]
mod tests;
