//! A writer that outlives its connection: when the server goes away it waits, connects again, and writes again.

use std::time::{Duration, Instant};

use node_core::sentence;
use sharechain::ChainParams;
use tracing::warn;

use crate::batch::Batch;
use crate::connect::ArchiveUrl;
use crate::error::ArchiveError;
use crate::limits::{RETRY, RETRY_MAX};
use crate::writer::{Cursor, Writer};

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
}

impl PatientWriter {
    /// A writer that is not connected yet.
    #[must_use]
    pub fn new(url: ArchiveUrl, params: ChainParams, patience: Duration) -> Self {
        Self { url, params, patience, writer: None, pause: RETRY }
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
            let found = match self.connected().await {
                Ok(writer) => writer.cursors(source).await,
                Err(error) => Err(error),
            };
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
            let written = match self.connected().await {
                Ok(writer) => writer.write(batch, cursor, previous).await,
                Err(error) => Err(error),
            };
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
                Ok(Some(answer))
            }
            Err(error) => self.wait(error, since).await.map(|()| None),
        }
    }

    /// Waits before the next attempt. Returns the error if there is none.
    async fn wait(&mut self, error: ArchiveError, since: Instant) -> Result<(), ArchiveError> {
        self.writer = None;
        if !error.is_away() || since.elapsed() >= self.patience {
            return Err(error);
        }
        if self.pause == RETRY {
            warn!(error = %sentence(&error), "trying again");
        }
        tokio::time::sleep(self.pause).await;
        self.pause = self.pause.saturating_mul(2).min(RETRY_MAX);
        Ok(())
    }
}
