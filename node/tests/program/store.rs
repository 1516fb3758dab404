//! The database and the operating system: kills during writes, memory, and many records.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use node::store::{Record, RecordKind, Store};
use tempfile::TempDir;

const NETWORK_ID: [u8; 32] = [7; 32];
const WRITER_FOLDER: &str = "SHOAL_TEST_WRITER_FOLDER";

fn id(number: u64) -> [u8; 32] {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

/// A proof and its list, written together.
fn pair(number: u64) -> [Record; 2] {
    let bytes = number.to_be_bytes().repeat(80);
    [RecordKind::Proof, RecordKind::List].map(|kind| Record { kind, id: id(number), bytes: bytes.clone() })
}

/// Not a test by itself: the process that [`nothing_acknowledged_is_lost_by_a_kill`] kills.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(WRITER_FOLDER) else { return };
    let store = Store::open(Path::new(&folder), NETWORK_ID).unwrap();
    let mut stdout = std::io::stdout();
    for number in store.next_sequence() / 2.. {
        store.append(&pair(number)).unwrap();
        writeln!(stdout, "written {number}").unwrap();
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("db");
    for kill_after in [1, 30, 2_000] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::writer", "--nocapture"])
            .env(WRITER_FOLDER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // The test harness writes to the same output, also before the first line.
        let written =
            lines.filter_map(|line| line.rsplit_once("written ").and_then(|(_, number)| number.parse::<u64>().ok()));
        let last = written.take(kill_after).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Store::open(&path, NETWORK_ID).unwrap();
        assert_eq!(store.get(RecordKind::List, &id(last)).unwrap(), Some(pair(last)[1].bytes.clone()));
        let journal: Vec<_> = store.journal(0).map(Result::unwrap).collect();
        assert!(journal.len() as u64 > 2 * last, "{} records, {last} acknowledged", journal.len());
        assert_eq!(journal.len() % 2, 0, "half a batch");
        for (entries, number) in journal.chunks(2).zip(0..) {
            assert_eq!(entries[0].sequence, 2 * number + 1);
            assert!(entries.iter().map(|entry| &entry.record).eq(&pair(number)));
        }
    }
}

/// Resident memory of this process in bytes, if the system reports it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn memory_stays_bounded_while_the_database_grows() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(&dir.path().join("db"), NETWORK_ID).unwrap();
    let before = resident_bytes();
    for number in 0..100_000 {
        store.append(&pair(number)).unwrap();
    }
    assert_eq!(store.journal(0).count(), 200_000);
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let grown_mib = after.saturating_sub(before) >> 20;
        println!("resident memory grew by {grown_mib} MiB over 200,000 records (128 MB)");
        assert!(grown_mib < 50, "resident memory grew by {grown_mib} MiB");
    }
}
