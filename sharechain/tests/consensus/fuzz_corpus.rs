//! Runs the fuzz targets over their committed corpus. `make fuzz` runs them for longer.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "only tests see this")]

#[path = "../../fuzz/targets.rs"]
mod targets;

#[test]
fn proofs() {
    testkit::corpus::run("proof", targets::proof);
}

#[test]
fn lists() {
    testkit::corpus::run("list", targets::list);
}

#[test]
fn payout_proofs() {
    testkit::corpus::run("payout_proof", targets::payout_proof);
}

#[test]
fn rows() {
    testkit::corpus::run("rows", targets::rows);
}

#[test]
fn beginnings() {
    testkit::corpus::run("beginning", targets::beginning);
}

#[test]
fn chains() {
    testkit::corpus::run("chain", targets::chain);
}
