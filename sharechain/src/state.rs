//! State commitments: a link's share header commits to its branch (SC-408, protocol §15).
//!
//! A commitment is the root of a [sum tree](tree). From a root that is trusted, a short path proves one due, one credit,
//! or one link of the history, and the sums of everything beside it.

mod history;
mod opening;
#[cfg(test)]
mod tests;
pub mod tree;

use bitcoin::Script;
use bitcoin::hashes::sha256;

use crate::hash::Tag;
use crate::units::{Weight, Work};

pub use history::{History, HistoryLink};
pub use opening::{Opening, Shown};
pub use tree::{Commitment, Node};

/// Everything that a link commits to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Dues of the window that the link pays by, in the order of the coinbase.
    pub window: Commitment<Weight>,
    /// Credits of the link's list by script, without the link's own.
    pub credits: Commitment<Weight>,
    /// All links from height 1 to the parent.
    pub history: Commitment<Work>,
    /// [`Signals::commitment`](crate::signals::Signals::commitment) after the parent.
    pub signals: [u8; 32],
}

impl State {
    /// The state root of the share header.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        Tag::State.hash(&[&self.window.encode(), &self.credits.encode(), &self.history.encode(), &self.signals])
    }
}

/// Commits to weights of scripts, in the order given.
///
/// Returns `None` if the weights add up to more than 128 bits.
pub fn of_weights<'a>(weights: impl IntoIterator<Item = (&'a Script, Weight)>) -> Option<Commitment<Weight>> {
    let engine = Tag::WeightLeaf.engine();
    Commitment::of(weights.into_iter().map(|(script, weight)| leaf_with(&engine, script, weight)).collect())
}

/// The leaf of a script and its weight.
fn weight_leaf(script: &Script, weight: Weight) -> Node<Weight> {
    leaf_with(&Tag::WeightLeaf.engine(), script, weight)
}

fn leaf_with(engine: &sha256::HashEngine, script: &Script, weight: Weight) -> Node<Weight> {
    let length = u8::try_from(script.len()).unwrap_or(u8::MAX);
    let bytes: [&[u8]; 3] = [&weight.0.to_le_bytes(), &[length], script.as_bytes()];
    Node { hash: tree::hash_with(engine, &bytes), sum: weight }
}
