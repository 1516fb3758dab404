//! One channel: its kind, its user, its jobs and its place on the server.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::TxMerkleNode;
use bitcoin::block::{Header, Version};

use super::host::Seat;
use super::message::Output;
use crate::bucket::Bucket;
use crate::channel::{Attempt, Channel, Judged};
use crate::difficulty::Difficulty;
use crate::limits;
use crate::message::Reject;
use crate::pool::{Account, EXTRANONCE_BYTES, EXTRANONCE1_BYTES, EXTRANONCE2_BYTES, Refusal, Work};
use crate::proof;
use crate::session::Timeouts;

/// Longest coinbase that an extended channel's jobs hold, bytes: the length of a field of the message.
const COINBASE_BYTES_MAX: usize = 65_535;

/// What a channel's device is given to hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Headers whose merkle root is fixed. The server chooses the extranonce, another one for each job.
    Standard,
    /// The parts of the coinbase. The miner rolls the second half of the extranonce.
    Extended,
}

/// A channel of a connection.
pub(super) struct Member {
    pub(super) id: u32,
    pub(super) kind: Kind,
    pub(super) account: Account,
    worker: Arc<str>,
    pub(super) channel: Channel,
    seat: Seat,
    /// The longest coinbase that the device can hold, in bytes.
    coinbase_bytes_max: usize,
    /// Whether the newest work unit needs another job.
    due: bool,
    /// Jobs that the device may still cause by what it says of its rate.
    updates: Bucket,
    /// The newest job of a standard channel, and its merkle root: nearly all shares are for it, and the coinbase of a wide pool
    /// takes longer to hash than everything else that a share needs.
    newest_root: Option<(u32, TxMerkleNode)>,
}

/// A share as its message names it.
pub(super) struct Share<'a> {
    pub(super) job_id: u32,
    pub(super) nonce: u32,
    pub(super) time: u32,
    pub(super) version: u32,
    /// What the miner of an extended channel rolled.
    pub(super) extranonce: Option<&'a [u8]>,
}

/// Why an extended channel is useless to its device.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error(
        "this program holds a coinbase of {max} bytes and the pool's has {bytes}: open a standard channel, which has none"
    )]
    Coinbase { bytes: usize, max: usize },
    #[error(
        "none of the last {} shares fits its job: this program probably cannot hold the coinbase of {bytes} bytes; open a \
         standard channel, which has none",
        limits::MISMATCHES_MAX
    )]
    Mismatch { bytes: usize },
}

impl Member {
    /// Creates a channel. `coinbase_bytes_max` is what is known of the device.
    pub(super) fn new(
        (id, kind): (u32, Kind),
        (account, worker): (Account, Arc<str>),
        channel: Channel,
        seat: Seat,
        coinbase_bytes_max: Option<usize>,
    ) -> Self {
        let coinbase_bytes_max = coinbase_bytes_max.map_or(COINBASE_BYTES_MAX, |max| max.min(COINBASE_BYTES_MAX));
        let updates = Bucket::new(limits::UPDATES_BURST, limits::UPDATES_PER_SECOND, channel.report.opened);
        Self { id, kind, account, worker, channel, seat, coinbase_bytes_max, due: false, updates, newest_root: None }
    }

    /// Returns the start of the channel's extranonces.
    pub(super) fn extranonce1(&self) -> [u8; EXTRANONCE1_BYTES] {
        self.seat.lease.extranonce1()
    }

    /// Returns the extranonce of a job, or of the miner's choice. `None` if that has another length.
    fn extranonce(&self, job_id: u32, rolled: Option<&[u8]>) -> Option<[u8; EXTRANONCE_BYTES]> {
        let second: [u8; EXTRANONCE2_BYTES] = match rolled {
            Some(rolled) => rolled.try_into().ok()?,
            None => u64::from(job_id).to_be_bytes(),
        };
        let mut extranonce = [0; EXTRANONCE_BYTES];
        extranonce[..EXTRANONCE1_BYTES].copy_from_slice(&self.extranonce1());
        extranonce[EXTRANONCE1_BYTES..].copy_from_slice(&second);
        Some(extranonce)
    }

    /// Returns why the device cannot hold a coinbase of so many bytes. `None` if it can.
    pub(super) fn excess(&self, bytes: usize) -> Option<Unfit> {
        let max = self.coinbase_bytes_max;
        (self.kind == Kind::Extended && bytes > max).then_some(Unfit::Coinbase { bytes, max })
    }

    /// Sends a job whose difficulty fits what the device says of its rate. If it says something new too often, its job waits for
    /// the next look at the clock.
    pub(super) fn follow_update(&mut self, now: Instant, out: &mut Output) {
        if self.updates.take(now) {
            self.send_job(false, now, out);
        } else {
            self.due = true;
        }
    }

    /// Marks the channel if its newest job is too old or its difficulty no longer fits, and returns whether it did.
    pub(super) fn mark_due(&mut self, now: Instant, keepalive: std::time::Duration) -> bool {
        let is_old = |then: Instant| now.saturating_duration_since(then) >= keepalive;
        let is_due = !self.channel.withdrawn
            && (self.due || self.channel.notified.is_some_and(is_old) || self.channel.outgrows_job(now));
        self.due |= is_due;
        is_due
    }

    /// Handles that the device is to rest.
    pub(super) fn rest(&mut self, reason: Refusal, timeouts: &Timeouts, now: Instant) {
        let number = u64::from_be_bytes(self.extranonce1());
        self.channel.rest(reason, timeouts.leave_to_rest(number, now));
    }

