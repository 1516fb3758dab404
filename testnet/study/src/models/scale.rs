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
//! run.rs        a simulation under way
//! probe.rs      takes the measure of messages
//! histogram.rs  how long messages take, counted
//! outcome.rs    what was measured
//! cost.rs       a node's disk and memory
//! ```

pub mod calendar;
pub mod churn;
pub mod control;
pub mod cost;
pub mod flood;
pub mod ground;
pub mod histogram;
pub mod mesh;
pub mod outcome;
pub mod peers;
pub mod pool;
pub mod probe;
mod run;
pub mod wave;
pub mod wire;

use churn::Churn;
use control::Load;
use ground::Ground;
use mesh::{Mesh, MeshRules};
use outcome::Outcome;
use peers::Connections;
use run::Run;
use sim::rng::stream;
use sim::time::Micros;
use sim::topology::Topology;
use wire::Sizes;

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

/// What a hop costs: some 10 us to check and insert a proof (`specs/decisions/0004-in-order-sync.md`). What it takes to
/// write it and to hand it through the node's tasks is an assumption.
pub const HOP: Micros = Micros(200);

/// Connections that a node makes itself: the size of the list of peers in its configuration.
pub const OUTBOUND: usize = 8;

impl Setup {
    /// Main's pool with so many nodes, by the mix of places and lines that is assumed everywhere.
    #[must_use]
    pub fn main(nodes: usize, duration: Micros, seed: u64) -> Self {
        Self {
            ground: Ground::drawn(nodes, seed),
            connections: connections(nodes, OUTBOUND, seed),
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

    /// The same with nodes that dial so many others.
    #[must_use]
    pub fn dialling(self, outbound: usize) -> Self {
        Self { connections: connections(self.ground.nodes(), outbound, self.seed), ..self }
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

fn connections(nodes: usize, outbound: usize, seed: u64) -> Connections {
    let mut rng = stream(seed, "scale connections", 0);
    Connections::new(&Topology::usual(nodes, outbound, &mut rng), &mut rng)
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count_f64(count: usize) -> f64 {
    count as f64
}

/// The same of 64 bits.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count_u64(count: u64) -> f64 {
    count as f64
}

/// The next whole number; 0 for what is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn ceil_u32(value: f64) -> u32 {
    value.ceil() as u32
}

#[cfg(test)]
mod tests;
