//! What a node does not undo, what it forgets, and what it holds while it waits.

use std::collections::BTreeMap;

use sharechain::chain::{Fate, ListState, Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::limits::{
    HELD_MAX, HELD_PER_SOURCE_MAX, HELD_SECONDS_MAX, MEMORY_DEPTH, OMISSION_SECONDS, REFUSED_MAX,
    SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS,
};
use sharechain::{Height, Proof, RuleError, ShareId, Timestamp};
use testkit::{Spec, World, accepted, miner};

fn grown() -> World {
    let mut world = World::new();
    world.grow(12, 2);
    world
}

/// `count` links that list nothing.
fn bare_links(world: &mut World, count: u32) -> Vec<(Proof, Vec<ShareId>)> {
    world.bare_links(&miner(1), count).into_iter().map(|link| (link, vec![])).collect()
}

/// Gives all of them to another chain, at the first one's time.
fn send(links: &[(Proof, Vec<ShareId>)], from: &World, to: &mut World) {
    to.now = to.now.max(from.now);
    for header in &from.bitcoin_headers {
        to.chain.insert_bitcoin_header(*header, to.now);
    }
    for (proof, list) in links {
        let outcome = to.insert_requested(proof, Some(list.clone()));
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Known(_)), "{outcome:?}");
    }
}

fn note_bitcoin(world: &mut World) {
    let height = world.chain.bitcoin().best().height;
    world.chain.note_own_bitcoin_height(Some(height));
}

/// A world whose newest final link is 360 below its tip.
fn with_settled_links() -> World {
    let mut world = grown();
    note_bitcoin(&mut world);
    bare_links(&mut world, SETTLED_LINKS + 10);
    assert_eq!(world.chain.settled().height, Height(0), "Bitcoin has not moved");
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    note_bitcoin(&mut world);
    assert_eq!(world.chain.settled().height, Height(12 + 10));
    world
}

#[test]
fn links_are_settled_only_after_bitcoin_blocks_and_links_in_sync() {
    let mut world = with_settled_links();
    bare_links(&mut world, 5);
    let final_link = world.chain.main_at(Height(27)).unwrap();
    assert_eq!(world.chain.settled().height, Height(27), "each link moves it up");
    assert_eq!(world.chain.settled().id, final_link);
    bare_links(&mut world, SETTLED_LINKS);
    assert_eq!(
        world.chain.settled().height,
        Height(SETTLED_LINKS + 22),
        "newer ones wait for Bitcoin blocks of their own"
    );
}

#[test]
fn nothing_is_settled_during_sync() {
    let mut world = grown();
    world.chain.note_own_bitcoin_height(None);
    bare_links(&mut world, SETTLED_LINKS + 10);
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    note_bitcoin(&mut world);
    assert_eq!(world.chain.settled().height, Height(0));
    // Links that came while the node was out of sync do not count as links on top, either.
    bare_links(&mut world, 1);
    world.chain.note_own_bitcoin_height(None);
    bare_links(&mut world, SETTLED_LINKS);
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    note_bitcoin(&mut world);
    bare_links(&mut world, 1);
    assert_eq!(world.chain.settled().height, Height(0));
}

#[test]
fn a_branch_that_undoes_settled_links_raises_an_alarm_and_does_not_win() {
    let common = grown();
    let mut world = common.clone();
    note_bitcoin(&mut world);
    let mut rival = common.clone();
    bare_links(&mut world, SETTLED_LINKS + 2);
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    note_bitcoin(&mut world);
    assert!(world.chain.settled().height >= Height(13));
    rival.now = rival.now.plus(1);
    let heavier = bare_links(&mut rival, SETTLED_LINKS + 10);
    let tip = world.chain.tip();
    send(&heavier, &rival, &mut world);
    assert_eq!(world.chain.tip(), tip);
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()));
    // A newcomer follows the heavier branch, in whatever order it gets both.
    let mut newcomer = common.clone();
    send(&heavier, &rival, &mut newcomer);
    assert_eq!(newcomer.chain.tip(), rival.chain.tip());
    // The alarm ends as soon as the main chain is the heavier one again.
    bare_links(&mut world, 1);
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()));
    bare_links(&mut world, 11);
    assert_eq!(world.chain.conflict(), None);
}

