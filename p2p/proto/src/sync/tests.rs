//! Tests of single decisions. `headers` tests decisions about header chains, and `crowd` many nodes together.

mod crowd;
mod headers;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sharechain::{Height, ShareId, U256, Work};

use super::{Begins, Headers, Input, Local, Outcome, Output, Phase, RequestId, Shown, Sync, SyncState, Want};
use crate::limits::{IN_FLIGHT_PER_PEER_MAX, PROOFS_MAX, REQUEST_TIMEOUT_MS, TIP_INTERVAL_MS, WANT_ATTEMPTS_MAX};
use crate::message::{Failure, Request, TipInfo};
use crate::score::Misbehaviour;
use crate::{Millis, PeerId};

const A: PeerId = PeerId([1; 32]);
const B: PeerId = PeerId([2; 32]);

pub(super) fn id(number: u64) -> ShareId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    ShareId(bytes)
}

pub(super) fn local(height: u32) -> Local {
    let locator = (0..=height).rev().take(10).map(|height| id(u64::from(height))).collect();
    Local { height: Height(height), work: Work(U256::from(height)), locator, bitcoin_locator: Vec::new() }
}

fn tip(height: u32) -> Outcome {
    Outcome::Tip(TipInfo {
        tip: id(u64::from(height)),
        height: Height(height),
        work: Work(U256::from(height)),
        lowest_shown: Height(1),
        bitcoin_height: 0,
        user_agent: String::new(),
    })
}

/// A state machine and its outputs.
struct Bench {
    sync: Sync,
    now: Millis,
}

impl Bench {
    fn new(height: u32) -> Self {
        Self { sync: Sync::new(local(height)), now: Millis(0) }
    }

    fn give(&mut self, input: Input) {
        self.sync.handle(input, self.now);
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.sync.poll_output()).collect()
    }

    fn requests(&mut self) -> Vec<(PeerId, RequestId, Request)> {
        let request = |output| match output {
            Output::Request { peer, id, request } => Some((peer, id, request)),
            _ => None,
        };
        self.outputs().into_iter().filter_map(request).collect()
    }

    fn answer(&mut self, id: RequestId, outcome: Outcome) {
        self.give(Input::Response { id, outcome });
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        self.give(Input::Tick);
    }

    /// Connects a peer and delivers its status.
    fn meet(&mut self, peer: PeerId, height: u32) -> Vec<(PeerId, RequestId, Request)> {
        self.give(Input::Connected(peer));
        let requests = self.requests();
        let (_, ask, request) = requests.into_iter().find(|(to, ..)| *to == peer).unwrap();
        assert_eq!(request, Request::Tip);
        self.answer(ask, tip(height));
        self.requests()
    }
}

#[test]
fn tips_are_exchanged_again_and_again() {
    let mut bench = Bench::new(5);
    let first = bench.meet(A, 5);
    assert!(matches!(first[..], [(A, _, Request::Pending)]), "as far as we are: only unlisted shares are of interest");
    assert_eq!(bench.sync.state(), SyncState::Synced);
    bench.wait(TIP_INTERVAL_MS);
    assert!(bench.requests().iter().any(|(_, _, request)| *request == Request::Tip));
}

#[test]
fn wanted_proofs_are_requested_in_the_order_wanted() {
    let mut bench = Bench::new(100);
    bench.meet(A, 100);
    for number in 1_000..1_600 {
        bench.give(Input::Want { want: Want::Proof(id(number)), from: Some(A) });
    }
    let requests = bench.requests();
    let (_, ask, Request::Proofs { ids }) = &requests[0] else { panic!("{requests:?}") };
    assert_eq!(ids[..], (1_000..1_000 + PROOFS_MAX as u64).map(id).collect::<Vec<_>>());
    for wanted in ids.clone() {
        bench.give(Input::Got(Want::Proof(wanted)));
    }
    bench.answer(*ask, Outcome::Items { useful: 256 });
    assert!(bench.requests().iter().all(|(_, _, request)| matches!(request, Request::Proofs { .. })));
}

