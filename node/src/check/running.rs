//! The node of this configuration, if it is running: resources that it uses are no conflict.

use bitcoin::hex::DisplayHex;
use node_core::isolation::Kind;
use reqwest::StatusCode;

use super::{Finding, bad, good};
use crate::api::{Status, Token};
use crate::config::Config;
use crate::status::words::duration;
use crate::status::{client, fetch, reachable};

/// The status of the node that answers at the configured API address and has this configuration's share-chain.
pub(super) async fn running(config: &Config) -> Option<Status> {
    let address = reachable(config.api.listen);
    let body = fetch(&client(address).ok()?, address, "status").await.ok()?;
    let status: Status = serde_json::from_slice(&body).ok()?;
    (status.consensus_id == config.chain_params().consensus_id().to_lower_hex_string()).then_some(status)
}

/// Whether the running node has this configuration's data folder: it accepts no other folder's token. None if that is unknown.
async fn has_folder(config: &Config) -> Option<bool> {
    let Some(token) = Token::read(&config.data_dir).ok()? else { return Some(false) };
    let address = reachable(config.api.listen);
    let asked = client(address).ok()?.get(format!("http://{address}/api/v1/bans")).bearer_auth(token);
    asked.send().await.ok().map(|answer| answer.status() != StatusCode::UNAUTHORIZED)
}

/// Whether the running node is that of this configuration, and hands out work by a right clock.
pub(super) async fn findings(config: &Config, status: &Status) -> Vec<Finding> {
    let (version, up) = (&status.version, duration(status.uptime_s));
    let peers = format!("the running node has {}", status.peers);
    let work = match &status.no_work_because {
        None => good("work", "the running node hands out work"),
        Some(why) => bad("work", format!("the running node hands out no work: {why}")),
    };
    let mut findings = vec![
        good("node", format!("shoal {version} is running with this configuration, up {up}")),
        work,
        good("peers", peers),
    ];
    if has_folder(config).await == Some(false) {
        let (folder, api) = (config.data_dir.display(), config.api.listen);
        findings.push(bad(
            "node",
            format!(
                "the node at {api} does not have the data folder {folder}; a second node on this machine needs other ports in \
                 `stratum.listen`, `p2p.listen` and `api.listen`"
            ),
        ));
    }
    // The running node compares its clock with those of others, too.
    let clock = status.states.iter().find(|state| state.kind == Kind::Clock.name());
    findings.extend(clock.map(|state| bad("clock", format!("{}; {}", state.what, state.todo))));
    findings
}
