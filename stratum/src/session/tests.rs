use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Action, Resumed, Session, Start, Timeouts, Welcome};
use crate::agents::CoinbaseLimits;
use crate::difficulty::{Difficulty, DifficultyRange};
use crate::limits;
use crate::pool::{Account, Found, Refusal, Work, WorkParts};

const TIME: u32 = 1_700_000_000;

/// A work unit on the Bitcoin block whose hash repeats `tip`.
pub(crate) fn work(key: u64, tip: u8, share_target: Target) -> Arc<Work> {
    Arc::new(Work::new(WorkParts {
        key,
        payee: Account::default(),
        tally: None,
        version: 0x2000_0000,
        prev_block: BlockHash::from_byte_array([tip; 32]),
        coinb1: key.to_be_bytes().to_vec(),
        outputs: Arc::from([3; 40]),
        coinb2: vec![0; 60],
        branch: Arc::new([[1; 32]]),
        bits: CompactTarget::from_consensus(0x1e03_77ae),
        time: TIME,
        min_time: TIME,
        max_time: u32::MAX,
        share_target,
        bitcoin_target: Target::ZERO,
        bitcoin_height: 1,
        solo: false,
    }))
}

fn any_hash() -> Target {
    Target::from_be_bytes([0xff; 32])
}

/// A session that a test drives by hand, and what came out of it.
struct Driven {
    session: Session,
    now: Instant,
    pool_work: Option<Arc<Work>>,
    refusal: Option<Refusal>,
    resumed: Option<Resumed>,
    lines: Vec<Value>,
    found: Vec<Found>,
    closed: bool,
}

impl Driven {
    fn new() -> Self {
        let now = Instant::now();
        let start = Start {
            extranonce1: [5; 8],
            first_job_id: u32::MAX - 2,
            difficulty: DifficultyRange::default(),
            coinbase_limits: CoinbaseLimits::default(),
            timeouts: Timeouts::default(),
        };
        Self {
            session: Session::new(start, now),
            now,
            pool_work: Some(work(1, 1, any_hash())),
            refusal: None,
            resumed: None,
            lines: Vec::new(),
            found: Vec::new(),
            closed: false,
        }
    }

    fn started() -> Self {
        let mut driven = Self::new();
        driven.line(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
        driven.line(r#"{"id":2,"method":"mining.authorize","params":["a.b","x"]}"#);
        driven
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(line) => self.lines.push(serde_json::from_str(&line).expect("JSON")),
                Action::SendJob(job) => self.lines.push(serde_json::from_str(&job.to_string()).expect("JSON")),
                Action::Found(found) => self.found.push(*found),
                Action::Close(_) => self.closed = true,
                Action::Subscribe(pending) => {
                    let welcome = Welcome { resumed: self.resumed, ..Welcome::default() };
                    let offer = self.refusal.clone().map_or(Ok(welcome), Err);
                    let actions = self.session.handle_subscription(pending, offer);
                    self.perform(actions);
                }
                Action::Authorize(pending) => {
                    let verdict = match pending.user() {
                        "rejected" => Err(Refusal("no".to_owned())),
                        user => Ok(user.split('.').next().unwrap_or_default().as_bytes().into()),
                    };
                    let actions = self.session.handle_verdict(pending, verdict, self.now);
                    self.perform(actions);
                }
                Action::Fetch(_) => {
                    if let Some(work) = self.pool_work.clone() {
                        let actions = self.session.handle_work(work, self.now);
                        self.perform(actions);
                    }
                }
            }
        }
    }

    fn line(&mut self, line: &str) {
        if !self.closed {
            let actions = self.session.handle_line(line, self.now);
            self.perform(actions);
        }
    }

