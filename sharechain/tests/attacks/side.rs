//! Links off the main chain: cheap ones after a long gap, and floods of them.

use sharechain::chain::{ListState, Outcome};
use sharechain::change_set::ChangeSet;
use sharechain::limits::SIDE_LINKS_MAX;
use sharechain::{Height, Proof, ShareId, Timestamp};

use super::{grown, thief, wide};
use testkit::{Spec, World, accepted, miner};

/// A world whose main chain is so long that its first links cannot be listed any more.
fn long() -> World {
    let mut world = World::with(wide());
    world.grow(80, 1);
    world
}

/// A link on `parent` with a time of its own, not inserted.
fn mined_on(world: &mut World, parent: ShareId, time: Timestamp, list: Vec<ShareId>) -> Proof {
    let spec = Spec { link: true, time, list, ..world.spec_on(parent, thief()) };
    world.mine(&spec)
}

fn inserted(world: &mut World, proof: &Proof, list: Option<Vec<ShareId>>) -> ChangeSet {
    accepted(world.insert(proof, list))
}

/// A child long after an old link of the main chain: no position is easier.
fn easy_parent(world: &mut World) -> ShareId {
    world.now = world.now.plus(100_000);
    let old = world.chain.main_at(Height(10)).unwrap();
    let (first, now) = (world.now.plus(0), world.now);
    let link = mined_on(world, old, first, vec![]);
    inserted(world, &link, Some(vec![]));
    let position = &world.chain.link(&link.id()).unwrap().position;
    assert_eq!(position.link_target, position.share_target, "a link costs no more than a share");
    world.now = now;
    link.id()
}

#[test]
fn cheap_links_on_an_old_parent_are_neither_kept_nor_forwarded() {
    const SIBLINGS: usize = 40;
    let mut world = long();
    let parent = easy_parent(&mut world);
    let missing = world.chain.missing().count();
    for number in 0..SIBLINGS {
        let made_up: Vec<ShareId> =
            (0..1_024).map(|at: u32| ShareId([at.to_le_bytes(); 8].concat().try_into().unwrap())).collect();
        let mut spec = Spec { link: true, list: made_up.clone(), ..world.spec_on(parent, thief()) };
        spec.fees_sat = number as u64;
        let link = world.mine(&spec);
        let changes = inserted(&mut world, &link, Some(made_up));
        assert!(changes.lists.is_empty(), "its list is not journalled");
        assert!(changes.accepted.iter().all(|proof| !proof.forward), "and it is not forwarded");
        assert!(matches!(world.chain.link(&link.id()).unwrap().list, ListState::Missing));
    }
    assert_eq!(world.chain.missing().count(), missing, "nothing of it is asked for");
    // Honest work on the same node continues: it forwards a share that the main chain can list.
    let spec = world.spec(miner(3));
    let share = world.mine(&spec);
    assert!(inserted(&mut world, &share, None).accepted[0].forward);
}

/// Fills the space for side links with cheap ones.
fn fill(world: &mut World, parent: ShareId) {
    let spec = Spec { link: true, list: vec![], ..world.spec_on(parent, thief()) };
    for _ in 0..SIDE_LINKS_MAX + 200 {
        let link = world.mine(&spec);
        let outcome = world.insert(&link, None);
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Unlistable), "eviction is no verdict: {outcome:?}");
    }
    assert_eq!(world.chain.side_links(), SIDE_LINKS_MAX);
}

#[test]
fn side_links_are_bounded_and_what_can_be_listed_stays() {
    let mut world = long();
    // An honest branch that split off long ago.
    let mut fork = world.clone();
    let mut branch = vec![];
    let mut tip = world.chain.main_at(Height(5)).unwrap();
    for _ in 0..50 {
        fork.now = fork.now.plus(1);
        let time = fork.now;
        let link = mined_on(&mut fork, tip, time, vec![]);
        tip = link.id();
        accepted(fork.insert_requested(&link, Some(vec![])));
        branch.push(link);
    }
    // Cheap links come before it and are higher. More come after it.
    let parent = easy_parent(&mut world);
    fill(&mut world, parent);
    for link in &branch {
        accepted(world.insert_requested(link, Some(vec![])));
    }
    let below = world.chain.main_at(world.chain.height().below(3)).unwrap();
    let now = world.now;
    let listable = mined_on(&mut world, below, now, vec![]);
    inserted(&mut world, &listable, Some(vec![]));

    fill(&mut world, parent);
    assert!(
        branch.iter().all(|link| world.chain.link(&link.id()).is_some()),
        "links of an honest branch took more work"
    );
    assert!(world.chain.link(&listable.id()).is_some());
    let (_, list) = world.link(miner(1));
    assert!(list.contains(&listable.id()));
}

#[test]
fn an_evicted_link_may_come_again() {
    let mut world = grown();
    let parent = world.chain.tip();
    let side: Vec<_> =
        (0..2).map(|_| world.link_of(Spec { link: true, list: vec![], ..world.spec_on(parent, miner(1)) })).collect();
    let count = world.chain.side_links();
    assert_eq!(count, 1, "of two siblings, one is on the main chain");
    let (last, _) = side.last().unwrap();
    assert!(matches!(world.insert(last, Some(vec![])), Outcome::Known(_)));
    world.link(miner(2));
    assert_eq!(world.chain.side_links(), count, "a new link on the main chain is not off it");
}

#[test]
fn a_replay_of_evicted_links_is_not_stored_again() {
    let mut world = long();
    let parent = easy_parent(&mut world);
    let spec = Spec { link: true, list: vec![], ..world.spec_on(parent, thief()) };
    let links: Vec<Proof> = (0..SIDE_LINKS_MAX + 100).map(|_| world.mine(&spec)).collect();
    let store = |world: &mut World| {
        let mut accepted = |link: &Proof| matches!(world.insert(link, None), Outcome::Accepted(_));
        links.iter().filter(|link| accepted(link)).count()
    };
    assert!(store(&mut world) > SIDE_LINKS_MAX - 2);
    let (mut again, rounds) = (0, 3);
    for _ in 0..rounds {
        again += store(&mut world);
    }
    assert_eq!(again, 0, "what would be the first to go is not taken in");
}
