//! Data that is withheld, work that is published late, and work that others leave out.

use sharechain::chain::{Fate, ListState};
use sharechain::limits::{FUTURE_SECONDS, LIST_MAX, OMISSION_SECONDS};
use sharechain::{Proof, ShareId, Timestamp, Weight};

use super::{bonus, earned, footprint, grown, secret_link, thief, times, unit};
use testkit::{Spec, World, accepted, miner};

#[test]
fn data_withholding_of_listed_shares() {
    let mut world = grown();
    let mut secret = world.clone();
    let hidden: Vec<Proof> = (0..10).map(|_| secret.share(thief())).collect();
    let before = footprint(&world);
    let (link, list) = secret.link(thief());
    accepted(world.insert(&link, Some(list.clone())));
    // The link does not count, and no other miner's work waits for the shares that it lists.
    assert_eq!(world.chain.tip(), before.tip);
    assert_eq!(footprint(&world).missing, list.len());
    let share = world.share(miner(2));
    let (honest, honest_list) = world.link(miner(3));
    assert_eq!(world.chain.tip(), honest.id());
    assert!(honest_list.contains(&share.id()));
    world.link(miner(3));
    assert_eq!(world.chain.missing().count(), 0, "a lighter branch is not asked for");
    // When its shares are published in the end, the branch counts from then on, and loses.
    let tip = world.chain.tip();
    for proof in &hidden {
        accepted(world.insert(proof, None));
    }
    assert!(world.chain.link(&link.id()).unwrap().complete().is_some());
    assert_eq!(world.chain.tip(), tip);
    let value = unit(&world);
    world.link(miner(3));
    let late = times(value, hidden.len() as u64 + 1);
    assert_eq!(earned(&mut world, &thief()).0, late, "what shares earn, and its link's bonus is lost");
}

#[test]
fn a_tie_goes_to_the_link_whose_shares_are_known_first() {
    let mut world = grown();
    let mut secret = world.clone();
    let hidden = secret.share(thief());
    let (link, list) = secret.link(thief());
    world.now = secret.now;
    accepted(world.insert(&link, Some(list)));
    let (honest, honest_list) = secret_link(&mut world, link.share.parent, miner(3));
    accepted(world.insert(&honest, Some(honest_list)));
    accepted(world.insert(&hidden, None));
    let work = |id: &ShareId| world.chain.link(id).unwrap().chain_work;
    assert_eq!(work(&link.id()), work(&honest.id()));
    assert_eq!(world.chain.tip(), honest.id(), "headers that came first win nothing");
}

#[test]
fn the_children_of_a_link_without_its_list_keep_their_credit() {
    let mut world = grown();
    let spec = Spec { link: true, list: vec![ShareId([1; 32])], ..world.spec(thief()) };
    let (withheld, _) = world.link_of(spec);
    let child = world.mine(&Spec { list: vec![], ..world.spec_on(withheld.id(), miner(9)) });
    accepted(world.insert(&child, None));
    assert!(matches!(world.chain.link(&withheld.id()).unwrap().list, ListState::Waiting(_)));
    let value = unit(&world);
    world.link(miner(1));
    assert_eq!(earned(&mut world, &miner(9)).0, value, "the withholder took nothing from who built on it");
    assert_eq!(earned(&mut world, &thief()).0, value, "and its link earns as a share, without its bonus");
}

/// Mines a share for the thief, publishes it after `links` more links, and returns what it earns.
fn shown_after(links: u32) -> Weight {
    let mut world = grown();
    let spec = world.spec(thief());
    let kept = world.mine(&Spec { list: vec![], ..spec });
    for _ in 0..links {
        world.link(miner(1));
    }
    match world.insert(&kept, None) {
        sharechain::chain::Outcome::Accepted(_) => {}
        sharechain::chain::Outcome::Unlistable => return Weight::ZERO,
        other => panic!("{other:?}"),
    }
    world.link(miner(1));
    earned(&mut world, &thief()).0
}

#[test]
fn share_withholding_and_hoarding() {
    let world = grown();
    let value = unit(&world);
    let params = world.chain.params();
    // From the parent to the anchor, and the listing link itself.
    let last = params.credit_depth - params.anchor_depth - 1;
    let listable = params.listing_depth - params.anchor_depth - 1;
    for links in 0..=listable + 2 {
        let due = if links <= last { value } else { Weight::ZERO };
        assert_eq!(shown_after(links), due, "shown {links} links late");
    }
}

#[test]
fn a_worthless_proof_does_not_void_the_branch() {
    let mut world = grown();
    let spec = world.spec(thief());
    let old = world.mine(&Spec { list: vec![], ..spec });
    let params = world.chain.params().clone();
    for _ in 0..params.credit_depth - params.anchor_depth {
        world.link(miner(1));
    }
    accepted(world.insert(&old, None));
    let tip = world.chain.tip();
    let (link, list) = world.link(miner(9));
    assert_eq!(list, [old.id()], "honest nodes list it");
    assert_eq!(world.chain.tip(), link.id());
    assert_eq!(world.chain.link(&link.id()).unwrap().parent, tip);
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 1));
    let due = unit(&world).plus(bonus(&world, &link.id()));
    assert_eq!(earned(&mut world, &miner(9)).0, due, "the link that listed it lost nothing");
}

