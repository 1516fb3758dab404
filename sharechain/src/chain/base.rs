//! A chain from base chunks, and base chunks from a chain.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bitcoin::Script;

use super::judge::median;
use super::prune::Pruned;
use super::{Chain, Complete, Link, List, ListState};
use crate::base::{BaseError, BaseLink, BaseRow, Chunk, LinkFacts, Reading, Start};
use crate::bitcoin_headers::BitcoinHeaders;
use crate::check::header::Position;
use crate::chunked::Chunked;
use crate::error::RuleError;
use crate::link_headers::Beginning;
use crate::params::ChainParams;
use crate::state::HistoryLink;
use crate::target;
use crate::units::{Height, ShareId, Timestamp, U256};
use crate::window::{Row, Rows, ScriptIndex, Scripts};

/// A chain under construction from base links, which come one by one.
#[derive(Clone, Debug)]
pub(crate) struct FromBase {
    chain: Chain,
    /// The state that the next link continues.
    below: Start,
    /// Targets and times of the last links, oldest first: as many as the next link's position follows from.
    recent: VecDeque<(U256, Timestamp)>,
    numbers: Numbers,
    /// Numbers of the scripts of the last encoded chunk, in its order.
    chunk: Vec<ScriptIndex>,
}

/// Numbers of the scripts of the last decoded chunks, by address: most rows share a script with others, and a search by
/// the script's bytes takes longer than everything else.
#[derive(Clone, Debug, Default)]
struct Numbers(BTreeMap<usize, (Arc<Script>, ScriptIndex)>);

impl Numbers {
    /// Maximum number of remembered scripts: those of several chunks, 2 MB.
    const MAX: usize = 1 << 15;

    fn of(&mut self, script: &Arc<Script>, scripts: &mut Scripts) -> Result<ScriptIndex, RuleError> {
        // The entry keeps the script, so no other one gets its address.
        let address = script.as_bytes().as_ptr().addr();
        if let Some((_, known)) = self.0.get(&address) {
            return Ok(*known);
        }
        let index = scripts.intern(script)?;
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        self.0.insert(address, (Arc::clone(script), index));
        Ok(index)
    }
}

impl FromBase {
    pub(crate) fn new(params: ChainParams, bitcoin: BitcoinHeaders, below: Start) -> Self {
        let mut chain = Chain::new(params, bitcoin);
        let genesis = chain.links.get(&below.id).map(|genesis| (genesis.target, genesis.time));
        chain.begin_above(&below);
        Self { chain, below, recent: genesis.into_iter().collect(), numbers: Numbers::default(), chunk: Vec::new() }
    }

    /// Appends the next link.
    ///
    /// # Errors
    /// It does not continue the last one.
    pub(crate) fn push(&mut self, link: BaseLink) -> Result<(), BaseError> {
        let number = |row: &BaseRow| {
            let script = self.numbers.of(&row.script, &mut self.chain.scripts)?;
            Ok(Row { script, weight: row.weight, shares: row.shares })
        };
        let rows = link.rows.iter().map(number).collect::<Result<_, RuleError>>()?;
        let BaseLink { facts, snapshot, window, .. } = link;
        self.append(BaseLink { facts, snapshot, window, rows })
    }

    /// Appends the links of an encoded chunk.
    fn push_chunk(&mut self, mut reading: Reading<'_>) -> Result<(), BaseError> {
        if reading.start.id != self.below.id {
            return Err(BaseError::Gap(reading.start.height));
        }
        let numbers = numbers_of(&reading.scripts, &self.chunk, &mut self.chain.scripts)?;
        let row = |number: usize, weight, shares| Some(Row { script: *numbers.get(number)?, weight, shares });
        while let Some(link) = reading.link(row)? {
            self.append(link)?;
        }
        self.chunk = numbers;
        Ok(())
    }

    fn append(&mut self, link: BaseLink<Vec<Row>>) -> Result<(), BaseError> {
        let position = self.position(&link);
        let LinkFacts { target, time, .. } = link.facts;
        self.below = self.chain.push_base(&self.below, link, position)?;
        let ChainParams { anchor_depth, median_span, .. } = self.chain.params;
        self.recent.push_back((target, time));
        if self.recent.len() > usize::try_from(anchor_depth).unwrap_or(usize::MAX).max(median_span) {
            self.recent.pop_front();
        }
        Ok(())
    }

    /// Target and time of the link this many links below the next one.
    fn below(&self, links: u32) -> Option<&(U256, Timestamp)> {
        self.recent.get(self.recent.len().checked_sub(usize::try_from(links).ok()?)?)
    }

