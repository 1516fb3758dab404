//! A node is backed up while it mines, and goes on from the backup on another machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Up, working};

fn shoal(config: &Path, args: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    Command::new(program).env_clear().args(args).arg("--config").arg(config).output().unwrap()
}

fn must(config: &Path, args: &[&str]) -> String {
    let output = shoal(config, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(config: &Path, args: &[&str]) -> String {
    let output = shoal(config, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// Gives a node another data folder, for its next start.
fn move_house(config: &Path, data: &Path) {
    let mut settings: toml::Table = std::fs::read_to_string(config).unwrap().parse().unwrap();
    settings.insert("data_dir".to_owned(), toml::Value::String(data.to_str().unwrap().to_owned()));
    std::fs::write(config, settings.to_string()).unwrap();
}

fn status(config: &Path) -> Value {
    serde_json::from_str(&must(config, &["status", "--json"])).unwrap()
}

#[test]
fn a_node_is_backed_up_while_it_mines_and_goes_on_elsewhere() {
    let mut up = Up::start(&["--nodes", "1", "--miners", "1"]);
    let mined = |status: &Value| working(status) == 1 && status["nodes"][0]["height"].as_u64() >= Some(20);
    up.wait_for("twenty links", Duration::from_secs(60), mined);
    let config = up.dir().join("node-A/shoal.toml");
    let backup: PathBuf = up.dir().join("backup");
    let backup_arg = backup.to_str().unwrap();
    let before = status(&config);
    let told = must(&config, &["db", "backup", backup_arg]);
    assert!(told.contains("identity.key") && told.contains("api-token") && told.contains("secret key"), "{told}");
    assert!(refused(&config, &["db", "backup", backup_arg]).contains("exists"), "a backup is not overwritten");
    assert!(refused(&config, &["db", "restore", backup_arg]).contains("has a database"), "nor a data folder");
    let key = std::fs::read(backup.join("identity.key")).unwrap();

    up.must(&["kill", "A"]);
    let elsewhere = up.dir().join("elsewhere");
    move_house(&config, &elsewhere);
    assert!(refused(&config, &["db", "restore", up.dir().to_str().unwrap()]).contains("did not make it"));
    must(&config, &["db", "restore", backup_arg]);
    let checked: Value = serde_json::from_str(&must(&config, &["db", "check", "--json"])).unwrap();
    assert!(checked["records"].as_u64() > Some(20) && checked["faults"].as_array().unwrap().is_empty(), "{checked}");
    assert_eq!(std::fs::read(elsewhere.join("identity.key")).unwrap(), key);
    up.must(&["restart", "A"]);
    let height = before["height"].as_u64().unwrap();
    let goes_on = |status: &Value| working(status) == 1 && status["nodes"][0]["height"].as_u64() > Some(height);
    up.wait_for("work from the backup", Duration::from_secs(60), goes_on);
    let log = std::fs::read_to_string(up.dir().join("node-A/shoal.log")).unwrap();
    let loaded = log.lines().rfind(|line| line.contains("the share-chain is loaded from disk")).unwrap();
    let links: u64 = loaded.split("links=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(links >= height, "{links} links of {height} were restored");
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    up.must_be_gone(Duration::from_secs(15));
}
