//! The loop of a running network, which handles all events one after the other.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::archive::Archive;
use super::follow::{ChainBlock, Follower};
use super::memory::Memory;
use super::observe::{Observation, Observer};
use super::shown::Shown;
use super::stops::Stops;
use super::{Options, UpError};
use crate::api_client::Api;
use crate::faults::Call;
use crate::network::{Network, NodePlan};
use crate::report::payouts;
use crate::rpc::Rpc;
use crate::table::{BlockRow, Key, NodeRow, Payee, View, block_line};
use crate::watch::Watcher;

/// Pause between two checks of processes and clock.
const TICK: Duration = Duration::from_millis(250);

/// Number of attempts to ask the nodes for the finder of a block.
const FINDER_ATTEMPTS: usize = 5;
/// Pause between these attempts.
const FINDER_PAUSE: Duration = Duration::from_millis(100);

/// The reason why the loop ended.
#[derive(Debug)]
enum End {
    /// It was stopped, or enough blocks were found.
    Wanted,
    /// The time is over.
    TimeOver,
    /// The network cannot continue.
    Broken(String),
}

/// A running network and its tasks.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) options: Options,
    pub(super) network: Network,
    pub(super) rpc: Rpc,
    pub(super) view: View,
    pub(super) memory: Memory,
    pub(super) observer: Observer,
    /// Only with a link.
    pub(super) watcher: Option<Watcher>,
    pub(super) shown: Shown,
    pub(super) stops: Stops,
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) started: Instant,
    pub(super) late_node: Option<Duration>,
    pub(super) first_block_s: Option<u64>,
    pub(super) first_shared_block_s: Option<u64>,
}

impl Session {
    pub(super) fn new(
        options: Options,
        network: Network,
        shown: Shown,
        stops: Stops,
        calls: mpsc::Receiver<Call>,
    ) -> Self {
        let plan = network.plan();
        let row = |(index, node): (usize, &NodePlan)| NodeRow {
            name: node.name.clone(),
            condition: network.condition(index),
            answers: false,
            tip: String::new(),
            height: 0,
            peers: 0,
            hashrate_hs: 0.0,
            shares: 0,
            pending: 0,
            refused: 0,
            rss_bytes: 0,
            no_work: None,
            pages: format!("http://{}/", node.api),
        };
        let view = View {
            bitcoin: plan.bitcoin.kind.as_str().to_owned(),
            dir: options.network.dir.display().to_string(),
            running_s: 0,
            link: plan.link.as_ref().map(ToString::to_string),
            archive: None,
            partition: None,
            miners: plan.miners.iter().map(|miner| miner.name.clone()).collect(),
            nodes: plan.nodes.iter().enumerate().map(row).collect(),
            blocks_found: 0,
            blocks: VecDeque::new(),
            notes: VecDeque::new(),
        };
        Self {
            rpc: Rpc::new(plan.bitcoin.rpc, plan.bitcoin.cookie_path()),
            memory: Memory::new(plan.nodes.len()),
            observer: Observer::start(plan.nodes.iter().map(|node| Api::new(node.api)).collect()),
            watcher: plan.link.is_some().then(|| Watcher::start(plan.nodes.iter().map(|node| node.api))),
            late_node: options.late_node,
            options,
            network,
            view,
            shown,
            stops,
            calls,
            started: Instant::now(),
            first_block_s: None,
            first_shared_block_s: None,
        }
    }

    /// Runs until an end, writes the report, and stops every process.
    pub(super) async fn run(mut self, archive: Option<Archive>) -> Result<(), UpError> {
        for node in &self.view.nodes {
            self.shown.line(&format!("pages of node {}: {}", node.name, node.pages));
        }
        let end = self.watch().await;
        let reported = match (&end, &self.options.report) {
            (Ok(End::Wanted | End::TimeOver), Some(_)) => self.report().await,
            _ => Ok(()),
        };
        let compared = match (&end, &archive) {
            (Ok(End::Wanted | End::TimeOver), Some(archive)) => Some(self.fill(archive).await),
            _ => None,
        };
        self.note("stopping".to_owned());
        self.network.stop().await;
        reported?;
        if let Some((archive, compared)) = archive.zip(compared) {
            let shares = archive.compare(&compared?).await?;
            self.shown.line(&format!("the archive has all {shares} shares of the nodes, each once"));
        }
        match (end?, self.options.exit_after_blocks) {
            (End::Broken(sentence), _) => Err(UpError::Ended(sentence)),
            (End::TimeOver, Some(wanted)) if self.view.blocks_found < wanted => {
                let seconds = self.started.elapsed().as_secs();
                Err(UpError::TooFewBlocks { found: self.view.blocks_found, wanted, seconds })
            }
            _ => Ok(()),
        }
    }

