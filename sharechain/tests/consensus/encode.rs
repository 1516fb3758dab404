//! The encoding is canonical: bytes that decode encode to the same bytes again, and no other bytes decode.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, ScriptBuf, TxMerkleNode};
use proptest::collection::vec;
use proptest::prelude::*;
use sharechain::encode::{decode_list, encode_list, is_spendable_by_owner};
use sharechain::limits::{BRANCH_MAX, LIST_MAX, PREFIX_BYTES_MAX, PREFIX_BYTES_MIN, PROOF_BYTES_MAX, SCRIPT_BYTES_MAX};
use sharechain::share::SHARE_VERSION;
use sharechain::{CoinbasePrefix, Proof, RuleError, ShareHeader, ShareId, Timestamp};

fn script() -> impl Strategy<Value = ScriptBuf> {
    (0_usize..5, any::<[u8; 32]>()).prop_map(|(form, hash)| {
        let (before, len, after): (&[u8], _, &[u8]) = match form {
            0 => (&[0x76, 0xa9, 0x14], 20, &[0x88, 0xac]),
            1 => (&[0xa9, 0x14], 20, &[0x87]),
            2 => (&[0x00, 0x14], 20, &[]),
            3 => (&[0x00, 0x20], 32, &[]),
            _ => (&[0x51, 0x20], 32, &[]),
        };
        ScriptBuf::from_bytes([before, &hash[..len], after].concat())
    })
}

fn header() -> impl Strategy<Value = Header> {
    any::<(i32, [u8; 32], [u8; 32], u32, u32, u32)>().prop_map(|(version, prev, root, time, bits, nonce)| Header {
        version: Version::from_consensus(version),
        prev_blockhash: BlockHash::from_byte_array(prev),
        merkle_root: TxMerkleNode::from_byte_array(root),
        time,
        bits: CompactTarget::from_consensus(bits),
        nonce,
    })
}

/// Null data scripts of every length, in their only form.
fn null_data() -> impl Strategy<Value = ScriptBuf> {
    prop_oneof![
        3 => Just(ScriptBuf::new()),
        2 => vec(any::<u8>(), 1..=75).prop_map(|data| [&[0x6a, data.len() as u8], &data[..]].concat().into()),
        1 => vec(any::<u8>(), 76..=80).prop_map(|data| [&[0x6a, 0x4c, data.len() as u8], &data[..]].concat().into()),
    ]
}

fn share() -> impl Strategy<Value = ShareHeader> {
    let ids = any::<([u8; 32], [u8; 32], [u8; 32], [u8; 32])>();
    let scripts = (script(), null_data());
    (ids, 0..=LIST_MAX as u16, scripts, any::<(u32, u32, u64, u32)>()).prop_map(|(ids, shares_count, scripts, rest)| {
        let (time, bitcoin_height, coinbase_value, signals) = rest;
        let (parent, anchor, shares_root, state_root) = (ShareId(ids.0), ShareId(ids.1), ids.2, ids.3);
        let (version, time) = (SHARE_VERSION, Timestamp(time));
        let (payout, null_data) = scripts;
        ShareHeader {
            version,
            parent,
            anchor,
            shares_root,
            shares_count,
            state_root,
            payout,
            time,
            bitcoin_height,
            coinbase_value,
            signals,
            null_data,
        }
    })
}

fn prefix() -> impl Strategy<Value = CoinbasePrefix> {
    (any::<[u8; 32]>(), PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX)
        .prop_flat_map(|(midstate, length)| (Just((midstate, length)), vec(any::<u8>(), (length % 64) as usize)))
        .prop_map(|((midstate, length), tail)| CoinbasePrefix { midstate, length, tail })
}

