//! `shoal archive load` into a real PostgreSQL, while the test kills both again and again.

#[path = "../../archive/tests/network/mod.rs"]
mod network;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ::archive::LocalServer;
use network::check::check;
use network::{FAST, Network};
use serde_json::Value;

/// Number of kills, alternately of the loader and of the server.
const KILLS: usize = 30;

/// Rows of a transaction, so few that every kill interrupts one.
const ROWS: &str = "60";

fn loader(server: &LocalServer, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.args(["archive", "load", "--json", "--rows", ROWS]).arg(file);
    command.env_clear().env("HOME", "/nonexistent").env("SHOAL_ARCHIVE_URL", server.url_text());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// True if the loader still runs after a while.
fn works_for(child: &mut Child, time: Duration) -> bool {
    std::thread::sleep(time);
    child.try_wait().unwrap().is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_loader_and_server_are_killed_thirty_times() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::cut_in_two(folder.path());
    let mut server = LocalServer::create(&folder.path().join("pg"), &FAST).unwrap();
    let (mut kills, mut tries) = (0, 0_u64);
    while kills < KILLS {
        tries += 1;
        assert!(tries < 200, "the loader is killed at work: {kills}");
        let file = &network.recorded[kills / 2 % 2].path;
        let mut child = loader(&server, file).spawn().unwrap();
        let time = Duration::from_millis(20 + tries * 37 % 200);
        if !works_for(&mut child, time) {
            // Everything is loaded, whatever was killed before: start again with an empty database.
            check_loaded(&server, &network).await;
            let client = server.url().unwrap().connect().await.unwrap();
            client.batch_execute("drop schema if exists shoal cascade").await.unwrap();
            continue;
        }
        if kills % 2 == 0 {
            child.kill().unwrap();
        } else {
            server.kill();
            server.start().unwrap();
            // The loader has noticed it, or will.
            works_for(&mut child, time);
            child.kill().unwrap();
        }
        child.wait().unwrap();
        kills += 1;
    }
    check_loaded(&server, &network).await;
}

/// Loads what is missing. Then everything is there once.
async fn check_loaded(server: &LocalServer, network: &Network) {
    for recorded in &network.recorded {
        let output = loader(server, &recorded.path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["differences"], 0);
    }
    check(&server.url().unwrap().connect().await.unwrap(), network).await;
}
