use bitcoin::blockdata::script::Builder;
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, ScriptBuf, Transaction, absolute};
use proptest::prelude::*;

use super::*;
use crate::limits::{PREFIX_BYTES_MAX, PREFIX_BYTES_MIN};
use crate::share::SHARE_VERSION;
use crate::units::{ShareId, Timestamp};

const CONSENSUS_ID: [u8; 32] = [7; 32];

/// One script of each of the five payout script types.
fn payout_script(form: u8, fill: u8) -> ScriptBuf {
    let (head, length, end): (&[u8], usize, &[u8]) = match form % 5 {
        0 => (&[0x76, 0xa9, 0x14], 20, &[0x88, 0xac]),
        1 => (&[0xa9, 0x14], 20, &[0x87]),
        2 => (&[0x00, 0x14], 20, &[]),
        3 => (&[0x00, 0x20], 32, &[]),
        _ => (&[0x51, 0x20], 32, &[]),
    };
    let script = ScriptBuf::from_bytes([head, &vec![fill; length], end].concat());
    assert!(crate::encode::is_payout_script(&script));
    script
}

fn payouts(count: usize, form: u8) -> Vec<TxOut> {
    (0..count)
        .map(|i| TxOut { value: Amount::from_sat(i as u64), script_pubkey: payout_script(form, i as u8) })
        .collect()
}

fn share(bitcoin_height: u32) -> ShareHeader {
    ShareHeader {
        version: SHARE_VERSION,
        parent: ShareId([1; 32]),
        anchor: ShareId([2; 32]),
        shares_root: [3; 32],
        shares_count: 4,
        state_root: [8; 32],
        payout: payout_script(4, 5),
        time: Timestamp(6),
        bitcoin_height,
        coinbase_value: 8,
        signals: 9,
        null_data: ScriptBuf::new(),
    }
}

fn build(share: &ShareHeader, payouts: &[TxOut], extranonce: &[u8; 16], witness: Option<&[u8; 32]>) -> CoinbaseBytes {
    Coinbase { share, payouts, extranonce, witness_commitment: witness }.build(&CONSENSUS_ID)
}

fn transaction(coinbase: &CoinbaseBytes) -> Transaction {
    deserialize(coinbase.as_bytes()).unwrap()
}

/// Completes the hash from the midstate, as a peer does.
fn finish(prefix: &CoinbasePrefix, rest: &[u8]) -> Txid {
    let blocks = prefix.length as usize - prefix.tail.len();
    let midstate = sha256::Midstate::from_byte_array(prefix.midstate);
    let mut engine = sha256::HashEngine::from_midstate(midstate, blocks);
    engine.input(&prefix.tail);
    engine.input(rest);
    sha256::Hash::from_engine(engine).hash_again().into()
}

#[test]
fn heights_are_pushed_as_bip34_wants() {
    let edges = [0, 1, 15, 16, 17, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 925_344, 0x7f_ffff, 0x80_0000];
    for height in edges.into_iter().chain([0x7fff_ffff, 0x8000_0000, u32::MAX]) {
        let push = HeightPush::new(height);
        assert_eq!(push.as_bytes(), Builder::new().push_int(i64::from(height)).as_bytes(), "{height}");
    }
}

#[test]
fn lengths_are_bitcoins_compact_sizes() {
    for size in [0, 1, 0xfc, 0xfd, 0xfe, 0xff, 0x100, 0xffff, 0x1_0000] {
        let mut out = Vec::new();
        push_compact_size(&mut out, size);
        assert_eq!(out, serialize(&VarInt::from(size)), "{size}");
    }
}

