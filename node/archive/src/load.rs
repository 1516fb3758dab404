//! Loads a recording: replays it by the rules, and writes what is valid. Repeated, it goes on where it stopped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bitcoin::BlockHash;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use recording::{Line, ReadError, Reader, Replay, Start, Unverified};
use sharechain::Height;
use tokio::sync::mpsc;

use crate::batch::Batch;
use crate::connect::ArchiveUrl;
use crate::error::ArchiveError;
use crate::gather::Gatherer;
use crate::limits::{AWAY_MAX, BATCH_BYTES, BATCH_ROWS, BATCHES_WAITING};
use crate::patient::PatientWriter;
use crate::writer::Cursor;

/// Result of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Number of lines in the recording.
    pub lines: u64,
    /// Number of lines that an earlier load had stored.
    pub skipped: u64,
    /// Number of valid proofs in the other lines.
    pub proofs: u64,
    /// Number of these proofs that were new to the database.
    pub new_proofs: u64,
    /// Height of the recording's tip.
    pub height: Height,
    /// Number of lines whose claims or verdicts differ from what the rules give.
    pub differences: usize,
    /// What cannot be verified because a pruned node made the recording.
    pub unverified: Option<Unverified>,
}

/// A batch, and the position in the recording after it.
struct Step {
    batch: Batch,
    cursor: Cursor,
}

/// Loads a recording, in transactions of about so many rows, at most [`BATCH_ROWS`]. Calls `progress` with the number of
/// lines after each transaction.
///
/// # Errors
/// The file is not a recording, or the database cannot be used. What was written before stays, and is not written again.
pub async fn load(
    url: &ArchiveUrl,
    path: &Path,
    rows: usize,
    mut progress: impl FnMut(u64),
) -> Result<Loaded, ArchiveError> {
    let (start, reading) = Reading::open(path)?;
    let mut writer = PatientWriter::new(url.clone(), start.params.clone(), AWAY_MAX);
    let previous = reading.loaded_before(&writer.cursors(reading.source).await?)?;
    let (steps, mut waiting) = mpsc::channel(BATCHES_WAITING);
    let reading = tokio::task::spawn_blocking(move || reading.run(start, previous, rows.min(BATCH_ROWS), &steps));
    let (mut new_proofs, mut previous) = (0_u64, previous);
    while let Some(Step { batch, cursor }) = waiting.recv().await {
        new_proofs = new_proofs.saturating_add(writer.write(&batch, &cursor, previous.as_ref()).await?);
        previous = Some(cursor);
        progress(cursor.position);
    }
    let loaded = reading.await.map_err(|_| ArchiveError::Stopped)??;
    Ok(Loaded { new_proofs, ..loaded })
}

/// A file whose bytes are hashed as they are read.
struct Hashed<R> {
    from: R,
    /// Shared with who wants the hash: the reader of lines owns this.
    hash: Arc<Mutex<sha256::HashEngine>>,
}

impl<R: BufRead> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let taken = self.fill_buf()?.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Hashed<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // It was filled before, so this reads nothing and cannot fail.
        if let Some(bytes) = self.from.fill_buf().ok().and_then(|bytes| bytes.get(..amount)) {
            self.hash.lock().unwrap_or_else(PoisonError::into_inner).input(bytes);
        }
        self.from.consume(amount);
    }
}

/// A recording that is being read.
struct Reading {
    path: PathBuf,
    reader: Reader<Hashed<BufReader<File>>>,
    hash: Arc<Mutex<sha256::HashEngine>>,
    /// Hash of the first line, which recordings of one network have in common.
    source: [u8; 32],
}

impl Reading {
    fn open(path: &Path) -> Result<(Start, Self), ArchiveError> {
        let from = BufReader::new(open(path)?);
        let hash = Arc::new(Mutex::new(sha256::Hash::engine()));
        let (start, reader) =
            Reader::new(Hashed { from, hash: Arc::clone(&hash) }).map_err(|source| bad(path, source))?;
        let source = digest(&hash);
        Ok((start, Self { path: path.to_owned(), reader, hash, source }))
    }

