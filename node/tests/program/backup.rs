//! `shoal db backup` and `restore` that end halfway.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use node::config::{Network, Outputs};
use node::store::{Record, RecordKind, Store};
use tempfile::TempDir;

fn shoal_db(data: &Path, command: &str, folder: &Path) -> Output {
    let mut shoal = Command::new(env!("CARGO_BIN_EXE_shoal"));
    shoal.env_clear().env("HOME", data).args(["--network=local", "db", command]);
    shoal.arg(folder).arg("--data-dir").arg(data);
    shoal.output().unwrap()
}

/// A database without the node's key would make the next start create another one, and the next attempt refuse to overwrite it.
#[test]
fn neither_a_backup_nor_a_restored_node_has_a_database_without_its_key() {
    let home = TempDir::new().unwrap();
    let [data, backup, elsewhere] = ["data", "backup", "elsewhere"].map(|name| home.path().join(name));
    let consensus_id = Network::Local.chain_params(Outputs::default()).consensus_id();
    fs::create_dir(&data).unwrap();
    let store = Store::open(&data.join("store"), consensus_id).unwrap();
    store.append(&[Record { kind: RecordKind::Proof, id: [1; 32], bytes: vec![2; 300] }]).unwrap();
    store.flush().unwrap();
    drop(store);
    fs::write(data.join("identity.key"), [7; 32]).unwrap();
    let output = shoal_db(&data, "backup", &backup);
    assert!(output.status.success(), "{output:?}");

    // A folder in its place keeps the key from being copied.
    fs::create_dir_all(elsewhere.join("identity.key")).unwrap();
    let output = shoal_db(&elsewhere, "restore", &backup);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!elsewhere.join("store").exists(), "no database without its key");
    fs::remove_dir(elsewhere.join("identity.key")).unwrap();
    let output = shoal_db(&elsewhere, "restore", &backup);
    assert!(output.status.success(), "it can be tried again: {output:?}");
    assert_eq!(fs::read(elsewhere.join("identity.key")).unwrap(), [7; 32]);
    assert!(elsewhere.join("store").exists());
}
