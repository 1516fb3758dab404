//! The end of a run: the nodes settle, and the report is gathered.

use std::time::Instant;

use bitcoin::hex::FromHex;

use super::UpError;
use super::archive::{Archive, Compared};
use super::session::Session;
use crate::api_client::Api;
use crate::limits::SETTLE_MAX;
use crate::network::{NodeCondition, miners_dir};
use crate::report::{GatherError, LinkReport, Report, Sources, gather};

/// Version of the report's format.
const REPORT_VERSION: u32 = 1;

impl Session {
    /// Lets the nodes agree, gathers the report, and writes it.
    pub(super) async fn report(&mut self) -> Result<(), UpError> {
        let Some(path) = self.options.report.clone() else { return Ok(()) };
        let mined_s = self.started.elapsed().as_secs();
        self.note("mining has stopped; waiting for the nodes to agree".to_owned());
        self.network.stop_miners_but_one().await;
        self.decide().await;
        self.network.stop_miners().await;
        self.settle().await;
        let conditions: Vec<NodeCondition> =
            (0..self.view.nodes.len()).map(|index| self.network.condition(index)).collect();
        let gathered = gather(&Sources {
            plan: self.network.plan(),
            conditions: &conditions,
            rss_bytes: self.memory.bytes(),
            rpc: &self.rpc,
            miners_dir: &miners_dir(&self.options.network.dir),
            share_work_max: self.observer.last().share_work_max,
        })
        .await?;
        let report = Report {
            version: REPORT_VERSION,
            consensus_id: gathered.consensus_id,
            bitcoin: self.options.network.bitcoin.as_str(),
            network: self.options.network.chain.as_str(),
            mined_s,
            first_block_s: self.first_block_s,
            first_shared_block_s: self.first_shared_block_s,
            link: self.link_report(),
            partition: self.view.partition.clone(),
            nodes: gathered.nodes,
            miners: gathered.miners,
            blocks: gathered.blocks,
            shares: gathered.shares,
            events: self.view.notes.iter().rev().cloned().collect(),
        };
        let write_error = |source| UpError::Write { path: path.clone(), source };
        let text = serde_json::to_string_pretty(&report).map_err(|error| write_error(error.into()))?;
        std::fs::write(&path, text + "\n").map_err(write_error)?;
        self.note(format!("report written to {}", path.display()));
        Ok(())
    }

    /// Stops mining, and waits until the archive has all data of the nodes. Returns the data for the comparison.
    pub(super) async fn fill(&mut self, archive: &Archive) -> Result<Compared, UpError> {
        self.note("waiting for the archive to have everything".to_owned());
        self.network.stop_miners().await;
        self.settle().await;
        let nodes = self.network.plan().nodes.iter().enumerate();
        let nodes: Vec<_> = nodes.map(|(index, node)| (node.clone(), self.network.is_running(index))).collect();
        let running = || nodes.iter().filter(|(_, ran)| *ran).map(|(node, _)| node);
        archive.wait_for(running()).await?;
        let Some(first) = running().next() else { return Err(UpError::Ended("no node runs at the end".to_owned())) };
        let status = Api::new(first.api).status().await.map_err(GatherError::from)?;
        let consensus_id = <[u8; 32]>::from_hex(&status.consensus_id);
        let consensus_id = consensus_id.map_err(|_| UpError::Ended("a node has no consensus id".to_owned()))?;
        Ok(Compared { nodes, consensus_id })
    }

    /// Describes the lines, if they are not loopback.
    fn link_report(&self) -> Option<LinkReport> {
        let plan = self.network.plan();
        let (link, hosts, watcher) = (plan.link.as_ref()?, self.network.hosts()?, self.watcher.as_ref()?);
        Some(LinkReport::new(plan, link, hosts.traffic(), &watcher.passages()))
    }

    /// Waits until all running nodes have the same tip, or for [`SETTLE_MAX`]. Of two links with the same weight, each
    /// node keeps the one that it saw first (SC-501) until another link decides. So one miner must continue. A single
    /// one causes no new tie.
    async fn decide(&mut self) {
        let deadline = Instant::now() + SETTLE_MAX;
        // The first observation may be older than the stop of the other miners.
        let _ = self.look().await;
        while Instant::now() < deadline {
            let Some(states) = self.look().await else { return };
            if states.windows(2).all(|pair| pair[0].tip == pair[1].tip) {
                return;
            }
        }
    }

    /// Waits until all running nodes report the same state twice in a row, or for [`SETTLE_MAX`].
    async fn settle(&mut self) {
        let deadline = Instant::now() + SETTLE_MAX;
        let mut before: Option<Vec<NodeState>> = None;
        while Instant::now() < deadline {
            let Some(now) = self.look().await else { return };
            let is_one = now.windows(2).all(|pair| pair[0] == pair[1]);
            if is_one && before.as_ref() == Some(&now) {
                return;
            }
            before = Some(now);
        }
    }

    /// Returns the next observation of the running nodes. `None` if the observer has stopped.
    async fn look(&mut self) -> Option<Vec<NodeState>> {
        let seen = tokio::time::timeout(SETTLE_MAX, self.observer.next()).await.ok()?;
        self.take_in(&seen);
        let rows = self.view.nodes.iter().filter(|node| node.condition == NodeCondition::Running);
        Some(rows.map(|node| NodeState { tip: node.tip.clone(), pending: node.pending }).collect())
    }
}

/// The state that agreeing nodes share.
#[derive(Debug, PartialEq, Eq)]
struct NodeState {
    tip: String,
    pending: u64,
}
