//! Keys for bitcoind: its address, its credentials, and its fallbacks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use super::error::ConfigError;
use super::keys::{self, Key};
use super::network::Network;
use super::origin::Origin;
use super::paths::{expand, path};
use super::secret::Secret;
use super::settings::Settings;
use super::{BitcoindAuth, BitcoindConfig};
use crate::limits::{BITCOIND_FALLBACKS_MAX, BITCOIND_TIMEOUT_S_MAX};

const TIMEOUT_S: u64 = 30;

/// Form of a URL.
const URL: &str = "a URL like http://127.0.0.1:8332, https://bitcoin.example:8332 or unix:/run/bitcoind.sock, without \
                   user and password";
/// Form of ZMQ's address.
const ZMQ: &str = "the address of `zmqpubhashblock` in bitcoin.conf, like tcp://127.0.0.1:28332";
/// Form of a fallback.
const FALLBACK: &str = "a URL, then cookie_file=FILE or user=NAME and password=PASSWORD, and perhaps tls_ca=FILE and \
                        zmq=ADDRESS, each once and without blanks, like \"http://10.0.0.5:8332 user=shoal password=...\"";
/// Condition for `tls_ca`.
const NO_CA: &str = "tls_ca only beside an https:// URL";

/// Reads the keys of bitcoind.
///
/// # Errors
/// The first setting that cannot be used.
pub(super) fn resolve(
    settings: &Settings,
    network: Network,
    home: Option<&Path>,
) -> Result<BitcoindConfig, ConfigError> {
    let url = settings
        .parse(&keys::BITCOIND_URL, URL, rpc_url)?
        .unwrap_or_else(|| rpc_url(&format!("http://127.0.0.1:{}", network.rpc_port())).expect("a fixed, valid URL"));
    let expected = "whole seconds from 1 to 600";
    let timeout_s = settings
        .parse(&keys::BITCOIND_TIMEOUT_S, expected, |text| {
            text.parse().ok().filter(|s| (1..=BITCOIND_TIMEOUT_S_MAX).contains(s))
        })?
        .unwrap_or(TIMEOUT_S);
    let timeout = Duration::from_secs(timeout_s);
    let auth = auth(settings, network, home)?;
    let tls_ca = match settings.text(&keys::BITCOIND_TLS_CA) {
        None => None,
        Some((text, origin)) if url.scheme() != "https" => {
            return Err(ConfigError::bad_value(&keys::BITCOIND_TLS_CA, origin, text, NO_CA));
        }
        Some(_) => Some(path(settings, &keys::BITCOIND_TLS_CA, home, Path::to_owned)?),
    };
    let zmq = settings.parse(&keys::BITCOIND_ZMQ, ZMQ, zmq)?;
    let fallback = settings.parse_each(&keys::BITCOIND_FALLBACK, |text| fallback(text, timeout, home))?;
    let fallback = fallback.unwrap_or_default();
    settings.bounded(&keys::BITCOIND_FALLBACK, fallback.len(), BITCOIND_FALLBACKS_MAX, "at most 4 bitcoinds")?;
    Ok(BitcoindConfig { url, auth, timeout, tls_ca, zmq, fallback })
}

fn auth(settings: &Settings, network: Network, home: Option<&Path>) -> Result<BitcoindAuth, ConfigError> {
    let user = settings.text(&keys::BITCOIND_USER);
    let password = settings.text(&keys::BITCOIND_PASSWORD);
    let incomplete = |key: &Key, missing: &Key, origin: &Origin| ConfigError::Incomplete {
        origin: origin.clone(),
        key: key.name,
        missing: missing.name,
    };
    match (user, password) {
        (None, None) => {
            let cookie = path(settings, &keys::BITCOIND_COOKIE_FILE, home, |home| network.cookie_file(home))?;
            Ok(BitcoindAuth::Cookie(cookie))
        }
        (Some((name, origin)), Some((password, _))) => {
            if let Some(cookie) = settings.origin(&keys::BITCOIND_COOKIE_FILE) {
                return Err(ConfigError::Conflict {
                    origin: origin.clone(),
                    key: keys::BITCOIND_USER.name,
                    other: keys::BITCOIND_COOKIE_FILE.name,
                    other_origin: cookie.clone(),
                });
            }
            Ok(BitcoindAuth::User { name: name.to_owned(), password: Secret::new(password) })
        }
        (Some((_, origin)), None) => Err(incomplete(&keys::BITCOIND_USER, &keys::BITCOIND_PASSWORD, origin)),
        (None, Some((_, origin))) => Err(incomplete(&keys::BITCOIND_PASSWORD, &keys::BITCOIND_USER, origin)),
    }
}

/// Parses a URL and its options, in any order.
fn fallback(text: &str, timeout: Duration, home: Option<&Path>) -> Result<BitcoindConfig, &'static str> {
    let mut words = text.split_whitespace();
    let url = words.next().and_then(rpc_url).ok_or(FALLBACK)?;
    let (mut cookie, mut user, mut password, mut tls_ca, mut zmq_address) = (None, None, None, None, None);
    for word in words {
        let (place, value) = match word.split_once('=').ok_or(FALLBACK)? {
            ("cookie_file", value) => (&mut cookie, value),
            ("user", value) => (&mut user, value),
            ("password", value) => (&mut password, value),
            ("tls_ca", value) => (&mut tls_ca, value),
            ("zmq", value) => (&mut zmq_address, value),
            _ => return Err(FALLBACK),
        };
        if value.is_empty() || place.replace(value).is_some() {
            return Err(FALLBACK);
        }
    }
    if tls_ca.is_some() && url.scheme() != "https" {
        return Err(NO_CA);
    }
    let file = |text: &str| expand(text, home).ok_or(FALLBACK);
    let auth = match (cookie, user, password) {
        (Some(cookie), None, None) => BitcoindAuth::Cookie(file(cookie)?),
        (None, Some(name), Some(password)) => {
            BitcoindAuth::User { name: name.to_owned(), password: Secret::new(password) }
        }
        _ => return Err(FALLBACK),
    };
    let tls_ca: Option<PathBuf> = tls_ca.map(file).transpose()?;
    let zmq = zmq_address.map(|text| zmq(text).ok_or(ZMQ)).transpose()?;
    Ok(BitcoindConfig { tls_ca, zmq, ..BitcoindConfig::new(url, auth, timeout) })
}

/// Parses bitcoind's URL, without credentials, which have their own keys.
fn rpc_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_server = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    // A path with characters that a URL must escape is not supported.
    let is_path = url.path().starts_with('/') && !url.path().contains('%');
    let is_socket = url.scheme() == "unix" && url.host().is_none() && is_path;
    let bare = url.username().is_empty() && url.password().is_none();
    ((is_server || is_socket) && bare).then_some(url)
}

/// Parses ZMQ's address, as bitcoind takes it, into host and port.
fn zmq(text: &str) -> Option<String> {
    let address = text.strip_prefix("tcp://")?;
    let (host, port) = address.rsplit_once(':')?;
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
    (!host.is_empty() && is_port && !address.contains(['/', '@', ' '])).then(|| address.to_owned())
}

#[cfg(test)]
mod tests;
