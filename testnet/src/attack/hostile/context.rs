//! Inputs and counters of an attack.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bitcoin::Block;
use bitcoin::consensus::encode::deserialize_hex;
use ed25519_dalek::SigningKey;
use p2p_proto::Request;
use p2p_proto::message::{Item, Response};
use serde_json::{Value, json};
use sharechain::{Proof, ShareId};

use super::HostileArgs;
use super::client::{Answer, Client, Over, Target, random};

/// Pause after a failed connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Attempts to get the first links.
const TRIES: usize = 3;

/// Counters of an attack. Shared; they only grow.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) messages: AtomicU64,
    pub(super) answers: AtomicU64,
    failure: std::sync::Mutex<Option<String>>,
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counts {
    /// Records that the attack could not begin.
    pub(super) fn fail(&self, error: &io::Error) {
        if let Ok(mut failure) = self.failure.lock() {
            *failure = Some(error.to_string());
        }
    }

    /// Returns all counts.
    pub(super) fn read(&self) -> Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failure = self.failure.lock().ok().and_then(|failure| failure.clone());
        json!({
            "connections": read(&self.connections),
            "refused_connections": read(&self.refused),
            "messages": read(&self.messages),
            "answers": read(&self.answers),
            "failure": failure,
        })
    }
}

/// Inputs of an attack.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) target: Target,
    /// A third party.
    pub(super) third: Ipv4Addr,
    from: Arc<[Ipv4Addr]>,
    block: Arc<str>,
    counts: Arc<Counts>,
}

/// Answers nothing.
pub(super) fn silence() -> Answer {
    Arc::new(|_| None)
}

impl Context {
    /// Parses the arguments.
    ///
    /// # Errors
    /// The block cannot be read.
    pub(super) fn new(args: &HostileArgs) -> io::Result<Self> {
        let target = Target { node: args.node, network: args.network.clone(), answer: silence() };
        let block = std::fs::read_to_string(&args.block)?.trim().into();
        Ok(Self { target, third: args.third, from: args.from.clone().into(), block, counts: Arc::default() })
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Returns one of the first `of` addresses.
    pub(super) fn from(&self, number: usize, of: usize) -> Ipv4Addr {
        self.from[number % of.min(self.from.len())]
    }

    /// Returns a Bitcoin block of the pool.
    ///
    /// # Errors
    /// It is not a block.
    pub(super) fn block(&self) -> io::Result<Block> {
        deserialize_hex(&self.block).map_err(io::Error::other)
    }

    /// Connects with a fresh identity, again and again until the node accepts.
    pub(super) async fn connect(&self, from: Ipv4Addr, over: Over) -> Client {
        self.connect_as(&SigningKey::from_bytes(&random()), from, over).await
    }

    /// Connects with this identity, again and again until the node accepts.
    pub(super) async fn connect_as(&self, key: &SigningKey, from: Ipv4Addr, over: Over) -> Client {
        loop {
            match Client::connect_as(&self.target, key, from, over).await {
                Ok(client) => {
                    count(&self.counts.connections);
                    return client;
                }
                Err(_) => {
                    count(&self.counts.refused);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Returns the first links of the node's chain, with their lists.
    ///
    /// # Errors
    /// The node does not show them, even after all attempts.
    pub(super) async fn first_links(&self, limit: u32) -> io::Result<Vec<Item>> {
        let mut result = Err(no_links());
        for _ in 0..TRIES {
            result = self.first_links_once(limit).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Returns a proof that the node has.
    pub(super) async fn proof(&self, id: ShareId) -> Option<Proof> {
        let client = self.connect(self.from(0, 1), Over::Tcp).await;
        let answer = client.ask(&Request::Proofs { ids: vec![id] }).await.ok()?;
        let Ok(Response::Proofs(mut items)) = Response::decode(&answer) else { return None };
        items.pop().map(|item| item.proof)
    }

    async fn first_links_once(&self, limit: u32) -> io::Result<Vec<Item>> {
        let client = self.connect(self.from(0, 1), Over::Tcp).await;
        let answer = client.ask(&Request::LinkHeaders { locator: Vec::new(), limit }).await?;
        let Ok(Response::LinkHeaders { proofs, .. }) = Response::decode(&answer) else { return Err(no_links()) };
        let ids: Vec<ShareId> = proofs.iter().map(Proof::id).collect();
        let answer = client.ask(&Request::Proofs { ids }).await?;
        match Response::decode(&answer) {
            Ok(Response::Proofs(items)) if !items.is_empty() => Ok(items),
            _ => Err(no_links()),
        }
    }
}

fn no_links() -> io::Error {
    io::Error::other("the victim shows no links")
}
