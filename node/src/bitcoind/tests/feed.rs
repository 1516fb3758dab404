use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use bitcoin::{BlockHash, Work};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::server::{Reply, Server};
use super::template::{entry, template};
use super::{block_hash, chain_info, genesis};
use crate::bitcoind::{Bitcoind, FeedState, Prover, TemplateFeed};
use crate::config::Network;

/// A bitcoind whose tip is a number. `poll` decides what it does with long polls.
fn bitcoind(
    tip: Arc<AtomicU8>,
    poll: impl Fn(Value) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Value) -> Reply + Send + Sync + 'static {
    move |request| {
        let tip = tip.load(Ordering::SeqCst);
        match request["method"].as_str() {
            Some("getblockchaininfo") => {
                let mut info = chain_info("signet", 7, 7, false);
                info["bestblockhash"] = json!(block_hash(tip));
                Reply::result(info)
            }
            _ if request["params"][0]["longpollid"].is_null() => Reply::result(template(tip, vec![])),
            _ => poll(template(tip, vec![])),
        }
    }
}

pub(super) async fn until(
    receiver: &mut watch::Receiver<FeedState>,
    what: &str,
    condition: impl FnMut(&FeedState) -> bool,
) -> FeedState {
    let wait = timeout(Duration::from_secs(20), receiver.wait_for(condition));
    wait.await.unwrap_or_else(|_| panic!("no {what}")).unwrap().clone()
}

fn on_tip(number: u8) -> impl FnMut(&FeedState) -> bool {
    move |state| state.template.as_ref().is_some_and(|t| t.prev_block == block_hash(number))
}

#[tokio::test]
async fn a_lost_long_poll_is_noticed() {
    let tip = Arc::new(AtomicU8::new(1));
    let server = Server::start(bitcoind(tip.clone(), |_| Reply::Silence)).await;
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    until(&mut state, "first template", on_tip(1)).await;
    tip.store(2, Ordering::SeqCst);
    until(&mut state, "template on the new tip", on_tip(2)).await;
}

/// testnet4: 20 minutes after the previous block, the next one has the easiest nBits. The long poll does not return for
/// that.
#[tokio::test]
async fn a_template_is_renewed_when_a_block_becomes_late() {
    let header = genesis();
    let late_in_s = 3;
    let header = bitcoin::block::Header { time: crate::clock::now().0 - 1_200 + late_in_s, ..header };
    let server = Server::start(move |request| match request["method"].as_str() {
        Some("getblockchaininfo") => {
            let mut info = chain_info("testnet4", 7, 7, false);
            info["bestblockhash"] = json!(header.block_hash());
            Reply::result(info)
        }
        Some("getblockheader") => Reply::result(json!({
            "version": header.version.to_consensus(), "merkleroot": header.merkle_root, "time": header.time,
            "previousblockhash": header.prev_blockhash, "bits": format!("{:08x}", header.bits.to_consensus()),
            "nonce": header.nonce, "height": 7, "confirmations": 1, "chainwork": format!("{:064x}", 5),
        })),
        _ if request["params"][0]["longpollid"].is_null() => {
            let mut told = template(1, vec![]);
            told["previousblockhash"] = json!(header.block_hash());
            told["curtime"] = json!(crate::clock::now().0);
            Reply::result(told)
        }
        _ => Reply::Later(Duration::from_secs(60), String::new()),
    })
    .await;
    let feed = TemplateFeed::start(server.client(Network::Testnet4));
    let mut state = feed.subscribe();
    let time = |state: &FeedState| state.template.as_ref().map_or(0, |template| template.time);
    let first = until(&mut state, "first template", |state| state.template.is_some()).await;
    assert!(time(&first) <= header.time + 1_200, "still in time");
    until(&mut state, "template of a late block", |state| time(state) > header.time + 1_200).await;
}

#[tokio::test]
async fn a_long_poll_answered_at_once_does_not_spin() {
    let tip = Arc::new(AtomicU8::new(1));
    let polls = Arc::new(AtomicUsize::new(0));
    let counter = polls.clone();
    let server = Server::start(bitcoind(tip, move |template| {
        counter.fetch_add(1, Ordering::SeqCst);
        Reply::result(template)
    }))
    .await;
    let _feed = TemplateFeed::start(server.client(Network::Local));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(polls.load(Ordering::SeqCst) <= 3);
}

/// Miners hold jobs of dozens of templates. If each had its own transactions, they would take hundreds of megabytes.
#[tokio::test]
async fn templates_share_the_bytes_of_their_transactions() {
    let server = Server::start(|request| match request["method"].as_str() {
        Some("getblockchaininfo") => {
            let mut info = chain_info("signet", 7, 7, false);
            info["bestblockhash"] = json!(block_hash(1));
            Reply::result(info)
        }
        _ if request["params"][0]["longpollid"].is_null() => Reply::result(template(1, vec![entry(0, &[])])),
        _ => Reply::result(template(1, vec![entry(1, &[]), entry(0, &[])])),
    })
    .await;
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    let count = |state: &FeedState| state.template.as_ref().map_or(0, |template| template.transactions.len());
    let first = until(&mut state, "first template", |state| count(state) == 1).await.template.unwrap();
    let next = until(&mut state, "second template", |state| count(state) == 2).await.template.unwrap();
    assert!(Arc::ptr_eq(&first.transactions[0], &next.transactions[1]));
}

