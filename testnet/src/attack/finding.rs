//! The figures of an attack, and whether the node held.

use std::fmt::Write as _;

use p2p_proto::limits::{NEW_BUCKETS, NEW_PLACES, UPLOAD_BURST_S};
use serde::Serialize;

/// Growth of the victim's memory at which it fails, bytes.
const GROWN_BYTES_MAX: u64 = 64_000_000;

/// Ratio of honest latencies at which the node fails.
const RATIO_MAX: f64 = 2.0;

/// Seconds within which a newcomer must be served.
const NEWCOMER_S_MAX: f64 = 5.0;

/// Size of the log at which it fails, bytes: more than a burst and a few lines a minute of each kind, and a quarter of
/// what bad identities caused in 8 s before lines were limited.
const LOG_BYTES_MAX: u64 = 100_000;

/// Number of hostile nodes in the address book at which it fails: all attackers are in one netgroup, which can fill a
/// sixteenth of the new table. The one node that was dialed is in the tried table.
const BOOK_ENTRIES_MAX: u64 = (NEW_BUCKETS * NEW_PLACES / 16) as u64 + 1;

/// Packets to a third party at which it fails: one dial, one half a minute later, and one more.
const THIRD_PARTY_PACKETS_MAX: u64 = 3;

/// Floor for latencies, in milliseconds: on two busy cores, a share sometimes takes this long without any attack.
const QUIET_MS: u64 = 100;

/// Bytes of handshakes, identify, acknowledgments, and gossip, beside the messages that the upload limit counts.
const UPLOAD_MORE_BYTES: f64 = 6e6;

/// Bytes that the stream of a request takes, even if the answer is only "busy".
const UPLOAD_REQUEST_BYTES: f64 = 512.0;

/// Minimum number of passages for a meaningful percentile. A stalled chain counts as a failure.
pub(super) const PASSAGES_MIN: usize = 20;

/// The figures of an attack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Name of the attack.
    pub name: &'static str,
    /// Description of the attack.
    pub what: &'static str,
    /// Seconds that it lasted.
    pub seconds: f64,
    /// Largest growth of the victim's resident memory, bytes.
    pub grown_bytes: u64,
    /// The victim's use of one core, in percent.
    pub cpu_percent: f64,
    /// 99th percentile of the time that shares took between honest nodes, divided by the same at rest; both count as at
    /// least 100 ms. Null if too few shares passed.
    pub honest_p99_ratio: Option<f64>,
    /// The 99th percentile meanwhile, in milliseconds.
    pub honest_p99_ms: u64,
    /// The 99th percentile at rest, in milliseconds.
    pub rest_p99_ms: u64,
    /// Number of passages behind the percentile.
    pub passages: usize,
    /// Seconds until a fresh node was served: the median of its attempts, by TCP or QUIC, whichever is longer.
    pub newcomer_s: f64,
    /// Seconds in which the victim's miner had no work.
    pub no_work_s: f64,
    /// Bytes that the victim got from the attacker.
    pub received_bytes: u64,
    /// Bytes that the victim sent to the attacker.
    pub sent_bytes: u64,
    /// Bytes per second that the victim sent to the attacker.
    pub up_bytes_per_s: u64,
    /// Bytes per second that it was allowed to send: its upload limit, which includes a burst, and the overhead of
    /// transports.
    pub up_bytes_per_s_max: u64,
    /// Nonexistent nodes in the victim's address book.
    pub book_entries: u64,
    /// Packets that the victim sent to a third party.
    pub third_party_packets: u64,
    /// Bytes that the victim sent to honest nodes.
    pub relayed_bytes: u64,
    /// Bytes that the victim wrote to its log.
    pub log_bytes: u64,
    /// The attacker's counters: connections, messages, and so on.
    pub attacker: serde_json::Value,
    /// Whether the node held.
    pub held: bool,
}

