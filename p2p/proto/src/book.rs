//! The address book: known nodes of the pool, and which of them this node has reached.
//!
//! It is Bitcoin Core's `AddrMan` for signed records. Nodes known only from others are in the *new* table, nodes that
//! were reached in the *tried* table. Both are divided into buckets by a hash with a secret key. In the new table, the
//! netgroup that named a node limits it to a sixteenth of the buckets; in the tried table, the node's own netgroup
//! limits it to 4 of 128. A flood of records fills the places of its own netgroups, and no others. A node keeps its
//! place until it is gone. See decision 0041.
//!
//! ```text
//! entry.rs    the data of one node, and when it is terrible
//! places.rs   the place of a node in a table; random numbers
//! groups.rs   the nodes of each table by netgroup, for random draws
//! file.rs     the book as bytes for the disk, with a checksum
//! ```

mod entry;
mod file;
mod groups;
mod places;

use std::collections::{BTreeMap, BTreeSet};

pub use entry::Entry;
pub use file::BookError;

use crate::limits::{ANCHORS, COLLISIONS_MAX};
use crate::netgroup::Netgroup;
use crate::peer::PeerId;
use crate::record::{Address, Checked, Scope};
use entry::Table;
use groups::Groups;
use places::Places;

/// How long after a success a node keeps its place without a test, seconds: four hours, as in Bitcoin Core.
const REPLACEMENT_S: u64 = 4 * 3_600;

/// Time limit for testing a node's place, seconds: 40 minutes, as in Bitcoin Core.
const TEST_WINDOW_S: u64 = 40 * 60;

/// Time limit of a single test, seconds.
const TEST_S: u64 = 60;

/// Maximum number of draws in a selection. The chance of acceptance grows by a fifth with each: after 44, it is
/// certain.
const SELECT_DRAWS: u32 = 64;

/// Result of adding a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The node is new in the book.
    New,
    /// The node's record replaces an older one, signed this number of seconds before.
    Fresher(u64),
    /// The book already has this record, or a later one.
    Known,
    /// Its place belongs to a node that may still be alive.
    NoRoom,
    /// No node can be dialed at one of its addresses.
    Unroutable,
}

/// The address book.
#[derive(Clone, Debug)]
pub struct Book {
    places: Places,
    entries: BTreeMap<PeerId, Entry>,
    new: Vec<Option<PeerId>>,
    tried: Vec<Option<PeerId>>,
    tried_count: usize,
    groups: Groups,
    /// Nodes that were reached, but whose place in the tried table is taken.
    collisions: BTreeSet<PeerId>,
    /// The outbound peers that were connected longest, to be dialed first after a restart.
    anchors: Vec<PeerId>,
    /// Increases with each new node, each node reached for the first time, and each anchor.
    generation: u64,
}

impl Book {
    /// An empty book. `key` assigns nodes to places: it must be random, secret, and the same after a restart. `draws`
    /// is random and new at each start.
    #[must_use]
    pub fn new(key: [u8; 32], draws: [u8; 16]) -> Self {
        let places = Places::new(key, draws);
        Self {
            new: vec![None; places::NEW_LEN],
            tried: vec![None; places::TRIED_LEN],
            places,
            entries: BTreeMap::new(),
            tried_count: 0,
            groups: Groups::default(),
            collisions: BTreeSet::new(),
            anchors: Vec::new(),
            generation: 0,
        }
    }

