//! `shoal verify`: verifies a recording on its own, without bitcoind and database, like `specs/model/replay.py`.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use recording::Replay;

use super::error::RecordingError;
use crate::error::NodeError;

/// Interval between progress lines.
const PROGRESS: Duration = Duration::from_secs(5);

/// Maximum number of differences printed.
const DIFFERENCES_SHOWN: usize = 20;

/// Replays a recording under the rules and prints where its claims differ. The Bitcoin headers that it starts from are
/// trusted.
///
/// # Errors
/// The file is not a recording, or deviates from the rules, or standard output is closed.
pub(crate) fn verify(path: &Path) -> Result<(), NodeError> {
    let file = File::open(path).map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
    let mut told = Instant::now();
    let replay = Replay::of(BufReader::new(file), |line| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let _ = writeln!(io::stderr(), "line {line}");
        }
    });
    let replay = replay.map_err(|source| RecordingError::Read { path: path.to_owned(), source })?;
    let (chain, counts, differences) = (replay.chain(), replay.counts(), replay.differences());
    let mut out = io::stdout().lock();
    writeln!(out, "network {}, {} lines, {} claims", chain.params().name, counts.lines, counts.claims)?;
    writeln!(out, "{} proofs, {} lists, {} Bitcoin headers", counts.proofs, counts.lists, counts.headers)?;
    writeln!(out, "the tip is at height {}; {} proofs are held", chain.height(), chain.held_len())?;
    if let Some(unverified) = replay.unverified() {
        writeln!(out, "{}", super::not_shown(unverified))?;
    }
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        writeln!(out, "{difference}")?;
    }
    match differences.len() {
        0 => {
            writeln!(out, "no differences")?;
            Ok(())
        }
        count => Err(RecordingError::Differs(count).into()),
    }
}
