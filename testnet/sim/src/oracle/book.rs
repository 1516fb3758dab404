//! The lists and credits of each link. They are recorded when the first node has the link on its main chain, and
//! compared with every other node's. The same tip must mean the same state, and no proof may be credited twice on any
//! chain.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bitcoin::ScriptBuf;
use sharechain::{ChainParams, Height, ShareId, Weight};

use super::chain_view::{ChainView, LinkView};
use super::{Finding, Oracle};

/// The recorded facts of a link.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The parent. `None` for genesis.
    pub parent: Option<ShareId>,
    /// Number of links between it and genesis.
    pub height: u32,
    /// Height of the Bitcoin block that it would have been.
    pub bitcoin_height: u32,
    /// The greatest Bitcoin height of it and its ancestors.
    bitcoin_height_max: u32,
    /// Number of proofs that it credits, including itself.
    pub credited: u64,
    /// Credits for each script, computed again.
    pub earned: BTreeMap<ScriptBuf, Weight>,
    /// Digest of the facts that all nodes must agree on.
    digest: u64,
}

/// The recorded facts of all links.
#[derive(Debug)]
pub(super) struct Book {
    params: ChainParams,
    pages: BTreeMap<ShareId, Page>,
    /// For each proof, the links that list it or are it. They are several if they are on different branches.
    listed_by: BTreeMap<ShareId, Vec<ShareId>>,
}

impl Book {
    /// Creates a book that holds only genesis.
    #[must_use]
    pub(super) fn new(params: ChainParams) -> Self {
        let genesis = Page {
            parent: None,
            height: 0,
            bitcoin_height: 0,
            bitcoin_height_max: 0,
            credited: 0,
            earned: BTreeMap::new(),
            digest: 0,
        };
        Self { pages: BTreeMap::from([(params.genesis_id(), genesis)]), listed_by: BTreeMap::new(), params }
    }

    /// Returns the protocol's constants.
    #[must_use]
    pub(super) fn params(&self) -> &ChainParams {
        &self.params
    }

    /// Returns the recorded facts of a link.
    #[must_use]
    pub(super) fn page(&self, id: &ShareId) -> Option<&Page> {
        self.pages.get(id)
    }

    /// Returns a link and its ancestors, down to genesis.
    pub(super) fn branch(&self, newest: &ShareId) -> impl Iterator<Item = (ShareId, &Page)> {
        let first = self.pages.get(newest).map(|page| (*newest, page));
        std::iter::successors(first, |(_, page)| {
            let parent = page.parent?;
            Some((parent, self.pages.get(&parent)?))
        })
    }

    /// Compares a link of a node's main chain with its page, or records it if it is new. Parents come first.
    ///
    /// # Errors
    /// If the link differs from its page or breaks a rule.
    pub(super) fn check(&mut self, id: ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<(), Finding> {
        if let Some(page) = self.pages.get(&id) {
            // Nodes forget the lists of deep links.
            let same =
                page.digest == link.digest() || (link.list.is_empty() && page.credited > 1 && chain_view.is_deep(&id));
            if same {
                return Ok(());
            }
            self.check_credited_once(id, link)?;
            return Err(Oracle::State.finds(format!("link {id} has another content than on other nodes")));
        }
        self.check_credited_once(id, link)?;
        let page = self.new_page(id, link, chain_view).map_err(|what| Oracle::State.finds(what))?;
        self.pages.insert(id, page);
        for item in link.list.iter().chain([&id]) {
            self.listed_by.entry(*item).or_default().push(id);
        }
        Ok(())
    }

    fn new_page(&self, id: ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<Page, String> {
        let parent = self.pages.get(&link.parent).ok_or_else(|| format!("the parent of link {id} is not known"))?;
        if link.height != parent.height + 1 {
            return Err(format!("link {id} has height {}, its parent {}", link.height, parent.height));
        }
        let earned = self.earned(id, link, chain_view)?;
        if earned != link.rows {
            return Err(format!("link {id} credits {:?}, and {earned:?} is due", link.rows));
        }
        Ok(Page {
            parent: Some(link.parent),
            height: link.height,
            bitcoin_height: link.bitcoin_height,
            bitcoin_height_max: link.bitcoin_height.max(parent.bitcoin_height_max),
            credited: link.list.len() as u64 + 1,
            earned,
            digest: link.digest(),
        })
    }

    /// Checks that neither the link nor any proof in its list was credited earlier on its branch or twice in its list.
    fn check_credited_once(&self, id: ShareId, link: &LinkView) -> Result<(), Finding> {
        let items: Vec<ShareId> = link.list.iter().copied().chain([id]).collect();
        for (index, item) in items.iter().enumerate() {
            if items[..index].contains(item) {
                return Err(Oracle::Credit.finds(format!("link {id} credits {item} twice")));
            }
            for earlier in self.listed_by.get(item).into_iter().flatten() {
                let Some(height) = self.pages.get(earlier).map(|page| page.height) else { continue };
                let at_height = self.branch(&link.parent).find(|(_, page)| page.height <= height);
                if at_height.is_some_and(|(at, _)| at == *earlier) {
                    return Err(Oracle::Credit.finds(format!("link {id} credits {item}, as link {earlier} did before")));
                }
            }
        }
        Ok(())
    }

    /// Returns the credits of a link for each script, by the text of rules SC-410 and SC-411 and not by the chain's
    /// code.
    fn earned(
        &self,
        id: ShareId,
        link: &LinkView,
        chain_view: &ChainView<'_>,
    ) -> Result<BTreeMap<ScriptBuf, Weight>, String> {
        let params = &self.params;
        let passed = link.height.saturating_sub(params.stale_depth + 1);
        let settled = self.branch(&link.parent).find(|(_, page)| page.height <= passed);
        let settled = settled.map_or(0, |(_, page)| if page.height == passed { page.bitcoin_height_max } else { 0 });
        let mut earned = BTreeMap::new();
        let mut add = |script: ScriptBuf, weight: Weight| {
            let sum: &mut Weight = earned.entry(script).or_default();
            *sum = sum.plus(weight);
        };
        for item in &link.list {
            let (credit, script) = chain_view.credit(item)?;
            let parent = self.pages.get(&credit.parent).map(|page| page.height);
            let anchor = credit.height.0.saturating_sub(1 + params.anchor_depth);
            if parent.is_some_and(|parent| parent + 1 != credit.height.0) || credit.anchor_height != Height(anchor) {
                return Err(format!("{item} has height {} and an anchor at {}", credit.height, credit.anchor_height));
            }
            let in_time = link.height - anchor <= params.credit_depth;
            let fresh = settled <= credit.bitcoin_height;
            add(script, if in_time && fresh { credit.weight } else { Weight::ZERO });
        }
        let (own, script) = chain_view.credit(&id)?;
        add(script, own.weight.plus(sharechain::target::link_bonus(link.target, link.bits, params)));
        Ok(earned)
    }
}

impl LinkView {
    /// Returns a digest of the facts that all nodes must agree on. It uses fixed keys.
    #[must_use]
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.parent, self.height, self.bitcoin_height, &self.list, self.listed_total).hash(&mut hasher);
        for (script, weight) in &self.rows {
            (script.as_bytes(), weight.0).hash(&mut hasher);
        }
        hasher.finish()
    }
}
