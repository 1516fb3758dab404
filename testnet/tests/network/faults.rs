//! Whole networks of real processes.

use std::time::Duration;

use crate::harness::{self, Up, node, tips};

/// Five minutes of mining on the embedded Bitcoin, with faults that should have no lasting effect: a node joins late,
/// one is killed and restarted, and a partition lasts for a minute.
///
/// Two miners that no fault affects, one of them with two seconds of delay on every job, must earn alike.
#[test]
fn faults_leave_no_trace() {
    let options = ["--nodes", "5", "--miners", "5", "--late-node", "45", "--delay", "m2=2000", "--duration", "305"];
    let mut up = Up::start(&options);

    up.wait_until(50);
    up.wait_for("the late node working", Duration::from_secs(60), |status| {
        node(status, "E")["no_work"].is_null() && node(status, "E")["height"].as_u64() > Some(10)
    });

    up.wait_until(75);
    up.must(&["kill", "C"]);
    up.wait_for("the kill being seen", Duration::from_secs(15), |status| node(status, "C")["condition"] == "killed");
    up.wait_until(90);
    up.must(&["restart", "C"]);
    up.wait_for("C catching up", Duration::from_secs(30), |status| {
        tips(status).len() == 1 && node(status, "C")["answers"] == true && node(status, "C")["no_work"].is_null()
    });

    up.wait_until(120);
    up.must(&["partition", "A,B,E|C,D"]);
    up.wait_until(150);
    up.wait_for("the groups differing", Duration::from_secs(20), |status| {
        node(status, "A")["tip"] != node(status, "D")["tip"]
    });
    up.wait_until(180);
    up.must(&["heal"]);
    up.wait_for("the groups agreeing", Duration::from_secs(60), |status| tips(status).len() == 1);

    assert!(up.end(Duration::from_secs(300)).success(), "{}", up.log());
    println!("{}", up.log());
    up.must_be_gone(Duration::from_secs(15));
    up.check(&["--agreed", "--lost-max", "0", "--rss-max", "150000000", "--shared-min", "3", "--fair", "m1,m2"]);
    let report = up.report();
    assert_eq!(report["shares"]["expired"], 0, "every share of both sides is listed: {}", report["shares"]);
    // A late node takes some 95 s, and a block 12 s on average. One run in 6,000 takes longer.
    assert!(report["first_shared_block_s"].as_u64().is_some_and(|seconds| seconds <= 200), "{}", up.log());
}

/// Three nodes on a real bitcoind: it accepts the blocks, and every output follows the rules. The run ends with the
/// second block that pays more than one miner.
#[test]
fn a_real_bitcoind_takes_the_blocks() {
    let mut up = Up::start(&["--nodes", "3", "--miners", "4", "--bitcoin", "bitcoind"]);
    up.wait_for("two shared blocks", Duration::from_secs(500), |status| {
        let blocks = status["blocks"].as_array().unwrap();
        blocks.iter().filter(|block| block["payees"].as_array().unwrap().len() > 1).count() >= 2
    });
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    println!("{}", up.log());
    up.must_be_gone(Duration::from_secs(25));
    up.check(&["--blocks-min", "3", "--shared-min", "2", "--agreed", "--lost-max", "0"]);
    assert_eq!(up.report()["bitcoin"], "bitcoind");
}

/// A wide pool of 200 payout addresses on a real bitcoind: a block pays all of them, and every output follows the rules.
#[test]
fn a_wide_pool_pays_two_hundred_on_a_real_bitcoind() {
    let options = ["--nodes", "2", "--miners", "4", "--outputs", "wide", "--payees", "200", "--bitcoin", "bitcoind"];
    let mut up = Up::start(&options);
    up.wait_for("a block that pays 200", Duration::from_secs(600), |status| {
        let blocks = status["blocks"].as_array().unwrap();
        blocks.iter().any(|block| block["outputs"].as_u64() == Some(200))
    });
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(60)).success(), "{}", up.log());
    println!("{}", up.log());
    up.must_be_gone(Duration::from_secs(25));
    up.check(&["--network", "local-wide", "--outputs-min", "200", "--shared-min", "1", "--agreed", "--lost-max", "0"]);
}

#[test]
fn the_checker_notices_what_it_should() {
    harness::check_the_checker();
}