    async fn watch(&mut self) -> Result<End, UpError> {
        let mut follower = Follower::start(self.rpc.clone(), self.network.plan().bitcoin.chain.premined());
        let mut ticks = tokio::time::interval(TICK);
        let mut end = None;
        while end.is_none() {
            tokio::select! {
                _ = ticks.tick() => end = self.tick().await,
                seen = self.observer.next() => self.take_in(&seen),
                found = follower.next() => end = self.found(&found).await,
                Some(call) = self.calls.recv() => end = self.serve(call).await.then_some(End::Wanted),
                key = self.shown.key() => end = (key == Key::Stop).then_some(End::Wanted),
                () = self.stops.wait() => end = Some(End::Wanted),
            }
            self.shown.draw(&self.view).map_err(UpError::Terminal)?;
        }
        Ok(end.unwrap_or(End::Wanted))
    }

    /// Checks clock and processes.
    async fn tick(&mut self) -> Option<End> {
        let elapsed = self.started.elapsed();
        self.view.running_s = elapsed.as_secs();
        if self.late_node.is_some_and(|late| elapsed >= late) {
            self.late_node = None;
            let last = self.view.nodes.len().saturating_sub(1);
            let sentence = self.start_node(last).await.unwrap_or_else(|sentence| sentence);
            self.note(sentence);
        }
        let (ended, is_broken) = self.network.notice_ends();
        for sentence in &ended {
            self.note(sentence.clone());
        }
        for (index, node) in self.view.nodes.iter_mut().enumerate() {
            node.condition = self.network.condition(index);
        }
        if is_broken {
            return Some(End::Broken(ended.last().cloned().unwrap_or_default()));
        }
        self.options.duration.is_some_and(|duration| elapsed >= duration).then_some(End::TimeOver)
    }

    /// Handles an observation.
    pub(super) fn take_in(&mut self, seen: &Observation) {
        let pids = (0..self.view.nodes.len()).map(|index| self.network.node_pid(index));
        self.memory.measure(pids);
        let rows = self.view.nodes.iter_mut().zip(&seen.nodes).zip(self.memory.bytes());
        for ((row, status), (rss_bytes, _)) in rows {
            row.rss_bytes = *rss_bytes;
            row.answers = status.is_some();
            let Some(status) = status else { continue };
            row.tip = status.tip.clone();
            row.height = status.height;
            row.peers = status.peers;
            row.hashrate_hs = status.hashrate.local_hs;
            row.shares = status.shares.found_total;
            row.pending = status.shares.pending;
            row.refused = status.shares.refused_total;
            row.no_work = status.no_work_because.clone();
        }
    }

    /// Handles a found block.
    async fn found(&mut self, found: &ChainBlock) -> Option<End> {
        let plan = self.network.plan();
        let outputs = payouts(&found.coinbase);
        let name = |script: &bitcoin::Script| match plan.miner_of(script) {
            Some(miner) => miner.name.clone(),
            None => script.to_hex_string(),
        };
        let mut payees: Vec<Payee> = Vec::new();
        for output in &outputs {
            let name = name(&output.script);
            match payees.iter_mut().find(|payee| payee.name == name) {
                Some(payee) => payee.value_sat += output.value_sat,
                None => payees.push(Payee { name, value_sat: output.value_sat }),
            }
        }
        let row = BlockRow {
            height: found.height,
            hash: found.hash.clone(),
            finder: self.finder(&found.hash).await,
            at_s: self.started.elapsed().as_secs(),
            value_sat: payees.iter().map(|payee| payee.value_sat).sum(),
            outputs: outputs.len(),
            payees,
        };
        self.first_block_s.get_or_insert(row.at_s);
        if row.outputs > 1 {
            self.first_shared_block_s.get_or_insert(row.at_s);
        }
        self.shown.line(&format!("{:>5}s  {}", row.at_s, block_line(&row)));
        self.view.push_block(row);
        let wanted = self.options.exit_after_blocks;
        wanted.is_some_and(|wanted| self.view.blocks_found >= wanted).then_some(End::Wanted)
    }

    /// Returns the miner and node that found a block. Bitcoin may know it before any node has stored it, so this asks
    /// several times.
    async fn finder(&self, hash: &str) -> Option<String> {
        for _ in 0..FINDER_ATTEMPTS {
            if let Some(finder) = self.finder_now(hash).await {
                return Some(finder);
            }
            tokio::time::sleep(FINDER_PAUSE).await;
        }
        None
    }

    /// Returns the same from the first node that knows the block.
    async fn finder_now(&self, hash: &str) -> Option<String> {
        let plan = self.network.plan();
        let running = plan.nodes.iter().enumerate().filter(|(index, _)| self.network.is_running(*index));
        for (_, node) in running {
            let Ok(Some(block)) = Api::new(node.api).block(hash).await else { continue };
            let miner = plan.miner_of(&block.finder_script)?;
            return Some(format!("{} at {}", miner.name, plan.nodes[miner.node].name));
        }
        None
    }

    /// Notes an event.
    pub(super) fn note(&mut self, text: String) {
        self.shown.line(&format!("{:>5}s  {text}", self.started.elapsed().as_secs()));
        self.view.push_note(text);
    }
}
