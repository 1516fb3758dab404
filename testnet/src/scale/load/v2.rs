//! The load's miners of Stratum v2: each has one standard channel over Noise, like a device.

use std::io;

use binary_sv2::{Deserialize, GetSize, Serialize, U256, from_bytes, to_bytes};
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Target, TxMerkleNode};
use common_messages_sv2::{MESSAGE_TYPE_SETUP_CONNECTION, MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS};
use common_messages_sv2::{Protocol, SetupConnection};
use futures::StreamExt;
use mining_sv2::*;
use noise_sv2::{Initiator, NoiseEncryptor};
use sim::hash::HeaderHasher;
use stratum::Difficulty;
use stratum::v2::{Frame, Frames};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::FramedRead;

use super::connection::BELOW_SHARE;
use super::wire::{News, Wire};

/// Hashrate that the miner claims, hashes per second, for which the node sets about 100 hashes per share.
const HASHRATE: f32 = 15.0;
/// Standard jobs, and rolled versions.
const FLAGS: u32 = 0b101;
/// Bytes of the node's part of the handshake.
const SECOND_BYTES: usize = 234;
/// Bytes of a frame around its payload: a header, and the codes of both.
const FRAME_BYTES: usize = 6 + 16 + 16;

pub(super) struct V2 {
    reader: FramedRead<OwnedReadHalf, Frames>,
    writer: OwnedWriteHalf,
    keys: NoiseEncryptor,
    channel: u32,
    target: Target,
    job: Option<Job>,
    /// Bytes of the newest job's message.
    job_bytes: usize,
    tip: Vec<u8>,
    bits: CompactTarget,
    sequence: u32,
}

/// The newest job. It waits for its block if it has no time.
#[derive(Clone, Copy)]
struct Job {
    id: u32,
    version: u32,
    root: [u8; 32],
    time: Option<u32>,
    /// Its target.
    target: Target,
    /// First nonce that was not tried.
    nonce: u32,
}

impl Wire for V2 {
    type Share = SubmitSharesStandard;

    async fn open(stream: TcpStream, user: &str) -> io::Result<Self> {
        let (mut read, mut writer) = stream.into_split();
        let failed = |_| io::Error::other("the Noise handshake failed");
        let mut initiator = Initiator::without_pk().map_err(failed)?;
        let first = initiator.step_0().map_err(|_| io::Error::other("the Noise handshake failed"))?;
        writer.write_all(&first).await?;
        let mut second = [0; SECOND_BYTES];
        read.read_exact(&mut second).await?;
        let (seal, open) = initiator.step_2(second).map_err(failed)?.into_split();
        let mut wire = Self {
            reader: FramedRead::with_capacity(read, Frames::new(open), 512),
            writer,
            keys: seal,
            channel: 0,
            target: Target::ZERO,
            job: None,
            job_bytes: 0,
            tip: Vec::new(),
            bits: CompactTarget::default(),
            sequence: 0,
        };
        wire.introduce(user).await?;
        Ok(wire)
    }

    async fn read(&mut self) -> io::Result<News> {
        let frame = self.reader.next().await.ok_or(io::ErrorKind::UnexpectedEof)?.map_err(io::Error::other)?;
        self.take(frame)
    }

    fn tip(&self) -> &[u8] {
        &self.tip
    }

    fn find(&mut self, count: usize) -> io::Result<Vec<SubmitSharesStandard>> {
        let missing = || io::Error::other("no job");
        let (channel_id, tip, bits) =
            (self.channel, self.tip.as_slice().try_into().map_err(io::Error::other)?, self.bits);
        let job = self.job.as_mut().ok_or_else(missing)?;
        let ntime = job.time.ok_or_else(missing)?;
        let mut hasher = HeaderHasher::new(&Header {
            version: Version::from_consensus(i32::from_le_bytes(job.version.to_le_bytes())),
            prev_blockhash: BlockHash::from_byte_array(tip),
            merkle_root: TxMerkleNode::from_byte_array(job.root),
            time: ntime,
            bits,
            nonce: 0,
        });
        let too_good = Difficulty::floor(Difficulty::not_harder_than(job.target).to_f64() * BELOW_SHARE).target();
        let mut shares = Vec::with_capacity(count);
        while shares.len() < count {
            let left = u32::MAX - job.nonce;
            let nonce = hasher.search(job.target, job.nonce, left).ok_or_else(|| io::Error::other("no proof"))?;
            job.nonce = nonce + 1;
            if !too_good.is_met_by(hasher.hash(nonce)) {
                let (job_id, version) = (job.id, job.version);
                shares.push(SubmitSharesStandard { channel_id, sequence_number: 0, job_id, nonce, ntime, version });
            }
        }
        Ok(shares)
    }

