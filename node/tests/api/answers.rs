//! Compares the answers of the routes with what was mined.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::hex::FromHex;
use bitcoin::{Address, Network, ScriptBuf, Transaction};
use node::state::{BitcoinView, NodeState, PeerView, StateView, SyncState, SyncView};
use node_core::isolation::Kind;
use serde_json::{Value, json};
use sharechain::ChainParams;
use sharechain::chain::Fate;
use sharechain::check::binding::merkle_root;
use sharechain::limits::MEMORY_DEPTH;

use crate::pool::{Pool, miner};
use crate::server::Api;

pub(crate) fn address(script: &ScriptBuf) -> String {
    Address::from_script(script, Network::Signet).unwrap().to_string()
}

fn sum(rows: &Value, field: &str) -> u128 {
    let number = |row: &Value| match &row[field] {
        Value::String(digits) => digits.parse().unwrap(),
        number => u128::from(number.as_u64().unwrap()),
    };
    rows.as_array().unwrap().iter().map(number).sum()
}

#[tokio::test]
async fn an_empty_node_answers_everywhere() {
    let api = Api::of(Pool::new()).await;
    let status = api.get("/status").await;
    assert_eq!((&status["height"], &status["tip_age_s"], &status["peers"]), (&json!(0), &Value::Null, &json!(0)));
    assert_eq!(status["handing_out_work"], json!(false));
    assert!(status["no_work_because"].is_string());
    assert!(status["rss_bytes"].as_u64().unwrap() > 1 << 20);
    let id: [u8; 32] = FromHex::from_hex(status["consensus_id"].as_str().unwrap()).unwrap();
    assert_eq!(status["tip"], sharechain::ShareId(id).to_string(), "genesis has the consensus id, shown as ids are");
    let links = api.get("/links").await;
    assert_eq!((links["links"].as_array().unwrap().len(), &links["next_from"]), (1, &Value::Null));
    assert_eq!(links["links"][0]["finder"], Value::Null);
    let window = api.get("/window").await;
    assert_eq!((&window["earned"], &window["total"]["weight"]), (&json!([]), &json!("0")));
    assert_eq!(window["next_block"]["finder_alone"], json!(true));
    assert_eq!(api.get("/blocks").await, json!({ "blocks": [], "next_from": null }));
    let peers = api.get("/peers").await;
    assert_eq!((&peers["peers"], &peers["reachable"]["how"]), (&json!([]), &json!("unknown")));
    assert_eq!(
        peers["discovery"],
        json!({ "book_new": 0, "book_tried": 0, "outbound": 0, "outbound_target": 0, "own_addresses": null })
    );
    let nobody = api.get(&format!("/miners/{}", address(&miner(1)))).await;
    assert_eq!((&nobody["window"]["shares"], &nobody["hashrate_hs"]), (&json!(0), &json!(0.0)));
}

