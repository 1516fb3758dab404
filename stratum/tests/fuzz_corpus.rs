//! The fuzz targets over their committed corpus; `make fuzz` runs them for long.

#![allow(unreachable_pub, reason = "only tests see this")]

#[path = "../../sharechain/fuzz/corpus.rs"]
mod corpus;
#[path = "../fuzz/targets.rs"]
mod targets;

#[test]
fn lines() {
    corpus::run("line", targets::line);
}

#[test]
fn sessions() {
    corpus::run("session", targets::session);
}
