//! A running simulation.

use std::collections::BTreeSet;

use rand::Rng;
use rand_distr::Exp1;

use super::Setup;
use super::churn::Churning;
use super::control::Control;
use super::flood::Flood;
use super::mesh::Mesh;
use super::outcome::Outcome;
use super::peers::Graph;
use super::pool::Pool;
use super::probe::Probe;
use super::wave::{Cell, Kind, Wave, WaveId};
use super::wire::Weight;
use sim::rng::{SimRng, stream};
use sim::time::Micros;

/// A running simulation.
pub(super) struct Run<'a> {
    setup: &'a Setup,
    flood: Flood,
    pool: Pool,
    probe: Probe<'a>,
    churning: Option<Churning>,
    mining: SimRng,
    next_found_us: u64,
}

impl<'a> Run<'a> {
    pub(super) fn new(setup: &'a Setup, meshes: &'a [Mesh; 2], control: &[Control]) -> Self {
        let ground = &setup.ground;
        let graph = |neighbors: &[Vec<u32>]| Graph::new(neighbors, |node, other| ground.way_us(node, other));
        let all: Vec<Vec<u32>> = (0u32..)
            .take(ground.nodes())
            .map(|node| setup.connections.of(node).iter().map(|peer| peer.id).collect())
            .collect();
        let taken: Vec<(f64, f64)> = control.iter().map(|of| (of.sum().up, of.sum().down)).collect();
        let hop_us = u32::try_from(setup.hop.0).unwrap_or(u32::MAX);
        let meshes_by_way = [graph(&meshes[0].0), graph(&meshes[1].0)];
        let flood = Flood::new(ground, meshes_by_way, graph(&all), &taken, hop_us, setup.seed);
        let mut run = Self {
            setup,
            flood,
            pool: Pool::default(),
            probe: Probe::new(setup, meshes),
            churning: setup.churn.map(|churn| Churning::new(churn, ground.nodes(), setup.seed)),
            mining: stream(setup.seed, "scale mining", 0),
            next_found_us: 0,
        };
        run.draw_next();
        run
    }

    fn draw_next(&mut self) {
        let wait: f64 = self.mining.sample(Exp1);
        self.next_found_us += Micros::from_secs_f64(wait / self.setup.proofs_per_s()).0;
    }

    /// Runs until the time is over and no message is in transit.
    pub(super) fn go(&mut self) {
        let end_us = self.setup.duration.0;
        let mut done = Vec::new();
        loop {
            let found_us = Some(self.next_found_us).filter(|at| *at < end_us);
            let churn_us = self.churning.as_ref().and_then(Churning::next_us).filter(|at| *at < end_us);
            let flood_us = self.flood.next_us();
            let Some(first_us) = [found_us, churn_us, flood_us].into_iter().flatten().min() else { return };
            if flood_us == Some(first_us) {
                self.flood.step(&mut done);
                for id in done.drain(..) {
                    self.probe.take(&mut self.flood, id);
                }
            } else if found_us == Some(first_us) {
                self.find(first_us);
                self.draw_next();
            } else if let Some(churning) = &mut self.churning {
                churning.step(self.setup, &mut self.flood);
            }
        }
    }

    /// A miner finds a proof.
    fn find(&mut self, now_us: u64) {
        let nodes = u32::try_from(self.setup.ground.nodes()).expect("nodes are numbered with 32 bits");
        let node = self.mining.random_range(0..nodes);
        let kind =
            if self.mining.random_bool((1.0 / self.setup.shares_per_link).min(1.0)) { Kind::Link } else { Kind::Share };
        // A stopped node's find is dropped, because its hashrate is missing.
        if !self.flood.is_running(node) {
            return;
        }
        let work = self.pool.work(&self.flood.waves, node, now_us, self.setup.switch.0);
        self.probe.found(kind, &work, &self.flood.waves, now_us);
        let list = if kind == Kind::Link { work.list } else { Vec::new() };
        let bytes = match kind {
            Kind::Share => self.setup.sizes.share,
            Kind::Link => self.setup.sizes.link_of(u32::try_from(list.len()).unwrap_or(u32::MAX)),
        };
        let weight = Weight::of_gossip(bytes);
        self.probe.weigh(kind, weight);
        let wave = Wave {
            born_us: now_us,
            kind,
            origin: node,
            parent: work.parent,
            height: work.height,
            list,
            listed_by: Vec::new(),
            line_bytes: weight.line,
            cells: vec![Cell::NOTHING; self.setup.ground.nodes()],
            under_way: 0,
            measured: false,
            fetched: BTreeSet::new(),
            held: BTreeSet::new(),
        };
        let id: WaveId = self.flood.publish(wave);
        for forgotten in self.pool.note(&mut self.flood.waves, id, now_us) {
            let wave = &mut self.flood.waves[forgotten as usize];
            // A message that is still in transit after minutes is kept.
            if wave.under_way == 0 {
                wave.cells = Vec::new();
            }
        }
    }

    pub(super) fn finish(self, control: &[Control]) -> Outcome {
        let main_links = self.pool.main_links(&self.flood.waves);
        let churn = self.churning.map_or((0, 0), |churning| (churning.leaves, churning.fetched_bytes.iter().sum()));
        self.probe.outcome(&self.flood, control, main_links, churn)
    }
}
