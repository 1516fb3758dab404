//! Requests and responses on a stream: a four-byte length, checked before anything else is read, then the message.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use super::lease::Answer;
use super::traffic::{Traffic, TrafficKind};
use p2p_proto::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use p2p_proto::message::{Request, Response, WireError};

/// Reads and writes the messages of the sync protocol, and counts their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncCodec(pub(super) Traffic);

/// The only byte of the answer of a node that is too busy. No response starts with it.
const BUSY: u8 = 0;

/// Error for garbage. Its kind, [`io::ErrorKind::InvalidData`], distinguishes it from a broken connection.
fn garbage(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// True if a stream failed because the peer sent garbage.
pub(super) fn is_garbage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

async fn read_frame(io: &mut (impl AsyncRead + Unpin + Send), max: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length);
    let count = usize::try_from(length).unwrap_or(usize::MAX);
    if count > max {
        return Err(garbage(WireError::TooMany { count, max }));
    }
    // The buffer grows with the received data, not with the announced length.
    let mut bytes = Vec::new();
    io.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

async fn write_frame(io: &mut (impl AsyncWrite + Unpin + Send), bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Answer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_frame(io, REQUEST_BYTES_MAX).await?;
        self.0.count_received(TrafficKind::Requests, bytes.len());
        Request::decode(&bytes).map_err(garbage)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Answer>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read_frame(io, RESPONSE_BYTES_MAX).await?;
        if bytes == [BUSY] {
            return Ok(Answer::BUSY);
        }
        let response = Response::decode(&bytes).map_err(garbage)?;
        self.0.count_received(TrafficKind::of(&response), bytes.len());
        Ok(Answer::new(response, None))
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let bytes = request.encode();
        self.0.count_sent(TrafficKind::Requests, bytes.len());
        write_frame(io, &bytes).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, mut answer: Answer) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let Some(response) = &answer.response else { return write_frame(io, &[BUSY]).await };
        let bytes = response.encode();
        self.0.count_sent(TrafficKind::of(response), bytes.len());
        answer.sending(bytes.len());
        write_frame(io, &bytes).await
    }
}

#[cfg(test)]
mod tests;
