//! Block templates and job templates for tests, over a small share-chain with real proof of work.
#![allow(clippy::unwrap_used, reason = "only tests see this")]

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, CompactTarget, OutPoint, PubkeyHash, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
};
use bitcoin::{absolute, transaction};
use sharechain::{ChainParams, Weight};
use testkit::{Spec, World};

use super::{BlockTemplate, Contents, Job, JobError, JobPosition, JobTemplate, TemplateTransaction};

/// A chain of transactions, each of which spends the previous one.
#[must_use]
pub fn transactions(count: u32) -> Vec<Arc<TemplateTransaction>> {
    let mut previous = Txid::all_zeros();
    (0..count).map(|position| Arc::new(chained(&mut previous, position))).collect()
}

fn chained(previous: &mut Txid, position: u32) -> TemplateTransaction {
    let input = TxIn {
        previous_output: OutPoint { txid: *previous, vout: 0 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[vec![7_u8; 60 + (position % 40) as usize]]),
    };
    let output = TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::from_bytes(vec![0x51; 22]) };
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    };
    *previous = transaction.compute_txid();
    TemplateTransaction {
        raw: serialize(&transaction).into(),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: Amount::from_sat(100 + u64::from(position)),
        weight: transaction.weight().to_wu(),
        sigops_cost: 1,
    }
}

/// A block template of these transactions on no particular block.
#[must_use]
pub fn template(transactions: Vec<Arc<TemplateTransaction>>, weight_limit: u64) -> BlockTemplate {
    let fees: Amount = transactions.iter().map(|transaction| transaction.fee).sum();
    BlockTemplate {
        version: 0x2000_0000,
        prev_block: bitcoin::BlockHash::all_zeros(),
        height: 1,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        time: 1_800_000_000,
        min_time: 1_800_000_000,
        coinbase_value: Amount::from_sat(5_000_000_000) + fees,
        witness_commitment: None,
        transactions: transactions.into(),
        weight_limit,
        sigops_limit: 80_000,
        long_poll_id: None,
        signet_challenge: None,
    }
}

/// A block template on the world's Bitcoin tip.
#[must_use]
pub fn template_of(world: &World, transactions_count: u32, weight_limit: u64) -> Arc<BlockTemplate> {
    let known = world.chain.bitcoin().get(&world.bitcoin_tip.block_hash()).unwrap();
    let subsidy = world.chain.params().bitcoin.subsidy_sat(known.height + 1);
    let mut template = template(transactions(transactions_count), weight_limit);
    let fees = template.coinbase_value - Amount::from_sat(5_000_000_000);
    template.coinbase_value = Amount::from_sat(subsidy) + fees;
    template.prev_block = world.bitcoin_tip.block_hash();
    template.height = known.height + 1;
    template.time = world.now.0.max(known.median_time.0 + 1);
    template.min_time = known.median_time.0 + 1;
    Arc::new(template)
}

/// A checked job template of `block` on the world's tip.
///
/// # Errors
/// No job template can be built; the error says why.
pub fn job_template(world: &mut World, block: &Arc<BlockTemplate>) -> Result<Arc<JobTemplate>, JobError> {
    let position = JobPosition::find(&mut world.chain, &block.prev_block)?;
    let contents = Arc::new(Contents::fit(block, position.coinbase_cost()));
    let template = JobTemplate::new(&mut world.chain, Arc::clone(block), contents, position, world.now)?;
    template.check(&mut world.chain, world.now)?;
    Ok(template)
}

/// A world with settled payouts.
#[must_use]
pub fn grown() -> World {
    let mut world = World::new();
    // Heights up to 16 have another encoding, which the bitcoin crate does not parse.
    for _ in 0..20 {
        world.bitcoin_block();
    }
    world.grow(40, 3);
    world
}

/// A P2PKH script.
#[must_use]
pub fn p2pkh(number: u32) -> ScriptBuf {
    let mut hash = [0; 20];
    hash[..4].copy_from_slice(&number.to_le_bytes());
    ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash))
}

/// A world of a wide pool whose next coinbase pays a share of each of `payees` P2PKH scripts, or 1,000 of them.
#[must_use]
pub fn wide(payees: u32) -> World {
    let ChainParams { outputs_max, prefix_bytes_max, .. } = ChainParams::local().wide("local-wide");
    let mut world =
        World::with(ChainParams { outputs_max, prefix_bytes_max, window_weight: Weight(1 << 80), ..testkit::params() });
    (0..20).for_each(|_| world.bitcoin_block());
    let mut left = 0..payees;
    while !left.is_empty() {
        let base = Spec { list: vec![], ..world.spec(p2pkh(0)) };
        for number in left.by_ref().take(500) {
            let proof = world.mine(&Spec { payout: p2pkh(number), ..base.clone() });
            testkit::accepted(world.insert(&proof, None));
        }
        world.link(p2pkh(0));
    }
    // Deep enough for a snapshot.
    for _ in 0..8 {
        world.bitcoin_block();
        (0..3).for_each(|_| drop(world.link(p2pkh(0))));
    }
    world
}

/// A header of the job whose hash meets the share target.
#[must_use]
pub fn worked(job: &Job) -> Header {
    let mut header = job.unworked_header();
    while !job.share_target().is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header
}

/// A Bitcoin block that the pool finds on this template: its proof, and its list if it is a link.
#[must_use]
pub fn found(
    template: &Arc<JobTemplate>,
    payout: ScriptBuf,
) -> (sharechain::Proof, Vec<sharechain::ShareId>, crate::relay::WholeBlock) {
    let job = Job::new(Arc::clone(template), payout);
    let mut header = worked(&job);
    while !(job.share_target().is_met_by(header.block_hash()) && header.target().is_met_by(header.block_hash())) {
        header.nonce += 1;
    }
    let extranonce = [0; sharechain::share::EXTRANONCE_BYTES];
    let block = crate::relay::WholeBlock::of_job(&job, &header, &extranonce);
    (job.proof(header, extranonce), job.list().to_vec(), block)
}

/// Several job templates, each with a block template of its own.
#[must_use]
pub fn job_templates(count: u32) -> Vec<Arc<JobTemplate>> {
    let mut world = grown();
    let mut make = |number: u32| {
        let block = template_of(&world, number % 3, 4_000_000);
        job_template(&mut world, &block).unwrap()
    };
    (0..count).map(&mut make).collect()
}

/// A header of a miner's job whose hash meets the share target.
#[must_use]
pub fn worked_header(template: &Arc<JobTemplate>, payout: ScriptBuf) -> Header {
    worked(&Job::new(Arc::clone(template), payout))
}
