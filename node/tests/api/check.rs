//! `shoal check` as its own process beside the running node.

use serde_json::Value;
use tokio::process::Command;

use crate::pool::Pool;
use crate::server::Api;

/// It finds its own node running. That node uses the database and the ports, and says itself whether it has work.
#[tokio::test]
async fn it_knows_its_own_running_node() {
    let api = Api::with(Pool::with(sharechain::ChainParams::local()), None, |_| {}).await;
    let home = tempfile::TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", home.path()).args([
        "check",
        "--json",
        "--network=local",
        "--p2p-listen=127.0.0.1:0",
    ]);
    command.arg("--stratum-listen=127.0.0.1:0").arg(format!("--api-listen={}", api.address));
    let output = command.output().await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
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
    // That node has another data folder, so one with this configuration could not start beside it.
    let nodes = report["findings"].as_array().unwrap().iter().filter(|finding| finding["name"] == "node");
    let other = nodes.clone().find(|finding| finding["ok"] == false).unwrap_or_else(|| panic!("{report}"));
    assert!(other["words"].as_str().unwrap().contains("a second node on this machine needs other ports"), "{other}");
}