    fn work(&mut self, work: Arc<Work>) {
        self.pool_work = Some(Arc::clone(&work));
        if !self.closed {
            let actions = self.session.handle_work(work, self.now);
            self.perform(actions);
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        if !self.closed {
            let actions = self.session.tick(self.now);
            self.perform(actions);
        }
    }

    fn job_ids(&self) -> Vec<&str> {
        let notifies = self.lines.iter().filter(|line| line["method"] == "mining.notify");
        notifies.map(|line| line["params"][0].as_str().expect("a job id")).collect()
    }

    /// Submits a nonce for the job `back` notifications before the newest. Returns the error code, 0 if
    /// the session accepts it, or -1 without such a job or response.
    fn submit(&mut self, back: usize, nonce: u32, bits: Option<u32>) -> i64 {
        let ids = self.job_ids();
        let Some(id) = ids.len().checked_sub(back + 1).map(|at| ids[at].to_owned()) else { return -1 };
        self.submit_for(&id, nonce, bits)
    }

    /// Does the same for the job with this id.
    fn submit_for(&mut self, id: &str, nonce: u32, bits: Option<u32>) -> i64 {
        let mut params = json!(["a.b", id, "0000000000000000", format!("{TIME:08x}"), format!("{nonce:08x}")]);
        if let (Some(bits), Some(list)) = (bits, params.as_array_mut()) {
            list.push(json!(format!("{bits:08x}")));
        }
        let before = self.lines.len();
        self.line(&json!({"id": 77, "method": "mining.submit", "params": params}).to_string());
        let response = self.lines[before..].iter().find(|line| line["id"] == 77);
        response.map_or(-1, |response| response["error"][0].as_i64().unwrap_or(0))
    }
}

#[test]
fn the_grace_period_ends() {
    let mut driven = Driven::started();
    driven.work(work(2, 2, any_hash()));
    driven.wait(limits::TIP_GRACE);
    assert_eq!(driven.submit(1, 1, None), 0);
    driven.wait(Duration::from_secs(1));
    assert_eq!(driven.submit(1, 2, None), 21);
    assert_eq!(driven.submit(0, 3, None), 0);
    assert_eq!(driven.found.len(), 2);
}

#[test]
fn a_block_on_a_stale_job_still_reaches_the_pool() {
    let mut driven = Driven::new();
    let Ok(parts) =
        Arc::try_unwrap(work(1, 1, any_hash())).map(|work| WorkParts { bitcoin_target: any_hash(), ..(*work).clone() })
    else {
        panic!("the work unit has one owner")
    };
    driven.pool_work = Some(Arc::new(Work::new(parts)));
    driven.line(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
    driven.line(r#"{"id":2,"method":"mining.authorize","params":["a.b","x"]}"#);
    driven.work(work(2, 2, any_hash()));
    driven.wait(limits::TIP_GRACE + Duration::from_secs(1));
    assert_eq!(driven.submit(1, 1, None), 21);
    assert_eq!(driven.found.len(), 1);
    assert!(driven.found[0].meets_bitcoin);
}

#[test]
fn keepalives_repeat_the_job_while_the_pool_is_silent() {
    let mut driven = Driven::started();
    for _ in 0..120 {
        driven.wait(Duration::from_secs(5));
    }
    assert!(driven.job_ids().len() >= 10, "{}", driven.job_ids().len());
    let cleans = driven.lines.iter().filter(|line| line["params"][8] == true).count();
    assert_eq!(cleans, 1, "only the first job is clean");
}

#[test]
fn a_minimum_difficulty_is_granted_only_in_full() {
    let mut driven = Driven::new();
    driven.pool_work = Some(work(1, 1, Difficulty::floor(2_048.0).target()));
    driven.line(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
    driven.line(r#"{"id":2,"method":"mining.authorize","params":["a.b","x"]}"#);
    for (minimum, granted) in [("2048", true), ("2049", false), ("1500", true), ("1500.5", false), ("\"no\"", false)] {
        driven.line(&format!(
            r#"{{"id":3,"method":"mining.configure","params":[["minimum-difficulty"],{{"minimum-difficulty.value":{minimum}}}]}}"#
        ));
        let response = driven.lines.last().expect("a response");
        assert_eq!(response["result"]["minimum-difficulty"], granted, "{minimum}");
    }
}

#[test]
fn old_work_units_are_dropped() {
    let mut driven = Driven::started();
    for key in 2..=64 {
        driven.work(work(key, 1, any_hash()));
    }
    assert_eq!(driven.submit(63, 1, None), 0);
    driven.work(work(65, 1, any_hash()));
    assert_eq!(driven.submit(64, 2, None), 21);
}

#[test]
fn a_fast_miner_gets_a_harder_job_within_seconds() {
    let mut driven = Driven::new();
    driven.pool_work = Some(work(1, 1, Difficulty::floor(1e6).target()));
    driven.line(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
    driven.line(r#"{"id":2,"method":"mining.authorize","params":["a.b","x"]}"#);
    let first = driven.session.channel.report.difficulty;
    for _ in 0..limits::VARDIFF_SHARES {
        driven.session.channel.vardiff.share(Difficulty::floor(1_024.0));
    }
    driven.wait(Duration::from_secs(2));
    let second = driven.session.channel.report.difficulty;
    assert_eq!(first, Some(Difficulty::floor(1_024.0)));
    assert!(second > Some(Difficulty::floor(80_000.0)), "{second:?}");
    assert_eq!(driven.job_ids().len(), 2);
}

/// A rental on a young pool: thousands of valid shares a second at the share target.
#[test]
fn valid_shares_never_close_a_connection() {
    let mut driven = Driven::started();
    for nonce in 0..20_000 {
        driven.now += Duration::from_micros(100);
        assert_eq!(driven.submit(0, nonce, None), 0);
        driven.lines.retain(|line| line["method"] == "mining.notify");
    }
    assert!(!driven.closed);
    assert_eq!(driven.found.len(), 20_000);
}

/// Shares of a job that is long replaced by a harder one cost their sender nothing, so they count as any line.
#[test]
fn shares_of_an_old_easy_job_do_not_flood() {
    let mut driven = Driven::started();
    driven.work(work(2, 1, Difficulty::floor(1e-6).target()));
    let easy = driven.job_ids()[0].to_owned();
    driven.wait(limits::HARDER_GRACE + Duration::from_secs(1));
    let sent = (0..20_000).take_while(|nonce| {
        driven.submit_for(&easy, *nonce, None);
        driven.lines.clear();
        !driven.closed
    });
    assert_eq!(sent.count(), limits::LINES_BURST as usize);
}

/// Each suggestion is one message, and 24 easy shares let vardiff follow it: such jobs, 256 of them in half a second, were free.
#[test]
fn jobs_that_follow_easy_shares_count_as_messages() {
    let mut driven = Driven::started();
    driven.work(work(2, 1, Difficulty::floor(1e-6).target()));
    let easy = driven.job_ids()[0].to_owned();
    let before = driven.job_ids().len();
    driven.session.take_spent();
    let mut nonces = 0..;
    for suggested in [5e-7, 1e-12].into_iter().cycle().take(20) {
        driven.line(&json!({"id": 3, "method": "mining.suggest_difficulty", "params": [suggested]}).to_string());
        for nonce in nonces.by_ref().take(limits::VARDIFF_SHARES as usize) {
            assert_eq!(driven.submit_for(&easy, nonce, None), 0);
        }
    }
    let jobs = driven.job_ids().len() - before;
    assert!(jobs >= 10, "{jobs}");
    assert_eq!(driven.session.take_spent() as usize, 20 + jobs * limits::JOB_MESSAGES as usize);
}

#[test]
fn strikes_decay() {
    let wrong = r#"{"id":1,"method":"mining.submit","params":[7]}"#;
    let mut driven = Driven::started();
    for _ in 0..500 {
        driven.wait(Duration::from_secs(11));
        driven.line(wrong);
    }
    assert!(!driven.closed);
    for _ in 0..=limits::STRIKES_MAX {
        driven.line(wrong);
    }
    assert!(driven.closed);
}

#[test]
fn a_job_has_no_time_beyond_the_work_units_last() {
    let mut driven = Driven::new();
    let parts = WorkParts { max_time: TIME + 2, ..(**work(1, 1, any_hash())).clone() };
    driven.pool_work = Some(Arc::new(Work::new(parts)));
    driven.line(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
    driven.line(r#"{"id":2,"method":"mining.authorize","params":["a.b","x"]}"#);
    for _ in 0..10 {
        driven.wait(limits::KEEPALIVE);
    }
    let times: Vec<_> = driven
        .lines
        .iter()
        .filter(|line| line["method"] == "mining.notify")
        .map(|line| u32::from_str_radix(line["params"][7].as_str().expect("a time"), 16).expect("hex"))
        .collect();
    assert_eq!(times, [TIME, TIME + 2]);
    driven.work(work(2, 2, any_hash()));
    assert_eq!(driven.job_ids().len(), 3, "other work starts at its own time");
}

#[derive(Clone, Debug)]
enum Step {
    Line(String),
    Work { tip: u8, zeros: u32 },
    SameWork,
    NoWork,
    Wait(u32),
    Submit { back: usize, nonce: u32, bits: Option<u32> },
}

fn step() -> impl Strategy<Value = Step> {
    let lines = prop_oneof![
        Just(r#"{"id":1,"method":"mining.subscribe","params":["NiceHash/1"]}"#.to_owned()),
        Just(r#"{"id":1,"method":"mining.subscribe","params":[]}"#.to_owned()),
        Just(r#"{"id":2,"method":"mining.authorize","params":["a.b","d=1e-9"]}"#.to_owned()),
        Just(r#"{"id":2,"method":"mining.authorize","params":["c.d","x"]}"#.to_owned()),
        Just(r#"{"id":2,"method":"mining.authorize","params":["rejected","x"]}"#.to_owned()),
        Just(r#"{"id":3,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"00ffffff"}]}"#.to_owned()),
        (1e-10f64..1e12).prop_map(|difficulty| {
            format!(r#"{{"id":4,"method":"mining.suggest_difficulty","params":[{difficulty}]}}"#)
        }),
        Just(r#"{"id":5,"method":"mining.extranonce.subscribe","params":[]}"#.to_owned()),
        Just(r#"{"id":6,"method":"x"}"#.to_owned()),
    ];
    prop_oneof![
        4 => lines.prop_map(Step::Line),
        3 => (1u8..4, 0u32..60).prop_map(|(tip, zeros)| Step::Work { tip, zeros }),
        1 => Just(Step::SameWork),
        1 => Just(Step::NoWork),
        3 => (0u32..100_000).prop_map(Step::Wait),
        5 => (0usize..5, 0u32..20, prop::option::of(any::<u32>()))
            .prop_map(|(back, nonce, bits)| Step::Submit { back, nonce, bits }),
    ]
}

fn share_target(zeros: u32) -> Target {
    Difficulty::floor(2f64.powi(i32::try_from(zeros).expect("small") - 40)).target()
}

/// Checks what must hold for the lines of a session, for any behavior of miner and pool.
fn check_lines(lines: &[Value]) -> Result<(), TestCaseError> {
    let mut ids = HashSet::new();
    let mut contents = HashSet::new();
    let mut difficulties = 0;
    for line in lines {
        match line["method"].as_str() {
            Some("mining.set_difficulty") => {
                difficulties += 1;
                prop_assert!(difficulties == 1, "two difficulties before one job");
            }
            Some("mining.notify") => {
                difficulties = 0;
                prop_assert!(ids.insert(line["params"][0].to_string()), "a job id repeats");
                let content: Vec<_> = (1..8).map(|at| line["params"][at].to_string()).collect();
                prop_assert!(contents.insert(content), "a job repeats another one's content");
            }
            _ => {}
        }
    }
    prop_assert_eq!(difficulties, 0, "a difficulty without a job");
    Ok(())
}

proptest! {
    #[test]
    fn any_text_gets_at_most_one_line(line in ".{0,200}") {
        let mut driven = Driven::started();
        let before = driven.lines.len();
        driven.line(&line);
        prop_assert!(driven.lines.len() <= before + 1);
    }

    #[test]
    fn no_sequence_of_events_breaks_the_protocol(steps in prop::collection::vec(step(), 0..120), started in any::<bool>()) {
        let mut driven = if started { Driven::started() } else { Driven::new() };
        for (key, step) in (2u64..).zip(steps) {
            match step {
                Step::Line(line) => driven.line(&line),
                Step::Work { tip, zeros } => driven.work(work(key, tip, share_target(zeros))),
                Step::SameWork => {
                    if let Some(work) = driven.pool_work.clone() {
                        driven.work(work);
                    }
                }
                Step::NoWork => driven.pool_work = None,
                Step::Wait(milliseconds) => driven.wait(Duration::from_millis(milliseconds.into())),
                Step::Submit { back, nonce, bits } => {
                    driven.submit(back, nonce, bits);
                }
            }
            if let (Some(sent), Some(work)) = (driven.session.channel.report.difficulty, driven.session.channel.jobs.current()) {
                prop_assert!(sent.target() >= work.share_target, "the job is harder than the share target");
            }
        }
        check_lines(&driven.lines)?;
        for found in &driven.found {
            prop_assert_eq!(found.header.block_hash(), found.hash);
            prop_assert!(found.work.share_target.is_met_by(found.hash));
            let WorkParts { coinb1, outputs, coinb2, .. } = &**found.work;
            let parts: [&[u8]; 4] = [coinb1, &found.extranonce, outputs, coinb2];
            prop_assert_eq!(found.header.merkle_root, crate::proof::merkle_root(&parts, &found.work.branch));
        }
        let unique: HashSet<_> = driven.found.iter().map(|found| (found.work.key, found.hash)).collect();
        prop_assert_eq!(unique.len(), driven.found.len(), "the pool received a proof of work twice");
    }
}
