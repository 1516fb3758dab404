//! A node with an archive: only what the node has forgotten comes from the archive.

use std::collections::BTreeSet;

use ::archive::{LocalServer, load};
use node::history::{Event, EventKind, Reorganised};
use serde_json::{Value, json};
use sharechain::{Height, ShareId};
use tempfile::TempDir;
use tokio_postgres::Client;

use crate::answers::address;
use crate::archived::record;
use crate::pool::{Pool, miner};
use crate::server::Api;

/// Oldest height that the node keeps.
const OLDEST: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_answers_from_its_archive_what_it_has_forgotten() {
    let mut pool = Pool::with_window(20);
    let mut shares = Vec::new();
    for number in 0..80_u8 {
        shares.push(pool.share(&miner(number % 5)));
        pool.link(&miner(number % 3));
    }
    let main: Vec<ShareId> = (1..=80).map(|height| pool.engine.chain().main_at(Height(height)).unwrap()).collect();
    let folder = TempDir::new().unwrap();
    let path = record(&mut pool, &folder, "one.jsonl");
    let mut server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
    let url = server.url().unwrap();
    load(&url, &path, 5_000, |_| {}).await.unwrap();
    pool.forget_below(OLDEST);
    let archive = url.clone();
    let api = Api::with(pool, None, move |config| config.archive = Some(archive)).await;
    let (old, young) = (main[9], main[70]);

    // The node answers from its own data if it has any, whatever the archive says. Otherwise it answers from the
    // archive, and says so.
    let client = url.connect().await.unwrap();
    client.batch_execute("update link set time = time - interval '1 year' where height > 60").await.unwrap();
    let own = api.get(&format!("/links/{young}")).await;
    assert_eq!((&own["source"], own["time_unix_s"].as_u64() > Some(1_700_000_000)), (&Value::Null, true));
    assert!(own["time_unix_s"].as_u64().unwrap() + 86_400 > api.get("/status").await["time_unix_s"].as_u64().unwrap());
    let from_archive = |answer: &Value| assert_eq!(answer["source"], "archive", "{answer}");
    for path in [format!("/links/{old}"), "/links/10".to_owned()] {
        let answer = api.get(&path).await;
        from_archive(&answer);
        assert_eq!((&answer["id"], &answer["height"]), (&json!(old.to_string()), &json!(10)));
    }
    let page = api.get("/links?limit=500").await;
    assert_eq!(page["next_from"], json!(OLDEST - 1), "the list goes on");
    let page = api.get(&format!("/links?from={}", OLDEST - 1)).await;
    from_archive(&page);
    assert_eq!(page["links"].as_array().unwrap().len(), OLDEST as usize, "down to genesis");
    let picture = api.get("/graph?to=30&links=20").await;
    from_archive(&picture);
    assert_eq!((&picture["to"], &picture["from_height"]), (&json!(30), &json!(11)));
    from_archive(&api.get("/search?q=10").await);
    let share = api.get(&format!("/shares/{}", shares[3])).await;
    if share["source"] == "archive" {
        assert_eq!(share["fate"], "listed");
    }
    assert_eq!(api.text(&format!("/links/{}", ShareId([9; 32]))).await.0, 404, "the archive does not know it either");
    assert_eq!(api.get("/status").await["source"], "node");

    let last = check_lists_of_address(&api, &shares).await;
    check_lists_of_pool(&api, &client).await;

    // The node still works when the archive is down.
    server.kill();
    drop(client);
    let away = api.refusal(&format!("/links/{old}"), 503).await;
    assert_eq!(away, "the archive cannot be read now; try again");
    assert_eq!(api.get(&format!("/shares/{}", ShareId([9; 32]))).await["fate"], "unknown");
    assert_eq!(api.get(&format!("/links/{young}")).await["height"], json!(71));
    assert_eq!(api.get("/status").await["height"], json!(80));
    let paid = format!("/miners/{}/payments?limit=500", address(&miner(0)));
    for path in [last.as_str(), &paid, "/blocks?limit=500", "/reorganisations", "/pool/history?limit=500"] {
        assert_eq!(api.get(path).await["next_from"], Value::Null, "{path}: the node's own list ends");
    }
}

/// All items of a list, with true for those from the archive.
async fn pages(api: &Api, list: &str, rows: &str, key: &str) -> Vec<(Value, bool)> {
    let (mut path, mut found) = (list.to_owned(), Vec::new());
    loop {
        let page = api.get(&path).await;
        let is_archived = page["source"] == "archive";
        found.extend(page[rows].as_array().unwrap().iter().map(|row| (row[key].clone(), is_archived)));
        let Some(next) = page["next_from"].as_u64() else { return found };
        path = format!("{list}&from={next}");
    }
}

