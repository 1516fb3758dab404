//! What a miner looks at first: pay and hashrate. Also addresses as people paste them, and ids as pages show them.

use node::clock::now;
use serde_json::{Value, json};

use crate::answers::address;
use crate::pool::{Pool, miner};
use crate::server::Api;

fn near(found: &Value, wanted: f64) {
    let found = found.as_f64().unwrap();
    assert!((found / wanted - 1.0).abs() < 0.02, "{found} instead of {wanted}");
}

/// The hashrate is over the time since the first share, neither over whole steps nor over the hours before it.
#[tokio::test]
async fn a_hashrate_is_work_over_the_time_that_was_observed() {
    let mut pool = Pool::new();
    for number in 0..40 {
        pool.share(&miner(number % 2));
        pool.link(&miner(2));
    }
    let api = Api::of(pool).await;
    let found = api.get(&format!("/miners/{}", address(&miner(1)))).await;
    let shares = api.get(&format!("/miners/{}/shares?limit=500", address(&miner(1)))).await;
    let shares = shares["shares"].as_array().unwrap();
    let first = shares.iter().map(|share| share["time_unix_s"].as_u64().unwrap()).min().unwrap();
    let hashes = shares.iter().map(|share| share["work_hashes"].as_str().unwrap().parse::<f64>().unwrap());
    // The time before the first share is unknown, so the work of that share says nothing about the hashrate.
    let (sum, least) = (hashes.clone().sum::<f64>(), hashes.fold(f64::MAX, f64::min));
    near(&found["hashrate_day_hs"], (sum - least) / (u64::from(now().0) - first) as f64);
    assert_eq!(found["hashrate_hour_hs"], json!(0.0), "the shares are two hours old");
    let nobody = api.get(&format!("/miners/{}", address(&miner(9)))).await;
    assert_eq!((&nobody["hashrate_hour_hs"], &nobody["hashrate_day_hs"]), (&Value::Null, &Value::Null));
    assert_eq!(nobody["last_submit_unix_s"], Value::Null);
}

#[tokio::test]
async fn pay_a_day_and_how_often_follow_from_the_next_block() {
    let mut pool = Pool::new();
    for number in 0..24 {
        pool.share(&miner(number % 3));
        pool.link(&miner(number % 2));
    }
    let api = Api::of(pool).await;
    let found = api.get(&format!("/miners/{}", address(&miner(1)))).await;
    let block_s = api.get("/pool").await["expected_block_s"].as_f64().unwrap();
    let (pay, expected) = (&found["pay"], found["next_block"]["expected_sat"].as_f64().unwrap());
    near(&pay["day_sat"], expected * 86_400.0 / block_s);
    let probability = pay["block_probability"].as_f64().unwrap();
    near(&pay["every_s"], block_s / probability);
    near(&pay["payout_sat"], expected / probability);
    assert!(pay["month_probability"].as_f64().unwrap() <= pay["year_probability"].as_f64().unwrap());
    let nobody = api.get(&format!("/miners/{}", address(&miner(9)))).await;
    assert_eq!((&nobody["pay"]["day_sat"], &nobody["pay"]["every_s"]), (&json!(0.0), &Value::Null));
}

#[tokio::test]
async fn an_address_is_found_in_a_user_name_in_capitals_and_between_spaces() {
    let api = Api::of(Pool::new()).await;
    let known = address(&miner(1));
    let capital = format!("T{}", &known[1..]);
    for text in [format!("{known}.rig1"), known.to_uppercase(), capital, format!("%20{known}%20")] {
        assert_eq!(api.get(&format!("/miners/{text}")).await["address"], json!(known), "{text}");
        let found = api.get(&format!("/search?q={text}")).await;
        assert_eq!(found["found"][0]["path"], json!(format!("/miners/{known}")), "{text}");
    }
    let typo = api.refusal(&format!("/miners/{}x", &known[..known.len() - 1]), 400).await;
    assert!(typo.contains("a character is wrong, missing or added"), "{typo}");
}

#[tokio::test]
async fn heights_and_short_ids_lead_where_pages_show_them() {
    let mut pool = Pool::new();
    let ids: Vec<_> = (0..12).map(|number| pool.link(&miner(number % 3)).to_string()).collect();
    let api = Api::of(pool).await;
    let block = api.get("/blocks?limit=1").await["blocks"][0].clone();
    let by_height = api.get(&format!("/blocks/{}", block["height"])).await;
    assert_eq!(by_height["hash"], block["hash"]);
    assert_eq!(api.get("/links/5").await["id"], json!(ids[4]));
    assert!(api.refusal("/links/99", 404).await.contains("the link at height 99"));
    assert!(api.refusal("/blocks/99", 404).await.contains("block of the pool at height 99"));
    for digits in [6, 9, 10] {
        let end = &ids[7][64 - digits..];
        for query in [end.to_owned(), end.to_uppercase(), format!("%E2%80%A6{end}")] {
            let found = api.get(&format!("/search?q={query}")).await;
            let paths: Vec<_> =
                found["found"].as_array().unwrap().iter().map(|hit| hit["path"].as_str().unwrap()).collect();
            assert!(paths.contains(&format!("/links/{}", ids[7]).as_str()), "{query}: {paths:?}");
        }
    }
    let known = address(&miner(1));
    let short = format!("{}%E2%80%A6{}", &known[..9], &known[known.len() - 6..]);
    assert_eq!(api.get(&format!("/search?q={short}")).await["found"][0]["path"], json!(format!("/miners/{known}")));
}

