//! A node that serves the public: no data about workers, answers that caches may keep, counts, a feed and a badge.

use std::time::Duration;

use node::api::limits::{LIVE_READERS_MAX, LIVE_READERS_PER_HOST_MAX};
use serde_json::{Value, json};

use crate::pool::{Pool, miner};
use crate::server::Api;

async fn public() -> Api {
    let mut pool = Pool::new();
    for number in 0..6 {
        pool.link(&miner(number % 2));
    }
    pool.block(&miner(0));
    Api::with(pool, None, |config| {
        config.api.public = true;
        config.api.explorer = Some("https://explorer.example/block/{hash}".to_owned());
    })
    .await
}

#[tokio::test]
async fn a_public_node_shows_no_workers_even_with_the_token() {
    let api = public().await;
    let (name, token) = api.token();
    let address = crate::answers::address(&miner(0));
    let miner: Value = api.ask(&format!("/api/v1/miners/{address}"), &[(name, &token)]).await.json().await.unwrap();
    assert_eq!((&miner["workers"], &miner["devices"]), (&Value::Null, &Value::Null));
    let refused = api.ask("/api/v1/devices", &[(name, &token)]).await;
    assert_eq!(refused.status().as_u16(), 401);
    assert!(refused.text().await.unwrap().contains("not even with the token"));
    let status: Value = api.ask("/api/v1/status", &[]).await.json().await.unwrap();
    assert_eq!(status["public"], true, "so that its pages do not ask for the token");
    let metrics = api.ask("/metrics", &[(name, &token)]).await.text().await.unwrap();
    assert!(!metrics.contains("shoal_worker"), "{metrics}");
    std::fs::write(api.folder().join("pairing-code"), "c0de 4000000000\n").unwrap();
    let asked = reqwest::Client::new().post(format!("http://{}/api/v1/pair", api.address));
    assert_eq!(asked.header("shoal-pairing-code", "c0de").send().await.unwrap().status().as_u16(), 401);
}

#[tokio::test]
async fn caches_may_keep_what_is_the_same_for_everyone() {
    let api = public().await;
    let (name, token) = api.token();
    let cache = async |path: &str, headers: &[(&str, &str)]| {
        let answer = api.ask(path, headers).await;
        answer.headers()["cache-control"].to_str().unwrap().to_owned()
    };
    for path in ["/api/v1/pool", "/api/v1/blocks", "/api/v1/badge.svg", "/api/v1/blocks.atom"] {
        assert_eq!(cache(path, &[]).await, "public, max-age=5, stale-while-revalidate=30", "{path}");
    }
    let owners = cache("/api/v1/peers", &[(name, &token)]).await;
    assert_eq!(owners, "private, no-cache", "the owner's browser alone keeps it, and asks whether it is still right");
    for path in ["/metrics", "/health", "/ready", "/api/v1/blocks/9"] {
        assert!(!cache(path, &[]).await.contains("public"), "{path}");
    }
    let private = Api::of(Pool::new()).await;
    let alone = private.ask("/api/v1/pool", &[]).await;
    assert_eq!(alone.headers()["cache-control"], "private, no-cache");
}

#[tokio::test]
async fn browsers_keep_the_files_of_a_build_and_ask_for_its_page() {
    for (api, page_kept) in [
        (Api::of(Pool::new()).await, "private, no-cache"),
        (public().await, "public, max-age=5, stale-while-revalidate=30"),
    ] {
        let cache = async |path: &str| {
            let answer = api.ask(path, &[]).await;
            (answer.headers()["cache-control"].to_str().unwrap().to_owned(), answer.bytes().await.unwrap())
        };
        let (kept, page) = cache("/").await;
        assert_eq!(kept, page_kept);
        let page = std::str::from_utf8(&page).unwrap();
        let files: Vec<&str> = page.split('"').filter(|path| path.starts_with("/@")).collect();
        assert!(files.len() > 5 && !page.contains("\"/js/") && !page.contains("\"/joined/"), "{page}");
        for file in files {
            let (kept, bytes) = cache(file).await;
            assert_eq!(kept, "public, max-age=31536000, immutable", "{file}");
            let name = file.trim_start_matches('/').split_once('/').unwrap().1;
            assert_eq!(cache(&format!("/{name}")).await, (page_kept.to_owned(), bytes), "{name}");
        }
        let (kept, _) = cache("/@0123456789abcdef/js/main.js").await;
        assert_eq!(kept, page_kept, "a page of another build finds its files, and asks the next time");
        assert_eq!(api.ask("/@0123456789abcdef/chain", &[]).await.status().as_u16(), 404);
    }
}

