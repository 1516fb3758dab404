//! `shoal status` as its own process, with a running API.

use std::net::SocketAddr;
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::pool::{Pool, miner};
use crate::server::Api;

async fn shoal_status(api: SocketAddr, json: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    // As under a service manager, which sets no HOME.
    command.env_clear().args(["status", "--network=local"]);
    command.arg(format!("--api-listen={api}"));
    if json {
        command.arg("--json");
    }
    command.output().await.unwrap()
}

#[tokio::test]
async fn it_shows_the_node_as_a_table_and_as_json() {
    let mut pool = Pool::new();
    pool.link(&miner(1));
    let api = Api::of(pool).await;
    let table = shoal_status(api.address, false).await;
    let text = String::from_utf8(table.stdout).unwrap();
    assert_eq!(table.status.code(), Some(3), "it hands out no work: {text}");
    assert!(text.contains("link 1, ") && text.contains("the node has just started"), "{text}");
    assert!(!text.contains('\u{1b}'), "color without a terminal");

    let json = shoal_status(api.address, true).await;
    let status: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(status["height"], 1);
}

#[tokio::test]
async fn no_node_and_another_program_are_told_apart() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = shoal_status(free, false).await;
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("no node answers") && words.lines().count() == 1, "{words}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(|| async { "hello" });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let output = shoal_status(other, true).await;
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("no node of this version") && output.stdout.is_empty(), "{words}");
}
