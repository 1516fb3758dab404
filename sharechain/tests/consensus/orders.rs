//! The proofs of a network give the same tip, window and payouts in whatever order they reach a node.

use proptest::prelude::*;
use sharechain::ShareId;
use sharechain::chain::Chain;
use testkit::recording::{Event, Random, Recording, window_of};

/// Everything that must not depend on the order of arrival.
fn assert_same(recording: &Recording, chain: &mut Chain, how: &str) {
    let mut original = recording.world.chain.clone();
    let tip = original.tip();
    assert_eq!(chain.tip(), tip, "{how}");
    assert_eq!(chain.height(), original.height(), "{how}");
    assert_eq!(window_of(chain, tip), window_of(&mut original, tip), "{how}");
    let anchor = original.link(&tip).unwrap().position.anchor;
    let previous = recording.world.bitcoin_tip.block_hash();
    assert_eq!(chain.plan(&anchor, &previous).unwrap(), original.plan(&anchor, &previous).unwrap(), "{how}");
}

fn played(recording: &Recording, events: &[Event], how: &str) {
    let mut chain = recording.empty();
    for (number, event) in events.iter().enumerate() {
        recording.play(&mut chain, event, number as u64 % 8);
    }
    // What a node would fetch: headers that came before their parents, and shares that were too old when they came
    // without their links.
    for header in &recording.world.bitcoin_headers {
        chain.insert_bitcoin_header(*header, recording.world.now);
    }
    recording.answer_wants(&mut chain);
    assert_same(recording, &mut chain, how);
}

#[test]
fn a_recorded_network_ends_in_the_same_tip_in_any_order() {
    for seed in 1..=6 {
        let recording = Recording::new(seed, 400);
        let mut random = Random(seed);
        let mut events = recording.events.clone();
        played(&recording, &events, "in order");
        events.reverse();
        played(&recording, &events, "reversed");
        for _ in 0..3 {
            random.shuffle(&mut events);
            played(&recording, &events, "shuffled");
        }
        let twice: Vec<_> = events.iter().chain(&recording.events).cloned().collect();
        played(&recording, &twice, "shuffled and then again in order");
    }
}

#[test]
fn pieces_that_come_late_change_nothing() {
    for seed in 1..=6 {
        let recording = Recording::new(seed + 100, 300);
        let mut random = Random(seed);
        let (newest, earlier) = recording.events.split_last().unwrap();
        let kept = earlier.iter().filter(|_| random.below(3) > 0);
        // The newest link refers to everything that was lost.
        let keep: Vec<_> = kept.chain([newest]).cloned().collect();
        played(&recording, &keep, "a third missing");
        let bare = |event: &Event| match event {
            Event::Link(proof, _) => Event::BareLink(proof.clone()),
            other => other.clone(),
        };
        let bare_links: Vec<_> = recording.events.iter().map(bare).collect();
        played(&recording, &bare_links, "no lists");
        let links: Vec<_> = bare_links.into_iter().filter(|event| !matches!(event, Event::Share(_))).collect();
        played(&recording, &links, "neither lists nor shares");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn window_and_payouts_are_what_the_rules_say_of_the_raw_proofs(seed in any::<u64>(), steps in 50_u32..300) {
        let recording = Recording::new(seed, steps);
        let naive = recording.naive();
        let mut chain = recording.world.chain.clone();
        for link in links_of(&recording) {
            prop_assert_eq!(window_of(&mut chain, link), naive.line(link).window());
        }
        for (proof, _) in recording.proofs.values() {
            let (parent, previous) = (proof.share.parent, proof.header.prev_blockhash);
            let plan = chain.plan(&parent, &previous).unwrap();
            let (snapshot, seed, selection) = naive.plan(parent, previous, proof.share.bitcoin_height);
            prop_assert_eq!((plan.snapshot, plan.seed, &plan.selection), (snapshot, seed, &selection));
            let outputs = chain.payouts(&parent, &previous, proof.share.coinbase_value, &proof.share.payout).unwrap();
            prop_assert_eq!(outputs, naive.outputs(proof));
        }
    }
}

/// Some links of all branches, including side branches.
fn links_of(recording: &Recording) -> Vec<ShareId> {
    recording.proofs.keys().filter(|id| recording.world.chain.link(id).is_some()).step_by(5).copied().collect()
}
