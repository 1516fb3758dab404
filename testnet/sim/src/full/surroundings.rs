//! The environment of all nodes: Bitcoin and its other miners, gossip in transit, and the ledger.

use std::sync::Arc;

use bitcoin::BlockHash;
use rand::Rng;
use rand_distr::Exp1;
use sharechain::bitcoin_headers::Root;
use sharechain::{ChainParams, Timestamp};

use super::archive::Archive;
use super::gossip::Spreads;
use super::ledger::Ledger;
use super::timer::Timer;
use crate::bitcoin::Bitcoin;
use crate::ids::NodeId;
use crate::rng::{SimRng, stream};
use crate::time::Micros;
use crate::world::{Environment, Node, Schedule};

/// The time at which simulations begin, in seconds since 1970.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// Bounds of a block's travel time through Bitcoin's network, drawn for each bitcoind before its own delay. Compact
/// blocks reach most nodes in well under a second.
const BLOCK_WAY: (Micros, Micros) = (Micros::from_millis(50), Micros::from_millis(800));

/// Returns the time on a correct clock.
#[must_use]
pub fn time_at(now: Micros) -> Timestamp {
    START.plus(u32::try_from(now.0 / 1_000_000).unwrap_or(u32::MAX))
}

/// A reminder of the environment.
#[derive(Clone, Copy, Debug)]
pub enum SurroundingsTimer {
    /// Miners outside the pool find a block.
    RestFinds,
    /// Miners outside the pool hear of one of its blocks.
    RestHears(BlockHash),
}

/// The environment of all nodes.
#[derive(Debug)]
pub struct Surroundings {
    /// The protocol's constants.
    pub params: ChainParams,
    /// The header that Bitcoin starts from.
    pub root: Root,
    /// The simulated Bitcoin.
    pub bitcoin: Bitcoin,
    /// Hashrate of miners outside the pool, in hashes per second.
    pub rest_hashrate_hs: f64,
    /// Gossip in transit.
    pub spreads: Spreads,
    /// The records of all disks.
    pub archive: Arc<Archive>,
    /// Recorded events.
    pub ledger: Ledger,
    /// Extra delay with which each node's bitcoind hears of blocks.
    pub bitcoind_delays: Vec<Micros>,
    rng: SimRng,
}

/// A node that lives in these surroundings. Bitcoin blocks reach it as [`Timer::Block`].
pub trait SurroundedNode: Node<Timer = Timer, Environment = Surroundings> {}

impl<N: Node<Timer = Timer, Environment = Surroundings>> SurroundedNode for N {}

impl Surroundings {
    /// Creates an environment in which nothing has happened. A Bitcoin block takes `block_hashes` hashes on average at
    /// first.
    #[must_use]
    pub fn new(
        params: ChainParams,
        block_hashes: f64,
        rest_hashrate_hs: f64,
        bitcoind_delays: Vec<Micros>,
        seed: u64,
    ) -> Self {
        let root = crate::bitcoin::root(block_hashes, START, &params);
        Self {
            bitcoin: Bitcoin::new(&params.bitcoin, &root, stream(seed, "bitcoin", 0)),
            params,
            root,
            rest_hashrate_hs,
            spreads: Spreads::new(bitcoind_delays.len()),
            archive: Arc::default(),
            ledger: Ledger::default(),
            bitcoind_delays,
            rng: stream(seed, "blocks", 0),
        }
    }

    /// Draws the time at which miners outside the pool find their next block.
    pub fn mine<N: SurroundedNode>(&mut self, schedule: &mut Schedule<N>) {
        let mean_s = self.bitcoin.hashes_a_block() / self.rest_hashrate_hs;
        if mean_s.is_finite() {
            let share: f64 = self.rng.sample(Exp1);
            schedule.remind_environment(Micros::from_secs_f64(mean_s * share), SurroundingsTimer::RestFinds);
        }
    }

    /// Sends a block to all bitcoinds.
    pub fn announce<N: SurroundedNode>(&mut self, hash: BlockHash, schedule: &mut Schedule<N>) {
        for (node, delay) in self.bitcoind_delays.iter().enumerate() {
            let way = Micros(self.rng.random_range(BLOCK_WAY.0.0..=BLOCK_WAY.1.0));
            schedule.remind(NodeId::of(node), *delay + way, Timer::Block(hash));
        }
    }

    /// Submits a block of the pool to Bitcoin. Returns its hash if it is new.
    pub fn submit<N: SurroundedNode>(&mut self, bytes: &[u8], schedule: &mut Schedule<N>) -> Option<BlockHash> {
        let hash = self.bitcoin.submit(bytes, time_at(schedule.now()))?;
        let way = Micros(self.rng.random_range(BLOCK_WAY.0.0..=BLOCK_WAY.1.0));
        schedule.remind_environment(way, SurroundingsTimer::RestHears(hash));
        self.announce(hash, schedule);
        Some(hash)
    }
}

impl<N: SurroundedNode> Environment<N> for Surroundings {
    type Timer = SurroundingsTimer;

    fn on_timer(&mut self, timer: SurroundingsTimer, schedule: &mut Schedule<N>) {
        match timer {
            SurroundingsTimer::RestFinds => {
                if let Some(hash) = self.bitcoin.find(time_at(schedule.now())) {
                    self.announce(hash, schedule);
                }
                self.mine(schedule);
            }
            SurroundingsTimer::RestHears(hash) => self.bitcoin.rest_hears(hash),
        }
    }
}