#[test]
fn what_is_settled_survives_a_restart_even_with_the_conflicting_branch_in_store() {
    let common = grown();
    let mut before = common.clone();
    let mut rival = common.clone();
    let own = bare_links(&mut before, 30);
    rival.now = rival.now.plus(1);
    let heavier = bare_links(&mut rival, 40);
    let last = own[9].0.id();
    for told_first in [true, false] {
        let mut world = common.clone();
        if told_first {
            world.chain.restore_settled(last);
            assert_eq!(world.chain.settled().height, Height(0), "it is not known yet");
        }
        send(&own, &before, &mut world);
        if !told_first {
            world.chain.restore_settled(last);
        }
        assert_eq!((world.chain.settled().id, world.chain.settled().height), (last, Height(22)));
        send(&heavier, &rival, &mut world);
        assert_eq!(world.chain.tip(), before.chain.tip());
        assert_eq!(world.chain.conflict(), Some(rival.chain.tip()));
    }
    let mut elsewhere = common.clone();
    elsewhere.chain.restore_settled(last);
    send(&heavier, &rival, &mut elsewhere);
    assert_eq!(elsewhere.chain.tip(), rival.chain.tip(), "a link that never comes holds nothing up");
}

/// Links below it that came in sync would be final by themselves, but they are lower.
#[test]
fn what_was_final_before_a_restart_stays_so() {
    let mut world = grown();
    let mut before = world.clone();
    let own = bare_links(&mut before, SETTLED_LINKS + 5);
    note_bitcoin(&mut world);
    world.chain.restore_settled(own[9].0.id());
    send(&own, &before, &mut world);
    (0..SETTLED_BITCOIN_BLOCKS).for_each(|_| world.bitcoin_block());
    note_bitcoin(&mut world);
    assert_eq!(world.chain.settled().height, Height(12 + 10));
}

#[test]
fn both_sides_of_a_partition_keep_their_shares() {
    let mut common = World::new();
    common.grow(20, 2);
    let (mut left, mut right) = (common.clone(), common.clone());
    right.now = right.now.plus(1);
    let anchor_depth = common.chain.params().anchor_depth as u8;
    // Proofs more than the anchor's depth above the fork on the losing side are lost, because their anchor is not on
    // the chain.
    let of_left = left.grow(anchor_depth - 2, 3);
    let of_right = right.grow(anchor_depth, 3);
    let before = (left.clone(), right.clone());
    for (from, to, found) in [(before.0, &mut right, &of_left), (before.1, &mut left, &of_right)] {
        to.now = to.now.max(from.now);
        for header in &from.bitcoin_headers {
            to.chain.insert_bitcoin_header(*header, to.now);
        }
        for (proof, list) in found {
            accepted(to.insert(proof, list.clone()));
        }
    }
    assert_eq!(left.chain.tip(), right.chain.tip());
    left.bitcoin_tip = left.chain.bitcoin().best().header;
    let (link, list) = left.link(miner(8));
    for (proof, _) in of_left.iter().chain(&of_right) {
        assert!(
            !matches!(left.chain.fate(&proof.id()), Fate::Pending | Fate::Unknown),
            "{:?}",
            left.chain.fate(&proof.id())
        );
    }
    accepted(right.insert(&link, Some(list)));
    let tip = left.chain.tip();
    assert_eq!(right.chain.tip(), tip);
    let (one, other) = (left.chain.window(&tip).unwrap(), right.chain.window(&tip).unwrap());
    assert_eq!((one.total(), one.proofs()), (other.total(), other.proofs()));
}

