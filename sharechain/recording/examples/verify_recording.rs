//! Verifies a recording: replays it by the rules, and compares the recorder's claims with the results.
//!
//! Run it with `cargo run --release -p recording --example verify_recording -- FILE`. `shoal export` and `shoal-sim
//! --record` write such files. Without a file, the example verifies a small recording that it makes itself, and one
//! with a false claim.

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use recording::{Came, ClaimLimits, Counts, Id, Line, Replay, Start, Writer, claims, lines_of};
use testkit::{World, miner};

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(path) => match File::open(&path) {
            Ok(file) => {
                if verify(BufReader::new(file)) {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => {
                eprintln!("cannot read {}: {error}", path.display());
                ExitCode::FAILURE
            }
        },
        None => {
            let honest = small_recording();
            assert!(verify(honest.as_slice()), "this program found and claimed it by the same rules");
            assert!(!verify(with_a_lie(&honest).as_bytes()), "the last claim names another tip");
            ExitCode::SUCCESS
        }
    }
}

/// Replays a recording, and reports whether it is well-formed and all of its claims are true.
fn verify(from: impl BufRead) -> bool {
    let replay = match Replay::of(from, |_line| {}) {
        Ok(replay) => replay,
        Err(error) => {
            println!("not a recording: {error}");
            return false;
        }
    };
    let Counts { lines, headers, proofs, lists, claims } = replay.counts();
    let (height, tip) = (replay.chain().height(), Id::from(replay.chain().tip()));
    println!(
        "{lines} lines: {headers} headers, {proofs} proofs, {lists} lists, {claims} claims; link {height} is {tip}"
    );
    for difference in replay.differences() {
        println!("  {difference}");
    }
    replay.differences().is_empty()
}

/// Twenty links with three shares each, as a node would record them.
fn small_recording() -> Vec<u8> {
    let mut world = World::new();
    let proofs = world.grow(20, 3);
    let headers = world.bitcoin_headers.iter().copied().map(Came::Header);
    let proofs = proofs.into_iter().flat_map(|(proof, list)| {
        let id = proof.id();
        let list = list.map(|list| Came::List { of: id, list });
        [Came::Proof { id, encoded: proof.encode() }].into_iter().chain(list)
    });
    let start = Start { params: world.chain.params().clone(), root: world.chain.bitcoin().root() };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &start, Some("verify_recording")).expect("memory takes it");
    for line in lines_of(headers.chain(proofs).map(Ok::<_, Infallible>)) {
        let Ok(line) = line;
        writer.line(&line).expect("memory takes it");
    }
    for claim in claims(&mut world.chain, ClaimLimits::default(), &miner(9)) {
        writer.line(&Line::Claim(claim)).expect("memory takes it");
    }
    writer.finish().expect("memory takes it");
    bytes
}

/// The same recording, whose last line claims a tip one link lower.
fn with_a_lie(recording: &[u8]) -> String {
    let text = std::str::from_utf8(recording).expect("recordings are JSON");
    let (before, tip) = text.trim_end().rsplit_once('\n').expect("it has many lines");
    let lie = tip.replace("\"height\":20", "\"height\":19");
    assert_ne!(lie, tip, "the last claim is about the tip");
    format!("{before}\n{lie}\n")
}
