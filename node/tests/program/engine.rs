//! The engine with a real RocksDB store, and its consensus thread.

use std::path::Path;
use std::sync::Arc;

use sharechain::chain::{Chain, Fate};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::{SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::{Height, Outcome, Proof, RuleError, ShareId, U256};

use node::consensus::{self, EngineStopped, Inputs, Started};
use node::limits::RECORD_BYTES_MAX;
use node::store::{Record, RecordKind, Store};
use node_core::engine::{ChainEvent, forget_settled};

use tempfile::TempDir;
use testkit::{Spec, World, miner};

type Engine = node_core::engine::Engine<Store>;

type Proofs = Vec<(Proof, Option<Vec<ShareId>>)>;

/// An engine with the store in `folder`. Its chain knows no Bitcoin header except genesis. The journal adds the others.
fn engine(world: &World, folder: &Path) -> Engine {
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let chain: Chain = World::with(world.chain.params().clone()).chain;
    Engine::open(chain, store, world.now).unwrap()
}

fn insert(engine: &mut Engine, proof: &Proof, list: Option<Vec<ShareId>>, world: &World) -> Outcome {
    let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
    engine.insert(bound, list, Source(1), world.now)
}

fn fill(engine: &mut Engine, world: &World, found: &Proofs) {
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    for (proof, list) in found {
        let outcome = insert(engine, proof, list.clone(), world);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
}

/// An empty folder, and a world without links.
fn start() -> (TempDir, World) {
    (tempfile::tempdir().unwrap(), World::new())
}

/// An engine that knows one Bitcoin block above genesis.
fn at_first_block() -> (TempDir, World, Engine) {
    let (folder, mut world) = start();
    world.bitcoin_block();
    let mut engine = engine(&world, folder.path());
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    (folder, world, engine)
}

fn weights(engine: &mut Engine) -> String {
    let tip = engine.chain().tip();
    format!("{:?}", engine.chain_mut().window(&tip).unwrap())
}

#[test]
fn a_restart_ends_at_the_same_tip_and_window() {
    let (folder, mut world) = start();
    let found = world.grow(30, 3);
    let mut before = engine(&world, folder.path());
    fill(&mut before, &world, &found);
    let (tip, window) = (before.chain().tip(), weights(&mut before));
    assert_eq!(tip, world.chain.tip());
    drop(before);
    let mut after = engine(&world, folder.path());
    assert_eq!((after.chain().tip(), weights(&mut after)), (tip, window));
    assert_eq!(after.tip().tip, tip);
}

#[test]
fn what_was_built_on_a_stale_bitcoin_block_survives_a_restart() {
    let (folder, mut world) = start();
    let mut found = world.grow(6, 2);
    let fork = world.bitcoin_tip;
    world.bitcoin_block();
    for round in 0..3 {
        let (link, list) = world.link(miner(round + 1));
        found.push((link, Some(list)));
    }
    // Bitcoin continues on another branch than the block below those links.
    let other = world.bitcoin_block_on(fork);
    world.bitcoin_tip = world.bitcoin_block_on(other);
    found.push((world.share(miner(4)), None));
    let mut before = engine(&world, folder.path());
    fill(&mut before, &world, &found);
    let tip = before.chain().tip();
    drop(before);
    let after = engine(&world, folder.path());
    assert_eq!((after.chain().tip(), after.chain().height()), (tip, world.chain.height()));
}

/// Links without shares.
fn bare_links(world: &mut World, count: u32) -> Proofs {
    (0..count)
        .map(|round| {
            let (link, list) = world.link(miner(u8::try_from(round % 7).unwrap() + 1));
            (link, Some(list))
        })
        .collect()
}

#[test]
fn a_conflict_stays_until_the_operator_follows_the_heaviest_branch() {
    let (folder, mut world) = start();
    let mut common = world.grow(12, 1);
    let mut rival = world.clone();
    rival.now = rival.now.plus(1);
    let heavier = bare_links(&mut rival, SETTLED_LINKS + 10);
    let own = bare_links(&mut world, SETTLED_LINKS + 2);
    let mut before = engine(&world, folder.path());
    before.note_own_bitcoin_height(10, true);
    common.extend(own);
    fill(&mut before, &world, &common);
    before.note_own_bitcoin_height(10 + SETTLED_BITCOIN_BLOCKS, true);
    assert_ne!(before.chain().settled().height, Height(0));
    for (proof, list) in &heavier {
        // The node asked a peer for them. Otherwise it does not keep the lists of such a light branch.
        let bound = BoundProof::bind(proof.clone(), U256::MAX, rival.chain.consensus_id()).unwrap();
        before.insert_requested(bound, list.clone(), Source(1), rival.now);
    }
    let conflict = Some(rival.chain.tip());
    let seen = |engine: &Engine| (engine.tip().tip, engine.chain().conflict());
    assert_eq!(seen(&before), (world.chain.tip(), conflict));
    drop(before);
    let kept = engine(&world, folder.path());
    assert_eq!(seen(&kept), (world.chain.tip(), conflict));
    forget_settled(&**kept.store()).unwrap();
    drop(kept);
    for _ in 0..2 {
        let switched = engine(&world, folder.path());
        assert_eq!(seen(&switched), (rival.chain.tip(), None));
    }
}

#[test]
fn proofs_that_waited_are_stored_in_an_order_that_can_be_replayed() {
    let (folder, mut world) = start();
    let found = world.grow(12, 2);
    let mut before = engine(&world, folder.path());
    before.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    // The first proof comes last: all later ones wait for it and come in one change set.
    for (proof, list) in found.iter().skip(1).chain(found.first()) {
        insert(&mut before, proof, list.clone(), &world);
    }
    assert_eq!(before.chain().tip(), world.chain.tip());
    let window = weights(&mut before);
    drop(before);
    let mut after = engine(&world, folder.path());
    assert_eq!((after.chain().tip(), weights(&mut after)), (world.chain.tip(), window));
}

#[test]
fn fates_survive_and_refusals_are_recorded_with_their_reason() {
    let (folder, mut world) = start();
    let mut found = world.grow(8, 1);
    let pending = world.share(miner(3));
    found.push((pending.clone(), None));
    let mut before = engine(&world, folder.path());
    fill(&mut before, &world, &found);
    let spec = world.spec(miner(4));
    let mut share = world.header_of(&spec);
    share.coinbase_value = 1;
    let payouts = world.payouts(&share, &spec.previous_block);
    let wrong = world.mine_with(share, &payouts, spec.previous_block, false);
    assert!(matches!(insert(&mut before, &wrong, None, &world), Outcome::Invalid(RuleError::CoinbaseValue)));
    drop(before);
    let after = engine(&world, folder.path());
    assert_eq!(after.chain().fate(&pending.id()), Fate::Pending);
    let reason = after.store().get(RecordKind::Refusal, &wrong.id().0).unwrap().unwrap();
    assert_eq!(String::from_utf8(reason).unwrap(), RuleError::CoinbaseValue.to_string());
}

#[test]
fn a_link_with_somebody_elses_list_is_not_called_refused() {
    let (folder, mut world) = start();
    let found = world.grow(3, 1);
    let mut engine = engine(&world, folder.path());
    fill(&mut engine, &world, &found);
    let spec = Spec { link: true, ..world.spec(miner(1)) };
    let link = world.mine(&spec);
    let wrong = vec![ShareId([5; 32])];
    assert!(matches!(insert(&mut engine, &link, Some(wrong), &world), Outcome::Invalid(_)));
    assert_eq!(engine.store().get(RecordKind::Refusal, &link.id().0).unwrap(), None);
    assert!(matches!(insert(&mut engine, &link, Some(spec.list), &world), Outcome::Accepted(_)));
}

#[tokio::test]
async fn what_the_store_did_not_take_is_neither_answered_nor_announced() {
    let (_folder, mut world, engine) = at_first_block();
    let proof = world.share(miner(1));
    let Started { engine: handle, reader, failure } = consensus::start(engine, Inputs::none());
    let mut events = reader.events();
    let (tip, view) = (reader.tip(), reader.chain());
    let answer = handle.call(move |engine| {
        let bytes = vec![0; RECORD_BYTES_MAX + 1];
        engine.append(&[Record { kind: RecordKind::Meta, id: [1; 32], bytes }]);
        insert(engine, &proof, None, &world)
    });
    assert_eq!(answer.await.unwrap_err(), EngineStopped);
    assert!(failure.await.is_ok(), "the engine says why it stopped");
    assert_eq!(handle.call(|_| ()).await, Err(EngineStopped));
    assert!(events.try_recv().is_err());
    assert!(!tip.has_changed().unwrap_or(false));
    assert!(Arc::ptr_eq(&view, &reader.chain()), "and it is not published");
}

#[tokio::test]
async fn what_is_announced_is_in_the_store() {
    let (_folder, mut world, engine) = at_first_block();
    let proof = world.share(miner(1));
    let store = Arc::clone(engine.store());
    let Started { engine: handle, reader, .. } = consensus::start(engine, Inputs::none());
    let mut events = reader.events();
    let id = proof.id();
    handle.call(move |engine| insert(engine, &proof, None, &world)).await.unwrap();
    loop {
        if let ChainEvent::Changed(changes) = events.recv().await.unwrap() {
            assert_eq!(changes.accepted[0].id, id);
            break;
        }
    }
    assert!(store.contains(RecordKind::Proof, &id.0).unwrap());
    assert!(reader.chain().credit(&id).is_some(), "who hears of it finds it in the published chain");
}

#[tokio::test]
async fn a_published_chain_stays_as_it_is_while_the_engine_goes_on() {
    let (_folder, mut world, engine) = at_first_block();
    let (first, second) = (world.share(miner(1)), world.share(miner(2)));
    let Started { engine: handle, reader, .. } = consensus::start(engine, Inputs::none());
    let (ids, world) = ([first.id(), second.id()], Arc::new(world));
    let shared = Arc::clone(&world);
    handle.call(move |engine| insert(engine, &first, None, &shared)).await.unwrap();
    let before = reader.chain();
    handle.call(move |engine| insert(engine, &second, None, &world)).await.unwrap();
    assert_eq!(ids.map(|id| before.fate(&id)), [Fate::Pending, Fate::Unknown]);
    assert_eq!(ids.map(|id| reader.chain().fate(&id)), [Fate::Pending, Fate::Pending]);
}
