use std::collections::BTreeSet;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Script, TxMerkleNode};
use proptest::prelude::*;

use super::*;
use crate::check::binding::merkle_root;
use crate::coinbase::Coinbase;
use crate::params::ChainParams;
use crate::payout::{Due, in_coinbase_order, select};
use crate::share::{Proof, SHARE_VERSION};
use crate::state::{Commitment, Node, of_weights};
use crate::target::bits_of_target;
use crate::units::{ShareId, U256};

fn script(number: u32) -> ScriptBuf {
    let mut bytes = vec![0x00, 0x14];
    bytes.extend_from_slice(&bitcoin::hashes::sha256::Hash::hash(&number.to_le_bytes()).to_byte_array()[..20]);
    ScriptBuf::from_bytes(bytes)
}

fn easy(outputs_max: usize, output_floor_sat: u64) -> ChainParams {
    ChainParams { outputs_max, output_floor_sat, ..ChainParams::main() }
}

fn header_on(previous: BlockHash, root: [u8; 32]) -> Header {
    let mut header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: previous,
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: 1_900_000_000,
        bits: bits_of_target(U256::MAX >> 2),
        nonce: 0,
    };
    while !header.target().is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

/// A block that pays a window, found as the rules want it.
fn block(dues: &[(ScriptBuf, u128)], salt: u8, value_sat: u64, params: &ChainParams) -> BlockWindow {
    let above = header_on(BlockHash::from_byte_array([salt; 32]), [1; 32]);
    let previous = header_on(above.block_hash(), [2; 32]);
    let ancestors = vec![previous, above];
    let seed = [salt; 32];
    let height = 1_050_000;
    let weights = || dues.iter().map(|(script, weight)| (script.as_script(), Weight(*weight)));
    let selection = select(weights(), &seed, params.bitcoin.subsidy_sat(height), params).unwrap();
    let exact = selection.as_ref().map_or(0, |selection| selection.exact());
    let ordered = in_coinbase_order(weights(), exact, &seed);
    let dues: Vec<Due> = ordered.map(|(script, weight)| Due { script: script.into(), weight }).collect();
    let window = of_weights(dues.iter().map(|due| (due.script.as_script(), due.weight))).unwrap();
    let rest = StateRest { credits: [salt; 52], history: [5; 68], signals: [6; 32] };
    let finder = script(u32::MAX);
    let share = ShareHeader {
        version: SHARE_VERSION,
        parent: ShareId([3; 32]),
        anchor: ShareId([4; 32]),
        shares_root: [5; 32],
        shares_count: 7,
        state_root: crate::hash::Tag::State.hash(&[&window.encode(), &rest.credits, &rest.history, &rest.signals]),
        payout: finder.clone(),
        time: Timestamp(1_900_000_000),
        bitcoin_height: height,
        coinbase_value: value_sat,
        signals: 0,
        null_data: ScriptBuf::new(),
    };
    let selection = selection.unwrap_or_else(|| crate::payout::Selection::finder_alone(finder));
    let payouts = selection.amounts(value_sat).unwrap();
    let (extranonce, witness, branch) = ([8; 16], [9; 32], vec![[10; 32]; 12]);
    let coinbase =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: Some(&witness) };
    let coinbase = coinbase.build(&params.consensus_id());
    let root = merkle_root(coinbase.txid().to_byte_array(), &branch);
    let header = header_on(previous.block_hash(), root);
    let prefix = coinbase.prefix();
    let proof = Proof { header, share, extranonce, witness_commitment: Some(witness), branch, prefix };
    BlockWindow { proof, ancestors, rest, listed_total: 1_000, dues }
}

fn verdict(block: &BlockWindow, script: &Script, params: &ChainParams) -> Verdict {
    let proof = block.prove(script, params).unwrap();
    let decoded = PayoutProof::decode(&proof.encode()).unwrap();
    assert_eq!(decoded, proof);
    decoded.verify(&block.proof.header, params).unwrap()
}

