//! `shoal check`: finds everything that would stop `shoal run`, or leave its miners without work, without starting it.
//!
//! ```text
//! peers.rs     dials the configured peers
//! running.rs   the node of this configuration, if it is running
//! ```

mod peers;
mod running;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stratum::Tls;

use crate::bitcoind::{Bitcoind, BitcoindError};
use crate::config::{Config, ConfigError};
use crate::ports::{is_absent_ipv6, tcp_free, udp_free};
use crate::store::{Store, StoreError};
use node_core::sentence;

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub name: &'static str,
    /// True if the check passed.
    pub ok: bool,
    /// What was found and, if the check failed, what to do.
    pub words: String,
}

/// Results of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// True if all checks passed, so `shoal run` can start.
    pub ok: bool,
    /// Results, one line each.
    pub findings: Vec<Finding>,
}

/// Runs all checks for a valid configuration.
pub async fn check(config: &Config) -> Report {
    let running = running::running(config).await;
    let mut findings = vec![configuration(config), address(config), data_dir(&config.data_dir)];
    findings.push(database(config, running.is_some()));
    findings.extend(bitcoind(config).await);
    findings.extend(ports(config, running.is_some()));
    findings.extend(certificate(config));
    match &running {
        Some(status) => findings.extend(running::findings(status)),
        None => findings.push(peers::peers(config).await),
    }
    Report::new(findings)
}

/// The report for an invalid configuration.
pub fn unreadable(error: &ConfigError) -> Report {
    Report::new(vec![bad("config", sentence(error))])
}

impl Report {
    fn new(findings: Vec<Finding>) -> Self {
        Self { ok: findings.iter().all(|finding| finding.ok), findings }
    }
}

/// One line per check: a mark, a name, a sentence.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for Finding { name, ok, words } in &self.findings {
            let mark = if *ok { '✓' } else { '✗' };
            writeln!(f, "{mark} {name:<9} {words}")?;
        }
        Ok(())
    }
}

fn good(name: &'static str, words: impl Into<String>) -> Finding {
    Finding { name, ok: true, words: words.into() }
}

fn bad(name: &'static str, words: impl Into<String>) -> Finding {
    Finding { name, ok: false, words: words.into() }
}

fn configuration(config: &Config) -> Finding {
    if let Err(error) = config.require_launched() {
        return bad("config", sentence(&error));
    }
    let network = config.chain_params().name;
    let pool = if config.pool.is_public() { String::new() } else { format!(", pool {}", config.pool.as_str()) };
    let source = match &config.file {
        Some(path) => path.display().to_string(),
        None => "no file, defaults only".to_owned(),
    };
    good("config", format!("network {network}{pool}, from {source}"))
}

/// The address itself was validated with the configuration.
fn address(config: &Config) -> Finding {
    good(
        "address",
        match &config.address {
            Some(address) => format!("{address} is paid for the work of miners that give no address"),
            None => "none set, so every miner must give an address as its user name".to_owned(),
        },
    )
}

fn data_dir(path: &Path) -> Finding {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    let result = if existing.is_dir() { probe(existing) } else { Err(io::ErrorKind::NotADirectory.into()) };
    let shown = path.display();
    match result {
        Ok(()) if existing == path => good("data_dir", format!("{shown} is writable")),
        Ok(()) => good("data_dir", format!("{shown} does not exist yet and can be created")),
        Err(error) => bad("data_dir", format!("{shown} is not writable; check its permissions: {error}")),
    }
}

fn database(config: &Config, running: bool) -> Finding {
    let path = config.store_path();
    let consensus_id = config.chain_params().consensus_id();
    match Store::inspect(&path, consensus_id) {
        Ok(true) => good("database", format!("{} belongs to this share-chain", path.display())),
        Ok(false) => good("database", "none yet; the first start creates it"),
        Err(StoreError::Locked { path }) if running => {
            good("database", format!("{} is in use by the running node", path.display()))
        }
        Err(error) => bad("database", sentence(&error)),
    }
}

