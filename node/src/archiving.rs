//! `shoal archive`: the share-chain's history in PostgreSQL; see `specs/archive.md`.
//!
//! ```text
//! stream.rs  streams a running node's share-chain: a queue on disk, and what empties it
//! follow.rs  reads the journal into the queue
//! events.rs  reads the event log into the queue
//! ```

mod events;
mod follow;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use archive::limits::BATCH_ROWS;
use archive::{ArchiveUrl, Loaded};
use serde::Serialize;

use crate::config::Config;
use crate::error::NodeError;

pub(crate) use stream::{Streamer, Streaming};

/// Interval between progress lines.
const PROGRESS: Duration = Duration::from_secs(5);

/// What `shoal archive load` did.
#[derive(Debug, Serialize)]
struct Report {
    /// Number of lines in the recording.
    lines: u64,
    /// Number of lines loaded by an earlier run.
    skipped_lines: u64,
    /// Number of valid proofs in the other lines.
    proofs: u64,
    /// Number of these proofs that were new to the database.
    new_proofs: u64,
    /// Height of the recording's tip.
    height: u32,
    /// Number of claims that do not hold.
    differences: usize,
    /// Height below which nothing is verified. None if everything is.
    unverified_below: Option<u32>,
}

impl From<Loaded> for Report {
    fn from(loaded: Loaded) -> Self {
        Self {
            lines: loaded.lines,
            skipped_lines: loaded.skipped,
            proofs: loaded.proofs,
            new_proofs: loaded.new_proofs,
            height: loaded.height.0,
            differences: loaded.differences,
            unverified_below: loaded.unverified.map(|unverified| unverified.below.0),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, skipped_lines, proofs, new_proofs, height, differences, unverified_below } = self;
        write!(f, "{lines} lines, {skipped_lines} of them loaded before; the tip is at height {height}")?;
        write!(f, "\n{proofs} valid proofs in the other lines, {new_proofs} of them new to the database")?;
        if let Some(below) = unverified_below {
            write!(f, "\nthe recording is of a pruned node: the links below height {below} are not verified")?;
        }
        if *differences > 0 {
            write!(f, "\n{differences} claims of the recording do not hold: `shoal verify` shows them")?;
        }
        Ok(())
    }
}

/// The database that the configuration names.
pub(crate) fn url(config: &Config) -> Result<&ArchiveUrl, NodeError> {
    config.archive.as_ref().ok_or(NodeError::NoArchive)
}

/// `shoal archive load`: loads a recording, in transactions of `batch` rows.
///
/// # Errors
/// No database is configured or it cannot be used, or the file is not a recording.
pub(crate) async fn load(config: &Config, file: &Path, rows: usize, json: bool) -> Result<(), NodeError> {
    let (began, mut told) = (Instant::now(), Instant::now());
    let loaded = archive::load(url(config)?, file, rows, |line| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let _ = writeln!(std::io::stderr(), "line {line} after {} s", began.elapsed().as_secs());
        }
    });
    let report = Report::from(loaded.await?);
    let text =
        if json { serde_json::to_string_pretty(&report).map_err(std::io::Error::from)? } else { report.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

/// A file that `shoal archive export` wrote.
#[derive(Debug, Serialize)]
struct ExportedFile {
    /// Its path.
    path: String,
    /// Its rows.
    rows: u64,
    /// Its size.
    bytes: u64,
}

/// `shoal archive export`: writes the database's tables as Parquet.
///
/// # Errors
/// No database is configured or it cannot be used, the folder cannot be written, or there is nothing of that month.
pub(crate) async fn export(
    config: &Config,
    folder: &Path,
    month: Option<archive::Month>,
    json: bool,
) -> Result<(), NodeError> {
    let mut files = Vec::new();
    let written = archive::export(url(config)?, folder, month, |file| {
        let path = file.path.display().to_string();
        if !json {
            // The reader may have closed the output; the files matter.
            let _ = writeln!(std::io::stdout(), "{path}: {} rows, {} bytes", file.rows, file.bytes);
        }
        files.push(ExportedFile { path, rows: file.rows, bytes: file.bytes });
    });
    written.await?;
    if json {
        let text = serde_json::to_string_pretty(&files).map_err(std::io::Error::from)?;
        writeln!(std::io::stdout(), "{text}")?;
    }
    Ok(())
}

/// Reads the number of rows of one transaction.
pub(crate) fn rows(text: &str) -> Result<usize, String> {
    let rows = text.parse().ok().filter(|rows| (1..=BATCH_ROWS).contains(rows));
    rows.ok_or_else(|| format!("write a whole number from 1 to {BATCH_ROWS}"))
}
