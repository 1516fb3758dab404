//! A simulated Bitcoin: one tree of blocks with real headers at low difficulty, and the part of it that each node's
//! bitcoind has seen.
//!
//! ```text
//! bitcoind.rs   one node's view of the tree: the tip that it follows and the headers that it vouches for
//! template.rs   block templates with a few made-up transactions
//! paid.rs       the payments of a block that the pool found
//! ```

pub mod bitcoind;
pub mod paid;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::pow::CompactTarget;
use bitcoin::{Block, BlockHash, TxMerkleNode};
use node_core::jobs::BlockTemplate;
use rand::RngCore;
use sharechain::bitcoin_headers::{BitcoinHeaders, Inserted, Root};
use sharechain::{BitcoinParams, ChainParams, Timestamp, U256, Work, target};

use super::pow::grind;
use super::rng::SimRng;
use paid::Paid;

/// The version of all blocks: the top bits of BIP-0009, with no signal.
const VERSION: i32 = 0x2000_0000;

/// Height of the block that the simulated Bitcoin starts from: the start of a retarget period in the fifth era.
pub const ROOT_HEIGHT: u32 = 2_016 * 460;

/// Seconds between the blocks below the root.
const ROOT_INTERVAL_S: u32 = 600;

/// Returns the header that the chain starts from, with its predecessors. A block takes `hashes` hashes on average.
#[must_use]
pub fn root(hashes: f64, start: Timestamp, params: &ChainParams) -> Root {
    let bits = bits_of_hashes(hashes);
    // Snapshot and seed of the first proofs follow from blocks below the root.
    let for_payouts = params.snapshot_bitcoin_depth.max(params.seed_depth) + 1;
    let count = Root::headers_needed(ROOT_HEIGHT, &params.bitcoin).max(for_payouts);
    let mut headers: Vec<Header> = Vec::new();
    for below in (0..count).rev() {
        headers.push(Header {
            version: Version::from_consensus(VERSION),
            prev_blockhash: headers.last().map_or(BlockHash::all_zeros(), Header::block_hash),
            merkle_root: TxMerkleNode::all_zeros(),
            time: start.0 - below * ROOT_INTERVAL_S,
            bits,
            nonce: below,
        });
    }
    let Work(work) = target::work_of_bits(bits);
    Root { height: ROOT_HEIGHT, chain_work: work.saturating_mul(U256::from(ROOT_HEIGHT)), headers }
}

/// Returns the target that takes `hashes` hashes on average.
#[must_use]
pub fn target_of_hashes(hashes: f64) -> U256 {
    /// Precision of the target in bits, before it is shifted into place.
    const SCALE_BITS: usize = 160;
    if hashes <= 1.0 {
        return U256::MAX;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^96, and as exact as a float is"
    )]
    let scaled = (2_f64.powi(96) / hashes) as u128;
    (U256::from(scaled) << SCALE_BITS).saturating_sub(U256::ONE)
}

fn bits_of_hashes(hashes: f64) -> CompactTarget {
    target::bits_of_target(target_of_hashes(hashes))
}

/// A block of the tree.
#[derive(Clone, Debug)]
pub struct Known {
    /// The block header.
    pub header: Header,
    /// False if the header has enough work but a transaction breaks a rule.
    pub valid: bool,
    /// The block's payments, if the pool found it.
    pub paid: Option<Paid>,
}

/// The tree of all blocks, and the miners outside the pool.
#[derive(Debug)]
pub struct Bitcoin {
    headers: BitcoinHeaders,
    blocks: BTreeMap<BlockHash, Known>,
    /// All blocks, in the order in which they were found.
    order: Vec<BlockHash>,
    /// The pool's blocks, in the order in which they were found.
    found: Vec<BlockHash>,
    templates: BTreeMap<BlockHash, Arc<BlockTemplate>>,
    /// Number of transactions in a template.
    transactions: u32,
    params: BitcoinParams,
    /// The block that miners outside the pool build on.
    rest_tip: BlockHash,
    rng: SimRng,
}

impl Bitcoin {
    /// Creates a tree that holds only its root.
    ///
    /// # Panics
    /// If the root does not match `params`.
    #[must_use]
    pub fn new(params: &BitcoinParams, root: &Root, rng: SimRng) -> Self {
        let headers = BitcoinHeaders::new(params, root).expect("a made-up root hangs together");
        let best = headers.best().header;
        let tip = best.block_hash();
        let known = Known { header: best, valid: true, paid: None };
        Self {
            headers,
            blocks: BTreeMap::from([(tip, known)]),
            order: vec![tip],
            found: Vec::new(),
            templates: BTreeMap::new(),
            transactions: template::TRANSACTIONS,
            params: params.clone(),
            rest_tip: tip,
            rng,
        }
    }

