//! Attacks with Bitcoin's headers, times and difficulty.

use bitcoin::CompactTarget;
use sharechain::chain::{Missing, Outcome};
use sharechain::limits::{FUTURE_SECONDS, HELD_SECONDS_MAX};
use sharechain::target::{link_bonus, weight_of_share, work_of_bits};
use sharechain::{BitcoinParams, ChainParams, Proof, RuleError, ShareId, Timestamp, U256, Weight};

use super::{bonus, earned, footprint, grown, rare_blocks, receive, retargeting, thief, times, unit};
use testkit::{Spec, World, accepted, miner};

/// Mines a share for the thief with another nBits than Bitcoin expects.
fn with_bits(world: &mut World, bits: CompactTarget) -> Proof {
    let spec = world.spec(thief());
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    world.mine_until(share, &payouts, spec.previous_block, |header| header.bits = bits, |hash| hash <= target)
}

#[test]
fn wrong_nbits() {
    let mut world = rare_blocks();
    world.grow(2, 1);
    let due = world.chain.bitcoin().next_bits(&world.bitcoin_tip.block_hash()).unwrap();
    let easy = world.chain.params().bitcoin.genesis().bits;
    let share_target = world.chain.link(&world.chain.tip()).unwrap().position.share_target;
    let params = world.chain.params().clone();
    let hoped = weight_of_share(share_target, easy, &params);
    assert!(
        hoped >= times(weight_of_share(share_target, due, &params), 32),
        "a multiple of the pay, if it were believed"
    );
    for bits in [
        easy,
        CompactTarget::from_consensus(due.to_consensus() + 1),
        CompactTarget::from_consensus(due.to_consensus() - 1),
    ] {
        let proof = with_bits(&mut world, bits);
        assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::Bits));
    }
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

/// A world with testnet4's rules, in a period whose blocks take 512 hashes. The easiest take two, a share eight.
fn with_late_blocks() -> World {
    const PERIOD: u32 = 4;
    let retargeting = retargeting(PERIOD, 600 * PERIOD);
    let bitcoin = BitcoinParams {
        pow_limit_bits: 0x207f_ffff,
        min_difficulty_after_s: 1_200,
        timewarp_s: 600,
        ..retargeting.bitcoin
    };
    let mut world = World::with(ChainParams { bitcoin, ..retargeting });
    // The first period began with the genesis block, years ago, so the retarget after it does not raise the difficulty.
    for _ in 0..5 * PERIOD {
        world.now = world.now.plus(2);
        world.bitcoin_block();
    }
    assert_eq!(work_of_bits(world.bitcoin_tip.bits).0, U256::from(512));
    world
}

/// Mines a proof whose Bitcoin header has these nBits and a time this many seconds after the previous block's.
fn late(world: &mut World, spec: &Spec, seconds: u32, bits: CompactTarget) -> Proof {
    let share = world.header_of(spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let position = &world.chain.link(&spec.parent).unwrap().position;
    let (share_target, link_target) = (position.share_target, position.link_target);
    let time = world.bitcoin_tip.time + seconds;
    let alter = |header: &mut bitcoin::block::Header| (header.time, header.bits) = (time, bits);
    let meets = |hash| hash <= share_target && (hash <= link_target) == spec.link;
    world.mine_until(share, &payouts, spec.previous_block, alter, meets)
}

/// On testnet4, a late block has the easiest nBits. A miner that dates a header 20 minutes ahead gets them, and its
/// shares would weigh as much as blocks. So weight follows from the period's nBits instead.
#[test]
fn minimum_difficulty_headers() {
    let mut world = with_late_blocks();
    world.grow(2, 0);
    let params = world.chain.params().clone();
    let due = world.chain.bitcoin().next_bits(&world.bitcoin_tip.block_hash()).unwrap();
    let easiest = CompactTarget::from_consensus(params.bitcoin.pow_limit_bits);
    let share_target = world.chain.link(&world.chain.tip()).unwrap().position.share_target;
    let fair = weight_of_share(share_target, due, &params);
    assert_eq!(weight_of_share(share_target, easiest, &params), Weight::ONE_BLOCK, "what its own nBits would pay");
    assert_eq!(times(fair, 64), Weight::ONE_BLOCK);
    let spec = world.spec(thief());
    for (seconds, wrong) in [(1_200, easiest), (1_201, due)] {
        let proof = late(&mut world, &spec, seconds, wrong);
        assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::Bits), "{seconds} s");
    }
    let share = late(&mut world, &spec, 1_201, easiest);
    accepted(receive(&mut world, &share));
    let spec = Spec { list: vec![share.id()], link: true, ..world.spec(thief()) };
    let link = late(&mut world, &spec, 1_201, easiest);
    accepted(world.insert(&link, Some(spec.list.clone())));
    let honest = times(fair, 2).plus(bonus(&world, &link.id()));
    assert_eq!(earned(&mut world, &thief()), (honest, 2));
    let target = world.chain.link(&link.id()).unwrap().target;
    assert_eq!(bonus(&world, &link.id()), link_bonus(target, due, &params));
}