    /// Position of the children of the next link. For the first links, whose anchors are unknown, the targets are their
    /// own: nothing extends them anymore.
    fn position<R>(&self, base: &BaseLink<R>) -> Position {
        let (params, below) = (&self.chain.params, &self.below);
        let height = below.height.child();
        let anchor_height = height.below(params.anchor_depth);
        let anchor = self.chain.main_at(anchor_height).unwrap_or(base.facts.id);
        let anchor_target = self.below(height.above(anchor_height)).map_or(base.facts.target, |(target, _)| *target);
        let share_target = target::share_target(anchor_target, params);
        let link_target = match height {
            Height(0 | 1) => params.first_link_target.min(share_target),
            _ => {
                let interval_s = base.facts.time.seconds_since(below.time);
                target::link_target(base.facts.target, interval_s, share_target, params)
            }
        };
        let span = u32::try_from(params.median_span).unwrap_or(u32::MAX);
        let lowest = height.below(span.saturating_sub(1)).max(Height(1));
        let known = (1..=height.above(lowest)).filter_map(|links| Some(self.below(links)?.1));
        Position {
            height: height.child(),
            anchor,
            anchor_height,
            share_target,
            link_target,
            median_time: median(known.chain([base.facts.time]).collect()),
            bitcoin_work: base.facts.bitcoin_work,
            least_snapshot: base.snapshot,
        }
    }

    /// The chain. Nothing above depends on Bitcoin headers, so these may be newer.
    pub(crate) fn finish(self, bitcoin: BitcoinHeaders) -> Chain {
        let mut chain = self.chain;
        chain.bitcoin = bitcoin;
        chain.forgotten = chain.height().below(chain.listing_reach());
        chain.highest = chain.height();
        chain
    }
}

/// Numbers the scripts of a chunk. Most of them are also among those of the chunk `before`, and both ascend, so most are
/// found without a search.
fn numbers_of(scripts: &[&Script], before: &[ScriptIndex], all: &mut Scripts) -> Result<Vec<ScriptIndex>, RuleError> {
    let mut before = before.iter().copied().peekable();
    let mut number = |script: &Script| {
        while let Some(known) = before.peek().copied() {
            match all.script(known).cmp(&Some(script)) {
                Ordering::Less => drop(before.next()),
                Ordering::Equal => return Ok(known),
                Ordering::Greater => break,
            }
        }
        all.intern(script)
    };
    scripts.iter().map(|script| number(script)).collect()
}

impl Chain {
    /// Returns a base chunk, if its last link is so deep that no reorganization changes it. If the chain begins within
    /// the chunk, so does the returned chunk.
    #[must_use]
    pub fn base_chunk(&self, number: u32) -> Option<Chunk> {
        let (first, last) = Chunk::heights(number)?;
        if self.too_deep()? < last {
            return None;
        }
        // A chain from a base may begin within the chunk.
        self.chunk_of(first.max(self.bottom().max(Height(1))), last)
    }

    /// The facts about the links below `first` that a newcomer needs to verify those above.
    #[must_use]
    pub fn beginning_at(&self, first: Height) -> Option<Beginning> {
        let last = first.below(1);
        let lowest = first.below(self.recent_depth()).max(Height(1));
        let below = self.links.get(&self.main_at(lowest.below(1))?)?.complete()?;
        let recent = (lowest.0..=last.0).map(|height| self.history_link(Height(height))).collect::<Option<_>>()?;
        let signals = self.links.get(&self.main_at(last)?)?.complete()?.signals.clone();
        Some(Beginning { history: below.history.clone(), recent, signals })
    }

    fn history_link(&self, height: Height) -> Option<HistoryLink> {
        let id = self.main_at(height)?;
        let link = self.links.get(&id)?;
        Some(HistoryLink {
            height,
            id,
            target: link.target,
            time: link.time,
            chain_work: link.chain_work,
            proofs: link.complete()?.listed_total,
            snapshot: link.position.least_snapshot,
        })
    }

    /// Links of the main chain from one height to another, with their credits.
    #[must_use]
    pub fn chunk_of(&self, first: Height, last: Height) -> Option<Chunk> {
        let start = self.start_at(first.below(1))?;
        let links = (first.0..=last.0).map(|height| self.base_link(Height(height)));
        Some(Chunk { start, links: links.collect::<Option<_>>()? })
    }

    /// The state that the link above `height` continues.
    fn start_at(&self, height: Height) -> Option<Start> {
        if let Some(start) = self.pruned.start_at(height) {
            return Some(start.clone());
        }
        let id = self.main_at(height)?;
        let link = self.links.get(&id)?;
        let complete = link.complete()?;
        Some(Start {
            height,
            id,
            time: link.time,
            chain_work: link.chain_work,
            proofs: complete.listed_total,
            history: complete.history.clone(),
            signals: complete.signals.clone(),
        })
    }

