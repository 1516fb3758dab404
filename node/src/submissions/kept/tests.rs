use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::Kept;
use crate::limits::{FULL_BLOCKS_DEPTH, FULL_BLOCKS_MAX};
use crate::store::Store;

fn hash(number: usize) -> BlockHash {
    let mut bytes = [1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    BlockHash::from_byte_array(bytes)
}

fn open(folder: &std::path::Path) -> Kept {
    Kept::open(std::sync::Arc::new(Store::open(&folder.join("db"), [7; 32]).unwrap())).unwrap()
}

#[test]
fn every_block_that_is_not_deep_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = open(folder.path());
    let depth = FULL_BLOCKS_DEPTH as usize;
    for number in 0..=depth {
        kept.keep(hash(number), 100 + number as u32, &[number as u8; 500]).unwrap();
        kept.keep(hash(number), 100, b"the same once more").unwrap();
    }
    drop(kept);
    let kept = open(folder.path());
    let list = kept.list();
    assert_eq!(list.len(), depth, "the first one is 100 deep");
    assert_eq!(list[0], (hash(1), 101));
    assert_eq!(kept.get(&hash(0)).unwrap(), None);
    assert_eq!(kept.get(&hash(1)).unwrap(), Some(vec![1; 500]));
}

/// A block below others is submitted first, whenever it came.
#[test]
fn blocks_of_a_few_heights_are_bounded_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = open(folder.path());
    for number in 0..FULL_BLOCKS_MAX {
        kept.keep(hash(number), 150, b"a block").unwrap();
    }
    kept.keep(hash(FULL_BLOCKS_MAX), 149, b"a block below them").unwrap();
    kept.keep(hash(FULL_BLOCKS_MAX + 1), 151, b"a block above them").unwrap();
    let list = kept.list();
    assert_eq!(list.len(), FULL_BLOCKS_MAX);
    assert!(list.contains(&(hash(FULL_BLOCKS_MAX + 1), 151)));
    assert!(!list.contains(&(hash(FULL_BLOCKS_MAX), 149)));
}
