mod events;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::LocalServer;
use archive::limits::QUEUE_BYTES_MAX;
use archive::patient::PatientWriter;
use archive::queue::Queue;
use archive::writer::Cursor;
use node_core::engine::{ChainEvent, Engine};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, ShareId, U256};
use testkit::World;

use super::follow::{Follower, Step};
use super::stream::Streamer;
use crate::consensus::{self, ChainReader, EngineHandle, Inputs, Views};
use crate::state::ArchiveState;
use crate::store::Store;

type Proofs = Vec<(Proof, Option<Vec<ShareId>>)>;

/// A node whose engine accepted the proofs.
fn node(world: &World, found: &Proofs, folder: &Path) -> (Arc<Store>, ChainReader) {
    let (store, engine) = running(world, found, folder);
    (store, engine.reader().clone())
}

/// The same node, with its engine.
fn running(world: &World, found: &Proofs, folder: &Path) -> (Arc<Store>, EngineHandle) {
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let chain = World::with(world.chain.params().clone()).chain;
    let mut engine = Engine::open(chain, Arc::clone(&store), world.now).unwrap();
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    for (proof, list) in found {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        let _accepted = engine.insert(bound, list.clone(), Source(1), world.now);
    }
    drop(engine.take_events());
    (store, consensus::start(engine, Inputs::none()).engine)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_be_written_for_a_while_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let found = world.grow(20, 3);
    let (store, chain) = node(&world, &found, &folder.path().join("node"));
    let path = folder.path().join("queue");
    let mut queue = Queue::open(&path).unwrap();
    let mut follower = Follower::new(store, &mut queue);
    // With a file in place of its folder, no process can write there, not even as root.
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    for _ in 0..2 {
        follower.step(&mut queue, &chain).unwrap_err();
        assert_eq!((queue.waiting(), queue.position()), (0, None));
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(follower.step(&mut queue, &chain).unwrap(), Step::Done);
    assert_eq!(taken(&mut queue), found.len(), "once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_stops_the_reading_of_the_journal_and_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let found = world.grow(20, 3);
    let (store, chain) = node(&world, &found, &folder.path().join("node"));
    let path = folder.path().join("queue");
    std::fs::create_dir(&path).unwrap();
    // It takes all of the room, and has no content.
    let large = path.join("00000000000000000001.batch");
    std::fs::File::create(&large).unwrap().set_len(QUEUE_BYTES_MAX).unwrap();
    let mut queue = Queue::open(&path).unwrap();
    let mut follower = Follower::new(store, &mut queue);
    for _ in 0..2 {
        assert_eq!(follower.step(&mut queue, &chain).unwrap(), Step::Full);
        assert_eq!((queue.waiting(), queue.position()), (1, Some(1)));
    }
    std::fs::remove_file(&large).unwrap();
    let mut queue = Queue::open(&path).unwrap();
    assert_eq!(follower.step(&mut queue, &chain).unwrap(), Step::Done);
    assert_eq!(taken(&mut queue), found.len(), "once each");
}

/// Takes all batches from a queue. Every file must exist and be intact. Returns the number of proofs.
fn taken(queue: &mut Queue) -> usize {
    let mut proofs = 0;
    while let Some(queued) = queue.front().unwrap() {
        proofs += queued.batch.unwrap().shares();
        queue.take().unwrap();
    }
    proofs
}

/// Without them, a chain of headers would have holes, and a block below a hole would look orphaned.
#[tokio::test(flavor = "multi_thread")]
async fn headers_that_bitcoind_had_when_the_node_started_are_archived() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    (0..4).for_each(|_| world.bitcoin_block());
    let store = Arc::new(Store::open(&folder.path().join("db"), *world.chain.consensus_id()).unwrap());
    let engine = Engine::open(world.newcomer(), Arc::clone(&store), world.now).unwrap();
    let chain = consensus::start(engine, Inputs::none()).reader;
    let mut queue = Queue::open(&folder.path().join("queue")).unwrap();
    assert_eq!(Follower::new(store, &mut queue).step(&mut queue, &chain).unwrap(), Step::Done);
    assert_eq!(queue.front().unwrap().unwrap().batch.unwrap().rows(), 4);
}

/// It reads its newest records again. They end where the last batch ended, because the file of that batch was removed,
/// and all others waited for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_again_without_news_goes_on_archiving() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let found = world.grow(20, 3);
    let (store, chain) = node(&world, &found, &folder.path().join("node"));
    let path = folder.path().join("queue");
    let mut positions = Vec::new();
    for _ in 0..3 {
        let mut queue = Queue::open(&path).unwrap();
        let mut follower = Follower::new(Arc::clone(&store), &mut queue);
        for _ in 0..3 {
            assert_eq!(follower.step(&mut queue, &chain).unwrap(), Step::Done);
            taken(&mut queue);
        }
        positions.push(Queue::open(&path).unwrap().position().unwrap());
    }
    // The last records of a journal may have no rows.
    assert!(positions[0] > 80 && positions.iter().all(|position| *position == positions[0]), "{positions:?}");
}

