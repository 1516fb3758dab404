//! `/api/v1/metrics`, and `/metrics`: the node's metrics for Prometheus.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use node_core::isolation::Kind;
use p2p::{Defense, Traffic, TrafficKind};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use stratum::Snapshot;

use super::context::{Api, Context};
use super::error::{ApiError, ErrorBody};
use super::isolation::WorkName;
use super::status::{Status, SyncStateName};
use super::upgrade::Upgrade;
use crate::clock::now;
use crate::devices::{Device, DeviceState, by_reason};
use crate::event_kind::EventKind;
use crate::submissions::VerdictCounts;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns the node's metrics as OpenMetrics text for Prometheus. `/metrics`, where Prometheus looks by default, has
/// them too. With the token, they include workers by name: their hashrates, states, best shares, and payouts.
#[utoipa::path(
    get, path = "/api/v1/metrics", security((), ("token" = [])),
    responses(
        (status = 200, description = "The metrics", content_type = "application/openmetrics-text", body = String),
        (status = 503, description = "The node is stopping", body = ErrorBody),
    )
)]
pub(super) async fn metrics(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    let own = api.shows_workers(&headers).then(|| Own {
        devices: api.context.devices.lock().all(now().0),
        paid_sat: api.context.history.event_log().paid_sat(),
    });
    let numbers = Numbers {
        status: api.status().await?,
        refused: api.refused_by_rule().await?,
        miners: api.context.stratum.snapshot(),
        discovery: api.context.discovery.borrow().numbers,
        received: named(api.context.traffic.received()),
        sent: named(api.context.traffic.sent()),
        traffic: api.context.traffic.clone(),
        log_lines_left_out: crate::log_limit::left_out(),
        submitted: api.context.submissions.counts(),
        bitcoind_in_use: api.context.submissions.bitcoind_in_use(),
        events: api.context.history.event_log().counts(),
        start_unix_s: api.start_unix_s,
        archive: archive(&api.context),
        own,
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(numbers));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

/// Bytes of the archive's queue, and records of the journal that its database lacks.
fn archive(context: &Context) -> Option<(u64, u64)> {
    let (queue_bytes, written) = context.archive.get()?;
    let newest = context.store.next_sequence().saturating_sub(1);
    Some((queue_bytes, newest.saturating_sub(written)))
}

/// All values at one moment.
#[derive(Debug)]
struct Numbers {
    status: Status,
    refused: BTreeMap<String, u64>,
    miners: Snapshot,
    discovery: p2p::DiscoveryNumbers,
    received: Vec<(&'static str, u64)>,
    sent: Vec<(&'static str, u64)>,
    traffic: Traffic,
    log_lines_left_out: u64,
    submitted: VerdictCounts,
    /// Index of the bitcoind in use.
    bitcoind_in_use: usize,
    events: [(EventKind, u64); EventKind::ALL.len()],
    start_unix_s: f64,
    /// Bytes of the archive's queue, and records that its database lacks.
    archive: Option<(u64, u64)>,
    /// Metrics that only the owner may see.
    own: Option<Own>,
}

/// Numbers of this node's devices.
#[derive(Debug)]
struct Own {
    devices: Vec<Device>,
    paid_sat: u64,
}

fn named(counts: impl Iterator<Item = (TrafficKind, u64)>) -> Vec<(&'static str, u64)> {
    counts.map(|(kind, bytes)| (kind.name(), bytes)).collect()
}

/// Writes metrics one by one.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        metric.encode(self.0.encode_descriptor(name, help, unit, metric.metric_type())?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    /// Writes a gauge family of workers.
    fn workers(&mut self, name: &str, help: &str, unit: Option<&Unit>, values: &[(&str, f64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (worker, number) in values {
            ConstGauge::new(*number).encode(family.encode_family(&[("worker", *worker)])?)?;
        }
        Ok(())
    }

    /// Writes rejected submits by worker and reason.
    fn rejected(&mut self, name: &str, help: &str, values: &[(&str, &str, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (worker, reason, count) in values {
            let labels = [("worker", *worker), ("reason", *reason)];
            ConstGauge::new(*count as f64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes a gauge family with one label.
    fn gauges(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (value, number) in values {
            let labels = [(label, *value)];
            ConstGauge::new(*number as f64).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes a counter family with one label.
    fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            let labels = [(label, *value)];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Numbers {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.process(&mut page)?;
        self.chain(&mut page)?;
        self.shares(&mut page)?;
        self.mining(&mut page)?;
        self.own.as_ref().map_or(Ok(()), |own| own.encode(&mut page))
    }
}

impl Numbers {
    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let Status { version, network, consensus_id, rss_bytes, .. } = &self.status;
        let labels =
            [("version", version.as_str()), ("network", network.as_str()), ("consensus_id", consensus_id.as_str())];
        let mut build = page.0.encode_descriptor(
            "shoal_build",
            "Version, network and consensus id of this node",
            None,
            MetricType::Info,
        )?;
        build.encode_info(&labels)?;
        let help = "Start time of the process since 1970";
        page.gauge("process_start_time", help, Some(&Unit::Seconds), self.start_unix_s)?;
        if let Some(rss_bytes) = rss_bytes {
            let help = "Resident memory of the process";
            page.gauge("process_resident_memory", help, Some(&Unit::Bytes), *rss_bytes as f64)?;
        }
        let events = self.events.map(|(kind, count)| (kind.name(), count));
        page.counters("shoal_events", "Events in the event log since the node started, by kind", "kind", &events)?;
        let help = "Lines left out of the log because there were too many of their kind";
        page.counter("shoal_log_lines_left_out", help, self.log_lines_left_out)?;
        let Some((queue_bytes, behind)) = self.archive else { return Ok(()) };
        let help = "Size on disk of the queue between this node and its archive";
        page.gauge("shoal_archive_queue", help, Some(&Unit::Bytes), queue_bytes as f64)?;
        let help = "Records of the share-chain that the archive's database does not have yet";
        page.gauge("shoal_archive_records_behind", help, None, behind as f64)
    }

    fn chain(&self, page: &mut Page<'_>) -> fmt::Result {
        let status = &self.status;
        page.gauge("shoal_chain_height", "Height of the share-chain's tip", None, status.height.into())?;
        let help = "Height of the newest settled link";
        page.gauge("shoal_chain_settled_height", help, None, status.settled_height.into())?;
        if let Some(age_s) = status.tip_age_s {
            let help = "Time since the job of the tip was handed out";
            page.gauge("shoal_chain_tip_age", help, Some(&Unit::Seconds), age_s as f64)?;
        }
        let help = "1 while a heavier branch would undo settled links";
        page.gauge("shoal_chain_conflict", help, None, flag(status.conflict.is_some()))?;
        let states: Vec<_> = (Kind::ALL.iter())
            .map(|kind| (kind.name(), u64::from(status.states.iter().any(|state| state.kind == kind.name()))))
            .collect();
        page.gauges("shoal_isolation", "1 while this state holds", "kind", &states)?;
        let help = "1 while the pool has locked in an upgrade that this version does not know";
        let upgrade = status.upgrades.iter().any(Upgrade::asks_for_a_newer_program);
        page.gauge("shoal_upgrade_needed", help, None, flag(upgrade))?;
        let synced = status.sync.state == SyncStateName::Synced;
        page.gauge("shoal_synced", "1 while the node is in sync with its peers", None, flag(synced))?;
        page.gauge("shoal_peers", "Connected peers", None, status.peers as f64)?;
        let found = self.discovery;
        let help = "Nodes in the address book that were never reached";
        page.gauge("shoal_address_book_new", help, None, found.book_new as f64)?;
        let help = "Nodes in the address book that were reached";
        page.gauge("shoal_address_book_tried", help, None, found.book_tried as f64)?;
        let help = "Connections to nodes that the node chose by itself";
        page.gauge("shoal_peers_outbound", help, None, found.outbound as f64)?;
        let help = "Connections to nodes of its choice that the node wants";
        page.gauge("shoal_peers_outbound_target", help, None, found.outbound_target as f64)?;
        let help = "Bytes of messages from peers, by kind, without what transports add";
        page.counters("shoal_peer_received_bytes", help, "kind", &self.received)?;
        let help = "Bytes of messages to peers, by kind, without gossip and what transports add";
        page.counters("shoal_peer_sent_bytes", help, "kind", &self.sent)?;
        self.defenses(page)?;
        if let Some(height) = status.bitcoin.height {
            page.gauge("shoal_bitcoin_height", "Height of the tip of this node's bitcoind", None, height.into())?;
        }
        let VerdictCounts { accepted, duplicate, inconclusive, rejected } = self.submitted;
        let verdicts =
            [("accepted", accepted), ("duplicate", duplicate), ("inconclusive", inconclusive), ("rejected", rejected)];
        let help = "The pool's Bitcoin blocks submitted to this node's bitcoind, by its verdict";
        page.counters("shoal_blocks_submitted", help, "verdict", &verdicts)?;
        let help = "Which bitcoind is in use: 0 for the one of bitcoind.url, 1 for the first fallback, and so on";
        page.gauge("shoal_bitcoin_in_use", help, None, self.bitcoind_in_use as f64)?;
        let trouble = flag(status.bitcoin.trouble.is_some());
        page.gauge("shoal_bitcoin_trouble", "1 while this node's bitcoind has a problem", None, trouble)
    }

    fn defenses(&self, page: &mut Page<'_>) -> fmt::Result {
        let counts = |defenses: &[Defense]| -> Vec<(&'static str, u64)> {
            defenses.iter().map(|defense| (defense.name(), self.traffic.defended(*defense))).collect()
        };
        let help = "Gossip and requests of peers refused because a budget that peers share is used up, by budget";
        page.counters("shoal_peer_budget_refusals", help, "budget", &counts(&Defense::BUDGETS))?;
        let help = "Connections of peers refused, or ended in their handshake for newer ones, by reason";
        page.counters("shoal_peer_connections_refused", help, "reason", &counts(&Defense::CONNECTIONS))?;
        let help = "Inbound connections of peers evicted for newer ones";
        page.counter("shoal_peer_evictions", help, self.traffic.defended(Defense::Eviction))?;
        let help = "Bans that this node decided itself, by what is banned";
        page.counters("shoal_peer_bans", help, "what", &counts(&Defense::BANS))
    }

    fn shares(&self, page: &mut Page<'_>) -> fmt::Result {
        let shares = &self.status.shares;
        page.counter("shoal_shares_found", "Shares found by this node's miners", shares.found_total)?;
        page.gauge("shoal_shares_pending", "Valid shares that no link lists yet", None, shares.pending as f64)?;
        page.gauge("shoal_shares_held", "Shares that cannot be judged yet", None, shares.held as f64)?;
        let refused: Vec<(&str, u64)> = self.refused.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
        page.counters("shoal_shares_refused", "Rejected shares, by the rule that they broke", "rule", &refused)
    }

    fn mining(&self, page: &mut Page<'_>) -> fmt::Result {
        let (status, miners) = (&self.status, &self.miners);
        let working = flag(status.handing_out_work);
        page.gauge("shoal_handing_out_work", "1 while this node hands out jobs", None, working)?;
        let solo = flag(status.work == WorkName::Solo);
        page.gauge("shoal_work_solo", "1 while miners work solo, each for its own address", None, solo)?;
        page.gauge("shoal_miners", "Connected miners", None, miners.connections.len() as f64)?;
        let help = "Accepted connections of miners";
        page.counter("shoal_miner_connections", help, miners.connections_taken)?;
        let help = "Miner connections rejected because of a limit";
        page.counter("shoal_miner_connections_refused", help, miners.connections_refused)?;
        let closed: Vec<(&str, u64)> =
            miners.connections_closed.iter().map(|(reason, count)| (*reason, *count)).collect();
        page.counters("shoal_miner_connections_closed", "Miner connections that ended, by reason", "reason", &closed)?;
        let unit = Unit::Other("hashes_per_second".to_owned());
        page.gauge(
            "shoal_hashrate",
            "Estimated hashrate of this node's miners",
            Some(&unit),
            status.hashrate.local_hs,
        )?;
        if let Some(pool_hs) = status.hashrate.pool_hs {
            page.gauge("shoal_pool_hashrate", "Estimated hashrate of the whole pool", Some(&unit), pool_hs)?;
        }
        page.counter("shoal_submits_accepted", "Accepted submits of this node's miners", miners.totals.accepted)?;
        let help = "Submits of this node's miners that met Bitcoin's target";
        page.counter("shoal_submits_blocks", help, miners.totals.blocks)?;
        let rejected = by_reason(&miners.totals.rejected);
        page.counters(
            "shoal_submits_rejected",
            "Rejected submits of this node's miners, by reason",
            "reason",
            &rejected,
        )
    }
}

impl Own {
    fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        page.counter("shoal_paid_satoshi", "What blocks paid to this node's miners since it started", self.paid_sat)?;
        // Workers of different addresses may share a name.
        let mut devices: BTreeMap<&str, &Device> = BTreeMap::new();
        for device in &self.devices {
            devices.entry(&device.name).or_insert(device);
        }
        let each = |value: fn(&Device) -> f64| -> Vec<(&str, f64)> {
            devices.iter().map(|(name, device)| (*name, value(device))).collect()
        };
        let unit = Unit::Other("hashes_per_second".to_owned());
        let help = "Estimated hashrate of a worker";
        page.workers("shoal_worker_hashrate", help, Some(&unit), &each(|device| device.hashrate_hs))?;
        let help = "Difficulty of a worker's best share ever";
        page.workers(
            "shoal_worker_best_difficulty",
            help,
            None,
            &each(|device| device.best_difficulty.unwrap_or(0.0)),
        )?;
        let help = "Difficulty of a worker's best share of this day (UTC)";
        let best = each(|device| device.best_today_difficulty.unwrap_or(0.0));
        page.workers("shoal_worker_best_today_difficulty", help, None, &best)?;
        let help = "Accepted submits of a worker since it was first seen";
        page.workers("shoal_worker_accepted", help, None, &each(|device| device.accepted_total as f64))?;
        let help = "Rejected submits of a worker since it was first seen, by reason";
        let rejected = devices
            .iter()
            .flat_map(|(name, device)| device.rejected.iter().map(|(reason, count)| (*name, &reason[..], *count)));
        page.rejected("shoal_worker_rejected", help, &rejected.collect::<Vec<_>>())?;
        let help = "1 while a worker rests, because its owner saves power";
        page.workers("shoal_worker_paused", help, None, &each(|device| flag(device.state == DeviceState::Paused)))?;
        let help = "1 while a worker is silent: nothing accepted for five minutes, or not connected";
        page.workers("shoal_worker_silent", help, None, &each(|device| flag(device.state == DeviceState::Silent)))?;
        let help = "1 while a worker hashes at less than half of its average";
        page.workers("shoal_worker_low", help, None, &each(|device| flag(device.state == DeviceState::Low)))
    }
}

fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}
