//! The classic rule sets. Each fact was read in the named project's source at the given commit. Simplifications are
//! listed below.
//!
//! All rule sets leave out retargeting, Bitcoin's own tip, and validation time. Without retargeting, every share takes
//! as much work as the pool does in an interval, so races neither slow the chain nor make shares easier. Each of these
//! simplifications favors the classic rules.

use sim::time::Micros;

/// A share-chain's rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Name in tables and plots.
    pub name: &'static str,
    /// Mean time between shares of the whole pool.
    pub interval: Micros,
    /// Credit of shares off the chain. `None` if they get none.
    pub uncles: Option<Uncles>,
    /// Bytes of a share on the wire.
    pub share_bytes: u32,
}

/// The credit of shares off the chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncles {
    /// Largest height difference between an uncle and the share that lists it.
    pub depth: u32,
    /// Largest length of a side branch whose shares can be uncles.
    pub branch: u32,
    /// Largest number of uncles in one share.
    pub at_most: usize,
    /// The part of a share that its miner keeps if it is an uncle. The rest goes to the miner who lists it.
    pub pay: f64,
    /// Whether an uncle's work adds to the weight of the chain that lists it.
    pub weigh: bool,
    /// Whether miners get a new job for a new uncle, and not only for a new tip.
    pub renew_jobs: bool,
}

/// p2pool, 2011 to 2018 (`p2pool/p2pool`, `53c438b`). `networks/bitcoin.py`: `SHARE_PERIOD` 30 s. `bitcoin/stratum.py`:
/// `clean_jobs` is always true. `node.py` sends a share only if it is the best one, so shares found on an old tip
/// ("dead on arrival") reach no peer. `data.py`, `think`: most work, then first seen; the weight of a share is its
/// difficulty. Left out: miners above 1.67% of the pool find harder shares by default (`work.py`), and heads are
/// compared by the work of their fifth ancestor. A share is header, share info and references to transactions:
/// typically 1 to 2 kB.
pub const P2POOL: Rules = Rules { name: "p2pool", interval: Micros::from_secs(30), uncles: None, share_bytes: 1_500 };

/// p2poolv2 (`p2poolv2/p2poolv2`, `ae7f717`). `sim_overrides.rs`: `IDEAL_BLOCK_TIME` 10 s. `dag_store.rs`,
/// `MAX_UNCLES_DEPTH` 3 and `find_uncles`: off the chain, child of one of the three shares below the tip, not listed
/// before. `validation/mod.rs`: `MAX_UNCLES` 3. `pplns_window.rs`: 9/10 to the uncle, 1/10 to the nephew.
/// `organise_header.rs`: the weight of a chain is the work of its own shares only, and a tie changes nothing.
/// `notify.rs`: a new tip cleans all jobs; its stratum server accepts late work, which its own node can only list as an
/// uncle. Left out: shares spread by inventory, request and answer; here they are pushed. Shares carry transactions of
/// the share-chain: typically 1 to 3 kB.
pub const P2POOL_V2: Rules = Rules {
    name: "p2poolv2",
    interval: Micros::from_secs(10),
    uncles: Some(Uncles { depth: 3, branch: 1, at_most: 3, pay: 0.9, weigh: false, renew_jobs: false }),
    share_bytes: 2_000,
};

/// Monero p2pool, main chain (`SChernykh/p2pool`, `14b6a63`). `side_chain.cpp`: `m_targetBlockTime` 10 s,
/// `UNCLE_BLOCK_DEPTH` 3, `m_unclePenalty` 20%, which goes to the nephew; an uncle's branch leaves the chain at most that
/// depth below the nephew; `is_longer_chain` compares cumulative difficulty, uncles included, strictly; a possible uncle
/// makes a new template. `pool_block.h`: `MAX_UNCLES_PER_BLOCK` 5. `block_template.h` keeps four old templates, so late work
/// is accepted and can become an uncle. Left out: the window's limit. Compact broadcasts are typically 1 to 4 kB.
pub const MONERO_P2POOL: Rules = Rules {
    name: "Monero p2pool",
    interval: Micros::from_secs(10),
    uncles: Some(Uncles { depth: 3, branch: 3, at_most: 5, pay: 0.8, weigh: true, renew_jobs: true }),
    share_bytes: 2_000,
};

/// All of them.
pub const ALL: [Rules; 3] = [P2POOL, P2POOL_V2, MONERO_P2POOL];
