//! Events of a node's log in a real PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use archive::gather::Gatherer;
use archive::queue::Queue;
use archive::{LocalServer, export};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sharechain::ShareId;
use testkit::World;

use super::{Bare, send};
use crate::archiving::events::Events;
use crate::archiving::follow::Follower;
use crate::consensus::Views;
use crate::event_kind::EventKind;
use crate::history::observer;
use crate::history::{Changed, Event, EventLog, Found, History, Paid, Refused, Reorganised};

/// What no reader of the archive may see.
const SECRETS: [&str; 6] = ["rig7", "bc1qminer", "12D3KooWpeer", "alice", "10.1.2.3", ".cookie"];

/// An event of a kind that names all it can.
fn event(kind: EventKind, time: u32) -> Event {
    let hash = BlockHash::all_zeros();
    let why = "bitcoind at http://10.1.2.3:8332 rejects user alice and the cookie in /home/alice/.cookie";
    let event = |sentence: &str| Event { time, ..Event::new(kind, sentence) };
    match kind {
        EventKind::Start => event(&format!("the node waits for bitcoind: {why}")),
        EventKind::Work => event(&format!("miners get no work: {why}")),
        EventKind::Bitcoin => event(&format!("bitcoind: {why}")),
        EventKind::Worker => Event { worker: Some("rig7".to_owned()), ..event("device rig7 has sent nothing") },
        EventKind::Payment => {
            let paid = Paid { address: "bc1qminer".to_owned(), value_sat: 5, block: hash, height: 7 };
            Event { paid: Some(paid), ..event("Bitcoin block 7 pays 5 to bc1qminer") }
        }
        EventKind::Refused => {
            let refused = Refused { id: hash, rule: "SC-1".to_owned(), peer: Some("12D3KooWpeer".to_owned()) };
            Event { refused: Some(refused), ..event("a peer's share was rejected") }
        }
        EventKind::Block => {
            Event { block: Some(Found { hash, height: 7 }), ..event("the pool found Bitcoin block 7").at("/blocks/7") }
        }
        EventKind::Reorganisation => {
            let (fork_height, depth, connected) = (3, 1, 2);
            let reorganised = Reorganised { old: hash, new: hash, fork_height, depth, connected };
            Event { reorganised: Some(reorganised), ..event("a branch with more work replaced 1 link") }
        }
        EventKind::Isolation => {
            let state = Changed { kind: "no_peers".to_owned(), begins: true };
            Event { state: Some(state), ..event("no peer is connected") }
        }
        EventKind::Peers => Event { time, ..observer::peers(false) },
        EventKind::Conflict => Event { time, ..observer::settled_conflict(ShareId([1; 32])) },
        EventKind::Upgrade => Event { time, ..observer::upgrade(3, "is active from height 7") },
    }
}

/// Logs an event of each kind, and expects those that an archive gets, with its node's number and time.
fn log(log: &EventLog, first: i64, time: u32, expected: &mut Vec<(i64, String, i64)>) {
    for (number, kind) in (first..).zip(EventKind::ALL) {
        log.note(event(kind, time));
        if kind.is_archived() {
            expected.push((number, kind.name().to_owned(), time.into()));
        }
    }
}

