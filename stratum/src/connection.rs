//! Runs one session on one socket.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::codec::{LinesCodec, LinesCodecError};
use tracing::{debug, info};

use crate::admission::{Admission, Ticket};
use crate::batch::Batch;
use crate::budgets::Budgets;
use crate::extranonce::Lease;
use crate::learnt::Learnt;
use crate::limits;
use crate::paces::Paces;
use crate::pool::{Account, Pool, Readiness, Refusal};
use crate::session::{Action, CloseReason, PendingLogin, PendingSubscription, Resumed, Session, Start, Welcome};
use crate::socket::{Ended, Event, Phase, Reader, Socket, Writer};
use crate::stats::OpenSlot;

/// What a connection gets from its server.
pub(crate) struct Neighbors {
    pub(crate) pool: Arc<dyn Pool>,
    /// The session's extranonce.
    pub(crate) lease: Lease,
    /// Places of user names beyond the first of each connection.
    pub(crate) names: Arc<Admission>,
    /// Messages that no work pays for, by address.
    pub(crate) messages: Arc<Budgets>,
    /// What the server learned from devices.
    pub(crate) learnt: Arc<Learnt>,
    /// The difficulties of devices that left.
    pub(crate) paces: Arc<Paces>,
    /// The miner's address.
    pub(crate) ip: IpAddr,
}

/// A session, its socket and its entry in the statistics.
pub(crate) struct Connection {
    session: Session,
    neighbors: Neighbors,
    socket: Socket<LinesCodec>,
    /// Places of the user names that the session keeps, but the first.
    places: Vec<Ticket>,
    /// The user agent before the first job. A program may report another one later, but begins with this one when it reconnects.
    agent: Option<Arc<str>>,
    slot: OpenSlot,
}

impl Connection {
    /// Creates a session for a socket. `open_slot` adds it to the statistics.
    pub(crate) fn new(
        halves: (Reader, Writer),
        neighbors: Neighbors,
        phases: watch::Receiver<Phase>,
        start: Start,
        open_slot: impl FnOnce(&Session) -> OpenSlot,
    ) -> Self {
        let lines = LinesCodec::new_with_max_length(limits::LINE_BYTES_MAX);
        let socket = Socket::new(halves, lines, phases, start.timeouts);
        let session = Session::new(start, Instant::now());
        Self { slot: open_slot(&session), session, neighbors, socket, places: Vec::new(), agent: None }
    }

    /// Serves the miner until either side closes the connection.
    pub(crate) async fn run(&mut self) -> Ended {
        let Err(ended) = self.serve().await;
        // The miner may come back and continue after its last job.
        self.neighbors.lease.last_time = self.session.last_job_time();
        if let Some((difficulty, device)) = self.session.fitting_difficulty().zip(self.device()) {
            self.neighbors.paces.note(device, difficulty);
        }
        ended
    }

    async fn serve(&mut self) -> Result<Infallible, Ended> {
        loop {
            let Neighbors { messages, ip, .. } = &self.neighbors;
            self.socket.charge(messages, *ip, self.session.take_spent());
            let actions = match self.socket.next().await {
                Event::Stop => self.session.handle_shutdown(),
                Event::Change => self.fetch(),
                Event::Read(line) => self.handle_line(line)?,
                Event::Tick => self.tick(),
            };
            self.perform(actions).await?;
        }
    }

    /// Returns the miner's user agent and its first user name; empty if it sent none.
    pub(crate) fn told(&self) -> (&str, &str) {
        (self.session.agent(), self.session.workers().first().map_or("", |user| user))
    }

    /// The user agent by which the server recognizes the device's program.
    fn first_agent(&self) -> &Arc<str> {
        self.agent.as_ref().unwrap_or_else(|| self.session.agent())
    }

    /// The key by which the server recognizes a device that reconnects.
    fn device(&self) -> Option<(IpAddr, &str, &str)> {
        Some((self.neighbors.ip, self.first_agent(), self.session.workers().first()?))
    }

    /// Passes the account's first work to the session, or that the device rests. Either way, the device continues with its
    /// last difficulty: a resting device gets its first job when all others do.
    fn begin(&mut self, account: &Account) -> Vec<Action> {
        self.agent = Some(Arc::clone(self.session.agent()));
        if let Some(difficulty) = self.device().and_then(|device| self.neighbors.paces.of(device)) {
            self.session.go_on_from(difficulty);
        }
        if let Some(reason) = self.rests() {
            return self.session.handle_rest(reason, Instant::now());
        }
        let work = self.neighbors.pool.work(account);
        work.map(|work| self.session.handle_work(work, Instant::now())).unwrap_or_default()
    }

