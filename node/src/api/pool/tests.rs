//! What a young pool says of Bitcoin.

use super::{bitcoin_hashrate_hs, hashrate_links, interval_s};

/// In the first minute of a network whose blocks come every 20 s, a reward does not take 17 hours to mature.
#[test]
fn the_first_blocks_have_the_interval_of_the_pool_that_finds_them() {
    let every = |step: u32, blocks: u32, pool_block_s| interval_s((0..=blocks).rev().map(|at| at * step), pool_block_s);
    assert_eq!(every(20, 3, Some(21.0)), 21.0);
    assert_eq!(every(20, 3, Some(1e9)), 600.0, "a small pool says nothing of Bitcoin");
    assert_eq!(interval_s(std::iter::empty(), None), 600.0);
    assert_eq!(every(20, 12, Some(1e9)), 20.0);
    assert_eq!(every(0, 144, None), 1.0 / 144.0);
}

#[test]
fn a_young_chain_has_fewer_links_than_an_estimate_takes() {
    assert_eq!([0, 1, 2, 61, 1_000].map(hashrate_links), [0, 0, 1, 60, 60]);
}

#[test]
fn no_pool_is_larger_than_bitcoin() {
    let work = 4.8e6;
    assert_eq!(bitcoin_hashrate_hs(work, Some(244e3)), 244e3);
    assert_eq!(bitcoin_hashrate_hs(work, Some(10.0)), 8e3);
    assert_eq!(bitcoin_hashrate_hs(work, None), 8e3);
}
