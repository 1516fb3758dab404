//! A pool of miners that finds proofs for one engine. Every proof meets its target and passes every check.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{ScriptBuf, TxMerkleNode, WPubkeyHash};
use node::store::{Store, StoreError};
use node_core::engine::Engine;
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::{Assignment, Outcome, Unpayable};
use sharechain::change_set::Source;
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::coinbase::Coinbase;
use sharechain::encode::shares_root;
use sharechain::share::{EXTRANONCE_BYTES, SHARE_VERSION};
use sharechain::{Proof, RuleError, ShareHeader, ShareId, Timestamp, U256};

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
    /// The payouts of the next proof are not known.
    #[error(transparent)]
    Unpayable(#[from] Unpayable),
    /// A rule is broken.
    #[error(transparent)]
    Rule(#[from] RuleError),
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
    let earliest = bitcoin.median_time(&previous).ok_or(PoolError::Nothing)?.plus(1);
    let mut header = Header {
        version: Version::from_consensus(BLOCK_VERSION),
        prev_blockhash: previous,
        merkle_root: TxMerkleNode::from_byte_array(sha256::Hash::hash(previous.as_byte_array()).to_byte_array()),
        time: now.max(earliest).0,
        bits: bitcoin.next_bits(&previous).ok_or(PoolError::Nothing)?,
        nonce: 0,
    };
    grind(&mut header);
    Ok(header)
}

/// Looks for the nonce with which a header meets its target.
pub(crate) fn grind(header: &mut Header) {
    let target = header.target();
    while !target.is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
}

/// Kind of a find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Find {
    /// A share that is not a link.
    Share,
    /// A link that is not a Bitcoin block.
    Link,
    /// A link that is a Bitcoin block. Nodes keep data about these permanently.
    Block,
}

/// The miners, and the node that they all use.
pub(super) struct Pool {
    /// The node's engine.
    pub(super) engine: Engine<Store>,
    bitcoin_tip: Header,
    /// The simulated time.
    pub(super) now: Timestamp,
    /// Number of proofs found so far, which is also the next one's extranonce.
    proofs: u64,
}

/// Miners whose scripts have consecutive numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Miners {
    /// Number of the first.
    pub(super) first: u64,
    /// Number of miners.
    pub(super) count: u64,
}

impl Pool {
    /// Starts on an engine whose chain holds only genesis.
    #[must_use]
    pub(super) fn new(engine: Engine<Store>, now: Timestamp) -> Self {
        let bitcoin_tip = engine.chain().bitcoin().best().header;
        Self { engine, bitcoin_tip, now, proofs: 0 }
    }

    /// Number of proofs found so far.
    #[must_use]
    pub(super) fn proofs(&self) -> u64 {
        self.proofs
    }

