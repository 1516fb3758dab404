//! Learns of new blocks from bitcoind's ZMQ (`zmqpubhashblock`): a subscriber of one topic over ZMTP 3.0 (ZeroMQ's RFC
//! 23), without authentication, as bitcoind publishes.
//!
//! A message is only a hint to query bitcoind: the effect of lost or forged ones lasts no longer than a long poll.

use std::io::{self, ErrorKind};

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::limits::{RETRY_PAUSE, ZMQ_FRAME_BYTES_MAX, ZMQ_FRAMES_MAX, ZMQ_SILENCE, ZMQ_TIMEOUT};

const TOPIC: &[u8] = b"hashblock";

/// Bits of a frame's first byte.
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A greeting: signature, version 3.0, mechanism NULL, not a server, filler.
const GREETING_BYTES: usize = 64;

/// Publishes the hashes of new tips.
pub(super) async fn follow(address: String, tip: watch::Sender<Option<BlockHash>>) {
    let mut told = false;
    loop {
        let Err(error) = listen(&address, &tip, &mut told).await;
        if !told {
            told = true;
            warn!(address, %error, "bitcoind's ZMQ is unreachable; new blocks arrive with their templates");
        }
        debug!(address, %error, "ZMQ ended");
        sleep(RETRY_PAUSE.1).await;
    }
}

async fn listen(
    address: &str,
    tip: &watch::Sender<Option<BlockHash>>,
    told: &mut bool,
) -> io::Result<std::convert::Infallible> {
    let late = |_| io::Error::from(ErrorKind::TimedOut);
    let connecting = async {
        let mut socket = BufReader::new(TcpStream::connect(address).await?);
        subscribe(&mut socket).await?;
        Ok::<_, io::Error>(socket)
    };
    let mut socket = timeout(ZMQ_TIMEOUT, connecting).await.map_err(late)??;
    if std::mem::replace(told, false) {
        info!(address, "bitcoind's ZMQ is connected again");
    }
    loop {
        let hash = timeout(ZMQ_SILENCE, next(&mut socket)).await.map_err(late)??;
        tip.send_if_modified(|tip| tip.replace(hash) != Some(hash));
    }
}

/// Greets and subscribes.
async fn subscribe(socket: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    let mut greeting = [0; GREETING_BYTES];
    (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    socket.write_all(&greeting).await?;
    let mut theirs = [0; GREETING_BYTES];
    socket.read_exact(&mut theirs).await?;
    if theirs[0] != 0xff || theirs[9] & 1 != 1 || theirs[10] < 3 || !theirs[12..].starts_with(b"NULL\0") {
        return Err(malformed("it is not ZMQ 3 or newer without authentication"));
    }
    socket.write_all(&frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x03SUB")).await?;
    let (flags, ready) = read_frame(socket).await?;
    if flags & COMMAND == 0 || !ready.starts_with(b"\x05READY") {
        return Err(malformed("it does not complete the handshake"));
    }
    socket.write_all(&frame(0, &[&[1], TOPIC].concat())).await?;
    socket.flush().await
}

/// The next published hash.
async fn next(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<BlockHash> {
    loop {
        let mut message = Vec::new();
        loop {
            let (flags, body) = read_frame(socket).await?;
            if flags & COMMAND != 0 {
                continue;
            }
            message.push(body);
            if flags & MORE == 0 {
                break;
            }
            if message.len() >= ZMQ_FRAMES_MAX {
                return Err(malformed("a message has too many frames"));
            }
        }
        if let [topic, hash, ..] = &message[..]
            && topic == TOPIC
            && let Ok(mut hash) = <[u8; 32]>::try_from(&hash[..])
        {
            // In display byte order.
            hash.reverse();
            return Ok(BlockHash::from_byte_array(hash));
        }
    }
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let size = u8::try_from(body.len()).expect("what this program sends is short");
    [&[flags, size], body].concat()
}

async fn read_frame(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let flags = socket.read_u8().await?;
    let size = if flags & LONG == 0 { u64::from(socket.read_u8().await?) } else { socket.read_u64().await? };
    let size = usize::try_from(size).ok().filter(|size| *size <= ZMQ_FRAME_BYTES_MAX);
    let mut body = vec![0; size.ok_or_else(|| malformed("a frame is too large"))?];
    socket.read_exact(&mut body).await?;
    Ok((flags, body))
}

fn malformed(words: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests;
