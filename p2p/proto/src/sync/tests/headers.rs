//! Tests of the decisions about header chains: which peer to follow, which chain leads, and when miners get no work.

use super::*;
use crate::limits::{CHOICE_WAIT_MS, CLAIM_PAUSE_MS, FOLLOWED_MAX, HEADERS_STALL_MS, LISTS_WAIT_MS};

/// Links on this node's own chain up to `height`, each with work 1.
fn on_own_chain(height: u32, more: bool) -> Outcome {
    shown(Begins::OnOwnChain, height, height, more)
}

fn candidate(height: u32, rank: u32) -> Outcome {
    let begins = Begins::AtBeginning { first: Height(1), rows_to: Height(height - 1_999) };
    shown(begins, height, rank, false)
}

fn shown(begins: Begins, height: u32, rank: u32, more: bool) -> Outcome {
    let shown = Shown {
        begins,
        height: Height(height),
        chain_work: Work(U256::from(height)),
        recent_work: Work(U256::from(rank)),
        locator: vec![id(u64::from(height))],
    };
    Outcome::Headers(Headers::Verified { shown, more, waits: false })
}

fn peer(number: u8) -> PeerId {
    PeerId([number; 32])
}

fn asked(requests: &[(PeerId, RequestId, Request)], peer: PeerId) -> Option<(RequestId, Request)> {
    let of_chain =
        |request: &Request| matches!(request, Request::LinkHeaders { .. } | Request::Beginning | Request::Rows { .. });
    let found = requests.iter().find(|(to, _, request)| *to == peer && of_chain(request))?;
    Some((found.1, found.2.clone()))
}

fn is_syncing(bench: &Bench) -> bool {
    matches!(bench.sync.state(), SyncState::Syncing { .. })
}

impl Bench {
    /// Answers all requests except those for header chains, like a peer at this height.
    fn chat(&mut self, height: u32) -> Vec<(PeerId, RequestId, Request)> {
        let requests = self.requests();
        for (_, ask, request) in &requests {
            match request {
                Request::Tip => self.answer(*ask, tip(height)),
                Request::Pending => self.answer(*ask, Outcome::Pending(Vec::new())),
                _ => {}
            }
        }
        requests
    }
}

#[test]
fn headers_are_requested_batch_by_batch_and_lead_to_lists() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(A, 100);
    let Some((ask, Request::LinkHeaders { locator, .. })) = asked(&requests, A) else { panic!("{requests:?}") };
    assert_eq!(locator, local(0).locator);
    assert!(matches!(bench.sync.state(), SyncState::Syncing { phase: Phase::Headers, target: Height(100), .. }));
    bench.answer(ask, on_own_chain(64, true));
    assert_eq!(bench.sync.leader(), Some(A));
    let requests = bench.requests();
    let Some((ask, Request::LinkHeaders { locator, .. })) = asked(&requests, A) else { panic!("{requests:?}") };
    assert_eq!(locator[0], id(64), "though our own tip has not moved");
    bench.answer(ask, on_own_chain(100, false));
    let expected = SyncState::Syncing { phase: Phase::Proofs, done: Height(0), target: Height(100), received_bytes: 0 };
    assert_eq!(bench.sync.state(), expected);
    bench.give(Input::Advanced(A));
    bench.give(Input::Local(local(100)));
    assert_eq!(bench.sync.state(), SyncState::Synced);
    assert!(bench.requests().iter().any(|(_, _, request)| *request == Request::Pending));
    assert!(!bench.sync.follows(A), "its claim is reached");
}

#[test]
fn a_chain_that_ends_below_its_claim_loses_the_claim() {
    for answer in [Outcome::Headers(Headers::Refuted), on_own_chain(11, false)] {
        let mut bench = Bench::new(10);
        let requests = bench.meet(A, 1_000);
        bench.answer(asked(&requests, A).unwrap().0, answer);
        bench.outputs();
        bench.give(Input::Tick);
        assert_eq!(bench.sync.state(), SyncState::Synced);
    }
}

