//! Payout scripts of the connected miners.

use std::collections::BTreeSet;

use bitcoin::{Address, ScriptBuf};
use stratum::ConnectionSnapshot;

use crate::config::Config;

/// The payout script of a connection: its account since it was authorized; none before that.
#[must_use]
pub fn payee_of(connection: &ConnectionSnapshot) -> Option<ScriptBuf> {
    connection.account.as_ref().map(|account| ScriptBuf::from_bytes(account.to_vec()))
}

/// The payout scripts of this node's connected miners, and the configured one.
#[must_use]
pub fn own_scripts(config: &Config, connections: &[ConnectionSnapshot]) -> BTreeSet<ScriptBuf> {
    let configured = config.address.as_ref().map(Address::script_pubkey);
    connections.iter().filter_map(payee_of).chain(configured).collect()
}
