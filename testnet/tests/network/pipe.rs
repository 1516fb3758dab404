//! A reader that has read enough, like `head`, closes the pipe. A command then ends quietly.

use std::io::pipe;
use std::process::Command;

#[test]
fn a_command_whose_reader_has_left_ends_quietly() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal-testnet"));
    let output = command.args(["attack", "--list"]).stdout(writer).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*words), (Some(1), ""));
}
