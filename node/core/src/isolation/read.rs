//! Judges the facts for each kind of state, by two thresholds with a gap in which nothing changes.

use super::{ClockFacts, Facts, Kind, PeerFact, Policy, links_ms};
use crate::limits::{
    BITCOIND_BEHIND_BLOCKS, CLOCK_AHEAD_S, CLOCK_BEHIND_S, CLOCK_OFF_S, CLOCK_WRONG_S, DISK_LOW_BYTES, NEWER_PEERS,
    OWN_JUDGED, QUIET_LINKS,
};

/// Judgment of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The state should hold.
    Bad,
    /// It should not.
    Fine,
    /// Between the two, or nothing is known.
    Unsure,
}

/// The reading from two conditions, bad first.
const fn either(bad: bool, fine: bool) -> Reading {
    match (bad, fine) {
        (true, _) => Reading::Bad,
        (false, true) => Reading::Fine,
        (false, false) => Reading::Unsure,
    }
}

/// Minimum number of distinct future times of held proofs that shows a slow clock rather than a careless peer.
const PROOFS_AHEAD: u32 = 8;

/// Minimum number of Bitcoin blocks unknown to bitcoind on which proofs build that shows another branch rather than a
/// race.
const UNKNOWN_BLOCKS: u32 = 2;

pub(super) fn read(kind: Kind, facts: &Facts, quiet_ms: u64, policy: &Policy) -> Reading {
    match kind {
        Kind::NoPeers => either(answering(facts) == 0, true),
        Kind::Unlisted => {
            let (judged, left_out) = (facts.own.judged, facts.own.left_out);
            either(judged >= OWN_JUDGED && left_out * 2 >= judged, left_out * 4 <= judged)
        }
        Kind::StaleTip => {
            let quiet = quiet_ms >= links_ms(QUIET_LINKS, policy);
            either(quiet && answering(facts) > 0 && facts.in_sync, !quiet || answering(facts) == 0)
        }
        Kind::Hashrate => match facts.rates.hashrate {
            Some(rate) => either(is_apart(rate, 4, 1), !is_apart(rate, 2, 1)),
            None => Reading::Fine,
        },
        Kind::ShareRate => match facts.rates.shares {
            Some(rate) => either(is_apart(rate, 2, 1), !is_apart(rate, 3, 2)),
            None => Reading::Fine,
        },
        Kind::Clock => clock(&facts.clock),
        Kind::Disk => match facts.disk_free_bytes {
            Some(free) => either(free < DISK_LOW_BYTES, free >= DISK_LOW_BYTES / 2 * 3),
            None => Reading::Unsure,
        },
        Kind::Bitcoind => {
            let bitcoin = facts.bitcoin;
            let behind = blocks_behind(facts);
            let is_behind = behind.is_some_and(|blocks| blocks >= BITCOIND_BEHIND_BLOCKS);
            let is_level = behind.is_none_or(|blocks| blocks < BITCOIND_BEHIND_BLOCKS);
            either(is_behind || bitcoin.unknown_blocks >= UNKNOWN_BLOCKS, is_level && bitcoin.unknown_blocks == 0)
        }
        Kind::BitcoindAlone => match facts.bitcoin.connections {
            Some(count) => either(policy.public && count == 0, true),
            None => Reading::Unsure,
        },
        Kind::OneNetgroup => {
            let first = facts.peers.first().and_then(|peer| peer.netgroup);
            let same = facts.peers.iter().all(|peer| peer.netgroup == first);
            either(policy.public && first.is_some() && same, true)
        }
        Kind::Outdated => either(facts.too_old.is_some() || all_are_newer(facts), true),
    }
}

/// Peers that answer.
pub(super) fn answering(facts: &Facts) -> usize {
    facts.peers.iter().filter(|peer| peer.answers).count()
}

/// True if the two numbers differ by more than the factor `above / below`.
fn is_apart([a, b]: [u64; 2], above: u64, below: u64) -> bool {
    let (a, b, above, below) = (u128::from(a), u128::from(b), u128::from(above), u128::from(below));
    a * below > b * above || b * below > a * above
}

/// What shows that a clock is off, the most exact first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockEvidence {
    /// bitcoind's clock.
    Bitcoind,
    /// The clocks of bitcoind's peers, which differ from bitcoind's.
    BitcoindPeers,
    /// The times of Bitcoin's blocks.
    Blocks,
    /// Proofs that are held because of their times.
    Held,
    /// The age of other miners' links.
    Links,
}

