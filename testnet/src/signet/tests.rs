use super::*;

#[test]
fn the_network_starts_like_the_public_signet() {
    let genesis = genesis();
    assert_eq!(genesis.block_hash().to_string(), "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6");
    assert_eq!(genesis.header.bits.to_consensus(), POW_LIMIT_BITS);
    assert_eq!(pow_limit(), genesis.header.target());
}

#[test]
fn the_subsidy_halves() {
    assert_eq!(subsidy(1).to_sat(), 5_000_000_000);
    assert_eq!(subsidy(HALVING_BLOCKS - 1).to_sat(), 5_000_000_000);
    assert_eq!(subsidy(HALVING_BLOCKS).to_sat(), 2_500_000_000);
    assert_eq!(subsidy(HALVING_BLOCKS * 64), Amount::ZERO);
}

#[test]
fn bits_change_only_at_a_retarget_and_never_pass_the_limit() {
    let harder = 0x1e01_0000;
    let two_weeks = 14 * 24 * 60 * 60;
    assert_eq!(next_bits(2015, harder, 0, 1), harder, "inside a period");
    assert_eq!(next_bits(2016, harder, 0, two_weeks), harder, "as planned");
    // Twice as slow: twice as easy. Ten times as slow: four times as easy, which exceeds the limit here.
    assert_eq!(next_bits(2016, 0x1d01_0000, 0, 2 * two_weeks), 0x1d02_0000);
    assert_eq!(next_bits(2016, harder, 0, 10 * two_weeks), POW_LIMIT_BITS);
    // Ten times as fast, and a clock that ran backward: four times as hard.
    let quarter = 0x1d40_0000;
    assert_eq!(next_bits(2016, harder, 0, two_weeks / 10), quarter);
    assert_eq!(next_bits(2016, harder, 100, 0), quarter);
}