#[test]
fn a_claim_takes_no_work_from_miners() {
    let mut bench = Bench::new(10);
    bench.meet(A, 10);
    assert_eq!(bench.sync.state(), SyncState::Synced);
    // B claims more and more, and never shows any of it.
    bench.meet(B, 1_000_000);
    for second in 0..1_000 {
        bench.wait(1_000);
        let requests = bench.requests();
        for (to, ask, request) in requests {
            match request {
                Request::Tip => bench.answer(ask, tip(if to == B { 1_000_000 + second } else { 10 })),
                Request::Pending => bench.answer(ask, Outcome::Pending(Vec::new())),
                _ if second % 3 == 0 => bench.answer(ask, Outcome::Failed(Failure::Refused)),
                _ => {}
            }
        }
        assert_eq!(bench.sync.state(), SyncState::Synced);
    }
}

#[test]
fn headers_without_lists_take_no_work() {
    let mut bench = Bench::new(10);
    bench.meet(A, 10);
    bench.meet(B, 500);
    let mut asked_b = 0;
    for _ in 0..600 {
        for (to, ask, request) in bench.requests() {
            match request {
                Request::Tip => bench.answer(ask, tip(if to == B { 500 } else { 10 })),
                Request::LinkHeaders { .. } => {
                    asked_b += 1;
                    bench.answer(ask, on_own_chain(500, false));
                }
                _ => bench.answer(ask, Outcome::Pending(Vec::new())),
            }
        }
        assert_eq!(bench.sync.state(), SyncState::Synced);
        bench.wait(1_000);
    }
    // After each minute, its claims do not count for a while.
    assert!((5..=10).contains(&asked_b), "{asked_b}");
}

#[test]
fn lists_that_come_lead_to_syncing_until_they_stop() {
    let mut bench = Bench::new(10);
    bench.meet(A, 10);
    let requests = bench.meet(B, 500);
    let requests = if asked(&requests, B).is_some() { requests } else { bench.requests() };
    bench.answer(asked(&requests, B).unwrap().0, on_own_chain(500, false));
    bench.outputs();
    assert_eq!(bench.sync.state(), SyncState::Synced);
    bench.give(Input::Advanced(B));
    assert!(is_syncing(&bench));
    bench.wait(LISTS_WAIT_MS);
    bench.outputs();
    bench.give(Input::Tick);
    assert_eq!(bench.sync.state(), SyncState::Synced);
}

#[test]
fn a_stalling_peer_loses_its_slot() {
    let mut bench = Bench::new(0);
    let liars = u8::try_from(FOLLOWED_MAX).unwrap();
    for number in 10..10 + liars {
        bench.meet(peer(number), 1_000);
    }
    let requests = bench.meet(A, 100);
    assert!(asked(&requests, A).is_none(), "all places are taken");
    bench.wait(HEADERS_STALL_MS - 1);
    assert!(asked(&bench.chat(1_000), A).is_none());
    bench.wait(1);
    let (ask, _) = asked(&bench.requests(), A).expect("a place is free");
    bench.answer(ask, on_own_chain(100, false));
    assert_eq!(bench.sync.leader(), Some(A));
    // After growing pauses, they get another turn.
    let mut turns = Vec::new();
    for second in 0..300 {
        if bench.chat(1_000).iter().any(|(to, _, request)| *to == peer(10) && request.kind() == asking()) {
            turns.push(second);
        }
        bench.wait(1_000);
    }
    let pauses: Vec<_> = turns.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.is_sorted() && pauses.len() >= 3 && pauses[0] * 1_000 > CLAIM_PAUSE_MS, "{pauses:?}");
}

fn asking() -> crate::message::RequestKind {
    crate::message::RequestKind::LinkHeaders
}

#[test]
fn a_node_that_was_never_in_sync_waits_for_claims_but_not_forever() {
    let mut bench = Bench::new(5);
    bench.meet(A, 5_000);
    for number in 0..40 {
        bench.meet(peer(10 + number), 2_000);
    }
    let mut syncing = 0;
    for _ in 0..300 {
        bench.chat(2_000);
        syncing += u64::from(is_syncing(&bench));
        bench.wait(1_000);
    }
    assert_eq!(bench.sync.state(), SyncState::Synced);
    assert!(syncing * 1_000 <= LISTS_WAIT_MS + 2_000, "{syncing} s");
}

