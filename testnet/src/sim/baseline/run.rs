//! A whole pool, from its miners to the tallies. Each miner has a node of its own.

use serde::Serialize;

use super::super::time::Micros;
use super::super::transport::{Line, Transport};
use super::super::world::{MinerId, NodeId, World};
use super::device::Device;
use super::ledger::{Tally, tally};
use super::node::{ClassicNode, Pool};
use super::rules::Rules;
use super::strategy::Strategy;
use super::tree::Tree;

/// A pool.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its rules.
    pub rules: Rules,
    /// Its miners.
    pub miners: Vec<Miner>,
    /// How long it runs.
    pub duration: Micros,
    /// A time during which its first miners are cut off from the rest.
    pub cut: Option<Cut>,
}

/// A miner with its node.
#[derive(Clone, Debug)]
pub struct Miner {
    /// Its part of the pool's hash rate.
    pub part: f64,
    /// From a new job until its devices work on it.
    pub switch: Micros,
    /// What it does with its finds.
    pub strategy: Strategy,
    /// Its line. The way between two nodes is the sum of both lines' and of the distance.
    pub line: Line,
}

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// When it begins.
    pub from: Micros,
    /// When it ends.
    pub to: Micros,
    /// So many miners, from the first, are on the one side.
    pub miners: usize,
}

/// From the end of a partition until nodes have connected again: a redial pause.
const REDIAL: Micros = Micros::from_secs(10);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Per miner.
    pub tallies: Vec<Tally>,
    /// Height of the final chain.
    pub height: u32,
    /// Steps of the world.
    pub steps: u64,
}

impl Setup {
    /// Runs the pool; `distance` is the one-way time between two nodes besides their lines. The final chain is the heaviest
    /// of all, so that what a selfish miner still hides counts for it.
    #[must_use]
    pub fn run(&self, distance: impl Fn(NodeId, NodeId) -> Micros, seed: u64) -> Outcome {
        let mut world = self.world(distance, seed);
        for node in self.ids() {
            world.schedule.start(node, Micros::ZERO);
        }
        if let Some(cut) = self.cut {
            world.run(cut.from);
            self.set_groups(&mut world, cut.miners, 1);
            world.run(cut.to);
            self.set_groups(&mut world, cut.miners, 0);
            for (one, other) in self.ids().flat_map(|one| self.ids().map(move |other| (one, other))) {
                if one.index() < cut.miners && other.index() >= cut.miners {
                    world.schedule.set_line(one, other, true, REDIAL);
                }
            }
        }
        world.run(self.duration);
        let Pool { rules, tree } = &world.environment;
        let tip = tree.heaviest();
        let tallies = tally(tree, rules, tip, self.miners.len());
        Outcome { tallies, height: tree.get(tip).height, steps: world.steps() }
    }

    fn world(&self, distance: impl Fn(NodeId, NodeId) -> Micros, seed: u64) -> World<ClassicNode> {
        let transport = Transport::new(self.miners.iter().map(|miner| miner.line).collect(), distance);
        let rates: Vec<_> = self.ids().zip(self.miners.iter().map(|miner| miner.part)).collect();
        let node = |(id, miner): (NodeId, &Miner)| {
            let peers = self.ids().filter(|peer| *peer != id).collect();
            let device = Device::new(miner.switch);
            ClassicNode::new(peers, false, miner.strategy.clone(), vec![(MinerId(id.0), device)])
        };
        let nodes = self.ids().zip(&self.miners).map(node).collect();
        let pool = Pool { rules: self.rules, tree: Tree::default() };
        World::new(nodes, pool, &rates, transport, seed)
    }

    fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.miners.len()).map(NodeId::of)
    }

    fn set_groups(&self, world: &mut World<ClassicNode>, miners: usize, group: u8) {
        for node in self.ids().take(miners) {
            world.schedule.transport_mut().set_group(node, group);
        }
    }
}

impl Outcome {
    /// The part of the shares that `of` picks which was neither on the final chain nor listed there.
    #[must_use]
    pub fn orphaned(&self, of: impl Fn(usize) -> bool) -> f64 {
        let (found, counted) = self.sum(of, |tally| f64::from(tally.on_chain + tally.uncles));
        1.0 - counted / found
    }

    /// Credit per share found of those that `of` picks, beside the same of all.
    #[must_use]
    pub fn advantage(&self, of: impl Fn(usize) -> bool) -> f64 {
        let (found, credited) = self.sum(of, |tally| tally.credited);
        let (all_found, all_credited) = self.sum(|_| true, |tally| tally.credited);
        (credited / found) / (all_credited / all_found)
    }

    fn sum(&self, of: impl Fn(usize) -> bool, value: impl Fn(&Tally) -> f64) -> (f64, f64) {
        let picked = self.tallies.iter().enumerate().filter(|(at, _)| of(*at)).map(|(_, tally)| tally);
        picked.fold((0.0, 0.0), |(found, sum), tally| (found + f64::from(tally.found), sum + value(tally)))
    }
}
