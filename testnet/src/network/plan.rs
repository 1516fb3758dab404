//! Which processes a test network consists of, with their ports, folders and names: decided before any is started.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bitcoin::ScriptBuf;

use super::payout;
use super::ports::{NoFreePort, Ports};
use crate::limits::LINKS_PER_NODE_MAX;

/// Which Bitcoin the nodes work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BitcoinKind {
    /// The one inside this program, which judges by Bitcoin Core's engine.
    #[default]
    Embedded,
    /// A bitcoind of its own.
    Bitcoind,
}

impl BitcoinKind {
    /// The name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Bitcoind => "bitcoind",
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Folder of the whole network.
    pub dir: PathBuf,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of miners; they go round the nodes.
    pub miners: usize,
    /// Hashes a second of all miners together.
    pub hashrate_hs: f64,
    /// Artificial delay of a miner on each job, by its name, milliseconds.
    pub delays_ms: BTreeMap<String, u64>,
    /// Which Bitcoin.
    pub bitcoin: BitcoinKind,
    /// Whether nodes find each other by mDNS, without links that can be cut.
    pub mdns: bool,
}

/// Why the wishes cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A delay names a miner that does not exist.
    #[error("there is no miner {name} to delay; the miners are m1 to m{miners}")]
    UnknownMiner {
        /// The name.
        name: String,
        /// How many there are.
        miners: usize,
    },
    /// The machine has no port left.
    #[error(transparent)]
    NoFreePort(#[from] NoFreePort),
}

/// The whole network.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its Bitcoin.
    pub bitcoin: BitcoinPlan,
    /// The nodes, in the order in which they start.
    pub nodes: Vec<NodePlan>,
    /// The lines between nodes.
    pub links: Vec<LinkPlan>,
    /// The miners.
    pub miners: Vec<MinerPlan>,
}

/// The Bitcoin all nodes share.
#[derive(Debug, Clone)]
pub struct BitcoinPlan {
    /// Which one.
    pub kind: BitcoinKind,
    /// Its folder.
    pub dir: PathBuf,
    /// Where its RPC listens.
    pub rpc: SocketAddr,
}

impl BitcoinPlan {
    /// The file with its RPC credentials.
    pub fn cookie_path(&self) -> PathBuf {
        match self.kind {
            BitcoinKind::Embedded => self.dir.join(".cookie"),
            BitcoinKind::Bitcoind => self.dir.join("signet").join(".cookie"),
        }
    }
}

/// One node.
#[derive(Debug, Clone)]
pub struct NodePlan {
    /// `A`, `B` and so on.
    pub name: String,
    /// Its folder: config, database, log.
    pub dir: PathBuf,
    /// Where miners connect.
    pub stratum: SocketAddr,
    /// Where other nodes connect, through links.
    pub p2p: SocketAddr,
    /// Where its API answers.
    pub api: SocketAddr,
    /// Whether it hands out work without a peer: only the first one.
    pub new_pool: bool,
    /// Whether it looks for others by mDNS.
    pub mdns: bool,
    /// The near ends of its links.
    pub peers: Vec<SocketAddr>,
}

/// A line from a node that dials to one that listens, by their places in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkPlan {
    /// Who dials.
    pub from: usize,
    /// Who listens.
    pub to: usize,
    /// The near end.
    pub address: SocketAddr,
}

/// One miner.
#[derive(Debug, Clone)]
pub struct MinerPlan {
    /// `m1`, `m2` and so on.
    pub name: String,
    /// Its node's place in [`Plan::nodes`].
    pub node: usize,
    /// Where it is paid.
    pub address: String,
    /// The script of that address.
    pub script: ScriptBuf,
    /// Hashes a second.
    pub hashrate_hs: f64,
    /// Artificial delay on each job, milliseconds.
    pub delay_ms: u64,
}

impl Plan {
    /// Makes the plan; ports are checked to be free now.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(wishes: &Wishes) -> Result<Self, PlanError> {
        let mut ports = Ports::new();
        let bitcoin = BitcoinPlan { kind: wishes.bitcoin, dir: wishes.dir.join("bitcoin"), rpc: ports.take()? };
        let mut links = Vec::new();
        if !wishes.mdns {
            for (from, to) in line_ends(wishes.nodes) {
                links.push(LinkPlan { from, to, address: ports.take()? });
            }
        }
        let mut nodes = Vec::with_capacity(wishes.nodes);
        for index in 0..wishes.nodes {
            let name = node_name(index);
            nodes.push(NodePlan {
                dir: wishes.dir.join(format!("node-{name}")),
                name,
                stratum: ports.take()?,
                p2p: ports.take()?,
                api: ports.take()?,
                new_pool: index == 0,
                mdns: wishes.mdns,
                peers: links.iter().filter(|link| link.from == index).map(|link| link.address).collect(),
            });
        }
        Ok(Self { bitcoin, nodes, links, miners: miners(wishes)? })
    }

    /// The place of the node with this name, in either case.
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name.eq_ignore_ascii_case(name))
    }

    /// The miner that is paid to this script.
    pub fn miner_of(&self, script: &bitcoin::Script) -> Option<&MinerPlan> {
        self.miners.iter().find(|miner| miner.script.as_script() == script)
    }
}

fn miners(wishes: &Wishes) -> Result<Vec<MinerPlan>, PlanError> {
    let miners: Vec<MinerPlan> = (0..wishes.miners)
        .map(|index| {
            let name = format!("m{}", index + 1);
            let address = payout::address(index);
            MinerPlan {
                node: index % wishes.nodes.max(1),
                script: address.script_pubkey(),
                address: address.to_string(),
                hashrate_hs: wishes.hashrate_hs / wishes.miners as f64,
                delay_ms: wishes.delays_ms.get(&name).copied().unwrap_or(0),
                name,
            }
        })
        .collect();
    match wishes.delays_ms.keys().find(|name| miners.iter().all(|miner| miner.name != **name)) {
        Some(name) => Err(PlanError::UnknownMiner { name: name.clone(), miners: miners.len() }),
        None => Ok(miners),
    }
}

/// Every node dials the ones started just before it.
fn line_ends(nodes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..nodes).flat_map(|from| (from.saturating_sub(LINKS_PER_NODE_MAX)..from).rev().map(move |to| (from, to)))
}

/// `A` to `Z`.
fn node_name(index: usize) -> String {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or_else(|| format!("N{index}"), |index| char::from(b'A' + index).to_string())
}

/// Whether the nodes of one group can all reach each other over links inside the group.
pub fn is_connected(group: &[usize], links: &[LinkPlan]) -> bool {
    let Some(first) = group.first() else { return true };
    let mut reached = vec![*first];
    let mut looked_at = 0;
    while let Some(node) = reached.get(looked_at).copied() {
        looked_at += 1;
        for link in links {
            for (near, far) in [(link.from, link.to), (link.to, link.from)] {
                if near == node && group.contains(&far) && !reached.contains(&far) {
                    reached.push(far);
                }
            }
        }
    }
    reached.len() == group.len()
}

/// The folder of the miners' logs.
pub fn miners_dir(dir: &Path) -> PathBuf {
    dir.join("miners")
}

#[cfg(test)]
mod tests;
