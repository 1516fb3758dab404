//! The state of a connection, its setup and its clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use common_messages_sv2::{
    ERROR_CODE_SETUP_CONNECTION_PROTOCOL_VERSION_MISMATCH, ERROR_CODE_SETUP_CONNECTION_UNSUPPORTED_FEATURE_FLAGS,
    ERROR_CODE_SETUP_CONNECTION_UNSUPPORTED_PROTOCOL, SetupConnection,
};

use super::frame::Frame;
use super::host::Host;
use super::member::{Kind, Member, Share};
use super::message::{Message, Output, parse};
use super::reason::CloseReason;
use crate::agents::{self, Agent};
use crate::bucket::Bucket;
use crate::limits;
use crate::pool::{Pool, Readiness};

/// Version of the protocol.
const VERSION: u16 = 2;

/// The group of all channels of a connection. Every channel gets jobs of its own, because each coinbase names an account.
pub(super) const GROUP: u32 = 1;

/// Flags of SetupConnection: the miner needs standard jobs, and it rolls the version.
const STANDARD_JOBS: u32 = 1;
const VERSION_ROLLING: u32 = 1 << 2;

/// One connection as a state machine. [The module docs](super) explain how to drive it.
pub struct Session {
    pub(super) host: Host,
    opened: Instant,
    heard: Instant,
    pub(super) bucket: Bucket,
    strikes: Bucket,
    /// What the miner has cost since [`Self::take_spent`], in messages. Its connection is one.
    pub(super) spent: u32,
    /// What the miner is set up for; `None` before.
    pub(super) set_up: Option<SetUp>,
    /// On the heap one by one: a map of one channel has room for eleven.
    pub(super) channels: BTreeMap<u32, Box<Member>>,
    pub(super) next_id: u32,
    /// Channels whose work may have changed, or that are due.
    waiting: VecDeque<u32>,
    pub(super) out: Output,
}

/// What the miner said of itself.
pub(super) struct SetUp {
    /// Vendor, hardware and firmware, without control characters.
    pub(super) agent: Arc<str>,
    /// What is known of the program.
    pub(super) known: Agent,
    /// The miner understands standard jobs alone.
    pub(super) standard_jobs: bool,
}

impl Session {
    /// Creates the session of a connection that opens at `now`.
    pub(crate) fn new(host: Host, now: Instant) -> Self {
        Self {
            host,
            opened: now,
            heard: now,
            bucket: Bucket::new(limits::LINES_BURST, limits::LINES_PER_SECOND, now),
            strikes: Bucket::new(limits::STRIKES_MAX.into(), limits::STRIKES_FORGIVEN_PER_SECOND, now),
            spent: 1,
            set_up: None,
            channels: BTreeMap::new(),
            next_id: GROUP + 1,
            waiting: VecDeque::new(),
            out: Output::default(),
        }
    }

    /// Creates the only session of a server without a socket.
    pub fn alone(pool: Arc<dyn Pool>, now: Instant) -> Self {
        Self::new(Host::alone(pool), now)
    }