    /// Payout script of a miner.
    #[must_use]
    pub(super) fn script(miner: u64) -> ScriptBuf {
        let hash = sha256::Hash::hash(&miner.to_le_bytes()).to_byte_array();
        let mut program = [0; 20];
        program.copy_from_slice(&hash[..20]);
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(program))
    }

    /// Bitcoin finds a block.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn bitcoin_block(&mut self) -> Result<(), PoolError> {
        let header = mine_block(self.engine.chain().bitcoin(), self.now)?;
        self.take_block(header)
    }

    /// The node learns of a Bitcoin block.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn take_block(&mut self, header: Header) -> Result<(), PoolError> {
        self.engine.insert_bitcoin_headers(&[header], self.now);
        self.bitcoin_tip = header;
        self.take()
    }

    /// Miners find `shares` shares, and then a link. A few miners find most, and many find little.
    ///
    /// # Errors
    /// As [`Pool::find`].
    pub(super) fn find_link(&mut self, miners: Miners, shares: u32, link: Find) -> Result<(), PoolError> {
        for number in 0..=shares {
            let rank = (self.proofs.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % miners.count;
            let what = if number == shares { link } else { Find::Share };
            self.find(miners.first + rank * rank / miners.count, what)?;
        }
        Ok(())
    }

    /// A miner finds a proof.
    ///
    /// # Errors
    /// The disk fails, or the engine does not accept the proof.
    fn find(&mut self, miner: u64, what: Find) -> Result<(), PoolError> {
        let link = what != Find::Share;
        let work = self.engine.chain().assignment().ok_or(PoolError::Nothing)?;
        let list = if link { work.list.clone() } else { Vec::new() };
        let proof = self.mine(miner, work, &list, what)?;
        let bound = BoundProof::bind(proof, U256::MAX, self.engine.chain().consensus_id())?;
        let outcome = self.engine.insert(bound, link.then_some(list), Source::default(), self.now);
        if !matches!(outcome, Outcome::Accepted(_)) {
            return Err(PoolError::NotAccepted(format!("{outcome:?}")));
        }
        self.take()
    }

    /// About a second passes for the engine, which takes its pruning steps.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn tick(&mut self) -> Result<(), PoolError> {
        self.engine.tick(self.now);
        self.take()
    }

    /// Drops the engine's events, and returns its failure if it has one.
    fn take(&mut self) -> Result<(), PoolError> {
        drop(self.engine.take_events());
        self.engine.take_failure().map_or(Ok(()), |error| Err(error.into()))
    }

    fn mine(&mut self, miner: u64, work: Assignment, list: &[ShareId], what: Find) -> Result<Proof, PoolError> {
        let previous = self.bitcoin_tip.block_hash();
        let time = work.time(self.now);
        let chain = self.engine.chain_mut();
        let height = chain.bitcoin().get(&previous).ok_or(PoolError::Nothing)?.height + 1;
        let share = ShareHeader {
            version: SHARE_VERSION,
            parent: work.parent,
            anchor: work.position.anchor,
            shares_root: shares_root(list),
            shares_count: u16::try_from(list.len()).unwrap_or(u16::MAX),
            // A share also commits to the list of its job, but its state root is never checked.
            state_root: if what != Find::Share { chain.state_root(&work.parent, &previous, list)? } else { [0; 32] },
            payout: Self::script(miner),
            time,
            bitcoin_height: height,
            coinbase_value: chain.params().bitcoin.subsidy_sat(height),
            signals: 0,
            null_data: ScriptBuf::new(),
        };
        let payouts = chain.payouts(&work.parent, &previous, share.coinbase_value, &share.payout)?;
        let mut extranonce = [0; EXTRANONCE_BYTES];
        extranonce[..8].copy_from_slice(&self.proofs.to_le_bytes());
        self.proofs += 1;
        let witness_commitment = Some([3; 32]);
        let coinbase = Coinbase {
            share: &share,
            payouts: &payouts,
            extranonce: &extranonce,
            witness_commitment: witness_commitment.as_ref(),
        }
        .build(chain.consensus_id());
        let branch = vec![[7; 32]; BRANCH];
        let root = merkle_root(coinbase.txid().to_byte_array(), &branch);
        let earliest = chain.bitcoin().median_time(&previous).ok_or(PoolError::Nothing)?.plus(1);
        let mut header = Header {
            version: Version::from_consensus(BLOCK_VERSION),
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: time.max(earliest).0,
            bits: chain.bitcoin().next_bits(&previous).ok_or(PoolError::Nothing)?,
            nonce: 0,
        };
        let (share_target, link_target) = (work.position.share_target, work.position.link_target);
        let block_target = U256::from_be_bytes(header.target().to_be_bytes());
        let meets = |hash: U256| match what {
            Find::Share => hash <= share_target && hash > link_target,
            // Before Bitcoin's first retarget, every link is a block.
            Find::Link => hash <= link_target && (hash > block_target || link_target <= block_target),
            Find::Block => hash <= link_target.min(block_target),
        };
        while !meets(ShareId::from(header.block_hash()).as_number()) {
            header.nonce += 1;
        }
        Ok(Proof { header, share, extranonce, witness_commitment, branch, prefix: coinbase.prefix() })
    }
}
