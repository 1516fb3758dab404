//! Targets and weights.

use bitcoin::CompactTarget;
use serde_json::{Value, json};
use sharechain::target::{link_bonus, link_target, share_target, weight_of_share};
use sharechain::{ChainParams, U256};

use crate::files::{Case, hex, unhex};

fn target_hex(target: U256) -> String {
    hex(&target.to_be_bytes::<32>())
}

fn target_of(text: &str) -> U256 {
    U256::from_be_bytes::<32>(unhex(text).try_into().unwrap())
}

fn params_of(name: &str) -> ChainParams {
    [ChainParams::main(), ChainParams::signet(), ChainParams::local()]
        .into_iter()
        .find(|params| params.name == name)
        .unwrap()
}

pub(super) fn make_targets() -> Vec<Value> {
    let main = ChainParams::main();
    let mut cases = Vec::new();
    let mut push = |params: &ChainParams, parent: U256, seconds: i64, at_anchor: U256| {
        let share = share_target(at_anchor, params);
        cases.push(json!({
            "network": params.name,
            "parent_target": target_hex(parent),
            "seconds": seconds,
            "anchor_link_target": target_hex(at_anchor),
            "share_target": target_hex(share),
            "link_target": target_hex(link_target(parent, seconds, share, params)),
        }));
    };
    let middle = U256::MAX >> 60;
    for seconds in [10, 0, 11, 1_210, -1_190, 310, 605, 7_200, -7_200, 19_210, 19_211, 1_000_000, -19_190, -1_000_000] {
        push(&main, middle, seconds, middle);
    }
    push(&main, main.first_link_target, 10, main.first_link_target);
    push(&main, main.first_link_target, 100_000, U256::MAX);
    push(&main, U256::ONE, -7_200, U256::ONE);
    push(&main, U256::MAX, 19_210, U256::MAX);
    let local = ChainParams::local();
    for seconds in [0, 1, 2, 13, -120, 121] {
        push(&local, local.first_link_target, seconds, local.first_link_target);
    }
    cases
}

pub(super) fn check_target(case: &mut Case) {
    let params = params_of(case.text("network"));
    let (parent, at_anchor) = (target_of(case.text("parent_target")), target_of(case.text("anchor_link_target")));
    let share = share_target(at_anchor, &params);
    assert_eq!(share, target_of(case.text("share_target")));
    let seconds = case.get("seconds").as_i64().unwrap();
    assert_eq!(link_target(parent, seconds, share, &params), target_of(case.text("link_target")));
}

pub(super) fn make_weights() -> Vec<Value> {
    let targets = [U256::MAX >> 42, U256::MAX >> 50, U256::MAX >> 79, (U256::MAX >> 47) / U256::from(3), U256::ONE];
    let bits = [0x1702_2e8b, 0x1d00_ffff, 0x1e03_77ae];
    let mut cases = Vec::new();
    for params in [ChainParams::main(), ChainParams::local()] {
        for (target, bits) in targets.iter().flat_map(|target| bits.map(|bits| (*target, bits))) {
            let compact = CompactTarget::from_consensus(bits);
            cases.push(json!({
                "network": params.name,
                "target": target_hex(target),
                "bits": bits,
                "share_weight": weight_of_share(target, compact, &params).0.to_string(),
                "link_bonus": link_bonus(target, compact, &params).0.to_string(),
            }));
        }
    }
    cases
}

pub(super) fn check_weight(case: &mut Case) {
    let params = params_of(case.text("network"));
    let target = target_of(case.text("target"));
    let bits = CompactTarget::from_consensus(case.number("bits") as u32);
    assert_eq!(weight_of_share(target, bits, &params).0.to_string(), case.text("share_weight"));
    assert_eq!(link_bonus(target, bits, &params).0.to_string(), case.text("link_bonus"));
}
