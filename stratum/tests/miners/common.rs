//! A pool with one work unit, and a miner on a raw socket.
#![allow(unreachable_pub, reason = "a test program has no users")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target};
use serde_json::{Value, json};
use stratum::{
    Account, Change, Config, Difficulty, Found, Job, Pool, Readiness, Refusal, Server, Stats, Work, WorkParts,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

/// About 256 hashes per share: instant even in a debug build.
pub const SHARE_DIFFICULTY: f64 = 1.0 / 16_777_216.0;
pub const TIME: u32 = 1_700_000_000;
pub const USER: &str = "alice.rig1";

pub fn share_target() -> Target {
    Difficulty::floor(SHARE_DIFFICULTY).target()
}

/// A pool that serves one work unit to every account, and keeps the proofs of work it receives.
pub struct OneWork {
    work: Mutex<Option<Arc<Work>>>,
    keys: AtomicU64,
    changes: watch::Sender<Change>,
    found: Mutex<Vec<Found>>,
    readiness: Mutex<Readiness>,
    /// What each miner is told after its login.
    pub notice: Mutex<Option<String>>,
    /// User names that end so rest.
    resting: Mutex<Option<&'static str>>,
}

impl OneWork {
    pub fn new() -> Arc<Self> {
        let pool = Self {
            work: Mutex::new(None),
            keys: AtomicU64::new(1),
            changes: watch::Sender::new(Change::default()),
            found: Mutex::default(),
            readiness: Mutex::default(),
            notice: Mutex::default(),
            resting: Mutex::default(),
        };
        pool.set(|_| {});
        Arc::new(pool)
    }

    /// Replaces the work unit, and signals the change to the server.
    pub fn set(&self, edit: impl FnOnce(&mut WorkParts)) -> Arc<Work> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let mut parts = WorkParts {
            key,
            payee: Account::default(),
            tally: None,
            version: 0x2000_0000,
            prev_block: BlockHash::from_byte_array([7; 32]),
            coinb1: [key.to_le_bytes().as_slice(), &[1; 57]].concat(),
            outputs: Arc::from([2; 150]),
            coinb2: vec![2; 50],
            branch: Arc::new([[3; 32], [4; 32], [5; 32]]),
            bits: CompactTarget::from_consensus(0x1e03_77ae),
            time: TIME,
            min_time: TIME - 600,
            max_time: u32::MAX,
            share_target: share_target(),
            bitcoin_target: Target::ZERO,
            bitcoin_height: 100,
            solo: false,
        };
        edit(&mut parts);
        let work = Arc::new(Work::new(parts));
        *self.work.lock().unwrap() = Some(Arc::clone(&work));
        self.changes.send_modify(|change| change.generation += 1);
        work
    }

    /// Removes the work unit, and signals the change to the server.
    pub fn withdraw(&self) {
        *self.work.lock().unwrap() = None;
        self.changes.send_modify(|change| change.generation += 1);
    }

    /// Lets the users rest whose names end so, and no others.
    pub fn let_rest(&self, users: Option<&'static str>) {
        *self.resting.lock().unwrap() = users;
        self.changes.send_modify(|change| change.generation += 1);
    }

    /// Changes the readiness, and signals it to the server.
    pub fn set_readiness(&self, readiness: Readiness) {
        *self.readiness.lock().unwrap() = readiness;
        self.changes.send_modify(|change| change.generation += 1);
    }

    pub fn found(&self) -> Vec<Found> {
        self.found.lock().unwrap().clone()
    }
}

impl Pool for OneWork {
    fn readiness(&self) -> Readiness {
        self.readiness.lock().unwrap().clone()
    }

    fn coinbase_bytes(&self) -> Option<usize> {
        self.work.lock().unwrap().as_ref().map(|work| work.coinbase_bytes())
    }

    fn authorize(&self, user: &str) -> Result<Account, Refusal> {
        let address = user.split('.').next().unwrap_or_default().trim();
        match address {
            "mallory" => Err(Refusal("mallory is an address of another network".to_owned())),
            _ => Ok(address.as_bytes().into()),
        }
    }

    fn rest(&self, user: &str) -> Option<Refusal> {
        let rests = self.resting.lock().unwrap().is_some_and(|end| user.ends_with(end));
        rests.then(|| Refusal("this node's owner pauses this device".to_owned()))
    }

    fn notice(&self, _account: &Account) -> Option<String> {
        self.notice.lock().unwrap().clone()
    }

    fn work(&self, _account: &Account) -> Option<Arc<Work>> {
        self.work.lock().unwrap().clone()
    }

    fn changes(&self) -> watch::Receiver<Change> {
        self.changes.subscribe()
    }

    fn submit(&self, found: Found) {
        assert_eq!(found.header.block_hash(), found.hash, "the hash is that of the header");
        self.found.lock().unwrap().push(found);
    }
}

