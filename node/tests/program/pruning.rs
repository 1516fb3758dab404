//! What the store forgets while the chain grows, and a restart from the rest.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::Header;
use node::store::{self, Journal, RecordKind, Store};
use node_core::engine::Keep;
use node_core::limits::KEEP_LINKS;
use node_core::pool_window;
use sharechain::base::CHUNK_LINKS;
use sharechain::bitcoin_headers::{BitcoinHeaders, FORK_DEPTH_MAX, Root};
use sharechain::chain::Chain;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::{MEMORY_DEPTH, STATE_DEPTH};
use sharechain::payout_proof::{Finding, PayoutProof};
use sharechain::{ChainParams, Height, Outcome, Proof, ShareId, U256, Weight};
use testkit::{Spec, World, accepted, miner, params};

type Engine = node_core::engine::Engine<Store>;

/// Rules with a window of 600 proofs.
fn short_window() -> ChainParams {
    ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() }
}

/// A node that starts like `shoal run`: first with Bitcoin's headers, then with its records.
fn opened(world: &World, folder: &Path, keep: Keep) -> Engine {
    opened_beside(world, folder, keep, |_| true)
}

/// The same with the headers of bitcoind's active chain alone.
fn opened_beside(world: &World, folder: &Path, keep: Keep, is_active: impl Fn(&Header) -> bool) -> Engine {
    let params = world.chain.params().clone();
    let mut headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
    for header in world.bitcoin_headers.iter().filter(|header| is_active(header)) {
        headers.insert(*header, world.now).unwrap();
    }
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let mut engine = Engine::open(Chain::new(params, headers), store, world.now).unwrap();
    engine.keep_headers().unwrap();
    engine.set_keep(keep);
    engine
}

fn insert(engine: &mut Engine, proof: &Proof, list: Option<Vec<ShareId>>, world: &World) {
    let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
    let outcome = engine.insert(bound, list, Source(1), world.now);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    drop(engine.take_events());
}

/// Mines links, some with a share before them, and gives all of them to the node.
fn grow(world: &mut World, engine: &mut Engine, links: u32) {
    for number in 0..links {
        if number % 40 == 0 {
            world.bitcoin_block();
            engine.insert_bitcoin_headers(&[world.bitcoin_tip], world.now);
        }
        if number % 3 == 0 {
            let share = world.share(miner((number % 11) as u8));
            insert(engine, &share, None, world);
        }
        // Late work: after a restart, a link above the base lists a share whose parent is below the base.
        if let Some(parent) = world.chain.main_at(world.chain.height().below(3)).filter(|_| number % 2 == 0) {
            let spec = world.spec_on(parent, miner((number % 7) as u8));
            let share = world.mine(&spec);
            accepted(world.insert(&share, None));
            insert(engine, &share, None, world);
        }
        let (link, list) = world.link(miner((number % 5) as u8));
        insert(engine, &link, Some(list), world);
        engine.tick(world.now);
        assert!(engine.failure().is_none(), "{:?}", engine.failure());
    }
}

/// Gives links to the node, all on Bitcoin's tip.
fn bare(world: &mut World, engine: &mut Engine, links: u8) {
    for number in 0..links {
        let (link, list) = world.link(miner(number % 5));
        insert(engine, &link, Some(list), world);
    }
}

fn proof_at(engine: &Engine, world: &World, height: Height) -> Option<Vec<u8>> {
    let id = world.chain.main_at(height)?;
    engine.store().get(RecordKind::Proof, &id.0).unwrap()
}

/// What a block pays some miners, proven with the window that the node keeps. All amounts add up to the block's value.
fn proven(engine: &Engine, id: &ShareId) -> Vec<Finding> {
    let params = engine.chain().params();
    let window = pool_window::read(&**engine.store(), id).unwrap().expect("the node keeps the window of each block");
    let findings = (0..=12).map(|number| {
        let proof = window.prove(&miner(number), params).unwrap();
        let proof = PayoutProof::decode(&proof.encode()).unwrap();
        proof.verify(&window.proof.header, params).unwrap().finding
    });
    let findings: Vec<_> = findings.collect();
    let paid = findings.iter().map(|finding| match finding {
        Finding::Exact { output, .. } | Finding::Drawn { output, .. } | Finding::Finder { output } => output.value_sat,
        _ => 0,
    });
    assert_eq!(paid.sum::<u64>(), window.proof.share.coinbase_value);
    findings
}