impl ClockEvidence {
    const ALL: [Self; 5] = [Self::Bitcoind, Self::BitcoindPeers, Self::Blocks, Self::Held, Self::Links];

    /// Its reading; none while it is unknown.
    fn read(self, clock: &ClockFacts) -> Option<Reading> {
        let off = |offset_s: i64| either(offset_s.abs() > CLOCK_OFF_S, offset_s.abs() <= CLOCK_OFF_S / 2);
        match self {
            Self::Bitcoind => clock.bitcoind_s.map(off),
            Self::BitcoindPeers => clock.bitcoind_peers_s.map(off),
            Self::Blocks => clock.blocks_s.map(|offset_s| off(offset_s.min(0))),
            Self::Held => Some(either(clock.proofs_ahead >= PROOFS_AHEAD, clock.proofs_ahead == 0)),
            Self::Links => clock.link_age_s.map(|age_s| {
                let within = |slack_s| (slack_s - CLOCK_BEHIND_S..=CLOCK_AHEAD_S - slack_s).contains(&age_s);
                either(!within(0), within(CLOCK_BEHIND_S / 2))
            }),
        }
    }

    /// The evidence that a finding rests on. What a state rests on stays so until it is known to be fine: bitcoind's template may
    /// hide bitcoind's clock for a moment.
    pub(super) fn of(clock: &ClockFacts, held: Option<Self>) -> Option<Self> {
        let first = |reading| Self::ALL.into_iter().find(|by| by.read(clock) == Some(reading));
        let held = held.filter(|by| by.read(clock) != Some(Reading::Fine));
        held.or_else(|| first(Reading::Bad)).or_else(|| first(Reading::Unsure))
    }
}

fn clock(clock: &ClockFacts) -> Reading {
    let any = |reading| ClockEvidence::ALL.iter().any(|by| by.read(clock) == Some(reading));
    either(any(Reading::Bad), !any(Reading::Unsure))
}

fn is_behind(offset: Option<i64>, limit_s: i64) -> bool {
    offset.is_some_and(|offset_s| offset_s < -limit_s)
}

/// Whether the clock is so wrong that no work counts. Neither what peers claim nor held proofs, of which a few are cheap, have a
/// part in it.
pub(super) fn wrong_clock(clock: &ClockFacts) -> Reading {
    let is_beyond = |limit_s: i64| {
        work_ahead_s(clock).is_some_and(|ahead_s| ahead_s > limit_s)
            || (!links_are_new(clock) && [clock.bitcoind_s, clock.blocks_s].iter().any(|of| is_behind(*of, limit_s)))
    };
    either(is_beyond(CLOCK_WRONG_S), !is_beyond(CLOCK_WRONG_S / 2))
}

/// How far this node's work is dated ahead of other miners' links. bitcoind's template dates it if that is earlier.
///
/// A link is later than the median of those before it, so a median this old takes most of the pool's work for as long.
pub(super) fn work_ahead_s(clock: &ClockFacts) -> Option<i64> {
    Some(clock.link_age_s?.saturating_sub(clock.template_s.unwrap_or(0).max(0)))
}

/// True if other miners' links are as new as they should be. Then the clock that differs from this one is wrong.
fn links_are_new(clock: &ClockFacts) -> bool {
    clock.link_age_s.is_some_and(|age_s| (-CLOCK_BEHIND_S..=CLOCK_AHEAD_S).contains(&age_s))
}

/// Blocks by which bitcoind is behind the median claim of peers: of those that this node chose itself, if there are
/// any. None while unknown.
pub(super) fn blocks_behind(facts: &Facts) -> Option<u32> {
    let own = facts.bitcoin.height?;
    let heights = |outbound: bool| -> Vec<u32> {
        let peers = facts.peers.iter().filter(|peer| peer.outbound || !outbound);
        peers.filter_map(|peer| peer.bitcoin_height).collect()
    };
    let mut claimed = heights(true);
    if claimed.is_empty() {
        claimed = heights(false);
    }
    claimed.sort_unstable();
    // For an even number, the lower one: half of the peers claim no more.
    let median = claimed.get(claimed.len().checked_sub(1)? / 2)?;
    Some(median.saturating_sub(own))
}

fn all_are_newer(facts: &Facts) -> bool {
    facts.peers.len() >= NEWER_PEERS && facts.peers.iter().all(|PeerFact { newer, .. }| *newer)
}
