use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rocksdb::{DB, Options};
use tempfile::TempDir;

use super::layout::{self, FAMILIES, META, NETWORK_KEY, SCHEMA_KEY};
use super::*;

const OURS: [u8; 32] = [7; 32];

fn folder() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("db");
    (dir, path)
}

fn record(kind: RecordKind, number: u8) -> Record {
    Record { kind, id: [number; 32], bytes: vec![number; usize::from(number)] }
}

/// Opens the files without the store.
fn raw(path: &Path) -> DB {
    raw_with(path, &FAMILIES)
}

fn raw_with(path: &Path, families: &[&str]) -> DB {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    DB::open_cf(&options, path, families).unwrap()
}

/// Every file with its content, except RocksDB's logs and notes.
fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("LOG"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn everything_comes_back_in_order_after_reopening() {
    let (_dir, path) = folder();
    let batch = [
        record(RecordKind::Proof, 1),
        record(RecordKind::List, 2),
        record(RecordKind::Meta, 3),
        record(RecordKind::Block, 4),
        record(RecordKind::Refusal, 5),
        record(RecordKind::Proof, 6),
    ];
    let store = Store::open(&path, OURS).unwrap();
    assert_eq!(store.append(&batch[..3]).unwrap(), 1);
    assert_eq!(store.append(&batch[3..]).unwrap(), 3);
    drop(store);
    let store = Store::open(&path, OURS).unwrap();
    let journal: Vec<_> = store.journal(0).map(Result::unwrap).collect();
    let expected = [(1, &batch[0]), (2, &batch[1]), (5, &batch[5])];
    assert_eq!(journal.iter().map(|e| (e.sequence, &e.record)).collect::<Vec<_>>(), expected);
    assert_eq!(store.journal(2).count(), 2);
    assert_eq!(store.blocks_down(u64::MAX).map(|e| e.unwrap().record).collect::<Vec<_>>(), [batch[3].clone()]);
    for record in &batch {
        assert_eq!(store.get(record.kind, &record.id).unwrap().as_ref(), Some(&record.bytes));
        assert!(store.contains(record.kind, &record.id).unwrap());
    }
    assert_eq!(store.get(RecordKind::List, &[1; 32]).unwrap(), None);
    assert_eq!(store.next_sequence(), 6);
}

#[test]
fn the_newest_record_of_an_id_is_found() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    for kind in [RecordKind::Proof, RecordKind::Refusal, RecordKind::Meta] {
        for bytes in [vec![1], vec![2]] {
            store.append(&[Record { kind, id: [9; 32], bytes }]).unwrap();
        }
        assert_eq!(store.get(kind, &[9; 32]).unwrap(), Some(vec![2]));
    }
}

#[test]
fn only_the_newest_refusals_are_kept() {
    let (_dir, path) = folder();
    let store = Store::open_with(&path, OURS, 3).unwrap();
    for number in [1, 2, 3, 1, 4] {
        store.append(&[record(RecordKind::Refusal, number)]).unwrap();
    }
    let kept = |store: &Store| -> Vec<u8> { store.refusals().map(|entry| entry.unwrap().record.id[0]).collect() };
    assert_eq!(kept(&store), [4, 1, 3]);
    assert!(store.contains(RecordKind::Refusal, &[1; 32]).unwrap(), "refused again since");
    assert!(!store.contains(RecordKind::Refusal, &[2; 32]).unwrap());
    drop(store);
    let store = Store::open_with(&path, OURS, 3).unwrap();
    store.append(&[5, 6].map(|number| record(RecordKind::Refusal, number))).unwrap();
    assert_eq!(kept(&store), [6, 5, 4]);
    assert_eq!(store.next_sequence(), 8, "numbers go on though old refusals are gone");
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    let mut large = record(RecordKind::Block, 2);
    large.bytes = vec![0; crate::limits::RECORD_BYTES_MAX + 1];
    let refused = store.append(&[record(RecordKind::Proof, 1), large]);
    assert!(matches!(refused, Err(StoreError::RecordTooLarge { .. })));
    assert_eq!(store.journal(0).count(), 0);
    assert_eq!(store.append(&[record(RecordKind::Proof, 1)]).unwrap(), 1);
}

