//! Recordings of a pruned node and of a node that keeps everything: exported, verified, and imported into a new node.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use node::recording::import;
use node::store::{self, Store};
use node_core::engine::Keep;
use node_core::export::{is_whole, write};
use node_core::limits::KEEP_LINKS;
use recording::{Reader, Replay};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::Chain;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{ChainParams, Outcome, Proof, ShareId, U256, Weight};
use testkit::{World, miner, params};

pub(crate) type Engine = node_core::engine::Engine<Store>;

pub(crate) fn headers(world: &World) -> BitcoinHeaders {
    let bitcoin = &world.chain.params().bitcoin;
    let mut headers = BitcoinHeaders::new(bitcoin, &Root::genesis(bitcoin)).unwrap();
    for header in &world.bitcoin_headers {
        headers.insert(*header, world.now).unwrap();
    }
    headers
}

pub(crate) fn opened(world: &World, folder: &Path, keep: Keep) -> Engine {
    let store = Arc::new(Store::open(&folder.join("db"), *world.chain.consensus_id()).unwrap());
    let mut engine = Engine::open(Chain::new(world.chain.params().clone(), headers(world)), store, world.now).unwrap();
    engine.set_keep(keep);
    engine
}

fn insert(engines: &mut [Engine], proof: &Proof, list: Option<&Vec<ShareId>>, world: &World) {
    for engine in engines {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, world.chain.consensus_id()).unwrap();
        let outcome = engine.insert(bound, list.cloned(), Source(1), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        drop(engine.take_events());
    }
}

/// Mines links, some with a share before them, and gives all of them to the nodes.
pub(crate) fn grow(world: &mut World, engines: &mut [Engine], links: u32) {
    for number in 0..links {
        if number % 40 == 0 {
            world.bitcoin_block();
            engines.iter_mut().for_each(|engine| engine.insert_bitcoin_headers(&[world.bitcoin_tip], world.now));
        }
        if number % 3 == 0 {
            let share = world.share(miner((number % 11) as u8));
            insert(engines, &share, None, world);
        }
        let (link, list) = world.link(miner((number % 5) as u8));
        insert(engines, &link, Some(&list), world);
        engines.iter_mut().for_each(|engine| engine.tick(world.now));
    }
}

/// The output of `shoal export` for an engine that was just opened.
fn exported(world: &World, folder: &Path, keep: Keep) -> (String, u32) {
    let mut engine = opened(world, folder, keep);
    let store = Arc::clone(engine.store());
    let (read_bytes, part) = store.read_so_far();
    assert!(read_bytes > 1 << 20 && part > 0.99, "what is shown while a node reads: {read_bytes} bytes, {part}");
    let mut bytes = Vec::new();
    write(&*store, engine.chain_mut(), headers(world).root(), &[], None, &mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), engine.chain().lowest_shown().0)
}

fn replayed(text: &str) -> Replay {
    let replay = Replay::of(text.as_bytes(), |_| {}).unwrap();
    let differences: Vec<_> = replay.differences().iter().take(3).map(ToString::to_string).collect();
    assert_eq!(differences, Vec::<String>::new());
    replay
}

/// Runs the model with a recording.
fn model(text: &str) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../specs/model/replay.py");
    Command::new("python3").arg(script).arg(file.path()).arg("--json").output().unwrap()
}

