//! A Stratum v2 miner for tests, on SRI's codec: it shares no code with the server but the message types.
#![allow(dead_code, unreachable_pub, reason = "the tests of testnet use a part")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use binary_sv2::{GetSize, Serialize, U256, from_bytes};
use bitcoin::hashes::{Hash, sha256d};
use codec_sv2::{
    Decrypted, Handshake, MessageFrame, NoiseDecoder, NoiseEncoder, TransportDecryptState, TransportEncryptState,
};
use common_messages_sv2::{Protocol, SetupConnection, SetupConnectionError};
use mining_sv2::{
    CloseChannel, NewExtendedMiningJob, NewMiningJob, OpenExtendedMiningChannel, OpenExtendedMiningChannelSuccess,
    OpenMiningChannelError, OpenStandardMiningChannel, OpenStandardMiningChannelSuccess, SetNewPrevHash, SetTarget,
    SubmitSharesError, SubmitSharesExtended, SubmitSharesStandard, SubmitSharesSuccess,
};
use noise_sv2::Initiator;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// A sealed connection to a server.
pub struct Line {
    socket: TcpStream,
    encoder: NoiseEncoder,
    seal: TransportEncryptState,
    frames: Receiver<(u8, Vec<u8>)>,
}

impl Line {
    /// Connects, and shakes hands. With a key, the server must prove that it has it.
    pub fn connect(server: SocketAddr, authority: Option<[u8; 32]>) -> Result<Self, String> {
        let mut socket = TcpStream::connect(server).map_err(|error| error.to_string())?;
        socket.set_nodelay(true).unwrap();
        let initiator = match authority {
            Some(key) => Initiator::from_raw_k(key).unwrap(),
            None => Initiator::without_pk().unwrap(),
        };
        let (first, handshake) = Handshake::initiator(initiator).step_0().unwrap();
        socket.write_all(first.payload()).map_err(|error| error.to_string())?;
        let mut second = [0; 234];
        socket.set_read_timeout(Some(ANSWER)).unwrap();
        socket.read_exact(&mut second).map_err(|error| error.to_string())?;
        socket.set_read_timeout(None).unwrap();
        let (seal, open) = handshake.step_2(second).map_err(|error| format!("{error:?}"))?.split();
        let frames = read_frames(socket.try_clone().unwrap(), open);
        Ok(Self { socket, encoder: NoiseEncoder::new(), seal, frames })
    }

    pub fn send<T: Serialize + GetSize>(&mut self, kind: u8, of_channel: bool, message: T) {
        self.send_part(kind, of_channel, message, usize::MAX);
    }

    /// Sends so many bytes of a sealed message.
    pub fn send_part<T: Serialize + GetSize>(&mut self, kind: u8, of_channel: bool, message: T, bytes: usize) {
        let frame = MessageFrame::from_message(message, kind, 0, of_channel).unwrap();
        let sealed = self.encoder.encode_transport(frame, &mut self.seal).unwrap();
        let sealed: &[u8] = &sealed;
        // The server may have closed the connection, which the next read tells.
        let _ = self.socket.write_all(&sealed[..bytes.min(sealed.len())]);
    }

    /// Waits for a message. `None` if none comes in time; an error if the connection has ended.
    pub fn receive(&mut self, wait: Duration) -> Result<Option<(u8, Vec<u8>)>, String> {
        match self.frames.recv_timeout(wait) {
            Ok(frame) => Ok(Some(frame)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("the connection has ended".to_owned()),
        }
    }

    /// Returns the next message, which must come in time.
    pub fn read(&mut self) -> Result<(u8, Vec<u8>), String> {
        self.receive(ANSWER)?.ok_or_else(|| "no message in time".to_owned())
    }

    /// Sends raw bytes.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

/// Reads frames on a thread of its own until the connection ends.
fn read_frames(mut socket: TcpStream, mut open: TransportDecryptState) -> Receiver<(u8, Vec<u8>)> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut decoder = NoiseDecoder::new();
        loop {
            let place = decoder.writable();
            if !place.is_empty() && socket.read_exact(place).is_err() {
                return;
            }
            match decoder.next_transport_frame(open) {
                Ok(Decrypted::Frame(mut frame, next)) => {
                    open = next;
                    let message = (frame.header().msg_type(), frame.payload().to_vec());
                    if sender.send(message).is_err() {
                        return;
                    }
                }
                Ok(Decrypted::Incomplete(_, next)) => open = next,
                Err(_) => return,
            }
        }
    });
    receiver
}

