//! A scenario under classic rules, from its miners to the tallies. Clocks and bitcoinds play no part.

use std::ops::Range;

use serde::Serialize;

use super::device::Device;
use super::ledger::{Tally, tally};
use super::node::{ClassicNode, Pool};
use super::rules::Rules;
use super::strategy::Strategy;
use super::tree::Tree;
use sim::scenario::{Drawn, Scenario};
use sim::time::Micros;
use sim::topology::EVERYONE_MAX;
use sim::world::{MinerId, NodeId, World};

/// A strategy that is not about the order of shares, and so means nothing under classic rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no strategy {0:?} under the classic rules; there are honest, selfish, stubborn-lead, stubborn-fork, stubborn-trail"
)]
pub struct NoSuchStrategy(pub String);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Per miner.
    pub miners: Vec<MinerOutcome>,
    /// Height of the final chain.
    pub height: u32,
    /// Bytes that all nodes sent.
    pub sent_bytes: u64,
    /// Steps of the world.
    pub steps: u64,
}

/// What came of one miner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MinerOutcome {
    /// Its group, by its place in [`Scenario::miners`].
    pub group: usize,
    /// Its node.
    pub node: u32,
    /// Its shares.
    pub tally: Tally,
}

/// Builds the world of a scenario.
///
/// # Errors
/// A strategy that there is not under classic rules.
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

/// Runs a scenario, and counts what was found in a part of it. The final chain is the heaviest of all, so that what a selfish miner still hides counts for it.
///
/// # Errors
/// A strategy that there is not under classic rules.
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
    /// Sum of the tallies of the miners that `of` picks.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&MinerOutcome) -> bool) -> Tally {
        self.miners.iter().filter(|miner| of(miner)).map(|miner| miner.tally).sum()
    }
}
