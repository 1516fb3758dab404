use node::store::{Record, RecordKind, Store};

use super::super::wire;
use super::*;

#[test]
fn a_pool_of_many_small_miners_has_a_row_for_each_share() {
    let params = ChainParams::main();
    let many = Pool { miners: 100_000.0, part: 0.01 };
    assert!((rows_per_link(&params, many) - 32.0).abs() < 0.1);
    assert!((rows_per_link(&params, Pool { miners: 1.0, part: 0.01 }) - 1.0).abs() < 1e-9);
    // Eight expected blocks of a hundredth of Bitcoin: 800 blocks, 48,000 links.
    assert!((window_links(&params, many) - 48_000.0).abs() < 1.0);
}

#[test]
#[ignore = "writes 50 MB; gives the constant of RocksDB's own bytes"]
fn disk_per_record() {
    const RECORDS: u32 = 50_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = Store::open(&path, [7; 32]).unwrap();
    let proof = wire::proof(wire::taproot(), 48, 12).encode();
    let mut rng = sim::rng::stream(1, "disk", 0);
    for _ in 0..RECORDS / 50 {
        let batch: Vec<Record> = (0..50)
            .map(|_| {
                let (mut id, mut bytes) = ([0; 32], proof.clone());
                rand::RngCore::fill_bytes(&mut rng, &mut id);
                // Most of a proof are hashes, which differ each time.
                rand::RngCore::fill_bytes(&mut rng, &mut bytes);
                Record { kind: RecordKind::Proof, id, bytes }
            })
            .collect();
        store.append(&batch).unwrap();
    }
    drop(store);
    let files = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap());
    let tables = files.filter(|file| file.file_name().to_string_lossy().ends_with(".sst"));
    let bytes: u64 = tables.map(|file| file.metadata().unwrap().len()).sum();
    println!(
        "{} bytes a record beside {} of content",
        bytes as f64 / f64::from(RECORDS) - proof.len() as f64,
        proof.len()
    );
}
