//! What links may list, and what happens to links that list anything else.

use sharechain::chain::{ListState, Missing, Outcome, Unpaid};
use sharechain::change_set::Source;
use sharechain::limits::LIST_MAX;
use sharechain::{Proof, RuleError, ShareId, Timestamp};
use testkit::{Spec, World, accepted, miner};

fn grown() -> World {
    let mut world = World::new();
    world.grow(12, 2);
    world
}

/// Mines a link with this list on the tip, inserts it, and returns the outcome of its list.
fn listing(world: &mut World, list: Vec<ShareId>) -> (ShareId, Option<RuleError>) {
    let spec = Spec { list, link: true, ..world.spec(miner(1)) };
    let (proof, _) = world.link_of(spec);
    (proof.id(), verdict(world, &proof.id()))
}

fn verdict(world: &World, id: &ShareId) -> Option<RuleError> {
    match world.chain.link(id).unwrap().list {
        ListState::Invalid(rule) => Some(rule),
        ListState::Missing | ListState::Waiting(_) | ListState::Complete(_) => None,
    }
}

/// Asserts that a link with this list does not count, and that the next honest link does.
fn assert_refused(world: &mut World, list: Vec<ShareId>, rule: RuleError) {
    let before = world.chain.tip();
    let (id, verdict) = listing(world, list);
    assert_eq!(verdict, Some(rule));
    assert_eq!(world.chain.tip(), before, "an invalid list does not count");
    let (_, list) = world.link(miner(2));
    assert!(list.contains(&id), "the link still earns as a share");
    assert_eq!(world.chain.link(&world.chain.tip()).unwrap().parent, before);
}

/// Ids of shares, in the order of a list.
fn in_order(world: &World, proofs: &[Proof]) -> Vec<ShareId> {
    let mut ids: Vec<ShareId> = proofs.iter().map(Proof::id).collect();
    ids.sort_by_key(|id| (world.chain.credit(id).unwrap().height, *id));
    ids
}

#[test]
fn sc_401_a_list_is_the_one_committed_to() {
    let mut world = grown();
    let share = world.share(miner(1));
    let mut other = world.clone();
    let (link, list) = other.link(miner(2));
    world.now = other.now;
    let invalid = Outcome::Invalid(RuleError::ListRoot);
    assert_eq!(world.insert(&link, Some(vec![])), invalid);
    assert_eq!(world.insert(&link, Some(vec![share.id(), share.id()])), invalid);
    assert_eq!(world.insert(&link, Some(vec![ShareId([1; 32])])), invalid);
    accepted(world.insert(&link, None));
    assert_eq!(world.chain.supply_list(link.id(), vec![], world.now), Err(RuleError::ListRoot));
    assert_eq!(world.insert(&link, Some(vec![])), invalid);
    let changes = world.chain.supply_list(link.id(), list, world.now).unwrap();
    assert_eq!(changes.completed, [link.id()], "a wrong list did no harm");
}

#[test]
fn sc_402_lists_ascend() {
    let mut world = grown();
    let shares = [world.share(miner(1)), world.share(miner(2))];
    let ids = in_order(&world, &shares);
    assert_refused(&mut world, vec![ids[1], ids[0]], RuleError::ListOrder);
    let mut world = grown();
    let share = world.share(miner(1)).id();
    assert_refused(&mut world, vec![share, share], RuleError::ListOrder);
}

#[test]
fn sc_403_anchors_are_neither_old_nor_on_another_branch() {
    let mut world = grown();
    let parent = world.chain.tip();
    let late = world.share(miner(1));
    let depth = world.chain.params().listing_depth + world.chain.params().anchor_depth;
    for _ in 0..depth - 1 {
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
        world.link_of(spec);
    }
    // The share's anchor is anchor_depth below its parent.
    let mut last_chance = world.clone();
    let height = last_chance.chain.height().0 + 1;
    let anchor_height = last_chance.chain.link(&parent).unwrap().position.anchor_height.0;
    let over = (height - anchor_height).saturating_sub(world.chain.params().listing_depth);
    assert!(over > 0, "the setup goes beyond the listing depth");
    assert_refused(&mut last_chance, vec![late.id()], RuleError::ListAnchor);
}

