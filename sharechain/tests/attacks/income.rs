//! What a miner earns, and what the pool loses, when it chooses the time of its work or withholds some of it.

use sharechain::signals::{PERIOD_LINKS, Signals};
use sharechain::target::target_of_bits;
use sharechain::{ChainParams, Height, Proof, U256, Weight};

use super::{earned, rare_blocks, receive, thief, times, unit, wide};
use testkit::{Spec, World, accepted, miner};

/// Any proof of the thief or another miner on the tip, as an honest machine finds it: share, link or block.
fn find(world: &mut World, number: u8) -> Proof {
    let spec = world.spec(miner(number));
    let share = world.header_of(&Spec { list: vec![], ..spec.clone() });
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    world.mine_until(share, &payouts, spec.previous_block, |_| (), |hash| hash <= target)
}

fn is_block(proof: &Proof) -> bool {
    proof.id().as_number() <= target_of_bits(proof.header.bits)
}

/// Mines until it finds a block, or until it finds a share that is nothing more, and inserts it.
fn found(world: &mut World, number: u8, block: bool) -> Proof {
    let link_target = world.chain.link(&world.chain.tip()).unwrap().position.link_target;
    let wanted = |proof: &Proof| is_block(proof) == block && (block || proof.id().as_number() > link_target);
    let proof = (0..).map(|_| find(world, number)).find(wanted).unwrap();
    accepted(world.insert(&proof, Some(vec![])));
    proof
}

#[test]
fn pool_hopping() {
    const SHARES: u64 = 20;
    const HOPPER: u8 = 66;
    const LOYAL: u8 = 9;
    let mut world = rare_blocks();
    world.grow(4, 3);
    let value = unit(&world);
    // The hopper comes right after the pool found a block, when a proportional pool pays most, and then leaves.
    found(&mut world, 1, true);
    for number in [HOPPER, LOYAL] {
        (0..SHARES).for_each(|_| drop(found(&mut world, number, false)));
    }
    // Before the end of the round, and after it.
    world.link(miner(1));
    let before = (earned(&mut world, &thief()), earned(&mut world, &miner(LOYAL)));
    found(&mut world, 1, true);
    world.link(miner(1));
    let after = (earned(&mut world, &thief()), earned(&mut world, &miner(LOYAL)));
    assert_eq!(before, after, "a block ends no round");
    let due = (times(value, SHARES), SHARES);
    assert_eq!(after, (due, due), "the hopper earned what the loyal miner did");
}

#[test]
fn a_block_earns_its_finder_no_more_than_a_share() {
    let mut world = rare_blocks();
    world.grow(4, 3);
    let value = unit(&world);
    let link_target = world.chain.link(&world.chain.tip()).unwrap().position.link_target;
    let block = found(&mut world, 66, true);
    assert!(block.id().as_number() <= link_target, "here whatever is a block is a link");
    world.link(miner(1));
    let bonus = super::bonus(&world, &block.id());
    assert_eq!(earned(&mut world, &thief()).0, value.plus(bonus));
}

/// Number of blocks that the pool published and lost, and the attacker's part of all weight, when `attackers` of 10
/// proofs belong to an attacker that withholds blocks.
fn withheld(attackers: u64, finds: u64) -> (u64, u64, f64) {
    let mut world = rare_blocks();
    world.grow(2, 1);
    let (mut published, mut lost) = (0, 0);
    for find_number in 0..finds {
        let hostile = find_number % 10 < attackers;
        let proof = find(&mut world, if hostile { 66 } else { 9 });
        if hostile && is_block(&proof) {
            lost += 1;
            continue;
        }
        published += u64::from(is_block(&proof));
        accepted(receive(&mut world, &proof));
        if find_number % 8 == 7 {
            // The interval of links.
            world.now = world.now.plus(world.chain.params().link_interval_s);
        }
        if find_number % 50 == 49 {
            world.link(miner(1));
        }
    }
    world.link(miner(1));
    let (thief_weight, honest_weight) = (earned(&mut world, &thief()).0, earned(&mut world, &miner(9)).0);
    (published, lost, thief_weight.0 as f64 / (thief_weight.0 + honest_weight.0) as f64)
}

#[test]
fn block_withholding() {
    // This cannot be prevented: a miner that can tell blocks from shares can throw blocks away. One share in 32 is a
    // block.
    const FINDS: u64 = 4_000;
    const SHARES_PER_BLOCK: f64 = 32.0;
    for attackers in [1, 2, 4] {
        let part = attackers as f64 / 10.0;
        let (published, lost, credited) = withheld(attackers, FINDS);
        let due = FINDS as f64 / SHARES_PER_BLOCK;
        let spread = 3.0 * due.sqrt();
        assert!((lost as f64 - part * due).abs() <= spread, "{lost} blocks lost of {due} at {part}");
        assert!((published as f64 - (1.0 - part) * due).abs() <= spread, "{published} blocks published");
        // The attacker's credit is at most its part of the work. Payments fall for everyone, including the attacker.
        assert!(credited <= part, "{credited} of the credit for {part} of the work");
        let income = credited * published as f64;
        assert!(income < part * (published + lost) as f64, "it earns less than by honest work");
    }
}

#[test]
fn weight_is_never_above_one_block() {
    let mut world = rare_blocks();
    let (target, bits) = (U256::ONE, world.bitcoin_tip.bits);
    let most = sharechain::target::weight_of_share(target, bits, world.chain.params());
    assert_eq!(most, Weight::ONE_BLOCK);
    let proof = found(&mut world, 66, false);
    assert!(world.chain.credit(&proof.id()).unwrap().weight < Weight::ONE_BLOCK);
}

/// Height of the oldest link in a window of 100 proofs, when the thief's shares pay this many scripts in turn.
fn oldest_with_scripts(scripts: u8) -> Height {
    let mut world = World::with(ChainParams { window_proofs: 100, ..wide() });
    for number in 0..40_u8 {
        if number % 5 == 0 {
            world.bitcoin_block();
        }
        (0..3).for_each(|share| drop(world.share(miner(100 + (3 * number + share) % scripts))));
        world.link(miner(1));
    }
    let tip = world.chain.tip();
    world.chain.window(&tip).unwrap().oldest()
}

#[test]
fn splitting_an_address_shortens_nobodys_window() {
    let whole = oldest_with_scripts(1);
    assert!(whole > Height(10), "the window ends by its proofs: {whole}");
    for scripts in [2, 3, 50] {
        assert_eq!(oldest_with_scripts(scripts), whole, "{scripts} scripts");
    }
}

#[test]
fn a_burst_of_signals_forces_nothing_and_blocks_only_while_it_lasts() {
    let (bit, period) = (1, PERIOD_LINKS);
    let after = |signals: &Signals, from: u32, links: u32, with: u32| {
        (0..links)
            .fold(signals.clone(), |signals, at| signals.after(Height(from + at + 1), if at < with { bit } else { 0 }))
    };
    // In one period, nine times the pool's work sets the bit. After that, no link sets it.
    let mut signals = after(&Signals::default(), 0, period, period);
    for number in 1..70 {
        signals = after(&signals, number * period, period, 0);
        assert_eq!(signals.states(Height((number + 1) * period)).count(), 0, "nothing is locked in");
    }
    // In one of twelve periods, a burst of nearly half the links is against the bit. The other periods still carry it.
    let mut signals = Signals::default();
    for number in 0..24 {
        let with = if number % 12 == 5 { period * 51 / 100 } else { period * 95 / 100 };
        signals = after(&signals, number * period, period, with);
    }
    assert_eq!(signals.too_old(), Some(0), "it is active after 24 periods");
}
