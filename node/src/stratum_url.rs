//! URLs at which miners reach this node.

use std::net::{IpAddr, SocketAddr};

use crate::config::StratumConfig;
use crate::lan::reached_at;

/// URL for miners of Stratum v1.
pub(crate) fn v1(address: SocketAddr) -> String {
    format!("stratum+tcp://{address}")
}

/// URL for miners of Stratum v2. The key proves to them that this node answers.
pub(crate) fn v2(address: SocketAddr, key: &str) -> String {
    format!("stratum2+tcp://{address}/{key}")
}

/// All URLs for miners of Stratum v2, the most useful first, on a machine with these addresses.
pub(crate) fn all_v2(config: &StratumConfig, key: &str, own: &[IpAddr]) -> Vec<String> {
    let places = config.v2().flat_map(|listen| {
        let reached = reached_at(listen, own.to_vec()).into_iter();
        reached.map(move |ip| SocketAddr::new(ip, listen.port()))
    });
    places.map(|place| v2(place, key)).collect()
}
