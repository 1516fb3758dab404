//! `shoal check` as its own process beside the running node.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::pool::Pool;
use crate::server::Api;

/// It finds its own node running. That node uses the database and the ports, and says itself whether it has work.
#[tokio::test]
async fn it_knows_its_own_running_node() {
    let api = Api::with(Pool::with(sharechain::ChainParams::local()), None, |_| {}).await;
    let report = check(&api, api.folder()).await;
    let found = |name: &str| {
        let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name} in {report}"));
        (found["ok"].as_bool().unwrap(), found["words"].as_str().unwrap().to_owned())
    };
    let (ok, words) = found("api");
    assert!(ok && words.ends_with("is in use by the running node"), "{words}");
    assert!(found("node").1.contains("is running with this configuration"), "{report}");
    let (ok, words) = found("work");
    assert!(!ok && words.contains("the node has just started"), "{words}");
    assert_eq!(found("peers"), (true, "the running node has 0".to_owned()));
}

/// A node with another data folder has another configuration, although it uses the same port.
#[tokio::test]
async fn another_node_at_its_port_is_not_its_own() {
    let api = Api::with(Pool::with(sharechain::ChainParams::local()), None, |_| {}).await;
    let home = tempfile::TempDir::new().unwrap();
    for token in [None, Some("00112233445566778899aabbccddeeff\n")] {
        token.into_iter().for_each(|token| std::fs::write(home.path().join("api-token"), token).unwrap());
        let report = check(&api, home.path()).await;
        let findings = report["findings"].as_array().unwrap();
        let port = findings.iter().find(|finding| finding["name"] == "api").unwrap();
        assert!(port["ok"] == false && port["words"].as_str().unwrap().contains("set another port"), "{report}");
        assert!(findings.iter().all(|finding| finding["name"] != "node"), "{report}");
    }
}

/// What `shoal check` reports with the API's address and a data folder.
async fn check(api: &Api, data_dir: &Path) -> Value {
    let home = tempfile::TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", home.path()).args([
        "check",
        "--json",
        "--network=local",
        "--p2p-listen=127.0.0.1:0",
    ]);
    command.arg("--stratum-listen=127.0.0.1:0").arg(format!("--api-listen={}", api.address));
    command.arg("--data-dir").arg(data_dir);
    serde_json::from_slice(&command.output().await.unwrap().stdout).unwrap()
}