impl Finding {
    /// Returns the exceeded limits, in words; empty if the node held.
    pub fn faults(&self) -> Vec<&'static str> {
        let ratio_is_bad = self.honest_p99_ratio.is_none_or(|ratio| ratio > RATIO_MAX);
        let faults = [
            (self.grown_bytes >= GROWN_BYTES_MAX, "memory"),
            (ratio_is_bad, "latency"),
            (self.newcomer_s > NEWCOMER_S_MAX, "newcomer"),
            (self.no_work_s > 0.0, "no work"),
            (self.up_bytes_per_s > self.up_bytes_per_s_max, "upload"),
            (self.log_bytes > LOG_BYTES_MAX, "log"),
            (self.book_entries > BOOK_ENTRIES_MAX, "address book"),
            (self.third_party_packets > THIRD_PARTY_PACKETS_MAX, "third party"),
            // An attack that was not carried out proves nothing.
            (self.attacker["failure"].is_string() || !self.was_waged(), "the attack failed"),
        ];
        faults.into_iter().filter_map(|(is_fault, name)| is_fault.then_some(name)).collect()
    }

    /// Returns whether the attacker did anything. `kills` has none.
    fn was_waged(&self) -> bool {
        let did = |count: &str| self.attacker[count].as_u64().is_some_and(|count| count > 0);
        let by_connections = ["false-tip", "silent-sockets", "slots", "handshakes"].contains(&self.name);
        let kept_out = did("refused_connections");
        self.name == "kills" || did("messages") || kept_out || (by_connections && did("connections"))
    }

    /// Sets whether the node held.
    pub(super) fn judged(mut self) -> Self {
        self.held = self.faults().is_empty();
        self
    }
}

/// Returns the bytes per second that a node with this upload limit may send to a peer over some seconds, including the
/// overhead of transports and handshakes for that many messages of the peer.
pub(super) fn upload_max(limit: u64, seconds: f64, messages: u64) -> u64 {
    let allowed = limit as f64 * (UPLOAD_BURST_S as f64 + seconds);
    let more = UPLOAD_MORE_BYTES + messages as f64 * UPLOAD_REQUEST_BYTES;
    ((allowed * 1.1 + more) / seconds) as u64
}

/// Returns the ratio of two latencies in milliseconds; `None` if too few shares passed.
pub(super) fn ratio(passages: usize, during_ms: u64, rest_ms: u64) -> Option<f64> {
    (passages >= PASSAGES_MIN).then(|| during_ms.max(QUIET_MS) as f64 / rest_ms.max(QUIET_MS) as f64)
}

/// Returns a table of the findings.
pub fn table(findings: &[Finding]) -> String {
    let mut text =
        "attack            grown   CPU   honest p99  ratio  newcomer  no work  received      sent   relayed      log  book  \
         third  result\n"
            .to_owned();
    for finding in findings {
        let mega = |bytes: u64| bytes as f64 / 1e6;
        let result = if finding.held { "held".to_owned() } else { format!("FAILS: {}", finding.faults().join(", ")) };
        let ratio = finding.honest_p99_ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.1}"));
        writeln!(
            text,
            "{:<15} {:>4.0} MB {:>4.0}% {:>9} ms {:>6} {:>7.1} s {:>6.1} s {:>6.1} MB {:>4.1} MB/s {:>6.1} MB {:>5.1} kB {:>5} {:>6}  {result}",
            finding.name,
            mega(finding.grown_bytes),
            finding.cpu_percent,
            finding.honest_p99_ms,
            ratio,
            finding.newcomer_s,
            finding.no_work_s,
            mega(finding.received_bytes),
            mega(finding.up_bytes_per_s),
            mega(finding.relayed_bytes),
            finding.log_bytes as f64 / 1e3,
            finding.book_entries,
            finding.third_party_packets,
        )
        .expect("writing to a string does not fail");
    }
    text
}

#[cfg(test)]
mod tests;
