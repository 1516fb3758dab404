//! One socket around one session. Every line is answered before the next is read, so a miner that
//! does not read its answers blocks only itself, and that for no longer than the write deadline.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tracing::{debug, info};

use crate::limits;
use crate::pool::{Change, Pool};
use crate::session::{Action, CloseReason, PendingLogin, Session, Start};
use crate::stats::OpenSlot;

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the miner closed the connection")]
    Miner,
    #[error("the miner does not read its answers")]
    WriteTimeout,
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("closed: {0}")]
    Server(#[from] CloseReason),
    #[error("the pool has ended")]
    Pool,
}

/// A session with its socket.
pub(crate) struct Connection {
    session: Session,
    start: Start,
    pool: Arc<dyn Pool>,
    changes: watch::Receiver<Change>,
    reader: FramedRead<OwnedReadHalf, LinesCodec>,
    writer: OwnedWriteHalf,
    slot: OpenSlot,
    half_line_since: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(
        socket: TcpStream,
        pool: Arc<dyn Pool>,
        start: Start,
        open_slot: impl FnOnce(&Session) -> OpenSlot,
    ) -> Self {
        let session = Session::new(start, Instant::now());
        let (read, writer) = socket.into_split();
        Self {
            slot: open_slot(&session),
            session,
            start,
            changes: pool.changes(),
            pool,
            reader: FramedRead::new(read, LinesCodec::new_with_max_length(limits::LINE_BYTES_MAX)),
            writer,
            half_line_since: None,
        }
    }

    /// Serves the miner until either side ends it.
    pub(crate) async fn run(mut self) -> Ended {
        let mut ticks = tokio::time::interval(limits::TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let actions = tokio::select! {
                // New work first: every line read before it would be about older work.
                biased;
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.fetch(),
                    Err(_) => return Ended::Pool,
                },
                line = self.reader.next() => match self.take_line(line) {
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

    fn fetch(&mut self) -> Vec<Action> {
        // Marked as seen before the work is read: a change in between wakes the loop again.
        self.changes.borrow_and_update();
        let work = self.session.account().and_then(|account| self.pool.work(account));
        work.map(|work| self.session.handle_work(work, Instant::now())).unwrap_or_default()
    }

    fn take_line(&mut self, line: Option<Result<String, LinesCodecError>>) -> Result<Vec<Action>, Ended> {
        self.half_line_since = None;
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
        if self.reader.read_buffer().is_empty() {
            self.half_line_since = None;
        } else {
            let since = *self.half_line_since.get_or_insert(now);
            let limit = self.start.timeouts.partial_line;
            if now.saturating_duration_since(since) >= limit {
                let reason = CloseReason::PartialLine(limit.as_secs());
                return vec![Action::Send(reason.line()), Action::Close(reason)];
            }
        }
        self.session.tick(now)
    }

    fn authorize(&mut self, pending: PendingLogin) -> Vec<Action> {
        let verdict = self.pool.authorize(pending.user());
        if let Err(refusal) = &verdict {
            debug!(connection = self.slot.id, user = pending.user(), %refusal, "user refused");
        }
        let known = self.session.workers().len();
        let actions = self.session.handle_verdict(pending, verdict);
        // Only what is new: a miner may repeat its login as often as it likes.
        if let Some(user) = self.session.workers().get(known) {
            info!(connection = self.slot.id, user = &**user, "miner authorized");
        }
        actions
    }

    /// Performs actions and those that follow from them, and writes all lines at once.
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
                Action::Authorize(pending) => self.authorize(pending),
                Action::Fetch(account) => {
                    let work = self.pool.work(&account);
                    work.map(|work| self.session.handle_work(work, Instant::now())).unwrap_or_default()
                }
                Action::Found(found) => {
                    if found.meets_bitcoin {
                        let height = found.work.bitcoin_height;
                        debug!(hash = %found.hash, height, worker = &*found.worker, "a miner found a Bitcoin block");
                    }
                    self.pool.submit(*found);
                    Vec::new()
                }
                Action::Close(reason) => {
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
                self.linger().await?;
                Err(reason.into())
            }
            None => Ok(()),
        }
    }

    /// Ends the output, then drops input for a moment, so that the last line arrives.
    async fn linger(&mut self) -> io::Result<()> {
        self.writer.shutdown().await?;
        let mut input = self.reader.get_mut().take(limits::LINGER_BYTES_MAX);
        let mut nowhere = tokio::io::sink();
        let drained = tokio::io::copy(&mut input, &mut nowhere);
        tokio::time::timeout(limits::LINGER, drained).await.map_or(Ok(()), |drained| drained.map(drop))
    }

    async fn write(&mut self, batch: &str) -> Result<(), Ended> {
        let written = tokio::time::timeout(self.start.timeouts.write, self.writer.write_all(batch.as_bytes()));
        written.await.map_err(|_| Ended::WriteTimeout)?.map_err(Ended::Socket)
    }
}

/// Appends a line; the first one becomes the batch itself, which saves copying most notifies.
fn append(batch: &mut String, line: String) {
    if batch.is_empty() {
        *batch = line;
    } else {
        batch.push_str(&line);
    }
}
