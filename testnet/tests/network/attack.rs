//! The attack suite in its short form: hostile peers over real sockets, one attack after the other against one network.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Seconds of each attack: the least that the suite allows.
const SECONDS: &str = "4";

fn suite(names: &[&str]) -> (bool, Vec<Value>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shoal-testnet"))
        .arg("attack")
        .args(names)
        .args(["--json", "--seconds", SECONDS])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.success(), findings, said)
}

#[test]
fn the_node_holds_against_hostile_peers() {
    let (is_success, findings, said) = suite(&["all"]);
    println!("{said}");
    let names: BTreeSet<&str> = findings.iter().map(|finding| finding["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 17, "{names:?}");
    let mut weak = Vec::new();
    for finding in &findings {
        println!("{finding}");
        let name = finding["name"].as_str().unwrap();
        let attacker = &finding["attacker"];
        // Each was carried out.
        let did = |count: &str| attacker[count].as_u64().unwrap() > 0;
        assert!(name == "kills" || did("connections") || did("refused_connections"), "{finding}");
        let figure = |name: &str| finding[name].as_u64().unwrap();
        println!(
            "{name}: up {} of at most {} bytes/s, {} entries in the address book, {} packets to a third party",
            figure("up_bytes_per_s"),
            figure("up_bytes_per_s_max"),
            figure("book_entries"),
            figure("third_party_packets")
        );
        assert!(figure("up_bytes_per_s") <= figure("up_bytes_per_s_max"), "upload: {finding}");
        // The attacks by records have an effect, within bounds.
        let has_entries = !["records", "third-party"].contains(&name) || figure("book_entries") > 20;
        assert!(has_entries && (name != "third-party" || figure("third_party_packets") > 0), "{finding}");
        if finding["held"] == false {
            weak.push(name);
        }
    }
    assert!(weak.is_empty(), "the node does not hold against {weak:?}\n{said}");
    assert!(is_success, "the exit code says that the node held\n{said}");
}

#[test]
fn an_unknown_attack_is_refused_with_a_hint() {
    let output = Command::new(env!("CARGO_BIN_EXE_shoal-testnet")).args(["attack", "nonsense"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("nonsense") && said.contains("--list"), "{said}");
    let list = Command::new(env!("CARGO_BIN_EXE_shoal-testnet")).args(["attack", "--list"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 17);
}
