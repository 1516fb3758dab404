//! How other nodes reach this one, and how the node knows: part of `/api/v1/peers` and `/api/v1/status`.

use p2p::{How, OwnAddress, Reachability};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How other nodes reach this one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reachable {
    /// The best known way.
    pub how: Way,
    /// The same in words, with the evidence.
    pub words: String,
    /// Number of networks (IPv4 /16, IPv6 /32) from which a peer connected to this node on request.
    pub reached_from: u64,
    /// Number of networks from which a peer could not connect on request.
    pub unreached_from: u64,
    /// True if this node is a relay for nodes that cannot be reached directly.
    pub is_relay: bool,
    /// This node's addresses, best known first; empty without the node's token, and in the status.
    pub addresses: Vec<String>,
}

/// A way to reach a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Peers connected directly on request.
    DialedBack,
    /// The router claims to forward the port (UPnP); no peer has confirmed it.
    Mapped,
    /// An onion service.
    Onion,
    /// Through relays, which help peers to punch holes.
    Relay,
    /// Peers could not connect to it.
    None,
    /// Nothing is known.
    #[default]
    Unknown,
}

fn networks(count: usize) -> String {
    if count == 1 { "1 network".to_owned() } else { format!("{count} networks") }
}

impl Reachable {
    /// The known ways, with the node's addresses if the request has the token.
    pub(super) fn new(known: &Reachability, owner: bool) -> Self {
        let netgroups = known.addresses.iter().map(|own| match own.how {
            How::DialedBack { netgroups } => netgroups,
            _ => 0,
        });
        let reached = netgroups.max().unwrap_or(0);
        let count = |is: fn(&How) -> bool| known.addresses.iter().filter(|own| is(&own.how)).count();
        let mapped = count(|how| matches!(how, How::Mapped)) > 0;
        let onion = count(|how| matches!(how, How::Onion)) > 0;
        let relays = count(|how| matches!(how, How::Relay(_)));
        let unreached = known.unreached_netgroups;
        let mut words = Vec::new();
        if reached > 0 {
            words.push(format!("directly: peers in {} connected when asked", networks(reached)));
        } else if mapped {
            words.push(
                "probably directly: the router passes the port on (UPnP), but no peer has confirmed it".to_owned(),
            );
        }
        if onion {
            words.push("at its onion service".to_owned());
        }
        if relays > 0 {
            let plural = if relays == 1 { "relay" } else { "relays" };
            words.push(format!(
                "through {relays} {plural}: peers in {} could not connect directly",
                networks(unreached)
            ));
        }
        let how = match (reached, mapped, onion, relays, unreached) {
            (1.., ..) => Way::DialedBack,
            (_, true, ..) => Way::Mapped,
            (_, _, true, ..) => Way::Onion,
            (_, _, _, 1.., _) => Way::Relay,
            (.., 1..) => Way::None,
            _ => Way::Unknown,
        };
        match how {
            Way::None => {
                words.push(format!("not: peers in {} could not connect, and no relay has room", networks(unreached)))
            }
            Way::Unknown => words.push("not known yet: no peer on the internet has tried".to_owned()),
            _ => {}
        }
        if known.is_relay {
            words.push("it is a relay for others".to_owned());
        }
        let addresses = |own: &OwnAddress| own.address.clone();
        Self {
            how,
            words: words.join("; "),
            reached_from: reached as u64,
            unreached_from: unreached as u64,
            is_relay: known.is_relay,
            addresses: if owner { known.addresses.iter().map(addresses).collect() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests;
