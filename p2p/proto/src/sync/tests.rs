//! Tests of single decisions. `crowd` tests many nodes together.

mod crowd;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sharechain::{Height, ShareId, U256, Work};

use super::{Input, Local, Outcome, Output, RequestId, Sync, SyncState, Want};
use crate::limits::{
    CLAIM_PAUSE_MS, IN_FLIGHT_PER_PEER_MAX, PROOFS_MAX, REQUEST_TIMEOUT_MS, TIP_INTERVAL_MS, WANT_ATTEMPTS_MAX,
};
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

    /// Connects a peer and passes in its status.
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
fn catches_up_batch_by_batch_with_a_cursor() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(A, 100);
    let [(A, ask, Request::Links { locator, .. })] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(locator, &local(0).locator);
    assert_eq!(bench.sync.state(), SyncState::Syncing { done: Height(0), target: Height(100) });
    bench.answer(*ask, Outcome::Links { last: Some(id(64)), new: 64, more: true });
    let requests = bench.requests();
    let [(A, ask, Request::Links { locator, .. })] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(locator[0], id(64), "though our own tip has not moved");
    bench.answer(*ask, Outcome::Links { last: Some(id(100)), new: 36, more: false });
    bench.give(Input::Local(local(100)));
    assert_eq!(bench.sync.state(), SyncState::Synced);
    assert!(matches!(bench.requests()[..], [(A, _, Request::Pending)]));
}

#[test]
fn links_wait_for_the_shares_behind_them() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(A, 100);
    for number in 1_000..1_600 {
        bench.give(Input::Want { want: Want::Proof(id(number)), from: Some(A) });
    }
    bench.answer(requests[0].1, Outcome::Links { last: Some(id(64)), new: 64, more: true });
    let requests = bench.requests();
    assert_eq!(requests.len(), 1);
    let (_, ask, Request::Proofs { ids }) = &requests[0] else { panic!("{requests:?}") };
    assert_eq!(ids[..], (1_000..1_000 + PROOFS_MAX as u64).map(id).collect::<Vec<_>>(), "in the order wanted");
    for wanted in ids.clone() {
        bench.give(Input::Got(Want::Proof(wanted)));
    }
    bench.answer(*ask, Outcome::Items { useful: 256 });
    assert!(bench.requests().iter().all(|(_, _, request)| matches!(request, Request::Proofs { .. })));
}

#[test]
fn a_claim_without_links_is_not_believed() {
    let mut bench = Bench::new(10);
    let requests = bench.meet(A, 1_000);
    bench.answer(requests[0].1, Outcome::Links { last: None, new: 0, more: false });
    let outputs = bench.outputs();
    assert!(outputs.contains(&Output::Punish { peer: A, misbehaviour: Misbehaviour::Useless }));
    bench.give(Input::Tick);
    assert_eq!(bench.sync.state(), SyncState::Synced, "it stops nobody from working");
}

#[test]
fn links_that_wait_for_something_else_are_not_asked_for_again_at_once() {
    let mut bench = Bench::new(10);
    let requests = bench.meet(A, 12);
    let mut ask = requests[0].1;
    for pause_ms in [CLAIM_PAUSE_MS, 2 * CLAIM_PAUSE_MS] {
        bench.answer(ask, Outcome::Links { last: Some(id(12)), new: 2, more: false });
        let none = |outputs: Vec<Output>| {
            outputs.iter().all(|output| match output {
                Output::Punish { .. } => false,
                Output::Request { request, .. } => !matches!(request, Request::Links { .. }),
                Output::State(_) => true,
            })
        };
        assert!(none(bench.outputs()));
        bench.wait(pause_ms - 1);
        assert!(none(bench.outputs()));
        bench.wait(1);
        let again = bench.requests().into_iter().find(|(.., request)| matches!(request, Request::Links { .. }));
        ask = again.unwrap().1;
    }
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
                    // The chain had no room for it.
                    bench.give(Input::Want { want, from: Some(A) });
                    bench.answer(ask, Outcome::Items { useful: 1 });
                }
                Request::Tip => bench.answer(ask, tip(100)),
                _ => bench.answer(ask, Outcome::Pending(Vec::new())),
            }
        }
        bench.wait(100);
    }
    // Within a minute: at once, and then after pauses of 1, 2, 4, 8 and 16 s.
    assert_eq!(asked, 6);
}

#[test]
fn a_branch_in_a_circle_is_left() {
    let mut bench = Bench::new(10);
    let requests = bench.meet(A, 1_000);
    bench.answer(requests[0].1, Outcome::Links { last: Some(id(64)), new: 0, more: true });
    let next = bench.requests();
    bench.answer(next[0].1, Outcome::Links { last: Some(id(64)), new: 0, more: true });
    assert!(bench.outputs().contains(&Output::Punish { peer: A, misbehaviour: Misbehaviour::Useless }));
}

#[test]
fn a_timeout_costs_and_another_peer_is_asked() {
    let mut bench = Bench::new(0);
    bench.meet(A, 100);
    bench.meet(B, 90);
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
    assert!(all.iter().any(|(peer, request)| *peer == B && matches!(request, Request::Links { .. })), "{all:?}");
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
    assert_eq!(bench.sync.wanted(), 0, "made up: nobody else is bothered with it");
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

#[test]
fn a_little_behind_is_still_synced() {
    let mut bench = Bench::new(100);
    bench.meet(A, 110);
    assert!(matches!(bench.sync.state(), SyncState::Syncing { .. }), "not yet");
    bench.give(Input::Local(local(108)));
    assert_eq!(bench.sync.state(), SyncState::Synced);
    bench.wait(TIP_INTERVAL_MS);
    let requests = bench.requests();
    let ask = requests.iter().find(|(_, _, request)| *request == Request::Tip).unwrap().1;
    bench.answer(ask, tip(130));
    assert_eq!(bench.sync.state(), SyncState::Synced, "gossip has those on the way");
}
