use bitcoin::hashes::Hash;
use sharechain::ShareId;

use super::*;

#[test]
fn ground_headers_meet_their_target_and_others_are_as_rare_as_they_should_be() {
    let target = U256::MAX >> 4;
    let mut easier_by_luck = 0;
    for time in 0..1_000 {
        let mut header = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin).header;
        header.prev_blockhash = bitcoin::BlockHash::all_zeros();
        header.time = time;
        grind(&mut header, target);
        let number = ShareId::from(header.block_hash()).as_number();
        assert!(number <= target);
        easier_by_luck += u32::from(number <= target >> 5);
    }
    // One in 32: 31 expected, standard deviation 5.5.
    assert!((10..=60).contains(&easier_by_luck), "{easier_by_luck}");
}
