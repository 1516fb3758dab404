//! One miner's connection: it reads jobs, finds easy proofs when told to, and submits them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::Hash;
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{Address, Network, ScriptBuf, WPubkeyHash};
use serde_json::{Value, json};
use sim::hash::HeaderHasher;
use stratum::{Difficulty, Job};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Command, Fleet};

/// Asks for the lowest difficulty that the node gives: some 100 hashes.
const PASSWORD: &str = "d=0.0000000001";

/// A proof must be this many times too easy for a share, for which the node does much more than for a submit.
const BELOW_SHARE: f64 = 64.0;

/// Longest time from the last submit to its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a job begins.
const NOTIFY: &[u8] = b"{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"";
/// Hexadecimal digits of the Bitcoin tip in a job.
const TIP_CHARS: usize = 64;

pub(super) struct Connection {
    number: usize,
    user: String,
    fleet: Arc<Fleet>,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
    extranonce1: Vec<u8>,
    difficulty: f64,
    /// The newest job as it was read.
    job: Vec<u8>,
    tip: Vec<u8>,
    /// Proofs found so far, which makes their extranonces differ.
    found: u64,
    prepared: Vec<String>,
}

/// Submits under way.
struct Submitting {
    began: Instant,
    within: Duration,
    lines: std::vec::IntoIter<String>,
    sent: u64,
    accepted: u64,
    answered: u64,
}

