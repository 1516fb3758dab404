//! Turns text into checked values, and fills in defaults.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use axum::http::HeaderValue;
use node_core::engine::Keep;
use node_core::isolation::Reaction;
use reqwest::Url;
use sharechain::PoolName;
use tracing_subscriber::EnvFilter;

use super::address::parse_payout_address;
use super::archive;
use super::bitcoind;
use super::discovery;
use super::error::ConfigError;
use super::fee;
use super::keys::{self, Key};
use super::miners;
use super::network::Network;
use super::notify;
use super::outputs::Outputs;
use super::paths::path;
use super::power;
use super::rate;
use super::reach;
use super::settings::Settings;
use super::{ApiConfig, Config, LogFormat, P2pConfig, StoreConfig, StratumConfig, Trust};
use crate::limits::{
    API_REQUESTS_A_SECOND_MAX, CORS_ORIGINS_MAX, MAX_UPLOAD, P2P_LISTEN_MAX, P2P_PEERS_MAX, TRUSTED_PROXIES_MAX,
};

/// Miners are on the local network, so this port is open by default; the API's is not.
const STRATUM_LISTEN: &str = "0.0.0.0:3333";
const P2P_LISTEN: [&str; 2] = ["0.0.0.0:3381", "[::]:3381"];
const API_LISTEN: &str = "127.0.0.1:3380";
/// A page makes ten requests when it opens, then a few per minute.
const API_REQUESTS_A_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
const LOG: &str = "info";

const POOL: &str = "1 to 32 characters from a-z, 0-9 and -";
const REACTION: &str = "stop or solo";
const SOCKET: &str = "an IP address and a port, like 127.0.0.1:3333 or [::1]:3333";

/// Checks every setting and fills in the defaults.
///
/// # Errors
/// The first setting that cannot be used.
pub(super) fn resolve(settings: &Settings, file: Option<PathBuf>, home: Option<&Path>) -> Result<Config, ConfigError> {
    let network = settings
        .parse(&keys::NETWORK, "main, signet, local, testnet4, regtest or rehearsal", |text| text.parse().ok())?
        // No pool is launched on main.
        .unwrap_or(Network::Testnet4);
    let pool = match settings.text(&keys::POOL) {
        // `pool = ""` is the public pool.
        None | Some(("", _)) => PoolName::PUBLIC,
        Some(_) => settings.parse(&keys::POOL, POOL, |text| text.parse().ok())?.unwrap_or(PoolName::PUBLIC),
    };
    let outputs = settings.parse(&keys::OUTPUTS, "standard or wide", |text| text.parse().ok())?.unwrap_or_default();
    let folder = folder(network, pool, outputs);
    let data_dir = path(settings, &keys::DATA_DIR, home, |home| home.join(".shoal").join(&folder))?;
    let address =
        match settings.text(&keys::ADDRESS) {
            None => None,
            Some((text, origin)) => Some(parse_payout_address(text, network).map_err(|source| {
                ConfigError::Address { origin: origin.clone(), key: keys::ADDRESS.name, source: Box::new(source) }
            })?),
        };
    let filter = |text: &str| EnvFilter::try_new(text).ok().map(|_| text.to_owned());
    let of_release = if pool.is_public() { (network.seeds(), network.dns_seeds()) } else { (&[][..], &[][..]) };
    let p2p = p2p(settings, of_release)?;
    let bitcoind = bitcoind::resolve(settings, network, home)?;
    reach::check_bitcoind(settings, &p2p, &bitcoind)?;
    let file_of = |key| settings.text(key).map(|_| path(settings, key, home, Path::to_owned)).transpose();
    let listen = socket(settings, &keys::STRATUM_LISTEN, STRATUM_LISTEN)?;
    let stratum = StratumConfig {
        fee: fee::resolve(settings, network, address.as_ref())?,
        ..miners::resolve(settings, listen, file_of)?
    };
    Ok(Config {
        secret_in_file: settings.has_secret_in_file(),
        file,
        network,
        pool,
        outputs,
        data_dir,
        address,
        new_pool: switch(settings, &keys::NEW_POOL)?,
        on_isolation: settings.parse(&keys::ON_ISOLATION, REACTION, reaction)?.unwrap_or_default(),
        on_censorship: settings.parse(&keys::ON_CENSORSHIP, REACTION, reaction)?.unwrap_or_default(),
        trust: trust(settings, network)?,
        log: settings
            .parse(&keys::LOG, "a level like info, or levels by part like info,p2p=debug", filter)?
            .unwrap_or_else(|| LOG.to_owned()),
        log_format: settings.parse(&keys::LOG_FORMAT, "text or json", log_format)?.unwrap_or(LogFormat::Text),
        store: StoreConfig { keep: settings.parse(&keys::STORE_KEEP, "window or all", keep)?.unwrap_or_default() },
        archive: archive::resolve(settings)?,
        bitcoind,
        stratum,
        power: power::resolve(settings)?,
        p2p,
        api: api(settings)?,
        notify: notify::resolve(settings)?,
    })
}