#[test]
fn sc_403_listing_ends_exactly_at_its_depth() {
    let mut world = grown();
    let late = world.share(miner(1));
    let listing_depth = world.chain.params().listing_depth;
    let anchor_height = world.chain.credit(&late.id()).unwrap().anchor_height;
    while world.chain.height().0 < anchor_height.0 + listing_depth - 1 {
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
        world.link_of(spec);
    }
    let mut too_late = world.clone();
    assert_eq!(listing(&mut world, vec![late.id()]).1, None, "at the listing depth");
    let spec = Spec { list: vec![], link: true, ..too_late.spec(miner(1)) };
    too_late.link_of(spec);
    assert_refused(&mut too_late, vec![late.id()], RuleError::ListAnchor);
}

#[test]
fn a_share_may_come_as_long_as_the_next_link_can_list_it() {
    let mut world = grown();
    let spec = world.spec(miner(1));
    let share = world.mine(&spec);
    let anchor_height = world.chain.link(&spec.parent).unwrap().position.anchor_height.0;
    while world.chain.height().0 + 1 < anchor_height + world.chain.params().listing_depth {
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
        world.link_of(spec);
    }
    let mut too_late = world.clone();
    accepted(world.insert(&share, None));
    assert_eq!(listing(&mut world, vec![share.id()]).1, None);
    let spec = Spec { list: vec![], link: true, ..too_late.spec(miner(1)) };
    too_late.link_of(spec);
    assert_eq!(too_late.insert(&share, None), Outcome::Unlistable);
}

#[test]
fn sc_404_parents_are_listed_before_their_children() {
    let mut world = grown();
    let mut fork = Spec { link: true, ..world.spec_on(world.chain.tip(), miner(1)) };
    // Two links on the tip. The second is off the main chain, and a share extends it.
    world.link_of(fork.clone());
    fork.payout = miner(2);
    fork.list = vec![];
    let (side, _) = world.link_of(fork);
    assert_ne!(world.chain.tip(), side.id());
    let spec = Spec { list: vec![], ..world.spec_on(side.id(), miner(3)) };
    let child = world.mine(&spec);
    accepted(world.insert(&child, None));
    let mut listed = world.clone();
    assert_eq!(listing(&mut listed, vec![side.id(), child.id()]).1, None, "parent and child in one list");
    assert_refused(&mut world, vec![child.id()], RuleError::ListParent);
}

#[test]
fn sc_405_nothing_is_listed_twice() {
    let mut world = grown();
    let share = world.share(miner(1));
    world.link(miner(1));
    assert_refused(&mut world, vec![share.id()], RuleError::ListRepeats);
    let tip = world.chain.tip();
    assert_refused(&mut world, vec![tip], RuleError::ListRepeats);
}

#[test]
fn sc_406_and_407_an_invalid_share_voids_the_list_and_all_that_follows() {
    let mut world = grown();
    let spec = world.spec(miner(1));
    let mut share = world.header_of(&spec);
    share.anchor = ShareId([5; 32]);
    let invalid = world.mine_with(share, &[], spec.previous_block, false);
    let before = world.chain.tip();
    let (link, verdict_before) = listing(&mut world, vec![invalid.id()]);
    assert_eq!(verdict_before, None, "it has not arrived yet");
    let spec = Spec { link: true, list: vec![], ..world.spec_on(link, miner(2)) };
    let (child, _) = world.link_of(spec);
    assert_eq!(world.chain.missing().collect::<Vec<_>>(), [Missing::Proof(invalid.id())]);
    assert_eq!(world.insert(&invalid, None), Outcome::Invalid(RuleError::Anchor));
    assert_eq!(verdict(&world, &link), Some(RuleError::ListInvalid));
    assert_eq!(verdict(&world, &child.id()), Some(RuleError::ParentListInvalid));
    assert_eq!(world.chain.tip(), before);
    assert_eq!(world.chain.missing().count(), 0, "nothing is wanted any more");
    let (_, list) = world.link(miner(3));
    assert!(list.contains(&link) && list.contains(&child.id()), "both earn as shares");
}

#[test]
fn a_withheld_share_voids_nobody_elses_work() {
    let mut world = grown();
    let before = world.chain.tip();
    let (withholding, _) = listing(&mut world, vec![ShareId([1; 32]), ShareId([2; 32])]);
    assert_eq!(world.chain.tip(), before);
    assert_eq!(world.chain.missing().count(), 2);
    let share = world.share(miner(2));
    let (_, list) = world.link(miner(3));
    assert!(list.contains(&share.id()) && list.contains(&withholding));
    world.link(miner(3));
    assert_eq!(world.chain.missing().count(), 0, "a lighter branch is not worth asking for");
}

