//! Parameters of gossipsub's peer scores, and this node's additions to them. Decision 0038 has the reasons.

use std::time::Duration;

use libp2p::gossipsub::{PeerScoreParams, PeerScoreThresholds, TopicScoreParams, score_parameter_decay};

use p2p_proto::Millis;

/// Time in which counters of good and bad messages fall to a tenth: the same as for a peer's points to expire.
const MEMORY: Duration = Duration::from_secs(600);

/// Time in which the count of deliveries falls to a tenth.
const DELIVERIES_MEMORY: Duration = Duration::from_secs(100);

/// Sum of the weights of one message per second that [`DELIVERIES_MEMORY`] leaves: `1 / (1 - 0.1^(1/100))`.
const DELIVERIES_SUM: f64 = 43.9;

/// Time in the mesh after which a peer must have delivered something.
const ACTIVATION: Duration = Duration::from_secs(30);

/// Part of all messages that a peer of the mesh must deliver. A peer on a slow line gets most of them from this node
/// first.
const DELIVERED_PART: f64 = 0.02;

/// Penalty of a peer of the mesh that delivers nothing: below 0, so that it loses its place, and above all thresholds.
const SILENCE: f64 = -5.0;

/// Minimum rate of a topic at which silence is suspicious, messages per second.
const BUSY_PER_S: f64 = 1.0;

/// Peers at one host that share no penalty: the nodes of a household.
const HOUSEHOLD: usize = 4;

/// Penalty of each peer at a host for the square of the peers beyond a household: 80 points for the eight that a host may
/// connect.
const CROWD: i32 = 5;

pub(super) fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -10.0,
        publish_threshold: -50.0,
        graylist_threshold: -100.0,
        // Peers are not exchanged by gossipsub.
        accept_px_threshold: 10.0,
        opportunistic_graft_threshold: 1.0,
    }
}

/// Parameters without topics.
pub(super) fn params() -> PeerScoreParams {
    PeerScoreParams {
        topic_score_cap: 30.0,
        app_specific_weight: 1.0,
        // The application's score counts by host and exempts local networks: libp2p knows only addresses.
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(60)),
        // A slow line is no offense.
        slow_peer_weight: 0.0,
        // Points outlast a connection; this bounds what libp2p keeps of a flood of identities.
        retain_score: Duration::from_secs(10),
        ..PeerScoreParams::default()
    }
}

/// Parameters of a topic with that many valid messages per second.
pub(super) fn topic(per_s: f64) -> TopicScoreParams {
    let threshold = DELIVERED_PART * per_s * DELIVERIES_SUM;
    let busy = per_s >= BUSY_PER_S;
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.05,
        time_in_mesh_quantum: Duration::from_secs(60),
        time_in_mesh_cap: 10.0,
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_decay: score_parameter_decay(MEMORY),
        first_message_deliveries_cap: 100.0,
        mesh_message_deliveries_weight: if busy { SILENCE / (threshold * threshold) } else { 0.0 },
        mesh_message_deliveries_decay: score_parameter_decay(DELIVERIES_MEMORY),
        mesh_message_deliveries_cap: threshold.max(1.0) * 10.0,
        mesh_message_deliveries_threshold: threshold.max(0.1),
        mesh_message_deliveries_window: Duration::from_secs(2),
        mesh_message_deliveries_activation: ACTIVATION,
        // A peer that lost its place for silence may try again.
        mesh_failure_penalty_weight: 0.0,
        mesh_failure_penalty_decay: 0.5,
        invalid_message_deliveries_weight: -20.0,
        invalid_message_deliveries_decay: score_parameter_decay(MEMORY),
    }
}

/// This node's part of a peer's score: its points, and the number of others at its host. `None` for local networks,
/// which peers may share.
pub(super) fn application(points: u32, peers_at_host: Option<usize>) -> f64 {
    let surplus = peers_at_host.map_or(0, |peers| peers.saturating_sub(HOUSEHOLD));
    let surplus = i32::try_from(surplus).unwrap_or(i32::MAX);
    let crowd = CROWD.saturating_mul(surplus.saturating_mul(surplus));
    -f64::from(points) - f64::from(crowd)
}

/// Length of a count of messages, and how many are kept.
const BIN_MS: u64 = 10_000;
const BINS: usize = 3;

/// Counts the valid messages of a topic over the last half minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    bins: [u32; BINS],
    now: u32,
    since: Millis,
}

impl Pace {
    pub(super) const fn count(&mut self) {
        self.now = self.now.saturating_add(1);
    }

    /// Messages per second, every ten seconds.
    pub(super) fn due(&mut self, now: Millis) -> Option<f64> {
        if now.since(self.since) < BIN_MS {
            return None;
        }
        self.since = now;
        self.bins.rotate_right(1);
        if let Some(first) = self.bins.first_mut() {
            *first = core::mem::take(&mut self.now);
        }
        let seconds = u32::try_from(BIN_MS / 1_000).ok()?.saturating_mul(u32::try_from(BINS).ok()?);
        Some(f64::from(self.bins.iter().sum::<u32>()) / f64::from(seconds))
    }
}

#[cfg(test)]
mod tests;