#[test]
fn a_database_of_an_older_version_is_left_alone() {
    for (version, families) in [(1_u32, &FAMILIES[..5]), (2, &FAMILIES[..])] {
        let (_dir, path) = folder();
        let db = raw_with(&path, families);
        let meta = db.cf_handle(META).unwrap();
        db.put_cf(meta, SCHEMA_KEY, version.to_be_bytes()).unwrap();
        // It also has another consensus id, but the error is about its version.
        db.put_cf(meta, NETWORK_KEY, [8; 32]).unwrap();
        drop(db);
        let before = contents(&path);
        let error = Store::open(&path, OURS).unwrap_err();
        assert!(matches!(error, StoreError::Older { .. }), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("version 1 of the protocol") && words.contains("move that folder away"), "{words}");
        assert_eq!(contents(&path), before);
    }
}

#[test]
fn a_database_from_before_payout_proofs_opens() {
    let (_dir, path) = folder();
    let db = raw_with(&path, &FAMILIES[..8]);
    assert_eq!(FAMILIES[8], layout::WINDOWS);
    let meta = db.cf_handle(META).unwrap();
    db.put_cf(meta, SCHEMA_KEY, layout::SCHEMA.to_be_bytes()).unwrap();
    db.put_cf(meta, NETWORK_KEY, OURS).unwrap();
    drop(db);
    let store = Store::open(&path, OURS).unwrap();
    assert_eq!(store.get(RecordKind::Window, &[1; 32]).unwrap(), None);
    store.append(&[record(RecordKind::Window, 1)]).unwrap();
    drop(store);
    let store = Store::open(&path, OURS).unwrap();
    assert_eq!(store.get(RecordKind::Window, &[1; 32]).unwrap(), Some(vec![1]));
}

#[test]
fn the_oldest_windows_make_room_for_newer_ones() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    let forget = |store: &Store, most| {
        let forgotten = node_core::journal::Forgotten { windows_bytes: Some(most), ..Default::default() };
        store.forget(&forgotten).unwrap();
    };
    let kept = |store: &Store| -> Vec<u8> {
        (0..8).filter(|number| store.contains(RecordKind::Window, &[*number; 32]).unwrap()).collect()
    };
    // Each has 37 bytes and its content.
    for number in 0..6 {
        let bytes = vec![number; 63];
        store
            .append(&[Record { kind: RecordKind::Window, id: [number; 32], bytes }, record(RecordKind::Block, 9)])
            .unwrap();
    }
    forget(&store, 600);
    assert_eq!(kept(&store), [0, 1, 2, 3, 4, 5]);
    forget(&store, 599);
    assert_eq!(kept(&store), [1, 2, 3, 4, 5]);
    drop(store);
    let store = Store::open(&path, OURS).unwrap();
    store.append(&[Record { kind: RecordKind::Window, id: [6; 32], bytes: vec![6; 63] }]).unwrap();
    forget(&store, 350);
    assert_eq!(kept(&store), [4, 5, 6]);
    assert_eq!(store.blocks_down(u64::MAX).count(), 6, "other records stay");
    forget(&store, 0);
    assert_eq!(kept(&store), Vec::<u8>::new());
}

#[test]
fn history_is_read_in_both_directions_within_its_prefix() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    let row = |key: &[u8]| (key.to_vec(), key.to_vec());
    store.write_history(&[row(&[1, 9]), row(&[2, 1]), row(&[2, 5]), row(&[2, 7, 0]), row(&[3])], &[]).unwrap();
    let down = |from: &[u8]| -> Vec<Vec<u8>> { store.history_down(&[2], from).map(|row| row.unwrap().0).collect() };
    assert_eq!(down(&[2, 255]), [vec![2, 7, 0], vec![2, 5], vec![2, 1]]);
    assert_eq!(down(&[2, 5]), [vec![2, 5], vec![2, 1]]);
    let up: Vec<Vec<u8>> = store.history_up(&[2], &[2, 5]).map(|row| row.unwrap().0).collect();
    assert_eq!(up, [vec![2, 5], vec![2, 7, 0]]);
    assert_eq!(store.history(&[3]).unwrap(), Some(vec![3]));
    store.write_history(&[], &[vec![2, 5]]).unwrap();
    assert_eq!(down(&[2, 255]), [vec![2, 7, 0], vec![2, 1]]);
    store.clear_history(2).unwrap();
    assert_eq!(down(&[2, 255]), Vec::<Vec<u8>>::new());
    assert_eq!(store.history(&[3]).unwrap(), Some(vec![3]));
}

#[test]
fn a_newer_database_is_left_alone() {
    let (_dir, path) = folder();
    drop(Store::open(&path, OURS).unwrap());
    let db = raw(&path);
    db.put_cf(db.cf_handle(META).unwrap(), SCHEMA_KEY, 4_u32.to_be_bytes()).unwrap();
    drop(db);
    let before = contents(&path);
    let error = Store::open(&path, OURS).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 4, known: 3, .. }), "{error}");
    assert_eq!(contents(&path), before);
}

