//! Seals and opens frames.
//!
//! A frame is a header of 6 bytes (extension and channel bit, message type, length of the payload) and a payload. Noise
//! seals the header for itself, and the payload in parts of at most 65,519 bytes; each gets a code of 16 bytes.

use std::io;

use noise_sv2::{AEAD_MAC_LEN, NoiseDecryptor, NoiseEncryptor};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::limits;

/// Length of a header, bytes.
const HEADER_BYTES: usize = 6;
/// Longest part of a payload that is sealed at once, bytes.
const PART_BYTES_MAX: usize = 65_535 - AEAD_MAC_LEN;
/// Set in the extension of messages that belong to a channel.
const CHANNEL_BIT: u16 = 1 << 15;

/// A frame from a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Extension that the message type belongs to; 0 for the Mining Protocol itself.
    pub extension: u16,
    /// Message type.
    pub kind: u8,
    /// Content of the message.
    pub payload: Vec<u8>,
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The socket failed.
    #[error(transparent)]
    Socket(#[from] io::Error),
    /// The codes do not match.
    #[error("a frame is not sealed with the keys of this connection")]
    NotSealed,
    /// The frame is longer than [`limits::FRAME_BYTES_MAX`].
    #[error("a message of {0} bytes: the limit is {max}", max = limits::FRAME_BYTES_MAX)]
    TooLong(usize),
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
struct Header {
    extension: u16,
    kind: u8,
    payload_bytes: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [low, high, kind, length @ ..] = bytes.first_chunk::<HEADER_BYTES>()?;
        let [first, second, third] = length;
        Some(Self {
            extension: u16::from_le_bytes([*low, *high]) & !CHANNEL_BIT,
            kind: *kind,
            payload_bytes: usize::from(*first) | usize::from(*second) << 8 | usize::from(*third) << 16,
        })
    }
}

impl Frame {
    /// Reads a frame without a seal. `None` unless the bytes are exactly one.
    pub fn from_plain(bytes: &[u8]) -> Option<Self> {
        let Header { extension, kind, payload_bytes } = Header::parse(bytes)?;
        let payload = bytes.get(HEADER_BYTES..).filter(|payload| payload.len() == payload_bytes)?;
        Some(Self { extension, kind, payload: payload.to_vec() })
    }
}

/// Appends the header of a frame. The payload must have less than 2^24 bytes.
pub(super) fn put_header(out: &mut Vec<u8>, kind: u8, of_channel: bool, payload_bytes: usize) {
    let extension = if of_channel { CHANNEL_BIT } else { 0 };
    out.extend(extension.to_le_bytes());
    out.push(kind);
    out.extend(&payload_bytes.to_le_bytes()[..3]);
}

/// Opens the frames of one connection.
#[derive(Debug)]
pub struct Frames {
    keys: NoiseDecryptor,
    /// The header whose payload has not arrived.
    header: Option<Header>,
}

impl Frames {
    /// Creates a decoder.
    pub fn new(keys: NoiseDecryptor) -> Self {
        Self { keys, header: None }
    }

    /// True between a header and its payload.
    pub(super) fn waits_for_payload(&self) -> bool {
        self.header.is_some()
    }

    /// Opens the next sealed bytes. `None` until they have arrived.
    fn open(&mut self, source: &mut BytesMut, plain_bytes: usize) -> Result<Option<Vec<u8>>, FrameError> {
        let sealed_bytes = plain_bytes + AEAD_MAC_LEN;
        if source.len() < sealed_bytes {
            source.reserve(sealed_bytes - source.len());
            return Ok(None);
        }
        let mut bytes = source.split_to(sealed_bytes).to_vec();
        self.keys.decrypt(&mut bytes).map_err(|_| FrameError::NotSealed)?;
        Ok(Some(bytes))
    }
}

impl Decoder for Frames {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if self.header.is_none() {
            let Some(bytes) = self.open(source, HEADER_BYTES)? else { return Ok(None) };
            self.header = Header::parse(&bytes);
        }
        let Some(Header { extension, kind, payload_bytes }) = self.header else { return Ok(None) };
        if payload_bytes > limits::FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(payload_bytes));
        }
        let payload = match payload_bytes {
            0 => Some(Vec::new()),
            bytes => self.open(source, bytes)?,
        };
        Ok(payload.map(|payload| {
            self.header = None;
            Frame { extension, kind, payload }
        }))
    }
}

/// Seals frames that stand one after another in `plain`.
pub(super) fn seal(keys: &mut NoiseEncryptor, plain: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(plain.len() + plain.len() / 8 + 64);
    let mut rest = plain;
    while let Some((header, after)) = rest.split_at_checked(HEADER_BYTES) {
        let bytes = Header::parse(header).map_or(0, |header| header.payload_bytes).min(after.len());
        let (payload, after) = after.split_at(bytes);
        for part in std::iter::once(header).chain(payload.chunks(PART_BYTES_MAX)) {
            // With room for the code.
            let mut whole = Vec::with_capacity(part.len() + AEAD_MAC_LEN);
            whole.extend(part);
            keys.encrypt(&mut whole).expect("a connection seals fewer than 2^64 parts");
            sealed.append(&mut whole);
        }
        rest = after;
    }
    sealed
}