#[tokio::test]
async fn what_to_enter_in_a_miner_is_what_the_node_is_configured_to() {
    let api = Api::with(Pool::new(), None, |config| config.stratum.listen = "127.0.0.1:4567".parse().unwrap()).await;
    let mining = api.get("/mining").await;
    assert_eq!(mining["urls"][0]["url"], json!("stratum+tcp://127.0.0.1:4567"));
    assert_eq!((&mining["port"], &mining["this_machine_only"]), (&json!(4567), &json!(true)));
    assert_eq!(mining["v2_urls"], json!([]));
    let everywhere =
        Api::with(Pool::new(), None, |config| config.stratum.listen = "0.0.0.0:4568".parse().unwrap()).await;
    let mining = everywhere.get("/mining").await;
    assert_eq!(mining["this_machine_only"], json!(false));
    // A client from the Internet, through a proxy, must not get addresses of the local network.
    let public = Api::with(Pool::new(), None, |config| {
        config.stratum.listen = "0.0.0.0:4569".parse().unwrap();
        config.api.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    });
    let answer = public.await.ask("/api/v1/mining", &[("x-forwarded-for", "8.8.8.8")]).await.text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    for private in ["//10.", "//172.", "//192.168.", "//127."] {
        assert!(!answer["urls"].to_string().contains(private), "{answer}");
    }
    for url in mining["urls"].as_array().unwrap() {
        assert!(url["url"].as_str().unwrap().ends_with(":4568") && url["qr_size"].as_u64().unwrap() >= 21, "{url}");
    }
}

#[tokio::test]
async fn the_job_says_whom_the_block_being_mined_pays_and_by_which_rule() {
    let mut pool = Pool::new();
    for number in 0..24 {
        pool.share(&miner(number % 3));
        pool.link(&miner(number % 2));
    }
    let api = Api::of(pool).await;
    let job = api.get("/job").await;
    let next = api.get("/window").await["next_block"].clone();
    assert_eq!((&job["value_sat"], &job["work"]), (&next["value_sat"], &json!("none")));
    assert_eq!((&job["fees_sat"], &job["transactions"], &job["coinbases"]), (&Value::Null, &Value::Null, &json!([])));
    let outputs = job["outputs"].as_array().unwrap();
    let paid: u64 = outputs.iter().map(|output| output["value_sat"].as_u64().unwrap()).sum();
    assert_eq!(json!(paid), job["value_sat"], "all of it is paid out");
    for output in outputs {
        let expected = api.get(&format!("/miners/{}", output["address"].as_str().unwrap())).await;
        let class = if expected["next_block"]["exact"] == json!(true) { "proportional" } else { "lottery" };
        assert_eq!((&output["value_sat"], &output["class"]), (&expected["next_block"]["drawn_sat"], &json!(class)));
    }
    assert!(outputs.len() > 1 && job["finder_alone"] == json!(false), "{job}");
}

/// A page of another site cannot send the header, and a used code from a log or a browser's history is useless.
#[tokio::test]
async fn a_pairing_code_gives_the_token_once() {
    let api = Api::of(Pool::new()).await;
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 600;
    let file = api.folder().join("pairing-code");
    std::fs::write(&file, format!("c0de {soon}\n")).unwrap();
    let ask = async |code: &str| {
        let request = reqwest::Client::new().post(format!("http://{}/api/v1/pair", api.address));
        let answer = request.header("shoal-pairing-code", code).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask("guess").await.0, 401);
    let (status, answer) = ask("c0de").await;
    let token: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, format!("Bearer {}", token["token"].as_str().unwrap())), (200, api.token().1));
    let (status, said) = ask("c0de").await;
    assert!(status == 401 && said.contains("was used or has expired"), "{said}");
}

/// Prometheus sends the token if it is configured. Without the token, no one gets the names of workers.
#[tokio::test]
async fn metrics_and_devices_name_workers_to_the_owner_alone() {
    let api = Api::of(Pool::new()).await;
    let (name, token) = api.token();
    let open = api.ask("/metrics", &[]).await.text().await.unwrap();
    assert!(!open.contains("shoal_worker") && !open.contains("shoal_paid"), "{open}");
    let own = api.ask("/metrics", &[(name, &token)]).await.text().await.unwrap();
    assert!(own.contains("shoal_paid_satoshi_total 0") && own.contains("# TYPE shoal_worker_low gauge"), "{own}");
    assert_eq!(api.ask("/api/v1/devices", &[]).await.status().as_u16(), 401);
    let devices: Value = api.ask("/api/v1/devices", &[(name, &token)]).await.json().await.unwrap();
    assert_eq!(devices, json!({ "devices": [] }));
    // An answer with the first rows has the numbers of all.
    let path = format!("/api/v1/miners/{}", address(&miner(1)));
    let found: Value = api.ask(&format!("{path}?limit=20"), &[(name, &token)]).await.json().await.unwrap();
    assert_eq!((&found["workers_total"], &found["device_states"]), (&json!(0), &json!({})));
    let found: Value = api.ask(&format!("{path}?limit=20"), &[]).await.json().await.unwrap();
    assert_eq!((&found["workers_total"], &found["device_states"]), (&Value::Null, &Value::Null));
    for query in ["limit=0", "limit=501", "from=1"] {
        assert_eq!(api.ask(&format!("{path}?{query}"), &[]).await.status().as_u16(), 400, "{query}");
    }
}
