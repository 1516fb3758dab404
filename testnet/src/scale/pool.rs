//! A pool of miners that finds proofs for one engine. Jobs, coinbases and blocks are the node's own; every proof meets its target and
//! passes every check.

use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::hashes::{Hash, hash160, sha256d};
use bitcoin::{Amount, PubkeyHash, ScriptBuf, ScriptHash, TxMerkleNode, WPubkeyHash};
use node::store::{Store, StoreError};
use node_core::engine::Engine;
use node_core::jobs::{
    BlockTemplate, CoinbaseCost, Contents, Job, JobBuilder, JobError, JobPosition, JobTemplate, Kept,
    TemplateTransaction, Trigger, judge_found,
};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Outcome;
use sharechain::check::binding::merkle_root;
use sharechain::share::EXTRANONCE_BYTES;
use sharechain::{ShareId, Timestamp, U256};
use sim::hash::HeaderHasher;

use crate::double::{grind, next_header};

/// Version of the blocks.
const BLOCK_VERSION: i32 = 0x2000_0000;

/// Length of a merkle branch on a busy chain.
const BRANCH: usize = 12;

/// Why the pool cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The disk fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk fails.
    #[error("a folder cannot be read or written")]
    Io(#[from] std::io::Error),
    /// There is no job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The share-chain has nothing to build on, or a header is missing.
    #[error("the share-chain lacks something to build on")]
    Nothing,
    /// The engine did not accept a proof.
    #[error("a proof was not accepted: {0}")]
    NotAccepted(String),
}

/// Mines an empty block on the best header.
///
/// # Errors
/// The best header is unknown, which cannot happen.
pub(super) fn mine_block(bitcoin: &BitcoinHeaders, now: Timestamp) -> Result<Header, PoolError> {
    let previous = bitcoin.best().header.block_hash();
    let mut header = next_header(bitcoin, &previous, now).ok_or(PoolError::Nothing)?;
    grind(&mut header);
    Ok(header)
}

/// Kind of a find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Find {
    /// A share that is not a link.
    Share,
    /// A link that is not a Bitcoin block.
    Link,
    /// A link that is a Bitcoin block. Nodes keep data about these permanently.
    Block,
}

/// A find.
pub(crate) struct Found {
    job: Job,
    /// Its header.
    pub(crate) header: Header,
    extranonce: [u8; EXTRANONCE_BYTES],
}

impl Found {
    /// The block, serialized, as a node submits it.
    pub(crate) fn block(&self) -> Vec<u8> {
        self.job.block(&self.header, &self.extranonce)
    }

    /// Its height.
    pub(crate) fn height(&self) -> u32 {
        self.job.share.bitcoin_height
    }
}

/// The miners, and the node that they all use.
pub(crate) struct Pool {
    /// The node's engine.
    pub(crate) engine: Engine<Store>,
    /// The simulated time.
    pub(crate) now: Timestamp,
    bitcoin_tip: Header,
    /// Transactions of the next block, and their fees. None for an empty block with the merkle branch of a busy chain.
    transactions: Option<(Vec<Arc<TemplateTransaction>>, Amount)>,
    /// bitcoind's template; none after a change.
    block: Option<Arc<BlockTemplate>>,
    /// The job template; none after a change. Like a node's, it lists the shares found before it was made.
    template: Option<Arc<JobTemplate>>,
    builder: JobBuilder,
    /// Number of proofs found so far, which is also the next one's extranonce.
    proofs: u64,
}

/// Miners whose scripts have consecutive numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Miners {
    /// Number of the first.
    pub(crate) first: u64,
    /// Number of miners.
    pub(crate) count: u64,
}

impl Pool {
    /// Starts on an engine whose chain holds only genesis.
    #[must_use]
    pub(crate) fn new(engine: Engine<Store>, now: Timestamp) -> Self {
        let bitcoin_tip = engine.chain().bitcoin().best().header;
        let (transactions, block, template, builder) = (None, None, None, JobBuilder::default());
        Self { engine, now, bitcoin_tip, transactions, block, template, builder, proofs: 0 }
    }