#[test]
fn a_link_that_leaves_out_a_known_share_is_passed_over_until_it_has_a_child() {
    let mut world = grown();
    world.in_sync();
    let share = world.share(miner(5));
    let parent = world.chain.tip();
    world.now = world.now.plus(OMISSION_SECONDS + 1);
    let omitting = Spec { list: vec![], link: true, ..world.spec(miner(6)) };
    let (omitting, _) = world.link_of(omitting);
    assert_eq!(world.chain.tip(), omitting.id(), "it counts");
    assert_eq!(world.chain.build_on(), parent, "but no node builds on it");
    let mut supported = world.clone();
    let child = Spec { link: true, ..supported.spec_on(omitting.id(), miner(6)) };
    let (child, _) = supported.link_of(child);
    assert_eq!(supported.chain.build_on(), child.id(), "a child ends that");
    let (honest, list) = world.link(miner(7));
    assert!(list.contains(&share.id()));
    assert_eq!(world.chain.tip(), honest.id(), "it loses the tie against a later link");
}

#[test]
fn leaving_out_what_came_shortly_before_is_no_omission() {
    let mut world = grown();
    world.share(miner(5));
    world.now = world.now.plus(OMISSION_SECONDS - 2);
    let spec = Spec { list: vec![], link: true, ..world.spec(miner(6)) };
    let (link, _) = world.link_of(spec);
    assert_eq!(world.chain.build_on(), link.id());
}

#[test]
fn what_lies_too_deep_is_forgotten_and_not_judged_again() {
    let mut world = grown();
    let old_share = world.share(miner(5));
    let (old_link, old_list) = world.link(miner(5));
    let old_height = world.chain.link(&old_link.id()).unwrap().height;
    let fork = world.clone();
    let side_spec = Spec { link: true, list: vec![ShareId([7; 32])], ..world.spec(miner(6)) };
    let (side, _) = world.link_of(side_spec);
    assert_eq!(world.chain.missing().count(), 1);
    let reach = world.chain.params().listing_depth + 2;
    for step in 0..MEMORY_DEPTH + reach + 3 {
        bare_links(&mut world, 1);
        if step % 200 == 0 || step > MEMORY_DEPTH - 3 {
            // Proofs that come again change nothing, at any depth.
            let tip = world.chain.tip();
            let outcome = world.insert(&old_link, Some(old_list.clone()));
            assert_eq!(outcome, Outcome::Known(Default::default()), "at {step}");
            assert!(world.chain.link(&old_link.id()).unwrap().complete().is_some());
            assert_eq!(world.chain.tip(), tip);
        }
    }
    assert!(world.chain.height().above(old_height) > MEMORY_DEPTH + reach);
    assert!(world.chain.credit(&old_share.id()).is_none());
    assert_eq!(world.chain.fate(&old_share.id()), Fate::Unknown);
    assert_eq!(world.insert(&old_share, None), Outcome::Unlistable);
    assert!(
        matches!(world.chain.link(&side.id()).unwrap().list, ListState::Missing),
        "an incomplete link was given up"
    );
    let mut late = fork;
    let (late_link, list) = late.link(miner(7));
    assert_eq!(world.insert(&late_link, Some(list)), Outcome::Unlistable);
    // The window does not need forgotten proofs.
    let tip = world.chain.tip();
    assert!(world.chain.window(&tip).is_some());
}

/// Proofs with real work and unknown parents.
fn orphans(world: &mut World, count: usize) -> Vec<Proof> {
    let spec = world.spec(miner(1));
    (0..count)
        .map(|number| {
            let mut share = world.header_of(&spec);
            share.parent = ShareId([9; 32]);
            share.signals = number as u32;
            let target = world.chain.params().easiest_share_target;
            world.mine_until(share, &[], spec.previous_block, |_| (), |hash| hash <= target)
        })
        .collect()
}

