//! The fuzz targets. `make fuzz` runs them on random bytes, and `make test` on the corpus.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target};
use stratum::message::Request;
use stratum::session::{Action, Resumed, Session, Start, Timeouts, Welcome};
use stratum::{
    Account, Change, CoinbaseLimits, DifficultyRange, Found, Pool, Refusal, Tls, Work, WorkParts, limits, v2,
};
use tokio::sync::watch;

/// Any line parses into a request or an error, without a panic.
pub fn line(data: &[u8]) {
    if let Ok(line) = std::str::from_utf8(data)
        && let Ok(request) = Request::parse(line)
    {
        // The response echoes the id, so the id must be short.
        assert!(request.id.to_string().len() <= 6 * limits::ID_CHARS_MAX + 2);
    }
}

/// Any bytes are a PROXY header, with the rest untouched, or an error, without a panic and without waiting for more.
pub fn proxy(data: &[u8]) {
    let mut rest = data;
    let read = {
        let mut reading = pin!(stratum::proxy::read(&mut rest));
        reading.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    };
    let Poll::Ready(read) = read else { panic!("all bytes are there") };
    assert!(read.is_err() || data.ends_with(rest));
}

/// Any bytes and the end of the connection are an error of a TLS handshake, without a panic: no client can know the server's part.
pub fn tls(data: &[u8]) {
    static TLS: LazyLock<Tls> = LazyLock::new(|| {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let folder = Path::new(&folder);
        let folder = if folder.ends_with("fuzz") { folder.join("../tests/tls") } else { folder.join("tests/tls") };
        Tls::from_pem(&folder.join("certificate.pem"), &folder.join("key.pem")).expect("a certificate")
    });
    let mut accepting = pin!(TLS.accept(tokio::io::join(data, tokio::io::sink())));
    let accepted = accepting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(accepted, Poll::Ready(Err(_))), "all bytes are there");
}

/// A miner that sends any lines, 100 ms apart, never gets an action with more than one line. Each is authorized as the
/// account that its user name begins with, and a subscription whose session id is this session's resumes it.
pub fn session(data: &[u8]) {
    let mut now = Instant::now();
    let own = [5; 8];
    let start = Start {
        extranonce1: own,
        first_job_id: 0,
        difficulty: DifficultyRange::default(),
        coinbase_limits: CoinbaseLimits::default(),
        timeouts: Timeouts::default(),
    };
    let mut session = Session::new(start, now);
    let mut key = 0;
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let mut queue = session.handle_line(line, now);
        while !queue.is_empty() {
            let following = match queue.remove(0) {
                Action::Send(line) => {
                    assert!(!line.trim_end_matches('\n').contains('\n'));
                    Vec::new()
                }
                Action::SendJob(_) | Action::Found(_) => Vec::new(),
                Action::Close(_) => return,
                Action::Subscribe(pending) => {
                    let extranonce1 = pending.resumes().unwrap_or(own);
                    let resumed = Some(Resumed { extranonce1, last_job_time: key as u32 });
                    let welcome = Welcome { resumed, coinbase_bytes: Some(600), coinbase_bytes_learnt: None };
                    session.handle_subscription(pending, Ok(welcome))
                }
                Action::Authorize(pending) => {
                    let account = pending.user().chars().next().unwrap_or_default().to_string();
                    session.handle_verdict(pending, Ok(account.as_bytes().into()), now)
                }
                Action::Fetch(_) => session.handle_work(work(key), now),
            };
            queue.splice(0..0, following);
        }
        key += 1;
        session.handle_work(work(key), now);
        now += Duration::from_millis(100);
        session.tick(now);
    }
}

/// A miner that sends any messages of Stratum v2, 100 ms apart, gets whole frames, and never one for a channel that was not
/// opened. The pool's work changes after each.
pub fn v2(data: &[u8]) {
    let pool = Arc::new(AnyPool { key: AtomicU64::new(0), changes: watch::Sender::new(Change::default()) });
    let mut now = Instant::now();
    let mut session = v2::Session::alone(Arc::clone(&pool) as _, now);
    let mut opened = Vec::new();
    let mut rest = data;
    while let Some((header, after)) = rest.split_first_chunk::<6>() {
        let [low, high, kind, length @ ..] = *header;
        let bytes = usize::from(u16::from_le_bytes([length[0], length[1]])).min(limits::FRAME_BYTES_MAX);
        let (payload, after) = after.split_at(bytes.min(after.len()));
        rest = after;
        let extension = u16::from_le_bytes([low, high]) & 0x7fff;
        let mut step = session.handle(v2::Frame { extension, kind, payload: payload.to_vec() }, now);
        pool.key.fetch_add(1, Ordering::Relaxed);
        now += Duration::from_millis(100);
        step = step.and_then(|()| session.handle_change()).and_then(|()| session.tick(now));
        while session.next_job(now).is_some() {}
        if let Err(reason) = &step {
            session.say_goodbye(reason);
        }
        check_frames(&session.take_output(), &mut opened);
        if step.is_err() {
            return;
        }
    }
}

/// Checks that these are whole frames, and that messages of channels name one that was opened.
fn check_frames(mut bytes: &[u8], opened: &mut Vec<[u8; 4]>) {
    while let Some((header, after)) = bytes.split_first_chunk::<6>() {
        let length = usize::from(header[3]) | usize::from(header[4]) << 8 | usize::from(header[5]) << 16;
        assert!(after.len() >= length, "a frame is whole");
        let (payload, after) = after.split_at(length);
        bytes = after;
        match header[2] {
            // The request, then the channel.
            0x11 | 0x14 => opened.push(payload[4..8].try_into().unwrap_or_default()),
            0x15 | 0x1f | 0x20 | 0x21 | 0x1c | 0x18 => assert!(opened.iter().any(|id| *id == payload[..4])),
            _ => {}
        }
    }
    assert!(bytes.is_empty(), "a frame is whole");
}

/// A pool whose work unit changes with its key. Each user's account is the first letter of the name.
struct AnyPool {
    key: AtomicU64,
    changes: watch::Sender<Change>,
}

impl Pool for AnyPool {
    fn authorize(&self, user: &str) -> Result<Account, Refusal> {
        let first = user.chars().next().ok_or_else(|| Refusal("no name".to_owned()))?;
        Ok(first.to_string().as_bytes().into())
    }

    fn work(&self, _: &Account) -> Option<Arc<Work>> {
        let key = self.key.load(Ordering::Relaxed);
        (key % 7 != 6).then(|| work(key))
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, found: Found) {
        assert_eq!(found.header.block_hash(), found.hash);
    }
}

/// A work unit whose share target every hash meets.
fn work(key: u64) -> Arc<Work> {
    Arc::new(Work::new(WorkParts {
        key,
        payee: Account::default(),
        tally: None,
        version: 0x2000_0000,
        prev_block: BlockHash::all_zeros(),
        coinb1: vec![1; 60],
        outputs: Arc::from([0; 40]),
        coinb2: vec![0; 60],
        branch: Arc::new([[1; 32]]),
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
