use super::*;

#[test]
fn the_fixture_is_a_chain_with_work_that_pays_the_wallet() {
    let blocks = blocks().unwrap();
    assert_eq!(blocks.len(), BLOCKS as usize);
    let keys = Keys::derive();
    let mut parent = signet::genesis();
    for block in blocks {
        assert_eq!(block.header.prev_blockhash, parent.block_hash());
        assert!(block.header.time > parent.header.time);
        assert!(block.check_merkle_root());
        block.header.validate_pow(signet::pow_limit()).unwrap();
        assert!(keys.position(&block.txdata[0].output[0].script_pubkey).is_some());
        parent = block;
    }
}
