//! The inputs at one moment.

use p2p_proto::netgroup::Netgroup;
use sharechain::Height;

/// All inputs of the states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Connected peers.
    pub peers: Vec<PeerFact>,
    /// True if sync is no reason to stop miners.
    pub in_sync: bool,
    /// Height of the share-chain's tip.
    pub height: Height,
    /// Rates of the chain.
    pub rates: Rates,
    /// This node's shares.
    pub own: OwnFacts,
    /// Clocks.
    pub clock: ClockFacts,
    /// This node's bitcoind.
    pub bitcoin: BitcoinFacts,
    /// Free bytes on the disk of the data folder; none while unknown.
    pub disk_free_bytes: Option<u64>,
    /// Bit of an active upgrade that this program does not know.
    pub too_old: Option<u8>,
}

/// A connected peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerFact {
    /// True if this node connected to it.
    pub outbound: bool,
    /// True if it has sent its status. Peers that never answer do not count.
    pub answers: bool,
    /// Its netgroup; none if its address does not show one.
    pub netgroup: Option<Netgroup>,
    /// Height of its Bitcoin tip, as it claims.
    pub bitcoin_height: Option<u32>,
    /// True if it says that it runs a newer version than this node.
    pub newer: bool,
}

/// Rates of the main chain, each measured and expected; none while the chain is too short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Hashes per second over the last links, and over about a day before.
    pub hashrate: Option<[u64; 2]>,
    /// Proofs that the last links credited, and the number that their work implies.
    pub shares: Option<[u64; 2]>,
}

/// This node's own shares of the last links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnFacts {
    /// Judged shares: those listed by another miner's link, and those left out by enough of them.
    pub judged: u32,
    /// Shares left out.
    pub left_out: u32,
}

/// This machine's clock compared with others, seconds: above 0 if this clock is ahead. None while unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockFacts {
    /// Median age of other miners' recent links at their arrival.
    pub link_age_s: Option<i64>,
    /// Number of distinct times of proofs that are held because they are too far ahead of this clock.
    pub proofs_ahead: u32,
    /// Difference from bitcoind's clock.
    pub bitcoind_s: Option<i64>,
    /// Difference from the time of bitcoind's newest template, which dates this node's work if it is earlier than this clock. It is
    /// bitcoind's clock, or later: after blocks with future timestamps, it is the earliest valid time.
    pub template_s: Option<i64>,
    /// bitcoind's clock compared with its peers', as it reports.
    pub bitcoind_peers_s: Option<i64>,
    /// Difference from the times of Bitcoin's last blocks: an upper bound, since honest miners do not date blocks ahead.
    pub blocks_s: Option<i64>,
}

/// This node's bitcoind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitcoinFacts {
    /// Height of its tip; none before its first template.
    pub height: Option<u32>,
    /// Bitcoin blocks that proofs build on and bitcoind does not know.
    pub unknown_blocks: u32,
    /// Number of its connections; none while unknown.
    pub connections: Option<u32>,
}
