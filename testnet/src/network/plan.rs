//! The plan of a test network: processes, ports, folders and names, decided before any process starts.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bitcoin::{Address, ScriptBuf};
use node::config::Outputs;

use super::chain::Chain;
use super::payout;
use super::ports::{NoFreePort, Ports};
use crate::limits::LINES_PER_NODE_MAX;
use crate::link::{LinkOptions, node_address};

/// Port for other nodes in a network namespace, where nothing else has it: the node's default.
const NODE_PORT: u16 = 3381;

/// The kind of the nodes' Bitcoin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BitcoinKind {
    /// The one inside this program, which uses Bitcoin Core's engine.
    #[default]
    Embedded,
    /// A real bitcoind.
    Bitcoind,
}

impl BitcoinKind {
    /// Returns the name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Bitcoind => "bitcoind",
        }
    }
}

/// The options of a network.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// Folder of the whole network.
    pub dir: PathBuf,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of miners, spread over the nodes.
    pub miners: usize,
    /// Number of payout addresses of all miners together; at least one each.
    pub payees: usize,
    /// Maximum number of payouts in a coinbase.
    pub outputs: Outputs,
    /// Hashes per second of all miners together.
    pub hashrate_hs: f64,
    /// Milliseconds of artificial delay of a miner on each job, by its name.
    pub delays_ms: BTreeMap<String, u64>,
    /// Kind of the Bitcoin.
    pub bitcoin: BitcoinKind,
    /// The Bitcoin network.
    pub chain: Chain,
    /// Whether nodes find each other by mDNS, without lines that can be cut.
    pub mdns: bool,
    /// Properties of the nodes' lines, if each node has its own network namespace. `None`: all nodes are on loopback.
    pub link: Option<LinkOptions>,
    /// Whether nodes discover each other, knowing only the first one, without lines that can be cut.
    pub discover: bool,
}

#[cfg(test)]
impl NetworkOptions {
    /// A network on loopback, for tests of the plan.
    pub(crate) fn of(nodes: usize, miners: usize) -> Self {
        Self {
            dir: PathBuf::from("nowhere"),
            nodes,
            miners,
            payees: 1,
            outputs: Outputs::Standard,
            hashrate_hs: 400_000.0,
            delays_ms: BTreeMap::new(),
            bitcoin: BitcoinKind::Embedded,
            chain: Chain::Local,
            mdns: false,
            link: None,
            discover: false,
        }
    }
}

/// An error in the options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A delay names a miner that does not exist.
    #[error("there is no miner {name} to delay; the miners are m1 to m{miners}")]
    UnknownMiner {
        /// The unknown name.
        name: String,
        /// Number of miners.
        miners: usize,
    },
    /// A latency names a node that does not exist.
    #[error("there is no node {name} to give a latency; the nodes are {nodes}")]
    UnknownNode {
        /// The unknown name.
        name: String,
        /// Names of the nodes.
        nodes: String,
    },
    /// The embedded Bitcoin has no regtest.
    #[error("regtest needs a real bitcoind; add --bitcoin bitcoind")]
    NoRegtest,
    /// No port is left on this machine.
    #[error(transparent)]
    NoFreePort(#[from] NoFreePort),
}

/// The plan of a whole network.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The network's Bitcoin.
    pub bitcoin: BitcoinPlan,
    /// The nodes, in the order in which they start.
    pub nodes: Vec<NodePlan>,
    /// The lines between nodes.
    pub lines: Vec<LinePlan>,
    /// The miners.
    pub miners: Vec<MinerPlan>,
    /// Properties of the nodes' lines, if each node has its own network namespace.
    pub link: Option<LinkOptions>,
    /// The miner of each script, by its index in `miners`.
    owners: HashMap<ScriptBuf, usize>,
}

/// The Bitcoin of all nodes.
#[derive(Debug, Clone)]
pub struct BitcoinPlan {
    /// Which one.
    pub kind: BitcoinKind,
    /// Its network.
    pub chain: Chain,
    /// Its folder.
    pub dir: PathBuf,
    /// Address of its RPC.
    pub rpc: SocketAddr,
}

