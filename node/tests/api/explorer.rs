//! What the web application reads in addition to the chain: history, sums, the diagram, search, the event log, and the
//! pages.

use std::collections::BTreeSet;

use node::history::{Event, EventKind, Refused, Reorganised};
use node::state::PeerView;
use serde_json::{Value, json};
use sharechain::ShareId;

use crate::answers::address;
use crate::pool::{Pool, miner};
use crate::server::Api;

/// All items of a list, on pages of two.
async fn all(api: &Api, path: &str, list: &str) -> Vec<Value> {
    let (mut items, mut from) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit=2{from}")).await;
        items.extend(page[list].as_array().unwrap().iter().cloned());
        match page["next_from"].as_u64() {
            Some(next) => from = format!("&from={next}"),
            None => return items,
        }
    }
}

#[tokio::test]
async fn an_address_has_its_shares_sums_and_payments() {
    let mut pool = Pool::new();
    for _ in 0..4 {
        pool.share(&miner(1));
        pool.share(&miner(2));
        pool.link(&miner(3));
    }
    let waiting = pool.share(&miner(1));
    let api = Api::of(pool).await;
    let path = format!("/miners/{}", address(&miner(1)));

    let shares = all(&api, &format!("{path}/shares"), "shares").await;
    assert_eq!(shares.len(), 5);
    assert_eq!((&shares[0]["id"], &shares[0]["listed_in"]), (&json!(waiting.to_string()), &Value::Null));
    assert!(shares[1..].iter().all(|share| share["listed_height"].is_u64()), "{shares:#?}");
    assert!(shares.iter().all(|share| share["work_hashes"].as_str().unwrap().parse::<u128>().unwrap() > 0));

    for step in [60, 600, 3_600, 86_400] {
        let sums = api.get(&format!("{path}/history?step={step}")).await;
        let points = sums["points"].as_array().unwrap();
        assert_eq!(points.iter().map(|point| point["shares"].as_u64().unwrap()).sum::<u64>(), 5);
        let pool = api.get(&format!("/pool/history?step={step}")).await;
        let points = pool["points"].as_array().unwrap();
        assert_eq!(points.iter().map(|point| point["shares"].as_u64().unwrap()).sum::<u64>(), 13);
        assert!(points.iter().all(|point| point["hashrate_hs"].as_f64().unwrap() > 0.0));
    }

    // Nearly every share of this pool is a Bitcoin block, and some pay the first miner.
    let payments = all(&api, &format!("{path}/payments"), "payments").await;
    assert!(!payments.is_empty());
    for payment in &payments {
        let block = api.get(&format!("/blocks/{}", payment["block"].as_str().unwrap())).await;
        let own = |output: &&Value| output["address"] == json!(address(&miner(1)));
        let paid: u64 = block["outputs"].as_array().unwrap().iter().filter(own).map(value_sat).sum();
        assert_eq!((value_sat(payment), &payment["height"]), (paid, &block["height"]));
        let alone = block["outputs_count"] == json!(1) && block["finder_address"] == json!(address(&miner(1)));
        assert_eq!(payment["finder_alone"], json!(alone));
    }
    // The pool's first blocks pay their finders alone, since little work is listed before them.
    assert!(payments.iter().any(|payment| payment["finder_alone"] == json!(true)), "{payments:#?}");
    assert!(payments.is_sorted_by(|a, b| a["height"].as_u64() >= b["height"].as_u64()));
    assert!(payments.iter().all(|payment| payment["mature"] == json!(false)));
}

fn value_sat(output: &Value) -> u64 {
    output["value_sat"].as_u64().unwrap()
}

