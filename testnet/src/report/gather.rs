//! Gathers the data of the report.

use std::collections::BTreeSet;
use std::path::Path;

use futures::{StreamExt, TryStreamExt};

use super::blocks::{DescribeError, describe};
use super::model::{BlockReport, MinerReport, NodeReport, WindowRow};
use super::shares::{Known, Tally};
use crate::api_client::{Api, ApiError, Fate, Share};
use crate::miner::{Submit, Verdict, read_submits};
use crate::network::{NodeCondition, Plan, journal_path};
use crate::rpc::Rpc;

/// Largest number of parallel requests to a node.
const QUESTIONS_MAX: usize = 8;

/// An error that prevents a report.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// No node answers.
    #[error("no node answers, so there is nothing to report")]
    NoNode,
    /// A node does not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A block cannot be described.
    #[error("block {hash} cannot be described")]
    Block {
        /// Its hash.
        hash: String,
        /// The cause.
        source: DescribeError,
    },
    /// A journal cannot be read.
    #[error("the journal of miner {miner} cannot be read")]
    Journal {
        /// The miner.
        miner: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// The sources of a report.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The network.
    pub plan: &'a Plan,
    /// The state of each node's process.
    pub conditions: &'a [NodeCondition],
    /// Resident memory of each node in bytes: present and maximum.
    pub rss_bytes: &'a [(u64, u64)],
    /// The network's Bitcoin.
    pub rpc: &'a Rpc,
    /// Folder of the miners' journals.
    pub miners_dir: &'a Path,
    /// Expected hashes of a share, at the hardest share target of the run.
    pub share_work_max: f64,
}

/// The gathered parts of a report.
#[derive(Debug)]
pub struct Gathered {
    /// Id of the network's constants.
    pub consensus_id: String,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// The miners.
    pub miners: Vec<MinerReport>,
    /// The blocks.
    pub blocks: Vec<BlockReport>,
    /// The shares.
    pub shares: super::model::SharesReport,
}

/// Asks the running nodes and Bitcoin, and reads the miners' journals.
///
/// # Errors
/// [`GatherError`].
pub async fn gather(sources: &Sources<'_>) -> Result<Gathered, GatherError> {
    let running = sources.plan.nodes.iter().zip(sources.conditions);
    let running = running.filter(|(_, condition)| **condition == NodeCondition::Running);
    let apis: Vec<(String, Api)> = running.map(|(node, _)| (node.name.clone(), Api::new(node.api))).collect();
    let (_, first) = apis.first().ok_or(GatherError::NoNode)?;
    let consensus_id = first.status().await?.consensus_id;
    let mut nodes = Vec::with_capacity(sources.plan.nodes.len());
    for index in 0..sources.plan.nodes.len() {
        nodes.push(node(sources, index).await?);
    }
    let mut tally = Tally::default();
    let mut miners = Vec::with_capacity(sources.plan.miners.len());
    for plan in &sources.plan.miners {
        let submits = read_submits(&journal_path(plan, sources.miners_dir))
            .map_err(|source| GatherError::Journal { miner: plan.name.clone(), source })?;
        tally.add(&submits);
        miners.push(miner(sources.plan, plan, &submits));
    }
    let known: Vec<Known> =
        futures::stream::iter(tally.taken().map(|id| fate(id, &apis))).buffered(QUESTIONS_MAX).try_collect().await?;
    let shares = tally.finish(&known, sources.share_work_max);
    Ok(Gathered { consensus_id, nodes, miners, blocks: blocks(sources, &apis).await?, shares })
}

async fn node(sources: &Sources<'_>, index: usize) -> Result<NodeReport, ApiError> {
    let plan = &sources.plan.nodes[index];
    let condition = sources.conditions[index];
    let (rss_bytes, rss_bytes_max) = sources.rss_bytes[index];
    let mut report = NodeReport {
        name: plan.name.clone(),
        condition,
        tip: String::new(),
        height: 0,
        peers: 0,
        rss_bytes,
        rss_bytes_max,
        window: Vec::new(),
    };
    if condition == NodeCondition::Running {
        let api = Api::new(plan.api);
        let status = api.status().await?;
        let window = api.window().await?;
        report.tip = status.tip;
        report.height = status.height;
        report.peers = status.peers;
        let row = |earned: crate::api_client::Earned| WindowRow {
            script: earned.script,
            weight: earned.weight,
            shares: earned.shares,
        };
        report.window = window.earned.into_iter().map(row).collect();
    }
    Ok(report)
}

fn miner(plan: &Plan, miner: &crate::network::MinerPlan, submits: &[Submit]) -> MinerReport {
    let count = |is: fn(&Verdict) -> bool| submits.iter().filter(|submit| is(&submit.verdict)).count() as u64;
    MinerReport {
        name: miner.name.clone(),
        node: plan.nodes[miner.node].name.clone(),
        address: miner.address.clone(),
        script: miner.script.clone(),
        delay_ms: miner.delay_ms,
        hashes: submits.iter().map(|submit| submit.hashes).max().unwrap_or(0),
        accepted: count(|verdict| matches!(verdict, Verdict::Accepted)),
        refused: count(|verdict| matches!(verdict, Verdict::Refused { .. })),
    }
}

/// Returns the fate of a share from the first node that knows it.
async fn fate(id: bitcoin::BlockHash, apis: &[(String, Api)]) -> Result<Known, ApiError> {
    let text = id.to_string();
    let mut share = Share { fate: Fate::Unknown, rule: None };
    for (_, api) in apis {
        share = api.share(&text).await?;
        if share.fate != Fate::Unknown {
            break;
        }
    }
    Ok(Known { id, share })
}

async fn blocks(sources: &Sources<'_>, apis: &[(String, Api)]) -> Result<Vec<BlockReport>, GatherError> {
    let mut hashes = BTreeSet::new();
    for (_, api) in apis {
        for hash in api.block_hashes().await? {
            hashes.insert(hash);
        }
    }
    let mut blocks = Vec::with_capacity(hashes.len());
    for hash in hashes {
        let described = describe(&hash, sources.plan, apis, sources.rpc).await;
        blocks.extend(described.map_err(|source| GatherError::Block { hash, source })?);
    }
    blocks.sort_by(|a, b| a.height.cmp(&b.height).then_with(|| a.hash.cmp(&b.hash)));
    Ok(blocks)
}
