//! Bursts and partitions around settled links: what a heavier branch can undo, and when.

use sharechain::chain::Outcome;
use sharechain::limits::{CONFLICT_BITCOIN_BLOCKS, SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::{ChainParams, Height, Proof};

use super::wide;
use testkit::{World, miner};

/// Gives links to a node that asks for them.
fn publish(links: &[Proof], from: &World, to: &mut World) {
    to.now = to.now.max(from.now);
    for link in links {
        let outcome = to.insert_requested(link, Some(vec![]));
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Known(_)), "{outcome:?}");
    }
}

/// A Bitcoin block that both halves see.
fn block_for_both(one: &mut World, other: &mut World) {
    one.bitcoin_block();
    other.chain.insert_bitcoin_header(one.bitcoin_tip, one.now);
    other.bitcoin_tip = one.bitcoin_tip;
    other.bitcoin_headers.push(one.bitcoin_tip);
    one.in_sync();
}

/// A node with settled links, and a rival branch with 10 links more that would undo them. The node has seen `shown`
/// links of that branch.
fn conflict(hidden: u32) -> (World, World, Vec<Proof>) {
    // Targets hardly move, since these tests count work in links.
    let mut world = World::with(ChainParams { retarget_half_life_s: 1 << 24, ..wide() });
    world.grow(40, 3);
    world.in_sync();
    let mut rival = world.clone();
    rival.now = rival.now.plus(1);
    world.bare_links(&miner(1), SETTLED_LINKS + 2);
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    world.in_sync();
    assert!(world.chain.settled().height > rival.chain.height());
    let shown = rival.bare_links(&miner(1), SETTLED_LINKS + 10);
    let hidden = rival.bare_links(&miner(1), hidden);
    for header in world.bitcoin_headers.clone() {
        rival.chain.insert_bitcoin_header(header, world.now);
    }
    rival.bitcoin_tip = world.bitcoin_tip;
    publish(&shown, &rival, &mut world);
    assert_eq!(world.chain.conflict(), shown.last().map(Proof::id));
    (world, rival, hidden)
}

#[test]
fn a_burst_that_would_undo_settled_links_stops_nobody() {
    let (mut world, rival, _) = conflict(0);
    // The operator gets an alarm, and the node keeps working.
    let own = world.chain.tip();
    assert_ne!(own, rival.chain.tip());
    assert_eq!(world.chain.assignment().map(|work| work.parent), Some(own));
    let settled = world.chain.settled().clone();
    world.bare_links(&miner(1), 9);
    assert!(world.chain.conflict().is_none(), "its own branch wins by its own work");
    assert!(world.chain.settled().height >= settled.height);
    assert_eq!(world.chain.main_at(settled.height), Some(settled.id), "nothing was undone");
}

/// Number of Bitcoin blocks after which a node follows a rival branch that finds `theirs` links per block while its own
/// finds `ours`. 0 if it does not within 40.
fn followed_after(ours: u32, theirs: u32) -> u32 {
    let (mut world, mut rival, _) = conflict(0);
    for blocks in 1..=40 {
        block_for_both(&mut world, &mut rival);
        world.bare_links(&miner(1), ours);
        let more = rival.bare_links(&miner(1), theirs);
        publish(&more, &rival, &mut world);
        if world.chain.tip() == rival.chain.tip() {
            return blocks;
        }
    }
    0
}

#[test]
fn a_lasting_majority_heals_a_partition() {
    // All 18 blocks came after the whole branch. The first links on the last of them decide.
    assert_eq!(followed_after(10, 12), CONFLICT_BITCOIN_BLOCKS);
    assert_eq!(followed_after(20, 21), 0, "5% more is not enough");
    assert_eq!(followed_after(10, 10), 0);
}

#[test]
fn races_on_the_other_branch_do_not_restart_its_conflict() {
    let (mut world, mut rival, _) = conflict(0);
    for _ in 0..CONFLICT_BITCOIN_BLOCKS {
        block_for_both(&mut world, &mut rival);
        // Two links race, and the later one wins.
        let mut other = rival.clone();
        let first = rival.bare_links(&miner(1), 1);
        publish(&first, &rival, &mut world);
        other.now = other.now.plus(1);
        let second = other.bare_links(&miner(1), 4);
        publish(&second, &other, &mut world);
        rival = other;
    }
    assert_eq!(world.chain.tip(), rival.chain.tip());
}

#[test]
fn a_majority_that_hides_until_the_end_decides_nothing() {
    // The attacker shows the branch once. The branch then grows faster in secret, on each new block, until the attacker
    // shows all of it.
    let (mut world, mut rival, _) = conflict(0);
    let mut secret = Vec::new();
    for _ in 0..CONFLICT_BITCOIN_BLOCKS {
        block_for_both(&mut world, &mut rival);
        world.bare_links(&miner(1), 2);
        secret.extend(rival.bare_links(&miner(1), 6));
    }
    let fork = world.chain.height();
    let own = world.chain.tip();
    publish(&secret, &rival, &mut world);
    assert_eq!(world.chain.main_at(fork), Some(own));
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()));
}

#[test]
fn after_the_switch_the_other_branch_is_the_conflict() {
    let (mut world, mut rival, _) = conflict(0);
    let left = world.chain.tip();
    for _ in 0..CONFLICT_BITCOIN_BLOCKS {
        block_for_both(&mut world, &mut rival);
        let more = rival.bare_links(&miner(1), 3);
        publish(&more, &rival, &mut world);
    }
    assert_eq!(world.chain.tip(), rival.chain.tip());
    assert!(world.chain.conflict().is_none());
    assert!(world.chain.link(&left).is_some(), "what it left is still known");
    let settled = world.chain.settled().height;
    assert!(settled >= Height(40), "at the fork or above it: {settled}");
    assert_eq!(world.chain.main_at(settled), Some(world.chain.settled().id), "and on the branch that it follows");
}

#[test]
fn hidden_work_does_not_count_in_a_conflict() {
    // The rival found all its work in one burst, and shows the rest of it little by little, as if the branch grew.
    let (mut world, mut rival, hidden) = conflict(4 * CONFLICT_BITCOIN_BLOCKS);
    let own = world.chain.tip();
    for links in hidden.chunks(4) {
        block_for_both(&mut world, &mut rival);
        world.bare_links(&miner(1), 2);
        publish(links, &rival, &mut world);
    }
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()), "it is heavier");
    let fork = world.chain.link(&own).unwrap().height;
    assert_eq!(world.chain.main_at(fork), Some(own), "but it gained nothing on the new blocks");
}