/// A job as the server sent it.
#[derive(Clone, Debug)]
pub struct Job {
    pub version: u32,
    pub time: Option<u32>,
    /// Merkle root of a standard job.
    pub root: Option<[u8; 32]>,
    pub coinbase: Option<Coinbase>,
}

/// Coinbase around the extranonce, and its branch, of an extended job.
#[derive(Clone, Debug)]
pub struct Coinbase {
    pub start: Vec<u8>,
    pub end: Vec<u8>,
    pub branch: Vec<[u8; 32]>,
}

/// A share to submit.
#[derive(Clone, Debug)]
pub struct Share {
    pub job_id: u32,
    pub nonce: u32,
    pub time: u32,
    pub version: u32,
    pub extranonce: Vec<u8>,
    pub hash: [u8; 32],
}

/// What the server says about a share.
pub type Answer = Result<(), String>;

/// A miner with one channel.
pub struct Miner {
    pub line: Line,
    pub channel_id: u32,
    pub is_standard: bool,
    pub prefix: Vec<u8>,
    pub extranonce_size: usize,
    /// Little-endian.
    pub target: [u8; 32],
    pub jobs: HashMap<u32, Job>,
    /// Job to mine, with the block that it builds on, its lowest time and nBits.
    pub active: Option<u32>,
    pub tip: Option<([u8; 32], u32, u32)>,
    /// Number of new tips so far.
    pub tips: u32,
    /// Types of all messages so far.
    pub seen: Vec<u8>,
    sequence: u32,
    rolled: u64,
    nonce: u32,
    answers: HashMap<u32, Answer>,
}

/// What a miner asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub user: String,
    pub is_standard: bool,
    pub flags: u32,
    pub hashrate: f32,
    pub max_target: [u8; 32],
    pub min_extranonce_size: u16,
    pub vendor: String,
}

impl Wish {
    pub fn standard(user: &str) -> Self {
        Self { user: user.to_owned(), is_standard: true, flags: 0b101, ..Self::extended(user) }
    }

    pub fn extended(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            is_standard: false,
            flags: 0b100,
            hashrate: 0.0,
            max_target: [0xff; 32],
            min_extranonce_size: 2,
            vendor: "test".to_owned(),
        }
    }
}

/// Sets a connection up, and returns the answer.
pub fn set_up(line: &mut Line, flags: u32, vendor: &str) -> Result<(), String> {
    let message = SetupConnection {
        protocol: Protocol::MiningProtocol,
        min_version: 2,
        max_version: 2,
        flags,
        endpoint_host: "127.0.0.1".try_into().unwrap(),
        endpoint_port: 1,
        vendor: vendor.try_into().unwrap(),
        hardware_version: "".try_into().unwrap(),
        firmware: "".try_into().unwrap(),
        device_id: "".try_into().unwrap(),
    };
    line.send(0x00, false, message);
    match line.read()? {
        (0x01, _) => Ok(()),
        (0x02, mut payload) => {
            let error: SetupConnectionError<'_> = from_bytes(&mut payload).unwrap();
            Err(error.error_code.as_utf8_or_hex())
        }
        (other, _) => Err(format!("message {other:#x} instead of an answer to SetupConnection")),
    }
}

/// Asks for a channel.
pub fn ask(line: &mut Line, request_id: u32, wish: &Wish) {
    let user_identity = wish.user.as_str().try_into().unwrap();
    let max_target = U256::from(&wish.max_target);
    let nominal_hash_rate = wish.hashrate;
    if wish.is_standard {
        let message = OpenStandardMiningChannel { request_id, user_identity, nominal_hash_rate, max_target };
        line.send(0x10, false, message);
    } else {
        let min_extranonce_size = wish.min_extranonce_size;
        let message =
            OpenExtendedMiningChannel { request_id, user_identity, nominal_hash_rate, max_target, min_extranonce_size };
        line.send(0x13, false, message);
    }
}

impl Miner {
    /// Connects, sets up and opens a channel, one message after another as a Bitaxe does, and waits for the first job.
    pub fn open(server: SocketAddr, authority: Option<[u8; 32]>, wish: &Wish) -> Result<Self, String> {
        let mut line = Line::connect(server, authority)?;
        set_up(&mut line, wish.flags, &wish.vendor)?;
        ask(&mut line, 7, wish);
        let mut miner = Self::opened(line)?;
        let since = Instant::now();
        while miner.active.is_none() && since.elapsed() < ANSWER {
            miner.step(ANSWER)?;
        }
        Ok(miner)
    }