#[test]
fn what_came_and_is_wanted_again_is_asked_for_with_growing_pauses() {
    let mut bench = Bench::new(100);
    bench.meet(A, 100);
    bench.outputs();
    let want = Want::Proof(id(7));
    let mut asked = 0;
    for _ in 0..600 {
        bench.give(Input::Want { want, from: Some(A) });
        for (_, ask, request) in bench.requests() {
            match request {
                Request::Proofs { .. } => {
                    asked += 1;
                    bench.give(Input::Got(want));
                    // The chain had no space for it.
                    bench.give(Input::Want { want, from: Some(A) });
                    bench.answer(ask, Outcome::Items { useful: 1 });
                }
                Request::Tip => bench.answer(ask, tip(100)),
                _ => bench.answer(ask, Outcome::Pending(Vec::new())),
            }
        }
        bench.wait(100);
    }
    // Within a minute, it asks at once and after pauses of 1, 2, 4, 8 and 16 s.
    assert_eq!(asked, 6);
}

#[test]
fn a_timeout_costs_and_another_peer_is_asked() {
    let mut bench = Bench::new(0);
    bench.meet(A, 0);
    bench.meet(B, 0);
    bench.give(Input::Want { want: Want::Proof(id(7)), from: Some(A) });
    let requests = bench.requests();
    assert!(matches!(&requests[..], [(A, _, Request::Proofs { .. })]), "the one who knows it: {requests:?}");
    bench.wait(REQUEST_TIMEOUT_MS);
    let outputs = bench.outputs();
    assert!(outputs.contains(&Output::Punish { peer: A, misbehaviour: Misbehaviour::Timeout }));
    bench.wait(2_000);
    let later = bench.requests();
    let all: Vec<_> = outputs
        .into_iter()
        .filter_map(|output| match output {
            Output::Request { peer, request, .. } => Some((peer, request)),
            _ => None,
        })
        .chain(later.into_iter().map(|(peer, _, request)| (peer, request)))
        .collect();
    assert!(all.contains(&(B, Request::Proofs { ids: vec![id(7)] })), "{all:?}");
}

#[test]
fn what_nobody_has_is_given_up() {
    let mut bench = Bench::new(5);
    bench.meet(A, 5);
    bench.give(Input::Want { want: Want::Header(BlockHash::all_zeros()), from: Some(A) });
    let mut asked = 0;
    for _ in 0..2_000 {
        for (_, ask, request) in bench.requests() {
            match request {
                Request::Headers { .. } => {
                    asked += 1;
                    bench.answer(ask, Outcome::Items { useful: 0 });
                }
                Request::Tip => bench.answer(ask, tip(5)),
                _ => bench.answer(ask, Outcome::Pending(Vec::new())),
            }
        }
        bench.wait(500);
    }
    assert_eq!(asked, WANT_ATTEMPTS_MAX);
    assert_eq!(bench.sync.wanted(), 0);
}

#[test]
fn a_claimed_share_is_asked_of_its_claimer_only() {
    let mut bench = Bench::new(5);
    bench.meet(B, 5);
    let requests = bench.meet(A, 5);
    let pending = requests.iter().find(|(peer, _, request)| *peer == A && *request == Request::Pending).unwrap();
    bench.answer(pending.1, Outcome::Pending(vec![id(50), id(51)]));
    let requests = bench.requests();
    let [(A, ask, Request::Proofs { ids })] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(ids, &[id(50), id(51)]);
    bench.answer(*ask, Outcome::Items { useful: 0 });
    assert!(bench.outputs().contains(&Output::Punish { peer: A, misbehaviour: Misbehaviour::Useless }));
    assert_eq!(bench.sync.wanted(), 0, "made up: no other peer is asked for it");
}

#[test]
fn a_peer_gets_so_many_requests_and_no_more() {
    let mut bench = Bench::new(5);
    bench.meet(A, 5);
    let mut under_way = 0;
    for number in 0..20 {
        bench.give(Input::Want { want: Want::Proof(id(number)), from: Some(A) });
        under_way += bench.requests().len();
    }
    assert_eq!(under_way, IN_FLIGHT_PER_PEER_MAX);
    bench.give(Input::Disconnected(A));
    assert_eq!(bench.sync.state(), SyncState::Alone);
    assert!(bench.requests().is_empty());
    assert_eq!(bench.sync.flights.len(), 0);
}

#[test]
fn late_and_unknown_responses_change_nothing() {
    let mut bench = Bench::new(5);
    bench.meet(A, 5);
    bench.answer(RequestId(999), tip(1_000));
    bench.answer(RequestId(0), Outcome::Failed(Failure::Timeout));
    assert!(bench.outputs().is_empty());
    assert_eq!(bench.sync.state(), SyncState::Synced);
}
