use std::io;
use std::sync::{Arc, Mutex};

use tracing::{debug, info, warn};
use tracing_subscriber::fmt::MakeWriter;

use super::LogLimit;
use crate::limits::LOG_BURST_LINES;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Observed: 1,860 identities that connect, send bad shares, and are banned caused 1.15 MB of log in 24 s.
#[test]
fn a_flood_writes_few_log_lines() {
    let (limit, lines) = (LogLimit::default(), Lines::default());
    let subscriber = crate::logging::subscriber("debug", crate::config::LogFormat::Text, lines.clone(), limit.clone());
    tracing::subscriber::with_default(subscriber.unwrap().0, || {
        for peer in 0..1_860 {
            info!(peer, "peer connected");
            warn!(peer, "a peer is banned: invalid shares");
            info!(peer, "peer disconnected");
        }
        warn!("bitcoind reports a problem");
        limit.report();
        limit.report();
    });
    let text = lines.text();
    let burst = usize::try_from(LOG_BURST_LINES).unwrap();
    let count = text.lines().count();
    assert!((3 * burst + 4..3 * burst + 8).contains(&count), "{count} lines");
    assert!(text.len() < 20_000, "{} bytes", text.len());
    assert!(text.contains("and 1,830 more like: peer connected"), "{text}");
    assert!(text.contains("bitcoind reports a problem"), "another kind is not crowded out");
}

#[test]
fn debug_lines_are_not_limited() {
    let (limit, lines) = (LogLimit::default(), Lines::default());
    let subscriber = crate::logging::subscriber("debug", crate::config::LogFormat::Json, lines.clone(), limit);
    tracing::subscriber::with_default(subscriber.unwrap().0, || (0..500).for_each(|number| debug!(number, "a detail")));
    assert_eq!(lines.text().lines().count(), 500);
}
