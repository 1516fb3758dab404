//! A separate network for a test: a user namespace whose loopback has public addresses. It needs no root.
#![allow(unreachable_pub, reason = "a test program has no users")]

use std::process::Command;

/// Variable that is set for the test's process within the namespace.
const INSIDE: &str = "SHOAL_TEST_NETWORK";

/// Runs the test with this name again, in a process whose network has the addresses 203.0.113.1 to 9, 198.51.100.1 to 9
/// and 192.0.2.1 to 9. Returns true within that process.
pub fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let script = "ip link set lo up && for net in 203.0.113 198.51.100 192.0.2; do for host in 1 2 3 4 5 6 7 8 9; do \
                  ip address add $net.$host/32 dev lo || exit 1; done; done && exec \"$@\"";
    let program = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "sh", "-c", script, "sh"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // A name that no test has any more would end well, too.
    assert!(output.status.success() && said.contains("1 passed"), "{test} failed in its own network:\n{said}");
    false
}
