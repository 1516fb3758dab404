//! An explorer that reads a real PostgreSQL: exactly the answers of a node.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::archive::{ArchiveError, LocalServer, load};
use node::api::explorer::{Explorer, check};
use node_core::export;
use serde_json::{Value, json};
use sharechain::{ChainParams, ShareId};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::answers::address;
use crate::config::config;
use crate::pool::{Pool, miner, params};
use crate::server::{Api, sentence};

/// Fields that only a node knows, or that node and explorer define differently: `next_from` refers to positions in
/// their own lists.
const OWN: [&str; 13] = [
    "next_from",
    "validated_unix_s",
    "extranonce",
    "bitcoind",
    "is_settled",
    "next_block",
    "effort",
    "luck_probability",
    "children_link_work_hashes",
    "left",
    "weights_pruned",
    "explorer_url",
    "shares_cut",
];

/// A server, an explorer that reads it, and ways to ask both.
pub(crate) struct Archived {
    folder: TempDir,
    pub(crate) server: LocalServer,
    pub(crate) address: SocketAddr,
    pub(crate) http: reqwest::Client,
}

pub(crate) fn record(pool: &mut Pool, folder: &TempDir, name: &str) -> std::path::PathBuf {
    let path = folder.path().join(name);
    let store = Arc::clone(&pool.store);
    let chain = pool.engine.chain_mut();
    let root = chain.bitcoin().root();
    export::write(&*store, chain, root, &[], None, File::create(&path).unwrap()).unwrap();
    path
}

async fn explorer(url: ::archive::ArchiveUrl, params: ChainParams) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = config(std::path::Path::new("/nonexistent"), address, 1_000);
    config.api.public = true;
    let explorer = Explorer { config: Arc::new(config), params, archive: url };
    tokio::spawn(explorer.serve(listener, std::future::pending()));
    address
}

impl Archived {
    pub(crate) async fn of(pool: &mut Pool) -> Self {
        let folder = TempDir::new().unwrap();
        let path = record(pool, &folder, "one.jsonl");
        let server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
        let loaded = load(&server.url().unwrap(), &path, 1_000, |_| {}).await.unwrap();
        assert_eq!(loaded.differences, 0);
        let address = explorer(server.url().unwrap(), params()).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let archived = Self { folder, server, address, http };
        archived.wait("/api/v1/status", 200).await;
        archived
    }

