//! Whom the connected miners work for.

use std::collections::BTreeSet;

use bitcoin::{Address, ScriptBuf};
use stratum::ConnectionSnapshot;

use crate::config::Config;

/// The script that a connection's work pays: the account that the pool gave it when it was authorized. None before that.
#[must_use]
pub fn payee_of(connection: &ConnectionSnapshot) -> Option<ScriptBuf> {
    connection.account.as_ref().map(|account| ScriptBuf::from_bytes(account.to_vec()))
}

/// The scripts that this node's connected miners work for, and the configured one.
#[must_use]
pub fn own_scripts(config: &Config, connections: &[ConnectionSnapshot]) -> BTreeSet<ScriptBuf> {
    let configured = config.address.as_ref().map(Address::script_pubkey);
    connections.iter().filter_map(payee_of).chain(configured).collect()
}