/// Payment that the finding shows, satoshi.
fn paid(finding: &Finding) -> u64 {
    match finding {
        Finding::Exact { output, .. } | Finding::Drawn { output, .. } | Finding::Finder { output } => output.value_sat,
        Finding::NotDrawn { .. } | Finding::Absent | Finding::OtherFinder => 0,
    }
}

fn windows() -> impl Strategy<Value = (Vec<u128>, usize, u64)> {
    let weight = prop_oneof![1_u128..20, 1_u128..1 << 60, (0_u32..90).prop_map(|bits| 1 << bits), Just(1 << 40)];
    (prop::collection::vec(weight, 1..60), 1_usize..12, prop_oneof![Just(0_u64), Just(10_000), Just(40_000_000)])
}

proptest! {
    #[test]
    fn every_script_of_a_window_has_a_proof((weights, outputs_max, floor) in windows(), salt: u8) {
        let params = easy(outputs_max, floor);
        let dues: Vec<_> = weights.iter().zip(0..).map(|(weight, number)| (script(number), *weight)).collect();
        let block = block(&dues, salt, 320_000_000, &params);
        let mut total_sat = 0;
        for (script, weight) in &dues {
            let verdict = verdict(&block, script, &params);
            total_sat += paid(&verdict.finding);
            let (Finding::Exact { weight: shown, .. }
            | Finding::Drawn { weight: shown, .. }
            | Finding::NotDrawn { weight: shown, .. }) = verdict.finding else { panic!("{verdict:?}") };
            prop_assert_eq!(shown.0, *weight);
        }
        prop_assert_eq!(total_sat, 320_000_000, "together, the proofs show every satoshi");
        for number in 1_000..1_020 {
            prop_assert_eq!(verdict(&block, &script(number), &params).finding, Finding::Absent);
        }
    }

    #[test]
    fn an_altered_proof_fails((weights, outputs_max, floor) in windows(), salt: u8, own in 0_u32..70, at: usize, bit in 0..8) {
        let params = easy(outputs_max, floor);
        let dues: Vec<_> = weights.iter().zip(0..).map(|(weight, number)| (script(number), *weight)).collect();
        let block = block(&dues, salt, 320_000_000, &params);
        let mut bytes = block.prove(&script(own), &params).unwrap().encode();
        let at = at % bytes.len();
        bytes[at] ^= 1_u8 << bit;
        let shown = PayoutProof::decode(&bytes).and_then(|proof| proof.verify(&block.proof.header, &params));
        prop_assert!(shown.is_err() || own_script(at), "byte {}: {:?}", at, shown);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let whole = [MAGIC.as_slice(), &[VERSION], &bytes].concat();
        prop_assert!(PayoutProof::decode(&whole).is_err());
        let _ = BlockWindow::decode(&bytes);
    }

    #[test]
    fn a_block_window_comes_back((weights, outputs_max, floor) in windows(), salt: u8) {
        let params = easy(outputs_max, floor);
        let dues: Vec<_> = weights.iter().zip(0..).map(|(weight, number)| (script(number), *weight)).collect();
        let block = block(&dues, salt, 320_000_000, &params);
        prop_assert_eq!(BlockWindow::decode(&block.encode()), Ok(block));
    }
}

/// True for the bytes of the script in question. With other bytes, it is a question about another script, and that
/// script may also be absent between the same two dues.
fn own_script(at: usize) -> bool {
    let start = MAGIC.len() + 1 + 32 + 1 + 2;
    (start..start + 20).contains(&at)
}

