//! Runs the attacks one after the other against one network.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use node::config::Outputs;
use serde_json::{Value, json};
use sysinfo::System;

use super::AttackError;
use super::catalog::Attack;
use super::finding::{Finding, PASSAGES_MIN, ratio, upload_max};
use super::hostile::Tries;
use super::measure::{Gauge, Log, found_between, measure, p99_ms};
use crate::api_client::Api;
use crate::link::LinkOptions;
use crate::network::{
    BitcoinKind, Chain, LastSignal, Network, NetworkOptions, Plan, Process, Spec, miners_dir, own_program,
};
use crate::rpc::Rpc;
use crate::watch::Watcher;

/// The victim, and the honest node that `kills` kills.
const VICTIM: usize = 0;
const KILLED: usize = 2;

/// Places of the attacker and the newcomer at the switch, behind the nodes.
const NODES: usize = 3;
const ATTACKER: usize = 3;
const NEWCOMER: usize = 4;
const THIRD: usize = 5;

/// Address of a third party.
const THIRD_ADDRESS: Ipv4Addr = Ipv4Addr::new(100, 125, 0, 1);

/// The victim's limit of upload, bytes per second: so low that attacks of seconds reach it. Its burst is ten times that.
const MAX_UPLOAD: u64 = 1_000_000;

/// Addresses of the attacker: all at one provider.
const ATTACKER_ADDRESSES: u8 = 32;

/// Hashes per second of the three miners together: enough shares for a percentile, and little of a core.
const HASHRATE_HS: f64 = 600_000.0;

/// Largest possible packets, so that the switch costs little beside an attack.
const MTU_BYTES: u32 = 65_000;

/// Time limit for the pool to begin to work, and to find a Bitcoin block.
const READY_MAX: Duration = Duration::from_secs(120);

/// Links that must exist before the first attack.
const LINKS_MIN: u32 = 12;

/// Time from the start of an attack to the newcomer's.
const NEWCOMER_AFTER: Duration = Duration::from_millis(1_500);

/// Extra time of a newcomer after the attack's own, during which the attack continues.
const NEWCOMER_MORE: Duration = Duration::from_secs(6);

/// Time between an attack's end and the count, in which shares arrive that were found before.
const ARRIVE: Duration = Duration::from_secs(1);

/// More time for [`PASSAGES_MIN`] shares to pass on a busy machine, where the miners are slower.
const PASSAGES_WITHIN: Duration = Duration::from_secs(12);

/// Time between two kills.
const KILL_EVERY: Duration = Duration::from_secs(3);

/// Growth of memory since the first rest at which the victim restarts before the next attack, so that attacks do not
/// add up.
const FRESH_ABOVE_BYTES: u64 = 24_000_000;

/// Time limit for a restarted victim to work again.
const FRESH_MAX: Duration = Duration::from_secs(30);

/// Options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The attacks.
    pub attacks: Vec<Attack>,
    /// Time of each attack, and of rest before the first.
    pub time: Duration,
    /// Folder of the network.
    pub dir: PathBuf,
}

/// The running suite.
struct Suite {
    network: Network,
    watcher: Watcher,
    system: System,
    dir: PathBuf,
    network_name: String,
    rest_rss_bytes: u64,
    rest_p99_ms: u64,
}

/// Runs the attacks one after the other against one network. Progress goes to standard error.
///
/// Await it on the main thread; see [`Process::start`].
///
/// # Errors
/// [`AttackError`] if the suite itself fails; not if the node does not hold.
pub async fn run(options: Options) -> Result<Vec<Finding>, AttackError> {
    std::fs::create_dir_all(&options.dir)?;
    say("three nodes, a miner each, begin to work");
    let mut suite = Suite::start(&options.dir).await?;
    say(&format!("resting for {} s", options.time.as_secs()));
    suite.rest(options.time).await?;
    let mut findings = Vec::with_capacity(options.attacks.len());
    for attack in options.attacks {
        suite.freshen(attack).await?;
        say(&format!("{attack}: {}", attack.what()));
        let finding = suite.attack(attack, options.time).await?;
        say(&format!("{attack}: {}", if finding.held { "held".to_owned() } else { finding.faults().join(", ") }));
        findings.push(finding);
    }
    suite.network.stop().await;
    Ok(findings)
}

