//! A node for tests: a handle, its events, and ways to wait for them.
#![allow(unreachable_pub, reason = "a test program has no users")]

pub mod network;

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, ScriptBuf, TxMerkleNode, WPubkeyHash};
use p2p::{Config, Handle, Network};
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Event, Failure, Gossip, PeerId, ReplyToken, Request, Response, VerdictToken};
use sharechain::{CoinbasePrefix, Proof, ShareHeader, ShareId, Timestamp};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

/// Time that a slow machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

/// Gossip with a canonical encoding.
pub fn share(number: u32) -> Gossip {
    Gossip::Share(Box::new(Proof {
        header: Header {
            version: Version::TWO,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 5,
            bits: CompactTarget::from_consensus(0x1e03_77ae),
            nonce: number,
        },
        share: ShareHeader {
            version: 2,
            parent: ShareId([1; 32]),
            anchor: ShareId([1; 32]),
            shares_root: [0; 32],
            shares_count: 0,
            state_root: [0; 32],
            payout: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([3; 20])),
            time: Timestamp(5),
            bitcoin_height: 7,
            coinbase_value: 50,
            signals: 0,
            null_data: ScriptBuf::new(),
        },
        extranonce: [7; 16],
        witness_commitment: None,
        branch: Vec::new(),
        prefix: CoinbasePrefix { midstate: [1; 32], length: 128, tail: Vec::new() },
    }))
}

pub struct TestConfig {
    pub config: Config,
}

impl TestConfig {
    /// Listens on this IPv4 address and also connects from it. TCP would otherwise connect from any.
    pub fn at(mut self, ip: &str) -> Self {
        self.config.listen = vec![format!("/ip4/{ip}/udp/0/quic-v1")];
        self
    }

    pub fn with_transport(mut self, quic: bool) -> Self {
        let listen = if quic { "/ip4/127.0.0.1/udp/0/quic-v1" } else { "/ip4/127.0.0.1/tcp/0" };
        self.config.listen = vec![listen.to_owned()];
        self
    }
}

pub fn config(number: u8, peers: &[&String]) -> TestConfig {
    TestConfig {
        config: Config {
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            peers: peers.iter().map(|peer| (*peer).clone()).collect(),
            ..Config::bare([number; 32], [0x5a; 32])
        },
    }
}

pub struct Node {
    pub handle: Handle,
    pub addr: String,
    events: Receiver<Event>,
    unread: VecDeque<Event>,
    connected: usize,
}

impl Node {
    pub async fn start(config: TestConfig) -> Self {
        let (handle, mut events) = Network::start(config.config).expect("loopback can be listened on");
        let mut unread = VecDeque::new();
        let addr = loop {
            match patiently(events.recv()).await.expect("the network runs") {
                Event::Listening(addr) => break addr,
                other => unread.push_back(other),
            }
        };
        Self { handle, addr, events, unread, connected: 0 }
    }

    pub fn id(&self) -> PeerId {
        self.handle.local_peer()
    }

    pub async fn send(&self, command: Command) {
        patiently(self.handle.send(command)).await.expect("the network runs");
    }

    async fn next(&mut self) -> Event {
        let event = match self.unread.pop_front() {
            Some(event) => event,
            None => patiently(self.events.recv()).await.expect("the network runs"),
        };
        match event {
            Event::PeerConnected { .. } => self.connected += 1,
            Event::PeerDisconnected { .. } => self.connected -= 1,
            _ => {}
        }
        event
    }

    /// Reads events until the wanted one, and skips others.
    pub async fn wait_for(&mut self, is_it: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await;
            if is_it(&event) {
                return event;
            }
        }
    }

    pub async fn wait_for_peers(&mut self, count: usize) {
        while self.connected < count {
            self.next().await;
        }
    }

    /// Returns whether such an event comes within that time.
    pub async fn hears(&mut self, within: Duration, is_it: impl Fn(&Event) -> bool) -> bool {
        timeout(within, self.wait_for(is_it)).await.is_ok()
    }

    pub async fn no_gossip(&mut self, within: Duration) -> bool {
        !self.hears(within, |event| matches!(event, Event::Gossip { .. })).await
    }

    pub async fn next_gossip(&mut self) -> (VerdictToken, PeerId, Gossip) {
        match self.wait_for(|event| matches!(event, Event::Gossip { .. })).await {
            Event::Gossip { token, peer, message } => (token, peer, message),
            _ => unreachable!(),
        }
    }

    pub async fn next_request(&mut self) -> (ReplyToken, PeerId, Request) {
        match self.wait_for(|event| matches!(event, Event::Request { .. })).await {
            Event::Request { token, peer, request } => (token, peer, request),
            _ => unreachable!(),
        }
    }

    pub async fn next_response(&mut self) -> (RequestId, Result<Response, Failure>) {
        match self.wait_for(|event| matches!(event, Event::Response { .. })).await {
            Event::Response { id, result, .. } => (id, result),
            _ => unreachable!(),
        }
    }

    /// Answers a request, if one comes within that time.
    pub async fn hears_request(&mut self, within: Duration) -> bool {
        let Ok((token, ..)) = timeout(within, self.next_request()).await else { return false };
        self.send(Command::Reply { token, response: Response::Pending(Vec::new()) }).await;
        true
    }

    /// Stops the node and waits until its sockets are closed.
    pub async fn stop(mut self) {
        drop(self.handle);
        while patiently(self.events.recv()).await.is_some() {}
    }
}
