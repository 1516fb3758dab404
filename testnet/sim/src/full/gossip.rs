//! Gossip in transit. Each message is stored once for all nodes, with the earliest time at which each node has it. A
//! later copy uses bandwidth but causes no event.

use std::collections::VecDeque;
use std::sync::Arc;

use p2p_proto::Gossip;
use sharechain::ShareId;

use super::wire::{Message, SpreadId, gossip_bytes};
use crate::ids::NodeId;
use crate::time::Micros;
use crate::world::{Node, Schedule};

/// How long a message is remembered, as in gossipsub's cache of seen messages.
const REMEMBERED: Micros = Micros::from_secs(180);

/// Marks a node that has received the message.
const SEEN: Micros = Micros::ZERO;

/// A message and how far it has spread.
#[derive(Debug)]
struct Spread {
    message: Arc<Message>,
    /// Id of the proof that it carries. `None` for Bitcoin blocks.
    proof: Option<ShareId>,
    size_bytes: u32,
    began: Micros,
    /// The earliest known arrival at each node: [`SEEN`] once the node has received it, or never.
    arrives: Vec<Micros>,
}

/// All messages in transit.
#[derive(Debug)]
pub struct Spreads {
    nodes: usize,
    /// Messages, oldest first.
    live: VecDeque<Spread>,
    /// Number of the oldest message.
    first: u64,
    /// Bytes of copies that were not new to their receiver.
    duplicate_bytes: u64,
    /// Bytes of all copies.
    all_bytes: u64,
}

impl Spreads {
    /// Creates an empty set for `nodes` nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { nodes, live: VecDeque::new(), first: 0, duplicate_bytes: 0, all_bytes: 0 }
    }

    fn get(&mut self, id: SpreadId) -> Option<&mut Spread> {
        let behind = usize::try_from(id.0.checked_sub(self.first)?).ok()?;
        self.live.get_mut(behind)
    }

    /// Adds a message by the node `by`.
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

    /// Sends a message. It causes an event at the receiver, unless an earlier copy does.
    pub fn send<N: Node<Message = Message>>(
        &mut self,
        id: SpreadId,
        from: NodeId,
        to: NodeId,
        schedule: &mut Schedule<N>,
    ) {
        let Some(spread) = self.get(id) else { return };
        let size_bytes = u64::from(spread.size_bytes);
        let earliest = &mut spread.arrives[to.index()];
        let before = *earliest;
        schedule.send_copy(from, to, &spread.message, spread.size_bytes, earliest);
        let news = *earliest != before;
        self.all_bytes += size_bytes;
        self.duplicate_bytes += if news { 0 } else { size_bytes };
    }

    /// Records that the message has arrived at a node. Returns true if it is new to that node.
    pub fn take(&mut self, id: SpreadId, to: NodeId) -> bool {
        let Some(spread) = self.get(id) else { return false };
        let news = std::mem::replace(&mut spread.arrives[to.index()], SEEN) != SEEN;
        let size_bytes = u64::from(spread.size_bytes);
        self.duplicate_bytes += if news { 0 } else { size_bytes };
        news
    }

    /// Returns the id of the proof that a message carries. `None` for Bitcoin blocks.
    pub fn proof_id(&mut self, id: SpreadId) -> Option<ShareId> {
        self.get(id)?.proof
    }

    /// Records that a node has lost its memory.
    pub fn forget(&mut self, node: NodeId) {
        for spread in &mut self.live {
            spread.arrives[node.index()] = Micros::NEVER;
        }
    }

    /// Returns the bytes of all copies sent, and of those that were not new to their receiver.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.all_bytes, self.duplicate_bytes)
    }
}
