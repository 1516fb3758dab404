//! Opens, updates and closes channels.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::Target;
use mining_sv2::{
    ERROR_CODE_OPEN_MINING_CHANNEL_CHANNEL_CAPACITY_EXHAUSTED,
    ERROR_CODE_OPEN_MINING_CHANNEL_EXTENDED_CHANNELS_NOT_SUPPORTED_FOR_STANDARD_JOBS,
    ERROR_CODE_OPEN_MINING_CHANNEL_INVALID_NOMINAL_HASHRATE, ERROR_CODE_OPEN_MINING_CHANNEL_INVALID_USER_IDENTITY,
    ERROR_CODE_OPEN_MINING_CHANNEL_MAX_TARGET_OUT_OF_RANGE,
    ERROR_CODE_OPEN_MINING_CHANNEL_MIN_EXTRANONCE_SIZE_TOO_LARGE, ERROR_CODE_OPEN_MINING_CHANNEL_UNKNOWN_USER,
    ERROR_CODE_UPDATE_CHANNEL_INVALID_CHANNEL_ID, OpenExtendedMiningChannel, OpenStandardMiningChannel, UpdateChannel,
};
use tracing::info;

use super::member::{Kind, Member};
use super::reason::CloseReason;
use super::session::{GROUP, Session};
use crate::channel::Channel;
use crate::difficulty::Difficulty;
use crate::limits;
use crate::meter::HASHES_PER_DIFFICULTY;
use crate::pool::{EXTRANONCE_BYTES, EXTRANONCE2_BYTES, Readiness, Work};
use crate::report::Protocol;
use crate::session::without_blanks;

/// Why a miner gets no channel, with the specification's code first.
struct Refused {
    reason: String,
    /// Whether the miner should not have asked.
    is_strike: bool,
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self { reason, is_strike: true }
    }
}

/// What a miner asks of a new channel.
pub(super) struct Wish<'a> {
    kind: Kind,
    request_id: u32,
    user: &'a [u8],
    hashrate: f32,
    max_target: [u8; 32],
    /// Bytes of the extranonce that the miner wants to roll.
    rolled_bytes: u16,
}

impl<'a> From<&'a OpenStandardMiningChannel<'_>> for Wish<'a> {
    fn from(open: &'a OpenStandardMiningChannel<'_>) -> Self {
        Self {
            kind: Kind::Standard,
            request_id: open.request_id,
            user: open.user_identity.as_bytes(),
            hashrate: open.nominal_hash_rate,
            max_target: *open.max_target.as_array(),
            rolled_bytes: 0,
        }
    }
}

impl<'a> From<&'a OpenExtendedMiningChannel<'_>> for Wish<'a> {
    fn from(open: &'a OpenExtendedMiningChannel<'_>) -> Self {
        Self {
            kind: Kind::Extended,
            request_id: open.request_id,
            user: open.user_identity.as_bytes(),
            hashrate: open.nominal_hash_rate,
            max_target: *open.max_target.as_array(),
            rolled_bytes: open.min_extranonce_size,
        }
    }
}

/// What a miner's device can do: its difficulty at the rate of shares that the server aims at, and the lowest that it takes.
struct Pace {
    /// `None` if the device does not know its rate.
    expected: Option<f64>,
    min: Difficulty,
}

