//! A node's traffic besides shares and links: announcements of messages, requests for tips and unlisted shares, pings.
//! It is steady, so it is computed instead of simulated, and subtracted from every line.

use std::time::Duration;

use p2p_proto::limits::{PENDING_INTERVAL_MS, PING_INTERVAL_MS, TIP_INTERVAL_MS};

use super::mesh::{Mesh, MeshRules};
use super::peers::Connections;
use super::wire::{Sizes, Weight};
use super::{ceil_u32, count_f64};

/// Largest number of ids of unlisted shares in one answer.
const PENDING_IDS_MAX: u32 = p2p_proto::limits::PENDING_MAX as u32;

/// Bytes per second of one kind of traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Upload on TCP streams.
    pub stream_up: f64,
    /// Upload on the line, without acknowledgements.
    pub bare_up: f64,
    /// Upload on the line, including acknowledgements of the download.
    pub up: f64,
    /// Download on the line.
    pub down: f64,
}

impl Rate {
    /// Computes the rate of messages of one weight, sent and received this often per second.
    #[must_use]
    pub fn of(weight: Weight, sent_per_s: f64, received_per_s: f64) -> Self {
        let (line, back) = (f64::from(weight.line), f64::from(weight.back));
        Self {
            stream_up: f64::from(weight.stream) * sent_per_s,
            bare_up: line * sent_per_s,
            up: line * sent_per_s + back * received_per_s,
            down: line * received_per_s + back * sent_per_s,
        }
    }

    /// Multiplies the rate.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            stream_up: self.stream_up * factor,
            bare_up: self.bare_up * factor,
            up: self.up * factor,
            down: self.down * factor,
        }
    }

    /// Adds two rates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            stream_up: self.stream_up + other.stream_up,
            bare_up: self.bare_up + other.bare_up,
            up: self.up + other.up,
            down: self.down + other.down,
        }
    }
}

/// The load that control traffic depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Shares and links per second.
    pub per_s: [f64; 2],
    /// Mean number of shares that no link lists yet.
    pub pending: f64,
}

/// A node's control traffic by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Control {
    /// Announcements of messages (`IHAVE`) to peers outside the mesh.
    pub ihave: Rate,
    /// Requests for tips.
    pub tips: Rate,
    /// Requests for ids of unlisted shares.
    pub pending: Rate,
    /// Pings.
    pub pings: Rate,
}

impl Control {
    /// Returns the mean over nodes.
    #[must_use]
    pub fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> Rate| {
            all.iter().map(of).fold(Rate::default(), Rate::plus).times(1.0 / count_f64(all.len().max(1)))
        };
        Self {
            ihave: mean(|one| one.ihave),
            tips: mean(|one| one.tips),
            pending: mean(|one| one.pending),
            pings: mean(|one| one.pings),
        }
    }

    /// Returns the sum of all kinds.
    #[must_use]
    pub fn sum(&self) -> Rate {
        self.ihave.plus(self.tips).plus(self.pending).plus(self.pings)
    }
}

/// Computes the control traffic of each node.
#[must_use]
pub fn control(
    connections: &Connections,
    meshes: [&Mesh; 2],
    rules: MeshRules,
    sizes: &Sizes,
    load: Load,
) -> Vec<Control> {
    let mut all: Vec<Control> = (0u32..)
        .take(connections.nodes())
        .map(|node| of_connections(connections.of(node).len(), sizes, load))
        .collect();
    for (mesh, per_s) in meshes.into_iter().zip(load.per_s) {
        let (sent, received) = ihave(per_s, rules);
        for node in (0u32..).take(connections.nodes()) {
            let outside = mesh.outside(node, connections);
            if outside.is_empty() {
                continue;
            }
            let chance = count_f64(rules.told(outside.len())) / count_f64(outside.len());
            let own = &mut all[node as usize].ihave;
            *own = own.plus(sent.times(chance * count_f64(outside.len())));
            for peer in outside {
                let there = &mut all[peer as usize].ihave;
                *there = there.plus(received.times(chance));
            }
        }
    }
    all
}

/// Computes the traffic over `peers` connections. Each peer asks and is asked.
fn of_connections(peers: usize, sizes: &Sizes, load: Load) -> Control {
    let peers = count_f64(peers);
    let every = |interval_ms: u64| peers / Duration::from_millis(interval_ms).as_secs_f64();
    let exchange = |(request, response): (u32, u32), per_s: f64| {
        let asked = Rate::of(Weight::of_exchange(request), per_s, per_s);
        asked.plus(Rate::of(Weight::of_exchange(response), per_s, per_s))
    };
    let ids = ceil_u32(load.pending).min(PENDING_IDS_MAX) * sizes.id;
    let pings = Rate::of(Weight::of_ping(), 2.0 * every(PING_INTERVAL_MS), 2.0 * every(PING_INTERVAL_MS));
    Control {
        ihave: Rate::default(),
        tips: exchange(sizes.tip, every(TIP_INTERVAL_MS)),
        pending: exchange((sizes.pending.0, sizes.pending.1 + ids), every(PENDING_INTERVAL_MS)),
        pings,
    }
}

/// Computes the traffic of announcing one topic's messages to one peer at each heartbeat, in both directions: a mean
/// over the number of messages.
fn ihave(per_s: f64, rules: MeshRules) -> (Rate, Rate) {
    let mean = per_s * f64::from(rules.told_heartbeats);
    let (mut sent, mut received) = (Rate::default(), Rate::default());
    // A Poisson distribution. Its ignored tail is rarer than one in a million heartbeats. Without messages, nothing is
    // sent.
    let mut chance = (-mean).exp();
    for count in 1..=4 * ceil_u32(mean) + 16 {
        chance *= mean / f64::from(count);
        let weight = Weight::of_ihave(count);
        sent = sent.plus(Rate::of(weight, chance, 0.0));
        received = received.plus(Rate::of(weight, 0.0, chance));
    }
    (sent, received)
}
