//! Follows the journal, and queues its records as rows.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::batch::Batch;
use archive::gather::Gatherer;
use archive::limits::{AGAIN, BATCH_BYTES, BATCH_ROWS, HELD, LINKS_WATCHED_MAX, QUEUE_ROWS};
use archive::queue::Queue;
use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use node_core::export::headers_above_root;
use node_core::pool_block::PoolBlock;
use node_core::pool_window;
use sharechain::change_set::TipChange;
use sharechain::{Chain, Height, Proof, ShareId, encode};

use super::events::Events;
use crate::consensus::ChainReader;
use crate::store::{Entry, RecordKind, Store, StoreError};

/// Records of the journal that are read at a time.
const BATCH: usize = 500;

/// Why the journal cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue cannot be written.
    #[error("the queue cannot be written")]
    Queue(#[from] io::Error),
}

/// Result of a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The journal is read to its end.
    Done,
    /// The queue is full. The journal keeps the rest until the node forgets it.
    Full,
}

/// A reader of the journal.
#[derive(Debug)]
pub(crate) struct Follower {
    store: Arc<Store>,
    gatherer: Gatherer,
    events: Events,
    /// Sequence number of the next record.
    next: u64,
    /// Links that were not complete when they were read.
    watched: BTreeSet<ShareId>,
    /// True once Bitcoin's headers from before the start are added.
    has_headers: bool,
    /// When the first row that is not queued yet arrived.
    since: Option<Instant>,
    /// Tip after the last change that the rows cover. None if nothing was ever queued.
    covered: Option<ShareId>,
    /// True if changes may have been missed since then, such as while the node was off.
    has_gap: bool,
    /// Rows to queue, and their position in the journal. They stay here until the disk accepts them.
    ready: Option<(u64, Batch)>,
    /// How long rows are held back.
    held: Duration,
}

impl Follower {
    /// Continues after the newest batch of the queue, or begins with the first record.
    pub(crate) fn new(store: Arc<Store>, queue: &mut Queue) -> Self {
        // A journal that was lost or moved away begins again. A crash of the machine may have cost it its newest
        // records, and later records then reuse their numbers, so the last ones are read again. Rows that exist stay
        // unchanged.
        if queue.position().is_some_and(|position| position >= store.next_sequence()) {
            queue.begin_anew();
        }
        let next = queue.position().unwrap_or(0).saturating_sub(AGAIN);
        // The task that sends the queue reports a file that cannot be read.
        let newest = queue.newest().ok().flatten();
        let covered = newest.as_ref().and_then(Batch::tip);
        let events = Events::new(&store, newest.as_ref().and_then(Batch::newest_event));
        Self {
            store,
            gatherer: Gatherer::default(),
            events,
            next,
            watched: BTreeSet::new(),
            has_headers: false,
            since: None,
            covered,
            has_gap: true,
            ready: None,
            held: HELD,
        }
    }

    /// Adds the reorganizations among changes of the tip, in order; everything else comes from the journal. Changes that the
    /// rows cover already are skipped.
    pub(crate) fn changed(&mut self, tips: &[TipChange], chain: &Chain) {
        for tip in tips {
            let is_next = self.covered.is_none_or(|covered| covered == tip.old);
            if !is_next || self.gatherer.batch().rows() >= BATCH_ROWS {
                self.has_gap = true;
                continue;
            }
            self.covered = Some(tip.new);
            if !tip.disconnected.is_empty() {
                self.gatherer.reorganized(tip, chain);
            }
        }
    }

    /// Closes a gap in the changes: if the last covered tip lost its place, one row covers the whole way to the new tip.
    fn catch_up(&mut self, chain: &Chain) {
        self.has_gap = false;
        let new = chain.tip();
        let Some(old) = self.covered.replace(new) else { return };
        let (mut disconnected, mut at) = (Vec::new(), old);
        let fork_height = loop {
            // The chain may have forgotten a branch that was left.
            let Some(link) = chain.link(&at) else { return };
            if chain.main_at(link.height) == Some(at) {
                break link.height;
            }
            disconnected.push(at);
            at = link.parent;
        };
        if !disconnected.is_empty() {
            let heights = fork_height.child().0..=chain.height().0;
            let connected = heights.filter_map(|height| chain.main_at(Height(height))).collect();
            self.gatherer.reorganized(&TipChange { old, new, fork_height, disconnected, connected }, chain);
        }
    }

