//! The input of a simulation, as a TOML file: nodes, miners, constants, faults. It is plain data. [`Scenario::draw`]
//! draws with a seed all values from which a world is built.
//!
//! ```text
//! nodes.rs      groups of nodes: place, line, clock, devices, bitcoind
//! miners.rs     groups of miners: hashrate, hours, strategy
//! constants.rs  protocol constants that differ from mainnet
//! fault.rs      faults and their times
//! check.rs      validation, and its errors
//! draw.rs       all values that the seed determines
//! random.rs     small random scenarios
//! shrink.rs     smaller variants of a scenario
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

/// A simulation's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A name, for readers.
    pub name: String,
    /// Simulated seconds.
    pub duration_s: f64,
    /// The pool as a whole.
    #[serde(default)]
    pub pool: Pool,
    /// Protocol constants that differ from mainnet.
    #[serde(default)]
    pub constants: Constants,
    /// Groups of nodes.
    pub nodes: Vec<Nodes>,
    /// Groups of miners.
    pub miners: Vec<Miners>,
    /// The faults.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// The pool as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Hashrate of the pool in the simulated world, in hashes per second. Miners have parts of it. Proof of work is
    /// real at this small rate.
    pub hashrate_hs: f64,
    /// The pool's part of Bitcoin's hashrate, above 0 and at most 1.
    pub bitcoin_part: f64,
    /// One-way milliseconds between any two nodes. By default, they depend on the nodes' cities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_ms: Option<f64>,
    /// Number of connections that each node opens. With 12 nodes or fewer, all nodes are connected with each other.
    pub connections: u32,
}

impl Default for Pool {
    /// 128 hashes per second make 3.2 shares per second at 40 hashes each. The pool has 20% of Bitcoin's hashrate,
    /// cities determine distances, and eight connections suffice for a gossip mesh.
    fn default() -> Self {
        Self { hashrate_hs: 128.0, bitcoin_part: 0.2, distance_ms: None, connections: 8 }
    }
}

impl Scenario {
    /// Reads a scenario and validates it.
    ///
    /// # Errors
    /// If the text is not valid TOML, or has an unknown field or an invalid value. The error names the field and the
    /// allowed values.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Returns the scenario as a file that [`Scenario::parse`] reads.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("its maps have strings as keys, and its fields are plain values")
    }

    /// Returns the number of all nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.iter().map(|group| group.count as usize).sum()
    }
}

#[cfg(test)]
mod tests;