#[test]
fn a_store_forgets_and_a_restart_needs_only_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(short_window());
    let mut engine = opened(&world, folder.path(), Keep::Window);
    let first = world.chain.tip();
    grow(&mut world, &mut engine, 10);
    let old = world.chain.tip();
    grow(&mut world, &mut engine, 3_000);
    let middle = world.chain.tip();
    grow(&mut world, &mut engine, KEEP_LINKS + 3_000);
    let oldest =
        engine.store().oldest().map(Result::unwrap).take(10).find(|(_, record)| record.kind == RecordKind::Proof);
    let oldest = Proof::decode(&oldest.unwrap().1.bytes).unwrap();
    let depth = world.chain.height().above(engine.chain().link(&oldest.share.parent).unwrap().height);
    // With such a short window, the node forgets the links before that.
    assert!((STATE_DEPTH..KEEP_LINKS + 600).contains(&depth), "the journal reaches {depth} links down");
    let (shown, height) = (engine.chain().lowest_shown(), engine.chain().height());
    assert!((shown.0..=height.0).all(|at| proof_at(&engine, &world, Height(at)).is_some()), "newcomers get every link");
    assert!(engine.store().get(RecordKind::List, &old.0).unwrap().is_none());
    assert!(engine.store().bases().count() <= 22, "{} chunks of 512 links", engine.store().bases().count());
    assert!(shown > Height(4_000));
    let gone = engine.store().get(RecordKind::Proof, &middle.0).unwrap();
    assert!(gone.is_none(), "the proof of a link that newcomers no longer need is gone");
    let (paid_old, paid_middle) = (proven(&engine, &old), proven(&engine, &middle));
    assert!(paid_middle.iter().filter(|finding| matches!(finding, Finding::Exact { .. })).count() > 4);
    assert!(paid_middle.contains(&Finding::Absent) && paid_old != paid_middle);
    drop(engine);

    let began = Instant::now();
    let mut again = opened(&world, folder.path(), Keep::Window);
    let took = began.elapsed();
    assert_eq!((again.chain().tip(), again.chain().height()), (world.chain.tip(), height));
    assert!(again.chain().link(&first).is_none(), "it did not start at genesis");
    assert!(again.chain().link(&middle).is_none(), "its weights are forgotten");
    assert_eq!((proven(&again, &old), proven(&again, &middle)), (paid_old, paid_middle));
    eprintln!("{height} links, restart in {took:?}");
    // It continues as before, and keeps forgetting.
    grow(&mut world, &mut again, 1_300);
    assert_eq!(again.chain().tip(), world.chain.tip());
    assert!(again.chain().lowest_shown() > shown);
    let gone = Height(shown.0.saturating_sub(600));
    assert!(proof_at(&again, &world, gone).is_none(), "what newcomers no longer need is gone");
}

/// Mines a Bitcoin block and a second one on the same parent, which becomes the tip. Returns the first, stale one.
fn stale_block(world: &mut World) -> Header {
    let fork = world.bitcoin_tip;
    let stale = world.bitcoin_block_on(fork);
    world.bitcoin_block();
    stale
}

/// Restarts a node whose bitcoind no longer knows the stale block, and checks that the node loses no link.
fn assert_restarts_without(stale: &Header, engine: Engine, world: &World, folder: &Path) {
    drop(engine);
    let again = opened_beside(world, folder, Keep::Window, |header| header != stale);
    assert_eq!((again.chain().height(), again.chain().tip()), (world.chain.height(), world.chain.tip()));
}

/// A share on a stale block, listed late: its header came before the proof from which a restart replays the journal. While the node is
/// down, Bitcoin grows by these blocks.
fn late_work_survives(blocks: u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(short_window());
    let mut engine = opened(&world, folder.path(), Keep::Window);
    let depth = world.chain.params().listing_depth;
    grow(&mut world, &mut engine, CHUNK_LINKS - depth - 20);
    let stale = stale_block(&mut world);
    engine.insert_bitcoin_headers(&[stale, world.bitcoin_tip], world.now);
    // By SC-208, their parents must be on a block of the same height.
    bare(&mut world, &mut engine, 40);
    grow(&mut world, &mut engine, depth - 18);
    // No link lists it before the base ends.
    let parent = world.chain.main_at(Height(CHUNK_LINKS - depth + 10)).unwrap();
    let spec = Spec { previous_block: stale.block_hash(), list: vec![], ..world.spec_on(parent, miner(9)) };
    let late = world.mine(&spec);
    accepted(world.insert(&late, None));
    insert(&mut engine, &late, None, &world);
    grow(&mut world, &mut engine, MEMORY_DEPTH);
    assert_eq!(engine.store().bases().count(), 1, "the node starts from a base");
    (0..blocks).for_each(|_| world.bitcoin_block());
    assert_restarts_without(&stale, engine, &world, folder.path());
}

#[test]
fn late_work_on_a_stale_bitcoin_block_survives_a_restart_from_a_base() {
    late_work_survives(0);
}

