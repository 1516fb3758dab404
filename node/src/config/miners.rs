//! Keys for miners: listeners, certificate, and the coinbase limits of their programs.

use std::net::SocketAddr;
use std::path::PathBuf;

use stratum::CoinbaseLimit;

use super::StratumConfig;
use super::error::ConfigError;
use super::keys::{self, Key};
use super::listeners::MinerListener;
use super::origin::Origin;
use super::settings::Settings;
use crate::limits::{COINBASE_LIMITS_MAX, STRATUM_LISTENERS_MAX};

/// Resolves the keys. `file` reads the path of a key, if it is set.
pub(super) fn resolve(
    settings: &Settings,
    listen: SocketAddr,
    file: impl Fn(&'static Key) -> Result<Option<PathBuf>, ConfigError>,
) -> Result<StratumConfig, ConfigError> {
    let listeners = listeners(settings, listen)?;
    let incomplete = |key: &'static Key, missing: &'static Key| {
        let origin = settings.origin(key).cloned();
        origin.map(|origin| ConfigError::Incomplete { origin, key: key.name, missing: missing.name })
    };
    let (certificate, key) = (&keys::STRATUM_TLS_CERTIFICATE, &keys::STRATUM_TLS_KEY);
    let (tls, trouble) = match (file(certificate)?, file(key)?) {
        (Some(certificate), Some(key)) => (Some((certificate, key)), None),
        (Some(_), None) => (None, incomplete(certificate, key)),
        (None, Some(_)) => (None, incomplete(key, certificate)),
        (None, None) if listeners.iter().any(|listener| listener.tls) => {
            (None, incomplete(&keys::STRATUM_LISTENERS, certificate))
        }
        (None, None) => (None, None),
    };
    match trouble {
        Some(error) => Err(error),
        None => Ok(StratumConfig { listen, listeners, tls, coinbase_limits: coinbase_limits(settings)?, fee: None }),
    }
}

/// The addresses besides `listen`, no two of which collide.
fn listeners(settings: &Settings, listen: SocketAddr) -> Result<Vec<MinerListener>, ConfigError> {
    let key = &keys::STRATUM_LISTENERS;
    let listeners = settings.parse_each(key, MinerListener::parse)?.unwrap_or_default();
    settings.bounded(key, listeners.len(), STRATUM_LISTENERS_MAX, "at most 16 addresses")?;
    let refused = |origin: &Origin, listener: &MinerListener| {
        let expected = "another port: an earlier listener or `stratum.listen` has this one";
        ConfigError::bad_value(key, origin, &listener.address.to_string(), expected)
    };
    let mut earlier = vec![MinerListener::plain(listen)];
    for listener in &listeners {
        match settings.origin(key) {
            Some(origin) if earlier.iter().any(|other| other.collides(listener)) => {
                return Err(refused(origin, listener));
            }
            _ => earlier.push(listener.clone()),
        }
    }
    Ok(listeners)
}

fn coinbase_limits(settings: &Settings) -> Result<Vec<CoinbaseLimit>, ConfigError> {
    let key = &keys::STRATUM_COINBASE_LIMITS;
    let expected = "the beginning of a user agent, \"=\" and bytes above 0 or \"any\", like \"antminer s19=755\"";
    let limits = settings.parse_many(key, expected, coinbase_limit)?.unwrap_or_default();
    settings.bounded(key, limits.len(), COINBASE_LIMITS_MAX, "at most 64 limits")?;
    Ok(limits)
}

fn coinbase_limit(text: &str) -> Option<CoinbaseLimit> {
    let (agent, bytes) = text.rsplit_once('=')?;
    let (agent, bytes) = (agent.trim().to_owned(), bytes.trim());
    let bytes = if bytes == "any" { None } else { Some(bytes.parse().ok().filter(|bytes| *bytes > 0)?) };
    (!agent.is_empty()).then_some(CoinbaseLimit { agent, bytes })
}
