//! Several nodes that exchange messages in memory. Some of them misbehave.

use std::cell::RefCell;
use std::rc::Rc;

use p2p_proto::{Failure, Response};
use sharechain::{ChainParams, Height, Weight, Work};
use testkit::params;

use super::*;

/// A chain, and all proofs that were found on it.
pub(super) struct History {
    pub(super) world: World,
    pub(super) found: Vec<(Proof, Option<Vec<ShareId>>)>,
}

impl History {
    pub(super) fn new() -> Self {
        let params = ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() };
        Self { world: World::with(params), found: Vec::new() }
    }

    /// Grows by this many links, with up to `shares` shares before each.
    pub(super) fn grow(mut self, links: u32, shares: u32) -> Self {
        for number in 0..links {
            if number % 40 == 0 {
                self.world.bitcoin_block();
            }
            for share in 0..number % (shares + 1) {
                let proof = self.world.share(miner(u8::try_from((number + share) % 200).unwrap()));
                self.found.push((proof, None));
            }
            let (link, list) = self.world.link(miner(u8::try_from(number % 5).unwrap()));
            self.found.push((link, Some(list)));
        }
        self
    }

    /// The same history, to continue in another way.
    pub(super) fn fork(&self) -> Self {
        let mut fork = Self { world: self.world.clone(), found: self.found.clone() };
        fork.world.now = fork.world.now.plus(1);
        fork
    }

    /// A node that has all of it.
    pub(super) fn node(&self, id: u8) -> Node {
        let node = Node::on(id, self.world.chain.clone(), &self.world);
        for (proof, list) in &self.found {
            let id = proof.id().0;
            let mut batch = vec![Record { kind: RecordKind::Proof, id, bytes: proof.encode() }];
            batch.extend(list.iter().map(|list| Record {
                kind: RecordKind::List,
                id,
                bytes: sharechain::encode::encode_list(list),
            }));
            node.engine.store().append(&batch).unwrap();
        }
        node
    }
}

/// Behavior of a node toward its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Honest,
    /// It claims much work and answers no other request.
    Silent,
    /// It claims much work and refuses all other requests.
    Refusing,
    /// It answers after 15 s.
    Slow,
    /// It claims much work and shows only what all nodes have.
    Claiming,
    /// It shows its header chain, but none of the lists.
    WithholdingLists,
    /// It sends other rows than those that links commit to.
    LyingOfRows,
}

pub(super) struct Net {
    pub(super) nodes: Vec<Node>,
    pub(super) manners: Vec<Manner>,
    pub(super) millis: u64,
    /// Messages on their way, with receivers and times, in the order of arrival and sending.
    under_way: BTreeMap<(u64, u64), (usize, Input)>,
    tokens: u64,
    /// Askers of the requests that await a reply.
    asked: BTreeMap<ReplyToken, (usize, RequestId)>,
    /// Nodes that the node at this index punished.
    pub(super) punished: Vec<(usize, PeerId, Misbehaviour)>,
    pub(super) sent: Rc<RefCell<BTreeMap<&'static str, u64>>>,
}

impl Net {
    pub(super) fn new(nodes: Vec<(Node, Manner)>) -> Self {
        let (nodes, manners) = nodes.into_iter().unzip();
        Self {
            nodes,
            manners,
            millis: 0,
            under_way: BTreeMap::new(),
            tokens: 0,
            asked: BTreeMap::new(),
            punished: Vec::new(),
            sent: Rc::default(),
        }
    }

    /// Connects two nodes.
    pub(super) fn connect(&mut self, one: usize, other: usize, world: &World) {
        for (at, peer) in [(one, other), (other, one)] {
            let peer = self.nodes[peer].id;
            self.give(at, Input::Network(Event::PeerConnected { peer, addr: String::new(), inbound: false }), world);
        }
    }

    /// Connects the node at this index with all others.
    pub(super) fn connect_with_all(&mut self, one: usize, world: &World) {
        for other in (0..self.nodes.len()).filter(|other| *other != one) {
            self.connect(one, other, world);
        }
    }

    pub(super) fn give(&mut self, at: usize, input: Input, world: &World) {
        for command in self.nodes[at].handle(input, world, self.millis) {
            self.send(at, command);
        }
    }

    fn index_of(&self, peer: PeerId) -> usize {
        self.nodes.iter().position(|node| node.id == peer).unwrap()
    }

    fn post(&mut self, to: usize, after_ms: u64, event: Event) {
        self.tokens += 1;
        self.under_way.insert((self.millis + after_ms, self.tokens), (to, Input::Network(event)));
    }

