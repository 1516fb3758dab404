//! Runs one session on one socket.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use noise_sv2::NoiseEncryptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::authority::Authority;
use super::frame::{Frame, FrameError, Frames, seal};
use super::host::Host;
use super::reason::CloseReason;
use super::session::Session;
use crate::budgets::Budgets;
use crate::limits;
use crate::socket::{Ended, Event, Phase, Reader, Socket, Writer};

/// Length of the miner's first message, bytes: its ephemeral key.
const FIRST_BYTES: usize = 64;

/// A session and its socket.
struct Connection {
    session: Session,
    socket: Socket<Frames>,
    keys: NoiseEncryptor,
    messages: Arc<Budgets>,
    ip: IpAddr,
}

/// Shakes hands with a miner, and serves it until either side closes the connection. Returns why it ended, and the miner's
/// user agent.
pub(crate) async fn serve(
    (mut read, mut write): (Reader, Writer),
    authority: &Authority,
    host: Host,
    phases: watch::Receiver<Phase>,
) -> (Ended, Arc<str>) {
    // On the heap, since its keys are large and soon gone.
    let shaken = Box::pin(shake_hands((&mut read, &mut write), authority));
    let (keys, frames) = match tokio::time::timeout(limits::HELLO, shaken).await {
        Ok(Ok(keys)) => keys,
        Ok(Err(ended)) => return (ended, Arc::default()),
        Err(_) => return (Ended::NoHandshake, Arc::default()),
    };
    let (messages, ip) = (Arc::clone(&host.messages), host.ip());
    let socket = Socket::new((read, write), frames, phases, host.timeouts);
    let mut connection = Connection { session: Session::new(host, Instant::now()), socket, keys, messages, ip };
    let Err(ended) = connection.run().await;
    (ended, connection.session.agent())
}

/// Answers the miner's ephemeral key with this server's keys and its certificate.
async fn shake_hands(
    (read, write): (&mut Reader, &mut Writer),
    authority: &Authority,
) -> Result<(NoiseEncryptor, Frames), Ended> {
    let mut first = [0; FIRST_BYTES];
    read.read_exact(&mut first).await?;
    let (second, keys) = authority.responder().step_1(first).map_err(|_| Ended::Handshake)?;
    write.write_all(&second).await?;
    let (seal, open) = keys.into_split();
    Ok((seal, Frames::new(open)))
}

impl Connection {
    async fn run(&mut self) -> Result<Infallible, Ended> {
        loop {
            self.socket.charge(&self.messages, self.ip, self.session.take_spent());
            let step = match self.socket.next().await {
                Event::Stop => Err(CloseReason::Stopping),
                Event::Change => self.session.handle_change(),
                Event::Read(frame) => self.handle(frame)?,
                Event::Tick => self.tick(),
            };
            self.answer(step).await?;
        }
    }

    fn handle(&mut self, frame: Option<Result<Frame, FrameError>>) -> Result<Result<(), CloseReason>, Ended> {
        match frame {
            None => Err(Ended::Miner),
            Some(Ok(frame)) => Ok(self.session.handle(frame, Instant::now())),
            Some(Err(FrameError::Socket(error))) => Err(error.into()),
            Some(Err(error)) => Err(Ended::Server("malformed", error.to_string())),
        }
    }

    fn tick(&mut self) -> Result<(), CloseReason> {
        match self.socket.late_s(Frames::waits_for_payload) {
            Some(limit_s) => Err(CloseReason::PartialFrame(limit_s)),
            None => self.session.tick(Instant::now()),
        }
    }

    /// Writes what a step has to say, and the jobs that follow from it, in batches. If the step ends the connection, closes
    /// it so that the miner reads why.
    async fn answer(&mut self, step: Result<(), CloseReason>) -> Result<(), Ended> {
        if let Err(reason) = step {
            self.session.say_goodbye(&reason);
            self.write().await?;
            self.socket.linger().await?;
            return Err(Ended::Server(reason.name(), reason.to_string()));
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
        self.socket.write(&*sealed).await
    }
}
