//! The fuzz targets. `make fuzz` runs them on random bytes, and `make test` on the corpus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target};
use stratum::message::Request;
use stratum::session::{Action, Session, Start, Timeouts};
use stratum::{Work, WorkParts, limits};

/// Any line parses into a request or an error, without a panic.
pub fn line(data: &[u8]) {
    if let Ok(line) = std::str::from_utf8(data)
        && let Ok(request) = Request::parse(line)
    {
        // The response echoes the id, so the id must be short.
        assert!(request.id.to_string().len() <= 6 * limits::ID_CHARS_MAX + 2);
    }
}

/// A miner that sends any lines, 100 ms apart, never gets an action with more than one line.
pub fn session(data: &[u8]) {
    let mut now = Instant::now();
    let start = Start {
        extranonce1: [5; 8],
        first_job_id: 0,
        initial_difficulty: limits::INITIAL_DIFFICULTY,
        timeouts: Timeouts::default(),
    };
    let mut session = Session::new(start, now);
    let mut key = 0;
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let actions = session.handle_line(line, now);
        let closed = actions.iter().any(|action| matches!(action, Action::Close(_)));
        for action in actions {
            if let Action::Send(line) = action {
                assert!(!line.trim_end_matches('\n').contains('\n'));
            }
        }
        if closed {
            return;
        }
        key += 1;
        session.handle_work(work(key), now);
        now += Duration::from_millis(100);
        session.tick(now);
    }
}

/// A work unit whose share target every hash meets.
fn work(key: u64) -> Arc<Work> {
    Arc::new(Work::new(WorkParts {
        key,
        version: 0x2000_0000,
        prev_block: BlockHash::all_zeros(),
        coinb1: vec![1; 60],
        outputs: Arc::from([0; 40]),
        coinb2: vec![0; 60],
        branch: vec![[1; 32]],
        bits: CompactTarget::from_consensus(0x1e03_77ae),
        time: 1_700_000_000,
        min_time: 1_700_000_000,
        max_time: u32::MAX,
        share_target: Target::from_be_bytes([0xff; 32]),
        bitcoin_target: Target::ZERO,
        bitcoin_height: 1,
        solo: false,
    }))
}