#[tokio::test]
async fn the_pool_is_summed_up() {
    let mut pool = Pool::new();
    for _ in 0..6 {
        pool.share(&miner(1));
        pool.link(&miner(2));
    }
    let api = Api::of(pool).await;
    let answer = api.get("/pool").await;
    assert_eq!(answer["chain"]["height"], json!(6));
    let hands = &answer["decentralisation"];
    assert_eq!((&hands["template_makers"], &hands["largest_template_maker_part"]), (&json!(1), &json!(1.0)));
    assert_eq!((&hands["nodes_seen"], hands["top"].as_array().unwrap().len()), (&json!(1), 2));
    let parts: f64 = hands["top"].as_array().unwrap().iter().map(|top| top["part"].as_f64().unwrap()).sum();
    assert!((parts - 1.0).abs() < 1e-9);
    assert!(hands["nakamoto"].as_u64().unwrap() <= 2);
    let round = &answer["round"];
    assert!(round["since_block"].is_string() && round["probability"].as_f64().unwrap() < 1.0);
    assert!(answer["bitcoin"]["difficulty"].as_f64().unwrap() > 0.0);
    let blocks = api.get("/blocks").await;
    let blocks = blocks["blocks"].as_array().unwrap();
    let lowest = &blocks.last().unwrap()["height"];
    let (first, later): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block["height"] == *lowest);
    assert!(first.iter().all(|block| block["effort"].is_null()), "nothing is known of what was before");
    assert!(!later.is_empty());
    for block in later {
        let (effort, luck) = (block["effort"].as_f64().unwrap(), block["luck_probability"].as_f64().unwrap());
        assert!(effort > 0.0 && (luck - (1.0 - (-effort).exp())).abs() < 1e-12, "{block:#}");
    }
}