    /// Sets the number of transactions in the templates that come.
    pub fn set_transactions(&mut self, count: u32) {
        self.transactions = count;
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &BitcoinHeaders {
        &self.headers
    }

    /// Returns a block of the tree.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<&Known> {
        self.blocks.get(hash)
    }

    /// Returns up to `count` blocks, newest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = BlockHash> {
        self.order.iter().rev().take(count).copied()
    }

    /// Returns the pool's blocks, in the order in which they were found.
    #[must_use]
    pub fn found(&self) -> &[BlockHash] {
        &self.found
    }

    /// Returns the block that miners outside the pool build on: the valid block with the most work. Of several, it is
    /// the one seen first.
    #[must_use]
    pub fn rest_tip(&self) -> BlockHash {
        self.rest_tip
    }

    /// Returns the work of a block and all its ancestors.
    #[must_use]
    pub fn chain_work(&self, hash: &BlockHash) -> U256 {
        self.headers.get(hash).map_or(U256::ZERO, |known| known.chain_work)
    }

    /// Returns the height of a block.
    #[must_use]
    pub fn height(&self, hash: &BlockHash) -> u32 {
        self.headers.get(hash).map_or(0, |known| known.height)
    }

    /// Returns the average number of hashes that the next block outside the pool takes.
    #[must_use]
    pub fn hashes_a_block(&self) -> f64 {
        let bits = self.headers.next_bits(&self.rest_tip).unwrap_or(self.headers.best().header.bits);
        let Work(work) = target::work_of_bits(bits);
        f64::from(work)
    }

    /// Miners outside the pool find a block. Returns its hash.
    pub fn find(&mut self, now: Timestamp) -> Option<BlockHash> {
        let mut merkle_root = [0; 32];
        self.rng.fill_bytes(&mut merkle_root);
        let hash = self.mine_on(self.rest_tip, merkle_root, now, true)?;
        self.rest_hears(hash);
        Some(hash)
    }

    /// Mines a block that is not the pool's on top of `prev`.
    pub fn mine_on(&mut self, prev: BlockHash, root: [u8; 32], now: Timestamp, valid: bool) -> Option<BlockHash> {
        let previous = self.headers.get(&prev)?;
        let time = now.0.max(previous.median_time.0 + 1);
        let mut header = Header {
            version: Version::from_consensus(VERSION),
            prev_blockhash: prev,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time,
            bits: self.headers.next_bits(&prev)?,
            nonce: 0,
        };
        let target = target::target_of_bits(header.bits);
        grind(&mut header, target);
        self.add(header, valid, None, now)
    }

    /// Accepts a serialized block that the pool found. Returns its hash if it is new and follows Bitcoin's rules.
    pub fn submit(&mut self, bytes: &[u8], now: Timestamp) -> Option<BlockHash> {
        let block: Block = bitcoin::consensus::deserialize(bytes).ok()?;
        if !block.check_merkle_root() {
            return None;
        }
        let template = self.template(&block.header.prev_blockhash)?;
        let paid = Paid::by(&block, &template)?;
        let hash = self.add(block.header, true, Some(paid), now)?;
        self.found.push(hash);
        Some(hash)
    }

    fn add(&mut self, header: Header, valid: bool, paid: Option<Paid>, now: Timestamp) -> Option<BlockHash> {
        // Miners' clocks may be ahead. A header that every node would reject is rejected here too.
        if !matches!(self.headers.insert(header, now), Ok(Inserted::New)) {
            return None;
        }
        let hash = header.block_hash();
        let valid = valid && self.block(&header.prev_blockhash).is_some_and(|previous| previous.valid);
        self.blocks.insert(hash, Known { header, valid, paid });
        self.order.push(hash);
        Some(hash)
    }

    /// Miners outside the pool hear of a block.
    pub fn rest_hears(&mut self, hash: BlockHash) {
        let valid = self.block(&hash).is_some_and(|block| block.valid);
        if valid && self.chain_work(&hash) > self.chain_work(&self.rest_tip) {
            self.rest_tip = hash;
        }
    }

    /// Returns the block template of a bitcoind that follows `tip`.
    pub fn template(&mut self, tip: &BlockHash) -> Option<Arc<BlockTemplate>> {
        if let Some(template) = self.templates.get(tip) {
            return Some(Arc::clone(template));
        }
        let previous = self.headers.get(tip)?;
        let bits = self.headers.next_bits(tip)?;
        let template = Arc::new(template::template(previous, bits, &self.params, self.transactions));
        self.templates.insert(*tip, Arc::clone(&template));
        Some(template)
    }

    /// Returns whether `hash` is `tip` or one of its ancestors.
    #[must_use]
    pub fn is_ancestor(&self, hash: &BlockHash, tip: &BlockHash) -> bool {
        self.headers.ancestor(tip, self.height(hash)).is_some_and(|at| at == *hash)
    }
}
