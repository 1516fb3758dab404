use std::path::Path;
use std::sync::Arc;

use bitcoin::block::Header;
use recording::{Reader, Replay};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, RuleError, ShareId, U256};

use super::{Import, import};
use crate::store::Store;
use node_core::export::{headers_above_root, write};
use testkit::World;

type Engine = node_core::engine::Engine<Store>;

/// Bitcoin blocks on top of everything imported.
const SETTLED: u32 = 1_000;

/// An engine with its own folder. Its chain knows no Bitcoin header except genesis.
fn engine(world: &World, folder: &Path) -> Engine {
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let chain = World::with(world.chain.params().clone()).chain;
    Engine::open(chain, store, world.now).unwrap()
}

/// A node that got the first proof last: all later proofs waited for it and came in one change set.
fn late(world: &World, found: &[(Proof, Option<Vec<ShareId>>)], folder: &Path) -> Engine {
    let mut engine = engine(world, folder);
    engine.insert_bitcoin_headers(&world.bitcoin_headers, world.now);
    for (proof, list) in found.iter().skip(1).chain(found.first()) {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        engine.insert(bound, list.clone(), Source(1), world.now);
    }
    assert_eq!(engine.chain().tip(), world.chain.tip());
    engine
}

fn exported(engine: &mut Engine) -> String {
    exported_with(engine, &[])
}

fn exported_with(engine: &mut Engine, bitcoin: &[Header]) -> String {
    let store = Arc::clone(engine.store());
    let mut bytes = Vec::new();
    let root = engine.chain().bitcoin().root();
    let lines = write(&*store, engine.chain_mut(), root, bitcoin, None, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count() as u64, lines);
    text
}

fn imported(text: &str, world: &World, own_height: u32, engine: &mut Engine) -> Import {
    let (_, mut reader) = Reader::new(text.as_bytes()).unwrap();
    import(&mut reader, engine, own_height, world.now, |_, _| {}).unwrap()
}

fn differences(text: &str) -> Vec<String> {
    Replay::of(text.as_bytes(), |_| {}).unwrap().differences().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_exported_agrees_with_the_rules_and_is_imported_again() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::new();
    let found = world.grow(20, 3);
    let text = exported(&mut late(&world, &found, folders.0.path()));
    assert_eq!(differences(&text), Vec::<String>::new());
    let mut other = engine(&world, folders.1.path());
    let import = imported(&text, &world, SETTLED, &mut other);
    assert_eq!((import.refused.len(), import.unlistable, import.unsettled), (0, 0, 0));
    assert_eq!((other.chain().tip(), other.chain().held_len()), (world.chain.tip(), 0));
    assert_eq!(differences(&exported(&mut other)), Vec::<String>::new());
    drop(other);
    assert_eq!(engine(&world, folders.1.path()).chain().tip(), world.chain.tip());
}

/// Before a node opens its share-chain, it asks bitcoind for the headers up to its tip. It stores only later ones.
#[test]
fn what_is_exported_has_the_headers_that_the_node_did_not_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    (0..4).for_each(|_| world.bitcoin_block());
    let found = world.grow(20, 3);
    let store = Arc::new(Store::open(&folder.path().join("db"), *world.chain.consensus_id()).unwrap());
    let mut chain = World::with(world.chain.params().clone()).chain;
    let (known, later) = world.bitcoin_headers.split_at(4);
    for header in known {
        chain.insert_bitcoin_header(*header, world.now);
    }
    let mut engine = Engine::open(chain, store, world.now).unwrap();
    engine.insert_bitcoin_headers(later, world.now);
    for (proof, list) in &found {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        engine.insert(bound, list.clone(), Source(1), world.now);
    }
    assert_eq!(engine.chain().tip(), world.chain.tip());
    let headers = headers_above_root(engine.chain().bitcoin());
    let text = exported_with(&mut engine, &headers);
    assert_eq!(differences(&text), Vec::<String>::new());
    let lines = text.lines().filter(|line| line.starts_with("{\"header\"")).count();
    assert_eq!(lines, world.bitcoin_headers.len(), "once each");
    assert_ne!(differences(&exported(&mut engine)), Vec::<String>::new(), "they are needed");
}

#[test]
fn what_breaks_a_rule_is_not_imported_and_its_line_is_told() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::new();
    let found = world.grow(6, 1);
    let text = exported(&mut late(&world, &found, folders.0.path()));
    let at = text.lines().position(|line| line.starts_with("{\"proof\"")).unwrap();
    // The last byte of a proof is the last of its coinbase before the commitment.
    let altered: String = text
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let (proof, rest) = line.split_once("\",\"list\"").unwrap_or((line, ""));
            let last = if proof.ends_with("00") { "01" } else { "00" };
            let flipped = format!("{}{last}\",\"list\"{rest}\n", &proof[..proof.len().saturating_sub(2)]);
            if number == at && !rest.is_empty() { flipped } else { format!("{line}\n") }
        })
        .collect();
    assert_ne!(altered, text);
    let mut other = engine(&world, folders.1.path());
    let import = imported(&altered, &world, SETTLED, &mut other);
    assert_eq!(import.refused, [(at as u64 + 1, RuleError::NotBound)]);
    assert_eq!(other.chain().height().0, 0);
}

#[test]
fn headers_near_the_tip_are_left_to_the_own_bitcoind() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::new();
    let found = world.grow(6, 1);
    let text = exported(&mut late(&world, &found, folders.0.path()));
    let mut other = engine(&world, folders.1.path());
    let import = imported(&text, &world, 0, &mut other);
    assert_eq!((import.headers, import.unsettled), (0, world.bitcoin_headers.len() as u64));
    assert_eq!(other.chain().height().0, 0);
}
