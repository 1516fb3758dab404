//! Follows the bytes that arrive on a stream, to know how much of a message has arrived and whether it is complete.
//!
//! A stream begins with multistream-select, whose messages have a varint as their length. The side that answers repeats
//! the protocol's name, so both directions show which protocol follows. Gossip has the same framing. A message of the
//! sync protocol has a length of four bytes, and its stream carries nothing else.

/// Longest message of multistream-select that is parsed, bytes. Protocol names are shorter.
const NAME_BYTES_MAX: usize = 64;

/// Protocols whose messages are measured, as multistream-select names them.
#[derive(Debug)]
pub(super) struct Names {
    gossip: Vec<u8>,
    sync: Vec<u8>,
}

impl Names {
    pub(super) fn new(gossip: &str, sync: &str) -> Self {
        Self { gossip: format!("{gossip}\n").into_bytes(), sync: format!("{sync}\n").into_bytes() }
    }
}

/// A message with a varint or four bytes as its length, as far as it has arrived.
#[derive(Clone, Debug, Default)]
struct Frame {
    length: u64,
    length_bytes: u32,
    /// Bytes of the body that are missing. `None` while the length is incomplete.
    missing: Option<u64>,
    /// Bytes of the length and the body that have arrived.
    arrived: usize,
}

impl Frame {
    /// Adds a byte of a varint. Lengths that no handler accepts result in very long messages.
    fn take_varint(&mut self, byte: u8) {
        let shifted = u64::from(byte & 0x7f).checked_shl(7 * self.length_bytes).unwrap_or(u64::MAX);
        self.length |= shifted;
        self.length_bytes = self.length_bytes.saturating_add(1);
        self.arrived += 1;
        if byte & 0x80 == 0 {
            self.missing = Some(self.length);
        }
    }

    /// Adds a byte of a four-byte length, little-endian.
    fn take_fixed(&mut self, byte: u8) {
        self.length |= u64::from(byte) << (8 * self.length_bytes);
        self.length_bytes += 1;
        self.arrived += 1;
        if self.length_bytes == 4 {
            self.missing = Some(self.length);
        }
    }

    /// Removes the part of the body from the bytes, and returns it.
    fn take_body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let missing = self.missing.unwrap_or(0);
        let count = bytes.len().min(usize::try_from(missing).unwrap_or(usize::MAX));
        self.missing = Some(missing - count as u64);
        self.arrived += count;
        bytes.get(..count).unwrap_or(bytes)
    }

    fn is_complete(&self) -> bool {
        self.missing == Some(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Negotiating,
    Gossip,
    Sync,
}

/// State of what arrives on one stream.
#[derive(Debug)]
pub(super) struct Watch {
    protocol: Protocol,
    frame: Frame,
    name: Vec<u8>,
    /// Number of messages that were complete.
    messages: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { protocol: Protocol::Negotiating, frame: Frame::default(), name: Vec::new(), messages: 0 }
    }

    /// Follows bytes that the handler reads.
    pub(super) fn follow(&mut self, names: &Names, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            // A sync stream carries one message: bytes after it are held until the stream ends.
            if self.protocol == Protocol::Sync && self.frame.is_complete() {
                self.frame.arrived += bytes.len();
                return;
            }
            if self.frame.missing.is_none() {
                match self.protocol {
                    Protocol::Sync => self.frame.take_fixed(*first),
                    Protocol::Negotiating | Protocol::Gossip => self.frame.take_varint(*first),
                }
                bytes = rest;
            } else {
                let body = self.frame.take_body(bytes);
                bytes = bytes.get(body.len()..).unwrap_or_default();
                if self.protocol == Protocol::Negotiating {
                    let room = NAME_BYTES_MAX.saturating_sub(self.name.len());
                    self.name.extend_from_slice(body.get(..room.min(body.len())).unwrap_or(body));
                }
            }
            if self.frame.is_complete() {
                self.completed(names);
            }
        }
    }

    fn completed(&mut self, names: &Names) {
        self.messages += 1;
        match self.protocol {
            Protocol::Negotiating => {
                if self.name == names.gossip {
                    self.protocol = Protocol::Gossip;
                } else if self.name == names.sync {
                    self.protocol = Protocol::Sync;
                }
                self.name.clear();
                self.frame = Frame::default();
            }
            Protocol::Gossip => self.frame = Frame::default(),
            Protocol::Sync => {}
        }
    }

    /// Bytes that the handler holds: those of an unfinished gossip message, and all of a sync stream.
    pub(super) const fn held_bytes(&self) -> usize {
        match self.protocol {
            Protocol::Negotiating => 0,
            Protocol::Gossip | Protocol::Sync => self.frame.arrived,
        }
    }

    /// Number of the unfinished message, if there is one.
    pub(super) fn unfinished(&self) -> Option<u64> {
        let measured = matches!(self.protocol, Protocol::Gossip | Protocol::Sync);
        (measured && self.frame.arrived > 0 && !self.frame.is_complete()).then_some(self.messages)
    }
}

#[cfg(test)]
mod tests;
