//! A long share-chain with real proofs, and the proofs that a peer will send on top of it.

use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, ScriptBuf, WPubkeyHash};
use node::clock::now;
use node_core::jobs::{BlockTemplate, Transactions};
use node_core::pool_block::PoolBlock;
use p2p_proto::{Gossip, TipInfo};
use sharechain::{BitcoinParams, ChainParams, Proof, ShareId, Weight};
use testkit::World;

/// Shares between two links, as on mainnet.
const SHARES: u32 = 32;

/// Number of payout scripts.
const MINERS: u32 = 1_000;

/// Links per Bitcoin block.
const LINKS_PER_BLOCK: u32 = 60;

/// Bitcoin blocks between changes of the difficulty.
const RETARGET_BLOCKS: u32 = 12;

/// Bitcoin blocks at the start, all found at once: after the first change, each of the next seven makes blocks four
/// times as hard. So about one share in 4,000 is a block. With the easy blocks of the tests, all shares would be
/// blocks, and the store waits for the disk at each block.
const FIRST_BLOCKS: u32 = 8 * RETARGET_BLOCKS;

/// Number of links within which a share earns. It is small because the links of the feed do not list the shares of the
/// node's own miner, which would otherwise make the lists of new work ten times as long.
const CREDIT_DEPTH: u32 = 6;

/// Seconds by which the chain stays behind the clock, so that no proof comes too early although the peer sends them
/// faster than they were found.
const BEHIND_S: u32 = 90;

/// A proof, with its list if it is a link.
pub(crate) type Found = (Proof, Option<Vec<ShareId>>);

/// The initial state of the benchmark.
pub(crate) struct Grown {
    /// The chain's rules.
    pub(crate) params: ChainParams,
    /// Bitcoin's headers.
    pub(crate) headers: Vec<bitcoin::block::Header>,
    /// The node's chain at the start.
    pub(crate) found: Vec<Found>,
    /// The proofs that come then, in order.
    pub(crate) feed: Vec<Gossip>,
    /// The template that bitcoind would give.
    pub(crate) template: BlockTemplate,
    /// The tip of the chain at the start.
    pub(crate) tip: TipInfo,
}

impl Grown {
    /// Builds a chain of this many links, and a feed of this many messages.
    pub(crate) fn new(links: u32, messages: u32) -> Self {
        let mut world = World::with(params());
        let interval_s = world.chain.params().link_interval_s;
        world.now.0 = now().0.saturating_sub(links.saturating_mul(interval_s).saturating_add(BEHIND_S));
        (0..FIRST_BLOCKS).for_each(|_| world.bitcoin_block());
        let mut found = Vec::new();
        for link in 0..links {
            if link.is_multiple_of(LINKS_PER_BLOCK) {
                world.bitcoin_block();
            }
            round(&mut world, link, &mut found);
        }
        let tip = tip_info(&world);
        let mut more = Vec::new();
        let rounds = messages.div_ceil(SHARES + 1);
        (links..links + rounds).for_each(|link| round(&mut world, link, &mut more));
        Self {
            params: world.chain.params().clone(),
            headers: world.bitcoin_headers.clone(),
            found,
            feed: more.into_iter().map(gossip).collect(),
            template: template(&world),
            tip,
        }
    }

    /// Number of shares that are Bitcoin blocks.
    pub(crate) fn blocks(&self) -> Vec<BlockHash> {
        let blocks = self.found.iter().filter(|(proof, _)| PoolBlock::is_block(proof, &proof.id()));
        blocks.map(|(proof, _)| proof.id().block_hash()).collect()
    }
}

/// The payout script of a miner.
pub(crate) fn script(number: u32) -> ScriptBuf {
    let mut hash = [7; 20];
    hash[..4].copy_from_slice(&(number % MINERS).to_be_bytes());
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash))
}

/// The rules of the tests, with a window that reaches back to the start, Bitcoin blocks that are harder than shares,
/// and few links within which a share can be listed.
fn params() -> ChainParams {
    let easy = testkit::params();
    let bitcoin = BitcoinParams {
        retarget_blocks: RETARGET_BLOCKS,
        retarget_timespan_s: RETARGET_BLOCKS * LINKS_PER_BLOCK * easy.link_interval_s,
        ..easy.bitcoin.clone()
    };
    ChainParams {
        window_weight: Weight(u128::MAX >> 1),
        bitcoin,
        credit_depth: CREDIT_DEPTH,
        listing_depth: CREDIT_DEPTH + easy.anchor_depth + 1,
        ..easy
    }
}

/// Shares of many miners and a link that lists them.
fn round(world: &mut World, link: u32, found: &mut Vec<Found>) {
    for share in 0..SHARES {
        found.push((world.share(script(link * SHARES + share)), None));
    }
    let (proof, list) = world.link(script(link));
    found.push((proof, Some(list)));
}

fn gossip((proof, list): Found) -> Gossip {
    let proof = Box::new(proof);
    match list {
        Some(list) => Gossip::Link { proof, list },
        None => Gossip::Share(proof),
    }
}

fn tip_info(world: &World) -> TipInfo {
    let tip = world.chain.tip();
    TipInfo {
        tip,
        height: world.chain.height(),
        work: world.chain.link(&tip).map(|link| link.chain_work).unwrap_or_default(),
        lowest_shown: world.chain.lowest_shown(),
        bitcoin_height: world.chain.bitcoin().best().height,
        user_agent: "bench/1".to_owned(),
    }
}

/// A template without transactions on Bitcoin's tip.
fn template(world: &World) -> BlockTemplate {
    let prev_block = world.bitcoin_tip.block_hash();
    let bitcoin = world.chain.bitcoin();
    let known = bitcoin.get(&prev_block).expect("the chain knows its tip");
    BlockTemplate {
        version: 0x2000_0000,
        prev_block,
        height: known.height + 1,
        bits: bitcoin.next_bits(&prev_block).expect("the chain knows its tip"),
        time: known.median_time.0 + 1,
        min_time: known.median_time.0 + 1,
        coinbase_value: Amount::from_sat(world.chain.params().bitcoin.subsidy_sat(known.height + 1)),
        witness_commitment: None,
        transactions: Transactions::default(),
        weight_limit: 4_000_000,
        sigops_limit: 80_000,
        long_poll_id: None,
        signet_challenge: None,
    }
}
