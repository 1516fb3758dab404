//! Runs the fuzz targets over their committed corpus. `make fuzz` runs them for longer.

#![allow(unreachable_pub, reason = "only tests see this")]

#[path = "../fuzz/targets.rs"]
mod targets;

#[test]
fn requests() {
    testkit::corpus::run("request", targets::request);
}

#[test]
fn responses() {
    testkit::corpus::run("response", targets::response);
}

#[test]
fn gossip() {
    testkit::corpus::run("gossip", targets::gossip);
}

#[test]
fn messages_about_blocks() {
    testkit::corpus::run("block", targets::block);
}

#[test]
fn records() {
    testkit::corpus::run("record", targets::record);
}