#[test]
fn held_proofs_are_bounded_per_source_and_in_all_and_the_least_work_goes_first() {
    let mut world = grown();
    let proofs = orphans(&mut world, HELD_MAX + 300);
    let mut of_one: Vec<ShareId> = Vec::new();
    for proof in &proofs[..HELD_PER_SOURCE_MAX + 50] {
        world.insert(proof, None);
        of_one.push(proof.id());
    }
    assert_eq!(world.chain.held_len(), HELD_PER_SOURCE_MAX);
    of_one.sort_by_key(ShareId::as_number);
    for (rank, id) in of_one.iter().enumerate() {
        let kept = matches!(world.chain.fate(id), Fate::Held(_));
        assert_eq!(kept, rank < HELD_PER_SOURCE_MAX, "the most work stays");
    }
    let told = world.chain.tick(world.now).dropped.len();
    assert_eq!(told, 50, "whatever had to go is told");
    for (number, proof) in proofs.iter().enumerate() {
        let bound = world.bind(proof);
        world.chain.insert(bound, None, Source(100 + number as u64 / 200), world.now);
    }
    assert_eq!(world.chain.held_len(), HELD_MAX);
    assert_eq!(world.chain.missing().count(), 1, "all wait for the same parent");
}

#[test]
fn held_proofs_expire() {
    let mut world = grown();
    let proofs = orphans(&mut world, 3);
    for proof in &proofs {
        world.insert(proof, None);
    }
    let spec = world.spec(miner(1));
    let mut share = world.header_of(&spec);
    share.time = world.now.plus(7_000);
    let payouts = world.payouts(&share, &spec.previous_block);
    let future = world.mine_with(share, &payouts, spec.previous_block, false);
    assert!(matches!(world.insert(&future, None), Outcome::Held(Missing::Time(_))));
    assert!(world.chain.tick(world.now.plus(HELD_SECONDS_MAX)).is_empty());
    let dropped = world.chain.tick(world.now.plus(HELD_SECONDS_MAX + 1)).dropped;
    assert_eq!(dropped.len(), 4, "waiting for time is bounded as well");
    assert_eq!(world.chain.held_len(), 0);
}

#[test]
fn refusals_are_remembered_up_to_a_bound() {
    let mut world = grown();
    let spec = world.spec(miner(1));
    let mut first = None;
    for number in 0..=REFUSED_MAX {
        let mut share = world.header_of(&spec);
        share.anchor = ShareId([5; 32]);
        share.signals = number as u32;
        let proof = world.mine_with(share, &[], spec.previous_block, false);
        assert_eq!(world.insert(&proof, None), Outcome::Invalid(RuleError::Anchor));
        let first = first.get_or_insert(proof.id());
        let expected = (number < REFUSED_MAX).then_some(RuleError::Anchor);
        assert_eq!(world.chain.refusal(first), expected);
    }
}

#[test]
fn time_decides_only_what_is_held() {
    let mut world = grown();
    let spec = Spec { time: world.now.plus(31), ..world.spec(miner(1)) };
    let early = world.mine(&spec);
    assert_eq!(world.insert(&early, None), Outcome::Held(Missing::Time(Timestamp(world.now.0 + 1))));
    let spec = Spec { time: world.now.plus(30), ..world.spec(miner(1)) };
    let just = world.mine(&spec);
    accepted(world.insert(&just, None));
    assert_eq!(world.chain.tick(world.now.plus(1)).accepted.len(), 1);
}

#[test]
fn a_heavier_branch_is_followed_however_long_it_was_apart() {
    let common = grown();
    let (mut world, mut rival) = (common.clone(), common.clone());
    rival.now = rival.now.plus(1);
    let anchor_depth = common.chain.params().anchor_depth as u8;
    world.grow(3 * anchor_depth, 2);
    let heavier = rival.grow(4 * anchor_depth, 2);
    let shares: BTreeMap<ShareId, &Proof> = heavier.iter().map(|(proof, _)| (proof.id(), proof)).collect();
    world.now = world.now.max(rival.now);
    for header in &rival.bitcoin_headers {
        world.chain.insert_bitcoin_header(*header, world.now);
    }
    // Links come with their lists, as peers send them. The node has to ask for the shares that they list.
    for (link, list) in heavier.iter().filter(|(_, list)| list.is_some()) {
        world.insert(link, list.clone());
    }
    for _ in 0..heavier.len() {
        for want in world.chain.missing().collect::<Vec<_>>() {
            let Missing::Proof(id) = want else { panic!("{want:?}") };
            world.insert(shares[&id], None);
        }
    }
    assert_eq!(world.chain.tip(), rival.chain.tip());
}
