//! Wrong clocks: which ones cost miners their work, by what evidence, and which ones only cause a warning.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sharechain::Timestamp;
use sharechain::limits::{FUTURE_SECONDS, HELD_SECONDS_MAX};

use super::super::pace::LinkClock;
use super::*;

const HOUR_S: i64 = 3_600;

/// Age of links at their arrival by a correct clock, seconds.
const AGE_S: i64 = 12;

/// A node that reads these clocks for long enough.
fn node_with(clock: ClockFacts) -> Node {
    let mut node = Node::new(SOLO);
    node.facts.clock = clock;
    node.pass(60);
    assert_eq!((node.kinds(), node.machine.work()), (vec![], Work::Pool), "it waits");
    node.pass(1);
    node
}

/// Miners keep their work. Only a state says that something is wrong.
fn only_warns(clock: ClockFacts) {
    let node = node_with(clock);
    assert_eq!((node.kinds(), node.machine.work()), (vec![Kind::Clock], Work::Pool), "{clock:?}");
}

/// Miners lose their work for this reason, also if they would work solo in other cases. They have it again a minute after the clock
/// is right.
fn stops_work(clock: ClockFacts, because: &str) {
    let mut node = node_with(clock);
    assert_eq!((node.kinds(), node.machine.work()), (vec![Kind::Clock], Work::Stop(Cause::Clock)), "{clock:?}");
    let reason = node.machine.reason().unwrap();
    assert!(reason.contains(because) && reason.contains("set up time synchronization (NTP)"), "{reason}");
    node.facts.clock = ClockFacts { link_age_s: Some(AGE_S), bitcoind_s: Some(0), ..ClockFacts::default() };
    node.pass(60);
    assert_eq!(node.machine.work(), Work::Stop(Cause::Clock));
    assert_eq!(node.machine.reason(), Some(reason), "the same reason throughout");
    node.pass(1);
    assert_eq!((node.kinds(), node.machine.work(), node.machine.reason()), (vec![], Work::Pool, None));
}

fn ahead(hours: i64) {
    let (ahead_s, link_age_s) = (hours * HOUR_S, Some(hours * HOUR_S + AGE_S));
    // bitcoind's clock is right, and its templates date the work, also after blocks with future timestamps.
    for bitcoind_s in [Some(ahead_s), None] {
        only_warns(ClockFacts { link_age_s, bitcoind_s, template_s: Some(ahead_s - 60), ..ClockFacts::default() });
    }
    // It is as wrong, or there is no template.
    let because = format!("clock is about {} s ahead of the pool's, so other nodes drop its shares", ahead_s + AGE_S);
    for template_s in [Some(0), None, Some(-ahead_s)] {
        let bitcoind_s = template_s;
        stops_work(ClockFacts { link_age_s, bitcoind_s, template_s, ..ClockFacts::default() }, &because);
    }
}

fn behind(hours: i64) {
    let behind_s = Some(-hours * HOUR_S);
    // Other miners' links wait, so none has an age.
    let because = format!("clock is {} s behind bitcoind's, so it drops the pool's newest shares", hours * HOUR_S);
    let by_bitcoind = ClockFacts { bitcoind_s: behind_s, proofs_ahead: 5, ..ClockFacts::default() };
    stops_work(by_bitcoind, &because);
    // bitcoind's clock is as wrong, or unknown.
    let because = format!("clock is at least {} s behind Bitcoin's newest blocks", hours * HOUR_S);
    for bitcoind_s in [Some(0), None] {
        stops_work(ClockFacts { bitcoind_s, blocks_s: behind_s, ..ClockFacts::default() }, &because);
    }
    // The pool's links say that this clock is right.
    for (bitcoind_s, blocks_s) in [(behind_s, None), (None, behind_s)] {
        only_warns(ClockFacts { link_age_s: Some(AGE_S), bitcoind_s, blocks_s, ..ClockFacts::default() });
    }
}

#[test]
fn a_clock_one_hour_ahead_stops_work_that_it_dates() {
    ahead(1);
}

#[test]
fn a_clock_three_hours_ahead_stops_work_that_it_dates() {
    ahead(3);
}

#[test]
fn a_clock_one_hour_behind_stops_work() {
    behind(1);
}

#[test]
fn a_clock_three_hours_behind_stops_work() {
    behind(3);
}

#[test]
fn a_clock_that_is_slightly_wrong_only_warns() {
    assert_eq!(CLOCK_WRONG_S, i64::from(HELD_SECONDS_MAX + FUTURE_SECONDS));
    only_warns(ClockFacts { link_age_s: Some(CLOCK_WRONG_S), ..ClockFacts::default() });
    only_warns(ClockFacts { bitcoind_s: Some(-CLOCK_WRONG_S), ..ClockFacts::default() });
    only_warns(ClockFacts { blocks_s: Some(-CLOCK_WRONG_S), ..ClockFacts::default() });
}

/// The different findings of a node during seconds whose facts a test sets.
fn findings(node: &mut Node, seconds: u64, set: impl Fn(&mut Facts, u64)) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for second in 0..seconds {
        set(&mut node.facts, second);
        node.pass(1);
        let [state] = node.machine.states() else { panic!("one state holds: {:?}", node.kinds()) };
        if found.last() != Some(&state.what) {
            found.push(state.what.clone());
        }
    }
    found
}

