//! Runs one session on one socket.

use std::io;
use std::pin::pin;
use std::time::Instant;

use futures::StreamExt;
use noise_sv2::NoiseEncryptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use super::authority::Authority;
use super::frame::{Frame, FrameError, Frames, seal};
use super::host::Host;
use super::reason::CloseReason;
use super::session::Session;
use crate::connection::linger;
use crate::limits;
use crate::partial::Partial;
use crate::pool::Change;
use crate::session::Timeouts;

/// Length of the miner's first message, bytes: its ephemeral key.
const FIRST_BYTES: usize = 64;

/// Why a connection ended. The log shows the sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the miner closed the connection")]
    Miner,
    #[error("the miner stopped reading")]
    WriteTimeout,
    #[error("no Noise handshake within {} s", limits::HELLO.as_secs())]
    NoHandshake,
    #[error("the Noise handshake failed")]
    Handshake,
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("closed by the server: {0}")]
    Server(#[from] CloseReason),
    #[error("the pool shut down")]
    Pool,
}

/// A session and its socket.
struct Connection<R, W> {
    session: Session,
    reader: FramedRead<R, Frames>,
    writer: W,
    keys: NoiseEncryptor,
    changes: watch::Receiver<Change>,
    stopping: CancellationToken,
    timeouts: Timeouts,
    partial: Partial,
}

/// Shakes hands with a miner, and serves it until either side closes the connection.
pub(crate) async fn serve<R, W>(
    (mut read, mut write): (R, W),
    authority: &Authority,
    host: Host,
    stopping: CancellationToken,
) -> Ended
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
    let shaken = tokio::time::timeout(limits::HELLO, shake_hands((&mut read, &mut write), authority)).await;
    let (keys, frames) = match shaken {
        Ok(Ok(keys)) => keys,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::NoHandshake,
    };
    let timeouts = host.timeouts;
    let mut connection = Connection {
        changes: host.pool.changes(),
        session: Session::new(host, Instant::now()),
        reader: FramedRead::with_capacity(read, frames, limits::READ_BYTES),
        writer: write,
        keys,
        stopping,
        timeouts,
        partial: Partial::default(),
    };
    connection.run().await
}

/// Answers the miner's ephemeral key with this server's keys and its certificate.
async fn shake_hands<R, W>(
    (read, write): (&mut R, &mut W),
    authority: &Authority,
) -> Result<(NoiseEncryptor, Frames), Ended>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut first = [0; FIRST_BYTES];
    read.read_exact(&mut first).await?;
    let (second, keys) = authority.responder().step_1(first).map_err(|_| Ended::Handshake)?;
    write.write_all(&second).await?;
    let (seal, open) = keys.into_split();
    Ok((seal, Frames::new(open)))
}

impl<R, W> Connection<R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    async fn run(&mut self) -> Ended {
        let mut ticks = tokio::time::interval(self.timeouts.tick());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopping = self.stopping.clone();
        let mut stopped = pin!(stopping.cancelled());
        loop {
            let step = tokio::select! {
                // The end of the server first. Then new work, so that the miner gets it before answers about older work.
                biased;
                () = &mut stopped => Err(CloseReason::Stopping),
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.session.handle_change(),
                    Err(_) => return Ended::Pool,
                },
                frame = self.reader.next() => match self.handle(frame) {
                    Ok(step) => step,
                    Err(ended) => return ended,
                },
                _ = ticks.tick() => self.tick(),
            };
            if let Err(ended) = self.answer(step).await {
                return ended;
            }
        }
    }

    fn handle(&mut self, frame: Option<Result<Frame, FrameError>>) -> Result<Result<(), CloseReason>, Ended> {
        self.partial.complete();
        match frame {
            None => Err(Ended::Miner),
            Some(Ok(frame)) => Ok(self.session.handle(frame, Instant::now())),
            Some(Err(error)) => Err(error.into()),
        }
    }

    fn tick(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        let limit = self.timeouts.partial_line;
        let is_partial = !self.reader.read_buffer().is_empty() || self.reader.decoder().waits_for_payload();
        if self.partial.is_late(is_partial, limit, now) {
            return Err(CloseReason::PartialFrame(limit.as_secs()));
        }
        self.session.tick(now)
    }

    /// Writes what a step has to say, and the jobs that follow from it, in batches. If the step ends the connection, closes
    /// it so that the miner reads why.
    async fn answer(&mut self, step: Result<(), CloseReason>) -> Result<(), Ended> {
        if let Err(reason) = step {
            self.session.say_goodbye(&reason);
            self.write().await?;
            linger(self.reader.get_mut(), &mut self.writer).await?;
            return Err(reason.into());
        }
        while self.session.next_job(Instant::now()).is_some() {
            if self.session.output_bytes() >= limits::BATCH_BYTES {
                self.write().await?;
            }
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Ended> {
        let plain = self.session.take_output();
        if plain.is_empty() {
            return Ok(());
        }
        let sealed = seal(&mut self.keys, &plain);
        let written = tokio::time::timeout(self.timeouts.write, self.writer.write_all(&sealed));
        written.await.map_err(|_| Ended::WriteTimeout)?.map_err(Ended::Socket)
    }
}
