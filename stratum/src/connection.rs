//! Runs one session on one socket.
//!
//! The connection writes its response to each line before it reads the next. So a miner that does not
//! read its responses blocks only itself, and only until the write deadline.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::extranonce::Lease;
use crate::learnt::Learnt;
use crate::limits;
use crate::partial::Partial;
use crate::pool::{Change, Pool, Readiness};
use crate::session::{
    Action, CloseReason, PendingLogin, PendingSubscription, Resumed, Session, Start, Timeouts, Welcome,
};
use crate::stats::OpenSlot;

/// Why a connection ended. The log shows the sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the miner closed the connection")]
    Miner,
    #[error("the miner stopped reading")]
    WriteTimeout,
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("closed by the server: {0}")]
    Server(#[from] CloseReason),
    #[error("the pool shut down")]
    Pool,
}

/// The two halves of a socket, with or without TLS.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What a connection gets from its server.
pub(crate) struct Neighbors {
    pub(crate) pool: Arc<dyn Pool>,
    /// The session's extranonce.
    pub(crate) lease: Lease,
    /// What the server learnt from devices.
    pub(crate) learnt: Arc<Learnt>,
    /// The miner's address.
    pub(crate) ip: IpAddr,
    /// Ends when the server stops.
    pub(crate) stopping: CancellationToken,
}

/// A session, its socket and its entry in the statistics.
pub(crate) struct Connection {
    session: Session,
    timeouts: Timeouts,
    neighbors: Neighbors,
    changes: watch::Receiver<Change>,
    reader: FramedRead<Reader, LinesCodec>,
    writer: Writer,
    slot: OpenSlot,
    partial: Partial,
}

impl Connection {
    /// Creates a session for a socket. `open_slot` adds it to the statistics.
    pub(crate) fn new(
        (read, writer): (Reader, Writer),
        neighbors: Neighbors,
        start: Start,
        open_slot: impl FnOnce(&Session) -> OpenSlot,
    ) -> Self {
        let timeouts = start.timeouts;
        let session = Session::new(start, Instant::now());
        Self {
            slot: open_slot(&session),
            session,
            timeouts,
            changes: neighbors.pool.changes(),
            neighbors,
            reader: FramedRead::with_capacity(
                read,
                LinesCodec::new_with_max_length(limits::LINE_BYTES_MAX),
                limits::READ_BYTES,
            ),
            writer,
            partial: Partial::default(),
        }
    }

    /// Serves the miner until either side closes the connection.
    pub(crate) async fn run(&mut self) -> Ended {
        let ended = self.serve().await;
        // The miner may come back and continue after its last job.
        self.neighbors.lease.last_time = self.session.last_job_time();
        ended
    }

