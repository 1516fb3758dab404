use bitcoin::block::{Header, Version};
use bitcoin::pow::CompactTarget;
use bitcoin::{Amount, BlockHash, ScriptBuf, TxMerkleNode};
use proptest::prelude::*;

use super::*;
use crate::share::{SHARE_VERSION, ShareHeader};
use crate::units::Timestamp;

const CONSENSUS_ID: [u8; 32] = [7; 32];

fn script(fill: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x51, 0x20][..], &[fill; 32]].concat())
}

fn payouts(count: u8) -> Vec<TxOut> {
    (0..count).map(|i| TxOut { value: Amount::from_sat(u64::from(i) + 1), script_pubkey: script(i) }).collect()
}

/// An honest proof that pays `payouts` and has a branch of `depth` hashes.
fn honest(payouts: &[TxOut], depth: u8) -> Proof {
    let share = ShareHeader {
        version: SHARE_VERSION,
        parent: ShareId([1; 32]),
        anchor: ShareId([2; 32]),
        shares_root: [3; 32],
        shares_count: 0,
        state_root: [8; 32],
        payout: script(9),
        time: Timestamp(1_700_000_000),
        bitcoin_height: 925_344,
        coinbase_value: 312_500_000,
        signals: 0,
        null_data: ScriptBuf::new(),
    };
    let (extranonce, witness_commitment) = ([4; 16], Some([5; 32]));
    let coinbase =
        Coinbase { share: &share, payouts, extranonce: &extranonce, witness_commitment: witness_commitment.as_ref() }
            .build(&CONSENSUS_ID);
    let branch: Vec<_> = (0..depth).map(|i| [i; 32]).collect();
    let root = merkle_root(coinbase.txid().to_byte_array(), &branch);
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: BlockHash::from_byte_array([6; 32]),
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: 1_700_000_000,
        bits: CompactTarget::from_consensus(0x1701_d936),
        nonce: 0,
    };
    Proof { header, prefix: coinbase.prefix(), share, extranonce, witness_commitment, branch }
}

fn bind(proof: Proof) -> Result<BoundProof, RuleError> {
    BoundProof::bind(proof, U256::MAX, &CONSENSUS_ID)
}

#[test]
fn an_honest_proof_binds_and_pays() {
    for depth in 0..=14 {
        let proof = honest(&payouts(48), depth);
        let bound = bind(proof.clone()).unwrap();
        assert_eq!((bound.id(), bound.proof()), (proof.id(), &proof));
        assert_eq!(bound.check_coinbase(&payouts(48)), Ok(()));
        assert_eq!(bound.check_coinbase(&payouts(47)), Err(RuleError::Payout));
        assert_eq!(bound.into_proof(), proof);
    }
}

#[test]
fn the_target_is_met_when_the_hash_equals_it() {
    let proof = honest(&payouts(1), 0);
    let hash = proof.id().as_number();
    assert!(BoundProof::bind(proof.clone(), hash, &CONSENSUS_ID).is_ok());
    assert_eq!(BoundProof::bind(proof, hash - U256::ONE, &CONSENSUS_ID), Err(RuleError::NoWork));
}

#[test]
fn the_root_of_two_is_bitcoins() {
    let leaves = [[1; 32], [2; 32]];
    let theirs = bitcoin::merkle_tree::calculate_root(leaves.map(sha256d::Hash::from_byte_array).into_iter());
    assert_eq!(Some(merkle_root(leaves[0], &leaves[1..])), theirs.map(|root| root.to_byte_array()));
}

/// Attack: theft by replay. Another miner's Bitcoin header does not bind the attacker's share header.
#[test]
fn a_replayed_header_does_not_bind() {
    let honest_proof = honest(&payouts(3), 4);
    let mut stolen = honest_proof.clone();
    stolen.share.payout = script(66);
    assert_eq!(stolen.id(), honest_proof.id());
    assert_eq!(bind(stolen), Err(RuleError::NotBound));
    assert!(bind(honest_proof).is_ok());
}

#[test]
fn another_network_does_not_bind() {
    let proof = honest(&payouts(3), 4);
    assert_eq!(BoundProof::bind(proof, U256::MAX, &[8; 32]), Err(RuleError::NotBound));
}

/// Attack: malleation. An attacker can change nothing that the header binds. The payout check catches changes in bytes
/// that only the prefix binds.
#[test]
fn no_field_can_be_changed() {
    let with = |change: &dyn Fn(&mut Proof)| {
        let mut proof = honest(&payouts(3), 4);
        change(&mut proof);
        proof
    };
    let changed = [
        with(&|proof| proof.share.version ^= 2),
        with(&|proof| proof.share.parent.0[3] ^= 1),
        with(&|proof| proof.share.anchor.0[3] ^= 1),
        with(&|proof| proof.share.shares_root[3] ^= 1),
        with(&|proof| proof.share.shares_count ^= 1),
        with(&|proof| proof.share.time.0 ^= 1),
        with(&|proof| proof.share.bitcoin_height ^= 1),
        with(&|proof| proof.share.coinbase_value ^= 1),
        with(&|proof| proof.share.signals ^= 1),
        with(&|proof| proof.branch[2][0] ^= 1),
        with(&|proof| proof.branch.truncate(3)),
        with(&|proof| proof.branch.push([0; 32])),
        with(&|proof| proof.branch.swap(0, 1)),
        with(&|proof| proof.prefix.midstate[0] ^= 1),
        with(&|proof| proof.prefix.length += 64),
        with(&|proof| proof.prefix.tail[0] ^= 1),
        with(&|proof| proof.prefix.tail.truncate(1)),
        with(&|proof| proof.prefix.tail.extend([0; 64])),
        with(&|proof| proof.prefix.length = 0),
        with(&|proof| proof.prefix.length = u32::MAX),
        with(&|proof| proof.header.merkle_root = TxMerkleNode::all_zeros()),
    ];
    for (i, proof) in changed.into_iter().enumerate() {
        assert_eq!(bind(proof), Err(RuleError::NotBound), "change {i}");
    }
    for proof in [
        with(&|proof| proof.extranonce[15] ^= 1),
        with(&|proof| proof.witness_commitment = None),
        with(&|proof| proof.witness_commitment = Some([0; 32])),
    ] {
        let bound = bind(proof).unwrap();
        assert_eq!(bound.check_coinbase(&payouts(3)), Err(RuleError::Payout));
    }
}

proptest! {
    /// A proof still binds after encoding and decoding.
    #[test]
    fn a_decoded_proof_binds(count in 1_u8..49, depth in 0_u8..15) {
        let proof = honest(&payouts(count), depth);
        let decoded = Proof::decode(&proof.encode()).unwrap();
        prop_assert_eq!(bind(decoded).unwrap().check_coinbase(&payouts(count)), Ok(()));
    }
}
