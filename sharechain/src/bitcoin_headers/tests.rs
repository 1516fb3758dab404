use bitcoin::block::Version;
use bitcoin::hashes::Hash;
use bitcoin::{Target, TxMerkleNode};
use proptest::prelude::*;

use super::root::Base;
use super::*;
use crate::params::ChainParams;
use crate::target;
use crate::units::U256;

/// A target that is easy enough to mine a few hundred headers in a test, and hard enough for retargets in both
/// directions.
const EASY_BITS: u32 = 0x1f3f_ffff;
const PERIOD: u32 = 16;
const ROOT_HEIGHT: u32 = 100 * PERIOD + 12;
const START_S: u32 = 1_700_000_000;
const LATE: Timestamp = Timestamp(u32::MAX);

/// A network whose difficulty period has 16 blocks of 10 s.
fn params() -> BitcoinParams {
    BitcoinParams {
        network: bitcoin::Network::Regtest,
        other_genesis: None,
        pow_limit_bits: EASY_BITS,
        retarget_blocks: PERIOD,
        retarget_timespan_s: PERIOD * 10,
        ..ChainParams::local().bitcoin
    }
}

/// The same network as parameters of the `bitcoin` crate.
fn their_params() -> bitcoin::params::Params {
    let mut theirs = bitcoin::params::Params::new(bitcoin::Network::Regtest);
    theirs.max_attainable_target = Target::from_compact(CompactTarget::from_consensus(EASY_BITS));
    theirs.pow_target_timespan = u64::from(PERIOD * 10);
    theirs.no_pow_retargeting = false;
    theirs
}

fn header(prev: BlockHash, time: u32, bits: CompactTarget) -> Header {
    let version = Version::from_consensus(4);
    Header { version, prev_blockhash: prev, merkle_root: TxMerkleNode::all_zeros(), time, bits, nonce: 0 }
}