    async fn serve(&mut self) -> Ended {
        let mut ticks = tokio::time::interval(self.timeouts.tick());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Pinned here, since a waiter that is new in each round costs as much as reading a line.
        let stopping = self.neighbors.stopping.clone();
        let mut stopped = pin!(stopping.cancelled());
        loop {
            let actions = tokio::select! {
                // The end of the server first. Then new work, so that the miner gets it before responses to lines about
                // older work.
                biased;
                () = &mut stopped => self.session.handle_shutdown(),
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.fetch(),
                    Err(_) => return Ended::Pool,
                },
                line = self.reader.next() => match self.handle_line(line) {
                    Ok(actions) => actions,
                    Err(ended) => return ended,
                },
                _ = ticks.tick() => self.tick(),
            };
            if let Err(ended) = self.perform(actions).await {
                return ended;
            }
        }
    }

    /// Passes the pool's current state to the session.
    fn fetch(&mut self) -> Vec<Action> {
        // Mark the change as seen before reading the work: a change in between wakes the loop again.
        self.changes.borrow_and_update();
        if let Readiness::Stopped(refusal) = self.neighbors.pool.readiness() {
            return self.session.handle_stop(&refusal);
        }
        let Some(account) = self.session.account() else { return Vec::new() };
        match self.neighbors.pool.work(account) {
            Some(work) => self.session.handle_work(work, Instant::now()),
            None => {
                self.session.handle_no_work();
                Vec::new()
            }
        }
    }

    /// Answers whether the miner may subscribe, and takes over the extranonce that it resumes.
    fn subscribe(&mut self, pending: PendingSubscription) -> Vec<Action> {
        let offer = match self.neighbors.pool.readiness() {
            Readiness::Ready => Ok(pending.resumes().and_then(|wanted| self.neighbors.lease.resume(wanted))),
            Readiness::Paused(refusal) | Readiness::Stopped(refusal) => Err(refusal),
        };
        let offer = offer.map(|lease| {
            let resumed = lease.map(|lease| {
                let resumed = Resumed { extranonce1: lease.extranonce1(), last_job_time: lease.last_time };
                self.neighbors.lease = lease;
                resumed
            });
            let Neighbors { pool, learnt, ip, .. } = &self.neighbors;
            Welcome {
                resumed,
                coinbase_bytes: pool.coinbase_bytes(),
                coinbase_bytes_learnt: learnt.max_of(*ip, self.session.agent(), Instant::now()),
            }
        });
        self.session.handle_subscription(pending, offer)
    }

    fn handle_line(&mut self, line: Option<Result<String, LinesCodecError>>) -> Result<Vec<Action>, Ended> {
        self.partial.complete();
        let reason = match line {
            None => return Err(Ended::Miner),
            Some(Ok(line)) => return Ok(self.session.handle_line(&line, Instant::now())),
            Some(Err(LinesCodecError::MaxLineLengthExceeded)) => CloseReason::LineTooLong,
            Some(Err(LinesCodecError::Io(error))) if error.kind() == io::ErrorKind::InvalidData => CloseReason::NotText,
            Some(Err(LinesCodecError::Io(error))) => return Err(error.into()),
        };
        Ok(vec![Action::Send(reason.line()), Action::Close(reason)])
    }

    fn tick(&mut self) -> Vec<Action> {
        let now = Instant::now();
        let limit = self.timeouts.partial_line;
        if self.partial.is_late(!self.reader.read_buffer().is_empty(), limit, now) {
            let reason = CloseReason::PartialLine(limit.as_secs());
            return vec![Action::Send(reason.line()), Action::Close(reason)];
        }
        self.session.tick(now)
    }

    fn authorize(&mut self, pending: PendingLogin) -> Vec<Action> {
        let verdict = self.neighbors.pool.authorize(pending.user());
        if let Err(refusal) = &verdict {
            debug!(connection = self.slot.id, user = pending.user(), %refusal, "login rejected");
        }
        let known = self.session.workers().len();
        let actions = self.session.handle_verdict(pending, verdict, Instant::now());
        // Log new user names only: a miner may repeat its login.
        if let Some(user) = self.session.workers().get(known) {
            info!(connection = self.slot.id, user = &**user, "miner authorized");
        }
        actions
    }

    /// Performs actions, each together with the actions that follow from it, then writes all lines at once.
    ///
    /// # Errors
    /// Returns why the connection ended, if it did.
    async fn perform(&mut self, actions: Vec<Action>) -> Result<(), Ended> {
        let mut batch = String::new();
        let mut closed = None;
        let mut queue = VecDeque::from(actions);
        while let Some(action) = queue.pop_front() {
            let following = match action {
                Action::Send(line) => {
                    append(&mut batch, line);
                    Vec::new()
                }
                Action::Subscribe(pending) => self.subscribe(pending),
                Action::Authorize(pending) => self.authorize(pending),
                Action::Fetch(account) => {
                    let work = self.neighbors.pool.work(&account);
                    work.map(|work| self.session.handle_work(work, Instant::now())).unwrap_or_default()
                }
                Action::Found(found) => {
                    if found.meets_bitcoin {
                        let height = found.work.bitcoin_height;
                        debug!(hash = %found.hash, height, worker = &*found.worker, "miner found a Bitcoin block");
                    }
                    self.neighbors.pool.submit(*found);
                    Vec::new()
                }
                Action::Close(reason) => {
                    self.learn(&reason);
                    closed = Some(reason);
                    Vec::new()
                }
            };
            for action in following.into_iter().rev() {
                queue.push_front(action);
            }
        }
        if !batch.is_empty() {
            self.slot.publish(self.session.report());
            self.write(&batch).await?;
        }
        match closed {
            Some(reason) => {
                linger(self.reader.get_mut(), &mut self.writer).await?;
                Err(reason.into())
            }
            None => Ok(()),
        }
    }

    /// Remembers a coinbase that the device cannot hold, unless another one of its kind beside it can.
    fn learn(&self, reason: &CloseReason) {
        let CloseReason::Mismatch { bytes } = *reason else { return };
        let Neighbors { learnt, ip, .. } = &self.neighbors;
        let agent = self.session.agent();
        if !self.slot.is_held_beside(agent, bytes) {
            learnt.note(*ip, agent, bytes, Instant::now());
        }
    }

    async fn write(&mut self, batch: &str) -> Result<(), Ended> {
        let written = tokio::time::timeout(self.timeouts.write, self.writer.write_all(batch.as_bytes()));
        written.await.map_err(|_| Ended::WriteTimeout)?.map_err(Ended::Socket)
    }
}

/// Closes the output, then drains input for a moment, so that the miner receives what was written last.
pub(crate) async fn linger(
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    output.shutdown().await?;
    let mut input = input.take(limits::LINGER_BYTES_MAX);
    let mut sink = tokio::io::sink();
    let drained = tokio::io::copy(&mut input, &mut sink);
    tokio::time::timeout(limits::LINGER, drained).await.map_or(Ok(()), |drained| drained.map(drop))
}

/// Appends a line to a batch. The first line becomes the batch, which avoids copying most jobs.
fn append(batch: &mut String, line: String) {
    if batch.is_empty() {
        *batch = line;
    } else {
        batch.push_str(&line);
    }
}
