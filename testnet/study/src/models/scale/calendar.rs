//! What happens when, for a thousand million events: a ring of short spans of time instead of a heap. Events of the same
//! span come in the order in which they were added.
//!
//! Exact as long as no event causes another within its own span: [`SPAN_US`] is shorter than any way between two nodes.

use std::collections::BTreeMap;

/// Length of a span, microseconds.
pub const SPAN_US: u64 = 256;

/// Spans of the ring: 4.2 s, longer than nearly every message takes to its next node. What is later waits in a map.
const RING: usize = 1 << 14;

/// Events to come.
#[derive(Debug)]
pub struct Calendar<E> {
    ring: Vec<Vec<E>>,
    /// Events beyond the ring, by span.
    later: BTreeMap<u64, Vec<E>>,
    /// The first span that was not taken yet.
    next: u64,
    in_ring: usize,
    /// Emptied lists, so that memory follows the events in chain_view rather than the busiest span of each place in the ring.
    spare: Vec<Vec<E>>,
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        let ring = std::iter::repeat_with(Vec::new).take(RING).collect();
        Self { ring, later: BTreeMap::new(), next: 0, in_ring: 0, spare: Vec::new() }
    }
}

/// The span in which a moment lies.
#[must_use]
pub const fn span_of(at_us: u64) -> u64 {
    at_us / SPAN_US
}

fn place(span: u64) -> usize {
    usize::try_from(span % RING as u64).expect("a remainder of the ring's length is an index")
}

impl<E> Calendar<E> {
    /// Adds an event. One that is late already comes in the next span.
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

    /// Start of the next span with events, microseconds.
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

    /// Takes the events of the span that [`Calendar::next_us`] told. Give the list back with [`Calendar::recycle`].
    pub fn take(&mut self) -> Vec<E> {
        let events = std::mem::take(&mut self.ring[place(self.next)]);
        self.in_ring -= events.len();
        self.next += 1;
        events
    }

    /// The first span that was not taken yet.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.next
    }

    /// Gives an emptied list back.
    pub fn recycle(&mut self, mut events: Vec<E>) {
        events.clear();
        self.spare.push(events);
    }

    /// Moves those later events into the ring for which there is a place by now.
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
