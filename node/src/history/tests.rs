use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use bitcoin::ScriptBuf;
use node_core::engine::Engine;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId, U256};

use super::observer::all_told;
use super::*;
use crate::consensus::{self, ChainReader, Inputs};
use crate::devices::{DeviceNews, by_reason};
use crate::limits::EVENT_LOG_EVENTS_MAX;
use crate::store::Store;
use testkit::World;

type Proofs = Vec<(Proof, Option<Vec<ShareId>>)>;

struct Node {
    history: History,
    chain: ChainReader,
}

/// A node whose engine accepted the proofs, before it builds its history.
fn node(world: &World, found: &Proofs, folder: &Path) -> Node {
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let chain = World::with(world.chain.params().clone()).chain;
    let mut engine = Engine::open(chain, Arc::clone(&store), world.now).unwrap();
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    for (proof, list) in found {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        let outcome = engine.insert(bound, list.clone(), Source(1), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Known(_)), "{outcome:?}");
    }
    Node { history: History::open(store).unwrap(), chain: consensus::start(engine, Inputs::none()).reader }
}

fn payees(found: &Proofs) -> BTreeMap<ScriptBuf, Vec<ShareId>> {
    let mut payees: BTreeMap<ScriptBuf, Vec<ShareId>> = BTreeMap::new();
    for (proof, _) in found {
        payees.entry(proof.share.payout.clone()).or_default().push(proof.id());
    }
    payees
}

/// All items, on pages of `limit`.
fn all<T>(limit: usize, read: impl Fn(Option<u64>, usize) -> Page<T>) -> Vec<T> {
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let page = read(from, limit);
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        from = page.next_from;
        if from.is_none() {
            return items;
        }
    }
}

#[tokio::test]
async fn every_share_stands_with_its_payee_and_in_the_sums() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let found = world.grow(40, 3);
    let node = node(&world, &found, folder.path());
    node.history.catch_up(&node.chain).await.unwrap();
    for (script, ids) in payees(&found) {
        let shares = all(7, |from, limit| node.history.shares_of(&script, from, limit).unwrap());
        assert_eq!(shares.iter().rev().map(|share| share.id).collect::<Vec<_>>(), ids);
        for step_s in STEPS_S {
            let steps = all(3, |from, limit| node.history.payee_steps(&script, step_s, from, limit).unwrap());
            assert_eq!(steps.iter().map(|point| point.step.shares as usize).sum::<usize>(), ids.len());
            assert!(steps.iter().all(|point| point.start % step_s == 0 && point.step.miners == 1));
            assert!(steps.is_sorted_by(|a, b| a.start > b.start));
        }
    }
    let links = found.iter().filter(|(proof, _)| world.chain.link(&proof.id()).is_some()).count();
    for step_s in STEPS_S {
        let steps = all(3, |from, limit| node.history.pool_steps(step_s, from, limit).unwrap());
        assert_eq!(steps.iter().map(|point| point.step.shares as usize).sum::<usize>(), found.len());
        assert_eq!(steps.iter().map(|point| point.step.links as usize).sum::<usize>(), links);
        assert!(steps.iter().all(|point| point.step.miners as usize <= payees(&found).len()));
    }
}

#[tokio::test]
async fn what_is_listed_is_found_by_the_share_and_a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let found = world.grow(20, 2);
    let node = node(&world, &found, folder.path());
    for _ in 0..2 {
        node.history.catch_up(&node.chain).await.unwrap();
        for (link, list) in &found {
            for share in list.iter().flatten() {
                let height = world.chain.link(&link.id()).unwrap().height.0;
                assert_eq!(node.history.listed_in(share).unwrap(), [(link.id(), height)]);
            }
        }
        let total = |step_s| node.history.pool_steps(step_s, None, 500).unwrap();
        assert_eq!(total(86_400).items.iter().map(|point| point.step.shares as usize).sum::<usize>(), found.len());
    }
}

