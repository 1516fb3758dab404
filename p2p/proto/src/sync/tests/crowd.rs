//! Tests with many nodes that serve each other over lossy, slow connections, until all have the same links and shares.
//! The chain is a toy: a link is a number, and the branch with the higher link is the heavier one. The decisions are
//! real.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use sharechain::{Height, ShareId, U256, Work};

use super::id;
use crate::limits::{LINK_HEADERS_MAX, PENDING_MAX};
use crate::message::{Failure, Request, TipInfo};
use crate::sync::{Begins, Headers, Input, Local, Outcome, Output, RequestId, Shown, Sync, Want};
use crate::{Millis, PeerId};

/// Number of shares that each link lists.
const LISTED: u64 = 5;

/// Number of links ahead whose shares a node fetches.
const AHEAD: u64 = 60;

/// A toy node with links 1 to `height` of the only chain. A link is valid once the node has the shares that it lists.
struct Toy {
    sync: Sync,
    height: u64,
    /// Link up to which each peer has shown its headers.
    shown: BTreeMap<PeerId, u64>,
    shares: BTreeSet<ShareId>,
    /// Shares that no link lists.
    unlisted: BTreeSet<ShareId>,
}

fn share_of(link: u64, number: u64) -> ShareId {
    id(1_000_000 + link * LISTED + number)
}

fn local(height: u64) -> Local {
    let locator = (0..=height).rev().take(10).map(id).collect();
    Local {
        height: Height(u32::try_from(height).unwrap()),
        work: Work(U256::from(height)),
        locator,
        bitcoin_locator: Vec::new(),
    }
}

fn number_of(id: &ShareId) -> u64 {
    u64::from_le_bytes(id.0[..8].try_into().unwrap())
}

impl Toy {
    fn new(height: u64, unlisted: impl IntoIterator<Item = ShareId>) -> Self {
        let unlisted: BTreeSet<_> = unlisted.into_iter().collect();
        let mut shares: BTreeSet<_> =
            (1..=height).flat_map(|link| (0..LISTED).map(move |number| share_of(link, number))).collect();
        shares.extend(&unlisted);
        Self { sync: Sync::new(local(height)), height, shown: BTreeMap::new(), shares, unlisted }
    }

    fn serve(&self, request: &Request) -> Answer {
        match request {
            Request::Tip => Answer::Tip(self.height),
            Request::LinkHeaders { locator, .. } => {
                let from = locator.iter().map(number_of).filter(|link| *link <= self.height).max().unwrap_or(0);
                let to = self.height.min(from + LINK_HEADERS_MAX as u64);
                Answer::Headers { to, more: to < self.height }
            }
            Request::Proofs { ids } => {
                Answer::Shares(ids.iter().filter(|id| self.shares.contains(id)).copied().collect())
            }
            Request::Headers { .. }
            | Request::Beginning
            | Request::Rows { .. }
            | Request::Transactions { .. }
            | Request::BlockPiece { .. }
            | Request::Records
            | Request::NewRecords(_) => Answer::Shares(Vec::new()),
            Request::Pending => Answer::Pending(self.unlisted.iter().take(PENDING_MAX).copied().collect()),
        }
    }

    /// Processes a response like the driver of a real node.
    fn receive(&mut self, from: PeerId, id: RequestId, answer: Option<Answer>, now: Millis) {
        let outcome = match answer {
            None => Outcome::Failed(Failure::Refused),
            Some(Answer::Tip(height)) => Outcome::Tip(TipInfo {
                tip: super::id(height),
                height: Height(u32::try_from(height).unwrap()),
                work: Work(U256::from(height)),
                lowest_shown: Height(1),
                bitcoin_height: 0,
                user_agent: String::new(),
            }),
            Some(Answer::Headers { to, .. }) if to <= self.height => Outcome::Headers(Headers::Refuted),
            Some(Answer::Headers { to, more }) => {
                self.shown.insert(from, to);
                let work = Work(U256::from(to));
                let shown = Shown {
                    begins: Begins::OnOwnChain,
                    height: Height(u32::try_from(to).unwrap()),
                    chain_work: work,
                    recent_work: work,
                    locator: vec![super::id(to)],
                };
                Outcome::Headers(Headers::Verified { shown, more, waits: false })
            }
            Some(Answer::Shares(shares)) => {
                let useful = shares.iter().filter(|share| self.shares.insert(**share)).count();
                for share in shares {
                    if number_of(&share) >= 1 << 40 {
                        self.unlisted.insert(share);
                    }
                    self.sync.handle(Input::Got(Want::Proof(share)), now);
                }
                Outcome::Items { useful: u32::try_from(useful).unwrap() }
            }
            Some(Answer::Pending(ids)) => {
                Outcome::Pending(ids.into_iter().filter(|id| !self.shares.contains(id)).collect())
            }
        };
        self.advance(now);
        self.sync.handle(Input::Response { id, outcome }, now);
        self.want_next(now);
    }

    fn advance(&mut self, now: Millis) {
        let before = self.height;
        let shown = self.shown.values().copied().max().unwrap_or(0);
        while self.height < shown && (0..LISTED).all(|number| self.shares.contains(&share_of(self.height + 1, number)))
        {
            self.height += 1;
        }
        if self.height != before {
            self.sync.handle(Input::Local(local(self.height)), now);
            if let Some(leader) = self.sync.leader() {
                self.sync.handle(Input::Advanced(leader), now);
            }
        }
    }