    fn base_link(&self, height: Height) -> Option<BaseLink> {
        let id = self.main_at(height)?;
        let link = self.links.get(&id)?;
        let complete = link.complete()?;
        let row = |row: Row| {
            let script = Arc::from(self.scripts.script(row.script)?);
            Some(BaseRow { script, weight: row.weight, shares: row.shares })
        };
        let mut rows = complete.rows.iter().map(row).collect::<Option<Vec<_>>>()?;
        rows.sort_unstable_by(|a, b| a.script.cmp(&b.script));
        let facts = LinkFacts {
            id,
            time: link.time,
            bitcoin_height: link.bitcoin_height,
            previous_block: link.previous_block,
            bitcoin_work: link.position.bitcoin_work,
            bits: link.bits,
            target: link.target,
            signals: complete.own_signals,
        };
        Some(BaseLink { facts, snapshot: link.position.least_snapshot, window: complete.window, rows })
    }

    /// Creates a chain from encoded base chunks that this node wrote, lowest first. Its tip is their last link, and nothing
    /// at or below that is judged again.
    ///
    /// # Errors
    /// The chunks are damaged, or do not continue one another.
    pub fn from_base<B: AsRef<[u8]>>(
        params: ChainParams,
        bitcoin: BitcoinHeaders,
        chunks: impl IntoIterator<Item = B>,
    ) -> Result<Self, BaseError> {
        let mut growing: Option<FromBase> = None;
        for chunk in chunks {
            let reading = Reading::of(chunk.as_ref())?;
            let begin = || FromBase::new(params.clone(), bitcoin.clone(), reading.start.clone());
            growing.get_or_insert_with(begin).push_chunk(reading)?;
        }
        match growing {
            Some(growing) => Ok(growing.finish(bitcoin)),
            None => Ok(Self::new(params, bitcoin)),
        }
    }

    /// Begins the main chain with the link above `below`. Genesis stays known if that is what it continues.
    fn begin_above(&mut self, below: &Start) {
        if below.height > Height(0) {
            let genesis = ShareId(self.consensus_id);
            self.links.remove(&genesis);
            self.listed.remove(&genesis);
            let first = usize::try_from(below.height.child().0).unwrap_or(usize::MAX);
            self.main = Chunked::starting_at(first);
            while self.main.len() < first {
                self.main.push(below.id);
            }
            self.pruned = Pruned::above(below.clone());
        }
    }

    /// Appends a link to the main chain, whose children have this position. Returns the state that the next one
    /// continues.
    fn push_base(
        &mut self,
        below: &Start,
        mut base: BaseLink<Vec<Row>>,
        position: Position,
    ) -> Result<Start, BaseError> {
        let facts = base.facts;
        let gap = || BaseError::Gap(below.height.child());
        let rows = Rows::new(std::mem::take(&mut base.rows));
        let start = below.after(&base, rows.proofs()).ok_or_else(gap)?;
        let complete = Complete {
            list: List::default(),
            rows,
            listed_total: start.proofs,
            window: base.window,
            history: start.history.clone(),
            sequence: 0,
            live_since: None,
            live_total: 0,
            signals: start.signals.clone(),
            own_signals: facts.signals,
            omits: false,
        };
        let link = Link {
            parent: below.id,
            height: start.height,
            time: facts.time,
            bitcoin_height: facts.bitcoin_height,
            previous_block: facts.previous_block,
            state_root: [0; 32],
            target: facts.target,
            shares_root: [0; 32],
            shares_count: 0,
            bits: facts.bits,
            chain_work: start.chain_work,
            position,
            list: ListState::Complete(complete),
        };
        self.links.insert(facts.id, link);
        self.main.push(facts.id);
        if self.height() == start.height { Ok(start) } else { Err(gap()) }
    }

    /// Adds the lists of the last links to a chain that starts from a base, so that later lists can be checked against
    /// them. The ids must be those of the links' lists (SC-401).
    pub fn note_base_lists(&mut self, lists: impl IntoIterator<Item = (ShareId, Vec<ShareId>)>) {
        let by_link: BTreeMap<ShareId, Vec<ShareId>> = lists.into_iter().collect();
        for height in (self.forgotten.0..=self.height().0).map(Height) {
            let Some(id) = self.main_at(height) else { continue };
            self.listed.insert(id, height);
            for listed in by_link.get(&id).into_iter().flatten() {
                self.listed.insert(*listed, height);
            }
        }
    }

    /// Lowest height at which a chain that starts from a base needs the lists of its links.
    #[must_use]
    pub fn base_lists_from(&self) -> Height {
        self.forgotten
    }
}
