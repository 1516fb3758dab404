//! `shoal verify`: a recording by itself, without bitcoind and database. The twin of `specs/model/replay.py`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

use recording::Replay;

use super::RecordingError;

/// Time between two lines about how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Differences that are printed, at most.
const DIFFERENCES_SHOWN: usize = 20;

/// Plays a recording by the rules and prints where it says something else. The Bitcoin headers that it starts from are
/// believed.
///
/// # Errors
/// It is no recording, or differs.
pub(crate) fn verify(path: &Path) -> Result<(), RecordingError> {
    let file = File::open(path).map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
    let mut told = Instant::now();
    let replay = Replay::of(BufReader::new(file), |line| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!("line {line}");
        }
    });
    let replay = replay.map_err(|source| RecordingError::Read { path: path.to_owned(), source })?;
    let (chain, counts, differences) = (replay.chain(), replay.counts(), replay.differences());
    println!("network {}, {} lines, {} claims", chain.params().name, counts.lines, counts.claims);
    println!("{} proofs, {} lists, {} Bitcoin headers", counts.proofs, counts.lists, counts.headers);
    println!("the tip is at height {}; {} proofs wait for something", chain.height(), chain.held_len());
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        println!("{difference}");
    }
    match differences.len() {
        0 => {
            println!("no differences");
            Ok(())
        }
        count => Err(RecordingError::Differs(count)),
    }
}