    async fn submit(&mut self, share: SubmitSharesStandard) -> io::Result<()> {
        self.sequence += 1;
        let share = SubmitSharesStandard { sequence_number: self.sequence, ..share };
        let frame = self.seal(MESSAGE_TYPE_SUBMIT_SHARES_STANDARD, true, share)?;
        self.writer.write_all(&frame).await
    }
}

impl V2 {
    /// Sets up the connection, and requests a channel.
    async fn introduce(&mut self, user: &str) -> io::Result<()> {
        let text = |text: &'static str| text.try_into().map_err(|_| io::Error::other("a text is too long"));
        let setup = SetupConnection {
            protocol: Protocol::MiningProtocol,
            min_version: 2,
            max_version: 2,
            flags: FLAGS,
            endpoint_host: text("")?,
            endpoint_port: 0,
            vendor: text("load")?,
            hardware_version: text("")?,
            firmware: text("1")?,
            device_id: text("")?,
        };
        let mut frames = self.seal(MESSAGE_TYPE_SETUP_CONNECTION, false, setup)?;
        let open = OpenStandardMiningChannel {
            request_id: 1,
            user_identity: user.try_into().map_err(|_| io::Error::other("the user name is too long"))?,
            nominal_hash_rate: HASHRATE,
            max_target: U256::from(&[0xff; 32]),
        };
        frames.extend(self.seal(MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL, false, open)?);
        self.writer.write_all(&frames).await
    }

    fn seal<T: Serialize + GetSize>(&mut self, kind: u8, of_channel: bool, message: T) -> io::Result<Vec<u8>> {
        let mut payload = to_bytes(message).map_err(|_| io::Error::other("a message cannot be written"))?;
        let length = payload.len().to_le_bytes();
        let mut frame = vec![0, if of_channel { 0x80 } else { 0 }, kind, length[0], length[1], length[2]];
        for part in [&mut frame, &mut payload] {
            self.keys.encrypt(part).map_err(|_| io::Error::other("a frame cannot be sealed"))?;
        }
        frame.append(&mut payload);
        Ok(frame)
    }

    fn take(&mut self, mut frame: Frame) -> io::Result<News> {
        let bytes = frame.payload.len() + FRAME_BYTES;
        let payload = frame.payload.as_mut_slice();
        match frame.kind {
            MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS => {}
            MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL_SUCCESS => {
                let opened: OpenStandardMiningChannelSuccess<'_> = parse(payload)?;
                (self.channel, self.target) = (opened.channel_id, Target::from_le_bytes(*opened.target.as_array()));
            }
            MESSAGE_TYPE_SET_TARGET => {
                let set: SetTarget<'_> = parse(payload)?;
                self.target = Target::from_le_bytes(*set.maximum_target.as_array());
            }
            MESSAGE_TYPE_NEW_MINING_JOB => {
                let job: NewMiningJob<'_> = parse(payload)?;
                let (id, version, root) = (job.job_id, job.version, *job.merkle_root.as_array());
                let time = job.min_ntime.as_ref().copied();
                self.job = Some(Job { id, version, root, time, target: self.target, nonce: 0 });
                self.job_bytes = bytes;
            }
            MESSAGE_TYPE_MINING_SET_NEW_PREV_HASH => {
                let new: SetNewPrevHash<'_> = parse(payload)?;
                let job = self.job.as_mut().filter(|job| job.id == new.job_id);
                job.ok_or_else(|| io::Error::other("a block for no job"))?.time = Some(new.min_ntime);
                self.bits = CompactTarget::from_consensus(new.nbits);
                if self.tip != new.prev_hash.as_array() {
                    self.tip = new.prev_hash.as_array().to_vec();
                    return Ok(News::Tip(self.job_bytes + bytes));
                }
            }
            MESSAGE_TYPE_SUBMIT_SHARES_SUCCESS => return Ok(News::Answer(true)),
            MESSAGE_TYPE_SUBMIT_SHARES_ERROR => return Ok(News::Answer(false)),
            other => {
                let words = String::from_utf8_lossy(payload);
                return Err(io::Error::other(format!("message {other:#04x} from the node: {words:?}")));
            }
        }
        Ok(News::Other)
    }
}

fn parse<'a, T: Deserialize<'a>>(payload: &'a mut [u8]) -> io::Result<T> {
    from_bytes(payload).map_err(|_| io::Error::other("a message from the node is malformed"))
}
