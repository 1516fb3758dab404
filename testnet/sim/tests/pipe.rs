//! A reader that has read enough, like `head`, closes the pipe. `shoal-sim` then ends quietly.

use std::io::pipe;
use std::process::{Command, Stdio};

/// A pipe whose reader is gone.
fn unread() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe opens");
    drop(reader);
    writer.into()
}

fn shoal_sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal-sim"));
    command.args(arguments);
    command
}

#[test]
fn a_simulation_whose_reader_has_left_ends_quietly() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("short.toml");
    let calm = include_str!("../../scenarios/calm.toml");
    let short: Vec<_> =
        calm.lines().map(|line| if line.starts_with("duration_s") { "duration_s = 60" } else { line }).collect();
    std::fs::write(&path, short.join("\n")).expect("the scenario is written");
    let path = path.to_str().expect("the path is text");
    for arguments in [&[path][..], &[path, "--json"]] {
        let output = shoal_sim(arguments).stdout(unread()).output().expect("shoal-sim runs");
        let words = String::from_utf8_lossy(&output.stderr);
        // The progress is there, and nothing else.
        assert!(words.lines().all(|line| line.starts_with("minute ")), "{words}");
        assert_eq!(output.status.code(), Some(1), "{words}");
    }
}

#[test]
fn a_soak_whose_progress_nobody_reads_succeeds() {
    let status = shoal_sim(&["soak", "--runs", "0"]).stderr(unread()).status().expect("shoal-sim runs");
    assert!(status.success(), "{status}");
}