impl Pace {
    /// Reads the rate and the target of a message.
    ///
    /// # Errors
    /// Why the server cannot serve such a device, with the specification's code first.
    fn read(hashrate: f32, max_target: [u8; 32], work: Option<&Work>) -> Result<Self, String> {
        let hashrate = f64::from(hashrate);
        if !(hashrate.is_finite() && hashrate >= 0.0) {
            return Err(ERROR_CODE_OPEN_MINING_CHANNEL_INVALID_NOMINAL_HASHRATE.to_owned());
        }
        let max_target = Target::from_le_bytes(max_target);
        let min = Difficulty::not_easier_than(max_target);
        let cap = work.map(Work::share_difficulty);
        if min.target() > max_target || cap.is_some_and(|cap| min > cap) {
            let cap = cap.map_or_else(|| "unknown".to_owned(), |cap| cap.to_string());
            return Err(format!(
                "{ERROR_CODE_OPEN_MINING_CHANNEL_MAX_TARGET_OUT_OF_RANGE}: this pool's shares have the difficulty {cap}, and \
                 this channel takes none below {min}; lower the hashrate that the proxy expects of a miner"
            ));
        }
        let expected = (hashrate > 0.0).then(|| hashrate * limits::SHARE_INTERVAL_S / HASHES_PER_DIFFICULTY);
        Ok(Self { expected, min })
    }

    fn apply(&self, channel: &mut Channel, now: Instant) {
        channel.vardiff.set_floor(self.min.to_f64());
        if let Some(expected) = self.expected {
            channel.vardiff.expect(expected, now);
        }
    }
}