impl Connection {
    /// Connects from one of the loopback addresses, and waits for the first job.
    pub(super) async fn open(number: usize, fleet: Arc<Fleet>) -> io::Result<Self> {
        let handshake = fleet.handshakes.acquire().await.map_err(io::Error::other)?;
        let host = u8::try_from(number % usize::from(fleet.args.addresses.max(1))).unwrap_or(0);
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 1, host), 0)))?;
        let stream = socket.connect(fleet.args.server).await?;
        stream.set_nodelay(true)?;
        let (read, writer) = stream.into_split();
        let mut connection = Self {
            number,
            user: format!("{}.{number}", account(number as u32 % fleet.args.accounts.max(1))),
            fleet: Arc::clone(&fleet),
            reader: BufReader::with_capacity(4_096, read),
            writer,
            line: Vec::new(),
            extranonce1: Vec::new(),
            difficulty: 1.0,
            job: Vec::new(),
            tip: Vec::new(),
            found: 0,
            prepared: Vec::new(),
        };
        let hello = json!({ "id": 1, "method": "mining.subscribe", "params": ["load/1"] });
        let login = json!({ "id": 2, "method": "mining.authorize", "params": [connection.user, PASSWORD] });
        connection.writer.write_all(format!("{hello}\n{login}\n").as_bytes()).await?;
        while connection.job.is_empty() {
            connection.read().await?;
            connection.take_line()?;
        }
        drop(handshake);
        fleet.ready();
        Ok(connection)
    }

    /// Runs until the node closes the connection.
    pub(super) async fn run(mut self, mut commands: watch::Receiver<Option<Command>>) -> io::Result<()> {
        let mut submitting: Option<Submitting> = None;
        loop {
            let next = submitting.as_ref().map(|submitting| submitting.next(self.number, self.fleet.args.connections));
            tokio::select! {
                read = self.read() => {
                    read?;
                    if let (Some(accepted), Some(submitting)) = (self.take_line()?, &mut submitting) {
                        submitting.answered += 1;
                        submitting.accepted += u64::from(accepted);
                    }
                }
                changed = commands.changed() => match changed.ok().and_then(|()| *commands.borrow_and_update()) {
                    Some(Command::Prepare { count, of, part }) => self.prepare(count, self.number % of.max(1) == part)?,
                    Some(Command::Submit { within_ms }) => submitting = Some(self.begin(within_ms)),
                    Some(Command::Leave) | None => return Ok(()),
                },
                () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    if let Some(line) = submitting.as_mut().and_then(|submitting| submitting.lines.next()) {
                        self.writer.write_all(line.as_bytes()).await?;
                    }
                }
            }
            if let Some(done) = submitting.take_if(|submitting| submitting.is_done()) {
                self.fleet.submitted(done.accepted, done.sent - done.accepted);
            }
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        // What was read of a line stays if this is canceled.
        if self.reader.read_until(b'\n', &mut self.line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Takes the line that was read. Returns whether a submit was accepted, if it is the answer to one.
    fn take_line(&mut self) -> io::Result<Option<bool>> {
        if !self.line.ends_with(b"\n") {
            return Ok(None);
        }
        if let Some(rest) = self.line.strip_prefix(NOTIFY) {
            let from = rest.iter().position(|byte| *byte == b'"').map_or(0, |end| end + 3);
            if let Some(tip) = rest.get(from..from + TIP_CHARS).filter(|tip| **tip != *self.tip) {
                self.tip = tip.to_vec();
                self.fleet.tip(tip, self.line.len());
            }
            std::mem::swap(&mut self.job, &mut self.line);
            self.line.clear();
            return Ok(None);
        }
        let message: Value = serde_json::from_slice(&self.line)?;
        self.line.clear();
        if message["method"] == "mining.set_difficulty" {
            self.difficulty = message["params"][0].as_f64().unwrap_or(self.difficulty);
        }
        match message["id"].as_u64() {
            Some(1) => {
                let extranonce1 = message["result"][1].as_str().unwrap_or_default();
                self.extranonce1 = Vec::from_hex(extranonce1).map_err(io::Error::other)?;
            }
            Some(2) if message["result"] != true => return Err(io::Error::other(message["error"].to_string())),
            Some(9) => return Ok(Some(message["result"] == true)),
            None if !message["error"].is_null() => return Err(io::Error::other(message["error"].to_string())),
            _ => {}
        }
        Ok(None)
    }

    /// Finds proofs for the newest job.
    fn prepare(&mut self, count: u32, takes_part: bool) -> io::Result<()> {
        self.prepared.clear();
        if takes_part {
            let message: Value = serde_json::from_slice(&self.job)?;
            let difficulty = Difficulty::floor(self.difficulty);
            let job =
                Job::read(&message["params"], self.extranonce1.clone(), difficulty, 0).map_err(io::Error::other)?;
            let too_good = Difficulty::floor(self.difficulty * BELOW_SHARE).target();
            while self.prepared.len() < count as usize {
                self.found += 1;
                let extranonce2 = self.found.to_be_bytes();
                let header = job.header(extranonce2, job.time, 0, 0);
                let mut hasher = HeaderHasher::new(&header);
                let nonce = hasher.search(job.target, 0, u32::MAX).ok_or_else(|| io::Error::other("no proof"))?;
                if too_good.is_met_by(hasher.hash(nonce)) {
                    continue;
                }
                let params = json!([
                    self.user,
                    job.id,
                    format!("{:x}", extranonce2.as_hex()),
                    format!("{:08x}", job.time),
                    format!("{nonce:08x}"),
                ]);
                self.prepared.push(json!({ "id": 9, "method": "mining.submit", "params": params }).to_string() + "\n");
            }
        }
        self.fleet.prepared(self.prepared.len() as u64);
        Ok(())
    }

    fn begin(&mut self, within_ms: u64) -> Submitting {
        let lines = std::mem::take(&mut self.prepared);
        Submitting {
            began: Instant::now(),
            within: Duration::from_millis(within_ms),
            sent: lines.len() as u64,
            lines: lines.into_iter(),
            accepted: 0,
            answered: 0,
        }
    }
}

impl Submitting {
    /// When the next submit is due, or patience ends.
    fn next(&self, number: usize, connections: usize) -> Instant {
        let left = self.lines.len() as u64;
        if left == 0 {
            return self.began + self.within + PATIENCE;
        }
        let place = (self.sent - left) as f64 + number as f64 / connections as f64;
        self.began + self.within.mul_f64(place / self.sent as f64)
    }

    fn is_done(&self) -> bool {
        self.answered == self.sent || self.began.elapsed() >= self.within + PATIENCE
    }
}

/// The address of an account: nobody's, but valid on the test network.
pub(in crate::scale) fn account(number: u32) -> String {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(bytes));
    Address::from_script(&script, Network::Signet).map(|address| address.to_string()).unwrap_or_default()
}