fn proof() -> impl Strategy<Value = Proof> {
    let branch = vec(any::<[u8; 32]>(), 0..=BRANCH_MAX);
    (header(), share(), any::<[u8; 16]>(), any::<Option<[u8; 32]>>(), branch, prefix()).prop_map(
        |(header, share, extranonce, witness_commitment, branch, prefix)| Proof {
            header,
            share,
            extranonce,
            witness_commitment,
            branch,
            prefix,
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(proof in proof()) {
        let bytes = proof.encode();
        prop_assert!(bytes.len() <= PROOF_BYTES_MAX);
        prop_assert_eq!(Proof::decode(&bytes), Ok(proof));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(proof in proof(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = proof.encode();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(decoded) = Proof::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..PROOF_BYTES_MAX + 10)) {
        if let Ok(decoded) = Proof::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn a_cut_or_lengthened_proof_does_not_decode(proof in proof(), at in any::<prop::sample::Index>(), more in 1_usize..9) {
        let mut bytes = proof.encode();
        let cut = at.index(bytes.len());
        prop_assert!(Proof::decode(&bytes[..cut]).is_err());
        bytes.resize(bytes.len() + more, 0);
        let too_long = bytes.len() > PROOF_BYTES_MAX;
        prop_assert_eq!(Proof::decode(&bytes), Err(if too_long { RuleError::TooLong } else { RuleError::TrailingBytes }));
    }

    #[test]
    fn lists_are_canonical(ids in vec(any::<[u8; 32]>(), 0..40), change in any::<(prop::sample::Index, u8)>()) {
        let ids: Vec<ShareId> = ids.into_iter().map(ShareId).collect();
        let mut bytes = encode_list(&ids);
        prop_assert_eq!(decode_list(&bytes), Ok(ids));
        let at = change.0.index(bytes.len());
        bytes[at] = change.1;
        if let Ok(decoded) = decode_list(&bytes) {
            prop_assert_eq!(encode_list(&decoded), bytes);
        }
    }
}

/// A proof and where some of its fields start.
fn example() -> (Proof, usize) {
    let mut world = testkit::World::new();
    world.bitcoin_block();
    let proof = world.mine(&world.spec(testkit::miner(1)));
    let after_share = Header::SIZE + proof.share.encode().len() + 16;
    (proof, after_share)
}

#[test]
fn sc_001_to_003_length_is_exact() {
    let (proof, _) = example();
    let mut bytes = proof.encode();
    assert_eq!(Proof::decode(&bytes[..bytes.len() - 1]), Err(RuleError::Truncated));
    assert_eq!(Proof::decode(&[]), Err(RuleError::Truncated));
    bytes.push(0);
    assert_eq!(Proof::decode(&bytes), Err(RuleError::TrailingBytes));
    assert_eq!(Proof::decode(&[0; PROOF_BYTES_MAX + 1]), Err(RuleError::TooLong));
}

#[test]
fn sc_004_another_version_is_not_known() {
    let (mut proof, _) = example();
    for version in [0, 1, 3, u32::MAX] {
        proof.share.version = version;
        assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::Version(version)));
    }
}

#[test]
fn sc_005_payout_scripts_have_known_forms() {
    let (mut proof, _) = example();
    let pubkey = [&[0x21, 0x02][..], &[1; 32], &[0xac]].concat();
    let v1_short = [&[0x51, 0x02][..], &[0x4e, 0x73]].concat();
    let op_return = vec![0x6a, 0x01, 0x00];
    for script in
        [vec![], vec![0x51], op_return, v1_short, pubkey, vec![0x00; SCRIPT_BYTES_MAX], vec![0x51; 35], vec![0x51; 255]]
    {
        proof.share.payout = ScriptBuf::from_bytes(script);
        assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::PayoutScript));
    }
    // Later witness versions have 32 bytes. There are 17 versions in all.
    for (op, length, valid) in [
        (0x51, 32, true),
        (0x52, 32, true),
        (0x60, 32, true),
        (0x61, 32, false),
        (0x52, 31, false),
        (0x52, 33, false),
        (0x52, 20, false),
        (0x60, 2, false),
        (0x4f, 32, false),
    ] {
        let bytes = [vec![op, length], vec![7; usize::from(length)]].concat();
        proof.share.payout = ScriptBuf::from_bytes(bytes);
        let decoded = Proof::decode(&proof.encode());
        assert_eq!(decoded, if valid { Ok(proof.clone()) } else { Err(RuleError::PayoutScript) }, "{op:#x} {length}");
        assert_eq!(is_spendable_by_owner(&proof.share.payout), op == 0x51);
    }
}

#[test]
fn sc_010_null_data_is_one_push_and_no_witness_commitment() {
    let (mut proof, _) = example();
    let push = |length: u8| [vec![0x6a, length], vec![7; usize::from(length)]].concat();
    let long = |length: u8| [vec![0x6a, 0x4c, length], vec![7; usize::from(length)]].concat();
    let commitment = [vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed], vec![7; 32]].concat();
    let mut near = commitment.clone();
    near[5] ^= 1;
    for valid in [vec![], push(1), push(75), long(76), long(80), near] {
        proof.share.null_data = ScriptBuf::from_bytes(valid);
        assert_eq!(Proof::decode(&proof.encode()), Ok(proof.clone()));
    }
    let checksigs = [vec![0x6a], vec![0xac; 40]].concat();
    let cut = push(9)[..10].to_vec();
    let two = [push(3), push(3)].concat();
    let two_pushes = [push(3), vec![1, 1]].concat();
    for invalid in [
        vec![0x6a],
        vec![0x6a, 0],
        vec![0x51],
        long(75),
        long(81),
        commitment,
        checksigs,
        cut,
        two,
        two_pushes,
        vec![0x6a, 0x51],
        vec![0; 83],
        vec![0x6a; 84],
    ] {
        proof.share.null_data = ScriptBuf::from_bytes(invalid.clone());
        assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::NullData), "{invalid:02x?}");
    }
}

#[test]
fn sc_006_and_007_flag_and_branch_are_bounded() {
    let (mut proof, after_share) = example();
    let mut bytes = proof.encode();
    bytes[after_share] = 2;
    assert_eq!(Proof::decode(&bytes), Err(RuleError::WitnessFlag));
    proof.branch = vec![[0; 32]; BRANCH_MAX + 1];
    assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::BranchTooLong));
}

#[test]
fn sc_008_a_coinbase_is_never_as_long_as_an_inner_node() {
    let (mut proof, _) = example();
    // The last output and the locktime add 47 bytes.
    for length in [0, 17, 64 - 47, PREFIX_BYTES_MIN - 1, PREFIX_BYTES_MAX + 1, u32::MAX] {
        proof.prefix = CoinbasePrefix { midstate: [0; 32], length, tail: vec![0; (length % 64) as usize] };
        assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::PrefixLength(length)));
    }
}

#[test]
fn sc_009_lists_are_bounded() {
    let (mut proof, _) = example();
    proof.share.shares_count = LIST_MAX as u16 + 1;
    assert_eq!(Proof::decode(&proof.encode()), Err(RuleError::ListTooLong));
    let ids = vec![ShareId([0; 32]); LIST_MAX + 1];
    assert_eq!(decode_list(&encode_list(&ids)), Err(RuleError::ListTooLong));
    assert_eq!(decode_list(&encode_list(&ids[1..])).map(|list| list.len()), Ok(LIST_MAX));
    assert_eq!(decode_list(&[1]), Err(RuleError::Truncated));
    assert_eq!(decode_list(&[0, 0, 0]), Err(RuleError::TrailingBytes));
}
