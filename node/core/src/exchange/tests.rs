//! Two nodes that exchange messages in memory, without tasks, sockets or clocks.

mod blocks;
mod network;
mod newcomer;
mod policy;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use p2p_proto::{Gossip, PeerId, ReplyToken, Verdict, VerdictToken};
use sharechain::chain::Chain;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareHeader, U256};

use super::*;
use crate::engine::ChainEvent;
use crate::journal::{Forgotten, Record, RecordKind};
use testkit::{World, miner};

/// A disk in memory.
#[derive(Debug, Default)]
struct Memory {
    records: Mutex<Vec<Record>>,
    /// Position of the newest record of each kind and id.
    index: Mutex<BTreeMap<(u8, [u8; 32]), usize>>,
    full: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no space left")]
struct Full;

impl Journal for Memory {
    type Error = Full;

    fn append(&self, batch: &[Record]) -> Result<(), Full> {
        if self.full.load(Ordering::Relaxed) {
            return Err(Full);
        }
        let (mut records, mut index) = (self.records.lock().unwrap(), self.index.lock().unwrap());
        for record in batch {
            index.insert((record.kind as u8, record.id), records.len());
            records.push(record.clone());
        }
        Ok(())
    }

    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, Full> {
        let (records, index) = (self.records.lock().unwrap(), self.index.lock().unwrap());
        Ok(index.get(&(kind as u8, *id)).map(|at| records[*at].bytes.clone()))
    }

    fn replay_from(&self, _first: Option<&[u8; 32]>) -> impl Iterator<Item = Result<Record, Full>> + '_ {
        let kept = |kind| matches!(kind, RecordKind::Proof | RecordKind::List | RecordKind::Header);
        self.records.lock().unwrap().clone().into_iter().filter(move |record| kept(record.kind)).map(Ok)
    }

    fn bases(&self) -> impl Iterator<Item = Result<Record, Full>> + '_ {
        let numbers: BTreeMap<u32, Record> = (self.records.lock().unwrap().iter())
            .filter(|record| record.kind == RecordKind::Base)
            .map(|record| (u32::from_le_bytes(record.id[..4].try_into().unwrap()), record.clone()))
            .collect();
        numbers.into_values().map(Ok)
    }

    /// Forgets base chunks only.
    fn forget(&self, forgotten: &Forgotten) -> Result<(), Full> {
        if self.full.load(Ordering::Relaxed) {
            return Err(Full);
        }
        if forgotten.bases.is_empty() {
            return Ok(());
        }
        let gone = |record: &Record| record.kind == RecordKind::Base && forgotten.bases.contains(&record.id);
        let kept: Vec<_> = self.records.lock().unwrap().drain(..).filter(|record| !gone(record)).collect();
        self.index.lock().unwrap().clear();
        self.append(&kept)
    }
}

struct Node {
    id: PeerId,
    engine: Engine<Memory>,
    exchange: Exchange,
    states: Vec<SyncState>,
    /// Reason for which its miners should get no work.
    trouble: Option<Arc<str>>,
    verdicts: Vec<Verdict>,
    /// Blocks for its bitcoind.
    submitted: Vec<Arc<WholeBlock>>,
    /// bitcoind's last templates.
    templates: Vec<Arc<crate::jobs::BlockTemplate>>,
    refused: Vec<RefusedProof>,
}

impl Node {
    fn new(id: u8, world: &World, bitcoin: bool) -> Self {
        let mut node = Self::on(id, World::with(world.chain.params().clone()).chain, world);
        if bitcoin {
            node.engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
        }
        node
    }

