//! The fuzz targets over their committed corpus; `make fuzz` runs them for long.

#![allow(unreachable_pub, reason = "only tests see this")]

#[path = "../../sharechain/fuzz/corpus.rs"]
mod corpus;
#[path = "../fuzz/targets.rs"]
mod targets;

#[test]
fn requests() {
    corpus::run("request", targets::request);
}

#[test]
fn responses() {
    corpus::run("response", targets::response);
}

#[test]
fn gossip() {
    corpus::run("gossip", targets::gossip);
}
