//! Messages as bytes: multistream-select, identify, gossipsub, and the sync protocol.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Protocol by which peers identify themselves.
pub(super) const IDENTIFY: &str = "/ipfs/id/1.0.0";

/// Protocol by which peers measure round trips.
pub(super) const PING: &str = "/ipfs/ping/1.0.0";

const MULTISTREAM: &str = "/multistream/1.0.0";

/// Longest name of a protocol, bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// An unsigned LEB128 number.
pub(super) fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A protobuf field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat()
}

/// The message of identify.
pub(super) fn identity(public_key: &[u8], network: &str) -> Vec<u8> {
    let protocols = [IDENTIFY.to_owned(), PING.to_owned(), format!("{network}/sync/2"), format!("{network}/gossip/2")];
    let mut message = field(1, public_key);
    protocols.iter().for_each(|protocol| message.extend(field(3, protocol.as_bytes())));
    message.extend(field(5, network.as_bytes()));
    message.extend(field(6, b"shoal/0.1.0"));
    message
}

/// Announces that the peer takes part in gossip on all topics.
pub(super) fn subscriptions(network: &str) -> Vec<u8> {
    let mut rpc = Vec::new();
    for topic in ["shares", "links", "blocks"] {
        let topic = format!("{network}/{topic}/2");
        // Subscribe, a boolean, and the topic.
        rpc.extend(field(1, &[&[0x08, 0x01][..], &field(2, topic.as_bytes())].concat()));
    }
    delimited(&rpc)
}

/// A gossip message in gossipsub's form.
pub(super) fn publish(network: &str, topic: &str, data: &[u8]) -> Vec<u8> {
    let topic = format!("{network}/{topic}/2");
    let message = [field(2, data), field(4, topic.as_bytes())].concat();
    delimited(&field(2, &message))
}

/// Bytes after their length.
pub(super) fn delimited(bytes: &[u8]) -> Vec<u8> {
    [&varint(bytes.len())[..], bytes].concat()
}

/// Writes bytes after their length.
///
/// # Errors
/// The stream is closed.
pub(super) async fn write_delimited(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    io.write_all(&delimited(bytes)).await?;
    io.flush().await
}

async fn read_name(io: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] < 0x80 {
            break;
        }
        if shift > 14 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if length > NAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut name = vec![0; length];
    io.read_exact(&mut name).await?;
    let name = String::from_utf8(name).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(name.trim_end_matches('\n').to_owned())
}

/// The header of multistream-select, and a proposed protocol.
pub(super) fn proposal(protocol: &str) -> Vec<u8> {
    [delimited(format!("{MULTISTREAM}\n").as_bytes()), delimited(format!("{protocol}\n").as_bytes())].concat()
}

/// Proposes a protocol on a stream.
///
/// # Errors
/// The stream is closed, or the other side has no such protocol.
pub(super) async fn propose(io: &mut (impl AsyncRead + AsyncWrite + Unpin), protocol: &str) -> io::Result<()> {
    io.write_all(&proposal(protocol)).await?;
    io.flush().await?;
    let header = read_name(io).await?;
    let answer = read_name(io).await?;
    if header == MULTISTREAM && answer == protocol { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}

/// Agrees on the first proposed protocol that is known, and returns it.
///
/// # Errors
/// The stream is closed.
pub(super) async fn agree(io: &mut (impl AsyncRead + AsyncWrite + Unpin), known: &[&str]) -> io::Result<String> {
    loop {
        let name = read_name(io).await?;
        let is_final = known.contains(&name.as_str());
        let answer = if is_final || name == MULTISTREAM { name.as_str() } else { "na" };
        write_delimited(io, format!("{answer}\n").as_bytes()).await?;
        if is_final {
            return Ok(name);
        }
    }
}

/// Writes a message of the sync protocol: its length in four bytes, then its bytes.
///
/// # Errors
/// The stream is closed.
pub(super) async fn write_message(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

/// Reads a message of the sync protocol.
///
/// # Errors
/// The stream is closed, or the message is longer than `max`.
pub(super) async fn read_message(io: &mut (impl AsyncRead + Unpin), max: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
