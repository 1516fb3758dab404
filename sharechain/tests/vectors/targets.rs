//! Targets and weights.

use bitcoin::CompactTarget;
use sharechain::U256;
use sharechain::target::{link_bonus, link_target, share_target, weight_of_share};

use crate::files::{Case, unhex};
use crate::proof::network;

fn target_of(text: &str) -> U256 {
    U256::from_be_bytes::<32>(unhex(text).try_into().unwrap())
}

pub(super) fn check_target(case: &mut Case) {
    let params = network(case.text("network"));
    let (parent, at_anchor) = (target_of(case.text("parent_target")), target_of(case.text("anchor_link_target")));
    let share = share_target(at_anchor, &params);
    assert_eq!(share, target_of(case.text("share_target")));
    let seconds = case.get("seconds").as_i64().unwrap();
    assert_eq!(link_target(parent, seconds, share, &params), target_of(case.text("link_target")));
}

pub(super) fn check_weight(case: &mut Case) {
    let params = network(case.text("network"));
    let target = target_of(case.text("target"));
    let bits = CompactTarget::from_consensus(case.number("bits") as u32);
    assert_eq!(weight_of_share(target, bits, &params).0.to_string(), case.text("share_weight"));
    assert_eq!(link_bonus(target, bits, &params).0.to_string(), case.text("link_bonus"));
}
