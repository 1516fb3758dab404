//! How long shares took from node to node, compared with the shortest time that the lines allow.

use std::time::Duration;

use serde::Serialize;

use crate::link::{LinkOptions, Traffic};
use crate::network::Plan;
use crate::watch::{Passage, percentile};

/// Size of a share on the wire, bytes: the proof, and the overhead of gossip and encryption.
const SHARE_WIRE_BYTES: u64 = 800;

/// The lines of a run, and their traffic.
#[derive(Debug, Clone, Serialize)]
pub struct LinkReport {
    /// One-way latency in milliseconds.
    pub latency_ms: u64,
    /// Probability that a packet gets lost, in percent.
    pub loss_percent: f64,
    /// Rate of each node's line in each direction, in bits per second.
    pub rate_bits_s: Option<u64>,
    /// Packets that arrived.
    pub packets_delivered: u64,
    /// Packets lost by chance.
    pub packets_lost: u64,
    /// Packets that found no room in a line's queue.
    pub packets_overflowed: u64,
    /// Passages of shares, from the finder's node to each other one.
    pub propagation: Propagation,
}

/// Times that shares took, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Propagation {
    /// Number of passages.
    pub samples: usize,
    /// Median.
    pub p50_ms: u64,
    /// 99th percentile.
    pub p99_ms: u64,
    /// Median of the shortest possible times: for each passage, latencies and bytes over the lines from node to node.
    pub floor_p50_ms: u64,
    /// Their 99th percentile.
    pub floor_p99_ms: u64,
}

impl LinkReport {
    /// Describes a run.
    pub fn new(plan: &Plan, link: &LinkOptions, traffic: &Traffic, passages: &[Passage]) -> Self {
        Self {
            latency_ms: millis(link.latency),
            loss_percent: f64::from(link.loss.0) / 10_000.0,
            rate_bits_s: link.rate.map(|rate| rate.0 * 8),
            packets_delivered: traffic.delivered(),
            packets_lost: traffic.lost(),
            packets_overflowed: traffic.overflowed(),
            propagation: propagation(passages, &floors(plan, link)),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn propagation(passages: &[Passage], floors: &[Vec<Duration>]) -> Propagation {
    let mut took: Vec<_> = passages.iter().map(|passage| passage.took).collect();
    let mut floor: Vec<_> = passages.iter().map(|passage| floors[passage.from][passage.to]).collect();
    let ms = |samples: &mut [Duration], percent| percentile(samples, percent).map_or(0, millis);
    Propagation {
        samples: took.len(),
        p50_ms: ms(&mut took, 50),
        p99_ms: ms(&mut took, 99),
        floor_p50_ms: ms(&mut floor, 50),
        floor_p99_ms: ms(&mut floor, 99),
    }
}

/// Returns the shortest time from each node to each other one, over the lines that the nodes dial.
fn floors(plan: &Plan, link: &LinkOptions) -> Vec<Vec<Duration>> {
    let far = Duration::MAX;
    let latency = |node: usize| link.latency_of(&plan.nodes[node].name);
    // A sender's line, then a receiver's.
    let bytes = link
        .rate
        .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(2.0 * SHARE_WIRE_BYTES as f64 / rate.0.max(1) as f64));
    let nodes = plan.nodes.len();
    let mut floors = vec![vec![far; nodes]; nodes];
    for (node, row) in floors.iter_mut().enumerate() {
        row[node] = Duration::ZERO;
    }
    for line in &plan.lines {
        let time = latency(line.from).max(latency(line.to)) + bytes;
        floors[line.from][line.to] = time;
        floors[line.to][line.from] = time;
    }
    // Floyd and Warshall: over each node in turn.
    for over in 0..nodes {
        for from in 0..nodes {
            for to in 0..nodes {
                let detour = floors[from][over].saturating_add(floors[over][to]);
                floors[from][to] = floors[from][to].min(detour);
            }
        }
    }
    floors
}

#[cfg(test)]
mod tests;