#[test]
fn every_byte_of_a_proof_counts() {
    let params = easy(6, 10_000);
    let weight = |number: u32| u128::from(number * number + 1) << (number / 38 * 8);
    let dues: Vec<_> = (0..40_u32).map(|number| (script(number), weight(number))).collect();
    let block = block(&dues, 3, 312_500_000, &params);
    let kinds: BTreeSet<_> = (0..42)
        .map(|number| {
            let bytes = block.prove(&script(number), &params).unwrap().encode();
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 1;
                let shown = PayoutProof::decode(&altered).and_then(|proof| proof.verify(&block.proof.header, &params));
                assert!(shown.is_err() || own_script(at), "byte {at}: {shown:?}");
            }
            assert!(PayoutProof::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(PayoutProof::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
            std::mem::discriminant(&verdict(&block, &script(number), &params).finding)
        })
        .map(|kind| format!("{kind:?}"))
        .collect();
    assert_eq!(kinds.len(), 4, "exact, drawn, not drawn and absent: {kinds:?}");
}

#[test]
fn a_block_without_a_window_pays_its_finder() {
    let params = easy(48, 10_000);
    let block = block(&[], 1, 312_500_000, &params);
    let finder = verdict(&block, &script(u32::MAX), &params);
    assert_eq!(finder.finding, Finding::Finder { output: Paid { index: 0, value_sat: 312_500_000 } });
    assert_eq!(verdict(&block, &script(1), &params).finding, Finding::OtherFinder);
}

#[test]
fn a_proof_of_another_pool_or_block_is_told_apart() {
    let params = easy(6, 10_000);
    let block_of = |salt| block(&[(script(1), 5), (script(2), 6)], salt, 312_500_000, &params);
    let (one, other) = (block_of(1), block_of(2));
    let proof = one.prove(&script(1), &params).unwrap();
    assert_eq!(proof.verify(&other.proof.header, &params), Err(ProofFault::OtherHeader));
    assert_eq!(proof.verify(&one.proof.header, &ChainParams::main()), Err(ProofFault::OtherPool));
    let mut weak = proof.clone();
    weak.header.bits = CompactTarget::from_consensus(0x0100_0001);
    assert_eq!(weak.verify(&weak.header, &params), Err(ProofFault::NoWork));
}

#[test]
fn the_size_of_a_proof_of_ten_thousand_scripts() {
    let params = easy(48, 10_000);
    let dues: Vec<_> =
        (0..10_000_u32).map(|number| (script(number), (1_u128 << 50) + u128::from(number) * 977)).collect();
    let mut dues = dues;
    for (number, (_, weight)) in dues.iter_mut().enumerate().take(12) {
        *weight = (1 << 62) + number as u128;
    }
    let block = block(&dues, 7, 320_000_000, &params);
    let kept = block.encode().len();
    let mut sizes = Vec::new();
    for number in (0..12).chain((12..10_020).step_by(97)) {
        let proof = block.prove(&script(number), &params).unwrap();
        proof.verify(&block.proof.header, &params).unwrap();
        sizes.push(proof.encode().len());
    }
    sizes.sort_unstable();
    let (least, median, most) = (sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    eprintln!(
        "10,000 scripts, 48 outputs: a proof has {least} to {most} bytes, median {median}; the block's window {kept}"
    );
    assert!(most < 4_400, "{most} bytes");
    assert!(kept < 340_000, "{kept} bytes");
}

#[test]
fn the_largest_proof_is_within_its_bound() {
    let largest = PayoutProof {
        payouts: vec![bitcoin::TxOut { value: bitcoin::Amount::ONE_SAT, script_pubkey: long() }; 1_024],
        opening: Opening {
            leaves: vec![crate::state::Shown { index: 0, due: Due { script: long(), weight: Weight(1) } }; 3],
            siblings: vec![Node::default(); 96],
        },
        ..block(&[(script(1), 1)], 1, 1, &easy(48, 0)).prove(&script(1), &easy(48, 0)).unwrap()
    };
    let bytes = largest.encode();
    assert!(bytes.len() < crate::limits::PAYOUT_PROOF_BYTES_MAX, "{} bytes", bytes.len());
    assert_eq!(PayoutProof::decode(&bytes), Ok(largest));
    assert_eq!(Commitment::<Weight>::default().leaves, 0);
}

fn long() -> ScriptBuf {
    ScriptBuf::from_bytes([[0x51, 0x20].as_slice(), &[7; 32]].concat())
}
