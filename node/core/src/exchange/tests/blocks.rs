//! The pool's Bitcoin blocks between nodes, and blocks from peers that forge them.

use bitcoin::Wtxid;
use bitcoin::hashes::Hash;
use p2p_proto::Response;
use p2p_proto::message::Announcement;

use super::network::{Manner, Net};
use super::*;
use crate::jobs::{BlockTemplate, fixtures};

/// A block that a miner found on the world's tip.
struct FoundBlock {
    world: World,
    proof: Proof,
    list: Vec<ShareId>,
    block: Arc<WholeBlock>,
    template: Arc<BlockTemplate>,
}

const ATTACKER: PeerId = PeerId([0x66; 32]);
const HONEST: PeerId = PeerId([0x55; 32]);

impl FoundBlock {
    fn new(transactions: u32) -> Self {
        let mut world = fixtures::grown();
        world.share(miner(2));
        let template = fixtures::template_of(&world, transactions, 4_000_000);
        let job = fixtures::job_template(&mut world, &template).unwrap();
        let (proof, list, block) = fixtures::found(&job, miner(1));
        assert!(!list.is_empty());
        Self { world, proof, list, block: Arc::new(block), template }
    }

    /// A node before the block, whose bitcoind has this many of its transactions.
    fn node(&self, id: u8, knows: usize) -> Node {
        let mut node = Node::on(id, self.world.chain.clone(), &self.world);
        let mut template = (*self.template).clone();
        template.transactions = template.transactions.iter().take(knows).cloned().collect();
        node.templates.push(Arc::new(template));
        node
    }

    /// A node with two peers.
    fn victim(&self, knows: usize) -> Victim<'_> {
        let mut victim = Victim { node: self.node(1, knows), found: self, tokens: 0, millis: 0 };
        for peer in [ATTACKER, HONEST] {
            victim.hear(Event::PeerConnected { peer, addr: String::new(), inbound: true });
        }
        victim
    }

    fn announcement(&self, nonce: u64) -> Announcement {
        Announcement::new(self.proof.clone(), nonce, self.block.wtxids())
    }

    /// An announcement of this block with ids of transactions that are not in it.
    fn forged(&self, nonce: u64) -> Announcement {
        let strangers: Vec<Wtxid> =
            (0..self.block.wtxids().len()).map(|at| Wtxid::from_byte_array([at as u8 ^ nonce as u8; 32])).collect();
        Announcement::new(self.proof.clone(), nonce, &strangers)
    }
}

/// A node under attack.
struct Victim<'a> {
    node: Node,
    found: &'a FoundBlock,
    tokens: u64,
    millis: u64,
}

impl Victim<'_> {
    fn hear(&mut self, event: Event) -> Vec<Command> {
        let mut commands = self.node.handle(Input::Network(event), &self.found.world, self.millis);
        // Sync continues as usual.
        commands.retain(|command| {
            !matches!(
                command,
                Command::Request { request: Request::Tip | Request::Pending | Request::Proofs { .. }, .. }
            )
        });
        commands
    }

    fn gossip(&mut self, peer: PeerId, announcement: Announcement) -> (u64, Vec<Command>) {
        self.tokens += 1;
        let token = VerdictToken(self.tokens);
        let message = Gossip::BitcoinBlock(announcement);
        (self.tokens, self.hear(Event::Gossip { token, peer, message }))
    }

    fn answer(&mut self, peer: PeerId, id: RequestId, response: Response) -> Vec<Command> {
        self.hear(Event::Response { peer, id, result: Ok(response) })
    }
}

fn verdict_of(commands: &[Command], message: u64) -> Option<Verdict> {
    commands.iter().find_map(|command| match command {
        Command::Verdict { token, verdict } if token.0 == message => Some(*verdict),
        _ => None,
    })
}

fn request(commands: &[Command]) -> Option<(PeerId, RequestId, Request)> {
    commands.iter().find_map(|command| match command {
        Command::Request { peer, id, request } => Some((*peer, *id, request.clone())),
        _ => None,
    })
}

fn punished(commands: &[Command]) -> Vec<(PeerId, Misbehaviour)> {
    let of = |command: &Command| match command {
        Command::Punish { peer, misbehaviour } => Some((*peer, *misbehaviour)),
        _ => None,
    };
    commands.iter().filter_map(of).collect()
}

/// All of a block, in one piece.
fn piece(bytes: &[u8]) -> Response {
    Response::BlockPiece { size: u32::try_from(bytes.len()).unwrap(), bytes: bytes.to_vec() }
}

