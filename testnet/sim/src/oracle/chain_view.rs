//! A node's share-chain as the oracles see it: the chain itself, unless a bug is planted in the view.

use std::collections::BTreeMap;
use std::sync::Arc;

use bitcoin::pow::CompactTarget;
use bitcoin::{BlockHash, ScriptBuf};
use sharechain::chain::Fate;
use sharechain::credit::Credit;
use sharechain::limits::MEMORY_DEPTH;
use sharechain::window::Window;
use sharechain::{Chain, Height, ShareId, U256, Weight};

use crate::plant::{Plant, Planted};

/// A view of a node's chain.
#[derive(Debug)]
pub(super) struct ChainView<'a> {
    /// The chain.
    pub chain: &'a Chain,
    plant: Option<Plant>,
}

/// A node's facts about a link of its main chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkView {
    /// The parent link.
    pub parent: ShareId,
    /// Number of links between it and genesis.
    pub height: u32,
    /// Previous block in its Bitcoin header.
    pub previous_block: BlockHash,
    /// Bitcoin's chain work up to that block, hashes.
    pub bitcoin_work: U256,
    /// The target that it had to meet.
    pub target: U256,
    /// nBits of its Bitcoin header.
    pub bits: CompactTarget,
    /// Time in its share header, seconds.
    pub time: u32,
    /// State root in its share header.
    pub state_root: [u8; 32],
    /// The ids that it lists. Empty if the node has forgotten them.
    pub list: Vec<ShareId>,
    /// Credits for each script.
    pub rows: BTreeMap<ScriptBuf, Weight>,
    /// Number of proofs credited from genesis up to and including it.
    pub listed_total: u64,
}

impl<'a> ChainView<'a> {
    /// Creates a view of a chain.
    #[must_use]
    pub(super) fn new(chain: &'a Chain, plant: Option<Plant>) -> Self {
        Self { chain, plant }
    }

    /// Returns a link of the main chain.
    ///
    /// # Errors
    /// If the link is unknown or incomplete.
    pub(super) fn link(&self, id: &ShareId) -> Result<LinkView, String> {
        let link = self.chain.link(id).ok_or_else(|| format!("link {id} of the main chain is not known"))?;
        let complete = link.complete().ok_or_else(|| format!("link {id} of the main chain is not complete"))?;
        let previous = self.chain.bitcoin().get(&link.previous_block);
        let previous = previous.ok_or_else(|| format!("the Bitcoin block that link {id} builds on is not known"))?;
        let mut rows = BTreeMap::new();
        for row in complete.rows.iter() {
            let script = self.chain.scripts().script(row.script).ok_or_else(|| format!("link {id} credits nobody"))?;
            rows.insert(script.to_owned(), row.weight);
        }
        let mut list = complete.list.to_vec();
        if self.plant == Some(Plant::CreditTwice) && link.height.0 % 8 == 0 {
            list.insert(0, link.parent);
        }
        if self.plant == Some(Plant::InventedShare) && link.height.0 % 8 == 0 {
            list.push(ShareId([1; 32]));
        }
        let mut state_root = link.state_root;
        if self.plant == Some(Plant::OtherState) {
            state_root[0] ^= 1;
        }
        Ok(LinkView {
            parent: link.parent,
            height: link.height.0,
            previous_block: link.previous_block,
            bitcoin_work: previous.chain_work,
            target: link.target,
            bits: link.bits,
            time: link.time.0,
            state_root,
            list,
            rows,
            listed_total: complete.listed_total,
        })
    }

    /// Returns the credit of a proof and its script.
    ///
    /// # Errors
    /// If the proof is unknown.
    pub(super) fn credit(&self, id: &ShareId) -> Result<(&'a Credit, ScriptBuf), String> {
        let credit = self.chain.credit(id).ok_or_else(|| format!("{id} is listed and not known"))?;
        let script = self.chain.scripts().script(credit.script).ok_or_else(|| format!("{id} earns for nobody"))?;
        Ok((credit, script.to_owned()))
    }

    /// Returns whether a link is so deep that lists there may have been forgotten.
    #[must_use]
    pub(super) fn is_deep(&self, id: &ShareId) -> bool {
        self.chain.link(id).is_some_and(|link| self.chain.height().above(link.height) >= MEMORY_DEPTH)
    }

    /// Returns whether the node's index of the main chain says that this link lists this proof, or is it.
    #[must_use]
    pub(super) fn is_listed_at(&self, id: &ShareId, at: Height, by: &ShareId) -> bool {
        match self.chain.fate(id) {
            Fate::MainLink(height) => height == at && id == by,
            Fate::Listed { link, height } => height == at && link == *by,
            _ => false,
        }
    }
}

/// Returns the weights of the window that ends in a link, for each script.
#[must_use]
pub(super) fn window_of(
    chain: &mut Chain,
    newest: &ShareId,
    planted: &mut Planted,
) -> Option<BTreeMap<ScriptBuf, Weight>> {
    let window: Arc<Window> = chain.window(newest)?;
    let sums = window.dues(chain.scripts()).map(|(script, weight)| (script.to_owned(), weight)).collect();
    Some(planted.window(window.newest(), sums))
}