impl Session {
    /// Opens a channel, and sends its first job.
    pub(super) fn open<'a>(&mut self, wish: impl Into<Wish<'a>>, now: Instant) -> Result<(), CloseReason> {
        let wish = wish.into();
        if let Readiness::Paused(refusal) | Readiness::Stopped(refusal) = self.host.pool.readiness() {
            self.out.open_error(wish.request_id, &refusal.0);
            // A proxy's other channels go on with the jobs that they have.
            return if self.channels.is_empty() { Err(CloseReason::NoWork(refusal)) } else { Ok(()) };
        }
        let (mut member, work) = match self.admit(&wish, now) {
            Ok(admitted) => admitted,
            Err(Refused { reason, is_strike }) => {
                info!(peer = %self.host.peer, agent = &*self.agent(), reason, "channel refused");
                self.out.open_error(wish.request_id, &reason);
                // The devices of a proxy beyond the limit must not cost it those that have their channels.
                return if is_strike { self.strike(now) } else { Ok(()) };
            }
        };
        let (id, extranonce1) = (member.id, member.extranonce1());
        let notice = self.host.pool.notice(&member.account);
        info!(connection = member.serial(), user = member.worker(), channel = id, notice, "miner authorized");
        let difficulty = member.first_difficulty(work.as_deref(), now);
        let ids = (wish.request_id, id, GROUP);
        match wish.kind {
            Kind::Standard => {
                let mut prefix = [0; EXTRANONCE_BYTES];
                prefix[..extranonce1.len()].copy_from_slice(&extranonce1);
                self.out.opened_standard(ids, difficulty, &prefix);
            }
            Kind::Extended => self.out.opened_extended(ids, difficulty, &extranonce1),
        }
        self.spent += if work.is_some() { limits::JOB_MESSAGES } else { 0 };
        if let Err(unfit) = member.refresh(work, now, &mut self.out) {
            self.out.closed(id, &unfit.to_string());
            return Ok(());
        }
        member.publish();
        self.channels.insert(id, Box::new(member));
        Ok(())
    }

    /// Creates a channel for a user whom the pool accepts. Returns it with the account's work.
    ///
    /// # Errors
    /// Why the miner gets no channel.
    fn admit(&mut self, wish: &Wish<'_>, now: Instant) -> Result<(Member, Option<Arc<Work>>), Refused> {
        let Some(set_up) = &self.set_up else { return Err(CloseReason::Order.to_string().into()) };
        let kind = wish.kind;
        if kind == Kind::Extended && set_up.standard_jobs {
            let code = ERROR_CODE_OPEN_MINING_CHANNEL_EXTENDED_CHANNELS_NOT_SUPPORTED_FOR_STANDARD_JOBS;
            return Err(code.to_owned().into());
        }
        if usize::from(wish.rolled_bytes) > EXTRANONCE2_BYTES {
            return Err(ERROR_CODE_OPEN_MINING_CHANNEL_MIN_EXTRANONCE_SIZE_TOO_LARGE.to_owned().into());
        }
        let user = std::str::from_utf8(wish.user).map_err(|_| {
            format!("{ERROR_CODE_OPEN_MINING_CHANNEL_INVALID_USER_IDENTITY}: the user name is not UTF-8")
        })?;
        let account = self.host.pool.authorize(user);
        let account = account.map_err(|refusal| format!("{ERROR_CODE_OPEN_MINING_CHANNEL_UNKNOWN_USER}: {refusal}"))?;
        // A device that rests gets a channel, and its first job when it may work.
        let work = if self.host.pool.rest(user).is_some() { None } else { self.host.pool.work(&account) };
        let pace = Pace::read(wish.hashrate, wish.max_target, work.as_deref())?;
        let known = self.host.learnt.max_of(self.host.ip(), &set_up.agent, now);
        let coinbase_bytes_max = [set_up.known.coinbase_bytes_max, known].into_iter().flatten().min();
        let worker: Arc<str> = without_blanks(user).into();

        let mut channel = Channel::new(0, self.host.difficulty, now);
        channel.report.agent = Arc::clone(&set_up.agent);
        channel.report.protocol = match kind {
            Kind::Standard => Protocol::V2Standard,
            Kind::Extended => Protocol::V2Extended,
        };
        channel.report.workers = Arc::new([Arc::clone(&worker)]);
        channel.report.account = Some(Arc::clone(&account));
        channel.vardiff.set_agent_floor(set_up.known.difficulty_min);
        pace.apply(&mut channel, now);
        // What its shares showed counts more than what it says of itself.
        if let Some(difficulty) = self.host.paces.of((self.host.ip(), &set_up.agent, &worker)) {
            channel.vardiff.go_on_from(difficulty);
        }
        let seat = self.host.seat(channel.report.clone(), self.channels.is_empty()).map_err(|full| Refused {
            reason: format!("{ERROR_CODE_OPEN_MINING_CHANNEL_CHANNEL_CAPACITY_EXHAUSTED}: {full}"),
            is_strike: false,
        })?;
        let id = self.new_id();
        let member = Member::new((id, kind), (account, worker), channel, seat, coinbase_bytes_max);
        if let Some(unfit) = work.as_ref().and_then(|work| member.excess(work.coinbase_bytes())) {
            return Err(unfit.to_string().into());
        }
        Ok((member, work))
    }

    /// Returns an id that no channel of the connection has, nor their group.
    fn new_id(&mut self) -> u32 {
        loop {
            let id = self.next_id;
            self.next_id = id.checked_add(1).unwrap_or(GROUP + 1);
            if !self.channels.contains_key(&id) {
                return id;
            }
        }
    }

    /// Handles UpdateChannel: the device has another rate, or takes another target.
    pub(super) fn update(&mut self, update: &UpdateChannel<'_>, now: Instant) -> Result<(), CloseReason> {
        let id = update.channel_id;
        let Some(member) = self.channels.get_mut(&id) else {
            self.out.update_error(id, ERROR_CODE_UPDATE_CHANNEL_INVALID_CHANNEL_ID);
            return Ok(());
        };
        let work = member.channel.jobs.current().map(Arc::clone);
        match Pace::read(update.nominal_hash_rate, *update.maximum_target.as_array(), work.as_deref()) {
            Ok(pace) => {
                pace.apply(&mut member.channel, now);
                let sent = member.channel.report.difficulty;
                let is_other =
                    |work: &Arc<Work>| Some(member.channel.vardiff.choose(work.share_difficulty(), sent)) != sent;
                if !member.channel.withdrawn && work.as_ref().is_some_and(is_other) {
                    member.follow_update(now, &mut self.out);
                    self.spent += limits::JOB_MESSAGES;
                }
                Ok(())
            }
            Err(reason) => {
                self.out.update_error(id, &reason);
                self.strike(now)
            }
        }
    }
}
