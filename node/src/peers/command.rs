//! `shoal peers`: peers and bans of a running node, and peers to stay connected with.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use reqwest::{Method, Url};
use serde::Deserialize;

use crate::api::bans::BanList;
use crate::api::manual::{ManualList, ManualPeer};
use crate::api::reach::Reachable;
use crate::config::Config;
use crate::error::NodeError;
use crate::limits::{BAN_S, BANS_ANSWER_BYTES_MAX};
use crate::status::words::{duration, printable};
use crate::status::{StatusError, ask as send, client, reachable};

/// The request to the node.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Peers,
    Bans,
    Ban { what: String, for_s: u64, reason: Option<String> },
    Unban { what: String },
    Add { address: String },
    Remove { address: String },
}

/// The displayed fields of a peer.
#[derive(Debug, Deserialize)]
struct Peer {
    id: String,
    address: Option<String>,
    transport: String,
    latency_ms: Option<u64>,
    inbound: bool,
    agent: Option<String>,
    height: Option<u32>,
    points: u32,
    connected_s: u64,
}

#[derive(Debug, Deserialize)]
struct Peers {
    reachable: Reachable,
    peers: Vec<Peer>,
    manual: Option<Vec<ManualPeer>>,
    discovery: Discovery,
}

/// How the node finds peers.
#[derive(Debug, Deserialize)]
struct Discovery {
    book_new: usize,
    book_tried: usize,
    outbound: usize,
    outbound_target: usize,
}

/// Parses a length of time, like `12h`: seconds.
pub(crate) fn length(text: &str) -> Result<u64, String> {
    const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
    let wrong = || "write a number and a unit, like 30m, 12h, 1d or 2w, up to 520w".to_owned();
    let unit =
        text.chars().last().and_then(|last| UNITS.into_iter().find(|(unit, _)| *unit == last)).ok_or_else(wrong)?;
    let number: u64 = text.strip_suffix(unit.0).unwrap_or_default().parse().map_err(|_| wrong())?;
    number.checked_mul(unit.1).filter(|seconds| (1..=BAN_S.1).contains(seconds)).ok_or_else(wrong)
}

/// Asks the running node, and prints its answer: as a table, or as the API's own JSON if `json`.
///
/// # Errors
/// The node cannot be queried, or rejects the request.
pub(crate) async fn ask(config: &Config, what: Ask, json: bool) -> Result<(), NodeError> {
    let address = reachable(config.api.listen);
    let (method, path) = match &what {
        Ask::Peers => (Method::GET, "peers"),
        Ask::Bans => (Method::GET, "bans"),
        Ask::Ban { .. } => (Method::POST, "bans"),
        Ask::Unban { .. } => (Method::DELETE, "bans"),
        Ask::Add { .. } => (Method::POST, "peers"),
        Ask::Remove { .. } => (Method::DELETE, "peers"),
    };
    let mut url = Url::parse(&format!("http://{address}/api/v1/{path}")).expect("an address makes a URL");
    match &what {
        Ask::Ban { what, for_s, reason } => {
            let mut query = url.query_pairs_mut();
            query.append_pair("what", what).append_pair("for_s", &for_s.to_string());
            if let Some(reason) = reason {
                query.append_pair("reason", reason);
            }
        }
        Ask::Unban { what } => {
            url.query_pairs_mut().append_pair("what", what);
        }
        Ask::Add { address } | Ask::Remove { address } => {
            url.query_pairs_mut().append_pair("address", address);
        }
        Ask::Peers | Ask::Bans => {}
    }
    let mut request = client(address)?.request(method, url);
    // Without the token, the list of peers has no addresses; for everything else, the node asks for the token.
    if let Ok(token) = std::fs::read_to_string(config.data_dir.join("api-token")) {
        request = request.bearer_auth(token.trim());
    }
    let body = send(request, address, BANS_ANSWER_BYTES_MAX).await?;
    let foreign = |cause| StatusError::Foreign { address, cause };
    let text = if json {
        String::from_utf8_lossy(&body).into_owned() + "\n"
    } else {
        match what {
            Ask::Peers => peers(&serde_json::from_slice(&body).map_err(foreign)?),
            Ask::Add { .. } | Ask::Remove { .. } => {
                manual(&serde_json::from_slice::<ManualList>(&body).map_err(foreign)?.manual)
            }
            Ask::Bans | Ask::Ban { .. } | Ask::Unban { .. } => bans(&serde_json::from_slice(&body).map_err(foreign)?),
        }
    };
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

fn peers(list: &Peers) -> String {
    let mut out = String::new();
    for peer in &list.peers {
        let direction = if peer.inbound { "inbound " } else { "outbound" };
        let latency = peer.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
        let height = peer.height.map_or_else(|| "-".to_owned(), |height| height.to_string());
        let agent = printable(peer.agent.as_deref().unwrap_or("unknown"));
        let address = printable(peer.address.as_deref().unwrap_or("address hidden"));
        let Peer { id, transport, points, connected_s, .. } = peer;
        let connected = duration(*connected_s);
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{}  {direction}  {transport:<5}  {latency:>7}  link {height:>7}  {points:>3} points  {connected:>10}  {agent}  {address}",
            printable(id)
        );
    }
    let Discovery { book_new, book_tried, outbound, outbound_target } = list.discovery;
    let _ = writeln!(
        out,
        "{} peers, {outbound} of {outbound_target} of the node's own choice; the address book has {book_tried} nodes that were \
         reached, and {book_new} others",
        list.peers.len()
    );
    let _ = writeln!(out, "others reach this node {}", printable(&list.reachable.words));
    for address in &list.reachable.addresses {
        let _ = writeln!(out, "  {}", printable(address));
    }
    out + &manual(list.manual.as_deref().unwrap_or_default())
}

fn manual(peers: &[ManualPeer]) -> String {
    let mut out = String::new();
    for peer in peers {
        let state = if peer.connected { "connected" } else { "not connected" };
        let from = if peer.from == "config" { "named in the config" } else { "added" };
        let _ = writeln!(out, "{from}: {}, {state}", printable(&peer.address));
    }
    out
}

fn bans(list: &BanList) -> String {
    let mut out = String::new();
    for ban in &list.bans {
        let (what, by, left) = (printable(&ban.what), printable(&ban.by), duration(ban.left_s));
        let _ = writeln!(out, "{what:<52}  {left:>10} left  by the {by:<8}  {}", printable(&ban.reason));
    }
    let _ = writeln!(out, "{} bans", list.bans.len());
    out
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_have_units() {
        for (text, seconds) in [("1s", 1), ("30m", 1_800), ("12h", 43_200), ("1d", 86_400), ("2w", 1_209_600)] {
            assert_eq!(length(text), Ok(seconds), "{text}");
        }
        for text in ["", "1", "d", "1.5h", "-1d", "0s", "1y", "9999999w", "1dd"] {
            length(text).unwrap_err();
        }
    }
}
