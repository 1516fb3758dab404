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

/// The known ways to reach a node.
struct Ways {
    /// Number of netgroups from which a peer connected on request.
    reached: usize,
    /// Number of netgroups from which a peer could not.
    unreached: usize,
    mapped: bool,
    onion: bool,
    relays: usize,
}

impl Ways {
    fn of(known: &Reachability) -> Self {
        let netgroups = known.addresses.iter().map(|own| match own.how {
            How::DialedBack { netgroups } => netgroups,
            _ => 0,
        });
        let count = |is: fn(&How) -> bool| known.addresses.iter().filter(|own| is(&own.how)).count();
        Self {
            reached: netgroups.max().unwrap_or(0),
            unreached: known.unreached_netgroups,
            mapped: count(|how| matches!(how, How::Mapped)) > 0,
            onion: count(|how| matches!(how, How::Onion)) > 0,
            relays: count(|how| matches!(how, How::Relay(_))),
        }
    }

    const fn best(&self) -> Way {
        if self.reached > 0 {
            Way::DialedBack
        } else if self.mapped {
            Way::Mapped
        } else if self.onion {
            Way::Onion
        } else if self.relays > 0 {
            Way::Relay
        } else if self.unreached > 0 {
            Way::None
        } else {
            Way::Unknown
        }
    }

    /// The ways in words, with the evidence.
    fn words(&self) -> Vec<String> {
        let unreached = networks(self.unreached);
        let direct = match (self.reached, self.mapped) {
            (0, false) => None,
            (0, true) => {
                Some("probably directly: the router forwards the port (UPnP), but no peer has confirmed it".to_owned())
            }
            (reached, _) => Some(format!("directly: peers in {} connected when asked", networks(reached))),
        };
        let onion = self.onion.then(|| "at its onion service".to_owned());
        let plural = if self.relays == 1 { "relay" } else { "relays" };
        let relayed = (self.relays > 0)
            .then(|| format!("through {} {plural}: peers in {unreached} could not connect directly", self.relays));
        let hidden = match self.best() {
            Way::None => Some(format!("not: peers in {unreached} could not connect, and no relay has room")),
            Way::Unknown => Some("not known yet: no peer on the internet has tried".to_owned()),
            _ => None,
        };
        [direct, onion, relayed, hidden].into_iter().flatten().collect()
    }
}

impl Reachable {
    /// The known ways, with the node's addresses if the request has the token.
    pub(super) fn new(known: &Reachability, owner: bool) -> Self {
        let ways = Ways::of(known);
        let mut words = ways.words();
        if known.is_relay {
            words.push("it is a relay for others".to_owned());
        }
        let addresses = |own: &OwnAddress| own.address.clone();
        Self {
            how: ways.best(),
            words: words.join("; "),
            reached_from: ways.reached as u64,
            unreached_from: ways.unreached as u64,
            is_relay: known.is_relay,
            addresses: if owner { known.addresses.iter().map(addresses).collect() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests;
