//! Memory and time of nodes: what an attacker can make them keep, and at what cost.

use sharechain::chain::{Fate, Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::{HELD_LIST_BYTES_MAX, HELD_PER_SOURCE_MAX, HELD_SECONDS_MAX, LIST_MAX, PROOF_BYTES_MAX};
use sharechain::target::{link_target, share_target};
use sharechain::{ChainParams, Height, Proof, RuleError, ShareId, Timestamp, U256, Weight, Work};

use super::{earned, footprint, grown, receive, thief, times, unit, wide};
use testkit::recording::Random;
use testkit::{Spec, World, accepted, miner, params};

/// Shares with real work on an unknown parent.
fn orphans(world: &mut World, count: usize) -> Vec<Proof> {
    let spec = world.spec(thief());
    let target = world.chain.params().easiest_share_target;
    let mut orphan = |number: usize| {
        let mut share = world.header_of(&spec);
        share.parent = ShareId([9; 32]);
        share.signals = number as u32;
        world.mine_until(share, &[], spec.previous_block, |_| (), |hash| hash <= target)
    };
    (0..count).map(&mut orphan).collect()
}

fn insert_from(world: &mut World, source: u64, proof: &Proof, list: Option<Vec<ShareId>>) -> Outcome {
    let bound = world.bind(proof);
    world.chain.insert(bound, list, Source(source), world.now)
}

#[test]
fn unknown_parent_flood() {
    let mut world = grown();
    let before = footprint(&world);
    let mut ahead = world.clone();
    let (link, list) = ahead.link(miner(1));
    let honest = ahead.share(miner(9));
    world.now = ahead.now;
    let value = unit(&world);
    insert_from(&mut world, 1, &honest, None);
    for proof in &orphans(&mut world, HELD_PER_SOURCE_MAX + 100) {
        insert_from(&mut world, 2, proof, None);
    }
    assert_eq!(world.chain.held_len(), HELD_PER_SOURCE_MAX + 1, "one source has its own room only");
    assert_eq!(footprint(&world).missing, 2, "and all of it is one question");
    assert!(matches!(world.chain.fate(&honest.id()), Fate::Held(_)), "no other miner's proof had to go");
    accepted(world.insert(&link, Some(list)));
    let later = world.now.plus(HELD_SECONDS_MAX + 1);
    world.chain.tick(later);
    assert_eq!(footprint(&world).held, before.held, "after ten minutes nothing of it is left");
    world.link(miner(1));
    assert_eq!(earned(&mut world, &miner(9)), (value, 1));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

#[test]
fn orphan_flood() {
    // Valid work on a parent that lost its race. Nodes keep and list it, because it is work. It costs as much as other
    // shares.
    const SHARES: u64 = 300;
    let mut world = grown();
    let parent = world.chain.tip();
    let (side, side_list) = super::secret_link(&mut world, parent, thief());
    world.link(miner(1));
    accepted(world.insert(&side, Some(side_list)));
    let value = unit(&world);
    let spec = Spec { list: vec![], ..world.spec_on(side.id(), thief()) };
    let mut hashes = 0;
    for _ in 0..SHARES {
        let proof = world.mine(&spec);
        hashes += u64::from(proof.header.nonce) + 1;
        accepted(receive(&mut world, &proof));
    }
    assert_eq!(world.chain.held_len(), 0);
    let fair = U256::from(hashes) * U256::from(2)
        >= Work::of_target(world.chain.params().easiest_share_target).0 * U256::from(SHARES);
    assert!(fair, "{hashes} hashes");
    world.link(miner(1));
    assert_eq!(footprint(&world).pending, 0, "one list takes it all");
    assert_eq!(earned(&mut world, &thief()), (times(value, SHARES + 1), SHARES + 1), "what the work is worth");
}

#[test]
fn lists_of_held_links_are_bounded() {
    let mut world = grown();
    let list: Vec<ShareId> = (0..LIST_MAX)
        .map(|number| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(number as u64).to_le_bytes());
            ShareId(id)
        })
        .collect();
    let list_bytes = LIST_MAX * size_of::<ShareId>();
    let room = HELD_LIST_BYTES_MAX / list_bytes;
    let target = world.chain.params().easiest_share_target;
    let spec = Spec { list: list.clone(), ..world.spec(thief()) };
    for number in 0..room + 20 {
        let mut share = world.header_of(&spec);
        (share.parent, share.signals) = (ShareId([9; 32]), number as u32);
        let proof = world.mine_until(share, &[], spec.previous_block, |_| (), |hash| hash <= target);
        let outcome = insert_from(&mut world, number as u64, &proof, Some(list.clone()));
        assert_eq!(outcome, Outcome::Held(Missing::Proof(ShareId([9; 32]))));
    }
    // The proofs wait. The node asks again for the lists beyond the bound once it finds their links valid.
    assert_eq!(world.chain.held_len(), room + 20);
    assert!(world.chain.held_len() * PROOF_BYTES_MAX + room * list_bytes <= 5 << 20, "5 MiB");
}

