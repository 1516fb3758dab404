//! Two minutes of the drill with faults: bitcoinds that stop, hang and take blocks back, wrong clocks, full disks, cut lines.

use std::process::Command;

use serde_json::Value;

#[test]
fn faults_of_every_kind_lose_no_block_and_leave_no_device_without_a_word() {
    let dir = tempfile::Builder::new().prefix("shoal-chaos-").tempdir().unwrap().keep();
    let output = Command::new(env!("CARGO_BIN_EXE_shoal-testnet"))
        .args(["chaos", "--seed", "7", "--minutes", "2", "--json", "--dir"])
        .arg(&dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    println!("{}\n{said}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{said}\nsee {}", dir.display());
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults = outcome["faults"].as_object().unwrap();
    assert!(faults.len() == 6 && faults.values().all(|count| count.as_u64() > Some(0)), "{faults:?}");
    assert_eq!(outcome["blocks_lost"].as_array().unwrap().len(), 0);
    assert!(outcome["blocks_found"].as_u64() > Some(0));
    std::fs::remove_dir_all(dir).unwrap();
}
