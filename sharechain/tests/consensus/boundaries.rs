//! The bounds in the constants of `specs/protocol.md`, section 3, and in the node's policy: one before each, at each,
//! and one past each. `encode.rs` tests the bounds of encodings, `lists.rs` those of lists and credit, and `memory.rs`
//! those of what the node holds.

use bitcoin::{Amount, CompactTarget, ScriptBuf, TxOut};
use sharechain::chain::{Missing, Outcome};
use sharechain::limits::{
    BITCOIN_FUTURE_SECONDS, FUTURE_SECONDS, MEMORY_DEPTH, OMISSION_SECONDS, PREFIX_BYTES_MAX, SETTLED_BITCOIN_BLOCKS,
    SETTLED_LINKS,
};
use sharechain::payout::select;
use sharechain::target::{link_bonus, link_target, share_target, target_of_bits, weight_of_share, work_of_bits};
use sharechain::window::{Row, Rows, ScriptIndex, Window};
use sharechain::{BitcoinParams, ChainParams, Height, RuleError, ShareId, Timestamp, U256, Weight, Work};
use testkit::{Spec, World, miner, params};

/// Inserts a share with this value, time and Bitcoin time.
fn outcome(world: &mut World, value_sat: u64, time: Timestamp, bitcoin_time: Timestamp) -> Outcome {
    let spec = world.spec(miner(1));
    let mut share = world.header_of(&spec);
    (share.coinbase_value, share.time) = (value_sat, time);
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    let alter = |header: &mut bitcoin::block::Header| header.time = bitcoin_time.0;
    let proof = world.mine_until(share, &payouts, spec.previous_block, alter, |hash| hash <= target);
    world.insert(&proof, None)
}

#[test]
fn halving_blocks() {
    let subsidy_sat = |height| ChainParams::main().bitcoin.subsidy_sat(height);
    for (height, expected) in
        [(0, 5_000_000_000), (209_999, 5_000_000_000), (210_000, 2_500_000_000), (210_001, 2_500_000_000)]
    {
        assert_eq!(subsidy_sat(height), expected, "{height}");
    }
    // The last satoshi is paid before the 33rd halving.
    assert_eq!((subsidy_sat(33 * 210_000 - 1), subsidy_sat(33 * 210_000)), (1, 0));
    assert_eq!((subsidy_sat(64 * 210_000), subsidy_sat(u32::MAX)), (0, 0));
}

#[test]
fn coinbase_value() {
    const MAX_MONEY_SAT: u64 = 2_100_000_000_000_000;
    let mut world = World::new();
    world.grow(3, 1);
    let subsidy_sat = world.chain.params().bitcoin.subsidy_sat(2);
    let now = world.now;
    for (value_sat, valid) in [
        (subsidy_sat - 1, false),
        (subsidy_sat, true),
        (subsidy_sat + 1, true),
        (MAX_MONEY_SAT - 1, true),
        (MAX_MONEY_SAT, true),
        (MAX_MONEY_SAT + 1, false),
    ] {
        let outcome = outcome(&mut world, value_sat, now, now);
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), valid, "{value_sat}");
        assert_eq!(outcome == Outcome::Invalid(RuleError::CoinbaseValue), !valid);
    }
}

#[test]
fn start_height() {
    const START: u32 = 5;
    let mut world =
        World::with(ChainParams { bitcoin: BitcoinParams { start_height: START, ..params().bitcoin }, ..params() });
    for blocks in 1..START + 1 {
        world.bitcoin_block();
        let spec = world.spec(miner(1));
        let proof = world.mine(&spec);
        let valid = blocks + 1 >= START;
        assert_eq!(world.insert(&proof, None) == Outcome::Invalid(RuleError::BeforeStart), !valid, "{}", blocks + 1);
    }
}