    /// Takes the frames that wait to be written, one after another and not sealed.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out.0)
    }

    /// Returns the miner's user agent; empty before it is set up.
    pub(super) fn agent(&self) -> Arc<str> {
        self.set_up.as_ref().map(|set_up| Arc::clone(&set_up.agent)).unwrap_or_default()
    }

    /// Returns what the miner has cost since the last call, in messages that no accepted share paid for.
    pub(super) fn take_spent(&mut self) -> u32 {
        std::mem::take(&mut self.spent)
    }

    /// Bytes that wait to be written.
    pub fn output_bytes(&self) -> usize {
        self.out.0.len()
    }

    /// Handles a message from the miner.
    ///
    /// # Errors
    /// The connection must be closed.
    pub fn handle(&mut self, mut frame: Frame, now: Instant) -> Result<(), CloseReason> {
        self.heard = now;
        self.spent += 1;
        if !self.bucket.take(now) {
            return Err(CloseReason::Flood);
        }
        let kind = frame.kind;
        let Some(message) = parse(&mut frame) else { return Err(CloseReason::Malformed(kind)) };
        match message {
            Message::Setup(setup) if self.set_up.is_none() => self.set_up(&setup),
            Message::OtherProtocol if self.set_up.is_none() => {
                Err(self.refuse_setup(0, ERROR_CODE_SETUP_CONNECTION_UNSUPPORTED_PROTOCOL))
            }
            Message::Setup(_) | Message::OtherProtocol => Err(CloseReason::Order),
            _ if self.set_up.is_none() => Err(CloseReason::Order),
            Message::OpenStandard(open) => self.open(&open, now),
            Message::OpenExtended(open) => self.open(&open, now),
            Message::Update(update) => self.update(&update, now),
            Message::Close(close) => {
                self.close_channel(close.channel_id);
                Ok(())
            }
            Message::SubmitStandard(submit) => {
                let (job_id, nonce, time, version) = (submit.job_id, submit.nonce, submit.ntime, submit.version);
                let share = Share { job_id, nonce, time, version, extranonce: None };
                self.submit((submit.channel_id, Kind::Standard), submit.sequence_number, &share, now);
                Ok(())
            }
            Message::SubmitExtended(submit) => {
                let (job_id, nonce, time, version) = (submit.job_id, submit.nonce, submit.ntime, submit.version);
                let share = Share { job_id, nonce, time, version, extranonce: Some(submit.extranonce.as_bytes()) };
                self.submit((submit.channel_id, Kind::Extended), submit.sequence_number, &share, now);
                Ok(())
            }
            Message::CustomJob { channel_id, request_id } => {
                self.out.custom_job_error(channel_id, request_id);
                self.strike(now)
            }
            // Extensions may add messages, and later versions too.
            Message::Unknown => Ok(()),
        }
    }

    /// Handles SetupConnection.
    fn set_up(&mut self, setup: &SetupConnection<'_>) -> Result<(), CloseReason> {
        if !(setup.min_version..=setup.max_version).contains(&VERSION) {
            return Err(self.refuse_setup(0, ERROR_CODE_SETUP_CONNECTION_PROTOCOL_VERSION_MISMATCH));
        }
        let unknown = setup.flags & !(STANDARD_JOBS | VERSION_ROLLING);
        if unknown != 0 {
            return Err(self.refuse_setup(unknown, ERROR_CODE_SETUP_CONNECTION_UNSUPPORTED_FEATURE_FLAGS));
        }
        // Without work, no answer but this: a device turns to its next pool.
        if let Readiness::Paused(refusal) | Readiness::Stopped(refusal) = self.host.pool.readiness() {
            self.out.setup_error(0, &refusal.0);
            return Err(CloseReason::NoWork(refusal));
        }
        let words = [&setup.vendor, &setup.hardware_version, &setup.firmware].map(|word| word.as_utf8_or_hex());
        let agent = words.map(|word| word.trim().to_owned()).into_iter().filter(|word| !word.is_empty());
        let agent = agent.collect::<Vec<_>>().join(" ");
        let kept = agent.chars().filter(|letter| !letter.is_control()).take(limits::AGENT_CHARS_MAX);
        self.set_up = Some(SetUp {
            agent: kept.collect::<String>().into(),
            known: agents::known(&agent, &self.host.coinbase_limits),
            standard_jobs: setup.flags & STANDARD_JOBS != 0,
        });
        self.out.set_up(VERSION);
        Ok(())
    }

    fn refuse_setup(&mut self, flags: u32, code: &'static str) -> CloseReason {
        self.out.setup_error(flags, code);
        CloseReason::Setup(code)
    }

    /// Counts an invalid request.
    ///
    /// # Errors
    /// There were too many of them in a short time.
    pub(super) fn strike(&mut self, now: Instant) -> Result<(), CloseReason> {
        if self.strikes.take(now) { Ok(()) } else { Err(CloseReason::Strikes) }
    }

    /// Handles that the pool's work or its readiness changed.
    ///
    /// # Errors
    /// The pool has no work: the connection must be closed.
    pub fn handle_change(&mut self) -> Result<(), CloseReason> {
        if let Readiness::Stopped(refusal) = self.host.pool.readiness() {
            return Err(CloseReason::NoWork(refusal));
        }
        self.waiting = self.channels.keys().copied().collect();
        Ok(())
    }

    /// Checks the clock: deadlines, keepalive and vardiff. Call it every [`limits::TICK`].
    ///
    /// # Errors
    /// A deadline has passed: the connection must be closed.
    pub fn tick(&mut self, now: Instant) -> Result<(), CloseReason> {
        let since = |then| now.saturating_duration_since(then);
        let (handshake, idle) = (self.host.timeouts.handshake, self.host.timeouts.idle);
        // A proxy is set up before its miners come.
        if self.set_up.is_none() && since(self.opened) >= handshake {
            return Err(CloseReason::Handshake(handshake.as_secs()));
        }
        if since(self.heard) >= idle {
            return Err(CloseReason::Idle(idle.as_secs()));
        }
        self.send_to_rest(now)?;
        let keepalive = self.host.timeouts.keepalive;
        let due = self.channels.values_mut().filter_map(|member| member.mark_due(now, keepalive).then_some(member.id));
        self.waiting.extend(due);
        Ok(())
    }

    /// Closes the channels of devices that are to rest. Without another channel, the connection ends: a device goes on with
    /// the last job of a channel, as long as it is connected.
    fn send_to_rest(&mut self, now: Instant) -> Result<(), CloseReason> {
        let rests = |member: &Member| Some((member.id, member.channel.rests_from(now)?.clone()));
        let resting: Vec<_> = self.channels.values().map(Box::as_ref).filter_map(rests).collect();
        for (id, reason) in resting {
            if self.channels.len() == 1 {
                return Err(CloseReason::NoWork(reason));
            }
            self.end_channel(id, &reason.0);
        }
        Ok(())
    }

    /// Gives the next channel that waits its job, if it needs one. `None` if no channel waits.
    pub fn next_job(&mut self, now: Instant) -> Option<()> {
        let id = self.waiting.pop_front()?;
        if let Some(member) = self.channels.get_mut(&id) {
            if let Some(reason) = self.host.pool.rest(member.worker()) {
                member.rest(reason, &self.host.timeouts, now);
                return Some(());
            }
            let work = self.host.pool.work(&member.account);
            if let Err(unfit) = member.refresh(work, now, &mut self.out) {
                self.end_channel(id, &unfit.to_string());
            }
        }
        Some(())
    }

    /// Closes all channels with the reason.
    pub fn say_goodbye(&mut self, reason: &CloseReason) {
        let words = reason.to_string();
        for id in std::mem::take(&mut self.channels).into_keys() {
            self.out.closed(id, &words);
        }
    }

    /// Closes a channel, and says why.
    pub(super) fn end_channel(&mut self, id: u32, reason: &str) {
        self.channels.remove(&id);
        self.out.closed(id, reason);
    }

    /// Closes the channel, or all of the group, that the miner names.
    fn close_channel(&mut self, id: u32) {
        if id == GROUP {
            self.channels.clear();
        } else {
            self.channels.remove(&id);
        }
    }
}