/// Name of the default data folder; each share-chain has its own.
fn folder(network: Network, pool: PoolName, outputs: Outputs) -> String {
    let wide = if outputs == Outputs::Wide { "-wide" } else { "" };
    let dot = if pool.is_public() { "" } else { "." };
    format!("{network}{wide}{dot}{}", pool.as_str())
}

/// The operator's link, nothing for `none`, or by default the release's.
fn trust(settings: &Settings, network: Network) -> Result<Option<Trust>, ConfigError> {
    let expected = "the id of a link, 64 hexadecimal digits as `shoal status` shows them, or none";
    let link = |text: &str| text.parse().ok().map(|link| Some(Trust { link, height: None }));
    let given = settings.parse(&keys::TRUST, expected, |text| if text == "none" { Some(None) } else { link(text) })?;
    Ok(given.unwrap_or_else(|| network.checkpoint()))
}

fn reaction(text: &str) -> Option<Reaction> {
    match text {
        "stop" => Some(Reaction::Stop),
        "solo" => Some(Reaction::Solo),
        _ => None,
    }
}

fn keep(text: &str) -> Option<Keep> {
    match text {
        "window" => Some(Keep::Window),
        "all" => Some(Keep::All),
        _ => None,
    }
}

/// `of_release` are the seeds and DNS seeds of this release.
fn p2p(settings: &Settings, of_release: discovery::OfRelease) -> Result<P2pConfig, ConfigError> {
    let listen = settings
        .parse_many(&keys::P2P_LISTEN, SOCKET, |text| text.parse().ok())?
        .unwrap_or_else(|| P2P_LISTEN.map(|text| text.parse().expect("a fixed, valid address")).into());
    let peers = settings.parse_many(&keys::P2P_PEERS, reach::PEER, reach::peer)?.unwrap_or_default();
    settings.bounded(&keys::P2P_LISTEN, listen.len(), P2P_LISTEN_MAX, "at most 8 addresses")?;
    settings.bounded(&keys::P2P_PEERS, peers.len(), P2P_PEERS_MAX, "at most 64 peers")?;
    let mdns = switch(settings, &keys::P2P_MDNS)?;
    let max_upload = settings.parse(&keys::P2P_MAX_UPLOAD, rate::EXPECTED, rate::upload)?.unwrap_or(Some(MAX_UPLOAD));
    let p2p = reach::resolve(settings, P2pConfig { listen, peers, mdns, max_upload, ..P2pConfig::default() })?;
    discovery::resolve(settings, p2p, of_release)
}

fn api(settings: &Settings) -> Result<ApiConfig, ConfigError> {
    let expected = "an origin like https://example.org, without a path";
    let cors_origins = settings.parse_many(&keys::API_CORS_ORIGINS, expected, origin)?.unwrap_or_default();
    settings.bounded(&keys::API_CORS_ORIGINS, cors_origins.len(), CORS_ORIGINS_MAX, "at most 16 origins")?;
    let expected = "a whole number from 1 to 100000";
    let requests_a_second = settings
        .parse(&keys::API_REQUESTS_A_SECOND, expected, |text| {
            text.parse().ok().filter(|count: &NonZeroU32| count.get() <= API_REQUESTS_A_SECOND_MAX)
        })?
        .unwrap_or(API_REQUESTS_A_SECOND);
    let expected = "an IP address like 127.0.0.1, or a range like 10.0.0.0/8";
    let trusted_proxies = settings.parse_many(&keys::API_TRUSTED_PROXIES, expected, |text| text.parse().ok())?;
    let trusted_proxies = trusted_proxies.unwrap_or_default();
    settings.bounded(&keys::API_TRUSTED_PROXIES, trusted_proxies.len(), TRUSTED_PROXIES_MAX, "at most 16 proxies")?;
    let listen = socket(settings, &keys::API_LISTEN, API_LISTEN)?;
    let public = switch(settings, &keys::API_PUBLIC)?;
    let expected = "a URL with {hash} in its path, like https://mempool.space/block/{hash}";
    let explorer = settings.parse(&keys::API_EXPLORER, expected, explorer)?;
    Ok(ApiConfig { listen, cors_origins, requests_a_second, trusted_proxies, public, explorer })
}

/// A template of links to a Bitcoin explorer.
fn explorer(text: &str) -> Option<String> {
    let url = Url::parse(&text.replace("{hash}", "0")).ok()?;
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && text.contains("{hash}");
    fits.then(|| text.to_owned())
}

/// Parses an origin as browsers send it: scheme, host and optional port.
fn origin(text: &str) -> Option<HeaderValue> {
    let url = reqwest::Url::parse(text).ok()?;
    (url.origin().ascii_serialization() == text).then(|| HeaderValue::from_str(text).ok())?
}

fn socket(settings: &Settings, key: &'static Key, default: &'static str) -> Result<SocketAddr, ConfigError> {
    let given = settings.parse(key, SOCKET, |text| text.parse().ok())?;
    Ok(given.unwrap_or_else(|| default.parse().expect("a fixed, valid address")))
}

fn switch(settings: &Settings, key: &'static Key) -> Result<bool, ConfigError> {
    Ok(settings.switch(key)?.unwrap_or(false))
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}
