//! Runs a scenario under classic rules, from its miners to the tallies. Clocks and bitcoinds are not modeled.

use std::ops::Range;

use serde::Serialize;

use super::device::Device;
use super::ledger::{Tally, tally};
use super::node::{ClassicNode, Pool};
use super::rules::Rules;
use super::strategy::Strategy;
use super::tree::Tree;
use sim::ids::{MinerId, NodeId};
use sim::scenario::{Drawn, Scenario};
use sim::time::Micros;
use sim::topology::EVERYONE_MAX;
use sim::world::World;

/// The strategy is not about the order of shares, so it makes no sense under classic rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no strategy {0:?} under the classic rules; there are honest, selfish, stubborn-lead, stubborn-fork, stubborn-trail"
)]
pub struct NoSuchStrategy(pub String);

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Outcome of each miner.
    pub miners: Vec<MinerOutcome>,
    /// Height of the final chain.
    pub height: u32,
    /// Bytes that all nodes sent.
    pub sent_bytes: u64,
    /// Steps of the world.
    pub steps: u64,
}

/// The outcome of one miner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MinerOutcome {
    /// Its group, as an index into [`Scenario::miners`].
    pub group: usize,
    /// Index of its node.
    pub node: u32,
    /// Credits of its shares.
    pub tally: Tally,
}

/// Builds the world of a scenario.
///
/// # Errors
/// If a strategy does not exist under classic rules.
pub fn build(scenario: &Scenario, rules: Rules, seed: u64) -> Result<World<ClassicNode>, NoSuchStrategy> {
    let drawn = scenario.draw(seed);
    let relays = drawn.nodes.len() > EVERYONE_MAX;
    let nodes = (0..drawn.nodes.len()).map(|index| node(scenario, &drawn, index, relays));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    let pool = Pool { rules, hashrate_hs: scenario.pool.hashrate_hs, tree: Tree::default() };
    Ok(drawn.world(nodes, pool, seed))
}

fn node(scenario: &Scenario, drawn: &Drawn, index: usize, relays: bool) -> Result<ClassicNode, NoSuchStrategy> {
    let of = &drawn.nodes[index];
    let name = of.miners.map_or("honest", |group| scenario.miners[group].strategy.as_str());
    let strategy = Strategy::named(name).ok_or_else(|| NoSuchStrategy(name.into()))?;
    let devices = (0..).map(MinerId).zip(&drawn.miners).filter(|(_, miner)| miner.node == NodeId::of(index));
    let devices = devices.map(|(miner, _)| (miner, Device::new(of.device_switch))).collect();
    Ok(ClassicNode::new(relays, strategy, devices))
}

/// Runs a scenario and counts the shares found during `when`. The final chain is the heaviest one, so a branch that a
/// selfish miner still hides counts.
///
/// # Errors
/// If a strategy does not exist under classic rules.
pub fn run(scenario: &Scenario, rules: Rules, seed: u64, when: &Range<Micros>) -> Result<Outcome, NoSuchStrategy> {
    let drawn = scenario.draw(seed);
    let mut world = build(scenario, rules, seed)?;
    world.run(Micros::from_secs_f64(scenario.duration_s));
    let tree = &world.environment.tree;
    let tip = tree.heaviest();
    let tallies = tally(tree, &rules, tip, drawn.miners.len(), when);
    let miners = drawn.miners.iter().zip(tallies);
    let miners = miners.map(|(miner, tally)| MinerOutcome { group: miner.group, node: miner.node.0, tally });
    let transport = world.schedule.transport();
    let sent_bytes = (0..drawn.nodes.len()).map(|index| transport.traffic(NodeId::of(index)).sent_bytes).sum();
    Ok(Outcome { miners: miners.collect(), height: tree.get(tip).height, sent_bytes, steps: world.steps() })
}

impl Outcome {
    /// Returns the sum of the tallies of the miners that `of` selects.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&MinerOutcome) -> bool) -> Tally {
        self.miners.iter().filter(|miner| of(miner)).map(|miner| miner.tally).sum()
    }
}
