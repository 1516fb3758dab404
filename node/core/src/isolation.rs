//! States in which this node may be cut off from the pool, and what its miners work on meanwhile. [`Isolation`] takes
//! [`Facts`] and the time; [`ChainWatch`] reads those of the share-chain.
//!
//! ```text
//! facts ──read.rs──► a reading of each kind: bad, fine, unsure ──dwell.rs──► states with a start and an end
//!                                                                               │
//!                                     on_isolation, on_censorship ──decide.rs───┴──► pool work, solo work, or none
//! ```
//!
//! ```text
//! facts.rs   the inputs
//! follow.rs  reads the share-chain and its changes into facts
//! read.rs    judges the facts for each kind
//! dwell.rs   hysteresis: when a state begins and ends
//! decide.rs  what miners work on
//! own.rs     this node's shares that other miners' links leave out
//! pace.rs    hashrate and share rate of the chain, and the clock that its links show
//! words.rs   a state in words, and advice
//! ```
//!
//! Claims of peers cost nothing, so they only ever lead to a state that warns. Three findings stop pool work: no peer is
//! connected, proven work of this node's own miners stays unlisted, or this node's bitcoind, the pool's work or Bitcoin's work
//! shows that the clock is far off.

mod decide;
mod dwell;
mod facts;
mod follow;
mod own;
mod pace;
mod read;
#[cfg(test)]
mod tests;
mod words;

use p2p_proto::Millis;
use sharechain::Height;

use crate::limits::{ALONE_LINKS, STEADY_LINKS};

pub use decide::{Cause, Reaction, Work};
pub use facts::{BitcoinFacts, ClockFacts, Facts, OwnFacts, PeerFact, Rates};
pub use follow::ChainWatch;
pub use pace::{BlockClock, hashrates as pool_rates};
pub use words::{clock_off, disk as disk_words};

use decide::Decision;
use dwell::{Dwell, Patience};
use read::{ClockEvidence, Reading};

/// A kind of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No peer that answers is connected.
    NoPeers,
    /// Other miners' links leave out valid shares of this node.
    Unlisted,
    /// Peers are connected, but the tip has not moved for long.
    StaleTip,
    /// The pool's hashrate has changed by a large factor.
    Hashrate,
    /// The pool lists far more or fewer shares than its links imply.
    ShareRate,
    /// This machine's clock is off.
    Clock,
    /// The disk of the data folder is nearly full.
    Disk,
    /// bitcoind is behind the pool, or on another branch.
    Bitcoind,
    /// bitcoind has no peers.
    BitcoindAlone,
    /// All peers are in one netgroup.
    OneNetgroup,
    /// The pool's rules, or all peers, are newer than this program.
    Outdated,
}

impl Kind {
    /// All kinds, the most urgent first.
    pub const ALL: [Self; 11] = [
        Self::NoPeers,
        Self::Unlisted,
        Self::StaleTip,
        Self::Hashrate,
        Self::ShareRate,
        Self::Clock,
        Self::Disk,
        Self::Bitcoind,
        Self::BitcoindAlone,
        Self::OneNetgroup,
        Self::Outdated,
    ];

    /// Name of the kind, as in JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPeers => "no_peers",
            Self::Unlisted => "unlisted",
            Self::StaleTip => "stale_tip",
            Self::Hashrate => "hashrate",
            Self::ShareRate => "share_rate",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Bitcoind => "bitcoind",
            Self::BitcoindAlone => "bitcoind_alone",
            Self::OneNetgroup => "one_netgroup",
            Self::Outdated => "outdated",
        }
    }
}

/// The operator's settings, and the relevant constants of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Action when the node is cut off.
    pub on_isolation: Reaction,
    /// Action when the rest of the pool leaves out this node's shares.
    pub on_censorship: Reaction,
    /// True if the node may work without peers indefinitely, because it starts a new pool.
    pub new_pool: bool,
    /// True if bitcoind and peers should be spread over the internet.
    pub public: bool,
    /// Average time between links, seconds.
    pub link_interval_s: u32,
    /// Depth at which a share can no longer be listed, links.
    pub listing_depth: u32,
}

/// A state that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its kind.
    pub kind: Kind,
    /// Since when.
    pub since: Millis,
    /// The finding, in one sentence without its period.
    pub what: String,
    /// What to do, in one sentence without its period.
    pub todo: &'static str,
}

/// The machine: one `Dwell` for each kind, and the decision.
#[derive(Clone, Debug)]
pub struct Isolation {
    policy: Policy,
    dwells: [Dwell; Kind::ALL.len()],
    states: Vec<State>,
    decision: Decision,
    /// True while the node counts as cut off.
    cut: bool,
    /// Whether the clock is so wrong that no work counts.
    wrong_clock: Dwell,
    /// That finding, as it was when it began.
    wrong_clock_words: String,
    /// The evidence of the state [`Kind::Clock`].
    clock_by: Option<ClockEvidence>,
    /// Height of the tip, and since when; none before the first facts.
    tip: Option<(Height, Millis)>,
}