#[tokio::test]
async fn the_event_log_keeps_the_newest_events_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = || Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap());
    let history = History::open(store()).unwrap();
    let id = |number: u8| ShareId([number; 32]).block_hash();
    let refused = |number| {
        let refused = Refused { id: id(number), rule: "SC-301".into(), peer: None };
        Event { refused: Some(refused), ..Event::new(EventKind::Refused, "a share was refused") }
    };
    history.event_log().note(refused(1));
    history.event_log().note(refused(2));
    history.event_log().note(refused(2));
    drop(history);
    let history = History::open(store()).unwrap();
    assert_eq!(history.refusal(&ShareId([1; 32])).unwrap().unwrap().id, 1);
    assert_eq!(history.refusal(&ShareId([2; 32])).unwrap().unwrap().id, 3);
    let reorganised = Reorganised { old: id(3), new: id(4), fork_height: 7, depth: 2, connected: 3 };
    let event = Event::new(EventKind::Reorganisation, "two links left the main chain");
    history.event_log().note(Event { reorganised: Some(reorganised), ..event });
    assert_eq!(history.reorganisations(None, 10).unwrap().items[0].reorganised.as_ref().unwrap().depth, 2);
    while history.events(None, 1).unwrap().items[0].id < EVENT_LOG_EVENTS_MAX + 2 {
        history.event_log().note(Event::new(EventKind::Work, "miners have work"));
    }
    let events = all(3_000, |from, limit| history.events(from, limit).unwrap());
    assert_eq!(events.len() as u64, EVENT_LOG_EVENTS_MAX);
    assert_eq!(events.last().unwrap().id, 3);
    assert_eq!(history.refusal(&ShareId([1; 32])).unwrap(), None);
    assert_eq!(history.refusal(&ShareId([2; 32])).unwrap().unwrap().id, 3);
}

#[test]
fn kinds_have_the_same_name_everywhere() {
    for kind in EventKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

#[test]
fn many_devices_at_once_leave_room_for_other_events() {
    let news = |count: usize| vec![DeviceNews::Back { name: "rig".to_owned() }; count];
    let mut asked = 0;
    let events = all_told(news(1_000), || {
        asked += 1;
        asked <= 2
    });
    let names: Vec<_> = events.iter().map(|event| event.worker.as_deref()).collect();
    assert_eq!(names, [Some("rig"), Some("rig"), None]);
    assert!(events[2].sentence.starts_with("998 more devices"), "{}", events[2].sentence);
    assert_eq!(all_told(news(1), || true).len(), 1);
}

#[test]
fn a_device_whose_submits_are_all_rejected_is_told_with_the_likely_cause() {
    let sentence = |reason| {
        let news = DeviceNews::Rejected { name: "rig".to_owned(), count: 16, reason };
        let event = all_told(vec![news], || true).remove(0);
        assert_eq!(event.worker.as_deref(), Some("rig"));
        event.sentence
    };
    let expected = "the last 16 submits of device rig were all rejected, most as low_difficulty: its program ignores the difficulty, or \
                    cannot hold the pool's coinbase and hashes another one; use other firmware, or Stratum v2";
    assert_eq!(sentence("low_difficulty"), expected);
    let all = by_reason(&stratum::Rejected::default()).map(|(reason, _)| sentence(reason));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "each reason has a cause of its own");
}

/// Any miner of this node chooses a user name.
#[test]
fn a_user_name_cannot_write_lines_of_its_own() {
    let name = "rig\nShoal: block found\u{202e}\u{1b}[31m".to_owned();
    let told = all_told(vec![DeviceNews::Back { name: name.clone() }], || true).remove(0);
    let expected = "device rig\u{fffd}Shoal: block found\u{fffd}\u{fffd}[31m hashes at its usual rate again";
    assert_eq!((told.sentence.as_str(), told.worker), (expected, Some(name)), "programs get the name as it is");
}
