//! What a simulation is of, as a TOML file: nodes, miners, constants, faults. Plain data; [`Scenario::draw`] makes of it
//! and a seed what a world is built from.
//!
//! ```text
//! nodes.rs      groups of nodes: place, line, clock, devices, bitcoind
//! miners.rs     groups of miners: hash rate, hours, strategy
//! constants.rs  constants of the protocol other than main's
//! fault.rs      what goes wrong, and when
//! check.rs      what a scenario must be, and errors that say so
//! draw.rs       everything that the seed decides
//! random.rs     small random scenarios
//! shrink.rs     smaller variants of one
//! ```

mod check;
mod constants;
mod draw;
mod fault;
mod miners;
mod nodes;
mod random;
mod shrink;

use serde::{Deserialize, Serialize};

pub use check::ScenarioError;
pub use constants::Constants;
pub use draw::{Drawn, DrawnMiner, DrawnNode};
pub use fault::{Claim, Fault, Who};
pub use miners::{Hours, Miners, STRATEGIES};
pub use nodes::Nodes;

/// What a simulation is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A name, for people.
    pub name: String,
    /// How long it lasts, simulated seconds.
    pub duration_s: f64,
    /// The pool as a whole.
    #[serde(default)]
    pub pool: Pool,
    /// Constants of the protocol that differ from main's.
    #[serde(default)]
    pub constants: Constants,
    /// Groups of nodes.
    pub nodes: Vec<Nodes>,
    /// Groups of miners.
    pub miners: Vec<Miners>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// The pool as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Hashes a second of the simulated world that miners' parts are parts of. Proof of work is real at this small rate.
    pub hashrate_hs: f64,
    /// The pool's part of Bitcoin's hash rate, above 0 and at most 1.
    pub bitcoin_part: f64,
    /// One way between any two nodes, milliseconds; left out, it depends on their cities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_ms: Option<f64>,
    /// Connections that each node opens; everyone is connected with everyone among 12 nodes or fewer.
    pub connections: u32,
}

impl Default for Pool {
    /// 128 hashes a second make 3.2 shares a second at 40 hashes each; 20% of Bitcoin; distances of cities; eight
    /// connections, as many as a gossip mesh wants.
    fn default() -> Self {
        Self { hashrate_hs: 128.0, bitcoin_part: 0.2, distance_ms: None, connections: 8 }
    }
}

impl Scenario {
    /// Reads a scenario and checks it.
    ///
    /// # Errors
    /// It is no TOML, has a field that there is not, or one with a value that it cannot have; the error says where, and
    /// what is allowed.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The scenario as a file that [`Scenario::parse`] reads.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("its maps have strings as keys, and its fields are plain values")
    }

    /// Number of all nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.iter().map(|group| group.count as usize).sum()
    }
}

#[cfg(test)]
mod tests;
