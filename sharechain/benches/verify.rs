//! Full verification of a share with 48 P2TR outputs, or 1,000 in a wide pool, and a branch of 12 hashes, on one core,
//! beside the raw cost of the SHA-256 compressions that it needs.
//!
//! Targets: at most 1.5 times the raw cost, twice in a wide pool. Where the processor has SHA instructions, at least 100,000
//! a second, or 10,000 in a wide pool: a pool finds 3.2 a second.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::pow::CompactTarget;
use bitcoin::{Amount, BlockHash, ScriptBuf, TxMerkleNode, TxOut};
use criterion::{Criterion, criterion_group, criterion_main};
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::coinbase::Coinbase;
use sharechain::share::SHARE_VERSION;
use sharechain::{Proof, ShareHeader, ShareId, Timestamp, U256};

/// Number of outputs, maximum ratio to the raw cost, and minimum verifications per second.
const POOLS: [(u64, f64, f64); 2] = [(48, 1.5, 100_000.0), (1_000, 2.0, 10_000.0)];
const BRANCH: u8 = 12;
const CONSENSUS_ID: [u8; 32] = [7; 32];

fn script(number: u64) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x51, 0x20][..], &number.to_le_bytes().repeat(4)].concat())
}

/// A proof and its payouts.
fn honest(outputs: u64) -> (Proof, Vec<TxOut>) {
    let payouts: Vec<_> =
        (0..outputs).map(|i| TxOut { value: Amount::from_sat(6_510_416), script_pubkey: script(i) }).collect();
    let share = ShareHeader {
        version: SHARE_VERSION,
        parent: ShareId([1; 32]),
        anchor: ShareId([2; 32]),
        shares_root: [3; 32],
        shares_count: 32,
        state_root: [8; 32],
        payout: script(9),
        time: Timestamp(1_700_000_000),
        bitcoin_height: 925_344,
        coinbase_value: 312_500_000,
        signals: 0,
        null_data: ScriptBuf::new(),
    };
    let (extranonce, witness) = ([4; 16], [5; 32]);
    let coinbase =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: Some(&witness) }
            .build(&CONSENSUS_ID);
    let branch: Vec<_> = (0..BRANCH).map(|i| [i; 32]).collect();
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: BlockHash::from_byte_array([6; 32]),
        merkle_root: TxMerkleNode::from_byte_array(merkle_root(coinbase.txid().to_byte_array(), &branch)),
        time: 1_700_000_000,
        bits: CompactTarget::from_consensus(0x1701_d936),
        nonce: 0,
    };
    let prefix = coinbase.prefix();
    (Proof { header, share, extranonce, witness_commitment: Some(witness), branch, prefix }, payouts)
}

/// From the bytes of a message to the verdict on the payouts.
fn verify(encoded: &[u8], payouts: &[TxOut]) {
    let proof = Proof::decode(encoded).expect("the proof is well formed");
    let bound = BoundProof::bind(proof, U256::MAX, &CONSENSUS_ID).expect("the proof binds");
    bound.check_coinbase(payouts).expect("the coinbase pays what it must");
}

/// Compressions for a message of this length, padded with one byte and a length of eight.
fn compressions(bytes: usize) -> usize {
    (bytes + 9).div_ceil(64)
}

/// The compressions that every implementation needs.
fn compressions_needed(proof: &Proof) -> usize {
    const SECOND_HASH: usize = 1;
    let header = compressions(80) + SECOND_HASH;
    // The block of the tag is the same for all.
    let commitment = compressions(64 + 32 + proof.share.encode().len()) - 1;
    let rest_of_coinbase = compressions(proof.prefix.tail.len() + 8 + 1 + 34 + 4) + SECOND_HASH;
    let branch = proof.branch.len() * (compressions(64) + SECOND_HASH);
    let rebuilt = proof.prefix.length as usize / 64;
    header + commitment + rest_of_coinbase + branch + rebuilt
}

fn compress(blocks: &[u8]) {
    let mut engine = sha256::Hash::engine();
    engine.input(blocks);
    black_box(engine.midstate());
}

/// The shortest time per call of both functions over many batches. The two alternate, so that other load on the machine
/// affects both equally.
fn fastest(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    const BATCHES: u32 = 200;
    const CALLS: u32 = 200;
    let time = |call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed() / CALLS
    };
    (0..BATCHES).fold((Duration::MAX, Duration::MAX), |(least_one, least_other), _| {
        (least_one.min(time(&mut one)), least_other.min(time(&mut other)))
    })
}

fn bench(criterion: &mut Criterion) {
    POOLS.into_iter().for_each(|pool| bench_pool(criterion, pool));
}

fn bench_pool(criterion: &mut Criterion, (outputs, ratio_max, per_second_min): (u64, f64, f64)) {
    let (proof, payouts) = honest(outputs);
    let encoded = proof.encode();
    let needed = compressions_needed(&proof);
    let blocks = vec![0x55; needed * 64];
    let mut group = criterion.benchmark_group(format!("share with {outputs} outputs and 12 hashes"));
    group.bench_function("full verification", |bencher| bencher.iter(|| verify(black_box(&encoded), &payouts)));
    group
        .bench_function(format!("raw: {needed} compressions"), |bencher| bencher.iter(|| compress(black_box(&blocks))));
    group.finish();
    let (full, raw) = fastest(|| verify(black_box(&encoded), &payouts), || compress(black_box(&blocks)));
    let (ratio, per_second) = (full.as_secs_f64() / raw.as_secs_f64(), 1.0 / full.as_secs_f64());
    println!(
        "{outputs} outputs, a proof of {} bytes: full verification {full:?}, {needed} raw compressions {raw:?}",
        encoded.len()
    );
    println!("ratio {ratio:.2} (target: at most {ratio_max})");
    println!("{per_second:.0} a second and core (target with SHA instructions: at least {per_second_min})");
}

criterion_group!(benches, bench);
criterion_main!(benches);
