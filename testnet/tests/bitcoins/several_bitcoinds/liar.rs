//! A bitcoind that claims what is not so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::{Json, Router};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Server;

/// A proxy of a bitcoind that can claim a block that does not exist.
pub(super) struct Liar {
    pub(super) address: SocketAddr,
    pub(super) lies: Arc<AtomicBool>,
}

impl Liar {
    pub(super) async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, lies) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let (to, client, lying) = (format!("http://{}", server.address), reqwest::Client::new(), Arc::clone(&lies));
        let pass_on = move |headers: HeaderMap, asked: Bytes| {
            let call: Value = serde_json::from_slice(&asked).unwrap();
            let passed = client.post(&to).header(AUTHORIZATION, &headers[AUTHORIZATION]).body(asked);
            let lying = Arc::clone(&lying);
            async move {
                let answer = passed.send().await.unwrap();
                let (status, mut answer) = (answer.status(), answer.json().await.unwrap());
                if lying.load(Ordering::SeqCst) {
                    lie(&call, &mut answer);
                }
                (status, Json(answer))
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass_on)).await.unwrap() });
        Self { address, lies }
    }
}

pub(super) fn made_up() -> BlockHash {
    BlockHash::from_byte_array([7; 32])
}

fn lie(call: &Value, answer: &mut Value) {
    let higher = |height: &Value| json!(height.as_u64().unwrap() + 1);
    match call["method"].as_str() {
        Some("getbestblockhash") => answer["result"] = json!(made_up()),
        Some("getblockchaininfo") => {
            answer["result"]["bestblockhash"] = json!(made_up());
            answer["result"]["blocks"] = higher(&answer["result"]["blocks"]);
            answer["result"]["headers"] = higher(&answer["result"]["headers"]);
        }
        Some("getblocktemplate") if answer["result"].is_object() => {
            answer["result"]["previousblockhash"] = json!(made_up());
            answer["result"]["height"] = higher(&answer["result"]["height"]);
        }
        _ => {}
    }
}
