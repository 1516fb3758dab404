//! The empty template on a new tip, before the full one comes.

use std::time::Duration;

use bitcoin::{Amount, BlockHash, Work};
use node_core::jobs::BlockTemplate;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::feed::until;
use super::server::{Reply, Server};
use super::template::template;
use super::{block_hash, chain_info, genesis};
use crate::bitcoind::empty;
use crate::bitcoind::template::RawTemplate;
use crate::bitcoind::{Bitcoind, HeaderInfo, TemplateFeed};
use crate::config::{BitcoindAuth, BitcoindConfig, Network, Secret};

/// Publishes one hash when told, as bitcoind's ZMQ does.
async fn publisher(hash: BlockHash) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (go, told) = oneshot::channel();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
        greeting.extend_from_slice(b"NULL");
        greeting.resize(64, 0);
        socket.write_all(&greeting).await.unwrap();
        socket.write_all(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB").await.unwrap();
        // Greeting, READY and the subscription.
        let mut said = [0; 64 + 27 + 12];
        socket.read_exact(&mut said).await.unwrap();
        told.await.unwrap();
        let digits: Vec<u8> = hash.to_string().into_bytes();
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
        let message = [&b"\x01\x09hashblock\x01\x20"[..], &bytes, b"\0\x04\0\0\0\0"].concat();
        socket.write_all(&message).await.unwrap();
        std::future::pending::<()>().await;
    });
    (address, go)
}

#[tokio::test]
async fn an_empty_template_is_there_before_a_slow_full_one() {
    let header = genesis();
    let tip = header.block_hash();
    let server = Server::start(move |request: &Value| match request["method"].as_str() {
        Some("getblockchaininfo") => Reply::result(chain_info("signet", 7, 7, false)),
        Some("getblockheader") => Reply::result(json!({
            "version": header.version.to_consensus(), "merkleroot": header.merkle_root, "time": header.time,
            "bits": format!("{:08x}", header.bits.to_consensus()), "nonce": header.nonce, "height": 8,
            "confirmations": 1, "chainwork": format!("{:064x}", 5), "mediantime": header.time,
        })),
        _ if request["params"][0]["longpollid"].is_null() => {
            let mut first = template(1, vec![]);
            first["curtime"] = first["mintime"].clone();
            Reply::result(first)
        }
        _ => {
            let mut full = template(1, vec![]);
            full["previousblockhash"] = json!(tip);
            Reply::Later(Duration::from_secs(2), json!({ "id": 0, "result": full }).to_string())
        }
    })
    .await;
    let (zmq, go) = publisher(tip).await;
    let auth = BitcoindAuth::User { name: "u".to_owned(), password: Secret::new("p") };
    let url = format!("http://{}", server.address()).parse().unwrap();
    let config = BitcoindConfig { zmq: Some(zmq), ..BitcoindConfig::new(url, auth, Duration::from_secs(5)) };
    let feed = TemplateFeed::start(Bitcoind::new(&config, Network::Local).unwrap());
    let mut state = feed.subscribe();
    let first = until(&mut state, "first template", |state| state.template.is_some()).await;
    let first = first.template.unwrap();
    assert_eq!(first.clock(), None, "blocks are dated ahead of bitcoind's clock");
    // Meanwhile, the node subscribes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    go.send(()).unwrap();
    let is_on = |state: &crate::bitcoind::FeedState| state.template.as_ref().is_some_and(|new| new.prev_block == tip);
    let empty = until(&mut state, "empty template", is_on).await.template.unwrap();
    assert_eq!((empty.height, empty.transactions.len(), &empty.long_poll_id), (9, 0, &None));
    assert_eq!((empty.bits, empty.coinbase_value), (header.bits, Amount::from_sat(5_000_000_000)));
    assert!(empty.time <= first.time.max(empty.min_time) + 60, "{}: this machine's clock does not date it", empty.time);
    let full = |state: &crate::bitcoind::FeedState| {
        is_on(state) && state.template.as_ref().is_some_and(|new| new.long_poll_id.is_some())
    };
    until(&mut state, "full template", full).await;
}

fn last() -> BlockTemplate {
    let raw: RawTemplate = serde_json::from_value(template(1, vec![])).unwrap();
    raw.try_into().unwrap()
}

fn tip(height: u32) -> HeaderInfo {
    let header = genesis();
    let (chain_work, median_time) = (Work::from_be_bytes([1; 32]), Some(header.time));
    HeaderInfo { header, height, confirmations: Some(1), chain_work, median_time }
}

/// No one mines on a block that is not bitcoind's tip: an invalid block, or one with others above it.
#[test]
fn no_empty_template_is_on_an_invalid_or_stale_block() {
    let on = |info: HeaderInfo| empty::on(&info, &last(), Network::Main, 0).is_some();
    assert!(on(tip(100)));
    assert!(!on(HeaderInfo { confirmations: None, ..tip(100) }), "not in the active chain");
    assert!(!on(HeaderInfo { confirmations: Some(2), ..tip(100) }), "another block is the tip");
    assert!(!on(HeaderInfo { median_time: None, ..tip(100) }));
}

#[test]
fn an_empty_template_pays_the_subsidy_and_keeps_the_period() {
    let on = |network, height| empty::on(&tip(height), &last(), network, 0);
    let value = |height| on(Network::Main, height).unwrap().coinbase_value.to_sat();
    assert_eq!((value(209_998), value(209_999), value(839_999)), (5_000_000_000, 2_500_000_000, 312_500_000));
    let empty = on(Network::Main, 100).unwrap();
    assert_eq!((empty.prev_block, empty.min_time), (genesis().block_hash(), genesis().time + 1));
    assert_ne!(empty.prev_block, block_hash(1), "not the last one's");
    assert_eq!(empty.time, empty.min_time, "a clock behind Bitcoin's median makes no invalid header");
    // Only bitcoind computes the nBits of a new period, and nBits that depend on the time.
    assert!(on(Network::Main, 2_015).is_none() && on(Network::Main, 2_016).is_some());
    assert!(on(Network::Testnet4, 100).is_none());
    assert!(on(Network::Regtest, 143).is_some(), "they never change there");
}
