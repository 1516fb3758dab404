//! Takes shares.

use std::time::Instant;

use mining_sv2::ERROR_CODE_SUBMIT_SHARES_INVALID_CHANNEL_ID;
use tracing::debug;

use super::member::{Kind, Share};
use super::reason::share_code;
use super::session::Session;
use crate::channel::Judged;
use crate::limits;

#[cfg(test)]
mod tests;

impl Session {
    /// Handles a share: passes it to the pool if it earns, answers it, and lets vardiff adjust.
    pub(super) fn submit(&mut self, (id, kind): (u32, Kind), sequence: u32, share: &Share<'_>, now: Instant) {
        let Some(member) = self.channels.get_mut(&id).filter(|member| member.kind == kind) else {
            return self.out.rejected(id, sequence, ERROR_CODE_SUBMIT_SHARES_INVALID_CHANNEL_ID);
        };
        let (judged, work) = match member.judge(share, now) {
            Ok(judged) => judged,
            Err(reject) => {
                member.channel.count_rejected(&reject);
                member.publish();
                return self.out.rejected(id, sequence, share_code(&reject));
            }
        };
        let Judged { found, verdict, is_paid_for } = judged;
        if is_paid_for {
            self.bucket.give_back();
            self.spent = self.spent.saturating_sub(1);
        }
        if let Some(found) = found {
            if found.meets_bitcoin {
                let height = found.work.bitcoin_height;
                debug!(hash = %found.hash, height, worker = &*found.worker, "miner found a Bitcoin block");
            }
            self.host.pool.submit(*found);
        }
        match verdict {
            Ok(difficulty) => self.out.accepted(id, sequence, whole(difficulty.to_f64())),
            Err(reject) => self.out.rejected(id, sequence, share_code(&reject)),
        }
        member.publish();
        if let Some((unfit, is_lesson)) = member.hashes_something_else(&work) {
            if is_lesson {
                let agent = &member.channel.report.agent;
                self.host.learnt.note(self.host.ip(), agent, work.coinbase_bytes(), now);
            }
            return self.end_channel(id, &unfit.to_string());
        }
        if member.channel.outgrows_job(now) {
            member.send_job(false, now, &mut self.out);
            // Easy shares are free, so that the jobs that follow them must not be.
            self.spent += limits::JOB_MESSAGES;
        }
    }
}

/// A difficulty as the answer to a share has it: a whole number, at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a difficulty is below 2^32")]
fn whole(difficulty: f64) -> u64 {
    difficulty.max(1.0) as u64
}
