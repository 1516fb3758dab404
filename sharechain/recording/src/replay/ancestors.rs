//! The links below a link, for the check of a list on it.

use std::collections::BTreeSet;

use sharechain::check::list::ListContext;
use sharechain::{Chain, Height, ShareId, U256};

/// A link and its ancestors, as deep as a list on it can reach. It borrows their data from the chain.
pub(super) struct Ancestors<'a> {
    chain: &'a Chain,
    height: Height,
    /// Newest first. Empty if the link is unknown.
    ids: Vec<ShareId>,
    /// Ids of these links, and of everything that they list.
    listed: BTreeSet<ShareId>,
}

impl<'a> Ancestors<'a> {
    /// A complete link with its ancestors. Nothing in a list on it has an anchor more than `listing_depth` links below
    /// that list's link, and no link at or below the anchor can list it.
    pub(super) fn of(chain: &'a Chain, newest: ShareId) -> Self {
        let (mut ids, mut listed) = (Vec::new(), BTreeSet::new());
        let mut at = newest;
        for _ in 0..=chain.params().listing_depth {
            let Some(link) = chain.link(&at) else { break };
            ids.push(at);
            listed.insert(at);
            listed.extend(link.complete().into_iter().flat_map(|complete| complete.list.iter().copied()));
            at = link.parent;
        }
        Self { chain, height: chain.link(&newest).map_or(Height(0), |link| link.height), ids, listed }
    }

    /// Height of the newest link.
    pub(super) fn height(&self) -> Height {
        self.height
    }

    fn at(&self, height: Height) -> Option<&ShareId> {
        let depth = self.height.0.checked_sub(height.0)?;
        self.ids.get(usize::try_from(depth).ok()?)
    }
}

impl ListContext for Ancestors<'_> {
    fn contains(&self, id: &ShareId, height: Height) -> bool {
        self.at(height) == Some(id)
    }

    fn lists_or_is(&self, id: &ShareId) -> bool {
        self.listed.contains(id)
    }

    fn bitcoin_work(&self, height: Height) -> U256 {
        let link = self.at(height).and_then(|id| self.chain.link(id));
        link.map_or(U256::ZERO, |link| link.position.bitcoin_work)
    }
}