/// Lists of blocks and of reorganizations, and the pool's history, go on in the archive.
async fn check_lists_of_pool(api: &Api, client: &Client) {
    client.batch_execute("update link set time = time + interval '1 year' where height > 60").await.unwrap();
    let before = pages(api, "/blocks?limit=30", "blocks", "hash").await;
    let older = "insert into block select time, value_sat, 0, finder, exact, decode(repeat('ab', 32), 'hex'), previous, snapshot, seed,
        coinbase, proof from block limit 1";
    client.batch_execute(older).await.unwrap();
    let blocks = pages(api, "/blocks?limit=30", "blocks", "hash").await;
    assert_eq!(blocks.last(), Some(&(json!("ab".repeat(32)), true)));
    assert_eq!((blocks.len(), blocks[0].1), (before.len() + 1, false));
    assert_eq!(api.get("/blocks?from=0").await["next_from"], Value::Null, "no page of the list");
    check_payments(api, client).await;

    let points = pages(api, "/pool/history?step=60&limit=1", "points", "time_unix_s").await;
    assert!(points.iter().any(|(_, is_archived)| *is_archived) && !points[0].1, "{points:?}");

    let tips = |byte: u8| ShareId([byte; 32]).block_hash();
    let noted =
        |reorganised| Event { reorganised: Some(reorganised), ..Event::new(EventKind::Reorganisation, "a change") };
    let (fork_height, depth, connected) = (3, 1, 2);
    let empty = pages(api, "/reorganisations?limit=1", "reorganisations", "old_tip").await;
    assert_eq!(empty, []);
    let rows = [(0x11, 0x22, 5), (0x33, 0x44, 5), (0x55, 0x66, 90)].map(|(old, new, ago)| {
        format!(
            "(date_trunc('second', now()) - interval '{ago} s', 3, 1, 2, decode(repeat('{old:x}', 32), 'hex'),
             decode(repeat('{new:x}', 32), 'hex'))"
        )
    });
    client.batch_execute(&format!("insert into reorganization values {}", rows.join(", "))).await.unwrap();
    let expected = |own: &[&str], archived: &[&str]| {
        let [own, archived] = [(own, false), (archived, true)]
            .map(|(bytes, is_archived)| bytes.iter().map(move |byte| (json!(byte.repeat(32)), is_archived)));
        own.chain(archived).collect::<Vec<_>>()
    };
    let list = async || pages(api, "/reorganisations?limit=1", "reorganisations", "old_tip").await;
    assert_eq!(list().await, expected(&[], &["11", "33", "55"]));
    let (old, new) = (tips(0x11), tips(0x22));
    api.history.event_log().note(noted(Reorganised { old, new, fork_height, depth, connected }));
    assert_eq!(list().await, expected(&["11"], &["33", "55"]), "behind the node's own, which the archive has too");
    let (old, new) = (tips(0x77), tips(0x88));
    api.history.event_log().note(noted(Reorganised { old, new, fork_height, depth, connected }));
    assert_eq!(list().await, expected(&["77", "11"], &["33", "55"]));
}

/// An address's payouts go on in the archive: the block at height 0, which the node does not know, pays it as well.
async fn check_payments(api: &Api, client: &Client) {
    let list = format!("/miners/{}/payments?limit=5", address(&miner(0)));
    let before = pages(api, &list, "payments", "block").await;
    assert!(before.len() > 5 && before.iter().all(|(_, is_archived)| !is_archived), "{before:?}");
    let older = "insert into payout select 7, script.number, 0, false, decode(repeat('ab', 32), 'hex') from script where script = $1";
    assert_eq!(client.execute(older, &[&miner(0).as_bytes()]).await.unwrap(), 1);
    let payments = pages(api, &list, "payments", "block").await;
    let (last, own) = payments.split_last().unwrap();
    assert_eq!((last, own), (&(json!("ab".repeat(32)), true), &before[..]));
    let last = pages(api, &list, "payments", "value_sat").await.pop();
    assert_eq!(last, Some((json!(7), true)));
}

/// Lists of an address go on in the archive, which marks its pages. Returns the path of the last page of the node's own shares.
async fn check_lists_of_address(api: &Api, shares: &[ShareId]) -> String {
    let base = format!("/miners/{}", address(&miner(0)));
    let mut last = String::new();
    for (list, rows, key) in [("history", "points", "time_unix_s"), ("shares", "shares", "id")] {
        // A step as short as the time between a few links.
        let list_of = format!("{base}/{list}?limit=5{}", if list == "history" { "&step=60" } else { "" });
        let (mut path, mut found, mut archived) = (list_of.clone(), BTreeSet::new(), 0);
        loop {
            let page = api.get(&path).await;
            found.extend(page[rows].as_array().unwrap().iter().map(|row| row[key].to_string()));
            match page["source"].as_str() {
                Some("archive") => archived += 1,
                _ => last.clone_from(&path),
            }
            let Some(next) = page["next_from"].as_u64() else { break };
            path = format!("{list_of}&from={next}");
        }
        assert!(archived > 0, "{list} goes on in the archive");
        if list == "shares" {
            let own = shares.iter().step_by(5).map(|id| format!("\"{id}\""));
            assert!(own.clone().count() == 16 && own.into_iter().all(|id| found.contains(&id)), "{found:?}");
        }
    }
    last
}