    /// Wants the shares of the next links that the leading peer has shown.
    fn want_next(&mut self, now: Millis) {
        let Some(leader) = self.sync.leader() else { return };
        let to = self.shown[&leader].min(self.height + AHEAD);
        for share in (self.height + 1..=to).flat_map(|link| (0..LISTED).map(move |number| share_of(link, number))) {
            if !self.shares.contains(&share) {
                self.sync.handle(Input::Want { want: Want::Proof(share), from: Some(leader) }, now);
            }
        }
    }
}

enum Answer {
    Tip(u64),
    Headers { to: u64, more: bool },
    Shares(Vec<ShareId>),
    Pending(Vec<ShareId>),
}

/// A message in transit.
struct Packet {
    at: Millis,
    from: usize,
    to: usize,
    id: RequestId,
    content: Result<Request, Option<Answer>>,
}

struct Crowd {
    nodes: Vec<Toy>,
    line: VecDeque<Packet>,
    now: Millis,
    /// State of the generator (xorshift) that decides which messages get lost.
    dice: u64,
    loss_percent: u64,
}

fn peer(number: usize) -> PeerId {
    PeerId([u8::try_from(number).unwrap(); 32])
}

impl Crowd {
    fn new(nodes: Vec<Toy>, seed: u64, loss_percent: u64) -> Self {
        Self { nodes, line: VecDeque::new(), now: Millis(0), dice: seed | 1, loss_percent }
    }

    fn connect_all(&mut self) {
        for one in 0..self.nodes.len() {
            for other in (0..self.nodes.len()).filter(|other| *other != one) {
                self.nodes[one].sync.handle(Input::Connected(peer(other)), self.now);
            }
        }
    }

    fn lost(&mut self) -> bool {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % 100 < self.loss_percent
    }

    fn post(&mut self, from: usize, to: usize, id: RequestId, content: Result<Request, Option<Answer>>) {
        let at = self.now.plus(50);
        self.line.push_back(Packet { at, from, to, id, content });
    }

    fn flush(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].sync.poll_output() {
            if let Output::Request { peer, id, request } = output
                && !self.lost()
            {
                self.post(node, usize::from(peer.0[0]), id, Ok(request));
            }
        }
    }

    fn step(&mut self) {
        self.now = self.now.plus(50);
        while self.line.front().is_some_and(|packet| packet.at <= self.now) {
            let Some(packet) = self.line.pop_front() else { break };
            match packet.content {
                Ok(request) => {
                    let answer = if self.lost() { None } else { Some(self.nodes[packet.to].serve(&request)) };
                    self.post(packet.to, packet.from, packet.id, Err(answer));
                }
                Err(answer) => {
                    let now = self.now;
                    self.nodes[packet.to].receive(peer(packet.from), packet.id, answer, now);
                }
            }
        }
        for node in 0..self.nodes.len() {
            let now = self.now;
            self.nodes[node].sync.handle(Input::Tick, now);
            self.nodes[node].want_next(now);
            self.flush(node);
        }
    }

    fn agree(&self) -> bool {
        let first = &self.nodes[0];
        self.nodes.iter().all(|node| node.height == first.height && node.shares == first.shares)
    }

    /// Runs until all nodes agree. Returns the time that it took, in seconds.
    fn run(&mut self, seconds_max: u64) -> Option<u64> {
        while self.now.0 < seconds_max * 1_000 {
            self.step();
            if self.agree() {
                return Some(self.now.0 / 1_000);
            }
        }
        None
    }
}

#[test]
fn a_newcomer_catches_up_from_nothing_over_thousands_of_links() {
    // Fewer links than it takes to start from a base.
    let nodes = vec![Toy::new(2_800, [id(1 << 40)]), Toy::new(0, []), Toy::new(2_800, [id(1 << 41)])];
    let mut crowd = Crowd::new(nodes, 1, 0);
    crowd.connect_all();
    let seconds = crowd.run(120);
    assert!(seconds.is_some_and(|seconds| seconds < 60), "{seconds:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut crowd = Crowd::new(vec![Toy::new(300, [id(1 << 40)]), Toy::new(7, [id(1 << 41)])], seed, 20);
        crowd.connect_all();
        (crowd.run(600), crowd.dice)
    };
    assert_eq!(run(5), run(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_line_loses_all_agree_in_the_end(
        heights in prop::collection::vec(0_u64..400, 2..5),
        unlisted in prop::collection::vec(0_u64..300, 5),
        seed in any::<u64>(),
        loss_percent in 0_u64..25,
    ) {
        let mut next = 1_u64 << 40;
        let shares: BTreeMap<usize, Vec<ShareId>> = (0..heights.len())
            .map(|node| (node, (0..unlisted[node]).map(|_| { next += 1; id(next) }).collect()))
            .collect();
        let nodes = heights.iter().enumerate().map(|(node, height)| Toy::new(*height, shares[&node].clone())).collect();
        let mut crowd = Crowd::new(nodes, seed, loss_percent);
        crowd.connect_all();
        let seconds = crowd.run(1_800);
        prop_assert!(seconds.is_some(), "not in half an hour");
    }
}