/// A chain that is long enough for a bound of its own. A share on it takes 32 times the least work.
fn hardened() -> World {
    let mut world = World::with(ChainParams { retarget_half_life_s: 8, link_interval_s: 4, ..wide() });
    world.bitcoin_block();
    let spec = |world: &World| Spec { list: vec![], link: true, ..world.spec_on(world.chain.tip(), miner(1)) };
    let hard = |world: &World| world.chain.params().easiest_share_target >> 5;
    for _ in 0..3 * params().listing_depth {
        let spec = spec(&world);
        let proof = world.mine(&spec);
        accepted(world.insert(&proof, Some(vec![])));
        let fast = world.chain.link(&world.chain.tip()).unwrap().position.share_target > hard(&world);
        world.now = world.now.plus(if fast { 2 } else { 4 });
    }
    world
}

#[test]
fn header_flood_with_low_work() {
    const HEADERS: usize = 64;
    let mut world = hardened();
    let easiest = world.chain.easiest_plausible_target(world.now);
    let position = world.chain.link(&world.chain.tip()).unwrap().position.clone();
    assert!(easiest < world.chain.params().easiest_share_target, "the pool has outgrown the floor");
    assert!(easiest <= position.share_target.saturating_mul(U256::from(16 * 8)));
    let before = footprint(&world);
    // Cheap headers on genesis, whose own position requires only the floor's work.
    let genesis = world.chain.params().genesis_id();
    let spec = Spec { list: vec![], ..world.spec_on(genesis, thief()) };
    let mut passed = 0_usize;
    for _ in 0..HEADERS {
        let share = world.header_of(&spec);
        let target = world.chain.params().easiest_share_target;
        let proof = world.mine_until(share, &[], spec.previous_block, |_| (), |hash| hash <= target);
        match BoundProof::bind(proof, easiest, world.chain.consensus_id()) {
            Err(rule) => assert_eq!(rule, RuleError::NoWork),
            Ok(_) => passed += 1,
        }
    }
    let part = world.chain.params().easiest_share_target / easiest;
    assert!(part >= U256::from(2));
    let due = HEADERS / part.to::<usize>();
    assert!(passed <= 2 * due, "{passed} of {HEADERS} had the work for it, one in {part} was expected");
    assert_eq!(footprint(&world), before, "the others are dropped on sight");
}

/// The easiest plausible target at any position near enough to the tip.
fn easiest_in_sight(world: &World) -> U256 {
    let (chain, params) = (&world.chain, world.chain.params());
    let lowest = chain.height().below(params.listing_depth);
    let positions =
        (lowest.0..=chain.height().0).map(|height| chain.link(&chain.main_at(Height(height)).unwrap()).unwrap());
    let easiest = positions.map(|link| link.position.share_target).max().unwrap();
    let young = chain.height().0 <= params.listing_depth;
    if young { params.easiest_share_target } else { (easiest * U256::from(16)).min(params.easiest_share_target) }
}