#[test]
fn a_found_block_reaches_the_bitcoind_of_every_node() {
    let found = FoundBlock::new(40);
    // All, most, few, and none of the transactions are known.
    let nodes = [40, 40, 30, 3, 0].iter().zip(1..).map(|(knows, id)| (found.node(id, *knows), Manner::Honest));
    let mut net = Net::new(nodes.collect());
    for at in 1..5 {
        net.connect(0, at, &found.world);
    }
    net.run(1, &found.world);
    net.nodes[0].find(&found.proof, Some(found.list.clone()), &found.world);
    // The share is published first.
    net.give(0, Input::Tick, &found.world);
    let proof = Box::new(found.proof.clone());
    net.give(0, Input::Found { proof, nonce: 9, block: Arc::clone(&found.block) }, &found.world);
    net.run(2, &found.world);
    for node in &net.nodes[1..] {
        assert_eq!(node.submitted, [Arc::clone(&found.block)]);
        assert!(node.verdicts.iter().all(|verdict| *verdict == Verdict::Accept), "{:?}", node.verdicts);
    }
    assert_eq!(net.punished, []);
    assert!(net.nodes[0].submitted.is_empty(), "the finder submits it itself");
    let sent = net.sent.borrow();
    assert_eq!((sent.get("transactions"), sent.get("block_piece")), (Some(&1), Some(&2)));
}

#[test]
fn a_block_of_others_is_not_relayed() {
    let found = FoundBlock::new(5);
    let mut victim = found.victim(5);
    // A block that commits to the share header of another network, or to none.
    let mut stolen = found.announcement(1);
    stolen.proof.share.payout = miner(9);
    let (message, commands) = victim.gossip(ATTACKER, stolen);
    assert_eq!(verdict_of(&commands, message), Some(Verdict::Reject(Misbehaviour::InvalidItem)));
    assert_eq!(request(&commands), None);
    // A block that is not on Bitcoin's chain costs its sender nothing, and the node does not relay it.
    let mut elsewhere = found.announcement(1);
    elsewhere.proof.header.prev_blockhash = BlockHash::all_zeros();
    let (message, commands) = victim.gossip(ATTACKER, elsewhere);
    assert_eq!(verdict_of(&commands, message), Some(Verdict::Ignore));
    assert_eq!(request(&commands), None);
    // nBits that are easier than Bitcoin's do not count as work.
    let mut cheap = found.announcement(1);
    cheap.proof.header.bits = bitcoin::CompactTarget::from_consensus(0x2070_0000);
    let (message, commands) = victim.gossip(ATTACKER, cheap);
    assert_eq!(verdict_of(&commands, message), Some(Verdict::Reject(Misbehaviour::InvalidItem)));
    // A coinbase that pays others breaks the rules of the share-chain.
    let mut world = found.world.clone();
    let spec = world.spec(miner(1));
    let share = world.header_of(&spec);
    let greedy = world.mine_with(share, &[], world.bitcoin_tip.block_hash(), false);
    let (message, commands) = victim.gossip(ATTACKER, Announcement::new(greedy, 1, []));
    assert!(matches!(verdict_of(&commands, message), Some(Verdict::Reject(_))), "{commands:?}");
    assert!(victim.node.submitted.is_empty() && request(&commands).is_none());
}

#[test]
fn junk_witness_copies_are_not_relayed() {
    let found = FoundBlock::new(8);
    let mut victim = found.victim(8);
    let mut forwarded = 0;
    let mut costs = 0;
    for nonce in 1..=20 {
        let (message, commands) = victim.gossip(ATTACKER, found.forged(nonce));
        match verdict_of(&commands, message) {
            Some(Verdict::Accept) => forwarded += 1,
            Some(Verdict::Reject(misbehaviour)) => costs += misbehaviour.cost(),
            Some(Verdict::Ignore) | None => {}
        }
    }
    assert_eq!(forwarded, 1, "of all copies, the first");
    assert!(costs >= p2p_proto::limits::BAN_POINTS, "{costs}");
    // A block with a junk witness is not the block that its header names.
    let (peer, id, asked) = (0..10)
        .find_map(|_| {
            victim.millis += 500;
            let commands = victim.node.handle(Input::Tick, &found.world, victim.millis);
            commands.into_iter().find_map(|command| match command {
                Command::Request { peer, id, request: request @ Request::BlockPiece { .. } } => {
                    Some((peer, id, request))
                }
                _ => None,
            })
        })
        .unwrap();
    assert_eq!(asked, Request::BlockPiece { block: found.block.hash, offset: 0 });
    let mut block: bitcoin::Block = bitcoin::consensus::encode::deserialize(found.block.bytes()).unwrap();
    block.txdata[3].input[0].witness = bitcoin::Witness::from_slice(&[vec![1; 1_000]]);
    let commands = victim.answer(peer, id, piece(&bitcoin::consensus::encode::serialize(&block)));
    assert_eq!(punished(&commands), [(peer, Misbehaviour::InvalidItem)]);
    assert!(victim.node.submitted.is_empty());
    // The true one still counts, from any peer. It is the second and last one that the node forwards.
    let (message, commands) = victim.gossip(HONEST, found.announcement(77));
    assert_eq!(verdict_of(&commands, message), Some(Verdict::Accept));
    assert_eq!(victim.node.submitted, [Arc::clone(&found.block)]);
}