#[tokio::test]
async fn a_bitcoind_that_goes_and_comes_back_is_followed() {
    let tip = Arc::new(AtomicU8::new(1));
    let later = |template| {
        let answer = json!({ "id": 0, "result": template }).to_string();
        Reply::Later(Duration::from_secs(60), answer)
    };
    let server = Server::start(bitcoind(tip.clone(), later)).await;
    let address = server.address();
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    until(&mut state, "first template", on_tip(1)).await;

    server.stop().await;
    let lost = until(&mut state, "trouble", |state| state.trouble.is_some()).await;
    assert!(lost.template.is_some(), "the last template stays");

    tip.store(2, Ordering::SeqCst);
    let _server = Server::start_at(address, bitcoind(tip, later)).await;
    let back = until(&mut state, "template after the restart", on_tip(2)).await;
    assert_eq!(back.trouble, None);
}

#[tokio::test]
async fn a_bitcoind_of_another_network_gives_no_template() {
    let server = Server::start(|request| match request["method"].as_str() {
        Some("getblockchaininfo") => Reply::result(chain_info("main", 7, 7, false)),
        _ => Reply::result(template(1, vec![])),
    })
    .await;
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    let state = until(&mut state, "trouble", |state| state.trouble.is_some()).await;
    assert!(state.trouble.unwrap().contains("another network"));
    assert!(state.template.is_none());
}

fn header(time: u32) -> bitcoin::block::Header {
    bitcoin::block::Header { time, ..genesis() }
}

/// A bitcoind with this tip, which claims this chain work; without work, it does not know the tip's header.
fn with_tip(
    tip: impl Fn() -> (bitcoin::block::Header, Option<String>) + Send + Sync + 'static,
) -> impl Fn(&Value) -> Reply + Send + Sync + 'static {
    move |request| {
        let (tip, work) = tip();
        match request["method"].as_str() {
            Some("getblockchaininfo") => {
                let mut info = chain_info("signet", 7, 7, false);
                info["bestblockhash"] = json!(tip.block_hash());
                Reply::result(info)
            }
            Some("getblockheader") if work.is_none() => {
                let unknown = json!({ "error": { "code": -5, "message": "Block not found" }, "id": 0 });
                Reply::body(200, &unknown.to_string())
            }
            Some("getblockheader") => Reply::result(json!({
                "version": tip.version.to_consensus(), "merkleroot": tip.merkle_root, "time": tip.time,
                "previousblockhash": tip.prev_blockhash, "bits": format!("{:08x}", tip.bits.to_consensus()),
                "nonce": tip.nonce, "height": 7, "confirmations": 1, "chainwork": work,
            })),
            _ if request["params"][0]["longpollid"].is_null() => {
                let mut told = template(1, vec![]);
                told["previousblockhash"] = json!(tip.block_hash());
                Reply::result(told)
            }
            _ => Reply::Later(Duration::from_secs(60), String::new()),
        }
    }
}

fn on(tip: bitcoin::block::Header) -> impl FnMut(&FeedState) -> bool {
    move |state| state.template.as_ref().is_some_and(|template| template.prev_block == tip.block_hash())
}

/// A prover that knows a few headers and the chain work of each, whatever bitcoinds claim.
#[derive(Clone)]
struct Computed(Arc<Vec<(BlockHash, u8)>>);

impl Prover for Computed {
    fn work_of(&self, tip: &BlockHash) -> Option<Work> {
        let (_, work) = self.0.iter().find(|(hash, _)| hash == tip)?;
        Some(Work::from_be_bytes(std::array::from_fn(|index| if index == 31 { *work } else { 0 })))
    }

    fn prove(&self, _: Bitcoind, _: BlockHash) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("it has no header".to_owned()) })
    }
}

/// A bitcoind with an old tip claims more work than any other. The work that the node computed from headers counts.
#[tokio::test]
async fn a_lie_about_work_does_not_hold_miners_on_an_old_tip() {
    let (old, new) = (header(1), header(2));
    let liar = Server::start(with_tip(move || (old, Some("f".repeat(64))))).await;
    let honest = Server::start(with_tip(move || (new, Some(format!("{:064x}", 6))))).await;
    let feed = TemplateFeed::start(Server::client_of(&[&liar, &honest], Network::Local));
    let mut state = feed.subscribe();
    until(&mut state, "template of the liar", on(old)).await;
    feed.believe(Computed(Arc::new(vec![(old.block_hash(), 5), (new.block_hash(), 6)])));
    until(&mut state, "template of the honest one", on(new)).await;
}

/// The first bitcoind keeps claiming a block that does not exist, with or without a header. Miners never get that block.
#[tokio::test]
async fn a_claim_of_a_block_that_does_not_exist_changes_nothing() {
    tokio::join!(claim_of_no_block(None), claim_of_no_block(Some("f".repeat(64))));
}

