//! The chain as a whole: growth, payouts, forks, late work, held proofs.

use sharechain::chain::{Fate, Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::{Height, RuleError, Timestamp};
use testkit::{Spec, World, accepted, miner};

#[test]
fn shares_are_listed_and_earn() {
    let mut world = World::new();
    world.grow(20, 3);
    assert_eq!(world.chain.height(), Height(20));
    let tip = world.chain.tip();
    let window = world.chain.window(&tip).unwrap();
    assert!(window.total().0 > 0);
    let shares: u64 = window.sums().map(|(_, sum)| sum.shares).sum();
    assert!(shares >= 20, "links alone are twenty, {shares} counted");
    assert!(world.chain.pending(10).is_empty(), "the last link listed what was pending");
}

#[test]
fn payouts_go_to_those_who_worked() {
    let mut world = World::new();
    world.grow(40, 3);
    let spec = world.spec(miner(99));
    let header = world.header_of(&spec);
    let payouts = world.payouts(&header, &spec.previous_block);
    assert!(payouts.len() > 3, "more than one miner is paid: {payouts:?}");
    assert!(payouts.iter().all(|output| output.script_pubkey != miner(99)), "the finder has no part by finding");
    let total: u64 = payouts.iter().map(|output| output.value.to_sat()).sum();
    assert_eq!(total, header.coinbase_value);
}

#[test]
fn a_proof_before_its_parent_is_held_and_judged_later() {
    let mut world = World::new();
    world.grow(3, 2);
    let mut other = world.clone();
    let (link, list) = other.link(miner(1));
    let child = other.share(miner(2));
    assert_eq!(world.insert(&child, None), Outcome::Held(Missing::Proof(link.id())));
    assert!(matches!(world.chain.fate(&child.id()), Fate::Held(_)));
    world.now = other.now;
    let changes = accepted(world.insert(&link, Some(list)));
    assert_eq!(changes.accepted.iter().map(|accepted| accepted.id).collect::<Vec<_>>(), [link.id(), child.id()]);
    assert_eq!(world.chain.fate(&child.id()), Fate::Pending);
}

#[test]
fn a_link_without_its_list_is_not_built_on_until_the_list_comes() {
    let mut world = World::new();
    world.grow(3, 2);
    let share = world.share(miner(4));
    let mut other = world.clone();
    let (link, list) = other.link(miner(1));
    assert!(list.contains(&share.id()));
    let before = world.chain.tip();
    accepted(world.insert(&link, None));
    assert_eq!(world.chain.tip(), before);
    assert!(world.chain.missing().any(|missing| missing == Missing::List(link.id())));
    let changes = world.chain.supply_list(link.id(), list.clone(), world.now).unwrap();
    assert_eq!(changes.completed, [link.id()]);
    assert_eq!(changes.lists, [(link.id(), list)], "to be stored and passed on");
    assert_eq!(world.chain.tip(), link.id());
}

#[test]
fn the_losing_side_of_a_fork_is_listed_as_shares() {
    let mut world = World::new();
    world.grow(10, 2);
    let mut left = world.clone();
    let mut right = world.clone();
    let lost = left.grow(2, 2);
    right.now = right.now.plus(1);
    let won = right.grow(3, 2);
    for (proof, list) in won {
        left.now = right.now;
        let outcome = left.insert(&proof, list);
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Held(_)), "{outcome:?}");
    }
    for header in right.bitcoin_headers.clone() {
        left.chain.insert_bitcoin_header(header, left.now);
    }
    assert_eq!(left.chain.tip(), right.chain.tip());
    let (link, list) = left.link(miner(5));
    assert_eq!(left.chain.tip(), link.id());
    for (proof, _) in lost {
        assert!(list.contains(&proof.id()), "work on the lost side keeps its credit");
    }
}

#[test]
fn a_share_from_the_future_is_held() {
    let mut world = World::new();
    world.grow(2, 1);
    let spec = Spec { time: world.now.plus(120), ..world.spec(miner(1)) };
    let proof = world.mine(&spec);
    assert!(matches!(world.insert(&proof, None), Outcome::Held(Missing::Time(_))));
    let changes = world.chain.tick(Timestamp(world.now.0 + 91));
    assert_eq!(changes.accepted.len(), 1);
}

#[test]
fn a_wrong_payout_is_refused_and_the_honest_share_is_accepted_afterwards() {
    let mut world = World::new();
    world.grow(30, 3);
    let spec = world.spec(miner(1));
    let honest = world.mine(&spec);
    let mut altered = honest.clone();
    altered.extranonce[15] ^= 1;
    let bound = world.bind(&altered);
    let outcome = world.chain.insert(bound, None, Source(2), world.now);
    assert_eq!(outcome, Outcome::Invalid(RuleError::Payout));
    accepted(world.insert(&honest, None));
}