#[test]
fn times_apart_s_and_times_ahead() {
    let mut world = World::new();
    world.grow(3, 1);
    // Bitcoin's median time stays far enough behind for both directions.
    world.now = world.now.plus(20_000);
    let (now, subsidy_sat) = (world.now, world.chain.params().bitcoin.subsidy_sat(2));
    let apart_s = world.chain.params().times_apart_s;
    let before = |seconds: u32| Timestamp(now.0 - seconds);
    for (seconds, valid) in [(apart_s - 1, true), (apart_s, true), (apart_s + 1, false)] {
        for (time, bitcoin_time) in [(now, before(seconds)), (before(seconds), now)] {
            let outcome = outcome(&mut world, subsidy_sat, time, bitcoin_time);
            assert_eq!(matches!(outcome, Outcome::Accepted(_)), valid, "{seconds} s apart");
            assert_eq!(outcome == Outcome::Invalid(RuleError::TimesApart), !valid);
        }
    }
    // Each of the two times by itself, one second too far ahead of the clock.
    let ours = now.plus(FUTURE_SECONDS);
    assert!(matches!(outcome(&mut world, subsidy_sat, ours, now), Outcome::Accepted(_)));
    assert_eq!(outcome(&mut world, subsidy_sat, ours.plus(1), now), Outcome::Held(Missing::Time(now.plus(1))));
    let bitcoins = now.plus(BITCOIN_FUTURE_SECONDS);
    assert!(matches!(outcome(&mut world, subsidy_sat, ours, bitcoins), Outcome::Accepted(_)));
    assert_eq!(outcome(&mut world, subsidy_sat, ours, bitcoins.plus(1)), Outcome::Held(Missing::Time(now.plus(1))));
}

#[test]
fn median_span() {
    let mut world = World::new();
    world.bitcoin_block();
    let span = world.chain.params().median_span;
    let mut times = Vec::new();
    world.now = world.now.plus(10_000);
    for number in 0..2 * span as u32 {
        // Times that jump back and forth, all above their median.
        let parent = world.chain.tip();
        let median = world.chain.link(&parent).unwrap().position.median_time;
        let time = median.map_or(Timestamp(world.now.0 - 9_000), |median| median.plus(1 + 37 * (number % 5)));
        let spec = Spec { time, list: vec![], link: true, ..world.spec_on(parent, miner(1)) };
        world.link_of(spec);
        times.push(time);
        let mut last: Vec<_> = times.iter().rev().take(span).copied().collect();
        last.sort_unstable();
        let position = &world.chain.link(&world.chain.tip()).unwrap().position;
        assert_eq!(position.median_time, Some(last[last.len() / 2]), "{} links", times.len());
    }
}

#[test]
fn anchor_depth() {
    let mut world = World::new();
    world.bitcoin_block();
    let depth = world.chain.params().anchor_depth;
    for height in 1..=depth + 2 {
        world.bare_links(&miner(1), 1);
        let position = &world.chain.link(&world.chain.tip()).unwrap().position;
        let anchor = Height(height.saturating_sub(depth));
        assert_eq!((position.anchor_height, position.anchor), (anchor, world.chain.main_at(anchor).unwrap()));
    }
}

#[test]
fn first_link_target_and_link_interval_s() {
    let mut world = World::new();
    world.bitcoin_block();
    let first = world.chain.params().first_link_target;
    let of_children = |world: &World| world.chain.link(&world.chain.tip()).unwrap().position.link_target;
    assert_eq!(of_children(&world), first, "link 1 has no interval behind it");
    world.bare_links(&miner(1), 1);
    assert_eq!(of_children(&world), first, "nor has link 2");
    let before = world;
    for (late_s, expected) in
        [(0, core::cmp::Ordering::Less), (1, core::cmp::Ordering::Equal), (2, core::cmp::Ordering::Greater)]
    {
        let mut world = before.clone();
        let time = world.chain.link(&world.chain.tip()).unwrap().time.plus(late_s);
        world.now = time.plus(1);
        let spec = Spec { time: time.plus(u32::from(late_s == 0)), list: vec![], link: true, ..world.spec(miner(1)) };
        let interval_s = spec.time.seconds_since(world.chain.link(&spec.parent).unwrap().time);
        world.link_of(spec);
        let share_target = world.chain.link(&world.chain.tip()).unwrap().position.share_target;
        assert_eq!(of_children(&world), link_target(first, interval_s, share_target, world.chain.params()));
        let on_schedule = link_target(first, i64::from(late_s), share_target, world.chain.params());
        assert_eq!(on_schedule.cmp(&first), expected, "an interval of {late_s} s where 1 s is due");
    }
}

