//! Random networks of honest and hostile miners: whatever the hostile ones send, and in any order of arrival, each node
//! ends with the tip, window and payouts that follow from the raw proofs alone.

use proptest::prelude::*;
use sharechain::chain::{Chain, Fate, ListState};
use testkit::hostile::{HostileNetwork, Told};
use testkit::miner;
use testkit::recording::{Random, window_of};

/// Everything that must follow from the raw proofs, in any order of arrival.
fn assert_follows(network: &HostileNetwork, chain: &mut Chain, how: &str) {
    let best = network.best();
    assert_eq!(chain.tip(), best, "{how}");
    let naive = network.recording.naive();
    assert_eq!(window_of(chain, best), naive.line(best).window(), "{how}");
    let anchor = chain.link(&best).unwrap().position.anchor;
    let tip = network.recording.world.bitcoin_tip.block_hash();
    let height = chain.bitcoin().get(&tip).unwrap().height;
    let plan = chain.plan(&anchor, &tip).unwrap();
    let expected = naive.plan(anchor, tip, height + 1);
    assert_eq!((plan.snapshot, plan.seed, plan.selection.clone()), expected, "{how}");
    for id in &network.invalid {
        assert!(chain.credit(id).is_none(), "{how}");
        assert!(matches!(chain.fate(id), Fate::Refused(_) | Fate::Unknown), "{how}: {:?}", chain.fate(id));
    }
    for id in &network.void {
        let complete = chain.link(id).is_some_and(|link| matches!(link.list, ListState::Complete(_)));
        assert!(!complete, "{how}: a link with an invalid list counts");
    }
    // A script that its owner wrote into an output is never paid.
    let thief = chain.scripts().index(&miner(67));
    assert_eq!(thief, None, "{how}");
}

/// In order, reversed, shuffled, twice, and with a third missing until the node asks for it.
fn orders(network: &HostileNetwork, seed: u64) -> Vec<(&'static str, Vec<Told>)> {
    let mut random = Random(seed);
    let in_order = network.told.clone();
    let reversed = in_order.iter().rev().cloned().collect();
    let mut shuffled = in_order.clone();
    random.shuffle(&mut shuffled);
    let twice = shuffled.iter().chain(&in_order).cloned().collect();
    let (last, before) = in_order.split_last().unwrap();
    let kept = before.iter().filter(|_| random.below(3) > 0);
    let missing = kept.chain([last]).cloned().collect();
    let hostile_first = |told: &&Told| matches!(told, Told::Hostile(..));
    let (hostile, honest): (Vec<_>, Vec<_>) = in_order.iter().partition(hostile_first);
    let hostile_first = hostile.into_iter().chain(honest).cloned().collect();
    vec![
        ("in order", in_order),
        ("reversed", reversed),
        ("shuffled", shuffled),
        ("shuffled, then again in order", twice),
        ("a third missing", missing),
        ("all that is hostile first", hostile_first),
    ]
}

fn check(seed: u64, steps: u32) {
    let network = HostileNetwork::new(seed, steps);
    let mut original = network.recording.world.chain.clone();
    assert_follows(&network, &mut original, "as it happened");
    for (how, told) in orders(&network, seed) {
        let mut chain = network.replay(&told);
        assert_follows(&network, &mut chain, how);
    }
}

#[test]
fn hostile_miners_change_nothing_that_they_should_not() {
    for seed in 1..=6 {
        check(seed, 300);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn random_networks_follow_from_their_raw_proofs(seed in any::<u64>(), steps in 40_u32..240) {
        check(seed, steps);
    }
}

#[test]
fn networks_hold_what_they_are_meant_to_try() {
    let networks: Vec<HostileNetwork> = (1..=4).map(|seed| HostileNetwork::new(seed, 300)).collect();
    let invalid: usize = networks.iter().map(|network| network.invalid.len()).sum();
    let void: usize = networks.iter().map(|network| network.void.len()).sum();
    let hostile = |told: &&Told| matches!(told, Told::Hostile(..));
    let sent: usize = networks.iter().map(|network| network.told.iter().filter(hostile).count()).sum();
    assert!(
        invalid >= 40 && void >= 40 && sent >= 200,
        "{invalid} invalid, {void} void links, {sent} hostile messages"
    );
}
