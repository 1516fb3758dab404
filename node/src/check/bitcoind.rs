//! bitcoind: its network, its chain, its clock, its templates.

use node_core::isolation::clock_off;
use node_core::jobs::BlockTemplate;
use node_core::limits::CLOCK_OFF_S;
use node_core::sentence;

use super::{Finding, bad, good};
use crate::bitcoind::{Bitcoind, BitcoindError, ChainStatus, NodeInfo};
use crate::clock::now;
use crate::config::Config;
use crate::headers;

/// Minimum fill of a template, percent of a block, while more transactions wait than it has room for.
const FULL_PERCENT: u64 = 90;

/// Number of waiting transactions above which a template should be full.
const WAITING_MIN: u64 = 1_000;

/// Checks everything that `shoal run` needs from each bitcoind.
pub(super) async fn bitcoind(config: &Config) -> Vec<Finding> {
    let clients: Vec<_> = match Bitcoind::new(&config.bitcoind, config.network) {
        Ok(client) => client.each().collect(),
        Err(error) => return vec![bad("bitcoind", sentence(&error))],
    };
    futures::future::join_all(clients.into_iter().map(|client| one(config, client))).await.concat()
}

async fn one(config: &Config, client: Bitcoind) -> Vec<Finding> {
    let url = client.url();
    let (info, status) = match tokio::join!(client.node_info(), client.chain_status()) {
        (Ok(info), Ok(status)) => (info, status),
        (Err(error), _) | (_, Err(error)) => return vec![bad("bitcoind", sentence(&error))],
    };
    let peers = info.connections;
    let agent = info.user_agent.escape_default();
    let mut findings = vec![good("bitcoind", format!("{agent} at {url}, {peers} peers"))];
    let judge = |name, result: Result<(), BitcoindError>, words: String| match result {
        Ok(()) => good(name, words),
        Err(error) => bad(name, sentence(&error)),
    };
    let network = config.network;
    findings.push(judge("network", status.verify_network(network), format!("bitcoind runs on {network}")));
    findings.push(judge("sync", client.verify_synced(&status).await, format!("{} blocks", status.blocks)));
    findings.extend(start(config, &status));
    if findings.iter().all(|finding| finding.ok) {
        match client.template().await {
            Ok(template) => {
                findings.push(clock(&template, &info));
                findings.push(contents(&client, &template).await);
            }
            Err(error) => findings.push(bad("template", sentence(&error))),
        }
    }
    findings
}

/// Reports a bitcoind that has not reached the Bitcoin block at which the share-chain starts.
fn start(config: &Config, status: &ChainStatus) -> Option<Finding> {
    let height = headers::first_height(&config.chain_params());
    (status.blocks < height).then(|| {
        let (blocks, missing) = (status.blocks, height - status.blocks);
        bad(
            "start",
            format!(
                "the share-chain starts at Bitcoin height {height}, and bitcoind has {blocks} blocks; the node waits for \
                 {missing} more, so check that it is on the network that you want"
            ),
        )
    })
}

/// Compares this machine's clock with bitcoind's, and bitcoind's with its peers'.
fn clock(template: &BlockTemplate, info: &NodeInfo) -> Finding {
    let todo = "peers would hold the shares and bitcoind might reject the blocks; set up time synchronization (NTP)";
    let ahead_s = template.clock().map(|time| i64::from(now().0) - i64::from(time));
    if let Some(ahead_s) = ahead_s.filter(|ahead_s| ahead_s.abs() > CLOCK_OFF_S) {
        return bad("clock", format!("{}; {todo}", clock_off("this machine's", ahead_s, "bitcoind's")));
    }
    match info.time_offset_s {
        Some(offset_s) if offset_s.abs() > CLOCK_OFF_S => {
            bad("clock", format!("{}; {todo}", clock_off("bitcoind's", offset_s, "its peers'")))
        }
        _ if ahead_s.is_some() => good("clock", format!("within {CLOCK_OFF_S} s of bitcoind's")),
        _ => good("clock", "bitcoind's clock is unknown, since its newest blocks have future timestamps"),
    }
}

/// Checks whether bitcoind's template leaves out transactions that pay.
async fn contents(client: &Bitcoind, template: &BlockTemplate) -> Finding {
    let (height, count) = (template.height, template.transactions.len());
    let percent = template.transactions.weight() * 100 / template.weight_limit.max(1);
    let waiting = client.mempool_transactions().await.unwrap_or(0);
    let held = u64::try_from(count).unwrap_or(u64::MAX);
    let rest = waiting.saturating_sub(held);
    // Transactions below `blockmintxfee` also wait, but never a whole block of them.
    if percent < FULL_PERCENT && rest > held && rest > WAITING_MIN {
        return bad(
            "template",
            format!(
                "block {height} has {count} transactions and is {percent}% full, though {rest} more wait; the pool would \
                 lose their fees, so see `blockmaxweight` and `blockmintxfee` in bitcoin.conf"
            ),
        );
    }
    good("template", format!("block {height} with {count} transactions"))
}
