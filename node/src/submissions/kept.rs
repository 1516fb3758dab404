//! Stores the newest Bitcoin blocks of this node's miners in full: a killed bitcoind may come back without a block that
//! it accepted, or without its parent.

use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use crate::limits::{FULL_BLOCKS_DEPTH, FULL_BLOCKS_MAX};
use crate::store::{Record, RecordKind, Store, StoreError};

/// Record id of the hashes and heights of the kept blocks. Each block is stored under its hash.
const INDEX: [u8; 32] = *b"own blocks in full, oldest first";

/// Bytes of a hash and a height in the index.
const ENTRY_BYTES: usize = 32 + 4;

/// The kept blocks, oldest first.
#[derive(Debug)]
pub(super) struct Kept {
    store: Arc<Store>,
    blocks: Vec<(BlockHash, u32)>,
}

impl Kept {
    pub(super) fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let index = store.get(RecordKind::Meta, &INDEX)?.unwrap_or_default();
        let (entries, _) = index.as_chunks::<ENTRY_BYTES>();
        Ok(Self { store, blocks: entries.iter().map(decode).collect() })
    }

    pub(super) fn list(&self) -> Vec<(BlockHash, u32)> {
        self.blocks.clone()
    }

    /// Stores a block. Drops those that are [`FULL_BLOCKS_DEPTH`] below it, and the lowest if there are more than
    /// [`FULL_BLOCKS_MAX`].
    pub(super) fn keep(&mut self, hash: BlockHash, height: u32, block: &[u8]) -> Result<(), StoreError> {
        if self.blocks.iter().any(|(known, _)| *known == hash) {
            return Ok(());
        }
        let deep = |&(_, old): &(BlockHash, u32)| old.saturating_add(FULL_BLOCKS_DEPTH) <= height;
        let (mut gone, mut blocks): (Vec<_>, Vec<_>) = self.blocks.iter().copied().partition(deep);
        blocks.push((hash, height));
        if blocks.len() > FULL_BLOCKS_MAX {
            let lowest = blocks.iter().enumerate().min_by_key(|(_, (_, height))| *height);
            gone.extend(lowest.map(|(at, _)| at).map(|at| blocks.remove(at)));
        }
        let record = |id, bytes| Record { kind: RecordKind::Meta, id, bytes };
        let mut batch = vec![record(hash.to_byte_array(), block.to_vec())];
        // The store replaces such records but never deletes them; an empty one takes no space.
        batch.extend(gone.iter().map(|(hash, _)| record(hash.to_byte_array(), Vec::new())));
        batch.push(record(INDEX, blocks.iter().flat_map(encode).collect()));
        self.store.append(&batch)?;
        self.blocks = blocks;
        Ok(())
    }

    pub(super) fn get(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, StoreError> {
        let block = self.store.get(RecordKind::Meta, &hash.to_byte_array())?;
        Ok(block.filter(|bytes| !bytes.is_empty()))
    }
}

fn encode((hash, height): &(BlockHash, u32)) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..32].copy_from_slice(&hash.to_byte_array());
    entry[32..].copy_from_slice(&height.to_be_bytes());
    entry
}

fn decode(entry: &[u8; ENTRY_BYTES]) -> (BlockHash, u32) {
    let mut hash = [0; 32];
    hash.copy_from_slice(&entry[..32]);
    let mut height = [0; 4];
    height.copy_from_slice(&entry[32..]);
    (BlockHash::from_byte_array(hash), u32::from_be_bytes(height))
}

#[cfg(test)]
mod tests;