#[test]
fn more_than_a_list_holds_waits_for_the_next_link() {
    let mut world = grown();
    for number in 0..LIST_MAX + 100 {
        let spec = Spec { list: vec![], ..world.spec(miner((number % 200) as u8)) };
        let share = world.mine(&spec);
        accepted(world.insert(&share, None));
    }
    let (_, first) = world.link(miner(1));
    assert_eq!(first.len(), LIST_MAX);
    let (_, second) = world.link(miner(1));
    assert_eq!(second.len(), 100);
    assert!(world.chain.pending(usize::MAX).is_empty());
}

/// A share found on the tip, and `links` links without lists after it.
fn aged(world: &mut World, links: u32) -> Proof {
    let share = world.share(miner(200));
    for _ in 0..links {
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
        world.link_of(spec);
    }
    share
}

fn earned(world: &mut World, id: ShareId) -> u128 {
    let list = vec![id];
    assert_eq!(listing(world, list).1, None);
    let tip = world.chain.tip();
    let script = world.chain.scripts().index(&miner(200)).unwrap();
    world.chain.window(&tip).unwrap().sum(script).weight.0
}

#[test]
fn late_work_earns_up_to_the_credit_depth_and_nothing_beyond() {
    let params = testkit::params();
    // The anchor is already anchor_depth below the parent, which is one below the next link.
    let left = params.credit_depth - params.anchor_depth - 1;
    let mut world = grown();
    let share = aged(&mut world, left);
    assert!(earned(&mut world, share.id()) > 0);
    let mut world = grown();
    let share = aged(&mut world, left + 1);
    assert_eq!(earned(&mut world, share.id()), 0);
    assert_eq!(world.chain.unpaid(&share.id()), Some(Unpaid::TooDeep));
}

#[test]
fn work_on_an_old_bitcoin_tip_earns_for_the_stale_depth() {
    let stale_depth = testkit::params().stale_depth;
    for (links, earns) in [(stale_depth, true), (stale_depth + 1, false)] {
        let mut world = grown();
        let share = world.share(miner(200));
        world.bitcoin_block();
        // The first of these links has the greater Bitcoin height. The link that lists comes `links` after it.
        for _ in 0..links {
            let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
            world.link_of(spec);
        }
        assert_eq!(earned(&mut world, share.id()) > 0, earns, "{links} links after the first of a greater height");
        assert_eq!(world.chain.unpaid(&share.id()), (!earns).then_some(Unpaid::StaleTip));
    }
}

#[test]
fn a_list_that_comes_with_a_held_link_is_not_lost() {
    let mut world = grown();
    let mut other = world.clone();
    let (first, first_list) = other.link(miner(1));
    other.share(miner(2));
    let (second, second_list) = other.link(miner(1));
    let share = world.bind(&second);
    world.now = other.now;
    let outcome = world.chain.insert(share, Some(second_list.clone()), Source(3), Timestamp(world.now.0));
    assert_eq!(outcome, Outcome::Held(Missing::Proof(first.id())));
    accepted(world.insert(&first, Some(first_list)));
    assert!(
        matches!(&world.chain.link(&second.id()).unwrap().list, ListState::Waiting(list) if **list == *second_list)
    );
}

#[test]
fn what_two_links_list_stays_wanted_when_one_of_them_falls() {
    let mut world = grown();
    let spec = world.spec(miner(1));
    let mut share = world.header_of(&spec);
    share.anchor = ShareId([5; 32]);
    let invalid = world.mine_with(share, &[], spec.previous_block, false);
    let shared = world.mine(&spec);
    let mut both = [invalid.id(), shared.id()];
    both.sort();
    let parent = world.chain.tip();
    let (falls, _) = listing(&mut world, both.to_vec());
    let spec = Spec { list: vec![shared.id()], link: true, ..world.spec_on(parent, miner(2)) };
    // Its miner knows the share.
    let mut knowing = world.clone();
    accepted(knowing.insert(&shared, None));
    let stays = knowing.mine(&spec);
    accepted(world.insert(&stays, Some(spec.list)));
    assert_eq!(world.insert(&invalid, None), Outcome::Invalid(RuleError::Anchor));
    assert!(world.chain.missing().any(|missing| missing == Missing::Proof(shared.id())));
    accepted(world.insert(&shared, None));
    assert_eq!(world.chain.tip(), stays.id());
    assert_eq!(verdict(&world, &falls), Some(RuleError::ListInvalid));
}