    /// A node that already has a chain.
    fn on(id: u8, chain: Chain, world: &World) -> Self {
        let engine = Engine::open(chain, Arc::new(Memory::default()), world.now).unwrap();
        let exchange = Exchange::new(&engine, false);
        let (states, verdicts, refused) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            id: PeerId([id; 32]),
            engine,
            exchange,
            states,
            trouble: None,
            verdicts,
            submitted: Vec::new(),
            templates: Vec::new(),
            refused,
        }
    }

    fn find(&mut self, proof: &Proof, list: Option<Vec<ShareId>>, world: &World) {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        let outcome = self.engine.insert(bound, list, Source::default(), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }

    /// Processes an input with all its consequences. Returns the messages to send.
    fn handle(&mut self, input: Input, world: &World, millis: u64) -> Vec<Command> {
        let now = Now { millis: Millis(millis), time: world.now };
        self.exchange.handle(input, &mut self.engine, now);
        let mut commands = Vec::new();
        loop {
            if let Some(output) = self.exchange.poll_output() {
                match output {
                    Output::Network(command) => commands.push(command),
                    Output::LookUp { hash, from } => {
                        // This node's bitcoind has every header.
                        self.engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
                        let found = self.engine.chain().bitcoin().get(&hash).is_some();
                        self.exchange.handle(Input::LookedUp { hash, from, found }, &mut self.engine, now);
                    }
                    Output::Build(build) => {
                        let built = build.run(&self.templates);
                        self.exchange.handle(Input::Built(built), &mut self.engine, now);
                    }
                    Output::Submit(block) => self.submitted.push(block),
                    Output::State { state, trouble } => {
                        self.states.push(state);
                        self.trouble = trouble;
                    }
                    Output::Refused(refused) => self.refused.push(refused),
                }
                continue;
            }
            let events = self.engine.take_events();
            if events.is_empty() || self.engine.failure().is_some() {
                return commands;
            }
            for event in events {
                if let ChainEvent::Changed(changes) = event {
                    self.exchange.handle(Input::Changed(changes), &mut self.engine, now);
                }
            }
        }
    }
}

/// Duration of a message, in milliseconds.
const WAY_MS: u64 = 20;

struct Pair {
    nodes: [Node; 2],
    millis: u64,
    /// Time, receiver and content of messages on their way, in order.
    under_way: VecDeque<(usize, u64, Input)>,
    tokens: u64,
    /// Askers of the requests that await a reply.
    asked: BTreeMap<ReplyToken, RequestId>,
    punished: usize,
}

impl Pair {
    fn new(world: &World, bitcoin: [bool; 2]) -> Self {
        let nodes = [Node::new(1, world, bitcoin[0]), Node::new(2, world, bitcoin[1])];
        let (under_way, asked) = (VecDeque::new(), BTreeMap::new());
        Self { nodes, millis: 0, under_way, tokens: 0, asked, punished: 0 }
    }

    fn connect(&mut self, world: &World) {
        for at in 0..2 {
            let peer = self.nodes[1 - at].id;
            let event = Event::PeerConnected { peer, addr: String::new(), inbound: at == 0 };
            self.give(at, Input::Network(event), world);
        }
    }

    fn give(&mut self, at: usize, input: Input, world: &World) {
        for command in self.nodes[at].handle(input, world, self.millis) {
            self.send(at, command);
        }
    }

    fn send(&mut self, at: usize, command: Command) {
        self.tokens += 1;
        let (peer, reply) = (self.nodes[at].id, ReplyToken(self.tokens));
        let event = match command {
            Command::Publish(message) => Event::Gossip { token: VerdictToken(self.tokens), peer, message },
            Command::Request { id, request, .. } => {
                self.asked.insert(reply, id);
                Event::Request { token: reply, peer, request }
            }
            Command::Reply { token, response } => {
                let id = self.asked.remove(&token).expect("it was asked");
                Event::Response { peer, id, result: Ok(response) }
            }
            Command::Verdict { verdict, .. } => return self.nodes[at].verdicts.push(verdict),
            Command::Punish { .. } => {
                self.punished += 1;
                return;
            }
            other => panic!("{other:?}"),
        };
        self.under_way.push_back((1 - at, self.millis + WAY_MS, Input::Network(event)));
    }

    /// Lets time pass.
    fn run(&mut self, seconds: u64, world: &World) {
        let end = self.millis + 1_000 * seconds;
        while self.millis < end {
            self.millis += WAY_MS;
            while self.under_way.front().is_some_and(|(_, at, _)| *at <= self.millis)
                && let Some((to, _, input)) = self.under_way.pop_front()
            {
                self.give(to, input, world);
            }
            if self.millis.is_multiple_of(500) {
                for at in 0..2 {
                    self.give(at, Input::Tick, world);
                }
            }
        }
    }
}

