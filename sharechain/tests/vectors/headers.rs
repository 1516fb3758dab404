//! What Bitcoin expects of a header after others. A root's headers need no work, so they can be invented.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::{Timestamp, U256};

use crate::files::Case;
use crate::proof::network;

pub(super) fn check(case: &mut Case) {
    let params = network(case.text("network")).bitcoin;
    let (mut time, mut prev) = (case.number("first_time") as u32, BlockHash::all_zeros());
    let mut headers = Vec::new();
    for run in case.get("runs").as_array().unwrap() {
        let number = |field: &str| run[field].as_u64().unwrap() as u32;
        for _ in 0..number("count") {
            let bits = CompactTarget::from_consensus(number("bits"));
            let version = Version::from_consensus(4);
            let merkle_root = TxMerkleNode::all_zeros();
            headers.push(Header { version, prev_blockhash: prev, merkle_root, time, bits, nonce: 0 });
            prev = headers.last().unwrap().block_hash();
            time = time.checked_add_signed(run["seconds"].as_i64().unwrap() as i32).unwrap();
        }
    }
    let last_time = headers.last().unwrap().time;
    let height = case.number("first_height") as u32 + headers.len() as u32 - 1;
    let root = Root { height, chain_work: U256::MAX, headers };
    let next = BitcoinHeaders::new(&params, &root).unwrap().next(&prev).unwrap();
    assert_eq!(next.least_time, Timestamp(case.number("least_time") as u32));
    assert_eq!(u64::from(next.period_bits.to_consensus()), case.number("period_bits"));
    let seconds = case.get("seconds").as_array().unwrap();
    let expected = case.get("bits").as_array().unwrap();
    assert_eq!(seconds.len(), expected.len());
    for (seconds, expected) in seconds.iter().zip(expected) {
        let time = last_time.checked_add_signed(seconds.as_i64().unwrap() as i32).unwrap();
        let bits = next.bits(Timestamp(time));
        assert_eq!(u64::from(bits.to_consensus()), expected.as_u64().unwrap(), "{seconds} s later");
        assert_eq!(next.times(bits).contains(&time), time >= next.least_time.0, "{seconds} s later");
    }
}
