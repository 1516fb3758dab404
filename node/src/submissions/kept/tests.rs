use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::Kept;
use crate::limits::FULL_BLOCKS_MAX;
use crate::store::Store;

fn hash(number: u8) -> BlockHash {
    BlockHash::from_byte_array([number; 32])
}

#[test]
fn the_newest_blocks_survive_a_restart_and_the_oldest_goes() {
    let folder = tempfile::tempdir().unwrap();
    let open = || std::sync::Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap());
    let mut kept = Kept::open(open()).unwrap();
    for number in 0..=FULL_BLOCKS_MAX as u8 {
        kept.keep(hash(number), 100 + u32::from(number), &[number; 500]).unwrap();
        kept.keep(hash(number), 100, b"the same once more").unwrap();
    }
    drop(kept);
    let kept = Kept::open(open()).unwrap();
    let list = kept.list();
    assert_eq!(list.len(), FULL_BLOCKS_MAX);
    assert_eq!(list[0], (hash(1), 101));
    assert_eq!(kept.get(&hash(0)).unwrap(), None);
    assert_eq!(kept.get(&hash(1)).unwrap(), Some(vec![1; 500]));
}
