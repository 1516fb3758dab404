//! Answers of a node that has pruned what a client asks for: a clear sentence on every route, never an internal error.

use serde_json::{Value, json};
use sharechain::{Height, ShareId};

use crate::answers::address;
use crate::pool::{Pool, miner};
use crate::server::Api;

/// Oldest height that the node keeps.
const OLDEST: u32 = 60;

struct Pruned {
    api: Api,
    /// Pruned links.
    gone: Vec<ShareId>,
    /// Kept links.
    kept: Vec<ShareId>,
}

async fn pruned() -> Pruned {
    let mut pool = Pool::with_window(20);
    for number in 0..100_u8 {
        pool.share(&miner(number % 5));
        pool.link(&miner(number % 3));
    }
    let main: Vec<_> = (1..=100).map(|height| pool.engine.chain().main_at(Height(height)).unwrap()).collect();
    pool.forget_below(OLDEST);
    let (gone, kept) = main.split_at(OLDEST as usize - 1);
    Pruned { gone: gone.to_vec(), kept: kept.to_vec(), api: Api::of(pool).await }
}

fn says_so(sentence: &str) {
    assert!(sentence.contains("is pruned: this node keeps links from height 60"), "{sentence}");
    assert!(sentence.contains("keep = \"all\""), "{sentence}");
}

#[tokio::test]
async fn links_below_the_oldest_are_gone_and_lists_end_there() {
    let Pruned { api, gone, kept } = pruned().await;
    let page = api.get("/links?limit=500").await;
    assert_eq!((page["links"].as_array().unwrap().len(), &page["next_from"]), (kept.len(), &Value::Null));
    assert_eq!(page["oldest_height"], json!(OLDEST));
    let first = api.get("/links?limit=10").await;
    assert_eq!(first["next_from"], json!(90));
    says_so(&api.refusal("/links?from=59", 410).await);
    assert_eq!(api.get("/links?from=60").await["links"].as_array().unwrap().len(), 1);

    // The node still knows of each Bitcoin block that it was a link.
    let (blocks, _) = (api.get("/blocks?limit=500").await, ());
    let is_block =
        |id: &&ShareId| blocks["blocks"].as_array().unwrap().iter().any(|block| block["hash"] == json!(id.to_string()));
    let block = gone.iter().find(is_block).unwrap();
    says_so(&api.refusal(&format!("/links/{block}"), 410).await);
    let unknown = api.refusal(&format!("/links/{}", ShareId([9; 32])), 404).await;
    assert!(unknown.contains("keeps links from height 60") && unknown.contains("may be pruned"), "{unknown}");
    assert_eq!(api.get(&format!("/links/{}", kept[0])).await["height"], json!(OLDEST));

    let picture = api.get("/graph?links=200").await;
    assert_eq!((&picture["from_height"], &picture["next_from"]), (&json!(OLDEST), &Value::Null));
    assert_eq!(picture["oldest_height"], json!(OLDEST));
    says_so(&api.refusal("/graph?to=59", 410).await);
}

#[tokio::test]
async fn a_block_below_the_oldest_link_has_its_payouts_and_weights() {
    let Pruned { api, gone, kept } = pruned().await;
    let blocks = api.get("/blocks?limit=500").await;
    let blocks: Vec<_> = blocks["blocks"].as_array().unwrap().iter().map(|block| block["hash"].clone()).collect();
    let hash =
        |ids: &[ShareId]| ids.iter().rev().map(|id| json!(id.to_string())).find(|id| blocks.contains(id)).unwrap();
    let old = api.get(&format!("/blocks/{}", hash(&gone).as_str().unwrap())).await;
    // The windows that the node keeps for payout proofs have the weights.
    assert_eq!(old["weights_pruned"], Value::Null);
    assert!(!old["weights"].as_array().unwrap().is_empty() && old["snapshot_listed_total"].as_u64().unwrap() > 0);
    assert!(!old["outputs"].as_array().unwrap().is_empty() && old["confirmations"].as_u64().unwrap() > 0);
    let new = api.get(&format!("/blocks/{}", hash(&kept).as_str().unwrap())).await;
    assert_eq!(new["weights_pruned"], Value::Null);
    assert!(!new["weights"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_share_and_a_search_below_the_oldest_link_say_so() {
    let Pruned { api, gone, .. } = pruned().await;
    let share = api.get(&format!("/shares/{}", gone[0])).await;
    assert_eq!(share["fate"], json!("pruned"));
    says_so(share["explanation"].as_str().unwrap());
    let unknown = api.get(&format!("/shares/{}", ShareId([9; 32]))).await;
    assert_eq!(unknown["fate"], json!("unknown"));
    assert!(unknown["explanation"].as_str().unwrap().contains("from height 60"), "{unknown}");
    says_so(api.get("/search?q=59").await["pruned"].as_str().unwrap());
    assert_eq!(api.get("/search?q=60").await["pruned"], Value::Null);
}

#[tokio::test]
async fn every_other_route_of_a_pruned_node_answers_and_says_from_when_on() {
    let Pruned { api, .. } = pruned().await;
    let miner = format!("/miners/{}", address(&miner(1)));
    for path in ["/status", "/pool", "/window", "/peers", "/log", "/reorganisations", "/blocks", &miner] {
        api.get(path).await;
    }
    assert_eq!(api.text("/metrics").await.0, 200);
    assert!(!api.get(&format!("{miner}/payments")).await["payments"].as_array().unwrap().is_empty());
    // It started from rows of its peers, so its own history begins there.
    let since = api.get("/links?limit=1").await["links"][0]["time_unix_s"].clone();
    assert!(since.is_u64());
    for path in [format!("{miner}/shares"), format!("{miner}/history"), "/pool/history".to_owned()] {
        assert_eq!(api.get(&path).await["since_unix_s"], since, "{path}");
    }
}