    /// Takes the answer to the wish for a channel.
    pub fn opened(mut line: Line) -> Result<Self, String> {
        let (kind, mut payload) = line.read()?;
        let (channel_id, target, prefix, extranonce_size) = match kind {
            0x11 => {
                let opened: OpenStandardMiningChannelSuccess<'_> = from_bytes(&mut payload).unwrap();
                assert_eq!(opened.request_id, 7);
                assert_ne!(opened.group_channel_id, opened.channel_id);
                (opened.channel_id, *opened.target.as_array(), opened.extranonce_prefix.as_bytes().to_vec(), 0)
            }
            0x14 => {
                let opened: OpenExtendedMiningChannelSuccess<'_> = from_bytes(&mut payload).unwrap();
                assert_eq!(opened.request_id, 7);
                let size = usize::from(opened.extranonce_size);
                (opened.channel_id, *opened.target.as_array(), opened.extranonce_prefix.as_bytes().to_vec(), size)
            }
            0x12 => {
                let error: OpenMiningChannelError<'_> = from_bytes(&mut payload).unwrap();
                return Err(error.error_code.as_utf8_or_hex());
            }
            other => return Err(format!("message {other:#x} instead of an answer to the wish for a channel")),
        };
        Ok(Self {
            line,
            channel_id,
            is_standard: kind == 0x11,
            prefix,
            extranonce_size,
            target,
            jobs: HashMap::new(),
            active: None,
            tip: None,
            tips: 0,
            seen: Vec::new(),
            sequence: 0,
            rolled: 0,
            nonce: 0,
            answers: HashMap::new(),
        })
    }

    /// Takes one message if one comes in time, and returns whether one came.
    pub fn step(&mut self, wait: Duration) -> Result<bool, String> {
        let Some((kind, mut payload)) = self.line.receive(wait)? else { return Ok(false) };
        self.seen.push(kind);
        match kind {
            0x15 => {
                let job: NewMiningJob<'_> = from_bytes(&mut payload).unwrap();
                assert!(self.is_standard && job.channel_id == self.channel_id);
                let (id, time) = (job.job_id, job.min_ntime.as_ref().copied());
                let root = Some(*job.merkle_root.as_array());
                self.take_job(id, Job { version: job.version, time, root, coinbase: None });
            }
            0x1f => {
                let job: NewExtendedMiningJob<'_> = from_bytes(&mut payload).unwrap();
                assert!(!self.is_standard && job.channel_id == self.channel_id && job.version_rolling_allowed);
                let (id, time) = (job.job_id, job.min_ntime.as_ref().copied());
                let branch = job.merkle_path.iter().map(|node| *node.as_array()).collect();
                let (start, end) = (job.coinbase_tx_prefix.as_bytes(), job.coinbase_tx_suffix.as_bytes());
                let coinbase = Coinbase { start: start.to_vec(), end: end.to_vec(), branch };
                self.take_job(id, Job { version: job.version, time, root: None, coinbase: Some(coinbase) });
            }
            0x20 => {
                let tip: SetNewPrevHash<'_> = from_bytes(&mut payload).unwrap();
                assert_eq!(tip.channel_id, self.channel_id);
                let job = self.jobs.get_mut(&tip.job_id).expect("a future job");
                assert!(job.time.replace(tip.min_ntime).is_none(), "the job waited for its tip");
                let job = job.clone();
                self.jobs = HashMap::from([(tip.job_id, job)]);
                self.tip = Some((*tip.prev_hash.as_array(), tip.min_ntime, tip.nbits));
                self.tips += 1;
                self.activate(tip.job_id);
            }
            0x21 => parse_target(&mut payload, self.channel_id, &mut self.target),
            0x1c => {
                let answer: SubmitSharesSuccess = from_bytes(&mut payload).unwrap();
                assert_eq!((answer.channel_id, answer.new_submits_accepted_count), (self.channel_id, 1));
                self.answers.insert(answer.last_sequence_number, Ok(()));
            }
            0x1d => {
                let answer: SubmitSharesError<'_> = from_bytes(&mut payload).unwrap();
                self.answers.insert(answer.sequence_number, Err(answer.error_code.as_utf8_or_hex()));
            }
            0x18 => {
                let close: CloseChannel<'_> = from_bytes(&mut payload).unwrap();
                return Err(format!("channel closed: {}", close.reason_code.as_utf8_or_hex()));
            }
            other => panic!("message {other:#x}"),
        }
        Ok(true)
    }

