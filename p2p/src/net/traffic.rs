//! Counts the bytes of messages, by direction and kind, and the network's defensive actions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use p2p_proto::message::Response;

use super::defenses::Defense;

/// Kind of a message in the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrafficKind {
    /// Requests of all kinds.
    Requests,
    /// Status of a peer.
    Tip,
    /// Link proofs without lists.
    LinkHeaders,
    /// Beginnings of link chains.
    Beginning,
    /// Links with their credits.
    Rows,
    /// Proofs with their lists.
    Proofs,
    /// Ids of unlisted shares.
    Pending,
    /// Bitcoin headers.
    BitcoinHeaders,
    /// Transactions and pieces of Bitcoin blocks of the pool.
    Blocks,
    /// Node records.
    Records,
    /// Gossip, counted only where it is received; only libp2p knows which peers get it.
    Gossip,
}

impl TrafficKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Requests,
        Self::Tip,
        Self::LinkHeaders,
        Self::Beginning,
        Self::Rows,
        Self::Proofs,
        Self::Pending,
        Self::BitcoinHeaders,
        Self::Blocks,
        Self::Records,
        Self::Gossip,
    ];

    /// Name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tip => "tip",
            Self::LinkHeaders => "link_headers",
            Self::Beginning => "beginning",
            Self::Rows => "rows",
            Self::Proofs => "proofs",
            Self::Pending => "pending",
            Self::BitcoinHeaders => "bitcoin_headers",
            Self::Blocks => "blocks",
            Self::Records => "records",
            Self::Gossip => "gossip",
        }
    }

    pub(super) const fn of(response: &Response) -> Self {
        match response {
            Response::Tip(_) => Self::Tip,
            Response::LinkHeaders { .. } => Self::LinkHeaders,
            Response::Beginning { .. } => Self::Beginning,
            Response::Rows(_) => Self::Rows,
            Response::Proofs(_) => Self::Proofs,
            Response::Pending(_) => Self::Pending,
            Response::Headers(_) => Self::BitcoinHeaders,
            Response::Transactions(_) | Response::BlockPiece { .. } => Self::Blocks,
            Response::Records(_) | Response::NewRecords => Self::Records,
        }
    }
}

type Counts = [AtomicU64; TrafficKind::ALL.len()];

/// Bytes of messages since the network started, without what transports and libp2p's own protocols add, and the
/// network's defensive actions. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Both>);

#[derive(Debug, Default)]
struct Both {
    received: Counts,
    sent: Counts,
    defenses: [AtomicU64; Defense::ALL.len()],
}

fn add(counts: &Counts, kind: TrafficKind, bytes: usize) {
    if let Some(count) = counts.get(kind as usize) {
        count.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn all(counts: &Counts) -> impl Iterator<Item = (TrafficKind, u64)> {
    TrafficKind::ALL.into_iter().zip(counts).map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
}

impl Traffic {
    pub(super) fn count_received(&self, kind: TrafficKind, bytes: usize) {
        add(&self.0.received, kind, bytes);
    }

    pub(super) fn count_sent(&self, kind: TrafficKind, bytes: usize) {
        add(&self.0.sent, kind, bytes);
    }

    pub(super) fn count_defense(&self, defense: Defense) {
        if let Some(count) = self.0.defenses.get(defense as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Number of times that the network did this.
    #[must_use]
    pub fn defended(&self, defense: Defense) -> u64 {
        self.0.defenses.get(defense as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Received bytes by kind.
    pub fn received(&self) -> impl Iterator<Item = (TrafficKind, u64)> {
        all(&self.0.received)
    }

    /// Sent bytes by kind.
    pub fn sent(&self) -> impl Iterator<Item = (TrafficKind, u64)> {
        all(&self.0.sent)
    }
}