    /// True if nothing is held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.gatherer.batch().rows() == 0
    }

    /// Like [`Self::step`], but queues everything: the node is stopping, and would lose what only it saw.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn last_step(&mut self, queue: &mut Queue, chain: &ChainReader) -> Result<Step, FollowError> {
        self.held = Duration::ZERO;
        self.step(queue, chain)
    }

    /// Reads the journal to its end, and queues rows that are due.
    ///
    /// # Errors
    /// The disk fails. The next step continues at the same place, with the rows that the disk did not accept.
    pub(crate) fn step(&mut self, queue: &mut Queue, chain: &ChainReader) -> Result<Step, FollowError> {
        loop {
            self.queue_ready(queue)?;
            if queue.is_full() {
                return Ok(Step::Full);
            }
            let entries: Vec<Entry> = self.store.journal(self.next).take(BATCH).collect::<Result<_, _>>()?;
            // Read the records first, so that the view knows them.
            let chain = chain.chain();
            if !std::mem::replace(&mut self.has_headers, true) {
                // The journal lacks the headers that bitcoind had when the node started.
                for header in headers_above_root(chain.bitcoin()) {
                    self.gatherer.bitcoin_header(&header.block_hash(), &chain);
                }
            }
            for entry in &entries {
                self.entry(entry, &chain)?;
                self.next = entry.sequence.saturating_add(1);
            }
            self.look_at_watched(&chain)?;
            if self.has_gap {
                self.catch_up(&chain);
            }
            let position = self.next.saturating_sub(1);
            let takes = queue.takes(position);
            // Until the queue takes them, events stay in their log.
            if takes {
                self.events.gather(&self.store, &mut self.gatherer)?;
            }
            let batch = self.gatherer.batch();
            let is_due = batch.rows() >= QUEUE_ROWS
                || batch.bytes() >= BATCH_BYTES
                || queue.waiting() == 0
                || self.since.map_or(Duration::ZERO, |since| since.elapsed()) >= self.held;
            if batch.rows() == 0 {
                self.since = None;
            } else if is_due && takes {
                self.since = None;
                let mut batch = self.gatherer.take(&chain);
                batch.set_newest_event(self.events.newest());
                // The rows cover all changes up to this tip, which may be older than the view.
                if let Some(covered) = self.covered {
                    batch.set_tip(covered);
                }
                self.ready = Some((position, batch));
                self.queue_ready(queue)?;
            } else if self.since.is_none() {
                self.since = Some(Instant::now());
            }
            if entries.len() < BATCH {
                return Ok(Step::Done);
            }
        }
    }

    /// Queues the rows that are ready, if there are any.
    fn queue_ready(&mut self, queue: &mut Queue) -> io::Result<()> {
        if let Some((position, batch)) = &self.ready {
            queue.push(*position, batch)?;
            self.ready = None;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, chain: &Chain) -> Result<(), StoreError> {
        let (id, bytes) = (ShareId(entry.record.id), &entry.record.bytes);
        match entry.record.kind {
            RecordKind::Proof => {
                // Its checksum is valid, and the chain accepted it.
                let Ok(proof) = Proof::decode(bytes) else { return Ok(()) };
                self.gatherer.proof(&id, &proof, chain);
                if PoolBlock::is_block(&proof, &id)
                    && let Some(block) = self.store.get(RecordKind::Block, &id.0)?
                    && let Ok(block) = PoolBlock::from_bytes(&block)
                {
                    self.gatherer.block(block, bytes.clone());
                }
                if chain.link(&id).is_some() {
                    self.watch(id);
                }
            }
            RecordKind::List => self.watch(id),
            RecordKind::Header => {
                if let Ok(header) = deserialize::<Header>(bytes) {
                    self.gatherer.bitcoin_header(&header.block_hash(), chain);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn watch(&mut self, id: ShareId) {
        if self.watched.len() >= LINKS_WATCHED_MAX {
            self.watched.pop_first();
        }
        self.watched.insert(id);
    }

    /// Adds the links that have become complete.
    fn look_at_watched(&mut self, chain: &Chain) -> Result<(), StoreError> {
        let mut left = BTreeSet::new();
        for id in self.watched.clone() {
            if chain.link(&id).is_some_and(|link| link.complete().is_none()) {
                left.insert(id);
                continue;
            }
            let list = self.store.get(RecordKind::List, &id.0)?.and_then(|list| encode::decode_list(&list).ok());
            self.gatherer.link(&id, list, chain);
            if self.store.contains(RecordKind::Window, &id.0)?
                && let Some(window) = pool_window::read(&*self.store, &id)?
            {
                self.gatherer.window(&window);
            }
        }
        self.watched = left;
        Ok(())
    }
}
