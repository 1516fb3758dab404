//! Peers, as the consensus thread sees them: what they say becomes inputs of the exchange, and its outputs are done here
//! without waiting for anything but the network's queue, which the network always empties.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_core::exchange::{Exchange, Input, Output, PeerBlock, RefusedProof, SyncState};
use p2p::Handle;
use p2p_proto::{Command, Event, PeerId, TipInfo, Verdict};
use sharechain::{RuleError, ShareId};
use tokio::sync::{mpsc, watch};

use crate::peers::{Lookups, Server};
use crate::submissions::{Submissions, Whose};

/// What connects the thread with peers.
#[derive(Debug)]
pub struct PeerLinks {
    /// The network.
    pub network: Handle,
    /// What the network says.
    pub events: mpsc::Receiver<Event>,
    /// Asks bitcoind for headers.
    pub lookups: Lookups,
    /// Answers requests of peers.
    pub server: Server,
    /// bitcoind, for blocks that peers found.
    pub submissions: Submissions,
    /// Proofs that broke a rule, for the event log.
    pub refused: mpsc::Sender<RefusedProof>,
    /// Why miners should not work, as far as peers are concerned.
    pub trouble: watch::Sender<Option<Arc<str>>>,
    /// How far the node is.
    pub sync: watch::Sender<SyncState>,
    /// What connected peers told of their tips.
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

    /// What peers bring next; none when the network has stopped. Waits for ever where there are no peers.
    pub(super) async fn next(peers: &mut Option<Self>) -> Option<Input> {
        let Some(Self { links, .. }) = peers else { return std::future::pending().await };
        loop {
            tokio::select! {
                event = links.events.recv() => match event? {
                    // Answered beside this thread: a peer that asks much waits, the chain does not.
                    Event::Request { token, peer: _, request } => links.server.ask(token, request),
                    event => return Some(Input::Network(event)),
                },
                answer = links.lookups.answer() => return Some(answer),
            }
        }
    }

    /// Shows what connected peers told of their tips.
    pub(super) fn show_tips(&self) {
        self.links.tips.send_replace(Arc::new(self.exchange.tips().clone()));
    }

    /// Whether a large response is left to take in.
    pub(super) fn is_unfinished(&self) -> bool {
        self.exchange.is_unfinished()
    }

    /// Notes a proof of this node's own that broke a rule.
    pub(super) fn refuse_own(&self, id: ShareId, rule: RuleError) {
        self.refuse(RefusedProof { id, rule, peer: None });
    }

    fn refuse(&self, proof: RefusedProof) {
        // When more come than are read, the event log lacks some.
        let _ = self.links.refused.try_send(proof);
    }

    /// Does what the exchange wants.
    pub(super) async fn act(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                // An error means that the network has stopped, which the next event tells.
                Output::Network(command) => drop(self.links.network.send(command).await),
                Output::LookUp { hash, from } => self.links.lookups.ask(hash, from),
                Output::Block(block) => self.on_block(block),
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

    /// Checks, submits and forwards a peer's Bitcoin block beside this thread: it has up to 4 MB.
    fn on_block(&self, block: PeerBlock) {
        let (network, submissions) = (self.links.network.clone(), self.links.submissions.clone());
        tokio::spawn(async move {
            let judging = tokio::task::spawn_blocking(move || (block.verdict(), block));
            let Ok((verdict, block)) = judging.await else { return };
            let PeerBlock { token, hash, height, bytes } = block;
            let forwarding = network.send(Command::Verdict { token, verdict });
            if verdict == Verdict::Accept {
                // Neither waits for the other.
                let (_, _) = tokio::join!(forwarding, submissions.submit(hash, height, bytes.into(), Whose::Peer));
            } else {
                let _ = forwarding.await;
            }
        });
    }
}