/// A server on a free loopback port. It stops with the test.
pub struct Running {
    pub pool: Arc<OneWork>,
    pub addr: std::net::SocketAddr,
    pub stats: Arc<Stats>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn serve() -> Running {
    serve_with(|_| {}).await
}

pub async fn serve_with(edit: impl FnOnce(&mut Config)) -> Running {
    let pool = OneWork::new();
    let mut config = Config::new("127.0.0.1:0".parse().unwrap());
    edit(&mut config);
    let server = Server::bind(config, Arc::clone(&pool) as Arc<dyn Pool>).await.unwrap();
    let (addr, stats) = (server.local_addrs()[0], server.stats());
    let task = tokio::spawn(server.run(std::future::pending()));
    Running { pool, addr, stats, task }
}

/// A miner that reads and writes raw lines.
pub struct Raw {
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    pub write: OwnedWriteHalf,
}

impl Raw {
    pub async fn connect(running: &Running) -> Self {
        Self::on(TcpStream::connect(running.addr).await.unwrap())
    }

    pub fn on(socket: TcpStream) -> Self {
        let (read, write) = socket.into_split();
        Self { lines: BufReader::new(read).lines(), write }
    }

    pub async fn send(&mut self, text: &str) {
        self.write.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    /// Reads a line. Returns `None` if the server closed the connection.
    pub async fn line(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(Duration::from_secs(10), self.lines.next_line()).await;
        let line = line.expect("a line in time").ok().flatten()?;
        Some(serde_json::from_str(&line).expect("JSON"))
    }

    pub async fn next(&mut self) -> Value {
        self.line().await.expect("the connection is open")
    }

    /// Reads and discards lines until the server closes the connection or the caller drops the handle.
    pub fn into_silent_reader(self) -> (tokio::task::JoinSet<()>, OwnedWriteHalf) {
        let Self { mut lines, write } = self;
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        (task, write)
    }

    /// Sends a request and reads exactly one line, which must be the response.
    pub async fn ask(&mut self, text: &str) -> Value {
        self.send(text).await;
        let asked: Value = serde_json::from_str(text).unwrap();
        let response = self.next().await;
        assert_eq!(response["id"], asked["id"], "{response}");
        response
    }

    /// Returns whether no line arrives for a moment.
    pub async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(150), self.lines.next_line()).await.is_err()
    }

    /// Subscribes, authorizes and reads the first job.
    pub async fn start(running: &Running) -> (Self, Job) {
        let mut miner = Self::connect(running).await;
        let subscribed = miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["test/1"]}"#).await;
        let extranonce1 = extranonce1(&subscribed);
        let login = json!({"id": 2, "method": "mining.authorize", "params": [USER, "x"]});
        assert_eq!(miner.ask(&login.to_string()).await["result"], true);
        let job = miner.job(extranonce1).await;
        (miner, job)
    }

    /// Reads `mining.set_difficulty` and `mining.notify`.
    pub async fn job(&mut self, extranonce1: Vec<u8>) -> Job {
        let difficulty = self.next().await;
        assert_eq!(difficulty["method"], "mining.set_difficulty", "{difficulty}");
        let difficulty = Difficulty::floor(difficulty["params"][0].as_f64().unwrap());
        self.notify(extranonce1, difficulty).await
    }

    /// Reads `mining.notify`.
    pub async fn notify(&mut self, extranonce1: Vec<u8>, difficulty: Difficulty) -> Job {
        let notify = self.next().await;
        assert_eq!(notify["method"], "mining.notify", "{notify}");
        Job::read(&notify["params"], extranonce1, difficulty, 0x1fff_e000).unwrap()
    }

    /// Submits a proof of work. Returns the error code, or 0 if the server accepts it.
    pub async fn submit(&mut self, job: &Job, proof: &Proof) -> i64 {
        let mut params = json!([
            USER,
            job.id,
            proof.extranonce2.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            format!("{:08x}", proof.header.time),
            format!("{:08x}", proof.header.nonce),
        ]);
        if let Some(bits) = proof.version_bits {
            params.as_array_mut().unwrap().push(json!(format!("{bits:08x}")));
        }
        let request = json!({"id": 9, "method": "mining.submit", "params": params});
        let response = self.ask(&request.to_string()).await;
        match &response["error"] {
            Value::Null => 0,
            error => error[0].as_i64().unwrap(),
        }
    }
}

pub fn extranonce1(subscribed: &Value) -> Vec<u8> {
    let text = subscribed["result"][1].as_str().unwrap();
    assert_eq!(subscribed["result"][2], 8);
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A header, with the choices behind it.
pub struct Proof {
    pub extranonce2: [u8; 8],
    pub version_bits: Option<u32>,
    pub header: Header,
}

/// Tries nonces until `wanted` accepts the hash.
pub fn mine_until(job: &Job, time: u32, version_bits: Option<u32>, mut wanted: impl FnMut(BlockHash) -> bool) -> Proof {
    for extranonce2 in 0u64.. {
        let extranonce2 = extranonce2.to_be_bytes();
        let mut header = job.header(extranonce2, time, 0, version_bits.unwrap_or(0));
        for nonce in 0..100_000 {
            header.nonce = nonce;
            if wanted(header.block_hash()) {
                return Proof { extranonce2, version_bits, header };
            }
        }
    }
    unreachable!("the loop has no end")
}

/// Finds a proof of work that meets `target`, after skipping the first `skip` ones.
pub fn mine(job: &Job, target: Target, skip: usize) -> Proof {
    let mut left = skip;
    mine_until(job, job.time, None, |hash| {
        let met = target.is_met_by(hash);
        let done = met && left == 0;
        left -= usize::from(met && left > 0);
        done
    })
}
