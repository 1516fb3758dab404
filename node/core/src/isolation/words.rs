//! States in words.

use super::read::{self, ClockEvidence, answering, blocks_behind};
use super::{ClockFacts, Facts, Kind, Policy, links_ms};
use crate::limits::{ALONE_LINKS, BITCOIND_BEHIND_BLOCKS, CLOCK_WRONG_S};

/// The finding in words; none if the facts show none now. `by` is the evidence on a wrong clock.
pub(super) fn what(
    kind: Kind,
    facts: &Facts,
    quiet_ms: u64,
    by: Option<ClockEvidence>,
    policy: &Policy,
) -> Option<String> {
    match kind {
        Kind::NoPeers => (answering(facts) == 0).then(|| no_peers(facts, policy)),
        Kind::Unlisted => (facts.own.left_out > 0).then(|| {
            let (left_out, judged) = (facts.own.left_out, facts.own.judged);
            format!(
                "other miners' links left out {left_out} of this node's last {judged} shares, although they are valid"
            )
        }),
        Kind::StaleTip => {
            let minutes = quiet_ms / 60_000;
            Some(format!("peers are connected, but no link has come for {minutes} min"))
        }
        Kind::Hashrate => facts.rates.hashrate.map(|[recent, usual]| {
            let percent = u128::from(recent) * 100 / u128::from(usual.max(1));
            format!("the pool's hashrate, as this node sees it, is {percent}% of what it was over the last day")
        }),
        Kind::ShareRate => facts.rates.shares.map(|[seen, expected]| {
            format!("the last links credit {seen} shares, and their work stands for {expected}")
        }),
        Kind::Clock => clock(by?, &facts.clock),
        Kind::Disk => facts.disk_free_bytes.map(disk),
        Kind::Bitcoind => Some(match blocks_behind(facts) {
            // A single block behind is usual when a block is found: it is no reason to forget about another branch.
            Some(blocks @ 1..) if blocks >= BITCOIND_BEHIND_BLOCKS || facts.bitcoin.unknown_blocks == 0 => {
                format!("your bitcoind is {} behind the one of most peers", count(blocks, "block"))
            }
            _ => {
                let unknown = count(facts.bitcoin.unknown_blocks, "Bitcoin block");
                format!(
                    "shares of the pool build on {unknown} that your bitcoind does not have; it is on another branch"
                )
            }
        }),
        Kind::BitcoindAlone => Some("your bitcoind has no peers, so it learns of no blocks".to_owned()),
        Kind::OneNetgroup => Some(match facts.peers.len() {
            0 | 1 => "this node sees the pool through a single peer".to_owned(),
            peers => format!("all {peers} peers are in one netgroup, so one provider may own all of them"),
        }),
        Kind::Outdated => Some(match facts.too_old {
            Some(bit) => {
                format!("the pool has upgraded its rules (bit {bit}), and this version does not know the new ones")
            }
            None => "all peers run a newer version than this node".to_owned(),
        }),
    }
}

/// What to do.
pub(super) const fn todo(kind: Kind) -> &'static str {
    match kind {
        Kind::NoPeers => "check the network and `p2p.peers`; the node keeps dialing",
        Kind::Unlisted => {
            "check this machine's clock and that other nodes are reachable; if both are fine, most of the pool's hashrate \
             leaves your miners out"
        }
        Kind::StaleTip => {
            "either most of the pool's hashrate left, or your peers withhold links: add peers that you trust to \
             `p2p.peers`, and compare the tip with another node's"
        }
        Kind::Hashrate => "compare the tip with another node's; add peers that you trust to `p2p.peers`",
        Kind::ShareRate => "a peer may be withholding or flooding shares or links: compare with another node",
        Kind::Clock => "set up time synchronization (NTP) on this machine and on bitcoind's",
        Kind::Disk => "free some space; when the disk is full, the node stops",
        Kind::Bitcoind => "see bitcoind's log and its peers (`bitcoin-cli getpeerinfo`, `getchaintips`)",
        Kind::BitcoindAlone => "check bitcoind's network, and its `connect`, `onlynet` and `proxy` settings",
        Kind::OneNetgroup => "add peers in other networks to `p2p.peers`",
        Kind::Outdated => "install a newer version",
    }
}