    /// Takes the account's present work: sends a job if the work is new, or if the channel is due.
    ///
    /// # Errors
    /// The device cannot hold the coinbase.
    pub(super) fn refresh(&mut self, work: Option<Arc<Work>>, now: Instant, out: &mut Output) -> Result<(), Unfit> {
        let Some(work) = work else {
            self.channel.withdrawn = true;
            return Ok(());
        };
        self.channel.wake();
        if self.channel.jobs.current().is_none_or(|current| current.key != work.key) {
            if let Some(unfit) = self.excess(work.coinbase_bytes()) {
                return Err(unfit);
            }
            if self.kind == Kind::Extended {
                self.channel.report.coinbase_bytes = Some(work.coinbase_bytes());
                self.channel.report.coinbase_bytes_max =
                    Some(self.coinbase_bytes_max).filter(|max| *max < COINBASE_BYTES_MAX);
            }
            let clean = self.channel.jobs.push(work, now);
            self.send_job(clean, now, out);
        } else if self.due {
            self.send_job(false, now, out);
        }
        Ok(())
    }

    /// Sends the newest work unit as a new job, preceded by its target if that changes. A miner that must drop its older
    /// jobs gets one that waits for the block that it builds on. Sends nothing if the work unit has no time left that an
    /// earlier job did not have.
    pub(super) fn send_job(&mut self, clean: bool, now: Instant, out: &mut Output) {
        self.due = false;
        let jobs = &self.channel.jobs;
        let (Some(work), Some(time)) = (jobs.current().map(Arc::clone), jobs.next_time(now)) else { return };
        if self.channel.notified.is_none() {
            self.channel.vardiff.restart(now);
        }
        let (difficulty, is_new) = self.channel.next_difficulty(work.share_difficulty(), now);
        if is_new {
            out.set_target(self.id, difficulty);
        }
        let Some(job) = self.channel.jobs.issue(difficulty, time) else { return };
        let ids = (self.id, job.id);
        let start = (!clean).then_some(job.time);
        match self.kind {
            Kind::Standard => {
                let extranonce = self.extranonce(job.id, None).unwrap_or_default();
                let root = merkle_root(&work, &extranonce);
                self.newest_root = Some((job.id, root));
                out.standard_job(ids, start, &work, root.as_ref());
            }
            Kind::Extended => {
                let fits = out.extended_job(ids, start, &work);
                debug_assert!(fits, "the coinbase has been measured");
            }
        }
        if clean {
            out.new_prev_hash(ids, job.time, &work);
        }
        self.channel.notified = Some(now);
        self.publish();
    }

    /// Judges a share.
    ///
    /// # Errors
    /// It names no job of this channel, or has no extranonce of the channel's.
    pub(super) fn judge(&mut self, share: &Share<'_>, now: Instant) -> Result<(Judged, Arc<Work>), Reject> {
        let Some(job) = self.channel.jobs.find(share.job_id) else {
            return Err(Reject::JobNotFound(share.job_id));
        };
        let Some(extranonce) = self.extranonce(share.job_id, share.extranonce) else {
            return Err(Reject::ForeignExtranonce);
        };
        let work = Arc::clone(&job.work);
        let newest_root = self.newest_root.filter(|(id, _)| self.kind == Kind::Standard && *id == share.job_id);
        let own_version = u32::from_le_bytes(work.version.to_le_bytes());
        let attempt = Attempt {
            header: Header {
                version: Version::from_consensus(i32::from_le_bytes(share.version.to_le_bytes())),
                prev_blockhash: work.prev_block,
                merkle_root: newest_root.map_or_else(|| merkle_root(&work, &extranonce), |(_, root)| root),
                time: share.time,
                bits: work.bits,
                nonce: share.nonce,
            },
            extranonce,
            rolled: (share.version ^ own_version, limits::VERSION_MASK),
            worker: (Arc::clone(&self.worker), true),
            account: Arc::clone(&self.account),
        };
        Ok((self.channel.judge(&job, attempt, now), work))
    }

    /// Returns whether the miner of an extended channel hashes other headers than those of its jobs. If so, the server
    /// remembers that such devices cannot hold the coinbase, unless another one of the kind beside it can.
    pub(super) fn hashes_something_else(&self, work: &Work) -> Option<(Unfit, bool)> {
        let bytes = work.coinbase_bytes();
        let is_unfit = self.kind == Kind::Extended && self.channel.hashes_something_else();
        let is_lesson = || !self.seat.slot.is_held_beside(&self.channel.report.agent, bytes);
        is_unfit.then(|| (Unfit::Mismatch { bytes }, is_lesson()))
    }

    /// Returns the target's difficulty before the first job: what the channel starts with.
    pub(super) fn first_difficulty(&mut self, work: Option<&Work>, now: Instant) -> Difficulty {
        let cap = work.map_or(Difficulty::floor(f64::INFINITY), Work::share_difficulty);
        self.channel.next_difficulty(cap, now).0
    }

    /// Returns the user name, without blanks around the parts.
    pub(super) fn worker(&self) -> &str {
        &self.worker
    }

    /// Number of the channel in the statistics.
    pub(super) fn serial(&self) -> u64 {
        self.seat.slot.id
    }

    /// Shows the channel's state in the statistics.
    pub(super) fn publish(&self) {
        self.seat.slot.publish(&self.channel.report);
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(difficulty) = self.channel.vardiff.fitting() {
            self.seat.note(&self.channel.report.agent, &self.worker, difficulty);
        }
    }
}

/// The merkle root of a job with this extranonce.
fn merkle_root(work: &Work, extranonce: &[u8; EXTRANONCE_BYTES]) -> TxMerkleNode {
    proof::merkle_root(&[&work.coinb1, extranonce, &work.outputs, &work.coinb2], &work.branch)
}