/// Writes all batches of a queue.
async fn send(queue: &mut Queue, server: &LocalServer, world: &World) {
    let params = world.chain.params().clone();
    let mut writer = PatientWriter::new(server.url().unwrap(), params, Duration::ZERO);
    while let Some(queued) = queue.front().unwrap() {
        let cursor = Cursor { source: [1; 32], position: queued.position, digest: [0; 32] };
        writer.write(&queued.batch.unwrap(), &cursor, None).await.unwrap();
        queue.take().unwrap();
    }
}

/// Contents of the database: ids of proofs, and listed ids on the main chain.
async fn archived(server: &LocalServer) -> (Vec<ShareId>, Vec<ShareId>) {
    let client = server.url().unwrap().connect().await.unwrap();
    let mut found = Vec::new();
    let listed = "select share from listing join place on place.link = listing.link order by place.height, position";
    for sql in ["select id from share order by height, id", listed] {
        let rows = client.query(sql, &[]).await.unwrap();
        found.push(rows.iter().map(|row| ShareId(row.get::<_, &[u8]>(0).try_into().unwrap())).collect());
    }
    let listed = found.pop().unwrap();
    (found.pop().unwrap(), listed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_archives_its_share_chain_once_over_crashes_and_while_the_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let mut world = World::new();
    let mut found = world.grow(40, 3);
    let path = folder.path().join("queue");

    // The database is down. The node's records go into the queue, and the node may stop at any time.
    server.kill();
    let (store, chain) = node(&world, &found, &folder.path().join("first"));
    let mut queue = Queue::open(&path).unwrap();
    assert_eq!(Follower::new(Arc::clone(&store), &mut queue).step(&mut queue, &chain).unwrap(), Step::Done);
    let waiting = queue.waiting();
    assert!(waiting > 0 && queue.bytes() > 10_000, "{waiting} batches, {} bytes", queue.bytes());
    let mut queue = Queue::open(&path).unwrap();
    assert_eq!(queue.waiting(), waiting, "the queue outlasts the node");
    assert_eq!(Follower::new(store, &mut queue).step(&mut queue, &chain).unwrap(), Step::Done);

    // The database is back, and gets all batches, then the newer records.
    server.start().unwrap();
    send(&mut queue, &server, &world).await;
    found.extend(world.grow(10, 3));
    let (store, chain) = node(&world, &found, &folder.path().join("second"));
    Follower::new(store, &mut queue).step(&mut queue, &chain).unwrap();
    send(&mut queue, &server, &world).await;

    let (shares, listed) = archived(&server).await;
    let expected: BTreeSet<ShareId> = found.iter().map(|(proof, _)| proof.id()).collect();
    assert_eq!(shares.len(), expected.len(), "nothing twice, nothing missing");
    assert_eq!(shares.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(listed, found.iter().flat_map(|(_, list)| list.iter().flatten().copied()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ends_right_after_a_reorganization_archives_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let mut world = World::new();
    let mut found = world.grow(3, 1);
    let fork = world.chain.tip();
    found.push((world.link_signalling(fork, 0), Some(Vec::new())));
    let (store, engine) = running(&world, &found, folder.path());
    let (lost, state, queue) = (world.chain.tip(), ArchiveState::default(), folder.path().join("queue"));
    let streamer = Streamer {
        store: Arc::clone(&store),
        chain: engine.reader().clone(),
        url: server.url().unwrap(),
        params: world.chain.params().clone(),
        folder: queue.clone(),
        source: [1; 32],
        state: state.clone(),
        replayed: Vec::new(),
    };
    let streaming = streamer.spawn();
    while state.get().is_none_or(|(bytes, _)| bytes == 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let mut previous = fork;
    for _ in 0..2 {
        let link = world.link_signalling(previous, 1);
        previous = link.id();
        let (bound, now) = (world.bind(&link), world.now);
        let _taken = engine.call(move |engine| engine.insert(bound, Some(Vec::new()), Source(1), now)).await.unwrap();
    }
    engine.end().await;
    assert_eq!(engine.reader().chain().tip(), previous, "the longer branch won");
    streaming.end().await;
    send(&mut Queue::open(&queue).unwrap(), &server, &world).await;

    assert_eq!(reorganizations(&server).await, [(lost, previous, 1, 2)]);
}

/// Rows of `reorganization`: old tip, new tip, links that lost and that got their places.
async fn reorganizations(server: &LocalServer) -> Vec<(ShareId, ShareId, i32, i32)> {
    let client = server.url().unwrap().connect().await.unwrap();
    let sql = "select old_tip, new_tip, left_links, entered_links from reorganization";
    let rows = client.query(sql, &[]).await.unwrap();
    let id = |bytes: &[u8]| ShareId(bytes.try_into().unwrap());
    rows.iter().map(|row| (id(row.get(0)), id(row.get(1)), row.get(2), row.get(3))).collect()
}

/// A node without threads, so that it can end at any place.
struct Bare {
    store: Arc<Store>,
    engine: Engine<Store>,
}

impl Bare {
    fn open(world: &World, folder: &Path) -> Self {
        let store = Arc::new(Store::open(folder, *world.chain.consensus_id()).unwrap());
        let chain = World::with(world.chain.params().clone()).chain;
        let mut engine = Engine::open(chain, Arc::clone(&store), world.now).unwrap();
        engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
        Self { store, engine }
    }

    fn insert(&mut self, world: &World, proof: &Proof, list: Option<Vec<ShareId>>) {
        self.engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
        let _accepted = self.engine.insert(world.bind(proof), list, Source(1), world.now);
    }

    /// Archives what it has, as it does when it started.
    async fn archive(&mut self, queue: &Path, server: &LocalServer, world: &World) {
        let reader = Views::of(self.engine.chain().clone()).reader();
        let mut queue = Queue::open(queue).unwrap();
        let mut follower = Follower::new(Arc::clone(&self.store), &mut queue);
        follower.changed(&self.engine.take_replayed(), &reader.chain());
        assert_eq!(follower.last_step(&mut queue, &reader).unwrap(), Step::Done);
        send(&mut queue, server, world).await;
    }
}

/// A chain that loses one link to two others, in a node that is killed before its archive gets the row. The archive has the
/// chain up to the fork, or up to the lost link.
async fn killed_after_a_reorganization(knows_lost: bool) {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let (data, queue) = (folder.path().join("db"), folder.path().join("queue"));
    let mut world = World::new();
    let found = world.grow(3, 1);
    let fork = world.chain.tip();
    let lost = world.link_signalling(fork, 0);
    let mut node = Bare::open(&world, &data);
    for (proof, list) in &found {
        node.insert(&world, proof, list.clone());
    }
    if knows_lost {
        node.insert(&world, &lost, Some(Vec::new()));
    }
    node.archive(&queue, &server, &world).await;
    node.insert(&world, &lost, Some(Vec::new()));
    let mut tip = fork;
    for _ in 0..2 {
        let link = world.link_signalling(tip, 1);
        node.insert(&world, &link, Some(Vec::new()));
        tip = link.id();
    }
    assert_eq!(node.engine.chain().tip(), tip, "the longer branch won");
    drop(node);

    // It starts again, and once more.
    for _ in 0..2 {
        Bare::open(&world, &data).archive(&queue, &server, &world).await;
        assert_eq!(reorganizations(&server).await, [(lost.id(), tip, 1, 2)], "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_archives_its_last_reorganization_once() {
    killed_after_a_reorganization(false).await;
    killed_after_a_reorganization(true).await;
}

/// As when a node falls behind its own events.
#[tokio::test(flavor = "multi_thread")]
async fn a_missed_reorganization_is_archived_once_from_both_tips() {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let mut world = World::new();
    let found = world.grow(3, 1);
    let mut node = Bare::open(&world, &folder.path().join("db"));
    for (proof, list) in found {
        node.insert(&world, &proof, list);
    }
    let fork = node.engine.chain().tip();
    let lost = world.link_signalling(fork, 0);
    node.insert(&world, &lost, Some(Vec::new()));
    let mut queue = Queue::open(&folder.path().join("queue")).unwrap();
    let mut follower = Follower::new(Arc::clone(&node.store), &mut queue);
    follower.step(&mut queue, &Views::of(node.engine.chain().clone()).reader()).unwrap();
    drop(node.engine.take_events());
    let mut tip = fork;
    for _ in 0..3 {
        let link = world.link_signalling(tip, 1);
        node.insert(&world, &link, Some(Vec::new()));
        tip = link.id();
    }
    // Only the last change arrives, and it does not continue from the covered tip.
    let changes = node.engine.take_events().into_iter().filter_map(|event| match event {
        ChainEvent::Changed(changes) => Some(changes),
        ChainEvent::Block(_) => None,
    });
    let last = changes.last().unwrap();
    let reader = Views::of(node.engine.chain().clone()).reader();
    for _ in 0..2 {
        follower.changed(&last.tips, &reader.chain());
        follower.last_step(&mut queue, &reader).unwrap();
        send(&mut queue, &server, &world).await;
        assert_eq!(reorganizations(&server).await, [(lost.id(), tip, 1, 3)]);
    }
}