/// Creates and removes a file with a unique name.
fn probe(folder: &Path) -> io::Result<()> {
    let path: PathBuf = folder.join(format!(".shoal-check-{}", std::process::id()));
    fs::File::create_new(&path)?;
    fs::remove_file(&path)
}

async fn bitcoind(config: &Config) -> Vec<Finding> {
    let client = match Bitcoind::new(&config.bitcoind, config.network) {
        Ok(client) => client,
        Err(error) => return vec![bad("bitcoind", sentence(&error))],
    };
    let url = &config.bitcoind.url;
    let (info, status) = match tokio::join!(client.node_info(), client.chain_status()) {
        (Ok(info), Ok(status)) => (info, status),
        (Err(error), _) | (_, Err(error)) => return vec![bad("bitcoind", sentence(&error))],
    };
    let peers = info.connections;
    let agent = info.user_agent.escape_default();
    let mut findings = vec![good("bitcoind", format!("{agent} at {url}, {peers} peers"))];
    let judge = |name, result: Result<(), BitcoindError>, words: String| match result {
        Ok(()) => good(name, words),
        Err(error) => bad(name, sentence(&error)),
    };
    let network = config.network;
    findings.push(judge("network", status.verify_network(network), format!("bitcoind runs on {network}")));
    findings.push(judge("sync", status.verify_synced(network), format!("{} blocks", status.blocks)));
    if findings.iter().all(|finding| finding.ok) {
        findings.push(match client.template().await {
            Ok(template) => {
                let (height, count) = (template.height, template.transactions.len());
                good("template", format!("block {height} with {count} transactions"))
            }
            Err(error) => bad("template", sentence(&error)),
        });
    }
    findings
}

fn ports(config: &Config, running: bool) -> Vec<Finding> {
    let port = |name, protocol, listen, free| port(name, protocol, listen, free, running);
    let mut findings: Vec<_> =
        config.stratum.all().map(|listener| port("stratum", "TCP", listener.address, tcp_free as Free)).collect();
    findings.push(port("api", "TCP", config.api.listen, tcp_free));
    if let Some(onion) = &config.p2p.onion {
        findings.push(port("p2p", "TCP", onion.listen, tcp_free));
    }
    for listen in &config.p2p.listen {
        findings.push(port("p2p", "TCP", *listen, tcp_free));
        findings.push(port("p2p", "UDP", *listen, udp_free));
    }
    findings
}

/// The certificate for miners, if there is one.
fn certificate(config: &Config) -> Option<Finding> {
    let (certificate, key) = config.stratum.tls.as_ref()?;
    Some(match Tls::from_pem(certificate, key) {
        Ok(_) => good("tls", format!("{} and its key can be used", certificate.display())),
        Err(error) => bad("tls", sentence(&error)),
    })
}

/// Checks that a port can be bound.
type Free = fn(SocketAddr) -> io::Result<()>;

fn port(name: &'static str, protocol: &str, listen: SocketAddr, free: Free, running: bool) -> Finding {
    match free(listen) {
        Ok(()) => good(name, format!("{protocol} {listen} is free")),
        Err(error) if name == "p2p" && is_absent_ipv6(listen, &error) => {
            good(name, format!("{protocol} {listen} is not used, because this machine has no IPv6"))
        }
        Err(error) if running && error.kind() == io::ErrorKind::AddrInUse => {
            good(name, format!("{protocol} {listen} is in use by the running node"))
        }
        Err(error) => {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "is in use, perhaps by a running node; stop that program, or set another port"
                }
                io::ErrorKind::PermissionDenied => {
                    "is not permitted; set a port of 1024 or above, or run with the privilege to use it"
                }
                io::ErrorKind::AddrNotAvailable => {
                    "is not an address of this machine; set one that is, or 0.0.0.0 for all"
                }
                _ => "cannot be used; set another",
            };
            bad(name, format!("{protocol} {listen} {advice}, in `{name}.listen`"))
        }
    }
}