#[test]
fn the_easiest_plausible_target_follows_the_tip() {
    let floor = U256::MAX >> 1;
    let params = ChainParams { retarget_half_life_s: 1, link_interval_s: 3, easiest_share_target: floor, ..wide() };
    let mut world = World::with(params);
    world.bitcoin_block();
    // Links that leave others out lose ties, so that reorganizations occur.
    world.in_sync();
    let mut random = Random(1);
    let (mut below, mut switched) = (0, 0);
    for _ in 0..400 {
        // Most links extend the tip, others a link somewhat below it. They come slowly or fast, so that targets change
        // a hundredfold and back.
        let back = if random.below(4) == 0 { random.below(4) as u32 } else { 0 };
        let (tip, parent) = (world.chain.tip(), world.chain.main_at(world.chain.height().below(back)).unwrap());
        let position = world.chain.link(&parent).unwrap().position.clone();
        let hard = position.link_target < floor >> 11;
        let step_s = if hard { 6 } else { random.below(6) as u32 };
        let time = world.chain.link(&parent).unwrap().time.plus(step_s).max(Timestamp(1_800_000_000));
        let time = position.median_time.map_or(time, |median| time.max(median.plus(1)));
        world.now = world.now.max(time);
        let spec = Spec { time, list: vec![], link: true, ..world.spec_on(parent, miner(1)) };
        let proof = world.mine(&spec);
        accepted(world.insert(&proof, Some(vec![])));
        let easiest = world.chain.easiest_plausible_target(world.chain.link(&world.chain.tip()).unwrap().time);
        assert_eq!(easiest, easiest_in_sight(&world), "at {}", world.chain.height());
        below += u32::from(easiest < floor);
        switched += u32::from(world.chain.tip() != tip && parent != tip);
    }
    assert!(below > 40 && switched > 5, "{below} times below the floor, {switched} reorganisations");
}

/// Seconds until the interval is back to 10 s for good when links come at `hashes_per_s` after `idle_s` without any,
/// and the number of links that came within a tenth of the interval meanwhile.
fn after_idle(idle_s: u64, hashes_per_s: f64) -> (f64, usize) {
    let params = ChainParams::main();
    let steady = U256::MAX >> 47;
    let mut targets = vec![steady; 2 * params.anchor_depth as usize];
    let (mut interval_s, mut elapsed_s, mut off_until_s, mut fast) = (idle_s as f64, 0.0, 0.0, 0);
    for _ in 0..20_000 {
        let anchor = targets[targets.len() - 1 - params.anchor_depth as usize];
        let share = share_target(anchor, &params);
        let next = link_target(*targets.last().unwrap(), interval_s.round() as i64, share, &params);
        targets.push(next);
        let work = Work::of_target(next).to_hashes_saturating_u128() as f64;
        interval_s = work / hashes_per_s;
        elapsed_s += interval_s;
        fast += usize::from(interval_s < 1.0);
        if (interval_s - 10.0).abs() >= 2.0 {
            off_until_s = elapsed_s;
        }
    }
    (off_until_s, fast)
}

#[test]
fn targets_are_relative_so_an_idle_week_winds_nothing_up() {
    // A pool of 2^47 hashes per 10 s stops for a week and comes back with the same hashrate. On an absolute schedule,
    // it would have to catch up on the week: 60,480 links at the least interval.
    const WEEK_S: u64 = 7 * 86_400;
    const OWED: usize = WEEK_S as usize / 10;
    let (elapsed_s, fast) = after_idle(WEEK_S, (1_u64 << 47) as f64 / 10.0);
    let half_life_s = f64::from(ChainParams::main().retarget_half_life_s);
    assert!(elapsed_s <= 3.0 * half_life_s, "back in time after {elapsed_s} s");
    assert!(fast <= OWED / 200, "{fast} links in less than a second");
}

#[test]
fn a_flood_from_the_future_waits_in_its_own_room() {
    let mut world = grown();
    let spec = world.spec(thief());
    for number in 0..HELD_PER_SOURCE_MAX + 20 {
        let mut share = world.header_of(&spec);
        (share.time, share.signals) = (world.now.plus(31), number as u32);
        let payouts = world.payouts(&share, &spec.previous_block);
        let proof = world.mine_with(share, &payouts, spec.previous_block, false);
        let due = Timestamp(world.now.0 + 1);
        assert_eq!(insert_from(&mut world, 2, &proof, None), Outcome::Held(Missing::Time(due)));
    }
    assert_eq!(world.chain.held_len(), HELD_PER_SOURCE_MAX);
    assert_eq!(footprint(&world).pending, 0);
    let honest = world.share(miner(9));
    assert_eq!(world.chain.fate(&honest.id()), Fate::Pending);
}
