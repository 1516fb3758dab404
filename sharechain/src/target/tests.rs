use bitcoin::hashes::{Hash, sha256};
use proptest::prelude::*;

use super::*;

fn params() -> ChainParams {
    ChainParams::main()
}

/// A target far from every bound.
fn middle() -> U256 {
    U256::ONE << 200
}

fn retarget(target: U256, seconds: i64) -> U256 {
    link_target(target, seconds, U256::MAX, &params())
}

fn to_f64(target: U256) -> f64 {
    target.as_limbs().iter().rev().fold(0.0, |sum, limb| sum * 2_f64.powi(64) + *limb as f64)
}

fn any_target() -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0_usize..256).prop_map(|(limbs, shift)| U256::from_limbs(limbs) >> shift)
}

#[test]
fn the_interval_changes_nothing() {
    assert_eq!(retarget(middle(), 10), middle());
}

#[test]
fn a_half_life_doubles_and_halves_exactly() {
    assert_eq!(retarget(middle(), 10 + 600), middle() << 1);
    assert_eq!(retarget(middle(), 10 - 600), middle() >> 1);
    assert_eq!(retarget(middle(), 10 + 5 * 600), middle() << 5);
}

#[test]
fn the_exponent_is_clamped() {
    assert_eq!(retarget(middle(), 10 + 16 * 600), middle() << 16);
    assert_eq!(retarget(middle(), i64::MAX), middle() << 16);
    assert_eq!(retarget(middle(), i64::MIN), middle() >> 16);
}

#[test]
fn no_target_is_zero_or_overflows() {
    assert_eq!(retarget(U256::ONE, i64::MIN), U256::ONE);
    assert_eq!(retarget(U256::ZERO, 0), U256::ONE);
    assert_eq!(retarget(U256::MAX, i64::MAX), U256::MAX);
}

#[test]
fn the_share_target_bounds_the_link_target() {
    let bound = middle() + U256::ONE;
    assert_eq!(link_target(middle(), 610, bound, &params()), bound);
}

#[test]
fn the_fraction_lies_between_one_and_two() {
    let factors: Vec<u64> = (0..ONE).map(|x| split_exponent(x).1).collect();
    assert_eq!(factors[0], 65_536);
    assert!(factors.is_sorted() && factors[65_535] <= 131_072);
    for (x, factor) in factors.iter().enumerate() {
        let exact = 65_536.0 * (x as f64 / 65_536.0).exp2();
        assert!((*factor as f64 / exact - 1.0).abs() < 0.000_14, "x = {x}");
    }
}

/// Only this test detects a square coefficient that is lower by one: it changes two factors.
#[test]
fn every_factor_is_the_one_of_the_specification() {
    let factors: Vec<u8> = (0..ONE).flat_map(|x| (split_exponent(x).1 as u32).to_le_bytes()).collect();
    let expected = "83c2a49366d610f5db9d34010b4e66dbfbdeb20fc20f52fabc42583ec4aed617";
    assert_eq!(sha256::Hash::hash(&factors).to_string(), expected);
}

#[test]
fn values_of_the_specification() {
    // On mainnet, one second late or early gives e = floor(±65536 / 600) = 109 or -110.
    assert_eq!(exponent(11, &params()), 109);
    assert_eq!(exponent(9, &params()), -110);
    assert_eq!(split_exponent(109), (0, 65_612));
    assert_eq!(split_exponent(-110), (-1, 130_920));
    assert_eq!(retarget(middle(), 11), (middle() >> 16) * U256::from(65_612));
    assert_eq!(retarget(middle(), 9), (middle() >> 17) * U256::from(130_920));
}

#[test]
fn share_target_is_relative_and_floored() {
    let main = params();
    assert_eq!(share_target(main.first_link_target >> 5, &main), (main.first_link_target >> 5) * U256::from(32));
    assert_eq!(share_target(main.first_link_target, &main), main.easiest_share_target - U256::from(31));
    assert_eq!(share_target(U256::MAX, &main), main.easiest_share_target);
}

#[test]
fn weights_are_parts_of_a_block() {
    let main = params();
    let bits = CompactTarget::from_consensus(0x1701_d936);
    let block = target_of_bits(bits);
    assert_eq!(weight_of_share(block, bits, &main), Weight::ONE_BLOCK);
    assert_eq!(weight_of_share(U256::ONE, bits, &main), Weight::ONE_BLOCK);
    assert_eq!(weight_of_share(U256::MAX, bits, &main), Weight(1));
    let share = weight_of_share(block << 10, bits, &main).0;
    assert!(share.abs_diff(1 << 54) <= 1);
    let bonus = link_bonus(block << 4, bits, &main).0;
    assert!(bonus.abs_diff(1 << 54) <= 1);
}

