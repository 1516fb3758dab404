use std::collections::{BTreeMap, BTreeSet};

use super::{BitcoinKind, Chain, NetworkOptions, Plan, PlanError, is_connected};

#[test]
fn every_port_and_every_payout_is_used_once() {
    let plan = Plan::new(&NetworkOptions::of(5, 7)).unwrap();
    let nodes = plan.nodes.iter().flat_map(|node| [node.stratum, node.p2p, node.api]);
    let ports: Vec<_> = nodes.chain(plan.lines.iter().map(|line| line.address)).chain([plan.bitcoin.rpc]).collect();
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    let scripts: BTreeSet<_> = plan.miners.iter().map(|miner| &miner.script).collect();
    assert_eq!(scripts.len(), 7);
    let total: f64 = plan.miners.iter().map(|miner| miner.hashrate_hs).sum();
    assert!((total - 400_000.0).abs() < 1.0);
}

#[test]
fn regtest_has_its_own_addresses_and_needs_a_bitcoind() {
    let options = NetworkOptions { chain: Chain::Regtest, ..NetworkOptions::of(2, 3) };
    assert_eq!(Plan::new(&options).unwrap_err(), PlanError::NoRegtest);
    let plan = Plan::new(&NetworkOptions { bitcoin: BitcoinKind::Bitcoind, ..options }).unwrap();
    assert!(plan.miners.iter().all(|miner| miner.address.starts_with("bcrt1")), "{:?}", plan.miners);
    assert!(plan.bitcoin.cookie_path().ends_with("bitcoin/regtest/.cookie"));
}

#[test]
fn payout_addresses_are_dealt_out_to_the_miners() {
    let plan = Plan::new(&NetworkOptions { payees: 200, ..NetworkOptions::of(2, 3) }).unwrap();
    let counts: Vec<usize> = plan.miners.iter().map(|miner| miner.addresses.len()).collect();
    assert_eq!(counts, [67, 67, 66]);
    let scripts: BTreeSet<_> =
        plan.miners.iter().flat_map(|miner| &miner.addresses).map(|a| a.script_pubkey()).collect();
    assert_eq!(scripts.len(), 200);
    for miner in &plan.miners {
        assert!(miner.addresses.iter().all(|a| plan.miner_of(&a.script_pubkey()).unwrap().name == miner.name));
        assert_eq!(miner.addresses[0].script_pubkey(), miner.script);
    }
}

#[test]
fn nodes_dial_those_before_them_and_only_the_first_may_start_a_pool() {
    let plan = Plan::new(&NetworkOptions::of(5, 5)).unwrap();
    let ends: Vec<_> = plan.lines.iter().map(|line| (line.from, line.to)).collect();
    assert_eq!(ends, [(1, 0), (2, 1), (2, 0), (3, 2), (3, 1), (3, 0), (4, 3), (4, 2), (4, 1)]);
    let new_pool: Vec<_> = plan.nodes.iter().map(|node| node.new_pool).collect();
    assert_eq!(new_pool, [true, false, false, false, false]);
    assert_eq!(plan.nodes[4].peers.len(), 3);
}

#[test]
fn a_group_without_links_inside_is_told() {
    let lines = Plan::new(&NetworkOptions::of(5, 5)).unwrap().lines;
    assert!(is_connected(&[0, 1], &lines) && is_connected(&[2, 3, 4], &lines) && is_connected(&[1], &lines));
    assert!(!is_connected(&[0, 4], &lines));
}

#[test]
fn a_delay_for_nobody_is_refused() {
    let mut options = NetworkOptions::of(2, 2);
    options.delays_ms = BTreeMap::from([("m2".to_owned(), 2_000)]);
    assert_eq!(Plan::new(&options).unwrap().miners[1].delay_ms, 2_000);
    options.delays_ms = BTreeMap::from([("m3".to_owned(), 2_000)]);
    assert_eq!(Plan::new(&options).unwrap_err(), PlanError::UnknownMiner { name: "m3".to_owned(), miners: 2 });
}

#[test]
fn names_are_found_in_either_case() {
    let plan = Plan::new(&NetworkOptions::of(3, 3)).unwrap();
    assert_eq!((plan.node("b"), plan.node("C"), plan.node("D")), (Some(1), Some(2), None));
}