fn mine(mut header: Header) -> Header {
    while !header.target().is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

/// Builds the lowest headers, which need no work because a root is trusted.
fn root_at(height: u32) -> Root {
    let mut headers = vec![header(BlockHash::all_zeros(), START_S, CompactTarget::from_consensus(EASY_BITS))];
    for i in 1..Root::headers_needed(height, &params()) {
        headers.push(header(headers.last().unwrap().block_hash(), START_S + i * 10, headers[0].bits));
    }
    Root { height, chain_work: U256::from(1_u64 << 40), headers }
}

fn root() -> Root {
    root_at(ROOT_HEIGHT)
}

fn tree() -> BitcoinHeaders {
    BitcoinHeaders::new(&params(), &root()).unwrap()
}

/// Mines a valid child, `seconds` after its parent.
fn child(tree: &BitcoinHeaders, prev: &BlockHash, seconds: u32) -> Header {
    let time = tree.get(prev).unwrap().header.time + seconds;
    mine(header(*prev, time, tree.next_bits(prev).unwrap()))
}

fn extend(tree: &mut BitcoinHeaders, prev: BlockHash, seconds: u32) -> BlockHash {
    let child = child(tree, &prev, seconds);
    assert_eq!(tree.insert(child, LATE), Ok(Inserted::New));
    child.block_hash()
}

fn tip(tree: &BitcoinHeaders) -> BlockHash {
    tree.best().header.block_hash()
}

fn main_block_1() -> Header {
    Header {
        version: Version::ONE,
        prev_blockhash: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f".parse().unwrap(),
        merkle_root: "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098".parse().unwrap(),
        time: 1_231_469_665,
        bits: CompactTarget::from_consensus(0x1d00_ffff),
        nonce: 2_573_394_689,
    }
}

#[test]
fn main_starts_with_its_first_block() {
    let params = ChainParams::main().bitcoin;
    let mut tree = BitcoinHeaders::new(&params, &Root::genesis(&params)).unwrap();
    assert_eq!(tree.best().chain_work, U256::from(0x1_0001_0001_u64));
    assert_eq!(tree.tree.above_root().count(), 0);
    let block = main_block_1();
    assert_eq!(tree.insert(block, Timestamp(1_231_469_665)), Ok(Inserted::New));
    assert_eq!(tree.insert(block, Timestamp(0)), Ok(Inserted::Known));
    let known = tree.get(&block.block_hash()).unwrap();
    assert_eq!(block.block_hash().to_string(), "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048");
    assert_eq!((known.height, known.chain_work), (1, U256::from(0x2_0002_0002_u64)));
    // The later of two times, as in Bitcoin Core.
    assert_eq!(known.median_time, Timestamp(block.time));
}

#[test]
fn the_hash_must_meet_the_target() {
    let params = ChainParams::main().bitcoin;
    let mut tree = BitcoinHeaders::new(&params, &Root::genesis(&params)).unwrap();
    let block = Header { nonce: 1, ..main_block_1() };
    assert_eq!(tree.insert(block, LATE), Err(HeaderError::ProofOfWork));
    // A hash equal to the target still meets it.
    let target = target::target_of_bits(block.bits);
    let hash = |number: U256| BlockHash::from_byte_array(number.to_le_bytes());
    assert_eq!(rules::check_work(&block, &hash(target)), Ok(()));
    assert_eq!(rules::check_work(&block, &hash(target + U256::ONE)), Err(HeaderError::ProofOfWork));
}

/// Retargets of mainnet, and Bitcoin Core's own test of the upper limit.
#[test]
fn retargets_of_the_main_network() {
    let params = ChainParams::main().bitcoin;
    for (first_time, last_time, bits, expected) in [
        // Heights 30,240 and 32,255.
        (1_261_130_161, 1_262_152_739, 0x1d00_ffff, 0x1d00_d86a),
        // Genesis and 2,015: the limit.
        (1_231_006_505, 1_233_061_996, 0x1d00_ffff, 0x1d00_ffff),
        // Heights 66,528 and 68,543: at most a quarter.
        (1_279_008_237, 1_279_297_671, 0x1c05_a3f4, 0x1c01_68fd),
        // At most four times.
        (1_263_163_443, 1_269_211_443, 0x1c38_7f6f, 0x1d00_e1fd),
    ] {
        let taken_s: i64 = last_time - first_time;
        let found = rules::retarget(CompactTarget::from_consensus(bits), taken_s, &params);
        assert_eq!(found, CompactTarget::from_consensus(expected));
    }
}

/// Four periods, fast, very fast, very slow and even, against a recomputation with the `bitcoin` crate.
#[test]
fn three_retargets_agree_with_a_naive_recomputation() {
    let mut tree = tree();
    let mut headers = root().headers;
    for height in ROOT_HEIGHT + 1..ROOT_HEIGHT + 1 + 4 * PERIOD {
        let seconds = match (height - ROOT_HEIGHT) / PERIOD {
            0 => 7,
            1 => 1,
            2 => 90,
            _ => 10,
        };
        let last = headers[headers.len() - 1];
        let expected = if height % PERIOD == 0 {
            let first = headers[headers.len() - PERIOD as usize];
            let taken_s = u64::from(last.time - first.time);
            CompactTarget::from_next_work_required(last.bits, taken_s, their_params())
        } else {
            last.bits
        };
        let mut recent: Vec<u32> = headers.iter().rev().take(11).map(|header| header.time).collect();
        recent.sort_unstable();
        assert_eq!(tree.median_time(&last.block_hash()), Some(Timestamp(recent[recent.len() / 2])));
        assert_eq!(tree.next_bits(&last.block_hash()), Some(expected), "height {height}");
        let at = extend(&mut tree, last.block_hash(), seconds);
        headers.push(tree.get(&at).unwrap().header);
    }
    let above = headers.iter().skip(root().headers.len()).fold(root().chain_work, |sum, header| sum + work(header));
    assert_eq!(tree.best().chain_work, above);
    let bits: std::collections::BTreeSet<_> = headers.iter().map(|header| header.bits).collect();
    assert!(bits.len() > 2, "the difficulty never moved");
}

#[test]
fn nbits_must_be_what_is_due() {
    let mut tree = tree();
    let mut block = child(&tree, &tip(&tree), 10);
    block.bits = CompactTarget::from_consensus(0x1f3f_fffe);
    let expected = HeaderError::Bits { found: 0x1f3f_fffe, expected: EASY_BITS };
    assert_eq!(tree.insert(mine(block), LATE), Err(expected));
}

#[test]
fn the_time_must_exceed_the_median() {
    let mut tree = tree();
    let (prev, bits) = (tip(&tree), CompactTarget::from_consensus(EASY_BITS));
    let median = tree.median_time(&prev).unwrap();
    assert_eq!(median, Timestamp(START_S + 10 * 7));
    let error = HeaderError::TimeTooOld { found: median, least: median.plus(1) };
    assert_eq!(tree.insert(mine(header(prev, median.0, bits)), LATE), Err(error));
    assert_eq!(tree.insert(mine(header(prev, median.0 + 1, bits)), LATE), Ok(Inserted::New));
}

#[test]
fn the_future_is_held_and_not_refused() {
    let mut tree = tree();
    let block = child(&tree, &tip(&tree), 10);
    let due = Timestamp(block.time - 7_200);
    let early = Inserted::Held(HeldHeader::TooEarly(due));
    assert_eq!(tree.insert(block, Timestamp(due.0 - 1)), Ok(early));
    assert_eq!(tree.insert(block, due), Ok(Inserted::New));
}

#[test]
fn an_orphan_is_held() {
    let mut tree = tree();
    let block = header(BlockHash::all_zeros(), START_S, CompactTarget::from_consensus(EASY_BITS));
    assert_eq!(tree.insert(block, LATE), Ok(Inserted::Held(HeldHeader::UnknownParent(BlockHash::all_zeros()))));
    // Headers below the root cannot be checked either.
    let below = root().headers[3].block_hash();
    let block = header(below, START_S + 10, CompactTarget::from_consensus(EASY_BITS));
    assert_eq!(tree.insert(block, LATE), Ok(Inserted::Held(HeldHeader::UnknownParent(below))));
}

#[test]
fn retired_versions_are_refused() {
    let mut tree = tree();
    let mut block = child(&tree, &tip(&tree), 10);
    block.version = Version::from_consensus(3);
    assert_eq!(tree.insert(mine(block), LATE), Err(HeaderError::Version(3)));
    let main = ChainParams::main().bitcoin;
    for (height, least) in [(1, i32::MIN), (227_931, 2), (363_725, 3), (388_381, 4), (925_344, 4)] {
        let with = |version| Header { version: Version::from_consensus(version), ..main_block_1() };
        assert_eq!(rules::check_version(&with(least), height, &main), Ok(()));
        if let Some(retired) = least.checked_sub(1) {
            assert_eq!(rules::check_version(&with(retired), height, &main), Err(HeaderError::Version(retired)));
        }
    }
}

/// The rule applies from the height of the block itself.
#[test]
fn versions_are_retired_from_their_height_on() {
    let params = BitcoinParams { network: bitcoin::Network::Bitcoin, ..params() };
    for (height, version) in [(227_931, 1), (363_725, 2), (388_381, 3)] {
        for (height, expected) in [(height - 1, Ok(Inserted::New)), (height, Err(HeaderError::Version(version)))] {
            let mut tree = BitcoinHeaders::new(&params, &root_at(height - 1)).unwrap();
            let mut block = child(&tree, &tip(&tree), 10);
            block.version = Version::from_consensus(version);
            assert_eq!(tree.insert(mine(block), LATE), expected, "version {version} at {height}");
        }
    }
}

#[test]
fn the_best_is_the_heaviest_and_the_first_seen() {
    let mut tree = tree();
    let fork = tip(&tree);
    let first = extend(&mut tree, fork, 10);
    let rival = extend(&mut tree, fork, 11);
    assert_eq!(tip(&tree), first);
    let above_rival = extend(&mut tree, rival, 10);
    assert_eq!(tip(&tree), above_rival);
    assert_eq!(tree.tree.above_root().count(), 3);
}

#[test]
fn deep_forks_are_refused() {
    // Fake headers below, since 2,017 of them take long to mine.
    let bits = CompactTarget::from_consensus(EASY_BITS);
    let mut tree = tree();
    let fork = tip(&tree);
    let mut prev = fork;
    for i in 0..=FORK_DEPTH_MAX {
        let (at, parent) = tree.tree.find(&prev).unwrap();
        let (next, chain_work) = (header(prev, START_S + i, bits), parent.chain_work + U256::ONE);
        tree.tree.push(next.block_hash(), next, at, chain_work);
        prev = next.block_hash();
        if i + 1 == FORK_DEPTH_MAX {
            let at_the_limit = child(&tree, &fork, 10);
            assert_eq!(tree.insert(at_the_limit, LATE), Ok(Inserted::New));
        }
    }
    let block = child(&tree, &fork, 11);
    assert_eq!(tree.insert(block, LATE), Err(HeaderError::ForkTooDeep(FORK_DEPTH_MAX + 1)));
}

#[test]
fn roots_are_checked() {
    let good = root();
    let new = |root: &Root| BitcoinHeaders::new(&params(), root).map(|tree| tree.best().clone());
    let best = new(&good).unwrap();
    assert_eq!((best.height, best.chain_work), (good.height, good.chain_work));
    let mut tree = tree();
    let fork = tip(&tree);
    extend(&mut tree, fork, 10);
    assert_eq!(tree.root(), good, "what came with the root, and nothing above");
    let mut few = good.clone();
    few.headers.remove(0);
    assert_eq!(new(&few), Err(RootError::TooFew { height: ROOT_HEIGHT, found: 12, needed: 13 }));
    let mut torn = good.clone();
    torn.headers[5].nonce += 1;
    assert_eq!(new(&torn), Err(RootError::NotAChain(ROOT_HEIGHT)));
    let other = Root { height: 12, ..good.clone() };
    assert_eq!(new(&other), Err(RootError::OtherGenesis));
    let long = Root { height: 11, ..good.clone() };
    assert_eq!(new(&long), Err(RootError::NotAChain(11)));
    let light = Root { chain_work: U256::ONE, ..good };
    assert_eq!(new(&light), Err(RootError::ChainWork));
}

#[test]
fn a_root_needs_its_period_and_eleven_headers() {
    for (height, needed) in [(0, 1), (4, 5), (16, 11), (30, 15), (31, 16), (32, 11)] {
        assert_eq!(Root::headers_needed(height, &params()), needed, "height {height}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// On any network and at any position in a period, the times that are found for some nBits are those at which these
    /// nBits are expected.
    #[test]
    fn times_are_those_with_which_the_nbits_are_expected(
        network in 0_usize..5,
        last in prop_oneof![Just(0_u32), Just(1_u32), Just(2_u32), 3_u32..2_016],
        gap_s in 0_u32..5_000,
        after_s in prop_oneof![-700_i64..700, 1_190_i64..1_210, 0_i64..10_000],
        other in any::<u32>(),
    ) {
        let params = ChainParams::all()[network].bitcoin.clone();
        let height = 2 * params.retarget_blocks - 1 - last.min(params.retarget_blocks - 1);
        let bits = CompactTarget::from_consensus(params.pow_limit_bits - 0x0100_0000);
        let mut headers = vec![header(BlockHash::all_zeros(), START_S, bits)];
        for _ in 1..Root::headers_needed(height, &params) {
            let last = headers[headers.len() - 1];
            headers.push(header(last.block_hash(), last.time + gap_s, bits));
        }
        let tip = headers[headers.len() - 1];
        let tree = BitcoinHeaders::new(&params, &Root { height, chain_work: U256::MAX, headers }).unwrap();
        let next = tree.next(&tip.block_hash()).unwrap();
        let time = u32::try_from(i64::from(tip.time) + after_s).unwrap();
        let expected = next.bits(Timestamp(time));
        let easiest = CompactTarget::from_consensus(params.pow_limit_bits);
        for bits in [next.period_bits, easiest, CompactTarget::from_consensus(other)] {
            let fits = bits == expected && time >= next.least_time.0;
            prop_assert_eq!(next.times(bits).contains(&time), fits, "{:?}", next);
        }
        let is_first = (height + 1).is_multiple_of(params.retarget_blocks);
        let may_be_late = params.min_difficulty_after_s > 0 && !is_first;
        prop_assert_eq!(expected == easiest && next.period_bits != easiest, may_be_late && after_s > 1_200);
    }

    /// In any tree, jumps find the same ancestors as single steps.
    #[test]
    fn jumps_agree_with_steps(
        parents in prop::collection::vec(prop_oneof![4 => Just(0_usize), 1 => 0_usize..50], 1..400),
        from in any::<prop::sample::Index>(),
        lowest in 0_u32..3,
    ) {
        let bits = CompactTarget::from_consensus(EASY_BITS);
        let first = header(BlockHash::all_zeros(), 0, bits);
        let base = BitcoinHeader { header: first, height: lowest, chain_work: U256::ZERO, median_time: Timestamp(0) };
        let mut tree = Tree::new(Base { first: base, rest: &[] });
        let mut hashes = vec![first.block_hash()];
        let mut heights = vec![lowest];
        let mut parent_of = vec![0];
        for (i, back) in parents.iter().enumerate() {
            let parent = i.saturating_sub(*back);
            let next = header(hashes[parent], i as u32, bits);
            let (at, _) = tree.find(&hashes[parent]).unwrap();
            tree.push(next.block_hash(), next, at, U256::from(i));
            hashes.push(next.block_hash());
            heights.push(heights[parent] + 1);
            parent_of.push(parent);
        }
        let from = from.index(hashes.len());
        let (index, _) = tree.find(&hashes[from]).unwrap();
        let mut at = from;
        loop {
            let found = tree.ancestor(index, heights[at]).unwrap();
            prop_assert_eq!(found.header.block_hash(), hashes[at]);
            if at == 0 {
                break;
            }
            at = parent_of[at];
        }
        prop_assert!(tree.ancestor(index, heights[from] + 1).is_none());
        prop_assert!(lowest == 0 || tree.ancestor(index, lowest - 1).is_none());
    }
}