async fn claim_of_no_block(claimed_work: Option<String>) {
    let (old, new, made_up) = (header(1), header(2), header(3));
    let (lies, grown) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (lying, has_grown) = (lies.clone(), grown.clone());
    let liar = move || if lying.load(Ordering::SeqCst) { (made_up, claimed_work.clone()) } else { (old, None) };
    let honest = move || (if has_grown.load(Ordering::SeqCst) { new } else { old }, None);
    let (first, second) = tokio::join!(Server::start(with_tip(liar)), Server::start(with_tip(honest)));
    let client = Server::client_of(&[&first, &second], Network::Local);
    let feed = TemplateFeed::start(client.clone());
    feed.believe(Computed(Arc::new(vec![(old.block_hash(), 5), (new.block_hash(), 6)])));
    let mut state = feed.subscribe();
    until(&mut state, "template", on(old)).await;
    lies.store(true, Ordering::SeqCst);
    let is_hurt = |state: &FeedState| state.trouble.is_some() || on(made_up)(state);
    let used = async {
        while client.url().port() != Some(second.address().port()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        grown.store(true, Ordering::SeqCst);
    };
    let watched = timeout(Duration::from_secs(60), state.wait_for(|state| is_hurt(state) || on(new)(state)));
    let ((), watched) = tokio::join!(used, watched);
    let last = watched.expect("a template on the new block").unwrap().clone();
    assert!(!is_hurt(&last), "{:?}", last.trouble);
}

/// The node calls bitcoind unreachable only after a second and several failed calls, because a proxy may restart, a
/// queue be full, or a connection break.
#[tokio::test]
async fn a_failed_call_takes_no_work_away() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (counter, tip) = (calls.clone(), Arc::new(AtomicU8::new(1)));
    let well = bitcoind(tip.clone(), |_| Reply::Silence);
    let server = Server::start(move |request| match request["method"].as_str() {
        // The first call is at the start. Two calls of the check of the tip fail, then the first call of those that
        // look again.
        Some("getblockchaininfo") => match counter.fetch_add(1, Ordering::SeqCst) {
            1 | 3 => Reply::body(503, "Work queue depth exceeded"),
            2 | 5 => Reply::Half,
            _ => well(request),
        },
        _ => well(request),
    })
    .await;
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    until(&mut state, "first template", on_tip(1)).await;
    let watched = timeout(Duration::from_secs(10), state.wait_for(|state| state.trouble.is_some())).await;
    let trouble = watched.ok().map(|state| state.unwrap().trouble.clone());
    assert_eq!(trouble, None);
    assert!(calls.load(Ordering::SeqCst) > 6, "it was asked again");
}

#[tokio::test]
async fn a_bitcoind_that_changes_its_network_while_it_runs_is_noticed() {
    let changed = Arc::new(AtomicU8::new(0));
    let (seen, well) = (changed.clone(), bitcoind(Arc::new(AtomicU8::new(1)), |_| Reply::Silence));
    let server = Server::start(move |request| match request["method"].as_str() {
        Some("getblockchaininfo") if seen.load(Ordering::SeqCst) > 0 => Reply::result(chain_info("main", 7, 7, false)),
        _ => well(request),
    })
    .await;
    let feed = TemplateFeed::start(server.client(Network::Local));
    let mut state = feed.subscribe();
    until(&mut state, "first template", on_tip(1)).await;
    changed.store(1, Ordering::SeqCst);
    let state = until(&mut state, "trouble", |state| state.trouble.is_some()).await;
    assert!(state.trouble.unwrap().contains("another network"));
}

#[tokio::test]
async fn another_bitcoind_takes_over_until_the_first_is_back() {
    let silent = |_| Reply::Later(Duration::from_secs(60), String::new());
    let double = |tip| {
        let well = bitcoind(Arc::new(AtomicU8::new(tip)), silent);
        let unknown = json!({ "error": { "code": -5, "message": "Block not found" }, "id": 0 }).to_string();
        move |request: &Value| match request["method"].as_str() {
            Some("getblockheader") => Reply::body(200, &unknown),
            _ => well(request),
        }
    };
    let (first, second) = (Server::start(double(1)).await, Server::start(double(2)).await);
    let address = first.address();
    let client = Server::client_of(&[&first, &second], Network::Local);
    let feed = TemplateFeed::start(client.clone());
    let mut state = feed.subscribe();
    until(&mut state, "template of the first", on_tip(1)).await;
    first.stop().await;
    let gone = tokio::time::Instant::now();
    until(&mut state, "template of the second", on_tip(2)).await;
    assert!(gone.elapsed() < Duration::from_secs(8), "{:?}", gone.elapsed());
    assert_eq!(client.url().port(), Some(second.address().port()));
    assert_eq!(state.borrow().trouble, None);
    let _first = Server::start_at(address, double(3)).await;
    until(&mut state, "template of the first again", on_tip(3)).await;
    assert_eq!(client.url().port(), Some(address.port()));
}