/// Rows of `event`: number, kind, and time in seconds since 1970.
async fn archived(server: &LocalServer) -> Vec<(i64, String, i64)> {
    let client = server.url().unwrap().connect().await.unwrap();
    let sql = "select number, kind, extract(epoch from time)::int8 from event order by time, number";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_events_are_archived_once_over_kills_and_name_no_device_address_or_peer() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let (data, path, mut expected) = (folder.path().join("db"), folder.path().join("queue"), Vec::new());
    let mut world = World::new();
    let mut node = Bare::open(&world, &data);
    log(History::open(Arc::clone(&node.store)).unwrap().event_log(), 1, 1_800_000_000, &mut expected);
    for (proof, list) in world.grow(3, 1) {
        node.insert(&world, &proof, list);
    }
    node.archive(&path, &server, &world).await;
    assert_eq!(archived(&server).await, expected);

    // The database is killed, and the node while its queue waits. Both come back, and the node reads its log again.
    server.kill();
    let log_of = |node: &Bare| History::open(Arc::clone(&node.store)).unwrap().event_log().clone();
    log(&log_of(&node), 13, 1_800_000_100, &mut expected);
    for (proof, list) in world.grow(2, 1) {
        node.insert(&world, &proof, list);
    }
    let reader = Views::of(node.engine.chain().clone()).reader();
    let mut queue = Queue::open(&path).unwrap();
    Follower::new(Arc::clone(&node.store), &mut queue).last_step(&mut queue, &reader).unwrap();
    drop((node, queue));
    server.start().unwrap();
    // The newest batch stays in the queue, so that it is written again, as if the node was killed before it took it.
    for _ in 0..2 {
        send(&mut Queue::open(&path).unwrap(), &server, &world).await;
        assert_eq!(archived(&server).await, expected);
    }
    let mut node = Bare::open(&world, &data);
    node.archive(&path, &server, &world).await;
    assert_eq!(archived(&server).await, expected, "once each");

    // Another log, whose numbers begin anew.
    drop(node);
    let mut node = Bare::open(&world, &folder.path().join("other"));
    log(&log_of(&node), 1, 1_800_000_200, &mut expected);
    node.archive(&path, &server, &world).await;
    assert_eq!(archived(&server).await, expected);
    check_readers(&server, folder.path(), expected.len()).await;
}

/// A reader sees the events, names no secret, and writes none; the export has all of them.
async fn check_readers(server: &LocalServer, folder: &Path, count: usize) {
    let client = server.url().unwrap().connect().await.unwrap();
    client.batch_execute("set role shoal_reader").await.unwrap();
    let rows = client.query("select event::text from event", &[]).await.unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(rows.len() == count && rows.iter().any(|row| row.contains("miners get no work")), "{rows:?}");
    let named = |row: &&String| SECRETS.iter().any(|secret| row.contains(secret));
    assert_eq!(rows.iter().find(named), None);
    client.batch_execute("delete from event").await.unwrap_err();
    let sql = "select details->'state'->>'kind', details->'block'->>'height', page from event
        where kind in ('isolation', 'block') order by time, number limit 2";
    let rows = client.query(sql, &[]).await.unwrap();
    let texts = |row: &tokio_postgres::Row| [0, 1, 2].map(|at| row.get::<_, Option<String>>(at));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts(&rows[0]), [None, some("7"), some("/blocks/7")]);
    assert_eq!(texts(&rows[1]), [some("no_peers"), None, None]);
    let written = export(&server.url().unwrap(), &folder.join("parquet"), None, |_| {}).await.unwrap();
    let of_events = written.iter().filter(|file| file.path.to_str().unwrap().contains("event-2027-01"));
    assert_eq!(of_events.map(|file| file.rows).sum::<u64>(), count as u64);
}

/// How many events a reader reads that continues after `newest`, and the newest one then.
fn read(node: &Bare, newest: Option<(u64, u32)>) -> (usize, Option<(u64, u32)>) {
    let (mut events, mut gatherer, mut rows) = (Events::new(&node.store, newest), Gatherer::default(), None);
    while rows != Some(gatherer.batch().rows()) {
        rows = Some(gatherer.batch().rows());
        events.gather(&node.store, &mut gatherer).unwrap();
    }
    (gatherer.batch().rows(), events.newest())
}

#[test]
fn a_node_goes_on_at_the_end_of_its_log_and_reads_another_log_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str, events: u64, time: u32| {
        let node = Bare::open(&World::new(), &folder.path().join(name));
        let history = History::open(Arc::clone(&node.store)).unwrap();
        (0..events).for_each(|_| history.event_log().note(event(EventKind::Peers, time)));
        node
    };
    let empty = node("empty", 0, 5);
    assert_eq!((read(&empty, None), read(&empty, Some((500, 5)))), ((0, None), (0, None)));
    let (old, newest) = (node("old", 500, 5), Some((500, 5)));
    assert_eq!((read(&old, None), read(&old, newest)), ((500, newest), (0, newest)), "nothing twice");
    assert_eq!(read(&old, Some((497, 5))), (3, newest));
    // A longer log in a new data folder, beside the queue of the old one.
    assert_eq!(read(&node("new", 2_000, 6), newest), (2_000, Some((2_000, 6))));
    // A crash of the machine cost the log its newest events.
    assert_eq!(read(&old, Some((501, 5))), (500, newest));
}
