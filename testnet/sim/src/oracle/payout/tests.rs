use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, WPubkeyHash};
use rand::Rng;
use sharechain::{ChainParams, Weight};

use super::{Dues, amounts, select};
use crate::rng::stream;

/// Returns dues of `count` scripts. A few are large, and some are equal.
fn dues(count: u8, rng: &mut impl Rng) -> Dues {
    let script = |number: u8| ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number; 20]));
    let weight =
        |rng: &mut dyn rand::RngCore| Weight(1 << rng.random_range(40..62) | u128::from(rng.random::<u32>() & 3));
    (0..count).map(|number| (script(number), weight(rng))).collect()
}

#[test]
fn selection_and_amounts_are_those_of_the_share_chain() {
    const SUBSIDY_SAT: u64 = 312_500_000;
    let mut rng = stream(1, "dues", 0);
    for case in 0..300 {
        let outputs_max = rng.random_range(1..12);
        let output_floor_sat = [0, 10_000, 10_000_000][case % 3];
        let params = ChainParams { outputs_max, output_floor_sat, ..ChainParams::main() };
        let (dues, seed) = (dues(rng.random_range(1..30), &mut rng), rng.random());
        let (exact, ours) = select(dues.clone(), &seed, SUBSIDY_SAT, &params).unwrap();
        let pairs = dues.iter().map(|(script, weight)| (script.as_script(), *weight));
        let theirs = sharechain::payout::select(pairs, &seed, SUBSIDY_SAT, &params).unwrap().unwrap();
        let entries: Vec<_> = theirs.entries().iter().map(|due| (due.script.clone(), due.weight.0)).collect();
        assert_eq!((exact, &ours), (theirs.exact(), &entries), "case {case}");
        let value_sat = SUBSIDY_SAT + rng.random_range(0..1_000_000);
        let outputs = theirs.amounts(value_sat).unwrap();
        let paid = outputs.into_iter().map(|output| (output.script_pubkey, output.value.to_sat()));
        assert_eq!(amounts(&ours, value_sat), paid.filter(|(_, sat)| *sat > 0).collect(), "case {case}");
    }
}
