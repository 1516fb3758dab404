//! Upgrade signals on a chain with real proofs, counted along each branch and undone with it.

use sharechain::Height;
use sharechain::signals::{CARRYING_PERIODS, PERIOD_LINKS, State};
use testkit::World;

const BIT: u32 = 1 << 7;

/// Number of links until a bit that all of them set is locked in.
const CARRYING: u32 = PERIOD_LINKS * CARRYING_PERIODS as u32;

/// Extends the chain to a height. All links but one in `all_but_one_in` set the bit.
fn signal_to(world: &mut World, height: u32, all_but_one_in: u32) {
    while world.chain.height() < Height(height) {
        let tip = world.chain.tip();
        let bits = if world.chain.height().0.is_multiple_of(all_but_one_in) { 0 } else { BIT };
        world.link_signalling(tip, bits);
    }
}

fn states(world: &World) -> Vec<(u8, State)> {
    world.chain.upgrades().collect()
}

#[test]
fn a_bit_is_locked_in_on_the_branch_whose_links_set_it() {
    let mut world = World::new();
    world.bitcoin_block();
    signal_to(&mut world, CARRYING - 1, 12);
    let before = world.chain.tip();
    assert!(states(&world).iter().all(|(bit, state)| *bit == 7 && matches!(state, State::Counting { .. })));
    world.link_signalling(before, BIT);
    let locked_in = State::LockedIn { since: Height(CARRYING), good_periods: 0 };
    assert_eq!(states(&world), [(7, locked_in)]);

    // A heavier branch whose last link of the period does not set the bit still has nine tenths: each branch counts its
    // own links.
    let rival = world.link_signalling(before, 0);
    let rival = world.link_signalling(rival.id(), 0);
    assert_eq!(world.chain.tip(), rival.id());
    assert_eq!(states(&world), [(7, locked_in)]);

    assert_eq!(world.chain.too_old(), None, "not before it is active");
}

#[test]
fn a_program_that_does_not_know_an_active_upgrade_says_that_it_is_too_old() {
    let mut world = World::new();
    world.bitcoin_block();
    signal_to(&mut world, 2 * CARRYING - 1, u32::MAX);
    assert_eq!(world.chain.too_old(), None);
    signal_to(&mut world, 2 * CARRYING, u32::MAX);
    assert_eq!(states(&world), [(7, State::Active { from: Height(2 * CARRYING + 1) })]);
    assert_eq!(world.chain.too_old(), Some(7), "for the next link");
}