impl Isolation {
    /// A machine without states. It begins with the first facts.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self {
            policy,
            dwells: [Dwell::NEW; Kind::ALL.len()],
            states: Vec::new(),
            decision: Decision::NEW,
            cut: false,
            wrong_clock: Dwell::NEW,
            wrong_clock_words: String::new(),
            clock_by: None,
            tip: None,
        }
    }

    /// Updates the states with new facts. Call it about once a second, with times that never go back.
    pub fn step(&mut self, facts: &Facts, now: Millis) {
        let moved = self.tip.is_none_or(|(height, _)| height != facts.height);
        if moved {
            self.tip = Some((facts.height, now));
        }
        let quiet_ms = self.tip.map_or(0, |(_, since)| now.since(since));
        let clock_by = self.clock_by.filter(|_| self.dwell(Kind::Clock).is_on());
        self.clock_by = ClockEvidence::of(&facts.clock, clock_by);
        let mut states = Vec::new();
        for (kind, dwell) in Kind::ALL.into_iter().zip(&mut self.dwells) {
            let reading = read::read(kind, facts, quiet_ms, &self.policy);
            let patience = patience(kind, &self.policy);
            if let Some(since) = dwell.step(reading, patience, now) {
                let held = self.states.iter().find(|state| state.kind == kind);
                // Facts that are fine end the state. Its finding stays as it was.
                let news =
                    (reading != Reading::Fine).then(|| words::what(kind, facts, quiet_ms, self.clock_by, &self.policy));
                let what = news.flatten().or_else(|| held.map(|state| state.what.clone())).unwrap_or_default();
                states.push(State { kind, since, what, todo: words::todo(kind) });
            }
        }
        self.states = states;
        let alone = self.dwell(Kind::NoPeers);
        let too_long = alone.bad_for(now) >= links_ms(ALONE_LINKS, &self.policy);
        let begins = !self.policy.new_pool && too_long && read::answering(facts) == 0;
        self.cut = begins || (self.cut && alone.is_on());
        self.step_wrong_clock(facts, now);
        let cause = if self.wrong_clock.is_on() {
            Some(Cause::Clock)
        } else if self.cut {
            Some(Cause::Isolation)
        } else {
            self.dwell(Kind::Unlisted).is_on().then_some(Cause::Censorship)
        };
        self.decision.step(cause, facts.in_sync, &self.policy);
    }

    fn step_wrong_clock(&mut self, facts: &Facts, now: Millis) {
        let was_on = self.wrong_clock.is_on();
        self.wrong_clock.step(read::wrong_clock(&facts.clock), patience(Kind::Clock, &self.policy), now);
        if self.wrong_clock.is_on() && !was_on {
            self.wrong_clock_words = words::wrong_clock(&facts.clock);
        }
    }

    fn dwell(&self, kind: Kind) -> Dwell {
        self.dwells.get(kind as usize).copied().unwrap_or(Dwell::NEW)
    }

    /// The states that hold, the most urgent first.
    #[must_use]
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// What miners work on.
    #[must_use]
    pub const fn work(&self) -> Work {
        self.decision.work()
    }

    /// Why miners do not work for the pool, and what to do, in one sentence; none while they may.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        Some(match self.work().cause()? {
            Cause::Isolation => words::isolated(&self.policy),
            Cause::Censorship => words::censored(),
            Cause::Clock => self.wrong_clock_words.clone(),
        })
    }
}

/// The time that this many links take on average, milliseconds.
fn links_ms(links: u32, policy: &Policy) -> u64 {
    u64::from(links) * u64::from(policy.link_interval_s) * 1_000
}

/// How long a reading of this kind must last to begin a state, and to end it.
fn patience(kind: Kind, policy: &Policy) -> Patience {
    const MINUTE_MS: u64 = 60_000;
    let links = |links| links_ms(links, policy);
    let same = |ms| Patience { begin_ms: ms, end_ms: ms };
    match kind {
        Kind::NoPeers => same(links(STEADY_LINKS)),
        Kind::Unlisted => Patience { begin_ms: 0, end_ms: links(STEADY_LINKS) },
        // The reading itself takes 60 links.
        Kind::StaleTip => same(0),
        Kind::Hashrate | Kind::ShareRate => same(links(2 * ALONE_LINKS)),
        Kind::Clock | Kind::Disk => same(MINUTE_MS),
        Kind::Bitcoind => Patience { begin_ms: 5 * MINUTE_MS, end_ms: MINUTE_MS },
        Kind::BitcoindAlone => Patience { begin_ms: 5 * MINUTE_MS, end_ms: 0 },
        Kind::OneNetgroup => Patience { begin_ms: 10 * MINUTE_MS, end_ms: MINUTE_MS },
        Kind::Outdated => Patience { begin_ms: 0, end_ms: MINUTE_MS },
    }
}
