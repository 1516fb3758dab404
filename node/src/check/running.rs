//! The node of this configuration, if it is running: resources that it uses are no conflict.

use bitcoin::hex::DisplayHex;
use node_core::isolation::Kind;

use super::{Finding, bad, good};
use crate::api::{Status, Token};
use crate::config::Config;
use crate::limits::STATUS_BYTES_MAX;
use crate::status::words::duration;
use crate::status::{ask, client, reachable};

/// The status of the node that answers at the configured API address, if it has this configuration's share-chain and the
/// token in its data folder: another node rejects that token.
pub(super) async fn running(config: &Config) -> Option<Status> {
    let address = reachable(config.api.listen);
    let request = client(address).ok()?.get(format!("http://{address}/api/v1/status"));
    let request = match Token::read(&config.data_dir) {
        Ok(token) => request.bearer_auth(token?),
        // Only the node's user can read it.
        Err(_) => request,
    };
    let body = ask(request, address, STATUS_BYTES_MAX).await.ok()?;
    let status: Status = serde_json::from_slice(&body).ok()?;
    (status.consensus_id == config.chain_params().consensus_id().to_lower_hex_string()).then_some(status)
}

/// Checks whether the running node hands out work, and whether its clock is correct.
pub(super) fn findings(status: &Status) -> Vec<Finding> {
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
    // The running node compares its clock with those of others, too.
    let clock = status.states.iter().find(|state| state.kind == Kind::Clock.name());
    findings.extend(clock.map(|state| bad("clock", format!("{}; {}", state.what, state.todo))));
    findings
}