impl BitcoinPlan {
    /// Returns the path of its cookie file.
    pub fn cookie_path(&self) -> PathBuf {
        match self.kind {
            BitcoinKind::Embedded => self.dir.join(".cookie"),
            BitcoinKind::Bitcoind => self.dir.join(self.chain.bitcoind_folder()).join(".cookie"),
        }
    }
}

/// One node.
#[derive(Debug, Clone)]
pub struct NodePlan {
    /// `A`, `B` and so on.
    pub name: String,
    /// Its folder, with config, database and log.
    pub dir: PathBuf,
    /// Address for miners.
    pub stratum: SocketAddr,
    /// Address for other nodes, through lines; with a link, in the node's network namespace.
    pub p2p: SocketAddr,
    /// Address of its API.
    pub api: SocketAddr,
    /// Whether it hands out work without a peer. Only the first node does.
    pub new_pool: bool,
    /// Whether it looks for other nodes by mDNS.
    pub mdns: bool,
    /// Whether it discovers other nodes.
    pub discover: bool,
    /// Upload limit to all peers, bytes per second; `None` for the program's default.
    pub max_upload: Option<u64>,
    /// The node that it asks for others if it knows none.
    pub seed: Option<SocketAddr>,
    /// Near ends of its lines.
    pub peers: Vec<SocketAddr>,
    /// Maximum number of payouts in a coinbase of its pool.
    pub outputs: Outputs,
    /// URL of the archive that it streams into.
    pub archive: Option<String>,
}

impl NodePlan {
    /// Its data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Returns whether its data folder has bans in force.
    pub fn has_bans(&self) -> bool {
        !node::bans::load(&self.data_dir()).is_empty()
    }
}

/// A line from a node that dials to one that listens, by their indexes in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePlan {
    /// The dialing node.
    pub from: usize,
    /// The listening node.
    pub to: usize,
    /// Address of the near end; with a link, of the listening node itself.
    pub address: SocketAddr,
}

/// One miner.
#[derive(Debug, Clone)]
pub struct MinerPlan {
    /// `m1`, `m2` and so on.
    pub name: String,
    /// Index of its node in [`Plan::nodes`].
    pub node: usize,
    /// Payout address, the first one if it has several.
    pub address: String,
    /// The script of that address.
    pub script: ScriptBuf,
    /// All its payout addresses. It uses the next one after each share.
    pub addresses: Vec<Address>,
    /// Hashes per second.
    pub hashrate_hs: f64,
    /// Milliseconds of artificial delay on each job.
    pub delay_ms: u64,
}

impl Plan {
    /// Creates the plan. All ports are free at this time.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn new(options: &NetworkOptions) -> Result<Self, PlanError> {
        let (kind, chain) = (options.bitcoin, options.chain);
        if (kind, chain) == (BitcoinKind::Embedded, Chain::Regtest) {
            return Err(PlanError::NoRegtest);
        }
        let mut ports = Ports::new();
        let bitcoin = BitcoinPlan { kind, chain, dir: options.dir.join("bitcoin"), rpc: ports.take()? };
        let lines = lines(options, &mut ports)?;
        let mut nodes = Vec::with_capacity(options.nodes);
        for index in 0..options.nodes {
            let name = node_name(index);
            nodes.push(NodePlan {
                dir: options.dir.join(format!("node-{name}")),
                name,
                stratum: ports.take()?,
                p2p: match options.link {
                    Some(_) => link_address(index),
                    None => ports.take()?,
                },
                api: ports.take()?,
                new_pool: index == 0,
                mdns: options.mdns,
                discover: options.discover,
                max_upload: None,
                seed: nodes.first().filter(|_| options.discover).map(|first: &NodePlan| first.p2p),
                outputs: options.outputs,
                archive: None,
                peers: lines.iter().filter(|line| line.from == index).map(|line| line.address).collect(),
            });
        }
        let unknown = |(name, _): &&(String, _)| nodes.iter().all(|node| node.name != *name);
        if let Some((name, _)) = options.link.iter().flat_map(|link| &link.latency_of).find(unknown) {
            let nodes: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            return Err(PlanError::UnknownNode { name: name.clone(), nodes: nodes.join(", ") });
        }
        let miners = miners(options)?;
        let scripts = |miner: &MinerPlan| miner.addresses.iter().map(Address::script_pubkey).collect::<Vec<_>>();
        let owned =
            miners.iter().enumerate().flat_map(|(index, miner)| scripts(miner).into_iter().map(move |s| (s, index)));
        let owners = owned.collect();
        Ok(Self { bitcoin, nodes, lines, miners, link: options.link.clone(), owners })
    }

    /// Returns the index of the node with this name, in upper or lower case.
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name.eq_ignore_ascii_case(name))
    }

    /// Returns the miner with this payout script.
    pub fn miner_of(&self, script: &bitcoin::Script) -> Option<&MinerPlan> {
        self.miners.get(*self.owners.get(script)?)
    }
}

