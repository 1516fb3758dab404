//! Miners of both protocols whose names split their work, at a real node whose owner takes a fee: the chain credits the
//! addresses in that proportion.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use stratum::{Client, Job};

use crate::sv2::{Miner, Wish};
use crate::v2_scene::Scene;

const FIRST: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
const SECOND: &str = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7";
const OWNER: &str = "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c";

/// Shares that both miners find together in one go.
const SHARES: usize = 60;

/// Shares in the window, by address.
fn credited(scene: &Scene) -> BTreeMap<String, u64> {
    let window = scene.ask("/window?limit=100").unwrap_or_default();
    let rows = window["earned"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| (row["address"].as_str().unwrap().to_owned(), row["shares"].as_u64().unwrap())).collect()
}

/// Hashes so many headers of a job, from `nonce` on.
fn find(job: &Job, nonce: &mut u32, hashes: u32) -> Option<u32> {
    let mut header = job.header([0; 8], job.time, 0, 0);
    for _ in 0..hashes {
        (header.nonce, *nonce) = (*nonce, nonce.wrapping_add(1));
        if job.target.is_met_by(header.block_hash()) {
            return Some(header.nonce);
        }
    }
    None
}

/// Mines with a miner of each protocol. Returns how many shares the fullest job of both can have got.
fn mine(scene: &Scene, stratum: std::net::SocketAddr, user: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, mut jobs) = runtime.block_on(Client::connect(stratum, user, "test/1")).unwrap();
    let mut v2 = Miner::open(scene.v2, None, &Wish::standard(user)).unwrap();
    let mut job = runtime.block_on(jobs.recv()).unwrap();
    let (mut nonce, mut accepted, mut clean) = (0, 0, 0);
    let mut of_job: BTreeMap<String, usize> = BTreeMap::new();
    let began = Instant::now();
    while accepted < SHARES {
        assert!(began.elapsed() < Duration::from_secs(90), "{accepted} shares");
        v2.drain().unwrap();
        if let Some(share) = v2.find(20_000) {
            v2.submit(&share).unwrap().unwrap();
            accepted += 1;
            *of_job.entry(format!("v2 {}", share.job_id)).or_default() += 1;
        }
        while let Ok(next) = jobs.try_recv() {
            clean += usize::from(next.clean && next.prev_block == job.prev_block);
            (job, nonce) = (next, 0);
        }
        if let Some(nonce) = find(&job, &mut nonce, 20_000) {
            runtime.block_on(client.submit(&job, [0; 8], job.time, nonce, 0)).unwrap();
            accepted += 1;
            *of_job.entry(format!("v1 {}", job.id)).or_default() += 1;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(clean, 0, "no change of payee throws work away");
    2 * of_job.values().max().unwrap()
}

#[test]
fn the_chain_credits_the_addresses_of_a_split_and_the_fee_in_their_proportion() {
    let scene = Scene::with(|stratum| {
        stratum.insert("fee_percent".to_owned(), 10.into());
        stratum.insert("fee_address".to_owned(), OWNER.into());
    });
    let shown = scene.ask("/mining").unwrap();
    assert_eq!((&shown["fee"]["percent"], &shown["fee"]["address"]), (&Value::from(10.0), &Value::from(OWNER)));
    let stratum = std::net::SocketAddr::from(([127, 0, 0, 1], shown["port"].as_u64().unwrap().try_into().unwrap()));
    let refused = Miner::open(scene.v2, None, &Wish::standard(&format!("{FIRST}:70,{SECOND}:20.rig"))).err().unwrap();
    assert!(refused.contains("add up to 90, not to 100"), "{refused}");

    let (user, mut job_shares, mut found) = (format!("{FIRST}:70,{SECOND}:30.rig"), 0, 0);
    // The owner's turn comes when a whole job of the fee is due.
    while found == 0 || !credited(&scene).contains_key(OWNER) {
        assert!(found < 20 * SHARES as u64, "no fee after {found} shares: {:?}", credited(&scene));
        job_shares = job_shares.max(mine(&scene, stratum, &user) as u64);
        found += SHARES as u64;
    }
    let began = Instant::now();
    // The newest shares wait for the next links.
    let listed = loop {
        let listed = credited(&scene);
        let of = |address: &str| listed.get(address).copied().unwrap_or(0);
        let both = of(FIRST) + of(SECOND);
        if both + job_shares + found / 10 >= found || began.elapsed() > Duration::from_secs(20) {
            break listed;
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    let of = |address: &str| listed.get(address).copied().unwrap_or(0);
    let (both, all) = (of(FIRST) + of(SECOND), listed.values().sum::<u64>());
    assert!(both >= found / 2, "{listed:?}");
    for (address, percent) in [(FIRST, 70), (SECOND, 30)] {
        let (got, due) = (of(address), percent * both / 100);
        // One job's work, and another one that was not listed yet.
        assert!(got.abs_diff(due) <= 2 * job_shares, "{address}: {got} of {due}, {job_shares} a job; {listed:?}");
    }
    // The network's own miners pay the fee as well, each with jobs of its own.
    assert!(of(OWNER) <= all / 10 + job_shares, "{listed:?}");
}
