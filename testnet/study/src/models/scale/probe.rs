//! Measures messages.

use rand::Rng;

use super::control::{Control, Rate};
use super::flood::{Flood, Station};
use super::histogram::Histogram;
use super::mesh::Mesh;
use super::outcome::{Outcome, Traffic};
use super::pool::Work;
use super::wave::{Kind, Wave, WaveId};
use super::wire::Weight;
use super::{Setup, ceil_u32, count_f64, count_u64};
use sim::rng::stream;
use sim::transport::LineKind;

/// One message in this many is sampled for the traffic of announcements and of requests for unlisted shares.
const SAMPLE: usize = 64;

/// Heartbeats come once per second.
const HEARTBEAT_US: u64 = 1_000_000;

/// Measures messages as they end.
#[derive(Debug)]
pub struct Probe<'a> {
    setup: &'a Setup,
    meshes: &'a [Mesh; 2],
    arrivals: [Vec<(LineKind, Histogram)>; 2],
    missed: [u64; 2],
    /// Time of each node's heartbeat within a second, in microseconds.
    beats_us: Vec<u32>,
    sampled: u64,
    iwant: f64,
    claimed: f64,
    made: [u64; 2],
    listed: u64,
    pending: u64,
    /// Microseconds from shares to the first links that list them, and their number.
    listing: (u64, u64),
    link_weight: [u64; 3],
    share_weight: Weight,
}

impl<'a> Probe<'a> {
    /// Creates a probe without measurements.
    #[must_use]
    pub fn new(setup: &'a Setup, meshes: &'a [Mesh; 2]) -> Self {
        let mut rng = stream(setup.seed, "scale heartbeats", 0);
        let empty = || LineKind::ALL.map(|kind| (kind, Histogram::default())).to_vec();
        Self {
            setup,
            meshes,
            arrivals: [empty(), empty()],
            missed: [0; 2],
            beats_us: (0..setup.ground.nodes()).map(|_| rng.random_range(0..1_000_000)).collect(),
            sampled: 0,
            iwant: 0.0,
            claimed: 0.0,
            made: [0; 2],
            listed: 0,
            pending: 0,
            listing: (0, 0),
            link_weight: [0; 3],
            share_weight: Weight::default(),
        }
    }

    /// Counts a proof found on a job.
    pub fn found(&mut self, kind: Kind, work: &Work, waves: &[Wave], now_us: u64) {
        self.made[kind as usize] += 1;
        self.pending += work.pending as u64;
        if kind == Kind::Link {
            self.listed += work.list.len() as u64;
            for share in work.list.iter().map(|id| &waves[*id as usize]).filter(|wave| wave.listed_by.is_empty()) {
                self.listing.0 += now_us - share.born_us;
                self.listing.1 += 1;
            }
        }
    }

    /// Adds the weight of a message.
    pub fn weigh(&mut self, kind: Kind, weight: Weight) {
        match kind {
            Kind::Share => self.share_weight = weight,
            Kind::Link => {
                let parts = [weight.stream, weight.line, weight.back];
                self.link_weight.iter_mut().zip(parts).for_each(|(sum, part)| *sum += u64::from(part));
            }
        }
    }

    /// Measures a finished message. A message that continues later, because another item needs it, finishes again. Only
    /// its first end counts, because later ones would count too little.
    pub fn take(&mut self, flood: &mut Flood, id: WaveId) {
        let wave = &mut flood.waves[id as usize];
        if std::mem::replace(&mut wave.measured, true) {
            return;
        }
        let wave = &flood.waves[id as usize];
        let kind = wave.kind as usize;
        for (node, cell) in (0u32..).zip(&wave.cells) {
            if cell.is_valid() {
                let (_, histogram) = &mut self.arrivals[kind][self.setup.ground.kind(node) as usize];
                histogram.add(cell.after_us());
            } else if flood.is_running(node) {
                self.missed[kind] += 1;
            }
        }
        if (id as usize).is_multiple_of(SAMPLE) {
            self.sample(wave);
        }
    }