    pub(crate) async fn ask(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(&format!("/api/v1{path}")).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn wait(&self, path: &str, status: u16) {
        let began = Instant::now();
        while self.ask(path).await.status() != status {
            assert!(began.elapsed() < Duration::from_secs(20), "{path} does not become {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn same(&self, api: &Api, path: &str) {
        assert_eq!(common(self.get(path).await), common(api.get(path).await), "{path}");
    }
}

/// The fields that both must agree on.
fn common(answer: Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            Value::Object(fields.map(|(name, value)| (name, common(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(common).collect()),
        other => other,
    }
}

/// All items of a list as texts, regardless of their order.
fn sorted(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| common(row.clone()).to_string()).collect()
}

/// All pages of a list.
async fn all(archived: &Archived, path: &str, rows: &str) -> Vec<Value> {
    let (mut found, mut from) = (Vec::new(), String::new());
    loop {
        let page = archived.get(&format!("{path}?limit=3{from}")).await;
        found.extend(page[rows].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_from"].as_u64() else { return found };
        from = format!("&from={next}");
    }
}

/// A pool with everything that an archive can have: shared payouts, a branch that lost, and unlisted shares.
pub(crate) fn pool() -> (Pool, Vec<ShareId>) {
    let mut pool = Pool::new();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(pool.share(&miner(number % 3)));
        ids.push(pool.link(&miner(number % 2)));
    }
    ids.extend(pool.rivals([&miner(0), &miner(1)]));
    ids.push(pool.block(&miner(2)));
    ids.push(pool.link(&miner(1)));
    ids.push(pool.share(&miner(2)));
    (pool, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explorer_answers_from_an_archive_as_a_node_does() {
    let (mut pool, ids) = pool();
    let archived = Archived::of(&mut pool).await;
    let api = Api::of(pool).await;
    let status = archived.get("/status").await;
    assert_eq!(status["source"], "archive");
    for field in ["tip", "height", "consensus_id", "network", "pool", "outputs_max"] {
        assert_eq!(status[field], api.get("/status").await[field], "{field}");
    }
    for path in ["/links?limit=500", "/links/0", "/window", "/counts", "/graph?links=200", "/graph?links=3&to=9"] {
        archived.same(&api, path).await;
    }
    for id in &ids {
        for path in [format!("/links/{id}"), format!("/search?q={id}"), format!("/search?q={}", &id.to_string()[56..])]
        {
            if api.text(&path).await.0 == 200 {
                archived.same(&api, &path).await;
            }
        }
        let (own, nodes) = (archived.get(&format!("/shares/{id}")).await, api.get(&format!("/shares/{id}")).await);
        for field in ["fate", "link", "link_height"] {
            assert_eq!(own[field], nodes[field], "{field} of {id}");
        }
        for field in ["address", "parent", "anchor", "time_unix_s", "bitcoin_height", "coinbase_value_sat", "weight"] {
            // Links earn more than shares. A node shows that part separately.
            if field != "weight" || own["fate"] != "link" {
                assert_eq!(own["share"][field], nodes["share"][field], "{field} of {id}");
            }
        }
    }
    same_blocks(&archived, &api).await;
    same_miners(&archived, &api).await;
    let (pool, nodes) = (archived.get("/pool").await, api.get("/pool").await);
    assert_eq!(pool["window"], nodes["window"]);
    assert_eq!(pool["decentralisation"]["top"], nodes["decentralisation"]["top"]);
    assert_eq!(pool["decentralisation"]["template_makers"], nodes["decentralisation"]["template_makers"]);
    assert_eq!(pool["round"]["since_block"], nodes["round"]["since_block"]);
}

async fn same_blocks(archived: &Archived, api: &Api) {
    let (blocks, nodes) = (all(archived, "/blocks", "blocks").await, api.get("/blocks?limit=500").await);
    assert_eq!(sorted(&blocks), sorted(nodes["blocks"].as_array().unwrap()));
    let mut shared = 0;
    for block in &blocks {
        let hash = block["hash"].as_str().unwrap();
        let detail = format!("/blocks/{hash}");
        let (own, nodes) = (archived.get(&detail).await, api.get(&detail).await);
        for field in ["height", "outputs", "snapshot", "seed", "coinbase_hex", "header_hex", "merkle_branch"] {
            assert_eq!(own[field], nodes[field], "{field} of {hash}");
        }
        let proof = format!("/blocks/{hash}/proof?address={}", address(&miner(0)));
        if api.text(&proof).await.0 != 200 {
            assert_eq!(archived.ask(&format!("/api/v1{proof}")).await.status(), 404);
            continue;
        }
        archived.same(api, &proof).await;
        assert_eq!(own["snapshot_listed_total"], nodes["snapshot_listed_total"], "{hash}");
        if block["outputs_count"].as_u64() > Some(1) {
            // The window for payout proofs no longer has the numbers of shares.
            let weights = |of: &Value| {
                let rows = of["weights"].as_array().unwrap().iter();
                rows.map(|row| (row["script"].clone(), row["weight"].clone())).collect::<Vec<_>>()
            };
            assert_eq!(weights(&own), weights(&nodes), "{hash}");
            shared += 1;
        }
    }
    assert!(shared > 2, "{shared} blocks pay several");
}

async fn same_miners(archived: &Archived, api: &Api) {
    let mut finder_alone = BTreeSet::new();
    for number in 0..4 {
        let miner = format!("/miners/{}", address(&miner(number)));
        let (own, nodes) = (archived.get(&miner).await, api.get(&miner).await);
        for field in ["script", "address", "window", "pending_shares", "pending_weight"] {
            assert_eq!(own[field], nodes[field], "{field} of {miner}");
        }
        let shares = all(archived, &format!("{miner}/shares"), "shares").await;
        let nodes = api.get(&format!("{miner}/shares?limit=500")).await;
        assert_eq!(sorted(&shares), sorted(nodes["shares"].as_array().unwrap()), "{miner}");
        assert_eq!(shares.len(), nodes["shares"].as_array().unwrap().len(), "nothing twice");
        let paid = all(archived, &format!("{miner}/payments"), "payments").await;
        let nodes = api.get(&format!("{miner}/payments?limit=500")).await;
        assert_eq!(sorted(&paid), sorted(nodes["payments"].as_array().unwrap()), "{miner}");
        finder_alone.extend(paid.iter().map(|payment| payment["finder_alone"].as_bool().unwrap()));
        for step in [60, 86_400] {
            let points = archived.get(&format!("{miner}/history?step={step}")).await;
            let nodes = api.get(&format!("{miner}/history?step={step}")).await;
            assert_eq!(points["points"].as_array().unwrap().len(), nodes["points"].as_array().unwrap().len());
            for field in ["shares", "links", "miners", "time_unix_s"] {
                assert_eq!(points["points"][0][field], nodes["points"][0][field], "{field} of {miner}");
            }
        }
    }
    assert_eq!(finder_alone.len(), 2, "the first blocks pay their finders alone, later ones do not");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explorer_outlives_its_database_and_tells_what_comes() {
    let (mut pool, _) = pool();
    let mut archived = Archived::of(&mut pool).await;
    let tip = archived.get("/status").await["tip"].clone();

    // The database stops and comes back. Meanwhile, routes that need it say so, and others keep their answers.
    archived.server.kill();
    let path = format!("/api/v1/shares/{}", "ab".repeat(32));
    archived.wait(&path, 503).await;
    let away = archived.ask(&path).await;
    assert_eq!(away.headers()["retry-after"], "1");
    assert_eq!(sentence(&away.text().await.unwrap()), "the archive cannot be read now; try again");
    assert_eq!(archived.ask("/ready").await.status(), 503);
    assert_eq!(archived.get("/status").await["tip"], tip);
    archived.server.start().unwrap();
    archived.wait(&path, 200).await;
    archived.wait("/ready", 200).await;

    // A reader learns of new links through NOTIFY.
    let mut events = archived.ask("/api/v1/events").await;
    let share = pool.share(&miner(1));
    let link = pool.link(&miner(0));
    let longer = record(&mut pool, &archived.folder, "two.jsonl");
    let mut heard = String::new();
    let listening = async {
        while !(heard.contains("event: tip") && heard.contains(&link.to_string())) {
            heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
        }
    };
    let loading = async {
        // The explorer listens again after the restart.
        tokio::time::sleep(Duration::from_secs(2)).await;
        load(&archived.server.url().unwrap(), &longer, 1_000, |_| {}).await.unwrap();
        let began = Instant::now();
        tokio::time::timeout(Duration::from_secs(8), std::future::pending::<()>()).await.unwrap_err();
        began.elapsed()
    };
    tokio::select! {
        () = listening => {}
        waited = loading => panic!("no event after {waited:?}"),
    }
    assert!(heard.contains("event: share") && heard.contains(&share.to_string()), "{heard}");
    assert_eq!(archived.get("/status").await["tip"], json!(link.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_into_an_archive_through_an_explorer() {
    let (mut pool, ids) = pool();
    let archived = Archived::of(&mut pool).await;
    for path in [
        "/shares/'; drop table share; --",
        "/shares/%27%3B%20drop%20table%20share%3B%20--",
        "/links/1 or 1=1",
        "/links/99999999999",
        "/links/-1",
        "/blocks/0x10",
        "/blocks/18446744073709551616",
        "/miners/' or ''='",
        "/miners/%00",
        "/miners/x/shares",
        "/miners/x/payments",
        "/miners/x/history",
        "/blocks?limit=0",
        "/blocks?limit=1%3Bdelete%20from%20share",
        "/blocks?from=-1",
        "/pool/history?step=61",
        "/graph?links=201",
        "/window?where=1",
        "/search",
    ] {
        let answer = archived.ask(&format!("/api/v1{path}")).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 400, "{path}: {text}");
        assert!(!sentence(&text).is_empty());
    }
    // Numbers beyond all items give the end of a list, or an empty one.
    let (huge, large) = (u64::MAX, u32::MAX);
    for path in ["links", "blocks", "reorganisations", "window"] {
        assert_eq!(archived.ask(&format!("/api/v1/{path}?from={huge}")).await.status(), 200, "{path}");
    }
    assert_eq!(archived.ask(&format!("/api/v1/pool/history?from={huge}&step=86400&limit=500")).await.status(), 200);
    assert_eq!(archived.ask(&format!("/api/v1/links/{large}")).await.status(), 404);
    assert_eq!(archived.ask(&format!("/api/v1/blocks/{large}")).await.status(), 404);
    for (path, what) in [("peers", "peers"), ("job", "job"), ("mining", "miners"), ("log", "event log")] {
        let answer = archived.ask(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status(), 404);
        let text = sentence(&answer.text().await.unwrap());
        assert_eq!(text, format!("this is an explorer, which has no {what}; ask a node"));
    }
    // Everything is still there, and the database lets the explorer write nothing.
    let url = archived.server.url().unwrap();
    let client = url.connect().await.unwrap();
    let rows: i64 = client.query_one("select count(*) from share", &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(rows).unwrap(), ids.len());

    // Caches keep answers that no longer change for a day, and others for seconds.
    let cached = async |path: &str| {
        let answer = archived.ask(path).await;
        assert!(answer.headers().contains_key("etag"), "{path}");
        answer.headers()["cache-control"].to_str().unwrap().to_owned()
    };
    assert!(cached("/api/v1/links?limit=1").await.starts_with("public, max-age=5"));
    assert!(cached("/").await.starts_with("public"), "pages are there, too");

    // The explorer refuses the archives of another pool and of another version, and says why.
    let other = check(&url, &ChainParams::main()).await.unwrap_err();
    assert!(matches!(other, ArchiveError::ReadOther { .. }) && other.to_string().contains("api tests"), "{other}");
    client.batch_execute("insert into refinery_schema_history values (99, 'x', 'x', 'x')").await.unwrap();
    let newer = check(&url, &params()).await.unwrap_err();
    assert!(matches!(newer, ArchiveError::Version { found: 99, .. }), "{newer}");
}
