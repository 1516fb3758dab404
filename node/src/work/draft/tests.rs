use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{Block, ScriptBuf};
use sharechain::Outcome;
use sharechain::check::binding::BoundProof;

use super::{Draft, DraftError, Order, Place};
use crate::bitcoind::BlockTemplate;
use crate::engine::tests::support::{World, miner};
use crate::work::Body;
use crate::work::trim::tests::{template, transactions};

/// bitcoind's template on the world's tip.
fn template_of(world: &World, transactions_count: u32, weight_limit: u64) -> Arc<BlockTemplate> {
    let known = world.chain.bitcoin().get(&world.bitcoin_tip.block_hash()).unwrap();
    let subsidy = world.chain.params().bitcoin.subsidy_sat(known.height + 1);
    let mut template = template(transactions(transactions_count), weight_limit);
    let fees = template.coinbase_value - bitcoin::Amount::from_sat(5_000_000_000);
    template.coinbase_value = bitcoin::Amount::from_sat(subsidy) + fees;
    template.prev_block = world.bitcoin_tip.block_hash();
    template.height = known.height + 1;
    template.time = world.now.0.max(known.median_time.0 + 1);
    template.min_time = known.median_time.0 + 1;
    Arc::new(template)
}

fn draft(world: &mut World, template: &Arc<BlockTemplate>) -> Result<Arc<Draft>, DraftError> {
    let place = Place::find(&mut world.chain, &template.prev_block)?;
    let body = Arc::new(Body::fit(template, place.coinbase_weight()));
    let draft = Draft::new(Arc::clone(template), body, place, world.now)?;
    draft.check(&mut world.chain, world.now)?;
    Ok(draft)
}

fn grown() -> World {
    let mut world = World::new();
    // Heights up to 16 are written in another way, which the bitcoin crate does not read.
    for _ in 0..20 {
        world.bitcoin_block();
    }
    world.grow(40, 3);
    world
}

/// A header of the order whose hash meets the share target.
fn worked(order: &Order) -> Header {
    let mut header = order.unworked_header();
    while sharechain::ShareId::from(header.block_hash()).as_number() > order.draft.assignment.position.share_target {
        header.nonce += 1;
    }
    header
}

#[test]
fn blocks_of_an_order_are_bitcoin_blocks_at_every_number_of_transactions() {
    let mut world = grown();
    for count in [0, 1, 2, 3, 7, 40, 260] {
        let template = template_of(&world, count, 4_000_000);
        let draft = draft(&mut world, &template).unwrap();
        let order = Order::new(draft, miner(1));
        let header = order.unworked_header();
        let block: Block = deserialize(&order.block(&header, &[0; 16])).unwrap();
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
        let draft = draft(&mut world, &template).unwrap();
        let kept = draft.body.kept;
        let order = Order::new(draft, miner(1));
        let block: Block = deserialize(&order.block(&order.unworked_header(), &[0; 16])).unwrap();
        assert!(kept < 100 || limit >= full, "{kept} of 100 kept in {limit}");
        assert!(block.weight().to_wu() <= limit || kept == 0, "{} of {limit}", block.weight());
        assert!(block.check_witness_commitment());
    }
}