/// Two weeks of mainnet: the whole pool rested. The stale block is deeper than any new fork may be.
#[test]
fn late_work_on_a_stale_bitcoin_block_survives_weeks_of_rest() {
    late_work_survives(FORK_DEPTH_MAX + 10);
}

/// The node starts while a block is Bitcoin's tip. Links are built on it, then Bitcoin leaves it.
#[test]
fn a_block_that_goes_stale_after_the_start_takes_no_link_away() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(short_window());
    world.bitcoin_block();
    let fork = world.bitcoin_tip;
    let stale = world.bitcoin_block_on(fork);
    world.bitcoin_tip = stale;
    let mut engine = opened(&world, folder.path(), Keep::Window);
    bare(&mut world, &mut engine, 5);
    let other = world.bitcoin_block_on(fork);
    world.bitcoin_tip = world.bitcoin_block_on(other);
    engine.insert_bitcoin_headers(&[other, world.bitcoin_tip], world.now);
    bare(&mut world, &mut engine, 5);
    assert_restarts_without(&stale, engine, &world, folder.path());
}

#[test]
fn a_store_that_keeps_all_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::with(short_window());
    let mut engine = opened(&world, folder.path(), Keep::All);
    grow(&mut world, &mut engine, KEEP_LINKS + 1_500);
    let (_, oldest) = engine.store().oldest().next().unwrap().unwrap();
    assert_eq!(oldest.kind, RecordKind::Header, "the first record of all");
    drop(engine);
    let again = opened(&world, folder.path(), Keep::All);
    assert_eq!(again.chain().tip(), world.chain.tip());
}

/// Flips a bit in the middle of the largest file with this extension. Returns false if there is none.
fn flip(folder: &Path, extension: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of_kind = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    let Some(path) = of_kind.max_by_key(|path| std::fs::metadata(path).unwrap().len()) else { return false };
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    if middle == 0 {
        return false;
    }
    bytes[middle] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    true
}

#[test]
fn a_damaged_database_is_noticed_and_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut world = World::with(short_window());
    let mut engine = opened(&world, folder.path(), Keep::Window);
    grow(&mut world, &mut engine, 5_000);
    drop(engine);
    let params = world.chain.params().clone();
    let sound = store::check(&path, &params).unwrap();
    assert!(sound.faults.is_empty() && sound.records > 10_000 && sound.links > 500, "{sound:?}");

    // A table file, and the file with the names of the others.
    assert!(flip(&path, "sst"), "there are table files");
    let damaged = store::check(&path, &params).map(|checked| checked.faults);
    assert!(damaged.as_ref().map_or(true, |faults| !faults.is_empty()), "{damaged:?}");
    let repaired = store::repair(&path, &params).unwrap();
    assert!(repaired.copied > 0 && repaired.damaged.exists(), "{repaired:?}");
    assert!(store::check(&path, &params).unwrap().faults.is_empty());
    let again = opened(&world, folder.path(), Keep::Window);
    let kept = again.chain().height();
    drop(again);

    std::fs::remove_file(path.join("CURRENT")).unwrap();
    let error = store::check(&path, &params).unwrap_err().to_string();
    assert!(error.contains("CURRENT") && error.contains("shoal db repair"), "{error}");
    store::repair(&path, &params).unwrap();
    assert!(store::check(&path, &params).unwrap().faults.is_empty());
    let mut again = opened(&world, folder.path(), Keep::Window);
    assert_eq!(again.chain().height(), kept);
    let heights = (1..kept.0).filter_map(|at| again.chain().main_at(Height(at)));
    let proven = heights.filter(|id| pool_window::read(&**again.store(), id).unwrap().is_some()).count();
    assert!(proven > 1_000, "the windows of {proven} blocks survived");
    // Later records have other numbers.
    let next = again.store().next_sequence();
    grow_on(&mut world, &mut again);
    assert!(again.store().next_sequence() > next);
}

/// Gives a node that lost its newest links all Bitcoin headers of the world and a new block.
fn grow_on(world: &mut World, engine: &mut Engine) {
    world.bitcoin_block();
    engine.insert_bitcoin_headers(&[world.bitcoin_tip], world.now);
    assert!(engine.failure().is_none());
}

#[test]
fn check_and_repair_touch_no_database_that_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let params = short_window();
    for found in [store::check(&path, &params).err(), store::repair(&path, &params).err()] {
        assert!(found.is_some_and(|error| error.to_string().contains("no database")));
    }
    assert!(!path.exists(), "nothing was created");
    drop(Store::open(&path, ChainParams::main().consensus_id()).unwrap());
    for found in [store::check(&path, &params).err(), store::repair(&path, &params).err()] {
        assert!(found.is_some_and(|error| error.to_string().contains("another share-chain")));
    }
    assert!(Store::inspect(&path, ChainParams::main().consensus_id()).unwrap(), "and it is as it was");
}