#[test]
fn leaving_others_out_delays_them_and_costs_the_censor_its_bonus() {
    let mut world = grown();
    world.in_sync();
    let victim = world.share(miner(9));
    let value = unit(&world);
    let parent = world.chain.tip();
    world.now = world.now.plus(OMISSION_SECONDS + 1);
    // A censor without a majority of the hashrate finds a link.
    let spec = Spec { link: true, list: vec![], ..world.spec(thief()) };
    let (censoring, _) = world.link_of(spec);
    assert_eq!(world.chain.build_on(), parent, "honest miners build beside it");
    let (honest, list) = world.link(miner(1));
    assert!(list.contains(&victim.id()));
    assert_eq!(world.chain.tip(), honest.id());
    world.link(miner(1));
    assert_eq!(earned(&mut world, &miner(9)), (value, 1), "one link late, in full");
    assert!(matches!(world.chain.fate(&censoring.id()), Fate::Listed { .. }));
    assert_eq!(earned(&mut world, &thief()).0, value, "the censor's link earns as a share");
}

/// A censor's link on the tip that leaves out a share found `after_s` seconds earlier. Its time is `dated_s` seconds
/// off the clock or as early as the rules allow. Returns whether honest miners build on it.
fn is_built_on(after_s: u32, dated_s: i64) -> bool {
    let mut world = grown();
    world.in_sync();
    world.share(miner(9));
    let least = world.chain.link(&world.chain.tip()).unwrap().position.median_time.unwrap().plus(1);
    world.now = world.now.plus(after_s);
    let time = Timestamp((i64::from(world.now.0) + dated_s) as u32).max(least);
    let spec = Spec { link: true, list: vec![], time, ..world.spec(thief()) };
    let censoring = world.mine(&spec);
    accepted(world.insert(&censoring, Some(vec![])));
    assert_eq!(world.chain.tip(), censoring.id());
    world.chain.build_on() == censoring.id()
}

#[test]
fn a_censor_that_dates_its_links_gains_one_interval() {
    assert!(is_built_on(OMISSION_SECONDS, 0) && !is_built_on(OMISSION_SECONDS + 1, 0));
    // The largest allowed time ahead of the clock gains nothing.
    for ahead_s in [1, i64::from(FUTURE_SECONDS)] {
        assert!(!is_built_on(OMISSION_SECONDS + 1, ahead_s), "{ahead_s} s ahead");
        assert!(is_built_on(OMISSION_SECONDS, ahead_s), "a clock that is fast leaves nothing out, {ahead_s} s ahead");
    }
    // Back to the time when the node saw its parent, and no further: the link was found after that.
    assert!(is_built_on(OMISSION_SECONDS + 1, -1), "one interval is what remains");
    assert!(!is_built_on_second(-i64::from(2 * OMISSION_SECONDS)), "the median of the last links does not matter");
}

/// Like [`is_built_on`], on a link that also left the share out and that the node saw more than 30 s after the share.
fn is_built_on_second(dated_s: i64) -> bool {
    let mut world = grown();
    world.in_sync();
    world.share(miner(9));
    world.now = world.now.plus(OMISSION_SECONDS);
    let first = Spec { link: true, list: vec![], ..world.spec(miner(1)) };
    let first = world.mine(&first);
    world.now = world.now.plus(1);
    accepted(world.insert(&first, Some(vec![])));
    assert_eq!(world.chain.build_on(), first.id(), "it was found in time");
    let least = world.chain.link(&first.id()).unwrap().position.median_time.unwrap().plus(1);
    let time = Timestamp((i64::from(world.now.0) + dated_s) as u32).max(least);
    let spec = Spec { link: true, list: vec![], time, ..world.spec(thief()) };
    let censoring = world.mine(&spec);
    accepted(world.insert(&censoring, Some(vec![])));
    world.chain.build_on() == censoring.id()
}

#[test]
fn a_flood_of_shares_delays_and_voids_nothing() {
    const LINKS: usize = 3;
    let mut world: World = grown();
    let spec = Spec { list: vec![], ..world.spec(thief()) };
    let victim = world.share(miner(9));
    for _ in 0..LINKS * LIST_MAX {
        let share = world.mine(&spec);
        accepted(world.insert(&share, None));
    }
    let value = unit(&world);
    let mut waited = 0;
    while matches!(world.chain.fate(&victim.id()), Fate::Pending) {
        world.link(miner(1));
        waited += 1;
    }
    assert!(waited <= LINKS + 1, "lists take {LIST_MAX} a link, oldest height first: {waited} links");
    assert_eq!(
        earned(&mut world, &miner(9)),
        (value, 1),
        "the flood cost {} shares of work and took none",
        LINKS * LIST_MAX
    );
}
