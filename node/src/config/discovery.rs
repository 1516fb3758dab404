//! Keys for discovery: seeds, DNS seeds, and this node's addresses.

use std::net::SocketAddr;

use p2p_proto::limits::SEEDS_MAX;

use super::P2pConfig;
use super::error::ConfigError;
use super::keys::{self, Key};
use super::reach::{self, no_way_to};
use super::settings::Settings;
use crate::limits::EXTERNAL_MAX;

/// Seeds and DNS seeds of this release.
pub(super) type OfRelease = (&'static [&'static str], &'static [&'static str]);

/// Resolves the keys of this module. Seeds of the release that this node cannot dial are left out.
pub(super) fn resolve(settings: &Settings, p2p: P2pConfig, release: OfRelease) -> Result<P2pConfig, ConfigError> {
    let discover = settings.switch(&keys::P2P_DISCOVER)?.unwrap_or(true);
    let proxy = p2p.proxy;
    let dialable = |seeds: &[&str]| {
        seeds.iter().filter(|seed| no_way_to(seed, proxy).is_none()).map(ToString::to_string).collect()
    };
    let seeds = settings.parse_many(&keys::P2P_SEEDS, reach::PEER, reach::peer)?;
    let seeds: Vec<String> = seeds.unwrap_or_else(|| dialable(release.0));
    reach::check_peers(settings, &keys::P2P_SEEDS, &seeds, proxy)?;
    let names = settings.parse_many(&keys::P2P_DNS_SEEDS, "a DNS name like seed.pool.example", dns_name)?;
    let external = |text: &str| text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
    let expected = "an IP address and a port, like 203.0.113.7:3381";
    let external_address = settings.parse_many(&keys::P2P_EXTERNAL_ADDRESS, expected, external)?.unwrap_or_default();
    settings.bounded(&keys::P2P_SEEDS, seeds.len(), SEEDS_MAX, "at most 32 seeds")?;
    settings.bounded(&keys::P2P_DNS_SEEDS, names.as_ref().map_or(0, Vec::len), SEEDS_MAX, "at most 32 names")?;
    settings.bounded(&keys::P2P_EXTERNAL_ADDRESS, external_address.len(), EXTERNAL_MAX, "at most 4 addresses")?;
    let dns_seeds = if p2p.proxy_only() {
        // Both would reveal the node's location, to name servers and to every peer.
        none(settings, &keys::P2P_DNS_SEEDS, names.iter().flatten().next().cloned())?;
        none(settings, &keys::P2P_EXTERNAL_ADDRESS, external_address.first().map(ToString::to_string))?;
        Vec::new()
    } else {
        names.unwrap_or_else(|| release.1.iter().map(ToString::to_string).collect())
    };
    Ok(P2pConfig { discover, seeds, dns_seeds, external_address, ..p2p })
}

fn none(settings: &Settings, key: &'static Key, entry: Option<String>) -> Result<(), ConfigError> {
    match (settings.origin(key), entry) {
        (Some(origin), Some(entry)) => {
            Err(ConfigError::bad_value(key, origin, &entry, "nothing, because p2p.proxy_only is set"))
        }
        _ => Ok(()),
    }
}

fn dns_name(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(known)
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    (name.len() <= 240 && name.split('.').all(is_label)).then(|| name.to_owned())
}