    fn take_job(&mut self, id: u32, job: Job) {
        let is_future = job.time.is_none();
        assert!(self.jobs.insert(id, job).is_none(), "a job id is used once");
        if !is_future {
            self.activate(id);
        }
    }

    fn activate(&mut self, id: u32) {
        self.active = Some(id);
        self.nonce = 0;
        self.rolled = 0;
    }

    /// Takes all messages that have come.
    pub fn drain(&mut self) -> Result<(), String> {
        while self.step(Duration::from_millis(1))? {}
        Ok(())
    }

    /// The header of a share, from what the server sent.
    pub fn header(&self, share: &Share) -> [u8; 80] {
        let job = &self.jobs[&share.job_id];
        let (prev, _, nbits) = self.tip.expect("a tip");
        let root = job.root.unwrap_or_else(|| {
            let Coinbase { start, end, branch } = job.coinbase.as_ref().expect("an extended job");
            let coinbase = [&start[..], &self.prefix, &share.extranonce, end].concat();
            branch.iter().fold(sha256d::Hash::hash(&coinbase).to_byte_array(), |left, right| {
                sha256d::Hash::hash(&[left, *right].concat()).to_byte_array()
            })
        });
        let mut header = [0; 80];
        header[..4].copy_from_slice(&share.version.to_le_bytes());
        header[4..36].copy_from_slice(&prev);
        header[36..68].copy_from_slice(&root);
        header[68..72].copy_from_slice(&share.time.to_le_bytes());
        header[72..76].copy_from_slice(&nbits.to_le_bytes());
        header[76..].copy_from_slice(&share.nonce.to_le_bytes());
        header
    }

    /// Hashes so many headers of the present job, and returns the first that meets the target.
    pub fn find(&mut self, hashes: u32) -> Option<Share> {
        let job_id = self.active?;
        let job = &self.jobs[&job_id];
        let (version, time) = (job.version, job.time?);
        // A device of an extended channel rolls its extranonce.
        self.rolled += u64::from(!self.is_standard);
        let rolled = self.rolled.to_be_bytes();
        let extranonce = rolled[8 - self.extranonce_size.min(8)..].to_vec();
        let mut share = Share { job_id, nonce: self.nonce, time, version, extranonce, hash: [0; 32] };
        let mut header = self.header(&share);
        for _ in 0..hashes {
            share.nonce = self.nonce;
            header[76..].copy_from_slice(&share.nonce.to_le_bytes());
            self.nonce = self.nonce.wrapping_add(1);
            share.hash = sha256d::Hash::hash(&header).to_byte_array();
            if share.hash.iter().rev().le(self.target.iter().rev()) {
                return Some(share);
            }
        }
        None
    }

    /// Submits a share, and waits for the answer.
    pub fn submit(&mut self, share: &Share) -> Result<Answer, String> {
        let sequence_number = self.send_share(share);
        let since = Instant::now();
        loop {
            if let Some(answer) = self.answers.remove(&sequence_number) {
                return Ok(answer);
            }
            if since.elapsed() > ANSWER {
                return Err("no answer to a share".to_owned());
            }
            self.step(ANSWER)?;
        }
    }

    fn send_share(&mut self, share: &Share) -> u32 {
        self.sequence += 1;
        let (channel_id, sequence_number) = (self.channel_id, self.sequence);
        let Share { job_id, nonce, time: ntime, version, .. } = *share;
        if self.is_standard {
            let message = SubmitSharesStandard { channel_id, sequence_number, job_id, nonce, ntime, version };
            self.line.send(0x1a, true, message);
        } else {
            let extranonce = share.extranonce.as_slice().try_into().unwrap();
            let message =
                SubmitSharesExtended { channel_id, sequence_number, job_id, nonce, ntime, version, extranonce };
            self.line.send(0x1b, true, message);
        }
        sequence_number
    }

    /// Mines until so many shares are accepted.
    pub fn mine(&mut self, shares: usize) -> Result<Vec<Share>, String> {
        let mut mined = Vec::new();
        while mined.len() < shares {
            self.drain()?;
            if let Some(share) = self.find(100_000) {
                self.submit(&share)?.map_err(|code| format!("share rejected: {code}"))?;
                mined.push(share);
            }
        }
        Ok(mined)
    }
}

fn parse_target(payload: &mut [u8], channel_id: u32, target: &mut [u8; 32]) {
    let message: SetTarget<'_> = from_bytes(payload).unwrap();
    assert_eq!(message.channel_id, channel_id);
    *target = *message.maximum_target.as_array();
}