fn say(text: &str) {
    // The reader of the pipe may be gone. The suite continues.
    let _ = writeln!(std::io::stderr(), "attack: {text}");
}

fn network_options(dir: &Path) -> NetworkOptions {
    let attacker = (1..=ATTACKER_ADDRESSES).map(|last| Ipv4Addr::new(100, 127, 0, last)).collect();
    let link = LinkOptions {
        mtu_bytes: MTU_BYTES,
        guests: vec![attacker, vec![Ipv4Addr::new(100, 126, 0, 1)], vec![THIRD_ADDRESS]],
        ..LinkOptions::default()
    };
    NetworkOptions {
        dir: dir.to_owned(),
        nodes: NODES,
        miners: NODES,
        payees: NODES,
        outputs: Outputs::Standard,
        hashrate_hs: HASHRATE_HS,
        delays_ms: BTreeMap::new(),
        bitcoin: BitcoinKind::Embedded,
        chain: Chain::Local,
        mdns: false,
        discover: false,
        link: Some(link),
    }
}

impl Suite {
    async fn start(dir: &Path) -> Result<Self, AttackError> {
        let mut plan = Plan::new(&network_options(dir))?;
        plan.nodes[VICTIM].max_upload = Some(MAX_UPLOAD);
        plan.nodes[VICTIM].discover = true;
        let watcher = Watcher::start(plan.nodes.iter().map(|node| node.api));
        let network = Network::start(plan, 0).await?;
        let system = System::new().map_err(std::io::Error::other)?;
        let mut suite = Self {
            network,
            watcher,
            system,
            dir: dir.to_owned(),
            network_name: String::new(),
            rest_rss_bytes: 0,
            rest_p99_ms: 0,
        };
        let started = Instant::now();
        while started.elapsed() < READY_MAX {
            if suite.is_ready().await && suite.keep_block().await? {
                let status = suite.api(VICTIM).status().await?;
                suite.network_name = format!("/shoal/{}", status.consensus_id.get(..16).unwrap_or_default());
                return Ok(suite);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Err(AttackError::NotReady { seconds: READY_MAX.as_secs(), dir: dir.display().to_string() })
    }

    fn api(&self, node: usize) -> Api {
        Api::new(self.network.plan().nodes[node].api)
    }

    /// Returns whether all nodes work on a chain of several links.
    async fn is_ready(&self) -> bool {
        for node in 0..NODES {
            let Ok(status) = self.api(node).status().await else { return false };
            if status.height < LINKS_MIN || !status.handing_out_work || status.peers + 1 < NODES as u64 {
                return false;
            }
        }
        true
    }

    fn block_path(&self) -> PathBuf {
        self.dir.join("block.hex")
    }

    /// Writes the newest Bitcoin block of the pool to a file, if there is one.
    async fn keep_block(&self) -> Result<bool, AttackError> {
        let bitcoin = &self.network.plan().bitcoin;
        let rpc = Rpc::new(bitcoin.rpc, bitcoin.cookie_path());
        let count = rpc.call("getblockcount", json!([])).await?.as_u64().unwrap_or_default();
        if count <= u64::from(bitcoin.chain.premined()) {
            return Ok(false);
        }
        let hash = rpc.call_str("getbestblockhash", json!([])).await?;
        let block = rpc.call_str("getblock", json!([hash, 0])).await?;
        std::fs::write(self.block_path(), block)?;
        Ok(true)
    }

    fn victim_pid(&self) -> Result<u32, AttackError> {
        self.network.node_pid(VICTIM).ok_or(AttackError::Ended)
    }

    /// Measures the network at rest.
    async fn rest(&mut self, time: Duration) -> Result<(), AttackError> {
        let since = Instant::now();
        tokio::time::sleep(time).await;
        let until = Instant::now();
        tokio::time::sleep(ARRIVE).await;
        let mut at_rest = found_between(&self.watcher.passages(), since, until, &(0..NODES).collect());
        self.rest_p99_ms = p99_ms(&mut at_rest);
        let pid = self.victim_pid()?;
        self.rest_rss_bytes = measure(&mut self.system, pid).rss_bytes;
        say(&format!(
            "at rest: p99 {} ms of {} passages, victim {} MB",
            self.rest_p99_ms,
            at_rest.len(),
            self.rest_rss_bytes / 1_000_000
        ));
        Ok(())
    }

    /// Restarts the victim if an attack left it large, if it bans the attacker, or if its address book matters, so that
    /// the next attack can be carried out.
    async fn freshen(&mut self, next: Attack) -> Result<(), AttackError> {
        let pid = self.victim_pid()?;
        let is_small = measure(&mut self.system, pid).rss_bytes <= self.rest_rss_bytes + FRESH_ABOVE_BYTES;
        let needs_book = matches!(next, Attack::ThirdParty | Attack::Records);
        if !is_small || needs_book || self.network.plan().nodes[VICTIM].has_bans() {
            self.network.restart_forgetful(VICTIM).await?;
        }
        let started = Instant::now();
        while started.elapsed() < FRESH_MAX && !self.is_ready().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn hostile(&self, name: &str, host: usize, time: Duration) -> Result<(Process, PathBuf), AttackError> {
        let Some(hosts) = self.network.hosts() else { return Err(std::io::Error::other("no link").into()) };
        let addresses: Vec<String> = self.addresses(host).iter().map(ToString::to_string).collect();
        let out = self.dir.join(format!("{name}.json"));
        let process = Process::start(&Spec {
            name: name.to_owned(),
            program: own_program()?,
            args: vec![
                "hostile".into(),
                name.into(),
                "--node".into(),
                self.network.plan().nodes[VICTIM].p2p.to_string().into(),
                "--network".into(),
                self.network_name.clone().into(),
                "--from".into(),
                addresses.join(",").into(),
                "--third".into(),
                THIRD_ADDRESS.to_string().into(),
                "--seconds".into(),
                time.as_secs_f64().to_string().into(),
                "--block".into(),
                self.block_path().into(),
                "--out".into(),
                out.clone().into(),
            ],
            log: miners_dir(&self.dir).with_file_name("hostile.log"),
            last_signal: LastSignal::Kill,
            namespace: Some(hosts.space(host).path()),
        })?;
        Ok((process, out))
    }

    fn addresses(&self, host: usize) -> Vec<IpAddr> {
        let guests = self.network.plan().link.iter().flat_map(|link| &link.guests);
        guests.skip(host - NODES).take(1).flatten().map(|address| IpAddr::V4(*address)).collect()
    }

    /// Runs one attack and measures it.
    async fn attack(&mut self, attack: Attack, time: Duration) -> Result<Finding, AttackError> {
        self.keep_block().await?;
        let pid = self.victim_pid()?;
        let node = &self.network.plan().nodes[VICTIM];
        let (log, gauge) = (Log::of(&node.dir), Gauge::start(pid, node.api)?);
        let before = measure(&mut self.system, pid);
        let (log_before, bytes_before, packets_before) = (log.bytes(), self.bytes(), self.third_party_packets());
        let since = Instant::now();
        let (mut attacker, attacker_out) = self.hostile(attack.name(), ATTACKER, time + NEWCOMER_MORE)?;
        tokio::time::sleep(NEWCOMER_AFTER).await;
        let newcomer_time = time.saturating_sub(NEWCOMER_AFTER) + NEWCOMER_MORE - Duration::from_millis(500);
        let (mut newcomer, newcomer_out) = self.hostile("newcomer", NEWCOMER, newcomer_time)?;
        self.wait(attack, since, since + time, &mut newcomer).await?;
        let until = Instant::now();
        let (after, bytes_after) = (measure(&mut self.system, pid), self.bytes());
        let log_bytes = log.bytes().saturating_sub(log_before);
        attacker.stop().await;
        let known = self.api(VICTIM).address_book().await?;
        tokio::time::sleep(ARRIVE).await;
        let gauged = gauge.read();
        let mut passages = self.passages(attack, since, until);
        let (count, during_ms) = (passages.len(), p99_ms(&mut passages));
        let tries: Tries = read_json(&newcomer_out).unwrap_or_default();
        let counts: Value = read_json(&attacker_out).unwrap_or_default();
        let seconds = (until - since).as_secs_f64();
        let passed = |index: usize| bytes_after[index].saturating_sub(bytes_before[index]);
        let finding = Finding {
            name: attack.name(),
            what: attack.what(),
            seconds,
            grown_bytes: gauged.rss_bytes_max.saturating_sub(before.rss_bytes),
            cpu_percent: after.cpu_ms.saturating_sub(before.cpu_ms) as f64 / seconds / 10.0,
            honest_p99_ratio: ratio(count, during_ms, self.rest_p99_ms),
            honest_p99_ms: during_ms,
            rest_p99_ms: self.rest_p99_ms,
            passages: count,
            newcomer_s: tries.seconds().unwrap_or(seconds),
            no_work_s: gauged.no_work.as_secs_f64(),
            received_bytes: passed(0),
            sent_bytes: passed(1),
            up_bytes_per_s: (passed(1) as f64 / seconds) as u64,
            up_bytes_per_s_max: upload_max(MAX_UPLOAD, seconds, counts["messages"].as_u64().unwrap_or_default()),
            book_entries: known,
            third_party_packets: self.third_party_packets().saturating_sub(packets_before),
            relayed_bytes: passed(2),
            log_bytes,
            attacker: counts,
            held: false,
        };
        Ok(finding.judged())
    }

    /// Waits for the end of an attack: its time is over, the newcomer's attempts are done, and enough shares passed to judge it, or
    /// none come.
    async fn wait(
        &mut self,
        attack: Attack,
        since: Instant,
        end: Instant,
        newcomer: &mut Process,
    ) -> Result<(), AttackError> {
        let mut kill_at = Instant::now();
        let lacks = |run: &Self| run.passages(attack, since, Instant::now()).len() < PASSAGES_MIN;
        while Instant::now() < end
            || newcomer.ended().is_none()
            || (Instant::now() < end + PASSAGES_WITHIN && lacks(self))
        {
            if attack == Attack::Kills && Instant::now() >= kill_at {
                kill_at += KILL_EVERY;
                self.network.kill(KILLED).await;
                self.network.restart(KILLED).await?;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// How long shares that were found in this time took between honest nodes.
    fn passages(&self, attack: Attack, since: Instant, until: Instant) -> Vec<Duration> {
        let honest = (0..NODES).filter(|node| attack != Attack::Kills || *node != KILLED).collect::<BTreeSet<_>>();
        found_between(&self.watcher.passages(), since, until, &honest)
    }

    fn third_party_packets(&self) -> u64 {
        self.network.hosts().map_or(0, |hosts| hosts.traffic().packets(VICTIM, THIRD))
    }

    /// Bytes that the victim got from the attacker, sent to it, and sent to honest nodes.
    fn bytes(&self) -> [u64; 3] {
        let Some(hosts) = self.network.hosts() else { return [0; 3] };
        let traffic = hosts.traffic();
        let honest = (0..NODES).filter(|node| *node != VICTIM).map(|node| traffic.bytes(VICTIM, node)).sum();
        [traffic.bytes(ATTACKER, VICTIM), traffic.bytes(VICTIM, ATTACKER), honest]
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
