//! All values that the seed determines before a world begins: places, clocks, connections, and the nodes that faults
//! hit.

mod hours;
mod lives;
mod plan;

use rand::Rng;
use rand_distr::StandardNormal;

use super::{Nodes, Scenario};
use crate::faults::Plan;
use crate::geography::City;
use crate::ids::NodeId;
use crate::rng::{SimRng, stream};
use crate::time::Micros;
use crate::topology::Topology;
use crate::transport::{Distances, Line, LineKind, Transport};
use crate::world::{Node, World};

/// Largest deviation of a clock, in standard deviations.
const SKEW_DEVIATIONS_MAX: f64 = 3.0;

/// A scenario with all values drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Length of the simulation.
    pub duration: Micros,
    /// The nodes, group by group.
    pub nodes: Vec<DrawnNode>,
    /// The miners, group by group.
    pub miners: Vec<DrawnMiner>,
    /// Distances between the nodes.
    pub distances: Distances,
    /// The graph of connections.
    pub topology: Topology,
    /// The plan of faults, including the joins of nodes and the hours of miners.
    pub plan: Plan,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnNode {
    /// Its group, as an index into [`Scenario::nodes`].
    pub group: usize,
    /// Its city.
    pub city: City,
    /// The kind of its line.
    pub line: LineKind,
    /// Microseconds by which its clock is fast. Negative if it is slow.
    pub clock_skew_us: i64,
    /// Time for which its devices keep working on an old job.
    pub device_switch: Micros,
    /// Extra delay with which its bitcoind hears of blocks.
    pub bitcoind_delay: Micros,
    /// Time at which it joins.
    pub join_at: Micros,
    /// The group of miners that it serves, as an index into [`Scenario::miners`]. `None` without miners.
    pub miners: Option<usize>,
}

/// A miner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnMiner {
    /// Its group, as an index into [`Scenario::miners`].
    pub group: usize,
    /// The node that it mines with.
    pub node: NodeId,
    /// Hashes per second while it mines without faults.
    pub hashrate_hs: f64,
}

impl Scenario {
    /// Draws all values that the scenario leaves open.
    #[must_use]
    pub fn draw(&self, seed: u64) -> Drawn {
        let mut nodes = self.draw_nodes(seed);
        let miners = self.place_miners(&nodes);
        for miner in &miners {
            nodes[miner.node.index()].miners = Some(miner.group);
        }
        let distances = match self.pool.distance_ms {
            Some(millis) => Distances::Even(Micros::from_secs_f64(millis / 1e3)),
            None => Distances::Cities(nodes.iter().map(|node| node.city).collect()),
        };
        let outbound = self.pool.connections as usize;
        let topology = Topology::usual(nodes.len(), outbound, &mut stream(seed, "topology", 0));
        let plan = self.draw_plan(&nodes, &miners, seed);
        Drawn { duration: Micros::from_secs_f64(self.duration_s), nodes, miners, distances, topology, plan }
    }

    fn draw_nodes(&self, seed: u64) -> Vec<DrawnNode> {
        let mut rng = stream(seed, "places", 0);
        let mut nodes = Vec::with_capacity(self.node_count());
        for (index, group) in self.nodes.iter().enumerate() {
            for member in 0..group.count {
                nodes.push(draw_node(index, group, member, &mut rng));
            }
        }
        nodes
    }

    fn place_miners(&self, nodes: &[DrawnNode]) -> Vec<DrawnMiner> {
        let mut placed = Vec::new();
        for (index, group) in self.miners.iter().enumerate() {
            let on = self.on(group);
            let homes = (0..nodes.len()).filter(|node| self.nodes[nodes[*node].group].name == on);
            let homes: Vec<_> = homes.map(NodeId::of).collect();
            let count = group.count.map_or(homes.len(), |count| count as usize);
            #[expect(clippy::cast_precision_loss, reason = "far fewer miners than 2^53")]
            let hashrate_hs = group.part * self.pool.hashrate_hs / count as f64;
            let members = homes.iter().cycle().take(if homes.is_empty() { 0 } else { count });
            placed.extend(members.map(|node| DrawnMiner { group: index, node: *node, hashrate_hs }));
        }
        placed
    }
}

fn draw_node(index: usize, group: &Nodes, member: u32, rng: &mut SimRng) -> DrawnNode {
    // A city is drawn even if it is not needed, so that one group's settings do not change another's cities.
    let drawn = City::draw(rng);
    let deviation: f64 = rng.sample(StandardNormal);
    let skew_s = deviation.clamp(-SKEW_DEVIATIONS_MAX, SKEW_DEVIATIONS_MAX) * group.clock_skew_s;
    let lateness = rng.random_range(0.5..1.5);
    let join_s = group.join_at_s + group.join_within_s * f64::from(member) / f64::from(group.count);
    #[expect(clippy::cast_possible_truncation, reason = "at most three hours")]
    let clock_skew_us = (skew_s * 1e6) as i64;
    DrawnNode {
        group: index,
        city: group.city.as_deref().and_then(City::named).unwrap_or(drawn),
        line: group.lines[member as usize % group.lines.len()],
        clock_skew_us,
        device_switch: Micros::from_secs_f64(group.device_switch_s),
        bitcoind_delay: Micros::from_secs_f64(group.bitcoind_delay_s * lateness),
        join_at: Micros::from_secs_f64(join_s),
        miners: None,
    }
}

impl Drawn {
    /// Returns the lines between these nodes.
    #[must_use]
    pub fn transport(&self) -> Transport {
        let lines = self.nodes.iter().map(|node| node.line.line()).collect::<Vec<Line>>();
        Transport::new(lines, self.distances.clone())
    }

    /// Builds a world of these nodes, which join and fail as planned.
    #[must_use]
    pub fn world<N: Node>(&self, nodes: Vec<N>, environment: N::Environment, seed: u64) -> World<N> {
        let miners: Vec<_> = self.miners.iter().map(|miner| (miner.node, miner.hashrate_hs)).collect();
        let mut world = World::new(nodes, environment, &miners, self.transport(), seed);
        world.connect(&self.topology);
        world.plan(&self.plan);
        world
    }
}

#[cfg(test)]
mod tests;
