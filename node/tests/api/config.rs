//! The configuration of a node of its own, for tests and benchmarks.

use std::net::SocketAddr;
use std::path::Path;

use node::config::Config;

/// The configuration of a node whose bitcoind does not answer, which serves its API there.
pub(crate) fn config(dir: &Path, listen: SocketAddr, requests_a_second: u32) -> Config {
    let text = format!(
        "network = \"local\"\ndata_dir = {dir:?}\nnew_pool = true\n\
         [bitcoind]\nurl = \"http://127.0.0.1:1\"\ncookie_file = \"/nonexistent\"\n\
         [stratum]\nlisten = \"127.0.0.1:0\"\n[p2p]\nlisten = [\"127.0.0.1:0\"]\nmdns = false\n\
         [api]\nlisten = \"{listen}\"\nrequests_a_second = {requests_a_second}\n"
    );
    Config::of_text(&text, &dir.join("shoal.toml")).expect("the settings are right")
}