#[test]
fn an_early_liar_does_not_choose_the_chain() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(B, 50_000);
    let (ask, request) = asked(&requests, B).unwrap();
    assert_eq!(request, Request::Beginning, "too far behind to judge it on the own chain");
    bench.answer(ask, candidate(50_000, 700));
    let requests = bench.meet(A, 40_000);
    let requests = if asked(&requests, A).is_some() { requests } else { bench.requests() };
    assert_eq!(bench.sync.newcomer.chosen, Some(B), "its rows may come while A shows more");
    assert!(!bench.sync.may_start(), "others may yet show more");
    let (ask, _) = asked(&requests, A).unwrap();
    bench.answer(ask, candidate(40_000, 900));
    let requests = bench.requests();
    assert!(asked(&requests, B).is_none());
    let (ask, request) = asked(&requests, A).expect("the most verified work wins");
    assert_eq!(request, Request::Rows { first: Height(1), limit: 512 });
    bench.answer(ask, Outcome::Rows { next: Height(513), done: false });
    assert!(matches!(bench.sync.state(), SyncState::Syncing { phase: Phase::Rows, done: Height(512), .. }));
    let (ask, request) = asked(&bench.requests(), A).unwrap();
    assert_eq!(request, Request::Rows { first: Height(513), limit: 512 });
    bench.wait(CHOICE_WAIT_MS - 1_000);
    bench.chat(40_000);
    assert!(!bench.sync.may_start());
    // It lies about the rows, so the node leaves the other chain.
    bench.answer(ask, Outcome::Invalid(Misbehaviour::InvalidItem));
    let requests = bench.requests();
    assert!(asked(&requests, A).is_none());
    assert!(matches!(asked(&requests, B), Some((_, Request::Rows { .. }))));
}

#[test]
fn a_choice_waits_for_nobody_for_ever() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(A, 50_000);
    bench.answer(asked(&requests, A).unwrap().0, candidate(50_000, 700));
    let mut next = Height(2);
    let (ask, _) = asked(&bench.requests(), A).unwrap();
    bench.answer(ask, Outcome::Rows { next, done: false });
    let (ask, _) = asked(&bench.requests(), A).unwrap();
    for number in 10..30 {
        bench.meet(peer(number), 60_000);
    }
    next = next.child();
    bench.answer(ask, Outcome::Rows { next, done: false });
    let mut waited_ms = 0;
    while !bench.sync.may_start() {
        bench.wait(500);
        let requests = bench.chat(60_000);
        if let Some((ask, Request::Rows { .. })) = asked(&requests, A) {
            next = next.child();
            bench.answer(ask, Outcome::Rows { next, done: false });
        }
        waited_ms += 500;
        assert!(waited_ms <= CHOICE_WAIT_MS);
    }
    assert_eq!(bench.sync.newcomer.chosen, Some(A));
}

#[test]
fn who_does_not_show_the_lowest_links_is_asked_for_the_beginning() {
    let mut bench = Bench::new(0);
    let requests = bench.meet(A, 2_000);
    let (ask, request) = asked(&requests, A).unwrap();
    assert!(matches!(request, Request::LinkHeaders { .. }));
    bench.answer(ask, Outcome::Headers(Headers::NotShown));
    let (ask, request) = asked(&bench.requests(), A).unwrap();
    assert_eq!(request, Request::Beginning);
    bench.answer(ask, Outcome::Headers(Headers::NotShown));
    assert!(!bench.sync.follows(A));
}

#[test]
fn a_little_behind_is_still_synced() {
    let mut bench = Bench::new(100);
    let requests = bench.meet(A, 110);
    assert!(is_syncing(&bench), "not yet");
    bench.answer(asked(&requests, A).unwrap().0, on_own_chain(110, false));
    bench.give(Input::Local(local(108)));
    assert_eq!(bench.sync.state(), SyncState::Synced);
    bench.give(Input::Advanced(A));
    assert_eq!(bench.sync.state(), SyncState::Synced, "gossip has those on the way");
}
