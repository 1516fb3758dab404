//! A scale model: as many nodes as the pool is meant for, each message over gossipsub's mesh with its real size.
//!
//! It leaves out what a node computes: no proof is checked, no payout selected; every item is valid. It does not leave out
//! what a node sends. A share or link is a message of the size that its encoding has, forwarded by the mesh's rules over
//! lines that are busy with other messages, and held where its parent or something that it lists has not arrived yet. What
//! goes on evenly (news of messages, questions for tips and unlisted shares) is reckoned and taken off every line.
//!
//! Simplifications, each of which is small against what is measured:
//! - The meshes are settled before the first message and stay as they are; a node that leaves and comes back finds its old
//!   peers, as configured peers are dialled again. Grafts and prunes then cost nothing.
//! - A receiver's line delays a message by its own length only; it is nowhere near full when the senders' lines are not.
//! - Messages that gossip's news bring (`IWANT`), and unlisted shares that a peer's answer names, are counted from the
//!   arrival times afterwards; they do not speed up arrivals.
//! - All miners have the same hash rate, one at each node.
//!
//! ```text
//! wire.rs       what messages weigh: the real encodings, and what the layers below put around them
//! ground.rs     where nodes are, and what lines they have
//! peers.rs      who is connected to whom
//! mesh.rs       who forwards to whom: gossipsub's rules
//! control.rs    what a node sends beside shares and links
//! calendar.rs   what happens when, for a thousand million events
//! wave.rs       one message on its way
//! flood.rs      all messages over the mesh
//! pool.rs       who finds what, and what links list
//! churn.rs      nodes that leave and come back
//! outcome.rs    what is measured
//! cost.rs       a node's disk and memory
//! ```

pub mod calendar;
pub mod churn;
pub mod control;
pub mod cost;
pub mod flood;
pub mod ground;
pub mod mesh;
pub mod outcome;
pub mod peers;
pub mod pool;
pub mod wave;
pub mod wire;

use rand::Rng;
use rand_distr::Exp1;

use super::rng::{SimRng, stream};
use super::time::Micros;
use super::topology::Topology;
use churn::{Churn, Churning};
use control::{Control, Load};
use flood::Flood;
use ground::Ground;
use mesh::{Mesh, MeshRules};
use outcome::{Outcome, Probe};
use peers::{Connections, Graph};
use pool::Pool;
use wave::{Cell, Kind, Wave, WaveId};
use wire::{Sizes, Weight};

/// A pool to be simulated.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Places and lines.
    pub ground: Ground,
    /// Who is connected to whom.
    pub connections: Connections,
    /// Gossipsub's numbers.
    pub rules: MeshRules,
    /// Sizes of messages.
    pub sizes: Sizes,
    /// Seconds between links that the retarget aims at.
    pub link_interval_s: f64,
    /// Shares for each link, links included.
    pub shares_per_link: f64,
    /// How long proofs are found.
    pub duration: Micros,
    /// What a node takes to judge and store an item, and to hand it from task to task.
    pub hop: Micros,
    /// What it takes until devices work on what their node knows.
    pub switch: Micros,
    /// Nodes that leave and come back.
    pub churn: Option<Churn>,
    /// Everything that is drawn is drawn from it.
    pub seed: u64,
}

/// What a hop costs: some 10 us to check and insert a proof (`cargo bench -p sharechain`), some 40 us to write it, and the
/// way through the node's tasks; rounded up.
pub const HOP: Micros = Micros(200);

/// Connections that a node makes itself: the size of the list of peers in its configuration.
pub const OUTBOUND: usize = 8;

impl Setup {
    /// Main's pool with so many nodes, by the mix of places and lines that is assumed everywhere.
    #[must_use]
    pub fn main(nodes: usize, duration: Micros, seed: u64) -> Self {
        let mut rng = stream(seed, "scale connections", 0);
        Self {
            ground: Ground::drawn(nodes, seed),
            connections: Connections::new(&Topology::usual(nodes, OUTBOUND, &mut rng), &mut rng),
            rules: MeshRules::default(),
            sizes: Sizes::main(),
            link_interval_s: 10.0,
            shares_per_link: 32.0,
            duration,
            hop: HOP,
            switch: Micros::from_millis(500),
            churn: None,
            seed,
        }
    }

    /// Proofs found a second.
    #[must_use]
    pub fn proofs_per_s(&self) -> f64 {
        self.shares_per_link / self.link_interval_s
    }

    /// What control traffic is reckoned with: shares and links a second, and shares that wait for the next link. A link
    /// lists what its miner knew when the work was made, so shares wait for an interval or two.
    fn load(&self) -> Load {
        const INTERVALS_PENDING: f64 = 1.5;
        let links_per_s = 1.0 / self.link_interval_s;
        Load {
            per_s: [self.proofs_per_s() - links_per_s, links_per_s],
            pending: INTERVALS_PENDING * self.shares_per_link,
        }
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let meshes =
            [0, 1].map(|topic| Mesh::form(&self.connections, self.rules, &mut stream(self.seed, "scale mesh", topic)));
        let [shares, links] = &meshes;
        let control = control::control(&self.connections, [shares, links], self.rules, &self.sizes, self.load());
        let mut run = Run::new(self, &meshes, &control);
        run.go();
        run.finish(&control)
    }
}

/// A simulation under way.
struct Run<'a> {
    setup: &'a Setup,
    flood: Flood,
    pool: Pool,
    probe: Probe<'a>,
    churning: Option<Churning>,
    mining: SimRng,
    next_found_us: u64,
}

impl<'a> Run<'a> {
    fn new(setup: &'a Setup, meshes: &'a [Mesh; 2], control: &[Control]) -> Self {
        let ground = &setup.ground;
        let graph = |neighbours: &[Vec<u32>]| Graph::new(neighbours, |node, other| ground.way_us(node, other));
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

    /// Runs until nothing is under way and no time is left.
    fn go(&mut self) {
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
        // A node that does not run wastes nobody's draw: its hash rate is missing.
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
            fetched: std::collections::BTreeSet::new(),
            held: std::collections::BTreeSet::new(),
        };
        let id: WaveId = self.flood.publish(wave);
        for forgotten in self.pool.note(&mut self.flood.waves, id, now_us) {
            let wave = &mut self.flood.waves[forgotten as usize];
            // What is still under way somewhere after minutes is kept.
            if wave.under_way == 0 {
                wave.cells = Vec::new();
            }
        }
    }

    fn finish(self, control: &[Control]) -> Outcome {
        let main_links = self.pool.main_links(&self.flood.waves);
        let churn = self.churning.map_or((0, 0), |churning| (churning.leaves, churning.fetched_bytes.iter().sum()));
        self.probe.outcome(&self.flood, control, main_links, churn)
    }
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count_f64(count: usize) -> f64 {
    count as f64
}

/// The next whole number; 0 for what is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn ceil_u32(value: f64) -> u32 {
    value.ceil() as u32
}

#[cfg(test)]
mod tests;