#[test]
fn retarget_half_life_s_and_exponent_max() {
    let (main, from) = (ChainParams::main(), U256::ONE << 128);
    let after = |seconds: i64| link_target(from, seconds, U256::MAX, &main);
    let half_life_s = i64::from(main.retarget_half_life_s);
    let on_time_s = i64::from(main.link_interval_s);
    for (doublings, at) in [(1_i64, from << 1), (-1, from >> 1), (16, from << 16), (-16, from >> 16)] {
        let seconds = on_time_s + doublings * half_life_s;
        assert_eq!(after(seconds), at);
        let toward = doublings.signum();
        let clamped = doublings.unsigned_abs() == u64::from(main.retarget_exponent_max);
        assert_eq!(after(seconds + toward) == at, clamped, "one second further");
        assert_ne!(after(seconds - toward), at, "one second less");
    }
}

#[test]
fn shares_per_link_and_easiest_share_target() {
    let main = ChainParams::main();
    // The floor is one below 32 times this.
    let at = (main.easiest_share_target >> 5) + U256::ONE;
    let shares = U256::from(main.shares_per_link);
    assert_eq!(share_target(at - U256::ONE, &main), (at - U256::ONE) * shares);
    assert_eq!(share_target(at, &main), main.easiest_share_target);
    assert_eq!(share_target(at + U256::ONE, &main), main.easiest_share_target);
    assert_eq!(share_target(U256::ONE, &main), shares);
}

#[test]
fn min_block_work() {
    let bits = CompactTarget::from_consensus(0x1c00_ffff);
    let work: u64 = work_of_bits(bits).0.to();
    let weight = |min_block_work| {
        let main = ChainParams::main();
        let params = ChainParams { bitcoin: BitcoinParams { min_block_work, ..main.bitcoin }, ..main };
        weight_of_share(U256::MAX >> 38, bits, &params)
    };
    assert_eq!(weight(work - 1), weight(work));
    assert!(weight(work + 1) < weight(work), "a Bitcoin block that takes less is reckoned as if it took that");
}

#[test]
fn weights_of_a_block_and_of_a_unit() {
    let main = ChainParams::main();
    let bits = CompactTarget::from_consensus(0x1701_d936);
    let block = target_of_bits(bits);
    let due = |target| -> U256 { Work::of_target(target).0 * (U256::ONE << 64) / work_of_bits(bits).0 };
    for (target, expected) in [
        (block - (block >> 40), Weight::ONE_BLOCK),
        (block, Weight::ONE_BLOCK),
        (block + (block >> 40), Weight(due(block + (block >> 40)).to())),
        (U256::MAX >> 1, Weight(1)),
    ] {
        assert_eq!(weight_of_share(target, bits, &main), expected);
    }
    assert!(weight_of_share(block + (block >> 40), bits, &main) < Weight::ONE_BLOCK);
    // A link's extra weight is rounded down by itself, and is never 0.
    let divisor = U256::from(main.link_credit_divisor);
    let link = block << 4;
    let extra: U256 = Work::of_target(link).0 * (U256::ONE << 64) / (divisor * work_of_bits(bits).0);
    assert_eq!(link_bonus(link, bits, &main), Weight(extra.to()));
    assert_eq!(link_bonus(U256::MAX >> 1, bits, &main), Weight(1));
}

/// Rows of one link: this many scripts, with this weight each.
fn rows(scripts: u32, weight: u128) -> Rows {
    Rows::new(
        (0..scripts).map(|script| Row { script: ScriptIndex(script), weight: Weight(weight), shares: 1 }).collect(),
    )
}

#[test]
fn window_weight_and_window_proofs() {
    let links: Vec<Rows> = (0..10).map(|height| if height == 0 { Rows::default() } else { rows(5, 20) }).collect();
    let oldest = |window_weight: u128, window_proofs| {
        let params = ChainParams { window_weight: Weight(window_weight), window_proofs, ..ChainParams::main() };
        Window::compute((0..10).rev().map(|height| (Height(height), &links[height as usize])), &params)
            .unwrap()
            .oldest()
    };
    // 100 units and 5 proofs a link.
    for (bound, expected) in [(299, 7), (300, 7), (301, 6), (900, 1), (901, 0), (1, 9), (0, 9)] {
        assert_eq!(oldest(bound, u64::MAX), Height(expected), "{bound} units");
    }
    for (bound, expected) in [(14, 7), (15, 7), (16, 6), (45, 1), (46, 0), (1, 9), (0, 9)] {
        assert_eq!(oldest(u128::MAX, bound), Height(expected), "{bound} proofs");
    }
    assert_eq!(oldest(300, 15), Height(7));
    assert_eq!((oldest(300, 16), oldest(301, 15)), (Height(7), Height(7)), "whichever is reached first");
}

