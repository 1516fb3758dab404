//! The event queue for a billion events: a ring of short time spans instead of a heap. Events of the same span come in
//! the order in which they were added.
//!
//! It is exact as long as no event causes another within its own span: [`SPAN_US`] is shorter than any path between two
//! nodes.

use std::collections::BTreeMap;

/// Length of a span, in microseconds.
pub const SPAN_US: u64 = 256;

/// Number of spans in the ring: 4.2 s, longer than nearly every message takes to its next node. Later events wait in a
/// map.
const RING: usize = 1 << 14;

/// Future events.
#[derive(Debug)]
pub struct Calendar<E> {
    ring: Vec<Vec<E>>,
    /// Events beyond the ring, by span.
    later: BTreeMap<u64, Vec<E>>,
    /// The first span that has not been removed yet.
    next: u64,
    in_ring: usize,
    /// Emptied lists for reuse, so that memory follows the pending events and not the busiest span of each slot of the
    /// ring.
    spare: Vec<Vec<E>>,
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        let ring = std::iter::repeat_with(Vec::new).take(RING).collect();
        Self { ring, later: BTreeMap::new(), next: 0, in_ring: 0, spare: Vec::new() }
    }
}

/// Returns the span of a moment.
#[must_use]
pub const fn span_of(at_us: u64) -> u64 {
    at_us / SPAN_US
}

fn place(span: u64) -> usize {
    usize::try_from(span % RING as u64).expect("a remainder of the ring's length is an index")
}

impl<E> Calendar<E> {
    /// Adds an event. A late one comes in the next span.
    pub fn push(&mut self, at_us: u64, event: E) {
        let span = span_of(at_us).max(self.next);
        if span - self.next >= RING as u64 {
            self.later.entry(span).or_default().push(event);
            return;
        }
        self.in_ring += 1;
        let list = &mut self.ring[place(span)];
        if list.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *list = spare;
        }
        list.push(event);
    }

    /// Returns the start of the next span with events, in microseconds.
    pub fn next_us(&mut self) -> Option<u64> {
        if self.in_ring == 0 {
            let first = *self.later.keys().next()?;
            self.next = self.next.max(first);
        }
        self.move_in();
        while self.ring[place(self.next)].is_empty() {
            self.next += 1;
            self.move_in();
        }
        Some(self.next * SPAN_US)
    }

    /// Removes the events of the span that [`Calendar::next_us`] returned. Return the list with [`Calendar::recycle`].
    pub fn take(&mut self) -> Vec<E> {
        let events = std::mem::take(&mut self.ring[place(self.next)]);
        self.in_ring -= events.len();
        self.next += 1;
        events
    }

    /// Returns the first span that has not been removed yet.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.next
    }

    /// Returns an emptied list for reuse.
    pub fn recycle(&mut self, mut events: Vec<E>) {
        events.clear();
        self.spare.push(events);
    }

    /// Moves later events into the ring if it has reached them.
    fn move_in(&mut self) {
        while let Some(entry) = self.later.first_entry().filter(|entry| *entry.key() < self.next + RING as u64) {
            let (span, mut events) = entry.remove_entry();
            self.in_ring += events.len();
            self.ring[place(span)].append(&mut events);
        }
    }
}

#[cfg(test)]
mod tests;