/// Frozen bytes: another implementation of this protocol must build the same.
#[test]
fn bytes_of_the_specification() {
    let payouts = [TxOut { value: Amount::from_sat(312_500_000), script_pubkey: payout_script(2, 0xaa) }];
    let coinbase = build(&share(925_344), &payouts, &[0xee; 16], Some(&[0xcc; 32]));
    let expected = [
        "02000000",
        "01",
        &"00".repeat(32),
        "ffffffff",
        "1d",
        "03a01e0e",
        "072f73686f616c2f",
        "10eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
        "feffffff",
        "03",
        &format!("205fa01200000000160014{}", "aa".repeat(20)),
        &format!("0000000000000000266a24aa21a9ed{}", "cc".repeat(32)),
        &format!(
            "0000000000000000226a20{:x}",
            sha256::Hash::from_byte_array(commitment(&CONSENSUS_ID, &share(925_344)))
        ),
        "9f1e0e00",
    ]
    .concat();
    let found: String = coinbase.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_commitment_is_a_tagged_hash_of_id_and_header() {
    let tag = sha256::Hash::hash(b"shoal/commitment").to_byte_array();
    let message = [&tag[..], &tag, &CONSENSUS_ID, &share(1).encode()].concat();
    assert_eq!(commitment(&CONSENSUS_ID, &share(1)), sha256::Hash::hash(&message).to_byte_array());
    assert_ne!(commitment(&[8; 32], &share(1)), commitment(&CONSENSUS_ID, &share(1)));
}

#[test]
fn every_number_of_outputs_fits_the_limits() {
    for (count, form) in (1..=48).flat_map(|count| (0..5).map(move |form| (count, form))) {
        for (height, witness) in [(1, None), (u32::MAX, Some(&[1; 32]))] {
            let coinbase = build(&share(height), &payouts(count, form), &[0; 16], witness);
            let length = coinbase.prefix().length;
            assert!((PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX).contains(&length), "{length} bytes");
            assert!(coinbase.as_bytes().len() <= count * PAYOUT_BYTES_MAX + AROUND_BYTES_MAX);
        }
    }
    assert_eq!(suffix(&CONSENSUS_ID, &share(1)).len(), SUFFIX_BYTES);
    let shortest = build(&share(1), &payouts(1, 2), &[0; 16], None).prefix().length;
    assert_eq!(shortest, 104);
}

#[test]
fn the_largest_coinbase_fits_devices_of_2250_bytes() {
    let coinbase = build(&share(925_344), &payouts(48, 4), &[0; 16], Some(&[1; 32]));
    // Miners get the coinbase without its witness.
    assert_eq!(coinbase.as_bytes().len(), 2_234);
    assert_eq!(coinbase.split_for_stratum().0.len(), 55);
}

/// Each change by itself changes the commitment, so the commitment covers everything that the miner chooses.
#[test]
fn every_field_changes_the_bytes() {
    let base = share(100);
    let with = |change: &dyn Fn(&mut ShareHeader)| {
        let mut changed = base.clone();
        change(&mut changed);
        changed
    };
    let changed = [
        with(&|share| share.version ^= 1),
        with(&|share| share.parent.0[0] ^= 1),
        with(&|share| share.anchor.0[31] ^= 1),
        with(&|share| share.shares_root[7] ^= 1),
        with(&|share| share.shares_count ^= 1),
        with(&|share| share.payout = payout_script(3, 5)),
        with(&|share| share.time.0 ^= 1),
        with(&|share| share.bitcoin_height ^= 1),
        with(&|share| share.coinbase_value ^= 1),
        with(&|share| share.signals ^= 1),
    ];
    let outputs = payouts(3, 0);
    let mut seen: Vec<CoinbaseBytes> =
        changed.iter().chain([&base]).map(|share| build(share, &outputs, &[0; 16], None)).collect();
    seen.push(build(&base, &outputs, &[1; 16], None));
    seen.push(build(&base, &outputs, &[0; 16], Some(&[0; 32])));
    seen.push(build(&base, &outputs[..2], &[0; 16], None));
    for (i, one) in seen.iter().enumerate() {
        assert!(seen[..i].iter().all(|other| other.txid() != one.txid()), "change {i}");
    }
}

proptest! {
    #[test]
    fn bitcoin_reads_the_same(
        height in prop_oneof![1_u32..300, any::<u32>()],
        count in 1_usize..60,
        form in 0_u8..5,
        extranonce in any::<[u8; 16]>(),
        witness in any::<Option<[u8; 32]>>(),
    ) {
        let (share, payouts) = (share(height.max(1)), payouts(count, form));
        let coinbase = build(&share, &payouts, &extranonce, witness.as_ref());
        let tx = transaction(&coinbase);
        prop_assert_eq!(tx.compute_txid(), coinbase.txid());
        prop_assert!(tx.is_coinbase());
        prop_assert!((2..=100).contains(&tx.input[0].script_sig.len()));
        prop_assert!(!tx.input[0].sequence.is_final());
        prop_assert_eq!(tx.lock_time, absolute::LockTime::from_consensus(share.bitcoin_height - 1));
        prop_assert_eq!(&tx.output[..count], payouts.as_slice());
        let own = [0x6a, 0x20].into_iter().chain(commitment(&CONSENSUS_ID, &share)).collect();
        prop_assert_eq!(&tx.output.last().unwrap().script_pubkey, &ScriptBuf::from_bytes(own));
        prop_assert_eq!(tx.output.len(), count + 1 + usize::from(witness.is_some()));
    }

    #[test]
    fn a_stopped_hash_goes_on_to_the_same_id(
        count in 1_usize..60, form in 0_u8..5, height in any::<u32>(), witness in any::<Option<[u8; 32]>>(),
    ) {
        let (share, payouts) = (share(height), payouts(count, form));
        let coinbase = build(&share, &payouts, &[5; 16], witness.as_ref());
        let prefix = coinbase.prefix();
        prop_assert_eq!(prefix.tail.len(), prefix.length as usize % 64);
        prop_assert_eq!(finish(&prefix, &suffix(&CONSENSUS_ID, &share)), coinbase.txid());
        let same = Coinbase {
            share: &share, payouts: &payouts, extranonce: &[5; 16], witness_commitment: witness.as_ref(),
        };
        prop_assert!(same.matches_prefix(&prefix));
    }

    #[test]
    fn another_payment_does_not_match(
        count in 1_usize..60, at in any::<prop::sample::Index>(), bit in 0_u32..50, other_script in any::<bool>(),
    ) {
        let (share, payouts) = (share(70), payouts(count, 4));
        let prefix = build(&share, &payouts, &[5; 16], None).prefix();
        let mut changed = payouts.clone();
        let output = &mut changed[at.index(count)];
        if other_script {
            output.script_pubkey = payout_script(4, 0xff);
        } else {
            output.value = Amount::from_sat(output.value.to_sat() ^ (1 << bit));
        }
        let other = Coinbase { share: &share, payouts: &changed, extranonce: &[5; 16], witness_commitment: None };
        prop_assert!(!other.matches_prefix(&prefix));
    }

    #[test]
    fn the_extranonce_can_be_replaced(count in 1_usize..50, extranonce in any::<[u8; 16]>()) {
        let (share, payouts) = (share(70), payouts(count, 4));
        let job = build(&share, &payouts, &[0; 16], None);
        let (coinb1, outputs, end) = job.split_for_stratum();
        let rolled = build(&share, &payouts, &extranonce, None);
        prop_assert_eq!(&[coinb1, &extranonce, outputs, end].concat(), rolled.as_bytes());
        // Another miner's coinbase differs only in its end.
        let other = build(&ShareHeader { payout: payout_script(2, 0xee), ..share }, &payouts, &[0; 16], None);
        prop_assert_eq!((coinb1, outputs), (other.split_for_stratum().0, other.split_for_stratum().1));
        prop_assert_ne!(end, other.split_for_stratum().2);
    }
}