    /// Computes the traffic that announcements and requests would have caused for a message.
    fn sample(&mut self, wave: &Wave) {
        let claims_us = f64::from(u32::try_from(p2p_proto::limits::PENDING_INTERVAL_MS).unwrap_or(u32::MAX)) * 1e3;
        let mesh = &self.meshes[wave.kind as usize];
        for (node, cell) in (0u32..).zip(&wave.cells).filter(|(_, cell)| cell.is_valid()) {
            let arrived_us = wave.born_us + u64::from(cell.after_us());
            self.sampled += 1;
            let (mut iwant, mut claimed) = (0.0, 0.0);
            for peer in self.setup.connections.of(node) {
                let Some(known_us) = wave.valid_us(peer.id) else { continue };
                let way_us = u64::from(self.setup.ground.way_us(node, peer.id));
                let gap_us = arrived_us.saturating_sub(known_us + way_us);
                claimed += f64::from(u32::try_from(gap_us).unwrap_or(u32::MAX)) / claims_us;
                let beat_us = next_beat(known_us, self.beats_us[peer.id as usize]);
                if beat_us + way_us < arrived_us && mesh.of(node).binary_search(&peer.id).is_err() {
                    let outside = self.setup.connections.of(peer.id).len() - mesh.of(peer.id).len();
                    iwant += count_f64(self.setup.rules.told(outside)) / count_f64(outside);
                }
            }
            self.iwant += f64::min(iwant, 1.0);
            self.claimed += f64::min(claimed, 1.0);
        }
    }

    /// Returns the results.
    #[must_use]
    pub fn outcome(self, flood: &Flood, control: &[Control], main_links: u32, churn: (u64, u64)) -> Outcome {
        let seconds = self.setup.duration.as_secs_f64();
        let found = count_u64(self.made[0] + self.made[1]).max(1.0);
        let sampled = count_u64(self.sampled).max(1.0);
        let arrivals = [0, 1].map(|kind| self.arrivals[kind].iter().map(|(_, of)| of.total()).sum::<u64>());
        // A node's own messages do not arrive at it.
        let came = [0, 1].map(|kind| count_u64((arrivals[kind] - self.made[kind]).max(1)));
        let sum =
            |of: &dyn Fn(&Station) -> u32| count_u64(flood.stations.iter().map(|station| u64::from(of(station))).sum());
        let (iwant, claimed) = (self.iwant / sampled, self.claimed / sampled);
        let weights = self.weights();
        let extra = self.extra(iwant, claimed, weights);
        let traffic = (0u32..)
            .zip(&flood.stations)
            .zip(control)
            .map(|((node, station), control)| {
                let gossip = |kind: usize| {
                    let copies = |count: u32| f64::from(count) / seconds;
                    Rate::of(weights[kind], copies(station.sent[kind]), copies(flood.received[kind][node as usize]))
                };
                Traffic {
                    kind: self.setup.ground.kind(node),
                    peers: (self.setup.connections.of(node).len(), self.meshes[0].of(node).len()),
                    shares: gossip(0),
                    links: gossip(1),
                    control: control.sum().plus(extra),
                }
            })
            .collect();
        Outcome {
            nodes: self.setup.ground.nodes(),
            duration: self.setup.duration,
            made: self.made,
            missed: self.missed,
            copies: [0, 1]
                .map(|kind| count_u64(flood.received[kind].iter().map(|copies| u64::from(*copies)).sum()) / came[kind]),
            held: [0, 1].map(|kind| sum(&|station| station.held[kind]) / came[kind]),
            fetched: sum(&|station| station.fetched) / (came[0] + came[1]),
            iwant,
            claimed,
            traffic,
            control: Control::mean(control),
            main_links: u64::from(main_links),
            listed: count_u64(self.listed) / count_u64(self.made[1]).max(1.0),
            listing_s: count_u64(self.listing.0) / count_u64(self.listing.1).max(1.0) / 1e6,
            pending: count_u64(self.pending) / found,
            weights,
            churn,
            steps: flood.steps,
            arrivals: self.arrivals,
        }
    }

    fn weights(&self) -> [Weight; 2] {
        let mean = |sum: u64| ceil_u32(count_u64(sum) / count_u64(self.made[1]).max(1.0));
        let [stream, line, back] = self.link_weight.map(mean);
        [self.share_weight, Weight { stream, line, back }]
    }

    /// Returns the mean cost of announcements and named unlisted shares for every node.
    fn extra(&self, iwant: f64, claimed: f64, weights: [Weight; 2]) -> Rate {
        let per_s = self.setup.proofs_per_s();
        let sizes = &self.setup.sizes;
        let once = |weight: Weight, part: f64| Rate::of(weight, part * per_s, part * per_s);
        once(Weight::of_iwant(1), iwant)
            .plus(once(weights[0], iwant))
            .plus(once(Weight::of_exchange(sizes.proofs.0 + sizes.id), claimed))
            .plus(once(Weight::of_exchange(sizes.proofs.1 + sizes.item), claimed))
    }
}

/// Returns the first heartbeat at or after a moment.
fn next_beat(after_us: u64, beat_us: u32) -> u64 {
    let beat_us = u64::from(beat_us);
    after_us + (beat_us + HEARTBEAT_US - after_us % HEARTBEAT_US) % HEARTBEAT_US
}

#[cfg(test)]
mod tests;
