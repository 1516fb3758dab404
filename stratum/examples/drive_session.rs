//! Drives a [`Session`] by hand, without sockets, and prints every line that it exchanges.
//!
//! The example plays both neighbors of a session: the caller that performs its actions, with a pool of
//! one work unit, and the miner. Run it with
//! `cargo run --release -p stratum --example drive_session`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target};
use serde_json::{Value, json};
use stratum::limits;
use stratum::session::{Action, Session, Start, Timeouts, Welcome};
use stratum::{Account, CoinbaseLimits, Difficulty, DifficultyRange, Found, Job, Refusal, Work, WorkParts};

const EXTRANONCE1: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const USER: &str = "alice.rig1";

fn main() {
    let mut driver = Driver::new();

    let request = json!([["version-rolling"], { "version-rolling.mask": "ffffffff" }]);
    driver.line(1, "mining.configure", request);
    driver.line(2, "mining.subscribe", json!(["drive-session/1"]));
    driver.line(3, "mining.authorize", json!([USER, "x"]));
    driver.tick(limits::TICK);

    let job = driver.newest_job();
    let nonce = mine(&job);
    let extranonce2 = "0000000000000000";
    let submission = json!([USER, job.id, extranonce2, format!("{:08x}", job.time), format!("{nonce:08x}")]);
    driver.line(4, "mining.submit", submission);

    let response = driver.sent.iter().find(|line| line["id"] == 4).expect("the session responds to a submission");
    assert_eq!(response["result"], true, "the session accepts the share");
    assert_eq!(driver.found.len(), 1, "the pool receives the share");
    assert!(driver.found[0].meets_share);
    println!("accepted: share {} of {}", driver.found[0].hash, driver.found[0].worker);
}

/// The caller of a session: performs its actions, and keeps what comes out.
struct Driver {
    session: Session,
    now: Instant,
    work: Arc<Work>,
    /// All lines to the miner.
    sent: Vec<Value>,
    /// All proofs of work for the pool.
    found: Vec<Found>,
}

impl Driver {
    fn new() -> Self {
        let now = Instant::now();
        let start = Start {
            extranonce1: EXTRANONCE1,
            first_job_id: 1,
            difficulty: DifficultyRange::default(),
            coinbase_limits: CoinbaseLimits::default(),
            timeouts: Timeouts::default(),
        };
        Self { session: Session::new(start, now), now, work: work(), sent: Vec::new(), found: Vec::new() }
    }

    /// Passes a line from the miner to the session.
    fn line(&mut self, id: u32, method: &str, params: Value) {
        let line = json!({ "id": id, "method": method, "params": params }).to_string();
        println!("miner  -> {line}");
        let actions = self.session.handle_line(&line, self.now);
        self.perform(actions);
    }

    /// Lets time pass. A real caller ticks every [`limits::TICK`].
    fn tick(&mut self, time: Duration) {
        self.now += time;
        let actions = self.session.tick(self.now);
        self.perform(actions);
    }

    /// Sends a line to the miner. No action follows from it.
    fn send(&mut self, line: &str) -> Vec<Action> {
        print!("server -> {line}");
        self.sent.push(serde_json::from_str(line).expect("every line is JSON"));
        Vec::new()
    }

    /// Performs actions in order. The actions that follow from one come before the rest.
    fn perform(&mut self, actions: Vec<Action>) {
        let mut queue = VecDeque::from(actions);
        while let Some(action) = queue.pop_front() {
            let following = match action {
                Action::Send(line) => self.send(&line),
                Action::SendJob(job) => self.send(&job.to_string()),
                Action::Subscribe(pending) => self.session.handle_subscription(pending, Ok(Welcome::default())),
                Action::Authorize(pending) => {
                    let verdict = authorize(pending.user());
                    self.session.handle_verdict(pending, verdict, self.now)
                }
                Action::Fetch(_account) => self.session.handle_work(Arc::clone(&self.work), self.now),
                Action::Found(found) => {
                    self.found.push(*found);
                    Vec::new()
                }
                Action::Close(reason) => panic!("the session closed the connection: {reason}"),
            };
            for action in following.into_iter().rev() {
                queue.push_front(action);
            }
        }
    }

    /// Parses the newest job, as the miner does.
    fn newest_job(&self) -> Job {
        let newest = |method: &str| self.sent.iter().rfind(|line| line["method"] == method).map(|line| &line["params"]);
        let difficulty = newest("mining.set_difficulty").and_then(|params| params[0].as_f64());
        let difficulty = Difficulty::floor(difficulty.expect("the session sends a difficulty before the job"));
        let params = newest("mining.notify").expect("the session sends a job after the login");
        Job::read(params, EXTRANONCE1.to_vec(), difficulty, limits::VERSION_MASK).expect("the session sends valid jobs")
    }
}

/// The pool's [`authorize`](stratum::Pool::authorize): the account is the address in the user name.
fn authorize(user: &str) -> Result<Account, Refusal> {
    let address = user.split('.').next().unwrap_or_default().trim();
    if address.is_empty() {
        return Err(Refusal("the user name has no address".to_owned()));
    }
    Ok(address.as_bytes().into())
}

/// The pool's [`work`](stratum::Pool::work): one in 256 hashes is a share, and none is a block.
fn work() -> Arc<Work> {
    Arc::new(Work::new(WorkParts {
        key: 1,
        payee: Account::default(),
        tally: None,
        version: 0x2000_0000,
        prev_block: BlockHash::from_byte_array([7; 32]),
        coinb1: vec![1; 60],
        outputs: Arc::from([2; 150]),
        coinb2: vec![2; 50],
        branch: Arc::new([[3; 32], [4; 32]]),
        bits: CompactTarget::from_consensus(0x1d00_ffff),
        time: 1_700_000_000,
        min_time: 1_700_000_000,
        max_time: u32::MAX,
        share_target: Difficulty::floor(1.0 / 16_777_216.0).target(),
        bitcoin_target: Target::ZERO,
        bitcoin_height: 100,
        solo: false,
    }))
}

/// Finds a nonce whose hash meets the job's target.
fn mine(job: &Job) -> u32 {
    let mut header = job.header([0; 8], job.time, 0, 0);
    while !job.target.is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header.nonce
}