#[test]
fn a_database_of_another_network_is_left_alone() {
    let (_dir, path) = folder();
    drop(Store::open(&path, [8; 32]).unwrap());
    let before = contents(&path);
    let error = Store::open(&path, OURS).unwrap_err();
    assert!(error.to_string().contains("another share-chain (08080808…, not 07070707…)"), "{error}");
    assert_eq!(contents(&path), before);
}

#[test]
fn a_database_in_use_is_said_to_be() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    store.append(&[record(RecordKind::Proof, 1)]).unwrap();
    let error = Store::open(&path, OURS).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    let error = Store::inspect(&path, OURS).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    store.append(&[record(RecordKind::Proof, 2)]).unwrap();
    drop(store);
    assert!(Store::inspect(&path, OURS).unwrap());
}

#[test]
fn folders_with_other_files_are_left_alone() {
    let (_dir, path) = folder();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("photo.jpg"), b"memories").unwrap();
    let error = Store::open(&path, OURS).unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert_eq!(contents(&path).len(), 1);
    // Another program's RocksDB database.
    let (_dir, path) = folder();
    let mut options = Options::default();
    options.create_if_missing(true);
    drop(DB::open(&options, &path).unwrap());
    let error = Store::open(&path, OURS).unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
}

#[test]
fn an_unfinished_new_database_is_made_again() {
    let (_dir, path) = folder();
    let unfinished = open::unfinished(&path);
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("MANIFEST-000001"), b"half").unwrap();
    Store::open(&path, OURS).unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn damaged_files_are_said_to_be_and_left_alone() {
    for prefix in ["MANIFEST", "CURRENT"] {
        let (_dir, path) = folder();
        drop(Store::open(&path, OURS).unwrap());
        let (file, mut bytes) = contents(&path)
            .into_iter()
            .find(|(path, _)| path.file_name().unwrap().to_string_lossy().starts_with(prefix))
            .unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xee);
        fs::write(&file, &bytes).unwrap();
        let before = contents(&path);
        let error = Store::open(&path, OURS).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{prefix}: {error:?}");
        assert_eq!(contents(&path), before);
    }
}

#[test]
fn a_damaged_record_is_named() {
    let (_dir, path) = folder();
    let store = Store::open(&path, OURS).unwrap();
    store.append(&[record(RecordKind::Proof, 3), record(RecordKind::Block, 4)]).unwrap();
    drop(store);
    let db = raw(&path);
    let journal = db.cf_handle(layout::JOURNAL).unwrap();
    let mut value = db.get_cf(journal, 1_u64.to_be_bytes()).unwrap().unwrap();
    *value.last_mut().unwrap() ^= 1;
    db.put_cf(journal, 1_u64.to_be_bytes(), value).unwrap();
    assert!(db.get_cf(db.cf_handle(META).unwrap(), NETWORK_KEY).unwrap().is_some());
    drop(db);
    let error = Store::open(&path, OURS).and_then(|s| s.get(RecordKind::Proof, &[3; 32]));
    assert!(matches!(error, Err(StoreError::CorruptRecord { sequence: 1, .. })), "{error:?}");
}

proptest! {
    #[test]
    fn values_come_back_as_they_were(sequence: u64, kind in 1_u8..=5, id: [u8; 32], bytes: Vec<u8>) {
        let kinds =
            [RecordKind::Proof, RecordKind::List, RecordKind::Block, RecordKind::Refusal, RecordKind::Meta];
        let record = Record { kind: kinds[usize::from(kind) - 1], id, bytes };
        let value = record::encode(&record, sequence);
        prop_assert_eq!(record::decode(sequence, &value), Some(record));
        prop_assert_eq!(record::decode(sequence.wrapping_add(1), &value), None);
    }

    #[test]
    fn arbitrary_values_do_not_panic(sequence: u64, value: Vec<u8>) {
        prop_assert_eq!(record::decode(sequence, &value), None);
    }
}

#[test]
fn waiting_until_all_is_closed_lasts_until_another_thread_has_closed_it() {
    let (_dir, path) = folder();
    let store = std::sync::Arc::new(Store::open(&path, OURS).unwrap());
    let reader = std::sync::Arc::clone(&store);
    let reading = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        drop(reader);
    });
    drop(store);
    assert!(!wait_until_closed(Duration::from_millis(10)));
    assert!(wait_until_closed(Duration::from_secs(60)));
    Store::open(&path, OURS).expect("no lock is left");
    reading.join().unwrap();
}