#[test]
fn listed_before_payouts_and_snapshot_depths() {
    let mut world = World::new();
    (0..3).for_each(|_| world.bitcoin_block());
    for height in 1..=60 {
        // Few links, and every link around the number from which payouts are shared.
        if height % 7 == 0 || (10..=14).contains(&height) {
            (0..height % 3 + 1).for_each(|_| world.bitcoin_block());
        }
        world.bare_links(&miner(1), 1);
    }
    let params = world.chain.params().clone();
    // Height of the previous block of the main chain's link at a height; below all others for genesis.
    let previous_height = |world: &World, height: u32| {
        i64::from(world.chain.link(&world.chain.main_at(Height(height)).unwrap()).unwrap().bitcoin_height) - 1
    };
    let tip = world.chain.bitcoin().best().height;
    let (mut listed_seen, mut burials_seen) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for parent in 0..=60_u32 {
        let anchor = parent.saturating_sub(params.anchor_depth);
        let id = world.chain.main_at(Height(parent)).unwrap();
        let least = world.chain.link(&id).unwrap().position.least_snapshot.0;
        for bitcoin in u32::try_from(previous_height(&world, parent)).unwrap_or(0)..=tip {
            let previous = world.chain.bitcoin().ancestor(&world.bitcoin_tip.block_hash(), bitcoin).unwrap();
            let deep = i64::from(bitcoin.saturating_sub(params.snapshot_bitcoin_depth));
            let least_height = deep.min(previous_height(&world, anchor));
            let first = (0..=anchor).find(|height| previous_height(&world, *height) >= least_height).unwrap();
            let snapshot = first.saturating_sub(params.snapshot_burial).max(least);
            let seed_at = bitcoin.saturating_sub(params.seed_depth);
            let seed = world.chain.bitcoin().ancestor(&previous, seed_at).unwrap();
            let plan = world.chain.plan(&id, &previous).unwrap();
            let expected = world.chain.main_at(Height(snapshot)).unwrap();
            assert_eq!(plan.snapshot, expected, "parent {parent}, block {bitcoin}");
            assert_eq!(ShareId(plan.seed), ShareId::from(seed));
            // Each link counts itself, and lists nothing.
            let shared = u64::from(snapshot) >= params.listed_before_payouts;
            assert_eq!(plan.selection.is_some(), shared, "{snapshot} credited");
            listed_seen.insert(u64::from(snapshot));
            burials_seen.insert(first);
        }
    }
    // The test also checks that the chain reached the bounds.
    let bound = params.listed_before_payouts;
    assert!((bound - 1..=bound + 1).all(|listed| listed_seen.contains(&listed)), "{listed_seen:?}");
    assert!(burials_seen.contains(&0) && burials_seen.iter().any(|first| *first > params.snapshot_burial));
}

fn entries(weights: &[u128], subsidy_sat: u64) -> usize {
    let scripts: Vec<ScriptBuf> = (0..weights.len()).map(|number| miner(number as u8)).collect();
    let dues = scripts.iter().zip(weights).map(|(script, weight)| (script.as_script(), Weight(*weight)));
    select(dues, &[7; 32], subsidy_sat, &ChainParams::main()).unwrap().map_or(0, |selection| selection.entries().len())
}

#[test]
fn output_floor_sat() {
    const SUBSIDY_SAT: u64 = 312_500_000;
    let floor = u128::from(ChainParams::main().output_floor_sat);
    for (small, outputs) in [(floor - 1, 1), (floor, 2), (floor + 1, 2)] {
        assert_eq!(entries(&[u128::from(SUBSIDY_SAT) - small, small], SUBSIDY_SAT), outputs, "{small} sat");
    }
}

#[test]
fn outputs_max() {
    let most = ChainParams::main().outputs_max;
    for dues in [1, most - 1, most, most + 1] {
        let weights: Vec<u128> = (0..dues as u128).map(|number| 1_000_000 + number).collect();
        assert_eq!(entries(&weights, 5_000_000_000), dues.min(most));
    }
    assert_eq!(entries(&[0, 0], 5_000_000_000), 0);
}

