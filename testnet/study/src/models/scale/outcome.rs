//! The results: arrival times, bytes of each line, copies, waiting items.

use super::control::{Control, Rate};
use super::histogram::Histogram;
use super::wave::Kind;
use super::wire::Weight;
use sim::time::Micros;
use sim::transport::LineKind;

/// Bytes per second of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Its kind of line.
    pub kind: LineKind,
    /// Number of peers, and of those in the mesh of shares.
    pub peers: (usize, usize),
    /// Traffic of shares.
    pub shares: Rate,
    /// Traffic of links.
    pub links: Rate,
    /// All other traffic, including `IWANT` and fetched items.
    pub control: Rate,
}

impl Traffic {
    /// Returns the sum of all traffic.
    #[must_use]
    pub fn sum(&self) -> Rate {
        self.shares.plus(self.links).plus(self.control)
    }
}

/// The results of a simulation. Arrays are by [`Kind`]: shares, then links.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Number of nodes.
    pub nodes: usize,
    /// Time span in which proofs were found.
    pub duration: Micros,
    /// Number of messages.
    pub made: [u64; 2],
    /// Time from the creation of a message until a node found it valid, for each kind of line.
    pub arrivals: [Vec<(LineKind, Histogram)>; 2],
    /// Pairs of a message and a running node where the message did not arrive by gossip or on request.
    pub missed: [u64; 2],
    /// Copies for each first arrival.
    pub copies: [f64; 2],
    /// The part of arrivals that waited for another item.
    pub held: [f64; 2],
    /// The part of arrivals that were requested because another item needed them, both kinds together.
    pub fetched: f64,
    /// The part of arrivals that get an extra copy because an announcement overtook the message.
    pub iwant: f64,
    /// The part of arrivals that come first, or once more, because a peer's answer named them as unlisted.
    pub claimed: f64,
    /// Bytes per second of each node.
    pub traffic: Vec<Traffic>,
    /// Control traffic by kind, mean over nodes.
    pub control: Control,
    /// Links on the longest branch.
    pub main_links: u64,
    /// Mean number of ids that a link lists.
    pub listed: f64,
    /// Mean seconds from a share to the first link that lists it.
    pub listing_s: f64,
    /// Mean number of shares that a node knows and that no link of its branch lists.
    pub pending: f64,
    /// Weights of a share, and of a link of mean length.
    pub weights: [Weight; 2],
    /// Number of departures, and bytes that nodes fetched after their return.
    pub churn: (u64, u64),
    /// Number of events.
    pub steps: u64,
}

impl Outcome {
    /// Returns the part of links that lost their race.
    #[must_use]
    pub fn stale_links(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of links are small")]
        let part = 1.0 - self.main_links as f64 / (self.made[1].max(1)) as f64;
        part
    }

    /// Returns the arrival times of a kind at all nodes.
    #[must_use]
    pub fn all_arrivals(&self, kind: Kind) -> Histogram {
        Histogram::sum(self.arrivals[kind as usize].iter().map(|(_, histogram)| histogram))
    }
}
