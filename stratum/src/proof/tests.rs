use bitcoin::block::{Header, Version};
use bitcoin::hex::FromHex;
use bitcoin::{BlockHash, CompactTarget};

use super::{merkle_root, rolled_version, swap_words, unswap_words};
use crate::difficulty::Difficulty;

/// The worked example of the first protocol description: a job and a share of difficulty 1. The hash
/// can only meet difficulty 1 if every byte order is right.
#[test]
fn the_published_example_meets_difficulty_one() {
    let bytes = |hex: &str| Vec::from_hex(hex).expect("hex");
    let prev = "4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000";
    let prev = <[u8; 32]>::from_hex(prev).expect("32 bytes");
    let coinb1 = bytes(concat!(
        "01000000010000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff20020862062f503253482f04b8864e5008"
    ));
    let coinb2 = bytes(concat!(
        "072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac",
        "00000000"
    ));
    let extranonce = bytes("0800000200000001");
    let header = Header {
        version: Version::from_consensus(2),
        prev_blockhash: unswap_words(prev),
        merkle_root: merkle_root(&[&coinb1, &extranonce, &coinb2], &[]),
        time: 0x504e_86ed,
        bits: CompactTarget::from_consensus(0x1c2a_c4af),
        nonce: 0xb295_7c02,
    };
    assert!(Difficulty::ONE.target().is_met_by(header.block_hash()), "{}", header.block_hash());
}

#[test]
fn block_hashes_survive_encoding() {
    let hash: BlockHash = "00000000440b921e1b77c6c0487ae5616de67f788f44ae2a5af6e2194d16b6f8".parse().expect("a hash");
    assert_eq!(unswap_words(swap_words(hash)), hash);
    assert_eq!(swap_words(hash)[..4], [0x4d, 0x16, 0xb6, 0xf8]);
}

#[test]
fn only_bits_in_the_mask_roll() {
    assert_eq!(rolled_version(0x2000_0000, 0xffff_ffff, 0x1fff_e000), 0x3fff_e000);
    assert_eq!(rolled_version(0x3fff_e004, 0x0000_2000, 0x1fff_e000), 0x2000_2004);
    assert_eq!(rolled_version(0x2000_0000, 0xffff_ffff, 0), 0x2000_0000);
}
