//! Whom the miners that are connected here work for.

use std::collections::BTreeSet;

use bitcoin::ScriptBuf;
use stratum::ConnectionSnapshot;

use crate::config::{Config, parse_address};

/// The script that a connection's work pays: that of the address in its user name, or the configured one.
#[must_use]
pub fn payee_of(config: &Config, connection: &ConnectionSnapshot) -> Option<ScriptBuf> {
    let user = connection.workers.first()?;
    let address = user.split_once('.').map_or(user.as_str(), |(address, _)| address);
    match parse_address(address, config.network) {
        Ok(address) => Some(address.script_pubkey()),
        Err(_) => configured(config),
    }
}

/// The scripts that this node's miners work for, and the configured one.
#[must_use]
pub fn own_scripts(config: &Config, connections: &[ConnectionSnapshot]) -> BTreeSet<ScriptBuf> {
    let connected = connections.iter().filter_map(|connection| payee_of(config, connection));
    connected.chain(configured(config)).collect()
}

fn configured(config: &Config) -> Option<ScriptBuf> {
    config.address.as_ref().map(bitcoin::Address::script_pubkey)
}
