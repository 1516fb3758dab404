//! States of this node's miners and of the pool's hashrate that need attention, by the rules of `node/ops/alerts.yml`,
//! and the last accepted submit of each payout address. It has no clock: the caller passes the time.

use std::collections::{BTreeMap, HashMap, VecDeque};

use stratum::{Account, ConnectionSnapshot, Snapshot};

use super::isolation::StateStatus;
use super::limits::{MINING_SAMPLE_S, MINING_SAMPLES_MAX, PAYEES_SEEN_MAX};
use crate::devices::by_reason;
use crate::miners::percent_of;

/// How long miners must be gone before the state holds; a restarting device is back sooner.
const GONE_S: u32 = 60;

/// Period of the rules about submits, seconds.
const SUBMITS_S: u32 = 900;

/// Period of a hashrate, seconds, and the minimum length of the earlier period that it is compared with.
const HASHRATE_S: u32 = 3_600;

/// What the miners did, at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    time: u32,
    miners: usize,
    hashrate_hs: f64,
    working: bool,
    resting: bool,
    accepted: u64,
    rejected: [(&'static str, u64); 7],
}

/// Facts besides the miners' connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    /// True while this node hands out jobs.
    pub working: bool,
    /// True while a device of this node rests.
    pub resting: bool,
    /// The pool's hashrate over ten minutes and over a day before, hashes per second; none while the pool is young.
    pub pool_hs: Option<[u64; 2]>,
}

/// Samples of the last day, and what they say.
#[derive(Debug, Default)]
pub(super) struct MiningHealth {
    /// Oldest first, one a minute.
    samples: VecDeque<Sample>,
    newest: Option<Sample>,
    pool_hs: Option<[u64; 2]>,
    /// When each state began, seconds since 1970.
    since: BTreeMap<&'static str, u32>,
    /// Time of the last accepted submit, by account, seconds since 1970.
    submits: HashMap<Account, u32>,
}

impl MiningHealth {
    /// Records what the miners do at `now`, seconds since 1970.
    pub(super) fn look(&mut self, miners: &Snapshot, around: Surroundings, now: u32) {
        self.note_submits(&miners.connections, now);
        let sample = Sample {
            time: now,
            miners: miners.connections.iter().filter(|connection| connection.account.is_some()).count(),
            hashrate_hs: miners.hashrate_hs,
            working: around.working,
            resting: around.resting,
            accepted: miners.totals.accepted,
            rejected: by_reason(&miners.totals.rejected),
        };
        self.newest = Some(sample);
        self.pool_hs = around.pool_hs;
        if self.samples.back().is_none_or(|last| now >= last.time.saturating_add(MINING_SAMPLE_S)) {
            if self.samples.len() >= MINING_SAMPLES_MAX {
                self.samples.pop_front();
            }
            self.samples.push_back(sample);
        }
        let found = self.found(now);
        self.since.retain(|kind, _| found.iter().any(|(found, ..)| found == kind));
        for (kind, since, ..) in found {
            self.since.entry(kind).or_insert(since);
        }
    }

    /// The states that hold, the most urgent first.
    pub(super) fn states(&self) -> Vec<StateStatus> {
        let Some(newest) = self.newest else { return Vec::new() };
        let state = |(kind, since, what, todo): Found| StateStatus {
            kind: kind.to_owned(),
            since_unix_s: self.since.get(kind).copied().unwrap_or(since),
            what,
            todo: todo.to_owned(),
        };
        self.found(newest.time).into_iter().map(state).collect()
    }

    /// Time of the last accepted submit of a miner that pays a script, since the node started, seconds since 1970.
    pub(super) fn last_submit(&self, script: &[u8]) -> Option<u32> {
        let paying = self.submits.iter().filter(|(account, _)| percent_of(account, script) > 0);
        paying.map(|(_, time)| *time).max()
    }

    fn note_submits(&mut self, connections: &[ConnectionSnapshot], now: u32) {
        for connection in connections {
            let (Some(account), Some(age_s)) = (&connection.account, connection.last_share_age_s) else { continue };
            let time = now.saturating_sub(u32::try_from(age_s).unwrap_or(u32::MAX));
            if let Some(known) = self.submits.get_mut(account) {
                *known = time.max(*known);
                continue;
            }
            if self.submits.len() >= PAYEES_SEEN_MAX {
                let oldest = self.submits.iter().min_by_key(|(_, time)| **time).map(|(account, _)| account.clone());
                oldest.map(|oldest| self.submits.remove(&oldest));
            }
            self.submits.insert(account.clone(), time);
        }
    }

    fn found(&self, now: u32) -> Vec<Found> {
        let Some(newest) = self.newest else { return Vec::new() };
        // Devices that rest, or rested until recently, disconnect and hash less.
        let is_recent = |sample: &&Sample| newest.time.saturating_sub(sample.time) <= HASHRATE_S;
        let rested = newest.resting || self.samples.iter().rev().take_while(is_recent).any(|sample| sample.resting);
        let unless_rested = |found: Option<Found>| found.filter(|_| !rested);
        let [gone, silent] = [self.gone(newest), self.silent(newest)].map(unless_rested);
        let [lost, halved] = [self.lost(newest), self.halved(newest)].map(unless_rested);
        let rules = [gone, silent, self.rejected(newest), lost, halved];
        rules.into_iter().flatten().chain(self.pool_halved(now)).collect()
    }