#[test]
fn minimum_difficulty_blocks_do_not_raise_weights() {
    let main = params();
    let easy = CompactTarget::from_consensus(0x207f_ffff);
    let share = target_of_bits(CompactTarget::from_consensus(0x1e00_ffff));
    let floor = U256::from(main.bitcoin.min_block_work);
    let expected = (Work::of_target(share).0 << 64) / floor;
    assert_eq!(U256::from(weight_of_share(share, easy, &main).0), expected);
}

#[test]
fn bits_agree_with_bitcoin() {
    for bits in [0x1d00_ffff, 0x1b04_04cb, 0x1701_d936, 0x207f_ffff, 0x1e03_77ae] {
        let compact = CompactTarget::from_consensus(bits);
        assert_eq!(bits_of_target(target_of_bits(compact)), compact);
        let theirs = U256::from_le_bytes(Target::from_compact(compact).to_work().to_le_bytes());
        assert_eq!(work_of_bits(compact).0, theirs);
    }
}

/// With constant hashrate and exponentially distributed times, the mean interval is on schedule. A small bias remains:
/// near its ends, the cubic is 0.3% steeper for late links than for early ones.
#[test]
fn a_constant_hashrate_keeps_the_interval() {
    let params = params();
    let hashes_per_second = 2_f64.powi(52) / 10.0;
    let mut seed = 1_u64;
    let mut target = (U256::ONE << 204) - U256::ONE;
    let (mut clock, mut last_time, mut last_interval) = (0_f64, 0_i64, 10_i64);
    const LINKS: i32 = 200_000;
    for _ in 0..LINKS {
        target = link_target(target, last_interval, U256::MAX, &params);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((seed >> 11) as f64 + 0.5) / 2_f64.powi(53);
        clock += -uniform.ln() * (2_f64.powi(256) / to_f64(target)) / hashes_per_second;
        last_interval = clock as i64 - last_time;
        last_time = clock as i64;
    }
    let mean = clock / f64::from(LINKS);
    // The retarget follows the schedule, so the standard error of the mean is far below 10 / sqrt(200,000).
    assert!((mean - 10.0).abs() < 0.1, "{mean} s");
}

proptest! {
    #[test]
    fn later_is_never_harder(target in any_target(), seconds in -40_000_i64..40_000, more in 0_i64..40_000) {
        prop_assert!(retarget(target, seconds) <= retarget(target, seconds + more));
    }

    #[test]
    fn an_easier_parent_is_never_followed_by_a_harder_child(a in any_target(), b in any_target(), seconds in any::<i64>()) {
        prop_assert!(retarget(a.min(b), seconds) <= retarget(a.max(b), seconds));
    }

    #[test]
    fn never_zero_and_never_above_the_share_target(
        target in any_target(), seconds in any::<i64>(), share in any_target(),
    ) {
        let share = share.max(U256::ONE);
        let next = link_target(target, seconds, share, &params());
        prop_assert!(next >= U256::ONE && next <= share);
    }

    #[test]
    fn close_to_the_real_exponential(seconds in -9_500_i64..9_500) {
        let exact = to_f64(middle()) * ((seconds - 10) as f64 / 600.0).exp2();
        prop_assert!((to_f64(retarget(middle(), seconds)) / exact - 1.0).abs() < 0.000_2);
    }

    /// Times that add up to the schedule leave the target unchanged: rounding errors do not accumulate beyond the
    /// cubic's own error.
    #[test]
    fn no_drift(late in prop::collection::vec(-300_i64..300, 1..400)) {
        let mut target = middle();
        for seconds in late.iter().flat_map(|late| [10 + late, 10 - late]) {
            target = retarget(target, seconds);
        }
        let steps = 2.0 * late.len() as f64;
        prop_assert!((to_f64(target) / to_f64(middle())).ln().abs() < steps * 0.000_14);
    }

    #[test]
    fn weights_are_monotone_and_bounded(a in any_target(), b in any_target(), bits in any::<u32>()) {
        let bits = CompactTarget::from_consensus(bits);
        let main = params();
        let (hard, easy) = (a.min(b), a.max(b));
        for of in [weight_of_share, link_bonus] {
            prop_assert!(of(easy, bits, &main) <= of(hard, bits, &main));
            prop_assert!((1..=Weight::ONE_BLOCK.0).contains(&of(a, bits, &main).0));
        }
    }
}