#[test]
fn what_is_found_on_an_order_is_accepted_by_the_chain() {
    let mut world = grown();
    let template = template_of(&world, 12, 4_000_000);
    let order = Order::new(draft(&mut world, &template).unwrap(), miner(5));
    let proof = order.proof(worked(&order), [0; 16]);
    let bound = BoundProof::bind(proof, sharechain::U256::MAX, world.chain.consensus_id()).unwrap();
    let outcome = world.chain.insert(bound, Some(order.list().to_vec()), Default::default(), world.now);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

#[test]
fn every_signal_of_bitcoin_soft_forks_is_passed_on_and_accepted() {
    let mut world = grown();
    // All bits of BIP-0009, and versions as they were before it.
    for version in [0x3fff_ffff, 0x2000_0000, 4, i32::MAX] {
        let mut template = template_of(&world, 2, 4_000_000);
        Arc::make_mut(&mut template).version = version;
        let order = Order::new(draft(&mut world, &template).unwrap(), miner(6));
        let header = worked(&order);
        assert_eq!(header.version.to_consensus(), version);
        let bound = BoundProof::bind(order.proof(header, [0; 16]), sharechain::U256::MAX, world.chain.consensus_id());
        let outcome = world.chain.insert(bound.unwrap(), Some(order.list().to_vec()), Default::default(), world.now);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{version:#x}: {outcome:?}");
    }
}

#[test]
fn work_and_proof_have_the_same_coinbase_and_payouts_are_shared_only_where_settled() {
    let mut world = grown();
    let template = template_of(&world, 3, 4_000_000);
    let draft = draft(&mut world, &template).unwrap();
    let order = Order::new(Arc::clone(&draft), miner(2));
    let work = order.work(7);
    let extranonce = [0xab; 16];
    let coinbase = [&work.coinb1[..], &extranonce, &work.coinb2].concat();
    assert_eq!(coinbase, order.coinbase(&extranonce).as_bytes());
    assert_eq!(work.key, 7);
    assert!(draft.payouts.is_some(), "the grown chain has settled payouts");
    // Before anything is settled the finder is paid alone.
    let mut young = World::new();
    young.bitcoin_block();
    let template = template_of(&young, 0, 4_000_000);
    let order = Order::new(super::tests::draft(&mut young, &template).unwrap(), miner(3));
    assert_eq!(order.payouts().len(), 1);
    assert_eq!(order.payouts()[0].script_pubkey, miner(3));
}

#[test]
fn headers_start_at_the_time_of_day_when_the_template_is_old() {
    let mut world = grown();
    let template = template_of(&world, 0, 4_000_000);
    world.now = world.now.plus(900);
    let order = Order::new(draft(&mut world, &template).unwrap(), miner(1));
    assert_eq!(order.work(0).time, world.now.0);
    assert_eq!(order.unworked_header().time, world.now.0);
    assert_eq!(order.share.time, world.now);
}

#[test]
fn no_work_on_a_tip_that_the_chain_does_not_know_or_that_lies_behind() {
    let mut world = grown();
    let behind = template_of(&world, 0, 4_000_000);
    let mut unknown = BlockTemplate::clone(&behind);
    unknown.prev_block = bitcoin::BlockHash::from_byte_array([9; 32]);
    let hash = unknown.prev_block;
    assert_eq!(draft(&mut world, &Arc::new(unknown)).unwrap_err(), DraftError::UnknownTip(hash));
    world.bitcoin_block();
    world.link(miner(1));
    assert_eq!(draft(&mut world, &behind).unwrap_err(), DraftError::BitcoinBehind);
}

#[test]
fn the_check_of_peers_finds_a_wrong_template() {
    let mut world = grown();
    let mut wrong = BlockTemplate::clone(&template_of(&world, 0, 4_000_000));
    wrong.height += 1;
    assert!(matches!(draft(&mut world, &Arc::new(wrong)), Err(DraftError::Template(_))));
    let mut poor = BlockTemplate::clone(&template_of(&world, 0, 4_000_000));
    poor.coinbase_value = bitcoin::Amount::from_sat(1);
    assert!(matches!(draft(&mut world, &Arc::new(poor)), Err(DraftError::Template(_))));
}

/// For the tests of the pool.
pub(in crate::work) fn drafts(count: u32) -> Vec<Arc<Draft>> {
    let mut world = grown();
    (0..count)
        .map(|number| {
            let template = template_of(&world, number % 3, 4_000_000);
            draft(&mut world, &template).unwrap()
        })
        .collect()
}

pub(in crate::work) fn worked_header(draft: &Arc<Draft>, payout: ScriptBuf) -> Header {
    worked(&Order::new(Arc::clone(draft), payout))
}
