//! The history that a link commits to (protocol.md, section 15), kept without the share-chain's trees.

use bitcoin::hashes::{Hash, sha256};
use sharechain::U256;

/// All links of a branch from height 1 on, as perfect trees: exponent of the number of links, hash, work. Largest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    count: u32,
    trees: Vec<(u32, Vec<u8>, U256)>,
}

/// What the history holds of one link.
pub(super) struct Leaf {
    pub height: u32,
    pub id: [u8; 32],
    pub target: U256,
    pub time: u32,
    /// Cumulative link work up to and including it.
    pub chain_work: U256,
    /// Number of proofs credited from genesis up to and including it.
    pub proofs: u64,
    pub snapshot: u32,
}

/// Work of a link: 2^256 / (target + 1), rounded down.
pub(super) fn work_of(target: U256) -> U256 {
    // 2^256 is one more than what fits.
    (!target / (target + U256::from(1))) + U256::from(1)
}

impl Links {
    /// The same links and one more.
    pub(super) fn with(&self, leaf: &Leaf) -> Self {
        let Leaf { height, id, target, time, chain_work, proofs, snapshot } = leaf;
        let bytes = [
            &height.to_le_bytes()[..],
            id,
            &target.to_le_bytes::<32>(),
            &time.to_le_bytes(),
            &chain_work.to_le_bytes::<32>(),
            &proofs.to_le_bytes(),
            &snapshot.to_le_bytes(),
        ];
        let mut trees = self.trees.clone();
        let (mut exponent, mut hash, mut work) = (0, tagged("shoal/link", &bytes.concat()), work_of(*target));
        while let Some((_, left, left_work)) = trees.pop_if(|(of_left, ..)| *of_left == exponent) {
            hash = above(&left, left_work, &hash, work);
            (exponent, work) = (exponent + 1, left_work + work);
        }
        trees.push((exponent, hash, work));
        Self { count: self.count + 1, trees }
    }

    /// As a state root commits to them.
    pub(super) fn commitment(&self) -> Vec<u8> {
        let mut trees = self.trees.iter().rev();
        let Some((_, hash, work)) = trees.next() else { return vec![0; 68] };
        let root = trees.fold((hash.clone(), *work), |(right, right_work), (_, left, left_work)| {
            (above(left, *left_work, &right, right_work), *left_work + right_work)
        });
        [&self.count.to_le_bytes()[..], &root.1.to_le_bytes::<32>(), &root.0].concat()
    }
}

/// Hash of the node above two in the history.
fn above(left: &[u8], left_work: U256, right: &[u8], right_work: U256) -> Vec<u8> {
    let (left_work, right_work) = (left_work.to_le_bytes::<32>(), right_work.to_le_bytes::<32>());
    tagged("shoal/history", &[left, &left_work, right, &right_work].concat())
}

/// A tagged hash.
pub(super) fn tagged(tag: &str, bytes: &[u8]) -> Vec<u8> {
    let tag = sha256::Hash::hash(tag.as_bytes()).to_byte_array();
    sha256::Hash::hash(&[&tag[..], &tag, bytes].concat()).to_byte_array().to_vec()
}