/// Shares whose coinbase has one more output, which no rule allows. A coinbase that is too long is rejected for its
/// length.
#[test]
fn prefix_bytes_max() {
    let mut world = World::new();
    world.grow(20, 3);
    let spec = world.spec(miner(1));
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let most = world.chain.params().prefix_bytes_max;
    let honest = world.mine(&spec);
    for (length, error) in [
        (most - 1, RuleError::Payout),
        (most, RuleError::Payout),
        (most + 1, RuleError::CoinbaseTooLong(most + 1)),
        (PREFIX_BYTES_MAX, RuleError::CoinbaseTooLong(PREFIX_BYTES_MAX)),
    ] {
        // An amount of 8 bytes, and a length of 3 for a script of this size.
        let script = ScriptBuf::from_bytes(vec![0x6a; (length - honest.prefix.length - 8 - 3) as usize]);
        let more = TxOut { value: Amount::ZERO, script_pubkey: script };
        let proof = world.mine_with(share.clone(), &[&payouts[..], &[more]].concat(), spec.previous_block, false);
        assert_eq!(proof.prefix.length, length);
        assert_eq!(world.insert(&proof, None), Outcome::Invalid(error), "{length} bytes");
    }
    assert!(matches!(world.insert(&honest, None), Outcome::Accepted(_)));
}

#[test]
fn omission_seconds() {
    for (seconds, omits) in [(OMISSION_SECONDS - 1, false), (OMISSION_SECONDS, false), (OMISSION_SECONDS + 1, true)] {
        let mut world = World::new();
        world.grow(4, 1);
        world.in_sync();
        let validated = world.now;
        world.share(miner(5));
        world.now = validated.plus(seconds);
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(6)) };
        assert_eq!(spec.time, validated.plus(seconds));
        let (link, _) = world.link_of(spec);
        assert_eq!(world.chain.build_on() != link.id(), omits, "{seconds} s");
    }
}

#[test]
fn settled_links_and_settled_bitcoin_blocks() {
    for (links, blocks, expected) in [
        (SETTLED_LINKS, SETTLED_BITCOIN_BLOCKS, 0),
        (SETTLED_LINKS + 1, SETTLED_BITCOIN_BLOCKS - 1, 0),
        (SETTLED_LINKS + 1, SETTLED_BITCOIN_BLOCKS, 1),
        (SETTLED_LINKS + 2, SETTLED_BITCOIN_BLOCKS, 2),
    ] {
        let mut world = World::new();
        world.bitcoin_block();
        world.chain.note_own_bitcoin_height(Some(1));
        world.bare_links(&miner(1), links);
        world.chain.note_own_bitcoin_height(Some(1 + blocks));
        assert_eq!(world.chain.settled().height, Height(expected), "{links} links, {blocks} blocks");
    }
}

/// Inserts a link on `parent` that lists nothing, and returns the outcome.
fn outcome_on(world: &mut World, parent: ShareId) -> Outcome {
    let spec = Spec { list: vec![], link: true, ..world.spec_on(parent, miner(9)) };
    let link = world.mine(&spec);
    world.insert(&link, Some(vec![]))
}

#[test]
fn memory_depth() {
    let mut world = World::new();
    world.bitcoin_block();
    let (genesis, reach) = (world.chain.tip(), world.chain.params().listing_depth + 2);
    let mut links = world.bare_links(&miner(1), MEMORY_DEPTH + reach);
    assert!(matches!(outcome_on(&mut world, genesis), Outcome::Accepted(_)), "nothing is forgotten yet");
    links.extend(world.bare_links(&miner(1), 1));
    assert_eq!(outcome_on(&mut world, genesis), Outcome::Unlistable);
    links.extend(world.bare_links(&miner(1), 9));
    let tip = world.chain.height().0;
    assert_eq!(tip as usize, links.len(), "new links become complete all the same");
    for (height, valid) in
        [(tip - MEMORY_DEPTH - 1, false), (tip - MEMORY_DEPTH, false), (tip - MEMORY_DEPTH + 1, true)]
    {
        let outcome = outcome_on(&mut world, links[height as usize - 2].id());
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), valid, "{height} of {tip}: {outcome:?}");
        assert!(valid || outcome == Outcome::Unlistable);
    }
    world.share(miner(9));
}