#[tokio::test]
async fn status_tells_what_the_parts_say() {
    let api = Api::of(Pool::new()).await;
    api.node.send_replace(NodeState {
        sync: SyncView {
            state: SyncState::Shares,
            peers_height: Some(10),
            done_height: Some(0),
            received_bytes: 7,
            ..SyncView::default()
        },
        no_work_because: None,
        solo_because: Some("no peer for 300 s".into()),
        states: vec![StateView { kind: Kind::NoPeers, since: 1_800_000_000, what: "alone".into(), todo: "dial" }],
        bitcoin: BitcoinView {
            height: Some(7),
            trouble: Some("bitcoind cannot be reached".into()),
            ..BitcoinView::default()
        },
    });
    let peer = |id: &str| PeerView {
        round_trip_ms: Some(12),
        id: id.into(),
        address: "/ip4/192.0.2.7/tcp/3381".into(),
        inbound: true,
        agent: None,
        height: Some(10),
        tip: None,
        bitcoin_height: None,
        points: 3,
        since: Instant::now(),
    };
    api.peers.send_replace(Arc::new(vec![peer("b"), peer("a")]));
    let status = api.get("/status").await;
    assert_eq!(
        status["sync"],
        json!({
            "state": "shares", "peers_height": 10, "progress": 0.0, "received_bytes": 7, "rate_bytes_s": null, "left_s": null
        })
    );
    assert_eq!((&status["handing_out_work"], &status["no_work_because"]), (&json!(true), &Value::Null));
    assert_eq!((&status["work"], &status["solo_because"]), (&json!("solo"), &json!("no peer for 300 s")));
    let state = json!({ "kind": "no_peers", "since_unix_s": 1_800_000_000, "what": "alone", "todo": "dial" });
    assert_eq!(status["states"], json!([state]));
    let (_, metrics) = api.text("/metrics").await;
    for line in ["shoal_isolation{kind=\"no_peers\"} 1", "shoal_isolation{kind=\"clock\"} 0", "shoal_work_solo 1"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(status["bitcoin"]["height"], json!(7));
    assert_eq!(status["bitcoin"]["trouble"], json!("bitcoind cannot be reached"));
    assert_eq!(status["peers"], json!(2));
    let peers = api.get("/peers").await;
    assert_eq!((&peers["peers"][0]["id"], &peers["peers"][1]["points"]), (&json!("a"), &json!(3)));
}

#[tokio::test]
async fn a_share_on_a_stale_bitcoin_tip_says_that_it_earned_nothing() {
    let mut pool = Pool::with(ChainParams { stale_depth: 1, ..crate::pool::params() });
    pool.link(&miner(2));
    let late = pool.share_after(3, &miner(1));
    let fresh = pool.share(&miner(1));
    let link = pool.link(&miner(2));
    let api = Api::of(pool).await;
    let answer = api.get(&format!("/shares/{late}")).await;
    assert_eq!((&answer["fate"], &answer["link"]), (&json!("listed"), &json!(link.to_string())));
    assert_eq!(answer["unpaid"], json!("stale_bitcoin_tip"));
    assert_eq!(answer["explanation"], json!("listed, earned nothing: stale Bitcoin tip"));
    assert_eq!(answer["share"]["extranonce"].as_str().unwrap().len(), 32);
    let answer = api.get(&format!("/shares/{fresh}")).await;
    assert_eq!((&answer["fate"], &answer["unpaid"]), (&json!("listed"), &Value::Null));
    assert!(answer["explanation"].as_str().unwrap().ends_with("so it counts"));
    let window = api.get(&format!("/miners/{}", address(&miner(1)))).await["window"]["weight"].clone();
    assert_eq!(
        window,
        api.get(&format!("/shares/{fresh}")).await["share"]["weight"]["weight"],
        "the fresh one alone earned"
    );
}

#[tokio::test]
async fn every_share_has_a_fate() {
    let mut pool = Pool::new();
    let listed = pool.share(&miner(1));
    let link = pool.link(&miner(2));
    let pending = pool.share(&miner(1));
    let (refused, held) = (pool.refused(), pool.orphan());
    let api = Api::of(pool).await;
    let fate = async |id| api.get(&format!("/shares/{id}")).await;

    let answer = fate(listed).await;
    assert_eq!((&answer["fate"], &answer["link"]), (&json!("listed"), &json!(link.to_string())));
    assert_eq!(answer["share"]["address"], json!(address(&miner(1))));
    assert!(answer["share"]["weight"]["weight"].as_str().unwrap().parse::<u128>().unwrap() > 0);
    assert_eq!(fate(link).await["fate"], json!("link"));
    assert_eq!(fate(pending).await["fate"], json!("pending"));
    let answer = fate(refused).await;
    assert_eq!((&answer["fate"], &answer["rule"]), (&json!("refused"), &json!("SC-210")));
    assert!(answer["explanation"].as_str().unwrap().contains("coinbase value"));
    let answer = fate(held).await;
    assert_eq!(answer["fate"], json!("held"));
    assert!(answer["waits_for"].as_str().unwrap().contains("7777"));
    assert_eq!(api.get(&format!("/shares/{}", "00".repeat(32))).await["fate"], json!("unknown"));

    let counts = &api.get("/status").await["shares"];
    assert_eq!(*counts, json!({ "found_total": 0, "pending": 1, "held": 1, "refused_total": 1 }));
}

#[tokio::test]
async fn links_are_paged_from_the_tip_down() {
    let mut pool = Pool::new();
    let shares = [pool.share(&miner(1)), pool.share(&miner(1))];
    let first = pool.link(&miner(2));
    let ids: Vec<_> = (0..4).map(|_| pool.link(&miner(3)).to_string()).collect();
    let api = Api::of(pool).await;

    let page = api.get("/links?limit=4").await;
    let shown: Vec<_> = page["links"].as_array().unwrap().iter().map(|link| link["id"].as_str().unwrap()).collect();
    assert_eq!(shown, ids.iter().rev().collect::<Vec<_>>());
    assert_eq!((&page["height"], &page["next_from"]), (&json!(5), &json!(1)));
    let rest = api.get("/links?limit=4&from=1").await;
    assert_eq!((rest["links"].as_array().unwrap().len(), &rest["next_from"]), (2, &Value::Null));
    assert_eq!(rest["links"][0]["finder"]["address"], json!(address(&miner(2))));
    assert_eq!(api.get("/links?from=18446744073709551615").await["links"][0]["height"], json!(5));

    let link = api.get(&format!("/links/{first}")).await;
    let mut listed: Vec<_> = link["shares"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    listed.sort_unstable();
    let mut expected = shares.map(|id| id.to_string());
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!(
        (&link["list_state"], &link["is_main"], &link["shares_count"]),
        (&json!("complete"), &json!(true), &json!(2))
    );
    assert_eq!(sum(&link["earned"], "shares"), 3);
    assert_eq!(sum(&link["earned"], "weight").to_string(), link["earned_total"]["weight"].as_str().unwrap());
}

/// The chain forgets shares and lists deep below its tip. The store does not.
#[tokio::test]
async fn deep_shares_and_links_are_looked_up_in_the_store() {
    let mut pool = Pool::new();
    let listed = pool.share(&miner(1));
    let link = pool.link(&miner(2));
    let block = (0..12).map(|number| pool.link(&miner(number % 3))).last().unwrap();
    while pool.engine.chain().fate(&listed) != Fate::Unknown {
        pool.link_beside_bitcoin(&miner(3));
        assert!(pool.engine.chain().height().0 < 2 * MEMORY_DEPTH, "the chain never forgets");
    }
    let api = Api::of(pool).await;

    let answer = api.get(&format!("/shares/{listed}")).await;
    assert_eq!((&answer["fate"], &answer["link"]), (&json!("listed"), &json!(link.to_string())));
    assert_eq!((&answer["link_height"], &answer["share"]["weight"]), (&json!(1), &Value::Null));
    let answer = api.get(&format!("/shares/{link}")).await;
    assert_eq!((&answer["fate"], &answer["link_height"]), (&json!("link"), &json!(1)));
    let answer = api.get(&format!("/links/{link}")).await;
    assert_eq!(answer["shares"], json!([listed.to_string()]));
    assert_eq!(answer["finder"]["address"], json!(address(&miner(2))));
    let shares = api.get(&format!("/miners/{}/shares?limit=500", address(&miner(1)))).await;
    let oldest = shares["shares"].as_array().unwrap().last().unwrap();
    assert_eq!((&oldest["id"], &oldest["listed_in"]), (&json!(listed.to_string()), &json!(link.to_string())));
    let block = api.get(&format!("/blocks/{block}")).await;
    assert_eq!(block["weights"].as_array().unwrap().len(), 3, "payouts can be proven for ever");
}

#[tokio::test]
async fn window_and_miners_add_up() {
    let mut pool = Pool::new();
    for number in 0..24 {
        pool.share(&miner(number % 3));
        pool.link(&miner(number % 2));
    }
    let api = Api::of(pool).await;
    let window = api.get("/window").await;
    assert_eq!(window["scripts_total"], json!(3));
    assert_eq!(sum(&window["earned"], "weight").to_string(), window["total"]["weight"].as_str().unwrap());
    let next = &window["next_block"];
    assert_eq!(next["finder_alone"], json!(false));
    assert_eq!(sum(&next["outputs"], "value_sat"), u128::from(next["value_sat"].as_u64().unwrap()));

    let page = api.get("/window?limit=2&from=1").await;
    assert_eq!(page["earned"].as_array().unwrap()[..], window["earned"].as_array().unwrap()[1..]);
    assert_eq!(api.get("/window?limit=1").await["next_from"], json!(1));
    assert_eq!(api.get("/window?from=99").await["earned"], json!([]));

    let mut expected_sat = 0;
    for earner in window["earned"].as_array().unwrap() {
        let address = earner["address"].as_str().unwrap();
        let miner = api.get(&format!("/miners/{address}")).await;
        assert_eq!(miner["window"]["weight"], earner["weight"]);
        assert_eq!(miner["script"], earner["script"]);
        expected_sat += miner["next_block"]["expected_sat"].as_u64().unwrap();
    }
    assert!(expected_sat.abs_diff(next["value_sat"].as_u64().unwrap()) <= 3, "rounding only");
}

#[tokio::test]
async fn blocks_tell_all_that_their_payouts_follow_from() {
    let mut pool = Pool::new();
    let ids: Vec<_> = (0..20).map(|number| pool.link(&miner(number % 3)).to_string()).collect();
    let api = Api::of(pool).await;

    let newest = api.get("/blocks?limit=1").await;
    assert_eq!(newest["blocks"][0]["hash"], json!(ids[19]));
    assert_eq!((&newest["blocks"][0]["confirmations"], &newest["blocks"][0]["bitcoind"]), (&json!(1), &Value::Null));
    let from = newest["next_from"].as_u64().unwrap();
    let rest = api.get(&format!("/blocks?limit=500&from={from}")).await;
    assert_eq!((rest["blocks"].as_array().unwrap().len(), &rest["next_from"]), (19, &Value::Null));
    assert_eq!(rest["blocks"][0]["hash"], json!(ids[18]));

    let block = api.get(&format!("/blocks/{}", ids[19])).await;
    assert_eq!((&block["height"], &block["prev_hash"]), (&json!(20), &json!(ids[18])));
    assert_eq!(sum(&block["outputs"], "value_sat"), u128::from(block["value_sat"].as_u64().unwrap()));
    let coinbase: Transaction = deserialize_hex(block["coinbase_hex"].as_str().unwrap()).unwrap();
    for (paid, shown) in coinbase.output.iter().zip(block["outputs"].as_array().unwrap()) {
        assert_eq!(shown["script"], json!(paid.script_pubkey.to_hex_string()));
        assert_eq!(shown["value_sat"], json!(paid.value.to_sat()));
    }
    assert!(block["outputs"].as_array().unwrap().len() > 1, "payouts are shared");
    let header: Header = deserialize_hex(block["header_hex"].as_str().unwrap()).unwrap();
    assert_eq!(json!(header.block_hash()), block["hash"]);
    let branch = block["merkle_branch"].as_array().unwrap().iter();
    let branch: Vec<_> = branch.map(|hash| <[u8; 32]>::from_hex(hash.as_str().unwrap()).unwrap()).collect();
    let root = merkle_root(coinbase.compute_txid().to_byte_array(), &branch);
    assert_eq!(header.merkle_root.to_byte_array(), root);
    let snapshot = api.get(&format!("/links/{}", block["snapshot"].as_str().unwrap())).await;
    assert_eq!(snapshot["listed_total"], block["snapshot_listed_total"]);
    // The node does not sum the window again: it kept the weights with the block, without shares.
    let weights = block["weights"].as_array().unwrap();
    assert!(!weights.is_empty() && weights.iter().all(|due| due["shares"].is_null() && due["weight"] != json!("0")));
    assert!(ids.contains(&block["seed"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn metrics_have_names_types_and_units() {
    let mut pool = Pool::new();
    pool.link(&miner(1));
    pool.link(&miner(1));
    pool.refused();
    let api = Api::of(pool).await;
    let (status, text) = api.text("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "shoal_chain_height 2.0",
        "# TYPE shoal_chain_height gauge",
        "shoal_shares_refused_total{rule=\"SC-210\"} 1",
        "# TYPE shoal_shares_refused counter",
        "shoal_submits_rejected_total{reason=\"stale\"} 0",
        "# UNIT process_resident_memory_bytes bytes",
        "shoal_peers 0.0",
        "shoal_miners 0.0",
        "shoal_handing_out_work 0.0",
        "shoal_miner_connections_closed_total{reason=\"flood\"} 0",
        "shoal_peer_budget_refusals_total{budget=\"host\"} 0",
        "shoal_peer_budget_refusals_total{budget=\"all_upload\"} 0",
        "shoal_peer_connections_refused_total{reason=\"half_open\"} 0",
        "shoal_peer_evictions_total 0",
        "shoal_peer_bans_total{what=\"netgroup\"} 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    for start in ["process_resident_memory_bytes ", "shoal_pool_hashrate_hashes_per_second ", "shoal_build_info{"] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start} is not in\n{text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(name.starts_with("shoal_") || name.starts_with("process_"), "{line}");
    }
}
