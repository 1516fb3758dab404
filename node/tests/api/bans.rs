//! Bans over the API and with the command, and the answers to strangers.

use std::process::Output;

use p2p::{Config, Handle, Network};
use serde_json::Value;
use tokio::process::Command;

use crate::pool::Pool;
use crate::server::{Api, sentence};

/// A network that runs while its events are read.
fn network() -> Handle {
    let config = Config { listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()], ..Config::bare([9; 32], [1; 32]) };
    let (handle, mut events) = Network::start(config).unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    handle
}

async fn shoal(api: &Api, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", "/nonexistent").arg("peers").args(args).arg("--network=local");
    command.arg(format!("--api-listen={}", api.address)).arg(format!("--data-dir={}", api.folder().display()));
    command.output().await.unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn the_operator_lists_bans_and_lifts_them() {
    let api = Api::with(Pool::new(), Some(network()), |_| {}).await;
    let output = shoal(&api, &["ban", "203.0.113.0/24", "--for", "2h", "--reason", "scanning \u{1b}[31m"]).await;
    assert!(output.status.success(), "{}", words(&output));
    let text = words(&shoal(&api, &["bans"]).await);
    let shown = text.contains("203.0.113.0/24") && text.contains("by the operator") && text.contains("scanning [31m");
    assert!(shown && text.contains("1 h 59 min left") && text.contains("1 bans"), "{text}");
    let json: Value = serde_json::from_slice(&shoal(&api, &["bans", "--json"]).await.stdout).unwrap();
    let left_s = json["bans"][0]["left_s"].as_u64().unwrap();
    assert!((7_100..=7_200).contains(&left_s), "{json}");
    let text = words(&shoal(&api, &[]).await);
    assert!(text.contains("0 peers"), "{text}");

    let output = shoal(&api, &["unban", "203.0.113.0/24"]).await;
    assert!(output.status.success() && words(&output).contains("0 bans"), "{}", words(&output));
    let output = shoal(&api, &["unban", "203.0.113.0/24"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("does not know the ban of 203.0.113.0/24"), "{}", words(&output));
    let output = shoal(&api, &["ban", "example.org"]).await;
    assert!(words(&output).contains("12D3KooW"), "{}", words(&output));
    let output = shoal(&api, &["ban", "203.0.113.1", "--for", "1 day"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
}

#[tokio::test]
async fn bans_are_for_the_operator_alone() {
    let api = Api::with(Pool::new(), Some(network()), |_| {}).await;
    for method in ["GET", "POST", "DELETE"] {
        let request = format!(
            "{method} /api/v1/bans?what=203.0.113.7 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             authorization: Bearer 00\r\n\r\n"
        );
        let answer = api.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(sentence(answer.split_once("\r\n\r\n").unwrap().1).contains("api-token"));
    }
}

#[tokio::test]
async fn the_operator_adds_peers_and_removes_them() {
    let named = "/ip4/127.0.0.1/tcp/1";
    let api = Api::with(Pool::new(), Some(network()), |config| config.p2p.peers = vec![named.to_owned()]).await;
    let address = "/dns4/pool.example/tcp/3381";
    for _ in 0..2 {
        let output = shoal(&api, &["add", address]).await;
        let text = words(&output);
        assert!(output.status.success() && text.matches("added: /dns4/pool.example/tcp/3381").count() == 1, "{text}");
    }
    let text = words(&shoal(&api, &[]).await);
    assert!(text.contains("added: /dns4/pool.example/tcp/3381, not connected"), "{text}");
    let kept = std::fs::read_to_string(api.folder().join("peers.json")).unwrap();
    assert!(kept.contains(address), "{kept}");
    // A peer in the configuration comes back at the next start, so the operator has to remove it there.
    let text = words(&shoal(&api, &["remove", named]).await);
    assert!(text.contains("remove it from `p2p.peers`"), "{text}");

    let output = shoal(&api, &["remove", address]).await;
    assert!(output.status.success() && !words(&output).contains(address), "{}", words(&output));
    assert!(!std::fs::read_to_string(api.folder().join("peers.json")).unwrap().contains(address));
    for (command, address, word) in [
        ("remove", address, "does not know the added peer"),
        ("add", "192.0.2.7:3381", "/ip4/192.0.2.7/tcp/3381"),
        ("add", "/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:3381", "p2p.proxy"),
    ] {
        let output = shoal(&api, &[command, address]).await;
        assert!(output.status.code() == Some(1) && words(&output).contains(word), "{}", words(&output));
    }
    // Strangers see no addresses, and change nothing.
    assert!(api.get("/peers").await["manual"].is_null());
    for method in ["POST", "DELETE"] {
        let request = format!(
            "{method} /api/v1/peers?address={address} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        assert!(api.raw(request.as_bytes()).await.starts_with("HTTP/1.1 401"));
    }
}

#[tokio::test]
async fn a_node_that_still_starts_says_so() {
    let api = Api::of(Pool::new()).await;
    let (name, token) = api.token();
    let answer = api.ask("/api/v1/bans", &[(name, &token)]).await;
    assert_eq!(answer.status().as_u16(), 503);
    assert!(sentence(&answer.text().await.unwrap()).contains("still starting"));
}
