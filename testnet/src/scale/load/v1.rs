//! The load's miners of Stratum v1.

use std::io;

use bitcoin::hex::{DisplayHex, FromHex};
use serde_json::{Value, json};
use sim::hash::HeaderHasher;
use stratum::{Difficulty, Job};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::connection::BELOW_SHARE;
use super::wire::{News, Wire};

/// Requests the lowest difficulty that the node allows: about 100 hashes.
const PASSWORD: &str = "d=0.0000000001";

/// Bytes that one read takes: a job of a pool with 48 payouts has 4.3 KB.
const READ_BYTES: usize = 8_192;

/// Prefix of a job.
const NOTIFY: &[u8] = b"{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"";
/// Hexadecimal digits of the Bitcoin tip in a job.
const TIP_CHARS: usize = 64;

pub(super) struct V1 {
    user: String,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
    extranonce1: Vec<u8>,
    difficulty: f64,
    /// The newest job, in the bytes that the node sent.
    job: Vec<u8>,
    tip: Vec<u8>,
    /// Number of proofs found so far, so that their extranonces differ.
    found: u64,
}

impl Wire for V1 {
    type Share = String;

    async fn open(stream: TcpStream, user: &str) -> io::Result<Self> {
        let (read, mut writer) = stream.into_split();
        let hello = json!({ "id": 1, "method": "mining.subscribe", "params": ["load/1"] });
        let login = json!({ "id": 2, "method": "mining.authorize", "params": [user, PASSWORD] });
        writer.write_all(format!("{hello}\n{login}\n").as_bytes()).await?;
        Ok(Self {
            user: user.to_owned(),
            reader: BufReader::with_capacity(READ_BYTES, read),
            writer,
            line: Vec::new(),
            extranonce1: Vec::new(),
            difficulty: 1.0,
            job: Vec::new(),
            tip: Vec::new(),
            found: 0,
        })
    }

    async fn read(&mut self) -> io::Result<News> {
        if self.reader.read_until(b'\n', &mut self.line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.take_line()
    }

    fn tip(&self) -> &[u8] {
        &self.tip
    }

    fn find(&mut self, count: usize) -> io::Result<Vec<String>> {
        let message: Value = serde_json::from_slice(&self.job)?;
        let difficulty = Difficulty::floor(self.difficulty);
        let job = Job::read(&message["params"], self.extranonce1.clone(), difficulty, 0).map_err(io::Error::other)?;
        let too_good = Difficulty::floor(self.difficulty * BELOW_SHARE).target();
        let mut shares = Vec::with_capacity(count);
        while shares.len() < count {
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
            shares.push(json!({ "id": 9, "method": "mining.submit", "params": params }).to_string() + "\n");
        }
        Ok(shares)
    }

    async fn submit(&mut self, share: String) -> io::Result<()> {
        self.writer.write_all(share.as_bytes()).await
    }
}

impl V1 {
    /// Takes the line from the buffer.
    fn take_line(&mut self) -> io::Result<News> {
        if !self.line.ends_with(b"\n") {
            return Ok(News::Other);
        }
        if let Some(rest) = self.line.strip_prefix(NOTIFY) {
            let from = rest.iter().position(|byte| *byte == b'"').map_or(0, |end| end + 3);
            let tip = rest.get(from..from + TIP_CHARS).filter(|tip| **tip != *self.tip).map(<[u8]>::to_vec);
            let news = tip.as_ref().map_or(News::Other, |_| News::Tip(self.line.len()));
            self.tip = tip.unwrap_or_else(|| std::mem::take(&mut self.tip));
            std::mem::swap(&mut self.job, &mut self.line);
            self.line.clear();
            return Ok(news);
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
            Some(9) => return Ok(News::Answer(message["result"] == true)),
            None if !message["error"].is_null() => return Err(io::Error::other(message["error"].to_string())),
            _ => {}
        }
        Ok(News::Other)
    }
}
