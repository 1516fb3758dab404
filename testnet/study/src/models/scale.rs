//! A model of the largest intended pool: each message travels over gossipsub's mesh with its real size.
//!
//! The model leaves out a node's computation: no proof is checked, no payout is selected, every item is valid. It
//! includes all traffic. A share or link is a message with the size of its real encoding. It is forwarded by the mesh's
//! rules, over lines that are busy with other messages, and it is held where its parent or an item that it lists has
//! not arrived yet. Steady traffic (announcements of messages, requests for tips and unlisted shares) is computed and
//! subtracted from every line.
//!
//! Simplifications, each of which is small against the results:
//! - The meshes settle before the first message and do not change. A node that leaves and returns finds its old
//!   peers, because configured peers are redialed. Grafts and prunes then cost nothing.
//! - A receiver's line delays a message by its own length only. It is far from full when the senders' lines are not.
//! - Messages requested after an announcement (`IWANT`), and unlisted shares that a peer's answer names, are counted
//!   from the arrival times afterward. They do not speed up arrivals.
//! - All miners have the same hashrate, one at each node.
//!
//! ```text
//! wire.rs       sizes of messages: the real encodings, and the overhead of the layers below
//! ground.rs     the places and lines of nodes
//! peers.rs      the graph of connections
//! mesh.rs       the graph of forwarding: gossipsub's rules
//! control.rs    a node's other traffic
//! calendar.rs   the event queue, for a billion events
//! wave.rs       one message in transit
//! flood.rs      all messages over the mesh
//! pool.rs       who finds a proof, and what links list
//! churn.rs      nodes that leave and return
//! run.rs        a running simulation
//! probe.rs      measures messages
//! histogram.rs  a histogram of arrival times
//! outcome.rs    the results
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

/// The setup of a simulation.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Places and lines.
    pub ground: Ground,
    /// The graph of connections.
    pub connections: Connections,
    /// Gossipsub's numbers.
    pub rules: MeshRules,
    /// Sizes of messages.
    pub sizes: Sizes,
    /// Intended seconds between links.
    pub link_interval_s: f64,
    /// Shares per link, including the link.
    pub shares_per_link: f64,
    /// Time span in which proofs are found.
    pub duration: Micros,
    /// Time in which a node judges and stores an item, and hands it from task to task.
    pub hop: Micros,
    /// Time until devices work on the node's newest state.
    pub switch: Micros,
    /// Nodes that leave and return.
    pub churn: Option<Churn>,
    /// Seed of all randomness.
    pub seed: u64,
}

/// Time of a hop. Checking and inserting a proof takes some 10 us (`specs/decisions/0004-in-order-sync.md`). The time
/// to write it and to hand it through the node's tasks is an assumption.
pub const HOP: Micros = Micros(200);

/// Number of connections that a node opens itself: the number of peers in its configuration.
pub const OUTBOUND: usize = 8;

impl Setup {
    /// Creates mainnet's pool with this number of nodes, with the usual mix of places and lines.
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

    /// Returns the same setup with nodes that dial this many others.
    #[must_use]
    pub fn dialing(self, outbound: usize) -> Self {
        Self { connections: connections(self.ground.nodes(), outbound, self.seed), ..self }
    }

    /// Returns the proofs found per second.
    #[must_use]
    pub fn proofs_per_s(&self) -> f64 {
        self.shares_per_link / self.link_interval_s
    }

    /// Returns the load that control traffic depends on: shares and links per second, and shares that wait for the next
    /// link. A link lists what its miner knew when the job was built, so shares wait for an interval or two.
    fn load(&self) -> Load {
        const INTERVALS_PENDING: f64 = 1.5;
        let links_per_s = 1.0 / self.link_interval_s;
        Load {
            per_s: [self.proofs_per_s() - links_per_s, links_per_s],
            pending: INTERVALS_PENDING * self.shares_per_link,
        }
    }

    /// Runs the simulation.
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

/// Converts a count to a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count_f64(count: usize) -> f64 {
    count as f64
}

/// Converts a 64-bit count to a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn count_u64(count: u64) -> f64 {
    count as f64
}

/// Rounds up. Negative values give 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn ceil_u32(value: f64) -> u32 {
    value.ceil() as u32
}

#[cfg(test)]
mod tests;
