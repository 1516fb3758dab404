//! What is measured: arrival times, bytes of each line, copies, what waits.

use super::control::{Control, Rate};
use super::histogram::Histogram;
use super::wave::Kind;
use super::wire::Weight;
use sim::time::Micros;
use sim::transport::LineKind;

/// Bytes a second of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Its line.
    pub kind: LineKind,
    /// Peers, and those of them in the mesh of shares.
    pub peers: (usize, usize),
    /// Shares.
    pub shares: Rate,
    /// Links.
    pub links: Rate,
    /// Everything else, `IWANT` and fetched items included.
    pub control: Rate,
}

impl Traffic {
    /// All of it.
    #[must_use]
    pub fn sum(&self) -> Rate {
        self.shares.plus(self.links).plus(self.control)
    }
}

/// What a simulation measured. Arrays are by [`Kind`]: shares, then links.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Nodes.
    pub nodes: usize,
    /// How long proofs were found.
    pub duration: Micros,
    /// Messages made.
    pub made: [u64; 2],
    /// Time from the making of a message until a node found it valid, for each kind of line.
    pub arrivals: [Vec<(LineKind, Histogram)>; 2],
    /// Pairs of message and running node in which the message did not arrive by gossip or by need.
    pub missed: [u64; 2],
    /// Copies that came for each first arrival.
    pub copies: [f64; 2],
    /// Parts of arrivals that waited for something.
    pub held: [f64; 2],
    /// Part of arrivals that were asked for because something needed them, both kinds together.
    pub fetched: f64,
    /// Part of arrivals for which a further copy comes because gossip's news overtook the message.
    pub iwant: f64,
    /// Part of arrivals that come first, or once more, because a peer's answer named them as unlisted.
    pub claimed: f64,
    /// Each node's bytes a second.
    pub traffic: Vec<Traffic>,
    /// Control traffic by kind, mean over nodes.
    pub control: Control,
    /// Links on the longest branch.
    pub main_links: u64,
    /// Ids that a link lists, mean.
    pub listed: f64,
    /// Seconds from a share to the first link that lists it, mean.
    pub listing_s: f64,
    /// Shares that a node knows and no link of its branch lists, mean.
    pub pending: f64,
    /// Weights of a share, and of a link of mean length.
    pub weights: [Weight; 2],
    /// Times that a node left, and bytes that nodes fetched for that when they came back.
    pub churn: (u64, u64),
    /// Events that were handled.
    pub steps: u64,
}

impl Outcome {
    /// The part of links that lost their race.
    #[must_use]
    pub fn stale_links(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of links are small")]
        let part = 1.0 - self.main_links as f64 / (self.made[1].max(1)) as f64;
        part
    }

    /// Arrival times of a kind at all nodes.
    #[must_use]
    pub fn all_arrivals(&self, kind: Kind) -> Histogram {
        Histogram::sum(self.arrivals[kind as usize].iter().map(|(_, histogram)| histogram))
    }
}
