//! Builds a world from a scenario and a seed.

use bitcoin::hashes::{Hash, HashEngine, hash160};
use bitcoin::{ScriptBuf, WPubkeyHash};
use sharechain::params::BitcoinParams;
use sharechain::{ChainParams, U256};

use super::devices::Device;
use super::node::{Setup, SimNode};
use super::strategist::Strategist;
use super::surroundings::Surroundings;
use crate::bitcoin::{ROOT_HEIGHT, target_of_hashes};
use crate::ids::{MinerId, NodeId};
use crate::rng::{derive, stream};
use crate::scenario::{Drawn, Scenario};
use crate::strategy::{Strategy, StrategyError};
use crate::time::Micros;
use crate::world::World;

/// Seconds between Bitcoin blocks at the initial difficulty.
const BLOCK_INTERVAL_S: f64 = 600.0;

/// Work of the easiest allowed share, as a fraction of a share's work at the scenario's hashrate. The pool may shrink
/// by this factor before the floor holds its targets.
const FLOOR_PART: f64 = 1.0 / 32.0;

/// Easiest nBits: two hashes on average.
const POW_LIMIT_BITS: u32 = 0x207f_ffff;

/// An error that prevents building a world for a scenario.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A strategy does not exist, or does not have these options.
    #[error("cannot create the strategy of the miners `{miners}`")]
    Strategy {
        /// Name of the group of miners.
        miners: String,
        /// The cause.
        source: Box<StrategyError>,
    },
}

/// Returns the constants of a scenario: mainnet's, with targets for the simulation's small hashrate.
#[must_use]
pub fn params(scenario: &Scenario) -> ChainParams {
    let main = ChainParams::main();
    let mut params = ChainParams {
        name: "sim",
        bitcoin: BitcoinParams {
            pow_limit_bits: POW_LIMIT_BITS,
            start_height: ROOT_HEIGHT + 1,
            min_block_work: 1,
            ..main.bitcoin.clone()
        },
        ..main
    };
    scenario.constants.apply(&mut params);
    let link_hashes = scenario.pool.hashrate_hs * f64::from(params.link_interval_s);
    let share_hashes = link_hashes / f64::from(params.shares_per_link);
    params.first_link_target = target_of_hashes(link_hashes);
    params.easiest_share_target = easiest(share_hashes);
    params
}

fn easiest(share_hashes: f64) -> U256 {
    target_of_hashes((share_hashes * FLOOR_PART).max(2.0))
}

/// Returns the script of a miner, or one of its several scripts: P2WPKH of a made-up key.
#[must_use]
pub fn script(miner: MinerId, number: u32) -> ScriptBuf {
    let mut engine = hash160::Hash::engine();
    engine.input(&miner.0.to_le_bytes());
    engine.input(&number.to_le_bytes());
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash160::Hash::from_engine(engine).to_byte_array()))
}

/// Builds the world of a scenario. The seed decides everything that the scenario leaves open. The world has made no
/// step yet.
///
/// # Errors
/// If a strategy does not exist or does not have the given options.
pub fn build(scenario: &Scenario, seed: u64) -> Result<World<SimNode>, BuildError> {
    let drawn = scenario.draw(seed);
    let params = params(scenario);
    let bitcoin_hashrate_hs = scenario.pool.hashrate_hs / scenario.pool.bitcoin_part;
    let delays: Vec<Micros> = drawn.nodes.iter().map(|node| node.bitcoind_delay).collect();
    let rest_hs = bitcoin_hashrate_hs - scenario.pool.hashrate_hs;
    let surroundings = Surroundings::new(params, bitcoin_hashrate_hs * BLOCK_INTERVAL_S, rest_hs, delays, seed);
    let nodes = (0..drawn.nodes.len()).map(|index| node(scenario, &drawn, index, &surroundings, seed));
    let nodes = nodes.collect::<Result<_, _>>()?;
    let mut world = drawn.world(nodes, surroundings, seed);
    world.environment.mine(&mut world.schedule);
    Ok(world)
}

fn node(
    scenario: &Scenario,
    drawn: &Drawn,
    index: usize,
    surroundings: &Surroundings,
    seed: u64,
) -> Result<SimNode, BuildError> {
    let of = &drawn.nodes[index];
    let miners = (0u32..).map(MinerId).zip(&drawn.miners).filter(|(_, miner)| miner.node == NodeId::of(index));
    let number = index as u64;
    let setup = Setup {
        strategist: Strategist::new(strategy(scenario, of.miners)?, stream(seed, "strategy", number)),
        devices: miners.map(|(id, _)| Device::new(id, script(id, 0))).collect(),
        device_switch: of.device_switch,
        clock_skew_us: of.clock_skew_us,
        new_pool: index == 0,
        rng: stream(derive(seed, "node", number), "node", number),
    };
    Ok(SimNode::new(setup, surroundings))
}

fn strategy(scenario: &Scenario, miners: Option<usize>) -> Result<Box<dyn Strategy>, BuildError> {
    let Some(miners) = miners.and_then(|group| scenario.miners.get(group)) else {
        return Ok(Box::new(crate::strategy::Honest));
    };
    crate::strategy::named(&miners.strategy, &miners.options)
        .map_err(|source| BuildError::Strategy { miners: miners.name.clone(), source: Box::new(source) })
}