/// The model's verdict on a recording.
fn modelled(text: &str) -> serde_json::Value {
    let output = model(text);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_pruned_node_is_exported_verified_and_imported_and_so_is_one_that_keeps_all() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let rules = ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() };
    let mut world = World::with(rules);
    let mut engines =
        vec![opened(&world, folders[0].path(), Keep::Window), opened(&world, folders[1].path(), Keep::All)];
    grow(&mut world, &mut engines, KEEP_LINKS + 1_500);
    assert!(!is_whole(&**engines[0].store(), world.chain.params()).unwrap());
    assert!(is_whole(&**engines[1].store(), world.chain.params()).unwrap());
    drop(engines);

    // The program verifies what the recording has: links and rows of the base, then everything. It also reports what is
    // missing.
    let (text, first) = exported(&world, folders[0].path(), Keep::Window);
    let replay = replayed(&text);
    assert_eq!((replay.chain().tip(), replay.chain().height()), (world.chain.tip(), world.chain.height()));
    let unverified = replay.unverified().unwrap();
    assert!(unverified.below.0 == first && unverified.by_roots_up_to > unverified.below, "{unverified:?}");
    let counts = replay.counts();
    assert!(counts.claims > 2_000 && counts.proofs > 2_000, "{counts:?}");
    eprintln!(
        "{} links, first {first}, base up to {}: {} bytes",
        world.chain.height(),
        unverified.by_roots_up_to,
        text.len()
    );

    // The model's verdict is the same.
    let summary = modelled(&text);
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    assert_eq!((&summary["differences"], number(&summary["held"])), (&serde_json::json!([]), 0));
    let tip: String = world.chain.tip().0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(summary["tip"], tip);
    let shown = &summary["unverified"];
    assert_eq!(
        (number(&shown["below"]), number(&shown["by_roots_up_to"])),
        (unverified.below.0.into(), unverified.by_roots_up_to.0.into())
    );

    // An altered row, proof, and claim.
    let altered = |begins: &str, at: usize| {
        let number = text.lines().position(|line| line.starts_with(begins)).unwrap();
        let line = text.lines().nth(number).unwrap();
        let middle = line.len() * at / 100;
        let (kept, rest) = line.split_at(middle);
        let flipped = if rest.starts_with('0') { "1" } else { "0" };
        text.replacen(line, &format!("{kept}{flipped}{}", &rest[1..]), 1)
    };
    for (begins, at) in [("{\"base_rows\"", 80), ("{\"base_link\"", 20), ("{\"begins\"", 40)] {
        let text = altered(begins, at);
        let error = Replay::of(text.as_bytes(), |_| {}).unwrap_err();
        assert!(error.to_string().starts_with("line "), "{error}");
        let refused = model(&text);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains("line "), "{said}");
    }
    let late = text.lines().position(|line| line.starts_with("{\"proof\"")).unwrap();
    let begins = text.lines().find(|line| line.starts_with("{\"begins\"")).unwrap();
    let twice: String = text.lines().take(late).chain([begins]).map(|line| format!("{line}\n")).collect();
    assert!(Replay::of(twice.as_bytes(), |_| {}).unwrap_err().to_string().contains("before all proofs, and once"));

    // A new node imports it, restarts from it, and then exports the same recording.
    let mut fresh = opened(&world, folders[2].path(), Keep::Window);
    let (_, mut reader) = Reader::new(text.as_bytes()).unwrap();
    let result = import(&mut reader, &mut fresh, u32::MAX, world.now, |_, _| {}).unwrap();
    assert_eq!((result.refused.len(), result.unsettled, result.unverified), (0, 0, Some(unverified)));
    assert_eq!(fresh.chain().tip(), world.chain.tip());
    drop(fresh);
    let again = opened(&world, folders[2].path(), Keep::Window);
    assert_eq!(again.chain().tip(), world.chain.tip());
    drop(again);
    let checked = store::check(&folders[2].path().join("db"), world.chain.params()).unwrap();
    assert!(checked.faults.is_empty() && checked.links > 500, "{checked:?}");
    assert_eq!(replayed(&exported(&world, folders[2].path(), Keep::Window).0).chain().tip(), world.chain.tip());

    // The other node exports everything from the first link on.
    let (text, _) = exported(&world, folders[1].path(), Keep::All);
    let replay = replayed(&text);
    assert_eq!((replay.chain().tip(), replay.unverified()), (world.chain.tip(), None));
}