#[tokio::test]
async fn the_picture_holds_every_link_and_share_once() {
    let mut pool = Pool::new();
    let mut expected = BTreeSet::new();
    for round in 0..5 {
        expected.insert(pool.share(&miner(1)).to_string());
        expected.insert(pool.share(&miner(2)).to_string());
        pool.link(&miner(3 + round % 2));
    }
    expected.insert(pool.share(&miner(1)).to_string());
    let api = Api::of(pool).await;
    let graph = api.get("/graph").await;
    assert_eq!((&graph["to"], &graph["from_height"], &graph["next_from"]), (&json!(5), &json!(0), &Value::Null));
    assert_eq!(graph["links"].as_array().unwrap().len(), 6);
    let shares = graph["shares"].as_array().unwrap();
    let ids: BTreeSet<_> = shares.iter().map(|share| share["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((ids, shares.len()), (expected, 11));
    assert_eq!(shares.iter().filter(|share| share["listed_in"].is_null()).count(), 1);
    let part = api.get("/graph?to=3&links=2").await;
    assert_eq!((&part["from_height"], &part["next_from"]), (&json!(2), &json!(1)));
    // Two links list four shares. Two more shares are on the upper link.
    assert_eq!((part["links"].as_array().unwrap().len(), part["shares"].as_array().unwrap().len()), (2, 6));
    assert!(api.refusal("/graph?links=201", 400).await.contains("1 to 200"));
    assert!(api.refusal("/graph?heights=3", 400).await.contains("`to` and `links`"));
}

#[tokio::test]
async fn a_branch_that_was_left_is_in_the_picture_though_links_above_it_list_it() {
    let mut pool = Pool::new();
    pool.link(&miner(1));
    let rivals = pool.rivals([&miner(2), &miner(3)]);
    pool.link(&miner(1));
    let api = Api::of(pool).await;
    let graph = api.get("/graph?to=2&links=1").await;
    let links = graph["links"].as_array().unwrap().iter().map(|link| (&link["id"], &link["is_main"]));
    let seen: BTreeSet<_> = links.map(|(id, is_main)| (id.as_str().unwrap().to_owned(), is_main == true)).collect();
    let expected = rivals.iter().zip([true, false]).map(|(id, is_main)| (id.to_string(), is_main));
    assert_eq!(seen, expected.collect());
}

#[tokio::test]
async fn whatever_has_a_name_is_found_by_it() {
    let mut pool = Pool::new();
    let share = pool.share(&miner(1));
    let link = pool.link(&miner(2));
    let refused = pool.refused();
    let api = Api::of(pool).await;
    let found = async |words: String| -> Vec<String> {
        let answer = api.get(&format!("/search?q={words}")).await;
        let hits = answer["found"].as_array().unwrap().iter();
        hits.map(|hit| hit["path"].as_str().unwrap().to_owned()).collect()
    };
    let own = address(&miner(1));
    assert_eq!(found(own.clone()).await, [format!("/miners/{own}")]);
    assert_eq!(found(format!("%20{own}%0A")).await, [format!("/miners/{own}")], "as it is pasted");
    assert!(found(share.to_string()).await.contains(&format!("/shares/{share}")));
    assert!(found(link.to_string()).await.contains(&format!("/links/{link}")));
    assert_eq!(found(refused.to_string()).await, [format!("/shares/{refused}")]);
    assert!(found("1".into()).await.contains(&format!("/links/{link}")), "the link at height 1");
    let height = api.get("/blocks").await["blocks"][0]["height"].clone();
    assert!(found(height.to_string()).await.iter().any(|path| path.starts_with("/blocks/")));
    for nothing in ["00".repeat(32), "4000000".into(), "hello".into(), "%F0%9F%90%9F".into()] {
        assert_eq!(found(nothing.clone()).await, Vec::<String>::new(), "{nothing}");
    }
    assert!(api.refusal("/search", 400).await.contains("`q` in the query"));
    assert!(api.refusal("/search?q=1&q=2", 400).await.contains("once"));
}

#[tokio::test]
async fn the_event_log_says_why_a_share_was_refused_and_what_was_reorganised() {
    let mut pool = Pool::new();
    pool.share(&miner(1));
    let [new, old] = pool.rivals([&miner(1), &miner(2)]);
    pool.link(&miner(1));
    let refused = pool.refused();
    let api = Api::of(pool).await;
    let event_log = api.history.event_log();
    let why = Refused { id: refused.block_hash(), rule: "SC-210".into(), peer: Some("12D3Koo".into()) };
    let event = Event::new(EventKind::Refused, "a peer's share was refused");
    event_log.note(Event { refused: Some(why), ..event.at(format!("/shares/{refused}")) });
    let (old, new) = (old.block_hash(), new.block_hash());
    let reorganised = Reorganised { old, new, fork_height: 0, depth: 1, connected: 1 };
    let event = Event::new(EventKind::Reorganisation, "1 link gave way");
    event_log.note(Event { reorganised: Some(reorganised), ..event });

    let log = all(&api, "/log", "events").await;
    assert_eq!(log.iter().map(|event| event["kind"].clone()).collect::<Vec<_>>(), ["reorganisation", "refused"]);
    assert_eq!(log[1]["link_to"], json!(format!("/shares/{refused}")));
    let seen = all(&api, "/reorganisations", "reorganisations").await;
    assert_eq!((seen.len(), &seen[0]["depth"], &seen[0]["new_tip"]), (1, &json!(1), &json!(new.to_string())));
    // The link that left the main chain, and the share that it lists.
    assert_eq!(seen[0]["left"], json!({ "shares": 2, "listed": 2, "waiting": 0, "lost": 0 }));
    let share = api.get(&format!("/shares/{refused}")).await;
    assert_eq!((&share["fate"], &share["refusal"]["peer"]), (&json!("refused"), &json!("12D3Koo")));
    assert!(share["refusal"]["time_unix_s"].is_u64());
}

#[tokio::test]
async fn workers_and_addresses_of_peers_are_for_the_owner() {
    let api = Api::of(Pool::new()).await;
    let peer = |id: &str, address: &str| PeerView {
        id: id.into(),
        address: address.into(),
        inbound: false,
        agent: None,
        height: None,
        tip: None,
        bitcoin_height: None,
        points: 0,
        round_trip_ms: Some(7),
        since: std::time::Instant::now(),
    };
    let peers = [
        peer("a", "/ip4/203.0.113.7/tcp/3381"),
        peer("b", "/ip4/203.0.113.9/udp/3381/quic-v1"),
        peer("c", "/ip4/198.51.100.1/tcp/3381"),
        peer("d", "/ip4/192.168.1.4/tcp/3381"),
        peer("e", "/ip6/::1/tcp/3381"),
        peer("f", "/dns4/pool.example/tcp/3381"),
    ];
    api.peers.send_replace(std::sync::Arc::new(peers.into()));
    let text = api.text("/peers").await.1;
    assert!(!text.contains("203.0") && !text.contains("198.51"), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    let shown = answer["peers"].as_array().unwrap();
    let groups: Vec<_> = shown.iter().map(|peer| peer["group"].as_str().unwrap()).collect();
    let expected =
        ["IPv4 group 1", "IPv4 group 1", "IPv4 group 2", "local network", "this machine", "address not known"];
    assert_eq!(groups, expected);
    assert_eq!((&shown[1]["transport"], &shown[1]["latency_ms"]), (&json!("quic"), &json!(7)));

    let path = format!("/api/v1/miners/{}", address(&miner(1)));
    let token = api.token();
    let owner = [(token.0, token.1.as_str())];
    let with: Value = api.ask(&path, &owner).await.json().await.unwrap();
    let without: Value = api.ask(&path, &[]).await.json().await.unwrap();
    let wrong: Value = api.ask(&path, &[("authorization", "Bearer 0123")]).await.json().await.unwrap();
    assert_eq!((&with["workers"], &without["workers"], &wrong["workers"]), (&json!([]), &Value::Null, &Value::Null));
    let seen: Value = api.ask("/api/v1/peers", &owner).await.json().await.unwrap();
    assert_eq!(seen["peers"][0]["address"], json!("/ip4/203.0.113.7/tcp/3381"));
}

#[tokio::test]
async fn answers_are_tagged_compressed_and_not_for_other_sites() {
    let mut pool = Pool::new();
    for _ in 0..20 {
        pool.link(&miner(1));
    }
    let api = Api::of(pool).await;
    let first = api.ask("/api/v1/links", &[]).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    assert!(first.headers().get("access-control-allow-origin").is_none());
    let plain = first.bytes().await.unwrap();
    let again = api.ask("/api/v1/links", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    assert!(again.bytes().await.unwrap().is_empty());
    assert_eq!(api.ask("/api/v1/links", &[("if-none-match", "W/\"00\"")]).await.status().as_u16(), 200);
    let packed = api.ask("/api/v1/links", &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().len() * 2 < plain.len());
    let foreign = api.ask("/api/v1/links", &[("origin", "https://evil.example")]).await;
    assert!(foreign.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn every_page_is_the_application_and_may_load_nothing_from_elsewhere() {
    let api = Api::of(Pool::new()).await;
    for path in ["/", "/chain", "/miners/tb1q", "/links/00", "/search?q=1"] {
        let page = api.ask(path, &[]).await;
        assert_eq!(
            (page.status().as_u16(), &page.headers()["content-type"]),
            (200, &"text/html; charset=utf-8".parse().unwrap())
        );
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert!(page.headers().contains_key("etag"));
        let text = page.text().await.unwrap();
        assert!(
            text.starts_with("<!doctype html>") && !text.contains("http://") && !text.contains("https://"),
            "{path}"
        );
    }
    for path in ["/js/none.js", "/favicon.ico", "/../Cargo.toml", "/api/v2/status", "/api/v1/none"] {
        assert_eq!(api.ask(path, &[]).await.status().as_u16(), 404, "{path}");
    }
    let share = api.get(&format!("/shares/{}", ShareId([1; 32]))).await;
    assert_eq!(share["refusal"], Value::Null);
}
