//! Limits how many lines of one kind the log accepts, so that peers and miners cannot fill the disk.
//!
//! A kind is one place in the code. Each may write a burst, then a few lines a minute. Once a minute, the log says how
//! many lines of each kind were left out. Debug and trace lines are not limited: an operator who enables them wants
//! them all.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, warn};
use tracing_subscriber::layer::{Context, Filter};

use crate::limits::{LOG_BURST_LINES, LOG_LINES_A_MINUTE, LOG_SENTENCE_CHARS_MAX};

/// Interval between reports of omitted lines.
const REPORT: Duration = Duration::from_secs(60);

/// Lines left out since the process started. Global, like the log itself.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// Number of lines left out of the log since the process started.
pub(crate) fn left_out() -> u64 {
    LEFT_OUT.load(Ordering::Relaxed)
}

/// Lines of one kind. Each place in the code is a kind.
#[derive(Debug)]
struct Kind {
    /// Lines that may be written now, in units of one line per [`LINE_MS`] milliseconds.
    level: u64,
    at: Instant,
    left_out: u64,
    /// Message of the first line that was left out.
    sentence: String,
}

/// Milliseconds that earn one line.
const LINE_MS: u64 = 60_000 / LOG_LINES_A_MINUTE;

impl Kind {
    fn take(&mut self, now: Instant) -> bool {
        let elapsed = u64::try_from(now.saturating_duration_since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.at = now;
        self.level = self.level.saturating_add(elapsed).min(LOG_BURST_LINES * LINE_MS);
        let enough = self.level >= LINE_MS;
        if enough {
            self.level -= LINE_MS;
        }
        enough
    }
}

/// The limit, shared by the subscriber and the reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLimit(Arc<Mutex<HashMap<Identifier, Kind>>>);

impl LogLimit {
    /// Starts a thread that reports omitted lines for as long as the process runs.
    pub(crate) fn report_forever(&self) -> std::io::Result<()> {
        let limit = self.clone();
        let run = move || loop {
            std::thread::sleep(REPORT);
            limit.report();
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(run).map(drop)
    }

    /// Writes one line for each kind with omitted lines.
    fn report(&self) {
        let left_out: Vec<(u64, String)> = {
            let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let missing = kinds.values_mut().filter(|kind| kind.left_out > 0);
            missing.map(|kind| (std::mem::take(&mut kind.left_out), std::mem::take(&mut kind.sentence))).collect()
        };
        // The lock is free: writing a line takes it.
        for (count, sentence) in left_out {
            warn!("and {} more like: {sentence}", crate::status::words::count(count));
        }
    }

    fn admits(&self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO || metadata.target() == module_path!() {
            return true;
        }
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(metadata.callsite()).or_insert_with(|| Kind {
            level: LOG_BURST_LINES * LINE_MS,
            at: now,
            left_out: 0,
            sentence: String::new(),
        });
        if kind.take(now) {
            return true;
        }
        if kind.left_out == 0 {
            event.record(&mut Sentence(&mut kind.sentence));
        }
        kind.left_out = kind.left_out.saturating_add(1);
        LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        false
    }
}

/// Reads the message of an event.
struct Sentence<'a>(&'a mut String);

impl Visit for Sentence<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{value:?}");
            if let Some((end, _)) = self.0.char_indices().nth(LOG_SENTENCE_CHARS_MAX) {
                self.0.truncate(end);
            }
        }
    }
}

impl<S> Filter<S> for LogLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.admits(event, Instant::now())
    }
}

#[cfg(test)]
mod tests;
