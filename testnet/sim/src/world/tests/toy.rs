//! A node that only tells its peers about its finds and remembers its events.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::faults::NodeFault;
use crate::ids::{MinerId, NodeId};
use crate::time::Micros;
use crate::world::{Context, Environment, Event, Node, Schedule};

/// Bytes of a toy's message.
const SIZE_BYTES: u32 = 500;

pub(super) struct Toy {
    /// Average hashes of its proofs.
    pub(super) hashes: f64,
    pub(super) heard: Vec<(Micros, Heard)>,
    pub(super) peers: BTreeSet<NodeId>,
    pub(super) faults: Vec<NodeFault>,
    /// The first impossible event, if any.
    pub(super) confusion: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Heard {
    Start,
    Crash,
    Found,
    Message(NodeId),
    Line(NodeId, bool),
}

/// Toys have no environment.
pub(super) struct Nothing;

impl Environment<Toy> for Nothing {
    type Timer = ();

    fn on_timer(&mut self, (): (), _: &mut Schedule<Toy>) {}
}

/// Creates `count` toys whose proofs take `hashes` hashes.
pub(super) fn toys(count: usize, hashes: f64) -> Vec<Toy> {
    let toy = || Toy { hashes, heard: Vec::new(), peers: BTreeSet::new(), faults: Vec::new(), confusion: None };
    (0..count).map(|_| toy()).collect()
}

impl Node for Toy {
    type Message = u64;
    type Timer = ();
    type Environment = Nothing;

    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_, Self>) {
        let schedule = &mut *context.schedule;
        let heard = match event {
            Event::Start => {
                let own = schedule.miners().iter().zip(0u32..).filter(|(miner, _)| miner.node == context.id);
                let own: Vec<_> = own.map(|(_, index)| MinerId(index)).collect();
                own.into_iter().for_each(|miner| schedule.work(miner, Some(self.hashes)));
                Heard::Start
            }
            Event::Crash => {
                self.peers.clear();
                Heard::Crash
            }
            Event::Found(_) => {
                for peer in &self.peers {
                    schedule.send(context.id, *peer, Arc::new(0), SIZE_BYTES);
                }
                Heard::Found
            }
            Event::Message { from, .. } => Heard::Message(from),
            Event::Connected(peer) => {
                if !self.peers.insert(peer) {
                    self.confusion = Some(format!("{peer:?} connected twice at {}", schedule.now()));
                }
                Heard::Line(peer, true)
            }
            Event::Disconnected(peer) => {
                if !self.peers.remove(&peer) {
                    self.confusion = Some(format!("{peer:?} was not connected at {}", schedule.now()));
                }
                Heard::Line(peer, false)
            }
            Event::Timer(()) => return,
        };
        self.heard.push((schedule.now(), heard));
    }

    fn on_fault(&mut self, fault: NodeFault, _: &mut Context<'_, Self>) {
        self.faults.push(fault);
    }
}
