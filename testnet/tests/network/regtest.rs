//! A network on regtest, where every share is a Bitcoin block.

use std::time::Duration;

use crate::harness::Up;

/// Two nodes and a real bitcoind that begins at genesis. It takes the blocks, and every output follows the rules: the first
/// blocks pay their finders alone, the later ones all miners.
#[test]
fn regtest_finds_blocks_that_pay_all_miners() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "3", "--bitcoin", "bitcoind", "--network", "regtest"]);
    up.wait_for("ten shared blocks", Duration::from_secs(400), |status| {
        let blocks = status["blocks"].as_array().unwrap();
        blocks.iter().filter(|block| block["payees"].as_array().unwrap().len() == 3).count() >= 10
    });
    up.must(&["stop"]);
    assert!(up.end(Duration::from_secs(120)).success(), "{}", up.log());
    println!("{}", up.log());
    up.must_be_gone(Duration::from_secs(25));
    up.check(&["--blocks-min", "60", "--shared-min", "10", "--agreed", "--lost-max", "0"]);
    let report = up.report();
    assert_eq!((&report["bitcoin"], &report["network"]), (&"bitcoind".into(), &"regtest".into()));
    let first = &report["blocks"][0];
    assert_eq!((&first["height"], first["outputs"].as_array().unwrap().len()), (&1.into(), 1), "{first}");
}
