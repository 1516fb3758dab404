//! Traffic to the node: a peer that sends shares, a peer that only listens, and a miner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use node_core::engine::ChainEvent;
use node_core::jobs::{BlockTemplate, Contents, Job, JobTemplate};
use node_core::pool_block::PoolBlock;
use p2p::{Handle, Network};
use p2p_proto::{Command, Event, Gossip, Request, Response, TipInfo, Verdict};
use sharechain::ShareId;
use stratum::{Account, EXTRANONCE_BYTES, Found, Pool};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::chain::script;
use crate::wiring::Node;

/// Messages per second from the sending peer. One in 33 is a link, so ten seconds bring about 400 shares.
pub(crate) const MESSAGES_A_SECOND: u32 = 42;

/// Requests per second for the position of new work. Each job template leads to a share.
pub(crate) const LOOKS_A_SECOND: u32 = 20;

/// Time for peers to make room for each other in gossip.
const MESH: Duration = Duration::from_secs(3);

/// Times of an event for each share.
#[derive(Clone, Default)]
pub(crate) struct Marks(Arc<Mutex<HashMap<ShareId, Instant>>>);

impl Marks {
    fn note(&self, id: ShareId) {
        let now = Instant::now();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(now);
    }

    /// Takes all of them.
    pub(crate) fn take(&self) -> HashMap<ShareId, Instant> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Records what the node stores until it ends. Runs in its own thread, so that nothing else delays it.
pub(crate) fn watch_stored(mut events: broadcast::Receiver<ChainEvent>, stored: Marks) {
    std::thread::spawn(move || {
        loop {
            match events.blocking_recv() {
                Ok(ChainEvent::Changed(changes)) => changes.accepted.iter().for_each(|new| stored.note(new.id)),
                Ok(ChainEvent::Block(_)) => {}
                Err(broadcast::error::RecvError::Lagged(missed)) => panic!("{missed} events were missed"),
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    });
}

/// A peer of the node without other peers. It records the messages that it gets.
pub(crate) async fn peer(number: u8, address: &str, consensus_id: [u8; 32], tip: TipInfo, heard: Marks) -> Handle {
    let config = p2p::Config { peers: vec![address.to_owned()], ..p2p::Config::bare([number; 32], consensus_id) };
    let (handle, events) = Network::start(config).expect("nothing is listened on");
    tokio::spawn(listen(handle.clone(), events, tip, heard));
    while handle.peers().await.expect("the network runs").is_empty() {
        sleep(Duration::from_millis(50)).await;
    }
    sleep(MESH).await;
    handle
}

/// Records gossip, and answers like a peer without anything new.
async fn listen(handle: Handle, mut events: mpsc::Receiver<Event>, tip: TipInfo, heard: Marks) {
    while let Some(event) = events.recv().await {
        let command = match event {
            Event::Gossip { token, message, .. } => {
                if let Gossip::Share(proof) = message {
                    heard.note(proof.id());
                }
                Command::Verdict { token, verdict: Verdict::Ignore }
            }
            Event::Request { token, request: Request::Tip, .. } => {
                Command::Reply { token, response: Response::Tip(tip.clone()) }
            }
            Event::Request { token, request: Request::Pending, .. } => {
                Command::Reply { token, response: Response::Pending(Vec::new()) }
            }
            _ => continue,
        };
        if handle.send(command).await.is_err() {
            return;
        }
    }
}

/// Sends messages at a steady rate, and records the time of each share.
pub(crate) async fn send(peer: Handle, messages: Vec<Gossip>, sent: Marks) {
    let start = tokio::time::Instant::now();
    for (number, message) in (0_u32..).zip(messages) {
        tokio::time::sleep_until(start + Duration::from_secs(1) * number / MESSAGES_A_SECOND).await;
        if let Gossip::Share(proof) = &message {
            sent.note(proof.id());
        }
        peer.send(Command::Publish(message)).await.expect("the network runs");
    }
}

/// Times that new work took.
#[derive(Default)]
pub(crate) struct Looks {
    /// Time until its position in the chain was known.
    pub(crate) positions: Vec<Duration>,
    /// Time until a job template had also passed the peers' checks.
    pub(crate) templates: Vec<Duration>,
}

/// Makes work like the job builder, submits a share for each, and records the times.
pub(crate) async fn mine(node: Arc<Node>, block: Arc<BlockTemplate>, looks: u32, given: Marks) -> Looks {
    let mut made = Looks::default();
    let mut every = interval(Duration::from_secs(1) / LOOKS_A_SECOND);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..looks {
        every.tick().await;
        let started = Instant::now();
        let position = node.position(block.prev_block).await;
        made.positions.push(started.elapsed());
        let contents = Arc::new(Contents::fit(&block, position.coinbase_cost()));
        let template = node.template(Arc::clone(&block), contents, position).await;
        made.templates.push(started.elapsed());
        node.miners.set_template(Some(Arc::clone(&template)));
        let found = find(&node, &template, number);
        given.note(found.hash.into());
        node.miners.submit(found);
    }
    made
}

/// Finds a share of a job template that is neither a link nor a Bitcoin block.
fn find(node: &Node, template: &Arc<JobTemplate>, number: u32) -> Found {
    let payout = script(number);
    let account = Account::from(payout.to_bytes());
    let work = node.miners.work(&account).expect("there is work");
    let job = Job::new(Arc::clone(template), payout);
    let extranonce = [0; EXTRANONCE_BYTES];
    let mut header = job.unworked_header();
    let position = &template.assignment.position;
    let is_share = |header: &bitcoin::block::Header| {
        let id = ShareId::from(header.block_hash());
        let hash = id.as_number();
        hash <= position.share_target
            && hash > position.link_target
            && !PoolBlock::is_block(&job.proof(*header, extranonce), &id)
    };
    while !is_share(&header) {
        header.nonce += 1;
    }
    Found {
        work,
        header,
        extranonce,
        hash: header.block_hash(),
        worker: "bench".into(),
        account,
        meets_bitcoin: false,
        meets_share: true,
    }
}