#[test]
fn a_newcomer_fetches_everything_and_hears_of_what_is_found() {
    let mut world = World::new();
    let found = world.grow(40, 3);
    let mut pair = Pair::new(&world, [true, false]);
    for (proof, list) in &found {
        pair.nodes[0].find(proof, list.clone(), &world);
    }
    // Proofs from before the first peer are not news.
    drop(pair.nodes[0].engine.take_events());
    pair.give(0, Input::Missed, &world);
    pair.connect(&world);
    pair.run(60, &world);
    let [old, new] = &pair.nodes;
    assert_eq!(new.engine.tip(), old.engine.tip());
    assert_eq!(new.engine.chain().height(), world.chain.height());
    assert_eq!(new.states.last(), Some(&SyncState::Synced));
    let (link, list) = world.link(miner(3));
    pair.nodes[0].find(&link, Some(list), &world);
    pair.run(1, &world);
    assert_eq!(pair.nodes[1].engine.tip().tip, link.id());
    assert_eq!(pair.nodes[1].verdicts, [Verdict::Accept]);
    assert_eq!(pair.punished, 0);
}

#[test]
fn a_full_disk_silences_the_node() {
    let mut world = World::new();
    world.bitcoin_block();
    let proof = world.share(miner(1));
    let mut node = Node::new(1, &world, true);
    node.engine.store().full.store(true, Ordering::Relaxed);
    let message = Gossip::Share(Box::new(proof));
    let event = Event::Gossip { token: VerdictToken(1), peer: PeerId([2; 32]), message };
    assert!(node.handle(Input::Network(event), &world, 0).is_empty());
    assert_eq!(node.engine.failure(), Some(&Full));
    assert!(node.engine.take_events().is_empty());
}

#[test]
fn both_nodes_say_the_same_of_the_same_events() {
    let mut world = World::new();
    let found = world.grow(12, 2);
    let told = || {
        let mut node = Node::new(1, &world, false);
        let mut commands = Vec::new();
        for (turn, (proof, list)) in found.iter().enumerate() {
            let proof = Box::new(proof.clone());
            let message = match list.clone() {
                Some(list) => Gossip::Link { proof, list },
                None => Gossip::Share(proof),
            };
            let turn = turn as u64;
            let event = Event::Gossip { token: VerdictToken(turn), peer: PeerId([2; 32]), message };
            commands.extend(node.handle(Input::Network(event), &world, turn * 100));
        }
        assert_eq!(node.engine.chain().height(), world.chain.height());
        format!("{commands:?}")
    };
    assert_eq!(told(), told());
}

#[test]
fn a_peer_that_lacks_what_its_link_lists_is_not_asked_again_at_once() {
    let mut world = World::new();
    world.bitcoin_block();
    let share = world.share(miner(1));
    let (link, list) = world.link(miner(2));
    assert!(list.contains(&share.id()));
    let mut pair = Pair::new(&world, [true, true]);
    pair.connect(&world);
    pair.run(1, &world);
    let message = Gossip::Link { proof: Box::new(link.clone()), list };
    let event = Event::Gossip { token: VerdictToken(0), peer: pair.nodes[0].id, message };
    let before = pair.tokens;
    pair.give(1, Input::Network(event), &world);
    pair.run(60, &world);
    let known = pair.nodes[1].engine.chain().link(&link.id()).expect("the link was accepted");
    assert!(known.complete().is_none());
    // The nodes also ask for tips and unlisted shares, and answer everything. Requests for the share come with growing
    // pauses.
    assert!(pair.tokens - before < 120, "{}", pair.tokens - before);
}

#[test]
fn who_brought_what_broke_a_rule_is_told() {
    let mut world = World::new();
    world.bitcoin_block();
    let spec = world.spec(miner(2));
    let share = ShareHeader { coinbase_value: 1, ..world.header_of(&spec) };
    let payouts = world.payouts(&share, &spec.previous_block);
    let invalid = world.mine_with(share, &payouts, spec.previous_block, false);
    let peer = PeerId([2; 32]);
    let expected = RefusedProof { id: invalid.id(), rule: RuleError::CoinbaseValue, peer: Some(peer) };
    let event = Event::Gossip { token: VerdictToken(1), peer, message: Gossip::Share(Box::new(invalid)) };
    let mut node = Node::new(1, &world, true);
    node.handle(Input::Network(event), &world, 0);
    assert_eq!(node.refused, [expected]);
}
