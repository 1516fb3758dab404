use std::sync::Arc;

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{Block, CompactTarget};
use sharechain::chain::TemplateError;
use sharechain::check::binding::BoundProof;
use sharechain::{BitcoinParams, ChainParams, Outcome, RuleError, Timestamp};
use testkit::{World, miner};

use p2p_proto::Gossip;

use crate::jobs::fixtures::{grown, job_template, template_of, transactions, wide, worked};
use crate::jobs::{BlockTemplate, CoinbaseCost, Contents, Job, JobError, JobTemplate};
use crate::pool_block::PoolBlock;
use p2p_proto::message::Announcement;

#[test]
fn blocks_of_a_job_are_bitcoin_blocks_at_every_number_of_transactions() {
    let mut world = grown();
    for count in [0, 1, 2, 3, 7, 40, 260] {
        let template = template_of(&world, count, 4_000_000);
        let made = job_template(&mut world, &template).unwrap();
        let job = Job::new(made, miner(1));
        let header = job.unworked_header();
        let block: Block = deserialize(&job.block(&header, &[0; 16])).unwrap();
        assert_eq!(block.txdata.len(), count as usize + 1);
        assert!(block.check_merkle_root() && block.check_witness_commitment(), "{count} transactions");
        assert_eq!(block.bip34_block_height().ok(), Some(u64::from(template.height)));
        let paid: bitcoin::Amount = block.txdata[0].output.iter().map(|output| output.value).sum();
        assert_eq!(paid, template.coinbase_value);
    }
}

#[test]
fn a_trimmed_block_weighs_no_more_than_allowed() {
    let mut world = grown();
    let full: u64 = transactions(100).iter().map(|transaction| transaction.weight).sum();
    for limit in [full, full + 400, full + 1_500, full / 2, 3_000] {
        let template = template_of(&world, 100, limit);
        let made = job_template(&mut world, &template).unwrap();
        let kept = made.contents.kept.transactions;
        let job = Job::new(made, miner(1));
        let block: Block = deserialize(&job.block(&job.unworked_header(), &[0; 16])).unwrap();
        assert!(kept < 100 || limit >= full, "{kept} of 100 kept in {limit}");
        assert!(block.weight().to_wu() <= limit || kept == 0, "{} of {limit}", block.weight());
        assert!(block.check_witness_commitment());
    }
}

