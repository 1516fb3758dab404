//! The processes of a test network, and the lines between its nodes.

mod bitcoin;
mod chain;
mod guard;
mod line;
mod miner;
mod node;
mod payout;
mod plan;
mod ports;
mod process;
mod wires;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::link::{Hosts, LinkError};
use wires::Wires;

pub use bitcoin::{BitcoinArgs, BitcoinError, run as run_bitcoin};
pub use chain::Chain;
pub use guard::{GuardArgs, GuardError, LastSignal, run as run_guard};
pub use line::Line;
pub use miner::{MinerArgs, journal_path, run as run_miner};
pub use node::{NodeError, shoal_program};
pub(crate) use payout::address as payout_address;
pub use plan::{
    BitcoinKind, BitcoinPlan, LinePlan, MinerPlan, NetworkOptions, NodePlan, Plan, PlanError, is_connected, miners_dir,
};
pub use ports::NoFreePort;
pub(crate) use ports::Ports;
pub use process::{Process, ProcessError, Spec, own_program, without_settings};

/// An error of a network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The network's Bitcoin does not run.
    #[error(transparent)]
    Bitcoin(#[from] BitcoinError),
    /// A node does not run.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A miner does not run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The link between the nodes cannot be created.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A line cannot be opened.
    #[error("cannot listen on {address} for a line between two nodes")]
    Line {
        /// Address of its near end.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// A folder cannot be created.
    #[error("cannot create the folder {path}")]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The state of a node's process.
#[derive(Debug)]
enum NodeProcess {
    /// It has not been started yet.
    Waiting,
    /// It ran when it was last checked.
    Running(Box<Process>),
    /// It was killed on purpose.
    Killed,
    /// It exited on its own.
    Ended,
}

/// The state of a node's process, for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeCondition {
    /// It has not been started yet.
    Waiting,
    /// It runs.
    Running,
    /// It was killed on purpose.
    Killed,
    /// It exited on its own, which is an error.
    Ended,
}

/// A running test network. Dropping it kills every process.
#[derive(Debug)]
pub struct Network {
    plan: Plan,
    bitcoin: Process,
    wires: Wires,
    nodes: Vec<NodeProcess>,
    /// Running miners, each with its index in [`Plan::miners`].
    miners: Vec<(usize, Process)>,
}

impl Network {
    /// Starts the Bitcoin, opens the lines, and starts nodes and miners. The last `late` nodes wait for
    /// [`Network::restart`].
    ///
    /// Call it on the main thread; see [`Process::start`].
    ///
    /// # Errors
    /// [`NetworkError`]. All started processes are gone in that case.
    pub async fn start(plan: Plan, late: usize) -> Result<Self, NetworkError> {
        let miners_dir = miners_dir(plan.bitcoin.dir.parent().unwrap_or(&plan.bitcoin.dir));
        std::fs::create_dir_all(&miners_dir)
            .map_err(|source| NetworkError::Folder { path: miners_dir.clone(), source })?;
        for node in &plan.nodes {
            node::prepare(node, &plan.bitcoin)?;
        }
        let bitcoin = bitcoin::start(&plan.bitcoin).await?;
        let wires = Wires::start(&plan).await?;
        let on_time = plan.nodes.len().saturating_sub(late);
        let mut nodes = Vec::with_capacity(plan.nodes.len());
        for (index, node) in plan.nodes.iter().enumerate() {
            let start =
                || node::start(node, wires.namespace(index)).map(|process| NodeProcess::Running(Box::new(process)));
            nodes.push(if index < on_time { start()? } else { NodeProcess::Waiting });
        }
        let mut miners = Vec::with_capacity(plan.miners.len());
        for (index, miner) in plan.miners.iter().enumerate() {
            miners.push((index, miner::start(miner, &plan.nodes[miner.node], &miners_dir)?));
        }
        Ok(Self { plan, bitcoin, wires, nodes, miners })
    }

    /// Returns the plan of the network.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the hosts of the link between the nodes, if there is one: the nodes in the plan's order, then guests.
    pub fn hosts(&self) -> Option<&Hosts> {
        self.wires.hosts()
    }

    /// Returns the state of a node's process.
    pub fn condition(&self, node: usize) -> NodeCondition {
        match &self.nodes[node] {
            NodeProcess::Waiting => NodeCondition::Waiting,
            NodeProcess::Running(_) => NodeCondition::Running,
            NodeProcess::Killed => NodeCondition::Killed,
            NodeProcess::Ended => NodeCondition::Ended,
        }
    }

    /// Returns whether a node runs.
    pub fn is_running(&self, node: usize) -> bool {
        self.condition(node) == NodeCondition::Running
    }

    /// Returns the process id of a node, if it runs.
    pub fn node_pid(&self, node: usize) -> Option<u32> {
        match &self.nodes[node] {
            NodeProcess::Running(process) => process.pid(),
            _ => None,
        }
    }

    /// Returns a sentence for each process that has exited on its own since the last call, and whether the network
    /// cannot continue.
    pub fn notice_ends(&mut self) -> (Vec<String>, bool) {
        let mut sentences = Vec::new();
        for (node, plan) in self.nodes.iter_mut().zip(&self.plan.nodes) {
            if let NodeProcess::Running(process) = node
                && let Some(status) = process.ended()
            {
                sentences.push(format!(
                    "node {} exited by itself ({status}); see {}",
                    plan.name,
                    process.log().display()
                ));
                *node = NodeProcess::Ended;
            }
        }
        let mut ended = Vec::new();
        self.miners.retain_mut(|(_, miner)| match miner.ended() {
            None => true,
            Some(status) => {
                ended.push(format!("{} exited by itself ({status}); see {}", miner.name(), miner.log().display()));
                false
            }
        });
        sentences.append(&mut ended);
        let bitcoin = self.bitcoin.ended();
        if let Some(status) = bitcoin {
            sentences.push(format!("the network's Bitcoin exited ({status}); see {}", self.bitcoin.log().display()));
        }
        (sentences, bitcoin.is_some())
    }

    /// Kills a node, like `kill -9`. Returns whether it ran.
    pub async fn kill(&mut self, node: usize) -> bool {
        match std::mem::replace(&mut self.nodes[node], NodeProcess::Killed) {
            NodeProcess::Running(mut process) => {
                process.kill().await;
                true
            }
            other => {
                self.nodes[node] = other;
                false
            }
        }
    }

    /// Starts a node that was killed, has exited or has not been started. A running node is stopped first.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self, node: usize) -> Result<(), NodeError> {
        if let NodeProcess::Running(process) = &mut self.nodes[node] {
            process.stop().await;
        }
        let process = node::start(&self.plan.nodes[node], self.wires.namespace(node))?;
        self.nodes[node] = NodeProcess::Running(Box::new(process));
        Ok(())
    }

    /// Restarts a node without its bans and its address book.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub async fn restart_forgetful(&mut self, node: usize) -> Result<(), NodeError> {
        if let NodeProcess::Running(mut process) = std::mem::replace(&mut self.nodes[node], NodeProcess::Killed) {
            process.stop().await;
        }
        node::forget_peers(&self.plan.nodes[node])?;
        self.restart(node).await
    }

    /// Cuts every line between nodes of different groups, and restores all others.
    pub fn partition(&mut self, groups: &[Vec<usize>]) {
        self.wires.partition(&self.plan, groups);
    }

    /// Restores all lines.
    pub fn heal(&mut self) {
        self.wires.partition(&self.plan, &[]);
    }

    /// Stops the miners after their sent proofs have been answered.
    pub async fn stop_miners(&mut self) {
        let miners = std::mem::take(&mut self.miners);
        Self::stop_these(miners).await;
    }

    /// Stops all miners except the strongest one whose node runs.
    pub async fn stop_miners_but_one(&mut self) {
        let plans = &self.plan.miners;
        let on_running = |(index, _): &&(usize, Process)| self.is_running(plans[*index].node);
        let hashrate = |index: usize| plans[index].hashrate_hs;
        let strongest =
            self.miners.iter().filter(on_running).max_by(|a, b| hashrate(a.0).total_cmp(&hashrate(b.0))).map(|m| m.0);
        let (kept, stopped) =
            std::mem::take(&mut self.miners).into_iter().partition(|(index, _)| Some(*index) == strongest);
        self.miners = kept;
        Self::stop_these(stopped).await;
    }

    async fn stop_these(miners: Vec<(usize, Process)>) {
        for (_, miner) in &miners {
            miner.ask_to_stop();
        }
        for (_, mut miner) in miners {
            miner.stop().await;
        }
    }

    /// Stops all processes, nodes before the Bitcoin they use.
    pub async fn stop(mut self) {
        self.stop_miners().await;
        let mut running = Vec::new();
        for node in self.nodes.drain(..) {
            if let NodeProcess::Running(process) = node {
                process.ask_to_stop();
                running.push(process);
            }
        }
        for mut process in running {
            process.stop().await;
        }
        self.bitcoin.stop().await;
    }
}
