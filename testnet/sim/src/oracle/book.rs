//! The lists and credits of each link. They are recorded when the first node has the link on its main chain, and
//! compared with every other node's. The same tip must mean the same state, and no proof may be credited twice on any
//! chain.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bitcoin::{BlockHash, ScriptBuf};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::{ChainParams, Height, ShareId, U256, Weight};

use super::chain_view::{ChainView, LinkView};
use super::history::{Leaf, Links, work_of};
use super::{Finding, Oracle};

/// Credits for each script.
pub(super) type Credits = BTreeMap<ScriptBuf, Weight>;

/// The recorded facts of a link.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The parent. `None` for genesis.
    pub parent: Option<ShareId>,
    /// Number of links between it and genesis.
    pub height: u32,
    /// Bitcoin's chain work up to its previous block, hashes. 0 for genesis.
    pub bitcoin_work: U256,
    /// Height of the snapshot that it pays by, computed again.
    pub snapshot: u32,
    /// Number of proofs that it credits, including itself.
    pub credited: u64,
    /// Number of proofs credited from genesis up to and including it.
    pub credited_total: u64,
    /// Credits for each script, computed again.
    pub earned: Credits,
    /// The same of its list alone, without its own.
    pub listed: Credits,
    /// Cumulative link work, its own included.
    chain_work: U256,
    /// The links up to it, as the state roots of its children commit to them.
    pub links: Links,
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
            bitcoin_work: U256::ZERO,
            snapshot: 0,
            credited: 0,
            credited_total: 0,
            earned: Credits::new(),
            listed: Credits::new(),
            chain_work: U256::ZERO,
            links: Links::default(),
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

    /// SC-302: returns the height of the snapshot of a proof with this parent and previous block, by the text of the rule
    /// and not by the chain's code. `None` if a link is not recorded, or a block is not known.
    #[must_use]
    pub(super) fn snapshot(&self, bitcoin: &BitcoinHeaders, parent: &ShareId, previous: &BlockHash) -> Option<u32> {
        let params = &self.params;
        let extended = self.page(parent)?;
        let depth = params.anchor_depth.min(extended.height);
        let (anchor, of_anchor) = self.branch(parent).nth(depth as usize)?;
        let height = bitcoin.get(previous)?.height;
        let deep = height.saturating_sub(params.snapshot_bitcoin_depth);
        let work = bitcoin.work_at(previous, deep)?.min(of_anchor.bitcoin_work);
        // Each new page is checked so that Bitcoin work never falls along a branch.
        let (_, first) = self.branch(&anchor).take_while(|(_, page)| page.bitcoin_work >= work).last()?;
        Some(first.height.saturating_sub(params.snapshot_burial).max(extended.snapshot))
    }

    /// Compares a link of a node's main chain with its page, or records it if it is new. Parents come first. Returns whether
    /// it is new.
    ///
    /// # Errors
    /// If the link differs from its page or breaks a rule.
    pub(super) fn check(&mut self, id: ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<bool, Finding> {
        if let Some(page) = self.pages.get(&id) {
            // Nodes forget the lists of deep links.
            let same =
                page.digest == link.digest() || (link.list.is_empty() && page.credited > 1 && chain_view.is_deep(&id));
            if same {
                return Ok(false);
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
        Ok(true)
    }

    fn new_page(&self, id: ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<Page, String> {
        let parent = self.pages.get(&link.parent).ok_or_else(|| format!("the parent of link {id} is not known"))?;
        if link.height != parent.height + 1 {
            return Err(format!("link {id} has height {}, its parent {}", link.height, parent.height));
        }
        if link.bitcoin_work < parent.bitcoin_work {
            return Err(format!("link {id} builds on a Bitcoin block with less work than its parent's"));
        }
        let snapshot = self.snapshot(chain_view.chain.bitcoin(), &link.parent, &link.previous_block);
        let snapshot = snapshot.ok_or_else(|| format!("link {id} has no snapshot"))?;
        let (listed, earned) = self.earned(id, link, chain_view)?;
        if earned != link.rows {
            return Err(format!("link {id} credits {:?}, and {earned:?} is due", link.rows));
        }
        let credited = link.list.len() as u64 + 1;
        let (chain_work, credited_total) = (parent.chain_work + work_of(link.target), parent.credited_total + credited);
        let leaf = Leaf {
            height: link.height,
            id: id.0,
            target: link.target,
            time: link.time,
            chain_work,
            proofs: credited_total,
            snapshot,
        };
        Ok(Page {
            parent: Some(link.parent),
            height: link.height,
            bitcoin_work: link.bitcoin_work,
            snapshot,
            credited,
            credited_total,
            earned,
            listed,
            chain_work,
            links: parent.links.with(&leaf),
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

    /// Returns the credits of a link for each script, without its own and with it, by the text of rules SC-410 and SC-411
    /// and not by the chain's code.
    fn earned(&self, id: ShareId, link: &LinkView, chain_view: &ChainView<'_>) -> Result<(Credits, Credits), String> {
        let params = &self.params;
        // The greatest Bitcoin work of the links that are more than `stale_depth` below this one.
        let passed = self.branch(&link.parent).find(|(_, page)| page.height + params.stale_depth < link.height);
        let passed = passed.map_or(U256::ZERO, |(_, page)| page.bitcoin_work);
        let mut listed = Credits::new();
        let add = |sums: &mut Credits, script: ScriptBuf, weight: Weight| {
            let sum = sums.entry(script).or_default();
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
            let fresh = passed <= credit.bitcoin_work;
            add(&mut listed, script, if in_time && fresh { credit.weight } else { Weight::ZERO });
        }
        let (own, script) = chain_view.credit(&id)?;
        let mut earned = listed.clone();
        add(&mut earned, script, own.weight.plus(sharechain::target::link_bonus(link.target, link.bits, params)));
        Ok((listed, earned))
    }
}

impl LinkView {
    /// Returns a digest of the facts that all nodes must agree on. It uses fixed keys.
    #[must_use]
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.parent, self.height, self.previous_block, &self.list, self.listed_total).hash(&mut hasher);
        for (script, weight) in &self.rows {
            (script.as_bytes(), weight.0).hash(&mut hasher);
        }
        hasher.finish()
    }
}
