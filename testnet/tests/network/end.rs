//! However a network ends, no process survives. Commands print what is wrong with them.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{Up, command_in, node, working};

/// Time in which processes must exit.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn nothing_survives_ctrl_c_or_a_kill_and_a_folder_can_be_used_again() {
    let mut up = Up::start(&["--nodes", "2"]);
    up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    // A Bitcoin, two nodes, two miners.
    up.must_run(5, SOON);
    refusals_are_clear(&up);
    up.signal(Signal::SIGKILL);
    up.end(SOON);
    up.must_be_gone(SOON);

    let mut again = Up::start_in(up.dir().to_owned(), &["--nodes", "2"]);
    let status = again.wait_for("both nodes working again", Duration::from_secs(60), |status| {
        working(status) == 2 && node(status, "A")["tip"] == node(status, "B")["tip"]
    });
    assert!(node(&status, "A")["height"].as_u64().is_some(), "{status:#}");
    again.signal(Signal::SIGINT);
    assert!(again.end(Duration::from_secs(60)).success(), "{}", again.log());
    again.must_be_gone(SOON);
    again.check(&["--agreed", "--lost-max", "0"]);

    let told = command_in(again.dir(), &["heal"]);
    assert!(!told.status.success() && String::from_utf8_lossy(&told.stderr).contains("no test network runs in"));
}

fn refusals_are_clear(up: &Up) {
    let refusals = [
        (["kill", "X"], "there is no node X; the nodes are A, B"),
        (["partition", "A,B"], "name at least two groups"),
        (["partition", "A|Z"], "there is no node Z"),
    ];
    for (args, expected) in refusals {
        let output = up.command(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    }
    up.must(&["kill", "B"]);
    let twice = up.command(&["kill", "B"]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("node B does not run"));
}

#[test]
fn a_second_network_in_the_same_folder_is_refused() {
    let mut first = Up::start(&["--nodes", "1"]);
    first.wait_for("the node working", Duration::from_secs(60), |status| working(status) == 1);
    let second = command_in(first.dir(), &["up", "--nodes", "1", "--plain", "--duration", "5"]);
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && said.contains("another test network runs in"), "{said}");
    first.must(&["stop"]);
    assert!(first.end(Duration::from_secs(60)).success(), "{}", first.log());
    first.must_be_gone(SOON);
}

#[test]
fn too_few_blocks_in_time_are_an_error() {
    let mut up = Up::start(&["--nodes", "1", "--hashrate", "1k", "--duration", "3", "--exit-after-blocks", "5"]);
    assert_eq!(up.end(Duration::from_secs(60)).code(), Some(1));
    assert!(up.log().contains("of 5 Bitcoin blocks were found"), "{}", up.log());
    up.must_be_gone(SOON);
}

/// Commands without `--dir` are for the network that runs, and guess nothing if two do.
#[test]
fn commands_do_not_guess_between_two_networks() {
    let cache = tempfile::tempdir().unwrap();
    let dirs = ["one", "two"].map(|name| cache.path().join(name));
    let sockets = dirs.each_ref().map(|dir| {
        std::fs::create_dir(dir).unwrap();
        UnixListener::bind(dir.join("control.sock")).unwrap()
    });
    let ask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoal-testnet"));
        let output = command.args(args).env("XDG_CACHE_HOME", cache.path()).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert!(ask(&["status"]).1.contains("no test network has been started yet"));
    for dir in [&dirs[0], &dirs[1], &dirs[0]] {
        note_started_in(cache.path(), dir);
    }
    for args in [&["kill", "A"][..], &["status"], &["stop"]] {
        let (done, said) = ask(args);
        let names = format!("add --dir {} or --dir {}", dirs[1].display(), dirs[0].display());
        assert!(!done && said.contains("2 test networks run") && said.contains(&names), "{args:?}: {said}");
    }
    let [first, second] = sockets;
    drop(first);
    // It ends the connection without a word.
    std::thread::spawn(move || second.incoming().for_each(drop));
    let (done, said) = ask(&["status"]);
    assert!(!done && said.contains(&format!("the test network in {} does not answer", dirs[1].display())), "{said}");
}

/// Notes a network as `up` does.
fn note_started_in(cache: &Path, dir: &Path) {
    let path = cache.join("shoal/testnet-networks");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
    writeln!(file, "{}", dir.display()).unwrap();
}
