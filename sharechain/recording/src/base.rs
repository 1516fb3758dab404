//! The base with which the share-chain of a pruned node begins. It is verified like a peer's data at a newcomer: the
//! work of the links by their proofs, and their credits by the state roots of the links above.

use std::collections::BTreeMap;
use std::sync::Arc;

use sharechain::base::Chunk;
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::check::list::check_root;
use sharechain::link_headers::{Beginning, LinkHeaders, VerifiedRows};
use sharechain::{Chain, ChainParams, Height, Proof, ShareId, Timestamp};

use crate::line::{BaseLine, BaseLinkLine};

/// A complete, verified base.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its links, with their credits. It still lacks the lists.
    pub chain: Chain,
    /// Lists of the last of them.
    pub lists: Vec<(ShareId, Vec<ShareId>)>,
    /// Proofs of its links, encoded.
    pub proofs: Vec<(ShareId, Arc<[u8]>)>,
    /// The unverified part of the recording.
    pub unverified: Unverified,
}

/// The unverified part of a pruned node's recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// Links below this height are not in the recording, so their work and credits are unverified.
    pub below: Height,
    /// Up to this height, proof of work verifies links, and state roots verify their credits. The single shares behind
    /// the credits, and the payouts of the links' coinbases, are not in the recording.
    pub by_roots_up_to: Height,
}

/// Reads the base of a recording.
#[derive(Debug)]
pub struct BaseReader {
    headers: LinkHeaders,
    rows: Option<VerifiedRows>,
    lists: BTreeMap<ShareId, Vec<ShareId>>,
    proofs: Vec<(ShareId, Arc<[u8]>)>,
}

impl BaseReader {
    /// Adds the next line. Returns the base once it is complete. `reader` is none before the first line.
    ///
    /// # Errors
    /// A text, if the line is out of place or not what the links committed to.
    pub fn take(
        reader: &mut Option<Self>,
        line: BaseLine,
        params: &ChainParams,
        bitcoin: &BitcoinHeaders,
        now: Timestamp,
    ) -> Result<Option<Base>, String> {
        if let BaseLine::Begins(line) = &line {
            if reader.is_some() {
                return Err("the base begins twice".to_owned());
            }
            let beginning = Beginning::decode(&line.begins.0).map_err(|rule| format!("begins: {rule}"))?;
            let headers = LinkHeaders::new(params.clone(), beginning);
            *reader = Some(Self { headers, rows: None, lists: BTreeMap::new(), proofs: Vec::new() });
            return Ok(None);
        }
        let Some(begun) = reader else { return Err("comes before the line with `begins`".to_owned()) };
        match line {
            BaseLine::Begins(_) => {}
            BaseLine::Link(line) => begun.link(line, bitcoin, now)?,
            BaseLine::Rows(line) => begun.rows(&line.base_rows.0, bitcoin)?,
            BaseLine::End(line) => {
                return reader.take().map(|whole| whole.end(Height(line.base), bitcoin)).transpose();
            }
        }
        Ok(None)
    }

    fn link(&mut self, line: BaseLinkLine, bitcoin: &BitcoinHeaders, now: Timestamp) -> Result<(), String> {
        let encoded = line.base_link.0;
        let proof = Proof::decode(&encoded).map_err(|rule| format!("base_link: {rule}"))?;
        let id = proof.id();
        self.headers.push(proof, bitcoin, now).map_err(|error| format!("base_link: {error}"))?;
        self.proofs.push((id, encoded.into()));
        let Some(list) = line.list else { return Ok(()) };
        let list: Vec<ShareId> = list.into_iter().map(crate::Id::share).collect();
        self.check_list(&id, &list)?;
        self.lists.insert(id, list);
        Ok(())
    }

    fn check_list(&self, id: &ShareId, list: &[ShareId]) -> Result<(), String> {
        let link = self.headers.links().iter().rev().find(|link| link.facts.id == *id);
        let link = link.ok_or_else(|| format!("link {id} is not in the base"))?;
        check_root(link.shares_count, &link.shares_root, list).map_err(|rule| format!("list: {rule}"))
    }

    fn rows(&mut self, encoded: &[u8], bitcoin: &BitcoinHeaders) -> Result<(), String> {
        let chunk = Chunk::decode(encoded).map_err(|error| format!("base_rows: {error}"))?;
        if self.rows.is_none() {
            let rows = VerifiedRows::new(&self.headers, bitcoin);
            self.rows = Some(rows.ok_or_else(|| "begins: its links do not fit its history".to_owned())?);
        }
        let Some(rows) = &mut self.rows else { return Ok(()) };
        for link in chunk.links {
            rows.push(&self.headers, link).map_err(|error| format!("base_rows: {error}"))?;
        }
        Ok(())
    }

    fn end(mut self, last: Height, bitcoin: &BitcoinHeaders) -> Result<Base, String> {
        let depth = self.headers.params().listing_depth;
        let below = self.headers.first_height();
        let lowest = last.below(depth.saturating_add(2)).max(below);
        for height in (lowest.0..=last.0).map(Height) {
            let Some(link) = self.headers.at(height) else { return Err(format!("the base has no link at {height}")) };
            if !self.lists.contains_key(&link.facts.id) {
                let id = link.facts.id;
                self.check_list(&id, &[]).map_err(|_| format!("the list of the link at {height} is missing"))?;
                self.lists.insert(id, Vec::new());
            }
        }
        // The link above confirms the last one.
        let rows = self.rows.filter(|rows| rows.height() == last.child());
        let rows = rows.ok_or_else(|| format!("the rows do not end with those of the link above {last}"))?;
        self.proofs.truncate(usize::try_from(last.child().above(below)).unwrap_or(usize::MAX));
        let unverified = Unverified { below, by_roots_up_to: last };
        let (chain, lists) = (rows.into_chain(bitcoin.clone()), self.lists.into_iter().collect());
        Ok(Base { chain, lists, proofs: self.proofs, unverified })
    }
}
