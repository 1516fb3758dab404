//! `shoal check`: finds everything that would keep `shoal run` from starting, or its miners from getting work.
//!
//! ```text
//! bitcoind.rs  bitcoind: its network, its chain, its clock, its templates
//! machine.rs   the config file, the data folder, the node's key, the disk
//! peers.rs     dials the configured peers
//! running.rs   the node of this configuration, if it is running
//! ```

mod bitcoind;
mod machine;
mod peers;
mod running;

use std::io;
use std::net::SocketAddr;

use serde::Serialize;
use stratum::Tls;

use crate::config::{Config, ConfigError, keys};
use crate::ports::{is_absent_ipv6, tcp_free, udp_free};
use crate::store::{self, StoreError};
use node_core::sentence;

pub(crate) use machine::exposed;

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Name of the check.
    pub name: &'static str,
    /// True if the check passed.
    pub ok: bool,
    /// What was found and, if the check failed, what to do.
    pub words: String,
}

/// Results of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// True if all checks passed, so `shoal run` can start.
    pub ok: bool,
    /// Results, one line each.
    pub findings: Vec<Finding>,
}

/// Runs all checks for a valid configuration.
pub(crate) async fn check(config: &Config) -> Report {
    let running = running::running(config).await;
    let mut findings = vec![machine::configuration(config), address(config)];
    findings.extend(machine::data_dir(config));
    findings.push(database(config, running.is_some()));
    findings.extend(bitcoind::bitcoind(config).await);
    findings.extend(ports(config, running.is_some()));
    findings.extend(certificate(config));
    match &running {
        Some(status) => findings.extend(running::findings(status)),
        None => findings.push(peers::peers(config).await),
    }
    Report::new(findings)
}

/// The report for an invalid configuration.
pub(crate) fn unreadable(error: &ConfigError) -> Report {
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

fn database(config: &Config, running: bool) -> Finding {
    let path = config.store_path();
    let consensus_id = config.chain_params().consensus_id();
    match store::read_through(&path, consensus_id) {
        Ok(Some(records)) => {
            let shown = path.display();
            match machine::read_only(&path) {
                Some(file) => {
                    let file = file.display();
                    bad(
                        "database",
                        format!("{file} cannot be written by this user; give all of {shown} to the node's user"),
                    )
                }
                None => good(
                    "database",
                    format!("{shown} belongs to this share-chain, and its {records} records can be read"),
                ),
            }
        }
        Ok(None) => good("database", "none yet; the first start creates it"),
        Err(StoreError::Locked { path }) if running => {
            good("database", format!("{} is in use by the running node", path.display()))
        }
        Err(error) => bad("database", sentence(&error)),
    }
}

fn ports(config: &Config, running: bool) -> Vec<Finding> {
    let mut taken: Vec<(&'static str, SocketAddr)> = Vec::new();
    let mut tcp = |name, key, listen| {
        let other = taken.iter().find(|(_, other)| collide(*other, listen)).map(|(other, _)| *other);
        taken.push((key, listen));
        let Some(other) = other else { return port(name, key, "TCP", listen, tcp_free, running) };
        let or_there = if other == key { String::new() } else { format!(" or `{other}`") };
        bad(name, format!("TCP {listen} is set twice; set another port, in `{key}`{or_there}"))
    };
    let mut findings = Vec::new();
    for (place, listener) in config.stratum.all().enumerate() {
        let key = if place == 0 { keys::STRATUM_LISTEN.name } else { keys::STRATUM_LISTENERS.name };
        findings.push(tcp("stratum", key, listener.address));
    }
    findings.push(tcp("api", keys::API_LISTEN.name, config.api.listen));
    if let Some(onion) = &config.p2p.onion {
        findings.push(tcp("p2p", keys::P2P_ONION_LISTEN.name, onion.listen));
    }
    for listen in &config.p2p.listen {
        findings.push(tcp("p2p", keys::P2P_LISTEN.name, *listen));
        findings.push(port("p2p", keys::P2P_LISTEN.name, "UDP", *listen, udp_free, running));
    }
    findings
}

/// True if two servers cannot both listen on these addresses. Port 0 is any free port.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let overlap = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && one.is_ipv4() == other.is_ipv4() && overlap
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

fn port(name: &'static str, key: &str, protocol: &str, listen: SocketAddr, free: Free, running: bool) -> Finding {
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
            bad(name, format!("{protocol} {listen} {advice}, in `{key}`"))
        }
    }
}
