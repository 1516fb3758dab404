//! Payout scripts of the connected miners.

use std::collections::BTreeSet;

use bitcoin::{Address, ScriptBuf};
use stratum::ConnectionSnapshot;

use super::account::parts_of;
use crate::config::Config;

/// The payout scripts of a connection: those of its account since it was authorized; none before that.
pub fn payees_of(connection: &ConnectionSnapshot) -> impl Iterator<Item = ScriptBuf> + use<> {
    let parts = connection.account.as_ref().map(|account| parts_of(account)).unwrap_or_default();
    parts.into_iter().map(|part| part.script)
}

/// The payout scripts of this node's connected miners, and the configured ones.
#[must_use]
pub fn own_scripts(config: &Config, connections: &[ConnectionSnapshot]) -> BTreeSet<ScriptBuf> {
    let configured = config.address.as_ref().map(Address::script_pubkey);
    let fee = config.stratum.fee.as_ref().map(|fee| fee.address.script_pubkey());
    connections.iter().flat_map(payees_of).chain(configured).chain(fee).collect()
}