/// Returns a node's address for other nodes in its network namespace.
fn link_address(index: usize) -> SocketAddr {
    (node_address(index), NODE_PORT).into()
}

/// Returns the lines: with a link, they lead straight to the listening node.
fn lines(options: &NetworkOptions, ports: &mut Ports) -> Result<Vec<LinePlan>, NoFreePort> {
    let mut lines = Vec::new();
    if !options.mdns && !options.discover {
        for (from, to) in line_ends(options.nodes) {
            let address = if options.link.is_some() { link_address(to) } else { ports.take()? };
            lines.push(LinePlan { from, to, address });
        }
    }
    Ok(lines)
}

fn miners(options: &NetworkOptions) -> Result<Vec<MinerPlan>, PlanError> {
    let miners: Vec<MinerPlan> = (0..options.miners)
        .map(|index| {
            let name = format!("m{}", index + 1);
            let numbers = (index..options.payees.max(options.miners)).step_by(options.miners);
            let addresses: Vec<Address> = numbers.map(|number| payout::address(number, options.chain.hrp())).collect();
            let address = addresses[0].clone();
            MinerPlan {
                node: index % options.nodes.max(1),
                script: address.script_pubkey(),
                address: address.to_string(),
                addresses,
                hashrate_hs: options.hashrate_hs / options.miners as f64,
                delay_ms: options.delays_ms.get(&name).copied().unwrap_or(0),
                name,
            }
        })
        .collect();
    match options.delays_ms.keys().find(|name| miners.iter().all(|miner| miner.name != **name)) {
        Some(name) => Err(PlanError::UnknownMiner { name: name.clone(), miners: miners.len() }),
        None => Ok(miners),
    }
}

/// Returns the ends of all lines: every node dials the ones started just before it.
fn line_ends(nodes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..nodes).flat_map(|from| (from.saturating_sub(LINES_PER_NODE_MAX)..from).rev().map(move |to| (from, to)))
}

/// Returns `A` to `Z`.
fn node_name(index: usize) -> String {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or_else(|| format!("N{index}"), |index| char::from(b'A' + index).to_string())
}

/// Returns whether the nodes of one group can all reach each other over lines inside the group.
pub fn is_connected(group: &[usize], lines: &[LinePlan]) -> bool {
    let Some(first) = group.first() else { return true };
    let mut reached = vec![*first];
    let mut looked_at = 0;
    while let Some(node) = reached.get(looked_at).copied() {
        looked_at += 1;
        for line in lines {
            for (near, far) in [(line.from, line.to), (line.to, line.from)] {
                if near == node && group.contains(&far) && !reached.contains(&far) {
                    reached.push(far);
                }
            }
        }
    }
    reached.len() == group.len()
}

/// Returns the folder of the miners' logs.
pub fn miners_dir(dir: &Path) -> PathBuf {
    dir.join("miners")
}

#[cfg(test)]
mod tests;
