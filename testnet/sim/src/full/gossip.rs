//! Gossip on its way. Every message is kept once for all nodes, with the earliest time at which each has it: a copy that
//! arrives later takes bandwidth and is no event.

use std::collections::VecDeque;
use std::sync::Arc;

use p2p_proto::Gossip;
use sharechain::ShareId;

use super::node::SimNode;
use super::wire::{Message, gossip_bytes};
use crate::time::Micros;
use crate::world::{NodeId, Schedule};

/// How long a message is remembered: gossipsub's cache of what was seen.
const REMEMBERED: Micros = Micros::from_secs(180);

/// The node had the message.
const SEEN: Micros = Micros::ZERO;

/// Names a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpreadId(u64);

/// A message and how far it has come.
#[derive(Debug)]
struct Spread {
    message: Arc<Message>,
    /// Of the proof that it carries; none for Bitcoin blocks.
    proof: Option<ShareId>,
    size_bytes: u32,
    began: Micros,
    /// When each node has it as far as is known: [`SEEN`] since it took it in, or never.
    arrives: Vec<Micros>,
}

/// All messages on their way.
#[derive(Debug)]
pub struct Spreads {
    nodes: usize,
    /// Oldest first.
    live: VecDeque<Spread>,
    /// Number of the oldest.
    first: u64,
    /// Bytes of copies that told their receiver nothing.
    duplicate_bytes: u64,
    /// Bytes of all copies.
    all_bytes: u64,
}

impl Spreads {
    /// Nothing on its way between so many nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { nodes, live: VecDeque::new(), first: 0, duplicate_bytes: 0, all_bytes: 0 }
    }

    fn get(&mut self, id: SpreadId) -> Option<&mut Spread> {
        let behind = usize::try_from(id.0.checked_sub(self.first)?).ok()?;
        self.live.get_mut(behind)
    }

    /// Begins a message that `by` made.
    pub fn begin(&mut self, message: Gossip, by: NodeId, now: Micros) -> SpreadId {
        while self.live.front().is_some_and(|oldest| oldest.began + REMEMBERED < now) {
            self.live.pop_front();
            self.first += 1;
        }
        let size_bytes = gossip_bytes(&message);
        let proof = match &message {
            Gossip::Share(proof) | Gossip::Link { proof, .. } => Some(proof.id()),
            Gossip::BitcoinBlock(_) => None,
        };
        let mut arrives = vec![Micros::NEVER; self.nodes];
        arrives[by.index()] = SEEN;
        let id = SpreadId(self.first + self.live.len() as u64);
        let message = Arc::new(Message::Gossip { id, message, size_bytes });
        self.live.push_back(Spread { message, proof, size_bytes, began: now, arrives });
        id
    }

    /// Sends a message; the receiver is told unless it has it by then, or will.
    pub fn send(&mut self, id: SpreadId, from: NodeId, to: NodeId, schedule: &mut Schedule<SimNode>) {
        let Some(spread) = self.get(id) else { return };
        let size_bytes = u64::from(spread.size_bytes);
        let earliest = &mut spread.arrives[to.index()];
        let before = *earliest;
        schedule.send_copy(from, to, &spread.message, spread.size_bytes, earliest);
        let news = *earliest != before;
        self.all_bytes += size_bytes;
        self.duplicate_bytes += if news { 0 } else { size_bytes };
    }

    /// The message has arrived at a node. True if that is news to it.
    pub fn take(&mut self, id: SpreadId, to: NodeId) -> bool {
        let Some(spread) = self.get(id) else { return false };
        let news = std::mem::replace(&mut spread.arrives[to.index()], SEEN) != SEEN;
        let size_bytes = u64::from(spread.size_bytes);
        self.duplicate_bytes += if news { 0 } else { size_bytes };
        news
    }

    /// The id of the proof that a message carries; none for Bitcoin blocks.
    pub fn proof_id(&mut self, id: SpreadId) -> Option<ShareId> {
        self.get(id)?.proof
    }

    /// A node lost its memory.
    pub fn forget(&mut self, node: NodeId) {
        for spread in &mut self.live {
            spread.arrives[node.index()] = Micros::NEVER;
        }
    }

    /// Bytes of all copies that were sent, and of those that told their receiver nothing.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.all_bytes, self.duplicate_bytes)
    }
}