/// bitcoind's template hides its clock after a block with a time in the future, or while bitcoind is in trouble.
#[test]
fn a_finding_keeps_its_words_while_its_evidence_comes_and_goes() {
    let behind_s = Some(-HOUR_S);
    let clock =
        ClockFacts { bitcoind_s: behind_s, blocks_s: Some(-HOUR_S / 2), proofs_ahead: 9, ..ClockFacts::default() };
    let hides =
        |facts: &mut Facts, second: u64| facts.clock.bitcoind_s = behind_s.filter(|_| (second / 7).is_multiple_of(2));
    let by_bitcoind = format!("this machine's clock is {HOUR_S} s behind bitcoind's");
    assert_eq!(findings(&mut node_with(clock), 300, hides), [by_bitcoind]);
    // It began while the clock was hidden.
    let found = findings(&mut node_with(ClockFacts { bitcoind_s: None, ..clock }), 300, hides);
    assert_eq!(found, [format!("this machine's clock is at least {} s behind Bitcoin's newest blocks", HOUR_S / 2)]);
    // bitcoind does not answer for its peers, and shares wait now and then.
    let clock = ClockFacts { bitcoind_peers_s: Some(90), link_age_s: Some(-20), ..ClockFacts::default() };
    let found = findings(&mut node_with(clock), 300, |facts, second| {
        facts.clock.bitcoind_peers_s = Some(90).filter(|_| second % 60 > 3);
        facts.clock.proofs_ahead = u32::from(second.is_multiple_of(5));
    });
    assert_eq!(found, ["bitcoind's clock is 90 s ahead of its peers'"]);
    let clock = ClockFacts { proofs_ahead: 1, link_age_s: Some(-20), ..ClockFacts::default() };
    let found = findings(&mut node_with(clock), 300, |facts, second| {
        facts.clock.proofs_ahead = u32::from(second.is_multiple_of(5));
    });
    assert_eq!(found, ["this machine's clock is at least 20 s behind the pool's"]);
}

#[test]
fn a_finding_moves_on_when_its_evidence_is_fine() {
    let clock = ClockFacts { bitcoind_s: Some(-90), link_age_s: Some(-20), ..ClockFacts::default() };
    let found = findings(&mut node_with(clock), 10, |facts, second| {
        facts.clock.bitcoind_s = Some(if second < 5 { -90 } else { 0 });
    });
    let by_links = "this machine's clock is at least 20 s behind the pool's";
    assert_eq!(found, ["this machine's clock is 90 s behind bitcoind's", by_links]);
}

#[test]
fn what_peers_claim_makes_no_clock_wrong() {
    // bitcoind's peers claim times. Held shares are work, but a few are cheap.
    for claim_s in [i64::MIN + 1, i64::MAX] {
        only_warns(ClockFacts { bitcoind_peers_s: Some(claim_s), proofs_ahead: u32::MAX, ..ClockFacts::default() });
    }
}

#[test]
fn the_clock_by_links_is_a_median_of_work_and_needs_some() {
    let mut clock = LinkClock::default();
    let (now, at) = (Timestamp(1_800_000_000), Millis(0));
    (0..10).for_each(|_| clock.note(now, now.plus(5), at));
    assert_eq!(clock.median_s(at), None);
    // A miner with less than half of the links cannot shift it far.
    (0..9).for_each(|_| clock.note(now, now.plus(7_000), at));
    assert_eq!(clock.median_s(at), Some(5));
    (0..31).for_each(|_| clock.note(now.plus(40), now, at));
    assert_eq!(clock.median_s(Millis(600_000)), Some(-40));
    assert_eq!(clock.median_s(Millis(600_001)), None, "the clock may have changed since");
}

#[test]
fn the_clock_by_bitcoins_blocks_needs_all_of_six_or_the_median_of_eleven() {
    let (mut blocks, clock, at) = (BlockClock::default(), Timestamp(1_800_000_000), Millis(0));
    let least = Timestamp(clock.0 - 3_000);
    let tip = |number| BlockHash::from_byte_array([number; 32]);
    assert_eq!(blocks.offset_s(least, clock, at), 3_000, "Bitcoin's median is an hour old");
    assert_eq!(blocks.offset_s(clock.plus(7_200), clock, at), -7_200, "a median ahead of the clock proves enough");
    // The first tip is old, and so is one that bitcoind names again.
    for number in [0, 0, 1, 2, 3, 4, 5] {
        blocks.note(tip(number), clock.plus(3_600), at);
    }
    assert_eq!(blocks.offset_s(least, clock, at), 3_000, "five are too few");
    blocks.note(tip(6), clock.plus(3_500), at);
    assert_eq!(blocks.offset_s(least, clock, at), -3_500);
    // Time passes, then the clock is corrected.
    assert_eq!(blocks.offset_s(least, clock.plus(100), Millis(100_000)), -3_500);
    assert_eq!(blocks.offset_s(least, clock.plus(3_700), Millis(100_000)), 100);
    // One honest block outweighs five that are dated ahead.
    blocks.note(tip(7), clock, at);
    assert_eq!(blocks.offset_s(least, clock, at), 0);
}
