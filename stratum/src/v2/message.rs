//! Parses messages from miners, and writes messages to miners.

use binary_sv2::{
    B032, B064K, Deserialize, GetSize, Seq0255, Serialize, Str0255, Sv2Option, U256, from_bytes, to_writer,
};
use common_messages_sv2::{
    MESSAGE_TYPE_SETUP_CONNECTION, MESSAGE_TYPE_SETUP_CONNECTION_ERROR, MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS,
    SetupConnection, SetupConnectionError, SetupConnectionSuccess,
};
use mining_sv2::*;

use super::frame::{self, Frame};
use crate::difficulty::Difficulty;
use crate::pool::{EXTRANONCE1_BYTES, EXTRANONCE2_BYTES, Work};

/// Longest text of a message, bytes.
const TEXT_BYTES_MAX: usize = 255;

/// A message from a miner.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Setup(SetupConnection<'a>),
    OtherProtocol,
    OpenStandard(OpenStandardMiningChannel<'a>),
    OpenExtended(OpenExtendedMiningChannel<'a>),
    Update(UpdateChannel<'a>),
    Close(CloseChannel<'a>),
    SubmitStandard(SubmitSharesStandard),
    SubmitExtended(SubmitSharesExtended<'a>),
    /// A job of the miner's own.
    CustomJob {
        channel_id: u32,
        request_id: u32,
    },
    /// A message of an extension, or of a type that a server does not receive.
    Unknown,
}

/// Parses a message. `None` if its payload is not what its type says.
pub(super) fn parse(frame: &mut Frame) -> Option<Message<'_>> {
    if frame.extension != 0 {
        return Some(Message::Unknown);
    }
    let payload = frame.payload.as_mut_slice();
    Some(match frame.kind {
        MESSAGE_TYPE_SETUP_CONNECTION => match payload.first() {
            Some(0) => Message::Setup(read(payload)?),
            Some(_) => Message::OtherProtocol,
            None => return None,
        },
        MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL => Message::OpenStandard(read(payload)?),
        MESSAGE_TYPE_OPEN_EXTENDED_MINING_CHANNEL => Message::OpenExtended(read(payload)?),
        MESSAGE_TYPE_UPDATE_CHANNEL => Message::Update(read(payload)?),
        MESSAGE_TYPE_CLOSE_CHANNEL => Message::Close(read(payload)?),
        MESSAGE_TYPE_SUBMIT_SHARES_STANDARD => Message::SubmitStandard(read(payload)?),
        MESSAGE_TYPE_SUBMIT_SHARES_EXTENDED => Message::SubmitExtended(read(payload)?),
        MESSAGE_TYPE_SET_CUSTOM_MINING_JOB => {
            let (channel_id, rest) = payload.split_first_chunk::<4>()?;
            let request_id = rest.first_chunk::<4>()?;
            let [channel_id, request_id] = [channel_id, request_id].map(|bytes| u32::from_le_bytes(*bytes));
            Message::CustomJob { channel_id, request_id }
        }
        _ => Message::Unknown,
    })
}

fn read<'a, T: Deserialize<'a>>(payload: &'a mut [u8]) -> Option<T> {
    from_bytes(payload).ok()
}

/// Returns a text as a field of a message, cut to the longest one.
fn text(words: &str) -> Str0255<'_> {
    let bytes = words.len().min(TEXT_BYTES_MAX);
    let end = (0..=bytes).rev().find(|end| words.is_char_boundary(*end)).unwrap_or(0);
    Str0255::try_from(&words[..end]).expect("the text is short")
}

/// Frames to a miner that wait to be written, one after another.
#[derive(Debug, Default)]
pub(super) struct Output(pub(super) Vec<u8>);

impl Output {
    fn put<T: Serialize + GetSize>(&mut self, kind: u8, of_channel: bool, message: T) {
        let bytes = message.get_size();
        frame::put_header(&mut self.0, kind, of_channel, bytes);
        let start = self.0.len();
        self.0.resize(start + bytes, 0);
        to_writer(message, &mut self.0[start..]).expect("the message has the size that it says");
    }

    pub(super) fn set_up(&mut self, used_version: u16) {
        let message = SetupConnectionSuccess { used_version, flags: 0 };
        self.put(MESSAGE_TYPE_SETUP_CONNECTION_SUCCESS, false, message);
    }

    pub(super) fn setup_error(&mut self, flags: u32, code: &str) {
        let message = SetupConnectionError { flags, error_code: text(code) };
        self.put(MESSAGE_TYPE_SETUP_CONNECTION_ERROR, false, message);
    }

    pub(super) fn opened_standard(&mut self, ids: (u32, u32, u32), difficulty: Difficulty, prefix: &[u8]) {
        let (request_id, channel_id, group_channel_id) = ids;
        let target = difficulty.target().to_le_bytes();
        let message = OpenStandardMiningChannelSuccess {
            request_id,
            channel_id,
            target: U256::from(&target),
            extranonce_prefix: B032::new(prefix).expect("an extranonce is short"),
            group_channel_id,
        };
        self.put(MESSAGE_TYPE_OPEN_STANDARD_MINING_CHANNEL_SUCCESS, false, message);
    }

    pub(super) fn opened_extended(
        &mut self,
        ids: (u32, u32, u32),
        difficulty: Difficulty,
        prefix: &[u8; EXTRANONCE1_BYTES],
    ) {
        let (request_id, channel_id, group_channel_id) = ids;
        let target = difficulty.target().to_le_bytes();
        let message = OpenExtendedMiningChannelSuccess {
            request_id,
            channel_id,
            target: U256::from(&target),
            extranonce_size: EXTRANONCE2_BYTES as u16,
            extranonce_prefix: B032::new(prefix).expect("an extranonce is short"),
            group_channel_id,
        };
        self.put(MESSAGE_TYPE_OPEN_EXTENDED_MINING_CHANNEL_SUCCESS, false, message);
    }

    pub(super) fn open_error(&mut self, request_id: u32, reason: &str) {
        let message = OpenMiningChannelError { request_id, error_code: text(reason) };
        self.put(MESSAGE_TYPE_OPEN_MINING_CHANNEL_ERROR, false, message);
    }

    pub(super) fn update_error(&mut self, channel_id: u32, reason: &str) {
        let message = UpdateChannelError { channel_id, error_code: text(reason) };
        self.put(MESSAGE_TYPE_UPDATE_CHANNEL_ERROR, CHANNEL_BIT_UPDATE_CHANNEL_ERROR, message);
    }

    pub(super) fn closed(&mut self, channel_id: u32, reason: &str) {
        let message = CloseChannel { channel_id, reason_code: text(reason) };
        self.put(MESSAGE_TYPE_CLOSE_CHANNEL, CHANNEL_BIT_CLOSE_CHANNEL, message);
    }

    pub(super) fn custom_job_error(&mut self, channel_id: u32, request_id: u32) {
        let error_code = text(ERROR_CODE_SET_CUSTOM_MINING_JOB_JD_NOT_SUPPORTED);
        let message = SetCustomMiningJobError { channel_id, request_id, error_code };
        self.put(MESSAGE_TYPE_SET_CUSTOM_MINING_JOB_ERROR, CHANNEL_BIT_SET_CUSTOM_MINING_JOB_ERROR, message);
    }

    pub(super) fn set_target(&mut self, channel_id: u32, difficulty: Difficulty) {
        let target = difficulty.target().to_le_bytes();
        let message = SetTarget { channel_id, maximum_target: U256::from(&target) };
        self.put(MESSAGE_TYPE_SET_TARGET, CHANNEL_BIT_SET_TARGET, message);
    }

    /// Writes a job without its coinbase. A job without a time waits for [`Self::new_prev_hash`].
    pub(super) fn standard_job(
        &mut self,
        (channel_id, job_id): (u32, u32),
        time: Option<u32>,
        work: &Work,
        root: &[u8; 32],
    ) {
        let message = NewMiningJob {
            channel_id,
            job_id,
            min_ntime: Sv2Option::new(time),
            version: version(work),
            merkle_root: U256::from(root),
        };
        self.put(MESSAGE_TYPE_NEW_MINING_JOB, CHANNEL_BIT_NEW_MINING_JOB, message);
    }

    /// Writes a job with its coinbase, and returns whether that fits.
    pub(super) fn extended_job(&mut self, (channel_id, job_id): (u32, u32), time: Option<u32>, work: &Work) -> bool {
        let suffix = [&work.outputs[..], &work.coinb2].concat();
        let path = work.branch.iter().map(U256::from).collect();
        let (Ok(prefix), Ok(suffix), Ok(merkle_path)) =
            (B064K::new(&work.coinb1), B064K::new(&suffix), Seq0255::new(path))
        else {
            return false;
        };
        let message = NewExtendedMiningJob {
            channel_id,
            job_id,
            min_ntime: Sv2Option::new(time),
            version: version(work),
            version_rolling_allowed: true,
            merkle_path,
            coinbase_tx_prefix: prefix,
            coinbase_tx_suffix: suffix,
        };
        self.put(MESSAGE_TYPE_NEW_EXTENDED_MINING_JOB, CHANNEL_BIT_NEW_EXTENDED_MINING_JOB, message);
        true
    }

    /// Starts a job that waits, and ends all others of the channel.
    pub(super) fn new_prev_hash(&mut self, (channel_id, job_id): (u32, u32), min_ntime: u32, work: &Work) {
        let prev_hash: &[u8; 32] = work.prev_block.as_ref();
        let nbits = work.bits.to_consensus();
        let message = SetNewPrevHash { channel_id, job_id, prev_hash: U256::from(prev_hash), min_ntime, nbits };
        self.put(MESSAGE_TYPE_MINING_SET_NEW_PREV_HASH, CHANNEL_BIT_MINING_SET_NEW_PREV_HASH, message);
    }

    pub(super) fn accepted(&mut self, channel_id: u32, last_sequence_number: u32, new_shares_sum: u64) {
        let message =
            SubmitSharesSuccess { channel_id, last_sequence_number, new_submits_accepted_count: 1, new_shares_sum };
        self.put(MESSAGE_TYPE_SUBMIT_SHARES_SUCCESS, CHANNEL_BIT_SUBMIT_SHARES_SUCCESS, message);
    }

    pub(super) fn rejected(&mut self, channel_id: u32, sequence_number: u32, code: &str) {
        let message = SubmitSharesError { channel_id, sequence_number, error_code: text(code) };
        self.put(MESSAGE_TYPE_SUBMIT_SHARES_ERROR, CHANNEL_BIT_SUBMIT_SHARES_ERROR, message);
    }
}

/// The header's version as the messages have it.
fn version(work: &Work) -> u32 {
    u32::from_le_bytes(work.version.to_le_bytes())
}