/// Why miners get no work of the pool while the node has no peers.
pub(super) fn isolated(policy: &Policy) -> String {
    let (alone_s, todo) = (links_ms(ALONE_LINKS, policy) / 1_000, todo(Kind::NoPeers));
    format!("no peer has been connected for {alone_s} s, and work done alone soon earns nothing; {todo}")
}

/// Why miners get no work while the pool leaves out this node's shares.
pub(super) fn censored() -> String {
    format!("the rest of the pool leaves out this node's valid shares; {}", todo(Kind::Unlisted))
}

/// Why miners get no work while the clock is far off.
pub(super) fn wrong_clock(clock: &ClockFacts) -> String {
    let what = match read::work_ahead_s(clock) {
        Some(ahead_s) if ahead_s > CLOCK_WRONG_S => {
            format!("this machine's clock is about {ahead_s} s ahead of the pool's, so other nodes drop its shares")
        }
        _ => {
            let bitcoind_s = clock.bitcoind_s.filter(|offset_s| *offset_s < -CLOCK_WRONG_S);
            let behind = match (bitcoind_s, clock.blocks_s) {
                (Some(offset_s), _) => clock_off("this machine's", offset_s, "bitcoind's"),
                (None, blocks_s) => clock_behind_blocks(blocks_s.unwrap_or(0)),
            };
            format!("{behind}, so it drops the pool's newest shares and works alone")
        }
    };
    format!("{what}; {}", todo(Kind::Clock))
}

fn clock_behind_blocks(offset_s: i64) -> String {
    format!("this machine's clock is at least {} s behind Bitcoin's newest blocks", offset_s.saturating_abs())
}

fn no_peers(facts: &Facts, policy: &Policy) -> String {
    let silent = match facts.peers.len() {
        0 => "no peer is connected".to_owned(),
        peers => format!("{peers} connected, but none of them answers"),
    };
    if policy.new_pool {
        return format!("{silent}; this node works alone, as `new_pool` allows");
    }
    let limit_s = links_ms(ALONE_LINKS, policy) / 1_000;
    format!("{silent}; work for the pool ends after {limit_s} s without peers")
}

/// Free space on a disk, in one sentence.
#[must_use]
pub fn disk(free_bytes: u64) -> String {
    format!("the disk of the data folder has {} MB left", free_bytes / 1_000_000)
}

/// Difference of a clock from another one, in one sentence. Above 0, it is ahead.
#[must_use]
pub fn clock_off(whose: &str, offset_s: i64, other: &str) -> String {
    let side = if offset_s > 0 { "ahead of" } else { "behind" };
    format!("{whose} clock is {} s {side} {other}", offset_s.abs())
}

/// The finding by this evidence; none while it is unknown.
pub(super) fn clock(by: ClockEvidence, clock: &ClockFacts) -> Option<String> {
    Some(match by {
        ClockEvidence::Bitcoind => clock_off("this machine's", clock.bitcoind_s?, "bitcoind's"),
        ClockEvidence::BitcoindPeers => clock_off("bitcoind's", clock.bitcoind_peers_s?, "its peers'"),
        ClockEvidence::Blocks => clock_behind_blocks(clock.blocks_s?),
        ClockEvidence::Held => {
            "this machine's clock is behind the pool's: shares wait here because their times seem to be in the future"
                .to_owned()
        }
        ClockEvidence::Links => match clock.link_age_s? {
            age_s @ ..0 => format!("this machine's clock is at least {} s behind the pool's", age_s.saturating_abs()),
            age_s => {
                format!("other miners' links seem {age_s} s old on arrival, so this machine's clock is probably ahead")
            }
        },
    })
}

fn count(number: u32, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