#[test]
fn a_mutated_copy_does_not_hide_the_block() {
    let found = FoundBlock::new(8);
    // A forged announcement comes first. The node still forwards the true one once it is proven.
    let mut victim = found.victim(8);
    let (first, commands) = victim.gossip(ATTACKER, found.forged(1));
    assert_eq!(verdict_of(&commands, first), Some(Verdict::Accept));
    let (peer, id, asked) = request(&commands).unwrap();
    assert_eq!((peer, asked), (ATTACKER, Request::BlockPiece { block: found.block.hash, offset: 0 }));
    let (second, commands) = victim.gossip(HONEST, found.announcement(2));
    assert_eq!(verdict_of(&commands, second), Some(Verdict::Accept));
    assert_eq!(victim.node.submitted, [Arc::clone(&found.block)]);
    let (third, commands) = victim.gossip(HONEST, found.announcement(3));
    assert_eq!(verdict_of(&commands, third), Some(Verdict::Ignore), "two of each block");
    let late = victim.answer(peer, id, piece(&[1; 100]));
    assert!(late.is_empty(), "{late:?}");

    // A mutated body comes first: duplicated transactions give the same merkle root (CVE-2012-2459).
    let mut victim = found.victim(0);
    let (_, commands) = victim.gossip(ATTACKER, found.announcement(1));
    let (peer, id, _) = request(&commands).unwrap();
    assert_eq!(peer, ATTACKER, "who announced it is asked first");
    let mut block: bitcoin::Block = bitcoin::consensus::encode::deserialize(found.block.bytes()).unwrap();
    block.txdata.push(block.txdata[8].clone());
    let commands = victim.answer(peer, id, piece(&bitcoin::consensus::encode::serialize(&block)));
    assert_eq!(punished(&commands), [(ATTACKER, Misbehaviour::InvalidItem)]);
    let (peer, id, _) = request(&commands).unwrap();
    assert_eq!(peer, HONEST, "then the next");
    victim.answer(peer, id, piece(found.block.bytes()));
    assert_eq!(victim.node.submitted, [Arc::clone(&found.block)]);
}

#[test]
fn a_peer_that_announces_and_does_not_deliver_loses_points() {
    let found = FoundBlock::new(8);
    let mut victim = found.victim(6);
    let (_, commands) = victim.gossip(ATTACKER, found.announcement(1));
    let (peer, id, asked) = request(&commands).unwrap();
    let wanted = Request::Transactions { block: found.block.hash, wanted: vec![6, 7] };
    assert_eq!((peer, asked), (ATTACKER, wanted.clone()));
    let commands = victim.answer(peer, id, Response::Transactions(Vec::new()));
    assert_eq!(punished(&commands), [(ATTACKER, Misbehaviour::Useless)]);
    let (peer, id, asked) = request(&commands).unwrap();
    assert_eq!((peer, asked), (HONEST, wanted));
    let sent = [6, 7].map(|at| found.block.transaction(at).unwrap().to_vec());
    victim.answer(peer, id, Response::Transactions(sent.to_vec()));
    assert_eq!(victim.node.submitted, [Arc::clone(&found.block)]);
}

#[test]
fn a_silent_announcer_delays_a_block_by_two_seconds() {
    let found = FoundBlock::new(8);
    let mut victim = found.victim(6);
    let (_, commands) = victim.gossip(ATTACKER, found.announcement(1));
    assert_eq!(request(&commands).unwrap().0, ATTACKER);
    let next = (0..6).find_map(|_| {
        victim.millis += 500;
        let commands = victim.node.handle(Input::Tick, &found.world, victim.millis);
        commands.into_iter().find_map(|command| match command {
            Command::Request { peer, request: Request::Transactions { .. }, .. } => Some(peer),
            _ => None,
        })
    });
    assert_eq!((next, victim.millis), (Some(HONEST), crate::limits::TRANSACTIONS_PATIENCE_MS));
}

#[test]
fn a_block_that_was_being_fetched_is_fetched_after_a_restart() {
    let found = FoundBlock::new(8);
    let mut chain = found.world.clone();
    testkit::accepted(chain.insert(&found.proof, Some(found.list.clone())));
    let mut node = Node::on(1, chain.chain.clone(), &found.world);
    let record = Record { kind: RecordKind::Proof, id: found.proof.id().0, bytes: found.proof.encode() };
    node.engine.store().append(&[record]).unwrap();
    node.engine.note_own_bitcoin_height(found.block.height - 1, true);
    let mut victim = Victim { node, found: &found, tokens: 0, millis: 0 };
    victim.hear(Event::PeerConnected { peer: HONEST, addr: String::new(), inbound: true });
    let asked = (0..60).find_map(|_| {
        victim.millis += 500;
        let commands = victim.node.handle(Input::Tick, &found.world, victim.millis);
        commands.into_iter().find_map(|command| match command {
            Command::Request { id, request: Request::BlockPiece { block, offset: 0 }, .. }
                if block == found.block.hash =>
            {
                Some(id)
            }
            _ => None,
        })
    });
    victim.answer(HONEST, asked.unwrap(), piece(found.block.bytes()));
    assert_eq!(victim.node.submitted, [Arc::clone(&found.block)]);
}
