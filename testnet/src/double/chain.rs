//! The chain of headers of the double. It takes every block whose header is valid.

use std::collections::HashMap;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Block, BlockHash, TxMerkleNode};
use sharechain::bitcoin_headers::{BitcoinHeaders, Inserted, Root};
use sharechain::{ChainParams, Timestamp, U256};
use sim::pow;

/// A block that a node submitted.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its height.
    pub height: u32,
    /// Median time of its parent and the ten before.
    pub median_time: u32,
    /// The block.
    pub block: Block,
}

/// A header that the double knows.
pub(super) struct Entry {
    pub(super) height: u32,
    pub(super) chain_work: U256,
    pub(super) header: Header,
}

/// All headers that it knows.
pub(super) struct Chain {
    pub(super) tree: BitcoinHeaders,
    pub(super) entries: HashMap<BlockHash, Entry>,
    /// The best chain, from the root's first header on.
    active: Vec<BlockHash>,
    first_height: u32,
}

impl Chain {
    /// The headers of `root`, and those above it. None if they are no chain.
    pub(super) fn new(params: &ChainParams, root: &Root, above: &[Header]) -> Option<Self> {
        let tree = BitcoinHeaders::new(&params.bitcoin, root).ok()?;
        let first_height = root.height + 1 - u32::try_from(root.headers.len()).ok()?;
        let (mut entries, mut active) = (HashMap::new(), Vec::new());
        let mut chain_work = root.chain_work;
        for (height, header) in (first_height..=root.height).rev().zip(root.headers.iter().rev()) {
            entries.insert(header.block_hash(), Entry { height, chain_work, header: *header });
            chain_work = chain_work.checked_sub(work(header))?;
        }
        active.extend(root.headers.iter().map(Header::block_hash));
        let mut chain = Self { tree, entries, active, first_height };
        above.iter().try_for_each(|header| chain.insert(*header, Timestamp(header.time)).ok().map(drop))?;
        Some(chain)
    }

    pub(super) fn tip(&self) -> &Entry {
        self.active.last().and_then(|hash| self.entries.get(hash)).expect("the root has headers")
    }

    pub(super) fn at(&self, height: u32) -> Option<BlockHash> {
        self.active.get(height.checked_sub(self.first_height)? as usize).copied()
    }

    /// Takes a header. Returns its height.
    pub(super) fn insert(&mut self, header: Header, now: Timestamp) -> Result<u32, String> {
        match self.tree.insert(header, now) {
            Ok(Inserted::New) => {}
            Ok(Inserted::Known) => return Err("duplicate".to_owned()),
            Ok(Inserted::Held(_)) => return Err("prev-blk-not-found".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
        let parent = self.entries.get(&header.prev_blockhash).ok_or("prev-blk-not-found")?;
        let (height, chain_work) = (parent.height + 1, parent.chain_work.saturating_add(work(&header)));
        let is_best = chain_work > self.tip().chain_work;
        self.entries.insert(header.block_hash(), Entry { height, chain_work, header });
        if is_best {
            self.follow(header.block_hash(), height);
        }
        Ok(height)
    }

    /// Makes the branch that ends in this header the active chain.
    fn follow(&mut self, tip: BlockHash, height: u32) {
        let mut branch = vec![tip];
        let mut below = self.entries[&tip].header.prev_blockhash;
        let mut at = height - 1;
        while self.at(at) != Some(below) {
            branch.push(below);
            below = self.entries[&below].header.prev_blockhash;
            at -= 1;
        }
        self.active.truncate((at + 1 - self.first_height) as usize);
        self.active.extend(branch.into_iter().rev());
    }

    pub(super) fn is_active(&self, hash: &BlockHash) -> bool {
        self.entries.get(hash).is_some_and(|entry| self.at(entry.height) == Some(*hash))
    }
}

/// The header, without work, of a block that others find on `previous`.
pub(crate) fn next_header(tree: &BitcoinHeaders, previous: &BlockHash, now: Timestamp) -> Option<Header> {
    let earliest = tree.median_time(previous)?.plus(1);
    // A root that no other block has.
    let merkle_root = sha256::Hash::hash(&[previous.as_byte_array().as_slice(), &now.0.to_le_bytes()].concat());
    Some(Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: *previous,
        merkle_root: TxMerkleNode::from_byte_array(merkle_root.to_byte_array()),
        time: now.max(earliest).0,
        bits: tree.next_bits(previous)?,
        nonce: 0,
    })
}

/// Mines a header.
pub(crate) fn grind(header: &mut Header) {
    pow::grind(header, U256::from_be_bytes(header.target().to_be_bytes()));
}

/// Work of a header, hashes.
pub(crate) fn work(header: &Header) -> U256 {
    U256::from_be_bytes(header.work().to_be_bytes())
}
