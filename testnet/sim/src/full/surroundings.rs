//! What all nodes live in: Bitcoin and the rest of its miners, messages on their way, and the ledger.

use std::sync::Arc;

use bitcoin::BlockHash;
use rand::Rng;
use rand_distr::Exp1;
use sharechain::bitcoin_headers::Root;
use sharechain::{ChainParams, Timestamp};

use super::archive::Archive;
use super::gossip::Spreads;
use super::ledger::Ledger;
use super::node::{SimNode, Timer};
use crate::bitcoin::Bitcoin;
use crate::rng::{SimRng, stream};
use crate::time::Micros;
use crate::world::{Environment, NodeId, Schedule};

/// When simulations begin, seconds since 1970.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// What a block takes on its way through Bitcoin's network, before each bitcoind's own delay: within these bounds, drawn
/// for each. Compact blocks reach most nodes in well under a second.
const BLOCK_WAY: (Micros, Micros) = (Micros::from_millis(50), Micros::from_millis(800));

/// The time of day by a clock that is right.
#[must_use]
pub fn time_at(now: Micros) -> Timestamp {
    START.plus(u32::try_from(now.0 / 1_000_000).unwrap_or(u32::MAX))
}

/// What happens surroundings of all nodes.
#[derive(Clone, Copy, Debug)]
pub enum SurroundingsTimer {
    /// The rest of the world's miners find a block.
    RestFinds,
    /// They hear of one of the pool's.
    RestHears(BlockHash),
}

/// What all nodes live in.
#[derive(Debug)]
pub struct Surroundings {
    /// The protocol's constants.
    pub params: ChainParams,
    /// Where Bitcoin's headers start.
    pub root: Root,
    /// Bitcoin.
    pub bitcoin: Bitcoin,
    /// Hashes a second of the rest of Bitcoin's miners.
    pub rest_hashrate_hs: f64,
    /// What is on its way.
    pub spreads: Spreads,
    /// What is on disks.
    pub archive: Arc<Archive>,
    /// What happened.
    pub ledger: Ledger,
    /// How late each node's bitcoind hears of blocks, on top of their way.
    pub bitcoind_delays: Vec<Micros>,
    rng: SimRng,
}

impl Surroundings {
    /// A quiet world. Bitcoin begins with blocks of `block_hashes` on average.
    #[must_use]
    pub fn new(
        params: ChainParams,
        block_hashes: f64,
        rest_hashrate_hs: f64,
        bitcoind_delays: Vec<Micros>,
        seed: u64,
    ) -> Self {
        let root = crate::bitcoin::root(block_hashes, START, &params.bitcoin);
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

    /// The rest of Bitcoin's miners begin, or go on, to look for a block.
    pub fn mine(&mut self, schedule: &mut Schedule<SimNode>) {
        let mean_s = self.bitcoin.hashes_a_block() / self.rest_hashrate_hs;
        if mean_s.is_finite() {
            let share: f64 = self.rng.sample(Exp1);
            schedule.remind_environment(Micros::from_secs_f64(mean_s * share), SurroundingsTimer::RestFinds);
        }
    }

    /// Sends a block on its way to all bitcoinds.
    pub fn announce(&mut self, hash: BlockHash, schedule: &mut Schedule<SimNode>) {
        for (node, delay) in self.bitcoind_delays.iter().enumerate() {
            let way = Micros(self.rng.random_range(BLOCK_WAY.0.0..=BLOCK_WAY.1.0));
            schedule.remind(NodeId::of(node), *delay + way, Timer::Block(hash));
        }
    }

    /// Takes a block of the pool's. Returns its hash if it is new.
    pub fn submit(&mut self, bytes: &[u8], schedule: &mut Schedule<SimNode>) -> Option<BlockHash> {
        let hash = self.bitcoin.submit(bytes, time_at(schedule.now()))?;
        let way = Micros(self.rng.random_range(BLOCK_WAY.0.0..=BLOCK_WAY.1.0));
        schedule.remind_environment(way, SurroundingsTimer::RestHears(hash));
        self.announce(hash, schedule);
        Some(hash)
    }
}

impl Environment<SimNode> for Surroundings {
    type Timer = SurroundingsTimer;

    fn on_timer(&mut self, timer: SurroundingsTimer, schedule: &mut Schedule<SimNode>) {
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