    fn send(&mut self, at: usize, command: Command) {
        self.tokens += 1;
        let (own, reply) = (self.nodes[at].id, ReplyToken(self.tokens));
        match command {
            Command::Publish(message) => {
                for to in (0..self.nodes.len()).filter(|to| *to != at) {
                    let token = VerdictToken(self.tokens);
                    self.post(to, WAY_MS, Event::Gossip { token, peer: own, message: message.clone() });
                }
            }
            Command::Request { peer, id, request } => {
                let to = self.index_of(peer);
                self.asked.insert(reply, (at, id));
                *self.sent.borrow_mut().entry(name_of(&request)).or_default() += 1;
                self.post(to, WAY_MS, Event::Request { token: reply, peer: own, request });
            }
            Command::Reply { token, response } => {
                let (asker, id) = self.asked.remove(&token).expect("it was asked");
                let (after_ms, result) = match (self.manners[at], response) {
                    (Manner::Honest, response) => (WAY_MS, Ok(response)),
                    (Manner::Slow, response) => (15_000, Ok(response)),
                    (manner, Response::Tip(tip)) => (WAY_MS, Ok(Response::Tip(claim(manner, tip)))),
                    (Manner::Silent, _) => return,
                    (Manner::Refusing, _) => (WAY_MS, Err(Failure::Refused)),
                    (Manner::Claiming, response) => (WAY_MS, Ok(response)),
                    (Manner::WithholdingLists, Response::Proofs(_)) => (WAY_MS, Ok(Response::Proofs(Vec::new()))),
                    (Manner::LyingOfRows, Response::Rows(bytes)) => (WAY_MS, Ok(Response::Rows(lie(&bytes)))),
                    (Manner::WithholdingLists | Manner::LyingOfRows, response) => (WAY_MS, Ok(response)),
                };
                self.post(asker, after_ms, Event::Response { peer: own, id, result });
            }
            Command::Verdict { verdict, .. } => self.nodes[at].verdicts.push(verdict),
            Command::Punish { peer, misbehaviour } => self.punished.push((at, peer, misbehaviour)),
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass until the condition holds. Returns the time that it took, in seconds.
    pub(super) fn run_until(&mut self, seconds: u64, world: &World, done: impl Fn(&Self) -> bool) -> Option<u64> {
        let (begin, end) = (self.millis, self.millis + 1_000 * seconds);
        while self.millis < end {
            self.millis += WAY_MS;
            while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= self.millis) {
                let (to, input) = first.remove();
                self.give(to, input, world);
            }
            if self.millis.is_multiple_of(500) {
                for at in 0..self.nodes.len() {
                    self.give(at, Input::Tick, world);
                }
            }
            if done(self) {
                return Some((self.millis - begin) / 1_000);
            }
        }
        None
    }

    pub(super) fn run(&mut self, seconds: u64, world: &World) {
        self.run_until(seconds, world, |_| false);
    }

    /// True if the node is in sync with this tip.
    pub(super) fn is_in_sync(&self, at: usize, tip: ShareId) -> bool {
        self.nodes[at].states.last() == Some(&SyncState::Synced) && self.nodes[at].engine.tip().tip == tip
    }

    /// Number of punishments of honest nodes.
    pub(super) fn wrongly_punished(&self) -> usize {
        let is_honest = |peer: PeerId| matches!(self.manners[self.index_of(peer)], Manner::Honest | Manner::Slow);
        self.punished.iter().filter(|(_, peer, why)| is_honest(*peer) && *why != Misbehaviour::Timeout).count()
    }
}

fn claim(manner: Manner, tip: TipInfo) -> TipInfo {
    match manner {
        Manner::Silent | Manner::Refusing | Manner::Claiming => {
            let work = tip.work.plus(Work(U256::from(1_u64 << 60)));
            TipInfo { work, height: Height(tip.height.0 + 10_000), ..tip }
        }
        _ => tip,
    }
}

fn lie(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut chunk) = sharechain::base::Chunk::decode(bytes) else { return bytes.to_vec() };
    if let Some(row) = chunk.links.last_mut().and_then(|link| link.rows.first_mut()) {
        row.weight = row.weight.plus(Weight(1));
    }
    chunk.encode()
}

fn name_of(request: &Request) -> &'static str {
    match request {
        Request::Tip => "tip",
        Request::LinkHeaders { .. } => "link_headers",
        Request::Proofs { .. } => "proofs",
        Request::Headers { .. } => "headers",
        Request::Pending => "pending",
        Request::Beginning => "beginning",
        Request::Rows { .. } => "rows",
        Request::Transactions { .. } => "transactions",
        Request::BlockPiece { .. } => "block_piece",
        Request::Records | Request::NewRecords(_) => "records",
    }
}
