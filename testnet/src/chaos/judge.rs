//! What must hold in the end.

use std::collections::BTreeSet;
use std::time::Duration;

use bitcoin::{BlockHash, CompactTarget, Target};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::ChaosError;
use super::scene::{PLACES, Scene};
use crate::miner::{Submit, Verdict};

/// Time to agree after the last fault: peers are dialed again within a minute.
const AGREE_MAX: Duration = Duration::from_secs(90);

/// What the miners found, by their own journals.
pub(super) struct Found {
    /// Accepted proofs that are Bitcoin blocks.
    pub(super) blocks: Vec<BlockHash>,
    /// Accepted proofs.
    pub(super) accepted: usize,
}

impl Found {
    pub(super) async fn read(scene: &Scene) -> Result<Self, ChaosError> {
        let tip = scene.rpc(0).call("getbestblockhash", json!([])).await?;
        let header = scene.rpc(0).call("getblockheader", json!([tip])).await?;
        // The chain is too short for a retarget.
        let bits = header["bits"].as_str().unwrap_or_default();
        let target = CompactTarget::from_unprefixed_hex(bits).map_or(Target::ZERO, Target::from_compact);
        let mut accepted = BTreeSet::new();
        for journal in scene.journals() {
            let text = std::fs::read_to_string(journal)?;
            let submits = text.lines().filter_map(|line| serde_json::from_str::<Submit>(line).ok());
            accepted.extend(submits.filter(|submit| submit.verdict == Verdict::Accepted).map(|submit| submit.id));
        }
        let blocks = accepted.iter().copied().filter(|hash| target.is_met_by(*hash)).collect();
        Ok(Self { blocks, accepted: accepted.len() })
    }

    /// The blocks that no bitcoind has, as a tip or as a branch.
    pub(super) async fn lost(&self, scene: &Scene) -> Result<Vec<String>, ChaosError> {
        let mut lost = Vec::new();
        for hash in &self.blocks {
            let mut is_known = false;
            for rpc in scene.rpcs() {
                is_known |= rpc.call("getblock", json!([hash, 0])).await.is_ok();
            }
            if !is_known {
                lost.push(hash.to_string());
            }
        }
        Ok(lost)
    }
}

/// Waits until nodes and bitcoinds agree. Returns the tips, and a sentence if they do not.
pub(super) async fn until_one_tip(scene: &Scene) -> Result<(Vec<String>, Vec<String>), ChaosError> {
    let began = Instant::now();
    loop {
        let (mut shares, mut blocks, mut working) = (BTreeSet::new(), BTreeSet::new(), 0);
        for api in scene.apis() {
            let Ok(status) = api.status().await else { continue };
            working += usize::from(status.handing_out_work);
            shares.insert(status.tip);
        }
        for rpc in scene.rpcs() {
            blocks.insert(rpc.call_str("getbestblockhash", json!([])).await?);
        }
        let agreed = working == PLACES && shares.len() == 1 && blocks.len() == 1;
        let tips: Vec<_> = shares.into_iter().chain(blocks).collect();
        if agreed {
            return Ok((tips, Vec::new()));
        }
        if began.elapsed() > AGREE_MAX {
            let words = format!("in the end, {working} nodes have work, and these are the tips: {tips:?}");
            return Ok((tips, vec![words]));
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// What did not hold, in sentences.
pub(super) fn sentences(found: &Found, lost: &[String], silence: &[Duration], max: Duration) -> Vec<String> {
    let mut broken = Vec::new();
    if found.blocks.is_empty() {
        broken.push("no block was found, so nothing is shown; run it for longer".to_owned());
    }
    if !lost.is_empty() {
        broken.push(format!("{} blocks are lost: {lost:?}", lost.len()));
    }
    for (node, longest) in silence.iter().enumerate().filter(|(_, longest)| **longest > max) {
        broken.push(format!("a device of node {node} was without a word for {:.1} s", longest.as_secs_f64()));
    }
    broken
}