#[test]
fn stale_prev_block() {
    let mut world = grown();
    let parent = world.chain.tip();
    let stale = Spec { payout: thief(), ..world.spec(thief()) };
    world.bitcoin_block();
    world.link(miner(1));
    // After a link on the new block, the old one is too old for links and shares on that link.
    let newer = Spec { previous_block: stale.previous_block, ..world.spec(thief()) };
    let refused = world.mine(&newer);
    assert_eq!(receive(&mut world, &refused), Outcome::Invalid(RuleError::BitcoinWorkFell));
    // On the old parent, stale work is late work: for `stale_depth` links, it earns as much as any share.
    let value = unit(&world);
    let stale_depth = world.chain.params().stale_depth;
    let mut listed = 0;
    for links in 1..=2 * stale_depth {
        let spec = Spec { parent, time: world.now, list: vec![], ..stale.clone() };
        let late = world.mine(&spec);
        accepted(receive(&mut world, &late));
        world.link(miner(1));
        listed += u64::from(links < stale_depth + 1);
    }
    let (weight, shares) = earned(&mut world, &thief());
    assert_eq!(shares, u64::from(2 * stale_depth), "all are listed");
    assert_eq!(weight, times(value, listed), "{stale_depth} links' worth of them earn");
}

#[test]
fn unknown_prev_block() {
    let mut world = grown();
    let before = footprint(&world);
    let mut elsewhere = world.clone();
    elsewhere.bitcoin_block();
    let made_up = elsewhere.bitcoin_tip;
    let spec = Spec { link: true, ..elsewhere.spec(thief()) };
    let link = elsewhere.mine(&spec);
    let outcome = receive(&mut world, &link);
    assert_eq!(outcome, Outcome::Held(Missing::BitcoinHeader(made_up.block_hash())));
    world.link(miner(1));
    assert_eq!(world.chain.held_len(), 1, "one entry, however long the chain grows");
    let least = world.chain.link(&world.chain.tip()).unwrap().position.bitcoin_work;
    assert_eq!(least, world.chain.bitcoin().get(&world.bitcoin_tip.block_hash()).unwrap().chain_work, "no ratchet");
    let dropped = world.chain.tick(world.now.plus(HELD_SECONDS_MAX + 1)).dropped;
    assert_eq!(dropped, [link.id()]);
    let after = footprint(&world);
    assert_eq!((after.held, after.missing), (before.held, before.missing));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

/// Mines links on `parent`, `step_s` apart by their own clocks. Returns their ids and the hashes that they took.
fn private(world: &mut World, parent: ShareId, links: u32, step_s: u32) -> (Vec<ShareId>, u64) {
    let (mut tip, mut hashes, mut ids) = (parent, 0, Vec::new());
    let mut time = world.chain.link(&parent).unwrap().time;
    for _ in 0..links {
        let median = world.chain.link(&tip).unwrap().position.median_time.unwrap();
        time = time.plus(step_s).max(median.plus(1));
        let spec = Spec { link: true, list: vec![], time, ..world.spec_on(tip, thief()) };
        let proof = world.mine(&spec);
        hashes += u64::from(proof.header.nonce) + 1;
        accepted(world.insert(&proof, Some(vec![])));
        tip = proof.id();
        ids.push(tip);
    }
    (ids, hashes)
}

fn chain_work(world: &World, id: &ShareId) -> U256 {
    world.chain.link(id).unwrap().chain_work.0
}

#[test]
fn time_warp() {
    const HONEST: u32 = 10;
    const LINKS: u32 = 40;
    for step_s in [0, 1, 60, 120, 600] {
        let mut world = grown();
        let fork = world.chain.tip();
        for _ in 0..HONEST {
            let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
            world.link_of(spec);
        }
        let honest = world.chain.tip();
        // The branch is published after all the time that it claims has passed.
        world.now = world.now.plus(LINKS * step_s);
        let (ids, hashes) = private(&mut world, fork, LINKS, step_s);
        let claimed = chain_work(&world, ids.last().unwrap()) - chain_work(&world, &fork);
        let met: U256 = ids.iter().map(|id| sharechain::Work::of_target(world.chain.link(id).unwrap().target).0).sum();
        assert_eq!(claimed, met, "a branch weighs what its targets cost, whatever its clock");
        let (least, most) = (claimed / U256::from(2), claimed * U256::from(2));
        assert!((least..=most).contains(&U256::from(hashes)), "{claimed} claimed, {hashes} hashes, step {step_s}");
        // The number of links does not count: forty cheap ones lose against ten honest ones.
        let heavier = claimed > chain_work(&world, &honest) - chain_work(&world, &fork);
        assert_eq!(world.chain.tip() != honest, heavier, "step {step_s}");
        assert_eq!(heavier, step_s <= 1, "a faster clock only costs weight, step {step_s}");
        // No target is ever easier than the anchor's times the shares of a link.
        let easiest = world.chain.link(&fork).unwrap().position.share_target;
        assert!(ids.iter().take(5).all(|id| world.chain.link(id).unwrap().target <= easiest));
    }
}

#[test]
fn future_times() {
    const LINKS: usize = 3;
    let world = grown();
    // A minute ahead, and too far ahead for nodes to wait for it.
    for ahead_s in [60, 2 * HELD_SECONDS_MAX] {
        let mut world = world.clone();
        let honest = world.chain.tip();
        let mut secret = world.clone();
        secret.now = world.now.plus(ahead_s);
        let links: Vec<_> = (0..LINKS).map(|_| secret.link(thief())).collect();
        for (proof, list) in &links {
            assert!(matches!(world.insert(proof, Some(list.clone())), Outcome::Held(_)));
        }
        assert_eq!((world.chain.tip(), world.chain.held_len()), (honest, LINKS));
        let due = Timestamp(links[0].0.share.time.0 - FUTURE_SECONDS);
        let changes = world.chain.tick(Timestamp(due.0 - 1));
        assert!(changes.accepted.is_empty(), "not a second before its time");
        assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
        let forgotten = ahead_s > HELD_SECONDS_MAX;
        assert_eq!(changes.dropped.len(), if forgotten { LINKS } else { 0 });
        let accepted = world.chain.tick(due).accepted.len();
        assert_eq!(accepted, if forgotten { 0 } else { 1 }, "the first when its time has come, its children later");
    }
}

#[test]
fn difficulty_hopping_at_a_retarget() {
    // A period of 10 blocks, and fourfold difficulty after each.
    let mut world = World::with(retargeting(10, 100));
    let mut seen = Vec::new();
    for height in 1..=42 {
        world.now = world.now.plus(1);
        world.bitcoin_block();
        if height >= 25 {
            let share = world.share(thief());
            let share_target = world.chain.link(&share.share.parent).unwrap().position.share_target;
            let hashes = sharechain::Work::of_target(share_target).0;
            let weight = world.chain.credit(&share.id()).unwrap().weight;
            seen.push((work_of_bits(share.header.bits).0, hashes, weight));
            world.link(miner(1));
        }
    }
    let difficulties: std::collections::BTreeSet<_> = seen.iter().map(|(block, ..)| *block).collect();
    assert_eq!(difficulties.len(), 3, "the work spans two retargets: 1,024, 4,096 and 16,384 hashes a block");
    for (block, hashes, weight) in seen {
        // Weight is the work's chance of a block: a hash pays the same before and after, within one unit.
        let due = (hashes << 64) / block;
        assert!(U256::from(weight.0).abs_diff(due) <= U256::ONE, "{weight:?} for {hashes} of {block} hashes");
    }
}

/// A Bitcoin block on `previous`, with this time.
fn bitcoin_block_at(world: &mut World, previous: bitcoin::block::Header, time: u32) -> bitcoin::block::Header {
    world.now = Timestamp(time);
    world.bitcoin_block_on(previous)
}

/// A world whose Bitcoin chain has 12 easy blocks, the time at its start, and the last of these blocks.
fn before_the_fork() -> (World, u32, bitcoin::block::Header) {
    let mut world = World::with(retargeting(8, 80));
    let start = world.now.0;
    let mut trunk = world.bitcoin_tip;
    for height in 1..=12 {
        trunk = bitcoin_block_at(&mut world, trunk, start + height);
    }
    (world, start, trunk)
}

/// A world in which Bitcoin left its long, easy branch for a short one with more work, so that the links' Bitcoin
/// height fell from 26 to 20. Returns also the tip of the branch that it left.
fn after_a_fall() -> (World, bitcoin::block::Header) {
    let (mut world, start, trunk) = before_the_fork();
    // The short branch is four times as hard from height 16 on.
    let (mut long, mut short) = (trunk, trunk);
    for height in 13..=25 {
        long = bitcoin_block_at(&mut world, long, start + 1_000 * height);
    }
    world.bitcoin_tip = long;
    let high = world.link(miner(1)).0.share.bitcoin_height;
    for height in 13..=19 {
        short = bitcoin_block_at(&mut world, short, start + height);
    }
    world.now = Timestamp(start + 25_002);
    world.bitcoin_tip = short;
    let low = world.link(miner(1)).0.share.bitcoin_height;
    assert_eq!((high, low), (26, 20), "a reorganization lowers the height");
    (world, long)
}

#[test]
fn bitcoins_work_may_not_fall_and_its_height_may() {
    let (mut world, left) = after_a_fall();
    // Miners that stay on the longer, lighter branch cannot pull the others back.
    let back = Spec { previous_block: left.block_hash(), link: true, ..world.spec(thief()) };
    let back = world.mine(&back);
    assert_eq!(receive(&mut world, &back), Outcome::Invalid(RuleError::BitcoinWorkFell));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

#[test]
fn after_a_fall_of_bitcoins_height_work_earns_as_before() {
    // Bitcoin's chain work, which never falls, decides whether work is stale. If the height decided, no work would earn
    // anything from here on.
    let (mut world, _) = after_a_fall();
    let stale_depth = world.chain.params().stale_depth;
    let first = world.chain.height().0 - 1;
    let earns = |world: &mut World| {
        let before = earned(world, &miner(9)).0;
        world.share(miner(9));
        world.link(miner(1));
        earned(world, &miner(9)).0 > before
    };
    while world.chain.height().0 < first + 2 * stale_depth {
        assert!(earns(&mut world), "{} links above the highest", world.chain.height().0 - first);
    }
    for height in 21..=27 {
        world.bitcoin_block();
        assert!(earns(&mut world), "at height {height}");
    }
}

#[test]
fn a_reorganization_of_bitcoin_lowers_no_snapshot() {
    // Bitcoin leaves a long, easy branch for a short one with more work. The chain work 3 blocks below its tip falls.
    let (mut world, start, trunk) = before_the_fork();
    let (mut long, mut short) = (trunk, trunk);
    for height in 13..=25 {
        long = bitcoin_block_at(&mut world, long, start + 1_000 * height);
        world.bitcoin_tip = long;
        (0..4).for_each(|_| drop(world.link(miner(1))));
    }
    let snapshot_of = |world: &World| world.chain.link(&world.chain.tip()).unwrap().position.least_snapshot;
    let before = snapshot_of(&world);
    let now = world.now;
    for height in 13..=19 {
        short = bitcoin_block_at(&mut world, short, start + height);
    }
    world.now = now;
    let (params, bitcoin) = (world.chain.params(), world.chain.bitcoin());
    let deep = |tip: &bitcoin::block::Header, height: u32| {
        bitcoin.work_at(&tip.block_hash(), height - params.snapshot_bitcoin_depth).unwrap()
    };
    assert!(deep(&short, 19) < deep(&long, 25), "the work that decides the snapshot falls");
    world.bitcoin_tip = short;
    for _ in 0..20 {
        world.link(miner(1));
        assert!(snapshot_of(&world) >= before, "{} is below {before}", snapshot_of(&world));
    }
}

#[test]
fn a_block_version_that_bitcoin_rejects_earns_nothing() {
    let mut world = grown();
    let spec = world.spec(thief());
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    for version in [-1, 0, 3] {
        let alter =
            |header: &mut bitcoin::block::Header| header.version = bitcoin::block::Version::from_consensus(version);
        let proof = world.mine_until(share.clone(), &payouts, spec.previous_block, alter, |hash| hash <= target);
        assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::BlockVersion(version)));
        assert_eq!(world.chain.refusal(&proof.id()), Some(RuleError::BlockVersion(version)));
    }
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}
