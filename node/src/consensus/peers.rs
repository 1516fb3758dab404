//! Peers, as the consensus thread sees them. Their events become inputs of the exchange. Its outputs are executed here.
//! Only the network's queue can block that, and the network always empties it.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_core::exchange::{Exchange, Input, Output, RefusedProof, SyncState};
use node_core::relay::WholeBlock;
use p2p::Handle;
use p2p_proto::{Command, Event, PeerId, Request, TipInfo};
use sharechain::{RuleError, ShareId};
use tokio::sync::{mpsc, watch};

use crate::peers::{Builder, Lookups, Server};
use crate::submissions::{Submissions, Whose};

/// Links between the thread and the parts that serve peers.
#[derive(Debug)]
pub struct PeerLinks {
    /// Handle of the network.
    pub network: Handle,
    /// Events from the network.
    pub events: mpsc::Receiver<Event>,
    /// Looks up headers in bitcoind.
    pub lookups: Lookups,
    /// Answers requests of peers.
    pub server: Server,
    /// Builds blocks that peers announced.
    pub builder: Builder,
    /// Blocks built from such announcements.
    pub built: mpsc::Receiver<Input>,
    /// Submits blocks from peers to bitcoind.
    pub submissions: Submissions,
    /// Proofs that broke a rule, for the event log.
    pub refused: mpsc::Sender<RefusedProof>,
    /// Why miners should not work, in one sentence; none if sync is no reason.
    pub trouble: watch::Sender<Option<Arc<str>>>,
    /// The node's sync state.
    pub sync: watch::Sender<SyncState>,
    /// Reported tips of connected peers.
    pub tips: watch::Sender<Arc<BTreeMap<PeerId, Option<TipInfo>>>>,
}

/// The exchange, and its links.
#[derive(Debug)]
pub struct PeerSide {
    pub(super) exchange: Box<Exchange>,
    links: PeerLinks,
}

impl PeerSide {
    /// An exchange with peers over these links.
    #[must_use]
    pub fn new(exchange: Exchange, links: PeerLinks) -> Self {
        Self { exchange: Box::new(exchange), links }
    }

    /// The next input from peers; none when the network has stopped. Waits forever without a network.
    pub(super) async fn next(peers: &mut Option<Self>) -> Option<Input> {
        let Some(Self { links, .. }) = peers else { return std::future::pending().await };
        loop {
            tokio::select! {
                event = links.events.recv() => match event? {
                    event @ Event::Request { request: Request::Transactions { .. } | Request::BlockPiece { .. }, .. } => {
                        return Some(Input::Network(event));
                    }
                    // Answered off this thread, so that a peer with many requests delays itself, not the chain.
                    Event::Request { token, peer: _, request } => {
                        if !links.server.ask(token, request) {
                            // If this queue is full as well, the peer's request times out.
                            let _ = links.network.try_send(Command::Busy(token));
                        }
                    }
                    event => return Some(Input::Network(event)),
                },
                answer = links.lookups.answer() => return Some(answer),
                Some(built) = links.built.recv() => return Some(built),
            }
        }
    }

    /// Publishes the reported tips of connected peers.
    pub(super) fn show_tips(&self) {
        self.links.tips.send_replace(Arc::new(self.exchange.tips().clone()));
    }

    /// True while a large response is partly processed.
    pub(super) fn is_unfinished(&self) -> bool {
        self.exchange.is_unfinished()
    }

    /// Logs a rejected proof of this node's own miners.
    pub(super) fn refuse_own(&self, id: ShareId, rule: RuleError) {
        self.refuse(RefusedProof { id, rule, peer: None });
    }

    fn refuse(&self, proof: RefusedProof) {
        // If the queue is full, the event log misses some.
        let _ = self.links.refused.try_send(proof);
    }

    /// Executes the outputs of the exchange.
    pub(super) async fn act(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                // An error means that the network has stopped, which the next event reports.
                Output::Network(command) => drop(self.links.network.send(command).await),
                Output::LookUp { hash, from } => self.links.lookups.ask(hash, from),
                Output::Build(build) => self.links.builder.start(build),
                Output::Submit(block) => self.submit(block),
                Output::Refused(proof) => self.refuse(proof),
                Output::State { state, trouble } => {
                    self.links.trouble.send_if_modified(|old| {
                        let is_new = *old != trouble;
                        *old = trouble;
                        is_new
                    });
                    self.links.sync.send_replace(state);
                }
            }
        }
    }

    /// Submits a block that a peer's miner found.
    fn submit(&self, block: Arc<WholeBlock>) {
        let submissions = self.links.submissions.clone();
        tokio::spawn(async move {
            submissions.submit(block.hash, block.height, Arc::clone(block.bytes()), Whose::Peer).await
        });
    }
}