    /// How far this recording has been loaded, if it has: the farthest of the cursors whose hash is that of its first
    /// lines.
    fn loaded_before(&self, cursors: &[Cursor]) -> Result<Option<Cursor>, ArchiveError> {
        let Some(last) = cursors.iter().map(|cursor| cursor.position).max() else { return Ok(None) };
        let (mut file, mut engine) = (BufReader::new(open(&self.path)?), sha256::Hash::engine());
        let failed = |source| ArchiveError::File { path: self.path.clone(), source };
        let (mut lines, mut found) = (0, None);
        while lines < last {
            let bytes = file.fill_buf().map_err(failed)?;
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            engine.input(&bytes[..taken]);
            file.consume(taken);
            if end.is_some() {
                lines += 1;
                let here = cursors.iter().filter(|cursor| cursor.position == lines);
                let digest = || sha256::Hash::from_engine(engine.clone()).to_byte_array();
                found = here.copied().find(|cursor| cursor.digest == digest()).or(found);
            }
        }
        Ok(found)
    }

    fn run(
        mut self,
        start: Start,
        before: Option<Cursor>,
        rows: usize,
        steps: &mpsc::Sender<Step>,
    ) -> Result<Loaded, ArchiveError> {
        let mut loaded = Loaded { skipped: before.map_or(0, |cursor| cursor.position), ..Loaded::default() };
        let bad_line = |line, problem| bad(&self.path, ReadError::Bad { line, problem });
        let mut replay = Replay::new(start).map_err(|problem| bad_line(1, problem))?;
        replay.keep_changes();
        let mut gatherer = Gatherer::default();
        let root = replay.chain().bitcoin().best().header.block_hash();
        let (mut headers, mut valid) = (vec![root], 0);
        let read = loop {
            let (number, line) = match self.reader.next_line() {
                Ok(Some(next)) => next,
                Ok(None) => break Ok(()),
                Err(error) => break Err(bad(&self.path, error)),
            };
            loaded.lines = number;
            if let Err(problem) = play(&mut replay, &mut gatherer, &mut headers, number, line) {
                break Err(bad(&self.path, ReadError::Bad { line: number, problem }));
            }
            if number <= loaded.skipped {
                valid += gatherer.take(replay.chain()).shares();
            } else if gatherer.batch().rows() >= rows || gatherer.batch().bytes() >= BATCH_BYTES {
                self.send(&mut gatherer, &replay, &mut loaded, steps)?;
            }
        };
        // What came before a bad line is valid.
        if loaded.lines > loaded.skipped {
            self.send(&mut gatherer, &replay, &mut loaded, steps)?;
        }
        read?;
        if valid == 0 && loaded.proofs == 0 && replay.unverified().is_none() {
            return Err(ArchiveError::NothingValid { path: self.path, lines: loaded.lines });
        }
        replay.finish();
        loaded.height = replay.chain().height();
        loaded.differences = replay.differences().len();
        loaded.unverified = replay.unverified();
        Ok(loaded)
    }

    fn send(
        &self,
        gatherer: &mut Gatherer,
        replay: &Replay,
        loaded: &mut Loaded,
        steps: &mpsc::Sender<Step>,
    ) -> Result<(), ArchiveError> {
        let batch = gatherer.take(replay.chain());
        loaded.proofs = loaded.proofs.saturating_add(u64::try_from(batch.shares()).unwrap_or(u64::MAX));
        let cursor = Cursor { source: self.source, position: loaded.lines, digest: digest(&self.hash) };
        steps.blocking_send(Step { batch, cursor }).map_err(|_| ArchiveError::Stopped)
    }
}

/// Replays a line, and gathers what it changed. `headers` are those that the chain does not know yet.
fn play(
    replay: &mut Replay,
    gatherer: &mut Gatherer,
    headers: &mut Vec<BlockHash>,
    number: u64,
    line: Line,
) -> Result<(), String> {
    match line {
        Line::Base(line) => {
            let began = replay.unverified().is_some();
            replay.play_base(line)?;
            if !began && replay.unverified().is_some() {
                gatherer.beginning(replay.chain());
            }
        }
        line => {
            if let Line::Header(header) = &line {
                headers.push(header.header.0.block_hash());
            }
            replay.play(number, line);
        }
    }
    headers.retain(|hash| !gatherer.bitcoin_header(hash, replay.chain()));
    for changes in replay.take_changes() {
        gatherer.changed(&changes, replay.chain());
    }
    Ok(())
}

fn open(path: &Path) -> Result<File, ArchiveError> {
    File::open(path).map_err(|source| ArchiveError::File { path: path.to_owned(), source })
}

fn bad(path: &Path, source: ReadError) -> ArchiveError {
    ArchiveError::Recording { path: path.to_owned(), source }
}

fn digest(hash: &Mutex<sha256::HashEngine>) -> [u8; 32] {
    let engine = hash.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sha256::Hash::from_engine(engine).to_byte_array()
}