#[test]
fn what_is_found_on_a_job_is_accepted_by_the_chain() {
    let mut world = grown();
    let template = template_of(&world, 12, 4_000_000);
    let job = Job::new(job_template(&mut world, &template).unwrap(), miner(5));
    let proof = job.proof(worked(&job), [0; 16]);
    let bound = BoundProof::bind(proof, sharechain::U256::MAX, world.chain.consensus_id()).unwrap();
    let outcome = world.chain.insert(bound, Some(job.list().to_vec()), Default::default(), world.now);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

/// Miners would otherwise get it twice: each of two inputs that change at once asks for a template.
#[test]
fn a_template_repeats_another_if_only_times_differ() {
    let mut world = grown();
    let block = template_of(&world, 12, 4_000_000);
    let first = job_template(&mut world, &block).unwrap();
    world.now = world.now.plus(1);
    let mut later = BlockTemplate::clone(&block);
    later.time += 1;
    let later = Arc::new(later);
    assert!(job_template(&mut world, &later).unwrap().repeats(&first));
    assert!(!as_solo(&later, &first).repeats(&first));

    let mut version = BlockTemplate::clone(&block);
    version.version ^= 1 << 16;
    assert!(!job_template(&mut world, &Arc::new(version)).unwrap().repeats(&first));
    let mut min_time = BlockTemplate::clone(&block);
    min_time.min_time += 1;
    assert!(!job_template(&mut world, &Arc::new(min_time)).unwrap().repeats(&first));
    let mut value = BlockTemplate::clone(&block);
    value.coinbase_value -= bitcoin::Amount::from_sat(1);
    assert!(!job_template(&mut world, &Arc::new(value)).unwrap().repeats(&first));
    let fewer = template_of(&world, 11, 4_000_000);
    assert!(!job_template(&mut world, &fewer).unwrap().repeats(&first));
    world.share(miner(3));
    assert!(!job_template(&mut world, &block).unwrap().repeats(&first), "a share to list");
    world.link(miner(4));
    assert!(!job_template(&mut world, &block).unwrap().repeats(&first), "another parent");
}

fn as_solo(block: &Arc<BlockTemplate>, like: &JobTemplate) -> Arc<JobTemplate> {
    JobTemplate::solo(Arc::clone(block), Arc::clone(&like.contents), 0..=u32::MAX, Timestamp(block.time))
}

/// A world with testnet4's rules, in a period whose blocks take 512 hashes; the easiest take two.
fn with_late_blocks() -> World {
    let params = testkit::params();
    let bitcoin = BitcoinParams {
        retarget_blocks: 4,
        retarget_timespan_s: 2_400,
        min_difficulty_after_s: 1_200,
        min_block_work: 1,
        ..params.bitcoin
    };
    let mut world = World::with(ChainParams { bitcoin, ..params });
    for _ in 0..20 {
        world.now = world.now.plus(1);
        world.bitcoin_block();
    }
    world
}

/// Rolling the time past 20 minutes after the previous block would change the nBits, so a job ends there. If bitcoind's
/// template is older than that, miners continue with its last valid time until the next template.
#[test]
fn a_job_keeps_to_the_times_that_fit_its_nbits() {
    let mut world = with_late_blocks();
    let (tip, start) = (world.bitcoin_tip, world.now);
    let next = world.chain.bitcoin().next(&tip.block_hash()).unwrap();
    let easiest = CompactTarget::from_consensus(world.chain.params().bitcoin.pow_limit_bits);
    assert_ne!(next.period_bits, easiest);
    let last = tip.time + 1_200;
    for (bits, after_s, times, header_time) in [
        (next.period_bits, 10, next.least_time.0..=last, tip.time + 10),
        (next.period_bits, 1_300, next.least_time.0..=last, last),
        (easiest, 1_300, last + 1..=u32::MAX, tip.time + 1_300),
        (easiest, 1_190, last + 1..=u32::MAX, last + 1),
    ] {
        let mut block = template_of(&world, 2, 4_000_000);
        (Arc::make_mut(&mut block).bits, Arc::make_mut(&mut block).time) = (bits, tip.time + 5);
        world.now = start.plus(after_s);
        let job = Job::new(job_template(&mut world, &block).unwrap(), miner(5));
        assert_eq!((job.times(), job.header_time()), (&times, header_time), "{after_s} s");
        for (time, is_good) in [(*times.start(), true), (*times.end(), true), (last + 1, bits == easiest)] {
            let header = bitcoin::block::Header { time: time.min(world.now.0 + 7_200), ..worked(&job) };
            assert_eq!(next.bits(Timestamp(header.time)) == bits, is_good, "{after_s} s, {time}");
        }
    }
    let mut block = template_of(&world, 2, 4_000_000);
    Arc::make_mut(&mut block).bits = CompactTarget::from_consensus(0x207f_fffe);
    assert!(matches!(job_template(&mut world, &block), Err(JobError::Template(TemplateError::Rule(RuleError::Bits)))));
}

#[test]
fn every_signal_of_bitcoin_soft_forks_is_passed_on_and_accepted() {
    let mut world = grown();
    // All bits of BIP-0009, and versions from before it.
    for version in [0x3fff_ffff, 0x2000_0000, 4, i32::MAX] {
        let mut template = template_of(&world, 2, 4_000_000);
        Arc::make_mut(&mut template).version = version;
        let job = Job::new(job_template(&mut world, &template).unwrap(), miner(6));
        let header = worked(&job);
        assert_eq!(header.version.to_consensus(), version);
        let bound = BoundProof::bind(job.proof(header, [0; 16]), sharechain::U256::MAX, world.chain.consensus_id());
        let outcome = world.chain.insert(bound.unwrap(), Some(job.list().to_vec()), Default::default(), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{version:#x}: {outcome:?}");
    }
}

#[test]
fn jobs_and_proofs_have_the_same_coinbase_and_payouts_are_shared_only_where_settled() {
    let mut world = grown();
    let template = template_of(&world, 3, 4_000_000);
    let made = job_template(&mut world, &template).unwrap();
    let job = Job::new(Arc::clone(&made), miner(2));
    let (before, outputs, end) = job.coinbase_parts();
    let extranonce = [0xab; 16];
    let coinbase = [&before[..], &extranonce, &outputs, &end].concat();
    let other = Job::new(Arc::clone(&made), miner(9)).coinbase_parts();
    assert!(Arc::ptr_eq(&outputs, &other.1) && end != other.2, "all miners share the outputs in memory");
    assert_eq!(coinbase, job.coinbase(&extranonce).as_bytes());
    assert!(made.payouts.is_some(), "the grown chain has settled payouts");
    // Before any link is settled, the coinbase pays only the finder.
    let mut young = World::new();
    young.bitcoin_block();
    let template = template_of(&young, 0, 4_000_000);
    let job = Job::new(job_template(&mut young, &template).unwrap(), miner(3));
    assert_eq!(job.payouts().len(), 1);
    assert_eq!(job.payouts()[0].script_pubkey, miner(3));
}

#[test]
fn headers_start_at_the_time_of_day_when_the_template_is_old() {
    let mut world = grown();
    let template = template_of(&world, 0, 4_000_000);
    world.now = world.now.plus(900);
    let job = Job::new(job_template(&mut world, &template).unwrap(), miner(1));
    assert_eq!(job.header_time(), world.now.0);
    assert_eq!(job.unworked_header().time, world.now.0);
    assert_eq!(job.share.time, world.now);
}

#[test]
fn no_job_on_a_tip_that_the_chain_does_not_know_or_that_lies_behind() {
    let mut world = grown();
    let behind = template_of(&world, 0, 4_000_000);
    let mut unknown = BlockTemplate::clone(&behind);
    unknown.prev_block = bitcoin::BlockHash::from_byte_array([9; 32]);
    let hash = unknown.prev_block;
    assert_eq!(job_template(&mut world, &Arc::new(unknown)).unwrap_err(), JobError::UnknownTip(hash));
    world.bitcoin_block();
    world.link(miner(1));
    assert_eq!(job_template(&mut world, &behind).unwrap_err(), JobError::BitcoinBehind);
}

#[test]
fn the_check_of_peers_finds_a_wrong_template() {
    let mut world = grown();
    let mut wrong = BlockTemplate::clone(&template_of(&world, 0, 4_000_000));
    wrong.height += 1;
    assert!(matches!(job_template(&mut world, &Arc::new(wrong)), Err(JobError::Template(_))));
    let mut poor = BlockTemplate::clone(&template_of(&world, 0, 4_000_000));
    poor.coinbase_value = bitcoin::Amount::from_sat(1);
    assert!(matches!(job_template(&mut world, &Arc::new(poor)), Err(JobError::Template(_))));
}

#[test]
fn a_wide_template_leaves_room_for_the_signature_operations_of_its_payouts() {
    let mut world = wide(1_100);
    let mut template = BlockTemplate::clone(&template_of(&world, 199, 4_000_000));
    let mut all = template.transactions.to_vec();
    all.iter_mut().for_each(|transaction| Arc::make_mut(transaction).sigops_cost = 400);
    template.transactions = all.into();
    let made = job_template(&mut world, &Arc::new(template)).unwrap();
    let job = Job::new(made, miner(1));
    assert_eq!(job.payouts().len(), 1_000);
    assert!(job.payouts().iter().all(|output| output.script_pubkey.is_p2pkh()));
    let block: Block = deserialize(&job.block(&job.unworked_header(), &[0; 16])).unwrap();
    // 190 transactions of 400, and 1,000 payouts of 4.
    assert_eq!(block.txdata.len() - 1, 190);
    let sigops: usize =
        block.txdata[0].output.iter().map(|output| 4 * output.script_pubkey.count_sigops_legacy()).sum();
    assert_eq!(sigops, 4_000);
}

/// Prints which sizes grow with the number of payouts.
#[test]
fn shares_of_a_wide_pool_are_as_small_as_others() {
    let sizes = |world: &mut World| {
        let template = template_of(world, 3, 4_000_000);
        let job = Job::new(job_template(world, &template).unwrap(), miner(5));
        let (before, outputs, end) = job.coinbase_parts();
        let proof = job.proof(worked(&job), [0; 16]);
        let record = PoolBlock::of(&proof, &mut world.chain).unwrap().to_record().bytes.len();
        let share = Gossip::Share(Box::new(proof.clone())).encode().len();
        let wtxids = job.kept().iter().map(|transaction| &transaction.wtxid);
        let announcement = Gossip::BitcoinBlock(Announcement::new(proof.clone(), 1, wtxids)).encode().len();
        let coinbase = before.len() + 16 + outputs.len() + end.len();
        println!(
            "{} payouts: coinbase {coinbase} bytes, share message {share}, announcement of a block with 3 transactions \
             {announcement}, record of a found block {record}",
            job.payouts().len(),
        );
        assert!(announcement < share + 40);
        assert!(proof.prefix.length <= world.chain.params().prefix_bytes_max);
        let bound = BoundProof::bind(proof, sharechain::U256::MAX, world.chain.consensus_id()).unwrap();
        let outcome = world.chain.insert(bound, Some(job.list().to_vec()), Default::default(), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        (share, record)
    };
    let (narrow, _) = sizes(&mut grown());
    let (share, record) = sizes(&mut wide(1_100));
    assert!(share.abs_diff(narrow) < 64, "the hash state's tail alone differs: {narrow} and {share}");
    assert!(record < 300_000, "{record} bytes");
}

#[test]
fn a_solo_block_pays_its_finder_alone_and_is_no_share_of_any_pool() {
    let mut world = grown();
    let template = template_of(&world, 3, 4_000_000);
    let contents = Arc::new(Contents::fit(&template, CoinbaseCost::of_finder()));
    let solo = JobTemplate::solo(Arc::clone(&template), contents, 0..=u32::MAX, world.now);
    for number in [1, 2] {
        let job = Job::new(Arc::clone(&solo), miner(number));
        assert_eq!(job.share_target(), template.target());
        let header = worked(&job);
        let block: Block = deserialize(&job.block(&header, &[0; 16])).unwrap();
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        let paid: Vec<_> = block.txdata[0].output.iter().filter(|output| output.value.to_sat() > 0).collect();
        assert_eq!(paid.len(), 1);
        assert_eq!((&paid[0].script_pubkey, paid[0].value), (&miner(number), template.coinbase_value));
        // It has the work of a share, but its commitment names no pool.
        let bound = BoundProof::bind(job.proof(header, [0; 16]), sharechain::U256::MAX, world.chain.consensus_id());
        assert!(bound.is_err(), "no node binds it");
    }
    let tip = world.chain.tip();
    assert_eq!(job_template(&mut world, &template).unwrap().assignment.parent, tip, "and the pool goes on");
}

#[test]
fn a_template_dated_hours_ahead_says_that_a_clock_is_wrong() {
    let mut world = grown();
    for (ahead_s, is_early) in [(7_200, false), (7_201, true)] {
        let mut block = template_of(&world, 2, 4_000_000);
        Arc::make_mut(&mut block).time = world.now.0 + ahead_s;
        let made = job_template(&mut world, &block);
        assert_eq!(matches!(made, Err(JobError::TooEarly)), is_early, "{ahead_s} s: {:?}", made.err());
    }
}
