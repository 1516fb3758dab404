//! A writer that outlives its connection: when the server goes away it waits, connects again, and writes again.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use node_core::sentence;
use sharechain::ChainParams;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::warn;

use crate::batch::Batch;
use crate::connect::ArchiveUrl;
use crate::error::ArchiveError;
use crate::limits::{RETRY, RETRY_MAX, WRITE_TIMEOUT};
use crate::writer::{Cursor, Writer};

/// What it is when the server says nothing for too long.
fn late<T>(_: Elapsed) -> Result<T, ArchiveError> {
    Err(ArchiveError::Silent(ErrorKind::TimedOut.into()))
}

/// Why the database accepts nothing now, in one sentence without names or addresses.
#[derive(Clone, Debug, Default)]
pub struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// The sentence; none while the database accepts batches.
    #[must_use]
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<&ArchiveError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble.map(ToString::to_string);
    }
}

/// A writer that connects again.
#[derive(Debug)]
pub struct PatientWriter {
    url: ArchiveUrl,
    params: ChainParams,
    /// Time for which it goes on trying.
    patience: Duration,
    writer: Option<Writer>,
    /// Time until the next attempt.
    pause: Duration,
    trouble: Trouble,
}

impl PatientWriter {
    /// A writer that is not connected yet.
    #[must_use]
    pub fn new(url: ArchiveUrl, params: ChainParams, patience: Duration) -> Self {
        Self { url, params, patience, writer: None, pause: RETRY, trouble: Trouble::default() }
    }

    /// The same writer, reporting its trouble there.
    #[must_use]
    pub fn reporting(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    async fn connected(&mut self) -> Result<&mut Writer, ArchiveError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::open(&self.url, &self.params).await?,
        };
        Ok(self.writer.insert(writer))
    }

    /// As [`Writer::cursors`].
    ///
    /// # Errors
    /// The server was away for too long, or rejects the question.
    pub async fn cursors(&mut self, source: [u8; 32]) -> Result<Vec<Cursor>, ArchiveError> {
        let since = Instant::now();
        loop {
            let asking = async { self.connected().await?.cursors(source).await };
            let found = timeout(WRITE_TIMEOUT, asking).await.unwrap_or_else(late);
            if let Some(found) = self.answered(found, since).await? {
                return Ok(found);
            }
        }
    }

    /// As [`Writer::write`].
    ///
    /// # Errors
    /// The server was away for too long, or rejects a row.
    pub async fn write(
        &mut self,
        batch: &Batch,
        cursor: &Cursor,
        previous: Option<&Cursor>,
    ) -> Result<u64, ArchiveError> {
        let since = Instant::now();
        loop {
            let writing = async { self.connected().await?.write(batch, cursor, previous).await };
            let written = timeout(WRITE_TIMEOUT, writing).await.unwrap_or_else(late);
            if let Some(written) = self.answered(written, since).await? {
                return Ok(written);
            }
        }
    }

    /// What the server answered. None if it is away, after a pause.
    async fn answered<T>(
        &mut self,
        answer: Result<T, ArchiveError>,
        since: Instant,
    ) -> Result<Option<T>, ArchiveError> {
        match answer {
            Ok(answer) => {
                self.pause = RETRY;
                self.trouble.set(None);
                Ok(Some(answer))
            }
            Err(error) => self.wait(error, since).await.map(|()| None),
        }
    }

    /// Waits before the next attempt. Returns the error if there is none.
    async fn wait(&mut self, error: ArchiveError, since: Instant) -> Result<(), ArchiveError> {
        self.writer = None;
        self.trouble.set(Some(&error));
        if !error.is_away() || since.elapsed() >= self.patience {
            return Err(error);
        }
        // The log limits repeated lines.
        warn!(error = %sentence(&error), "trying again");
        tokio::time::sleep(self.pause).await;
        self.pause = self.pause.saturating_mul(2).min(RETRY_MAX);
        Ok(())
    }
}
