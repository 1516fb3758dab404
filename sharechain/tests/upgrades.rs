//! Upgrade signals on a chain with real proofs: counted along each branch, and undone with it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sharechain::Height;
use sharechain::signals::{GRACE_PERIODS, PERIOD_LINKS, State};
use testkit::World;

const BIT: u32 = 1 << 7;

#[test]
fn a_bit_is_locked_in_on_the_branch_whose_work_sets_it() {
    let mut world = World::new();
    world.bitcoin_block();
    while world.chain.height() < Height(PERIOD_LINKS - 1) {
        let tip = world.chain.tip();
        // One in twelve does not signal.
        let bits = if world.chain.height().0.is_multiple_of(12) { 0 } else { BIT };
        world.link_signalling(tip, bits);
    }
    let before = world.chain.tip();
    assert!(world.chain.upgrades().all(|(bit, state)| bit == 7 && matches!(state, State::Counting { .. })));
    world.link_signalling(before, BIT);
    let from = Height(PERIOD_LINKS * (1 + GRACE_PERIODS) + 1);
    assert_eq!(world.chain.upgrades().collect::<Vec<_>>(), [(7, State::LockedIn { from })]);
    assert_eq!(world.chain.too_old(), None, "not before it is active");

    // A heavier branch whose last link of the period does not set it still has nine tenths: each branch counts its own.
    let rival = world.link_signalling(before, 0);
    let rival = world.link_signalling(rival.id(), 0);
    assert_eq!(world.chain.tip(), rival.id());
    let expected = [(7, State::LockedIn { from })];
    assert_eq!(world.chain.upgrades().collect::<Vec<_>>(), expected);
}

#[test]
fn a_program_that_does_not_know_an_active_upgrade_says_that_it_is_too_old() {
    let mut world = World::new();
    world.bitcoin_block();
    let from = PERIOD_LINKS * (1 + GRACE_PERIODS) + 1;
    while world.chain.height() < Height(from - 1) {
        assert_eq!(world.chain.too_old(), None);
        let tip = world.chain.tip();
        world.link_signalling(tip, BIT);
    }
    assert_eq!(world.chain.upgrades().collect::<Vec<_>>(), [(7, State::Active { from: Height(from) })]);
    assert_eq!(world.chain.too_old(), Some(7), "for the next link");
}