    /// Number of proofs found so far.
    #[must_use]
    pub(crate) fn proofs(&self) -> u64 {
        self.proofs
    }

    /// Payout script of a miner, of three kinds.
    #[must_use]
    pub(super) fn script(miner: u64) -> ScriptBuf {
        let hash = hash160::Hash::hash(&miner.to_le_bytes());
        match miner % 3 {
            0 => ScriptBuf::new_p2wpkh(&WPubkeyHash::from_raw_hash(hash)),
            1 => ScriptBuf::new_p2pkh(&PubkeyHash::from_raw_hash(hash)),
            _ => ScriptBuf::new_p2sh(&ScriptHash::from_raw_hash(hash)),
        }
    }

    /// Others find a Bitcoin block.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn bitcoin_block(&mut self) -> Result<(), PoolError> {
        let header = mine_block(self.engine.chain().bitcoin(), self.now)?;
        self.take_block(header)
    }

    /// Replaces Bitcoin's last `depth` blocks by one more, which others found.
    ///
    /// # Errors
    /// The chain is not that long, or the disk fails.
    pub(crate) fn reorganize(&mut self, depth: u32) -> Result<(), PoolError> {
        let bitcoin = self.engine.chain().bitcoin();
        let below = bitcoin.best().height.checked_sub(depth).ok_or(PoolError::Nothing)?;
        let mut previous = bitcoin.ancestor(&self.bitcoin_tip.block_hash(), below).ok_or(PoolError::Nothing)?;
        loop {
            let next = next_header(self.engine.chain().bitcoin(), &previous, self.now);
            let mut header = next.ok_or(PoolError::Nothing)?;
            grind(&mut header);
            previous = header.block_hash();
            self.take_block(header)?;
            if self.bitcoin_tip == header {
                return Ok(());
            }
        }
    }

    /// The node learns of a Bitcoin block.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn take_block(&mut self, header: Header) -> Result<(), PoolError> {
        self.engine.insert_bitcoin_headers(&[header], self.now);
        self.bitcoin_tip = self.engine.chain().bitcoin().best().header;
        (self.block, self.template) = (None, None);
        self.take()
    }

    /// Sets the transactions of bitcoind's next template.
    pub(crate) fn fill(&mut self, transactions: Vec<Arc<TemplateTransaction>>, fees: Amount) {
        self.transactions = Some((transactions, fees));
        (self.block, self.template) = (None, None);
    }

    /// Miners find `shares` shares, and then a link. A few miners find most, and many find little.
    ///
    /// # Errors
    /// As [`Pool::find`].
    pub(crate) fn find_link(&mut self, miners: Miners, shares: u32, link: Find) -> Result<Found, PoolError> {
        for _ in 0..shares {
            self.find(miners, Find::Share)?;
        }
        self.find(miners, link)
    }

    /// One of the miners finds a proof.
    ///
    /// # Errors
    /// The disk fails, or the engine does not accept the proof.
    fn find(&mut self, miners: Miners, what: Find) -> Result<Found, PoolError> {
        let rank = (self.proofs.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % miners.count;
        let miner = miners.first + rank * rank / miners.count;
        let job = Job::new(self.template()?, Self::script(miner));
        let found = self.mine(job, what);
        let outcome = judge_found(&mut self.engine, &found.job, found.header, found.extranonce, self.now);
        if !matches!(outcome, Outcome::Accepted(_)) {
            return Err(PoolError::NotAccepted(format!("{outcome:?}")));
        }
        if what != Find::Share {
            self.template = None;
        }
        self.take()?;
        Ok(found)
    }

    /// About a second passes for the engine, which takes its pruning steps.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn tick(&mut self) -> Result<(), PoolError> {
        self.engine.tick(self.now);
        self.take()
    }

    /// Drops the engine's events, and returns its failure if it has one.
    fn take(&mut self) -> Result<(), PoolError> {
        drop(self.engine.take_events());
        self.engine.take_failure().map_or(Ok(()), |error| Err(error.into()))
    }

    /// bitcoind's template.
    fn block(&mut self) -> Result<Arc<BlockTemplate>, PoolError> {
        if let Some(block) = &self.block {
            return Ok(Arc::clone(block));
        }
        let prev_block = self.bitcoin_tip.block_hash();
        let chain = self.engine.chain();
        let bitcoin = chain.bitcoin();
        let height = bitcoin.get(&prev_block).ok_or(PoolError::Nothing)?.height + 1;
        let min_time = bitcoin.median_time(&prev_block).ok_or(PoolError::Nothing)?.plus(1).0;
        let (transactions, fees) = self.transactions.clone().unwrap_or_default();
        let block = Arc::new(BlockTemplate {
            version: BLOCK_VERSION,
            prev_block,
            height,
            bits: bitcoin.next_bits(&prev_block).ok_or(PoolError::Nothing)?,
            time: min_time,
            min_time,
            coinbase_value: Amount::from_sat(chain.params().bitcoin.subsidy_sat(height)) + fees,
            witness_commitment: None,
            transactions: transactions.into(),
            weight_limit: 4_000_000,
            sigops_limit: 80_000,
            long_poll_id: None,
            signet_challenge: None,
        });
        self.block = Some(Arc::clone(&block));
        Ok(block)
    }

    /// The job template.
    fn template(&mut self) -> Result<Arc<JobTemplate>, PoolError> {
        if let Some(template) = &self.template {
            return Ok(Arc::clone(template));
        }
        let block = self.block()?;
        let trigger = Trigger { bitcoin_height: block.height - 1, sync_trouble: None };
        trigger.apply(&mut self.engine)?;
        let position = JobPosition::find(self.engine.chain_mut(), &block.prev_block)?;
        let contents = self.contents(&block, position.coinbase_cost());
        let template = JobBuilder::finish(&mut self.engine, block, contents, position, self.now, self.now)?;
        self.template = Some(Arc::clone(&template));
        Ok(template)
    }

    fn contents(&mut self, block: &Arc<BlockTemplate>, coinbase: CoinbaseCost) -> Arc<Contents> {
        let made_up = || Contents {
            kept: Kept { transactions: 0, weight: 0, sigops: 0, coinbase_value: block.coinbase_value },
            witness_commitment: [3; 32],
            branch: vec![[7; 32]; BRANCH].into(),
        };
        match self.transactions {
            None => Arc::new(made_up()),
            Some(_) => self.builder.contents(block, coinbase, || Arc::new(Contents::fit(block, coinbase))),
        }
    }

    /// Assembles a coinbase and searches for a nonce, as a miner does.
    fn mine(&mut self, job: Job, what: Find) -> Found {
        let mut extranonce = [0; EXTRANONCE_BYTES];
        extranonce[..8].copy_from_slice(&self.proofs.to_le_bytes());
        self.proofs += 1;
        let (before, outputs, end) = job.coinbase_parts();
        let coinbase = [&before[..], &extranonce, &outputs, &end].concat();
        let root = merkle_root(sha256d::Hash::hash(&coinbase).to_byte_array(), &job.template.contents.branch);
        let mut header = Header { merkle_root: TxMerkleNode::from_byte_array(root), ..job.unworked_header() };
        let position = &job.template.assignment.position;
        let (share_target, link_target) = (position.share_target, position.link_target);
        let block_target = U256::from_be_bytes(header.target().to_be_bytes());
        let meets = |hash: U256| match what {
            Find::Share => hash <= share_target && hash > link_target,
            // Before Bitcoin's first retarget, every link is a block.
            Find::Link => hash <= link_target && (hash > block_target || link_target <= block_target),
            Find::Block => hash <= link_target.min(block_target),
        };
        let mut hasher = HeaderHasher::new(&header);
        while !meets(ShareId::from(hasher.hash(header.nonce)).as_number()) {
            header.nonce += 1;
        }
        Found { job, header, extranonce }
    }
}
