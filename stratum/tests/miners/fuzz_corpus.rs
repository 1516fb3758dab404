//! Runs the fuzz targets on their committed corpus. `make fuzz` runs them for longer.

#![allow(unreachable_pub, reason = "only this test uses the targets")]

#[path = "../../fuzz/targets.rs"]
mod targets;

#[test]
fn lines() {
    testkit::corpus::run("line", targets::line);
}

#[test]
fn proxy_headers() {
    testkit::corpus::run("proxy", targets::proxy);
}

#[test]
fn sessions() {
    testkit::corpus::run("session", targets::session);
}

#[test]
fn tls_handshakes() {
    testkit::corpus::run("tls", targets::tls);
}

#[test]
fn v2_messages() {
    testkit::corpus::run("v2", targets::v2);
}
