use bitcoin::Target;
use proptest::prelude::*;

use super::Difficulty;

fn target_with(byte: usize, value: u8) -> Target {
    let mut bytes = [0u8; 32];
    bytes[byte] = value;
    Target::from_be_bytes(bytes)
}

#[test]
fn difficulty_one_has_the_well_known_target() {
    assert_eq!(Difficulty::ONE.target(), Target::MAX_ATTAINABLE_MAINNET);
    assert_eq!(Difficulty::not_harder_than(Target::MAX_ATTAINABLE_MAINNET), Difficulty::ONE);
}

#[test]
fn powers_of_two_shift_the_target() {
    let half = Difficulty::floor(0.5).target().to_be_bytes();
    assert_eq!(half[3..7], [0x01, 0xff, 0xfe, 0x00]);
    let double = Difficulty::floor(2.0).target().to_be_bytes();
    assert_eq!(double[3..7], [0x00, 0x7f, 0xff, 0x80]);
}

#[test]
fn fractions_print_without_exponent() {
    assert_eq!(Difficulty::floor(2f64.powi(-16)).to_string(), "0.0000152587890625");
    assert_eq!(Difficulty::floor(1024.9).to_string(), "1024");
}

#[test]
fn extremes_stay_in_range() {
    for value in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY, 1e-300] {
        assert_eq!(Difficulty::floor(value), Difficulty::MIN);
    }
    assert_eq!(Difficulty::floor(f64::INFINITY).to_f64(), f64::from(u32::MAX));
    assert_eq!(Difficulty::not_harder_than(Target::ZERO).to_f64(), f64::from(u32::MAX));
    assert_eq!(Difficulty::MIN.target(), Target::from_be_bytes([0xff; 32]));
    let any_hash = Target::from_be_bytes([0xff; 32]);
    assert_eq!(Difficulty::not_harder_than(any_hash).target(), any_hash);
    assert!(Difficulty::not_harder_than(target_with(0, 0x80)).target() >= target_with(0, 0x80));
}

proptest! {
    #[test]
    fn the_target_is_never_harder_and_barely_easier(bytes in any::<[u8; 32]>(), zeros in 0usize..20) {
        let mut bytes = bytes;
        bytes[..zeros].fill(0);
        let target = Target::from_be_bytes(bytes);
        let difficulty = Difficulty::not_harder_than(target);
        prop_assert!(difficulty.target() >= target);
        let capped = difficulty.to_f64() >= f64::from(u32::MAX);
        prop_assert!(capped || difficulty.next_easier() < difficulty);
        if difficulty < Difficulty::ONE {
            let ratio = target.difficulty_float() / difficulty.to_f64();
            prop_assert!(ratio < 1.0 + 1e-6, "{ratio}");
        }
    }

    #[test]
    fn shares_of_a_difficulty_that_is_not_easier_than_a_target_meet_it(bytes in any::<[u8; 32]>(), zeros in 0usize..20) {
        let mut bytes = bytes;
        bytes[..zeros].fill(0);
        let target = Target::from_be_bytes(bytes);
        let difficulty = Difficulty::not_easier_than(target);
        prop_assert!(difficulty.target() <= target || difficulty.to_f64() >= f64::from(u32::MAX));
        if difficulty < Difficulty::ONE && difficulty > Difficulty::MIN {
            let ratio = difficulty.to_f64() / target.difficulty_float();
            prop_assert!(ratio < 1.0 + 1e-6, "{ratio}");
        }
        prop_assert_eq!(Difficulty::not_easier_than(difficulty.target()), difficulty);
    }

    #[test]
    fn the_printed_value_parses_to_the_same_difficulty(value in 1e-9f64..1e9) {
        let difficulty = Difficulty::floor(value);
        let read: f64 = difficulty.to_string().parse().expect("a number");
        prop_assert_eq!(Difficulty::floor(read), difficulty);
        prop_assert!(difficulty.to_f64() <= value);
    }

    #[test]
    fn a_harder_difficulty_has_a_lower_target(a in 1e-9f64..1e9, b in 1e-9f64..1e9) {
        let (a, b) = (Difficulty::floor(a), Difficulty::floor(b));
        prop_assert_eq!(a.cmp(&b), b.target().cmp(&a.target()));
    }
}