    /// Passes the pool's current state to the session.
    fn fetch(&mut self) -> Vec<Action> {
        if let Readiness::Stopped(refusal) = self.neighbors.pool.readiness() {
            return self.session.handle_stop(&refusal);
        }
        let Some(account) = self.session.account() else { return Vec::new() };
        if let Some(reason) = self.rests() {
            return self.session.handle_rest(reason, Instant::now());
        }
        match self.neighbors.pool.work(account) {
            Some(work) => self.session.handle_work(work, Instant::now()),
            None => {
                self.session.handle_no_work();
                Vec::new()
            }
        }
    }

    /// Returns why all users of the connection rest.
    fn rests(&self) -> Option<Refusal> {
        let mut reasons = self.session.workers().iter().map(|user| self.neighbors.pool.rest(user));
        let first = reasons.next()??;
        reasons.all(|reason| reason.is_some()).then_some(first)
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
        if let Some(limit_s) = self.socket.late_s(|_| false) {
            let reason = CloseReason::PartialLine(limit_s);
            return vec![Action::Send(reason.line()), Action::Close(reason)];
        }
        self.session.tick(Instant::now())
    }

    /// Returns a place for another user name. `None` if the miner's address, or the server, has as many names as it may have
    /// connections.
    fn place(&self) -> Option<Ticket> {
        let mut place = self.neighbors.names.admit().ok()?;
        place.count_for(self.neighbors.ip).ok()?;
        Some(place)
    }

    fn authorize(&mut self, mut pending: PendingLogin) -> Vec<Action> {
        let verdict = self.neighbors.pool.authorize(pending.user());
        if let Err(refusal) = &verdict {
            let (id, agent) = (self.slot.id, &**self.session.agent());
            info!(connection = id, ip = %self.neighbors.ip, agent, user = pending.user(), %refusal, "login rejected");
        }
        let known = self.session.workers().len();
        let place = if known > 0 { self.place() } else { None };
        if known > 0 && place.is_none() {
            pending.keep_no_name();
        }
        let notice = verdict.as_ref().ok().and_then(|account| self.neighbors.pool.notice(account));
        let mut actions = self.session.handle_verdict(pending, verdict, Instant::now());
        // Log new user names only: a miner may repeat its login.
        if let Some(user) = self.session.workers().get(known) {
            self.places.extend(place);
            info!(connection = self.slot.id, user = &**user, notice, "miner authorized");
            if let (0, Some(notice)) = (known, notice) {
                // After the response to the login, before the first job.
                actions.splice(1..1, self.session.show(&notice));
            }
        }
        actions
    }

    /// Performs actions, each together with the actions that follow from it, then writes all lines at once.
    ///
    /// # Errors
    /// Returns why the connection ended, if it did.
    async fn perform(&mut self, actions: Vec<Action>) -> Result<(), Ended> {
        let mut batch = Batch::default();
        let mut closed = None;
        let mut queue = VecDeque::from(actions);
        while let Some(action) = queue.pop_front() {
            let following = match action {
                Action::Send(line) => {
                    batch.push(line);
                    Vec::new()
                }
                Action::SendJob(job) => {
                    batch.push_job(job);
                    Vec::new()
                }
                Action::Subscribe(pending) => self.subscribe(pending),
                Action::Authorize(pending) => self.authorize(pending),
                Action::Fetch(account) => self.begin(&account),
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
            self.socket.write(batch.bytes()).await?;
        }
        match closed {
            Some(reason) => {
                self.socket.linger().await?;
                Err(Ended::Server(reason.name(), reason.to_string()))
            }
            None => Ok(()),
        }
    }

    /// Remembers a coinbase that the device cannot hold, unless another one of its kind beside it can.
    fn learn(&self, reason: &CloseReason) {
        let CloseReason::Mismatch { bytes } = *reason else { return };
        let Neighbors { learnt, ip, .. } = &self.neighbors;
        // Not what the miner calls itself since: it would teach for others.
        let agent = self.first_agent();
        if !self.slot.is_held_beside(agent, bytes) {
            learnt.note(*ip, agent, bytes, Instant::now());
        }
    }
}
