use bitcoin::block::Version;
use bitcoin::hashes::Hash;
use bitcoin::pow::CompactTarget;
use bitcoin::{BlockHash, TxMerkleNode};

use super::*;

fn header(prev_blockhash: BlockHash, time: u32) -> Header {
    let (version, bits) = (Version::from_consensus(4), CompactTarget::from_consensus(0x207f_ffff));
    Header { version, prev_blockhash, merkle_root: TxMerkleNode::all_zeros(), time, bits, nonce: 0 }
}

/// A tree without branches, up to this height.
fn straight(height: u32) -> Tree {
    let first = header(BlockHash::all_zeros(), 0);
    let known = BitcoinHeader { header: first, height: 0, chain_work: U256::ZERO, median_time: Timestamp(0) };
    let mut tree = Tree::new(Base { first: known, rest: &[] });
    for time in 1..=height {
        let next = header(tree.best().header.block_hash(), time);
        tree.push(next.block_hash(), next, tree.best, U256::from(time));
    }
    tree
}

/// Number of steps that a search for the header at `height` takes with all jumps that do not go too far.
fn steps(tree: &Tree, height: u32) -> u32 {
    let (mut at, mut steps) = (tree.best, 0);
    while tree.at(at).height > height {
        let Node { parent, jump, .. } = *tree.node(at);
        at = if tree.at(jump).height >= height { jump } else { parent };
        steps += 1;
    }
    steps
}

/// Only the number of steps shows a useless jump: the search still finds the same ancestor, but takes longer.
#[test]
fn a_search_takes_logarithmically_many_steps() {
    for top in [1, 2, 3, 100, 1_023, 1_024, 5_000] {
        let tree = straight(top);
        let most = (0..=top).map(|height| steps(&tree, height)).max();
        assert!(most <= Some(3 * top.ilog2() + 1), "{most:?} steps below {top}");
    }
}
