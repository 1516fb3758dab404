//! A reader that has read enough, like `head`, closes the pipe. Each command that prints then ends quietly.

use std::fs::File;
use std::io::{BufWriter, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use node_core::engine::Keep;
use node_core::export::write;
use testkit::World;

use crate::pruned_recording::{grow, headers, opened};

/// A pipe whose reader is gone.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn shoal(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", home).stdin(Stdio::null()).args(arguments);
    command
}

/// Writes a short recording.
fn record(path: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let mut engines = vec![opened(&world, folder.path(), Keep::All)];
    grow(&mut world, &mut engines, 5);
    let mut engine = engines.remove(0);
    let store = Arc::clone(engine.store());
    let to = BufWriter::new(File::create(path).unwrap());
    write(&*store, engine.chain_mut(), headers(&world).root(), &[], None, to).unwrap();
}

#[test]
fn commands_whose_reader_has_left_end_quietly() {
    let home = tempfile::tempdir().unwrap();
    let recording = home.path().join("recording.jsonl");
    record(&recording);
    let recording = recording.to_str().unwrap();
    let read = shoal(home.path(), &["verify", recording]).output().unwrap();
    assert!(read.status.success() && read.stdout.ends_with(b"no differences\n"), "{read:?}");
    for arguments in [
        &["verify", recording][..],
        &["setup", "--yes", "--network=local", "--new-pool"],
        &["check", "--network=local"],
        &["pair"],
        &["completions", "bash"],
    ] {
        let output = shoal(home.path(), arguments).stdout(unread()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*words), (Some(1), ""), "{arguments:?}");
    }
}

#[test]
fn an_error_that_nobody_reads_has_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let code = |arguments: &[&str]| shoal(home.path(), arguments).stderr(unread()).status().unwrap().code();
    assert_eq!(code(&["verify", "/nowhere"]), Some(1));
    assert_eq!(code(&["run", "--config=/nowhere/shoal.toml"]), Some(2));
}