    /// The sample `ago_s` seconds before the newest; none if there is none that old.
    fn before(&self, newest: Sample, ago_s: u32) -> Option<Sample> {
        let time = newest.time.saturating_sub(ago_s);
        self.samples.iter().rev().find(|sample| sample.time <= time).copied()
    }

    fn gone(&self, newest: Sample) -> Option<Found> {
        let last = self.samples.iter().rev().find(|sample| sample.miners > 0)?;
        let gone = newest.miners == 0 && newest.time.saturating_sub(last.time) >= GONE_S + MINING_SAMPLE_S;
        gone.then(|| {
            let what = "no miner is connected to this node, and in the last 24 hours there was one".to_owned();
            let todo = "look at power and network of the miners, and at the firewall in front of the Stratum port; if you \
                        took them away, this ends after a day";
            ("miners_gone", last.time, what, todo)
        })
    }

    fn silent(&self, newest: Sample) -> Option<Found> {
        let before = self.before(newest, SUBMITS_S)?;
        let since = self.samples.iter().filter(|sample| sample.time >= before.time);
        let working =
            since.clone().all(|sample| sample.working && sample.miners > 0) && newest.working && newest.miners > 0;
        (working && newest.accepted == before.accepted).then(|| {
            let what = "miners are connected, and no submit of theirs was accepted for 15 minutes".to_owned();
            ("miners_silent", before.time, what, "look at one miner's own page, and restart it")
        })
    }

    fn rejected(&self, newest: Sample) -> Option<Found> {
        let before = self.before(newest, SUBMITS_S)?;
        let counts = newest
            .rejected
            .iter()
            .zip(before.rejected)
            .map(|((reason, now), (_, then))| (*reason, now.saturating_sub(then)));
        let (reason, most) = counts.clone().max_by_key(|(_, count)| *count)?;
        let all =
            counts.fold(newest.accepted.saturating_sub(before.accepted), |sum, (_, count)| sum.saturating_add(count));
        (most > 10 && most.saturating_mul(100) > all.saturating_mul(3)).then(|| {
            let what = format!("{most} of {all} submits in 15 minutes were rejected as {}", reason.replace('_', " "));
            (
                "submits_rejected",
                before.time,
                what,
                "see the alert ShoalSubmitsRejected in node/ops/alerts.yml for the causes",
            )
        })
    }

    fn lost(&self, newest: Sample) -> Option<Found> {
        let mut counts: Vec<usize> = self.samples.iter().map(|sample| sample.miners).collect();
        counts.sort_unstable();
        let usual = *counts.get(counts.len() / 2)?;
        let few = |sample: &&Sample| sample.miners > 0 && sample.miners * 10 < usual * 9;
        let run: Vec<_> = self.samples.iter().rev().take_while(few).collect();
        let since = run.last()?.time;
        (few(&&newest) && newest.time.saturating_sub(since) >= SUBMITS_S).then(|| {
            let what = format!("{} of usually {usual} miners are connected", newest.miners);
            ("miners_lost", since, what, "look at power, network and heat of the others")
        })
    }

    fn halved(&self, newest: Sample) -> Option<Found> {
        let start = newest.time.saturating_sub(HASHRATE_S);
        // While nothing is connected, another state says so.
        let mining = self.samples.iter().filter(|sample| sample.miners > 0);
        let (before, last): (Vec<&Sample>, Vec<&Sample>) = mining.partition(|sample| sample.time < start);
        let mean = |samples: &[&Sample]| {
            samples.iter().fold(0.0, |sum, sample| sum + sample.hashrate_hs) / samples.len() as f64
        };
        let long = |samples: &[&Sample]| samples.len() >= (HASHRATE_S / MINING_SAMPLE_S) as usize / 2;
        (newest.miners > 0 && long(&before) && long(&last) && mean(&last) < 0.5 * mean(&before)).then(|| {
            let percent = 100.0 * mean(&last) / mean(&before);
            let what = format!("the miners' hashrate in the last hour is {percent:.0}% of what it was before");
            ("hashrate_halved", start, what, "look for miners that are throttled by heat or power, or have lost boards")
        })
    }

    /// Chance alone moves the ten-minute hashrate by an eighth, so this is not chance.
    fn pool_halved(&self, now: u32) -> Option<Found> {
        let [recent, usual] = self.pool_hs?;
        (recent.saturating_mul(10) < usual.saturating_mul(6)).then(|| {
            let percent = u128::from(recent) * 100 / u128::from(usual.max(1));
            let what = format!("the pool's hashrate, as this node sees it, is {percent}% of what it was before");
            ("pool_halved", now, what, "a part of the pool may be cut off: compare the tip with another node's")
        })
    }
}

/// Kind, start, finding, advice.
type Found = (&'static str, u32, String, &'static str);

#[cfg(test)]
mod tests;