/// Otherwise a browser finds a module only in the one that imports it, file after file.
#[tokio::test]
async fn each_page_asks_for_all_its_modules_at_once_and_for_no_other() {
    let api = Api::of(Pool::new()).await;
    for (path, own, other) in [
        ("/", "parts/feed", "pages/miner"),
        ("/miners/tb1q", "parts/position_strip", "pages/home"),
        ("/blocks/00", "proof/verify", "pages/blocks"),
        ("/blocks", "pages/blocks", "proof/verify"),
        ("/no/page", "pages/missing", "pages/home"),
    ] {
        let page = api.ask(path, &[]).await.text().await.unwrap();
        let preloaded: Vec<&str> = page.lines().filter(|line| line.contains("modulepreload")).collect();
        let preloaded: Vec<&str> = preloaded.iter().filter_map(|line| line.split('"').nth(3)).collect();
        assert!(preloaded.len() < 8 && page.contains("<script type=\"module\""), "{page}");
        let mut modules = Vec::new();
        for file in &preloaded {
            let answer = api.ask(file, &[]).await;
            assert_eq!(answer.status().as_u16(), 200, "{path}: {file}");
            let text = answer.text().await.unwrap();
            assert!(file.contains("/vendor/") || !text.lines().any(|line| line.starts_with("export {")), "{file}");
            modules.extend(text.split("\n$define(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            // A library that a module imports has a file of its own, which is asked for as well.
            for library in text.split(" from \"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let name = library.trim_start_matches("../");
                assert!(file.contains("/vendor/") || preloaded.iter().any(|file| file.ends_with(name)), "{library}");
            }
        }
        let has = |module: &str| modules.iter().any(|path| *path == format!("js/{module}.js"));
        assert!(has(own) && has("parts/bits") && has("api") && !has(other), "{path}: {modules:?}");
        modules.sort_unstable();
        assert!(modules.windows(2).all(|pair| pair[0] != pair[1]), "{path}: {modules:?}");
    }
}

#[tokio::test]
async fn blocks_are_counted_fed_and_linked_to_an_explorer() {
    let api = public().await;
    let blocks = api.get("/blocks?limit=500").await["blocks"].as_array().unwrap().clone();
    let counts = api.get("/counts").await;
    let value: u64 = blocks.iter().map(|block| block["value_sat"].as_u64().unwrap()).sum();
    assert_eq!(counts["all"], json!({ "blocks": blocks.len(), "value_sat": value }));
    assert_eq!(api.get("/counts").await, counts, "the second answer reads nothing new");
    assert!(counts["day"]["blocks"].as_u64() <= counts["week"]["blocks"].as_u64());
    let feed = api.ask("/api/v1/blocks.atom", &[]).await;
    assert_eq!(feed.headers()["content-type"], "application/atom+xml");
    let feed = feed.text().await.unwrap();
    assert_eq!(feed.matches("<entry>").count(), blocks.len().min(50), "{feed}");
    for block in &blocks {
        let hash = block["hash"].as_str().unwrap();
        assert!(feed.contains(&format!("href=\"http://{}/blocks/{hash}\"", api.address)), "{feed}");
        let count = block["outputs_count"].as_u64().unwrap();
        let to = if count == 1 { "to one address.".to_owned() } else { format!("to {count} addresses.") };
        assert!(feed.contains(&to), "{to}: {feed}");
        assert_eq!(block["explorer_url"], json!(format!("https://explorer.example/block/{hash}")));
    }
    let badge = api.ask("/api/v1/badge.svg", &[]).await;
    assert_eq!(badge.headers()["content-type"], "image/svg+xml");
    let badge = badge.text().await.unwrap();
    assert!(badge.starts_with("<svg") && badge.contains("H/s</text>"), "{badge}");
}

/// A proxy has one address, and a connection for each of its clients' streams.
#[tokio::test]
async fn event_streams_of_one_client_behind_a_proxy_leave_room_for_others() {
    let api = Api::with(Pool::new(), None, |config| {
        config.api.public = true;
        config.api.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let ask = async |path: &str, client: &str| api.ask(path, &[("x-forwarded-for", client)]).await;
    let mut streams = Vec::new();
    for _ in 0..LIVE_READERS_PER_HOST_MAX {
        streams.push(ask("/api/v1/events", "192.0.2.1").await);
    }
    assert_eq!(ask("/api/v1/events", "192.0.2.1").await.status(), 503);
    assert_eq!(ask("/api/v1/pool", "192.0.2.1").await.status(), 200, "a browser without a stream polls");
    for number in LIVE_READERS_PER_HOST_MAX..LIVE_READERS_MAX {
        streams.push(ask("/api/v1/events", &format!("198.51.100.{number}")).await);
    }
    assert!(streams.iter().all(|stream| stream.status() == 200));
    assert_eq!(
        ask("/api/v1/events", "203.0.113.1").await.status(),
        503,
        "all clients together have half of the connections"
    );
    assert_eq!(ask("/api/v1/pool", "203.0.113.1").await.status(), 200);
    // A closed stream frees its slot.
    streams.clear();
    while ask("/api/v1/events", "192.0.2.1").await.status() != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