    /// Numbers of nodes not reached yet, and of nodes reached.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.entries.len() - self.tried_count, self.tried_count)
    }

    /// A number that changes whenever the book should be written to disk soon.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// All nodes in the book.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.entries.keys()
    }

    /// The data of a node.
    #[must_use]
    pub fn entry(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.get(peer)
    }

    /// Adds a record, or replaces an older one of the same node. `source` is the netgroup of the peer that sent it.
    pub fn add(&mut self, record: Checked, source: Netgroup, now_s: u64) -> Added {
        let Some(at) = record.addresses.first().copied().filter(|_| record.scope().is_some()) else {
            return Added::Unroutable;
        };
        if let Some(entry) = self.entries.get_mut(&record.peer) {
            let Some(age_s @ 1..) = record.signed_at_s.checked_sub(entry.record.signed_at_s) else {
                return Added::Known;
            };
            entry.record = record;
            return Added::Fresher(age_s);
        }
        let place = self.places.new_place(&at, source);
        if !self.make_room(place, now_s) {
            return Added::NoRoom;
        }
        let peer = record.peer;
        self.put((Table::New, place), peer, at.netgroup());
        self.entries.insert(peer, Entry::new(record, at, source, place));
        self.generation = self.generation.wrapping_add(1);
        Added::New
    }

    fn put(&mut self, (table, place): (Table, usize), peer: PeerId, group: Netgroup) {
        self.groups.add(table, group, peer);
        let places = match table {
            Table::New => &mut self.new,
            Table::Tried => &mut self.tried,
        };
        if let Some(slot) = places.get_mut(place) {
            *slot = Some(peer);
        }
    }

    fn at(&self, (table, place): (Table, usize)) -> Option<PeerId> {
        let places = match table {
            Table::New => &self.new,
            Table::Tried => &self.tried,
        };
        places.get(place).copied().flatten()
    }

    /// True if a place of the new table is free. Removes a terrible node from it.
    fn make_room(&mut self, place: usize, now_s: u64) -> bool {
        let Some(there) = self.at((Table::New, place)) else { return true };
        if self.entries.get(&there).is_some_and(|entry| entry.is_terrible(now_s)) {
            self.remove(&there);
            return true;
        }
        false
    }

    /// Removes a node, for example because it belongs to another pool.
    pub fn remove(&mut self, peer: &PeerId) {
        let Some(entry) = self.entries.remove(peer) else { return };
        self.clear((entry.table, entry.place), peer, entry.at.netgroup());
        self.collisions.remove(peer);
    }

    fn clear(&mut self, (table, place): (Table, usize), peer: &PeerId, group: Netgroup) {
        self.groups.remove(table, group, peer);
        let places = match table {
            Table::New => &mut self.new,
            Table::Tried => {
                self.tried_count = self.tried_count.saturating_sub(1);
                &mut self.tried
            }
        };
        if let Some(slot) = places.get_mut(place) {
            *slot = None;
        }
    }

    /// Records a dial. `counts` says whether a failure counts against the node: it does not while this node itself has
    /// no connection.
    pub fn attempt(&mut self, peer: &PeerId, counts: bool, now_s: u64) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.last_try_s = now_s;
            entry.attempts = entry.attempts.saturating_add(u32::from(counts));
        }
    }

    /// Records that this node reached another one at an address. The node gets its place in the tried table, unless
    /// another node has it: then that one is tested first, see [`Book::to_test`].
    pub fn reached(&mut self, peer: &PeerId, address: &Address, now_s: u64) {
        let place = self.places.tried_place(address);
        let Some(entry) = self.entries.get_mut(peer) else { return };
        entry.last_success_s = now_s;
        entry.last_try_s = now_s;
        entry.attempts = 0;
        entry.reached = Some(*address);
        if entry.table == Table::Tried && entry.place == place {
            return;
        }
        match self.at((Table::Tried, place)) {
            None => self.move_to_tried(peer, place),
            Some(_) if self.collisions.len() < COLLISIONS_MAX => {
                self.collisions.insert(*peer);
            }
            Some(_) => {}
        }
    }

    fn move_to_tried(&mut self, peer: &PeerId, place: usize) {
        let Some(entry) = self.entries.get_mut(peer) else { return };
        let (old, old_group) = ((entry.table, entry.place), entry.at.netgroup());
        entry.table = Table::Tried;
        entry.place = place;
        if let Some(reached) = entry.reached {
            entry.at = reached;
        }
        let group = entry.at.netgroup();
        self.clear(old, peer, old_group);
        self.put((Table::Tried, place), *peer, group);
        self.tried_count += 1;
        self.collisions.remove(peer);
        self.generation = self.generation.wrapping_add(1);
    }

    /// A node whose place another node wants, and which should be dialed to test whether it still runs.
    #[must_use]
    pub fn to_test(&self, now_s: u64) -> Option<PeerId> {
        let incumbent = |peer: &PeerId| self.incumbent(peer);
        let due = |peer: &PeerId| {
            self.entries.get(peer).is_some_and(|entry| {
                now_s.saturating_sub(entry.last_try_s) > TEST_S
                    && now_s.saturating_sub(entry.last_success_s) > REPLACEMENT_S
            })
        };
        self.collisions.iter().filter_map(incumbent).find(due)
    }

    fn incumbent(&self, newcomer: &PeerId) -> Option<PeerId> {
        let reached = self.entries.get(newcomer)?.reached?;
        self.at((Table::Tried, self.places.tried_place(&reached))).filter(|there| there != newcomer)
    }

    /// Decides about contested places: a recently reached node keeps its place. One that failed its test, or was not
    /// tested in time, goes back to the new table.
    pub fn settle_collisions(&mut self, now_s: u64) {
        for newcomer in self.collisions.clone() {
            let Some(reached) = self.entries.get(&newcomer).and_then(|entry| entry.reached) else {
                self.collisions.remove(&newcomer);
                continue;
            };
            let place = self.places.tried_place(&reached);
            let Some((there, old)) =
                self.incumbent(&newcomer).and_then(|there| Some((there, self.entries.get(&there)?)))
            else {
                self.move_to_tried(&newcomer, place);
                continue;
            };
            let since = |time_s: u64| now_s.saturating_sub(time_s);
            let waited = self.entries.get(&newcomer).map_or(0, |entry| since(entry.last_success_s));
            if since(old.last_success_s) <= REPLACEMENT_S {
                self.collisions.remove(&newcomer);
            } else if (since(old.last_try_s) <= REPLACEMENT_S && since(old.last_try_s) > TEST_S)
                || waited > TEST_WINDOW_S
            {
                self.move_to_new(&there, now_s);
                self.move_to_tried(&newcomer, place);
            }
        }
    }

    fn move_to_new(&mut self, peer: &PeerId, now_s: u64) {
        let Some(entry) = self.entries.get(peer) else { return };
        let (old, group) = (entry.place, entry.at.netgroup());
        let place = self.places.new_place(&entry.at, entry.source);
        if !self.make_room(place, now_s) {
            self.remove(peer);
            return;
        }
        self.clear((Table::Tried, old), peer, group);
        self.put((Table::New, place), *peer, group);
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.table = Table::New;
            entry.place = place;
        }
    }

    /// Draws a node to dial: a table, as Bitcoin Core's `AddrMan::Select` does, then a netgroup and a node in it,
    /// repeated until a node is accepted. The number of nodes in a netgroup does not affect how often it is drawn. With
    /// `new_only`, from the new table.
    pub fn select(&mut self, new_only: bool, now_s: u64) -> Option<PeerId> {
        let (new, tried) = self.counts();
        let from_tried = !new_only && tried > 0 && (new == 0 || self.places.draw(2) == 0);
        let table = if from_tried { Table::Tried } else { Table::New };
        let mut factor_milli = 1_000_u64;
        for _ in 0..SELECT_DRAWS {
            let peer = self.groups.draw(table, &mut self.places)?;
            let chance_ppm = self.entries.get(&peer).map_or(0, |entry| entry.chance_ppm(now_s));
            if self.places.draw(1_000_000_000) < factor_milli.saturating_mul(chance_ppm) {
                return Some(peer);
            }
            factor_milli = factor_milli.saturating_mul(6) / 5;
        }
        None
    }

    /// Draws records for a peer that asks: at most `max`, none that has expired or is terrible, and only addresses of
    /// these scopes. Netgroups take turns, so a netgroup with many nodes gets no more of the answer than others.
    pub fn sample(&mut self, max: usize, scopes: &[Scope], now_s: u64) -> Vec<Checked> {
        let told = |entry: &&Entry| {
            let scope = |address: &Address| address.scope().is_some_and(|scope| scopes.contains(&scope));
            !entry.is_terrible(now_s) && !entry.record.is_expired(now_s) && entry.record.addresses.iter().all(scope)
        };
        let mut told: Vec<&Entry> = self.entries.values().filter(told).collect();
        for at in 0..told.len() {
            let other = at + self.places.draw_index(told.len() - at);
            told.swap(at, other);
        }
        let mut turns: BTreeMap<Netgroup, usize> = BTreeMap::new();
        let mut drawn: Vec<(usize, &Entry)> = Vec::with_capacity(told.len());
        for entry in told {
            let turn = turns.entry(entry.at.netgroup()).or_default();
            drawn.push((*turn, entry));
            // Nodes on the local network form one netgroup, which is not a provider's.
            *turn += usize::from(entry.at.netgroup() != Netgroup::Local);
        }
        drawn.sort_by_key(|(turn, _)| *turn);
        drawn.into_iter().take(max).map(|(_, entry)| entry.record.clone()).collect()
    }

    /// The peers to dial first after a restart.
    #[must_use]
    pub fn anchors(&self) -> &[PeerId] {
        &self.anchors
    }

    /// Records the peers to dial first after a restart, at most [`ANCHORS`].
    pub fn set_anchors(&mut self, anchors: Vec<PeerId>) {
        let anchors: Vec<_> =
            anchors.into_iter().filter(|peer| self.entries.contains_key(peer)).take(ANCHORS).collect();
        if anchors != self.anchors {
            self.anchors = anchors;
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// A random number below `end`.
    pub fn draw(&mut self, end: u64) -> u64 {
        self.places.draw(end)
    }

    /// A hash with the secret key, for choices that outsiders must not predict.
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.places.hash(&[b"choice", bytes])
    }
}

#[cfg(test)]
mod tests;
