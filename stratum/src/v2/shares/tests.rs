use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bitcoin::Target;
use mining_sv2::{
    MESSAGE_TYPE_NEW_MINING_JOB, MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL, MESSAGE_TYPE_SUBMIT_SHARES_STANDARD,
};
use tokio::sync::watch;

use super::Session;
use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::{Account, Change, Found, Pool, Refusal, Work};
use crate::session::tests::work;
use crate::v2::Frame;

const TIME: u32 = 1_700_000_000;
const VERSION: u32 = 0x2000_0000;
/// Bytes of a frame's header.
const HEADER_BYTES: usize = 6;

/// A pool with one work unit.
struct OneWork {
    work: Mutex<Arc<Work>>,
    changes: watch::Sender<Change>,
}

impl Pool for OneWork {
    fn authorize(&self, _user: &str) -> Result<Account, Refusal> {
        Ok(Account::default())
    }

    fn work(&self, _account: &Account) -> Option<Arc<Work>> {
        Some(Arc::clone(&self.work.lock().expect("no test panics with it")))
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, _found: Found) {}
}

fn send(session: &mut Session, kind: u8, payload: &[&[u8]], now: Instant) {
    let frame = Frame { extension: 0, kind, payload: payload.concat() };
    session.handle(frame, now).expect("the connection stays");
}

/// Counts the jobs among the frames that wait to be written.
fn jobs(session: &mut Session) -> u32 {
    let (output, mut count) = (session.take_output(), 0);
    let mut rest = output.as_slice();
    while let Some(([_, _, kind, low, middle, high], after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        count += u32::from(*kind == MESSAGE_TYPE_NEW_MINING_JOB);
        rest = &after[u32::from_le_bytes([*low, *middle, *high, 0]) as usize..];
    }
    count
}

/// In bursts and with pauses between, easy shares seem to come from one rate after another, and a job follows each.
#[test]
fn jobs_that_follow_easy_shares_of_a_channel_count_as_messages() {
    let mut now = Instant::now();
    let easy = work(1, 1, Target::from_be_bytes([0xff; 32]));
    let pool = Arc::new(OneWork { work: Mutex::new(easy), changes: watch::Sender::default() });
    let mut session = Session::alone(Arc::clone(&pool) as Arc<dyn Pool>, now);
    send(&mut session, 0, &[&[0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], now);
    let open: [&[u8]; 4] = [&[0; 4], b"\x03a.b", &[0; 4], &[0xff; 32]];
    send(&mut session, MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL, &open, now);
    *pool.work.lock().expect("no test panics with it") = work(2, 1, Difficulty::floor(1e-6).target());
    session.handle_change().expect("there is work");
    while session.next_job(now).is_some() {}
    assert_eq!(jobs(&mut session), 2);
    session.take_spent();
    let mut nonces = 0_u32..;
    for pause_s in [0, 5, 0, 5] {
        now += Duration::from_secs(pause_s);
        for nonce in nonces.by_ref().take(limits::VARDIFF_SHARES as usize) {
            // Channel, sequence, the first job, nonce, time and version.
            let share = [2, nonce, 0, nonce, TIME, VERSION].map(u32::to_le_bytes);
            send(&mut session, MESSAGE_TYPE_SUBMIT_SHARES_STANDARD, &[share.as_flattened()], now);
        }
    }
    let count = jobs(&mut session);
    assert!(count >= 3, "{count}");
    assert_eq!(session.take_spent(), count * limits::JOB_MESSAGES);
}
