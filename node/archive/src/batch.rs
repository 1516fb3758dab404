//! Rows of one transaction, as the share-chain has them: scripts as bytes, links by id.

use std::collections::BTreeMap;

use bitcoin::block::Header;
use bitcoin::{Script, ScriptBuf};
use node_core::pool_block::PoolBlock;
use sharechain::{ShareId, U256};

/// A payout script of the batch: its place in the batch's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchScript(pub(crate) u32);

/// A valid proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Its id.
    pub id: ShareId,
    /// The link that it extends.
    pub parent: ShareId,
    /// Time in its share header, seconds since 1970.
    pub time: u32,
    /// Height in the share-chain.
    pub height: u32,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Sum of its coinbase's outputs, satoshi.
    pub coinbase_value: u64,
    /// Script that earns.
    pub script: BatchScript,
    /// Weight that it earns if it is listed in time, units of 2^-64 expected Bitcoin block.
    pub weight: u128,
    /// Expected hashes to find a share at its position.
    pub hashes: u128,
    /// True for a link.
    pub is_link: bool,
    /// True for a Bitcoin block.
    pub is_block: bool,
}

/// What a link credits a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditRow {
    /// The script.
    pub script: BatchScript,
    /// Number of its credited proofs.
    pub proofs: u32,
    /// Their weight, units of 2^-64 expected Bitcoin block.
    pub weight: u128,
}

/// A complete link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Its id.
    pub id: ShareId,
    /// The link below it.
    pub parent: ShareId,
    /// Time in its share header, seconds since 1970.
    pub time: u32,
    /// Height in the share-chain.
    pub height: u32,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Its previous Bitcoin block.
    pub previous_block: ShareId,
    /// State root in its share header.
    pub state_root: [u8; 32],
    /// Link work from genesis up to it, hashes.
    pub chain_work: U256,
    /// Expected hashes to find a link at its position.
    pub link_hashes: U256,
    /// Expected hashes to find a share on it.
    pub share_hashes: U256,
    /// Ids that it lists. None where the recording of a pruned node does not say.
    pub list: Option<Vec<ShareId>>,
    /// What it credits.
    pub credits: Vec<CreditRow>,
}

/// A change of the tip by which links lost their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReorganizationRow {
    /// The tip before.
    pub old: ShareId,
    /// The tip after.
    pub new: ShareId,
    /// Time in the new tip's share header, seconds since 1970.
    pub time: u32,
    /// Height of the last link that both branches have in common.
    pub fork_height: u32,
    /// Number of links that lost their places.
    pub left: usize,
    /// Number of links that got a place.
    pub entered: usize,
}

/// A Bitcoin header that the share-chain knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRow {
    /// The header.
    pub header: Header,
    /// Height of its block.
    pub height: u32,
    /// Chain work from Bitcoin's genesis up to it, hashes.
    pub chain_work: U256,
}

/// A Bitcoin block that the pool found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRow {
    /// The block.
    pub block: PoolBlock,
    /// Its encoded proof.
    pub proof: Vec<u8>,
    /// Its finder's script.
    pub finder: BatchScript,
    /// Scripts of its payouts, in coinbase order.
    pub payees: Vec<BatchScript>,
}

/// An event of a node's event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its number in that log.
    pub number: u64,
    /// When it was logged, seconds since 1970.
    pub time: u32,
    /// Name of its kind.
    pub kind: String,
    /// The event in one sentence.
    pub sentence: String,
    /// Path of a page with details.
    pub page: Option<String>,
    /// Its details, as JSON.
    pub details: String,
}

/// Rows that are written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) scripts: Vec<ScriptBuf>,
    known: BTreeMap<ScriptBuf, u32>,
    pub(crate) shares: Vec<ShareRow>,
    pub(crate) links: Vec<LinkRow>,
    pub(crate) reorganizations: Vec<ReorganizationRow>,
    pub(crate) headers: Vec<HeaderRow>,
    pub(crate) blocks: Vec<BlockRow>,
    /// Block, and its encoded window.
    pub(crate) windows: Vec<(ShareId, Vec<u8>)>,
    /// Newest link of the main chain after this batch.
    pub(crate) tip: Option<ShareId>,
    pub(crate) events: Vec<EventRow>,
    /// Number and time of the newest event that was read from the event log. None if there was none.
    pub(crate) newest_event: Option<(u64, u32)>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    /// The batch's number of a script.
    pub fn script(&mut self, script: &Script) -> BatchScript {
        if let Some(number) = self.known.get(script) {
            return BatchScript(*number);
        }
        let number = u32::try_from(self.scripts.len()).unwrap_or(u32::MAX);
        self.scripts.push(script.to_owned());
        self.known.insert(script.to_owned(), number);
        self.count(1, 2 * script.len());
        BatchScript(number)
    }

    /// Adds a proof.
    pub fn share(&mut self, row: ShareRow) {
        self.count(1, size_of::<ShareRow>());
        self.shares.push(row);
    }

    /// Adds a complete link.
    pub fn link(&mut self, row: LinkRow) {
        let list = row.list.as_ref().map_or(0, Vec::len);
        self.count(
            1 + row.credits.len(),
            size_of::<LinkRow>() + 32 * list + size_of::<CreditRow>() * row.credits.len(),
        );
        self.links.push(row);
    }

    /// Adds a reorganization.
    pub fn reorganization(&mut self, row: ReorganizationRow) {
        self.count(1, size_of::<ReorganizationRow>());
        self.reorganizations.push(row);
    }

    /// Adds a Bitcoin header.
    pub fn header(&mut self, row: HeaderRow) {
        self.count(1, size_of::<HeaderRow>());
        self.headers.push(row);
    }

    /// Adds a Bitcoin block of the pool.
    pub fn block(&mut self, block: PoolBlock, proof: Vec<u8>) {
        let finder = self.script(&block.finder);
        let payees: Vec<_> = block.payouts.iter().map(|output| self.script(&output.script_pubkey)).collect();
        self.count(1 + payees.len(), proof.len() + block.coinbase.len() + 100 * payees.len());
        self.blocks.push(BlockRow { block, proof, finder, payees });
    }

    /// Adds the window that a block pays by, encoded.
    pub fn window(&mut self, block: ShareId, content: Vec<u8>) {
        self.count(1, content.len());
        self.windows.push((block, content));
    }

    /// Sets the newest link of the main chain after this batch.
    pub fn set_tip(&mut self, tip: ShareId) {
        self.tip = Some(tip);
    }

    /// Newest link of the main chain after this batch.
    #[must_use]
    pub fn tip(&self) -> Option<ShareId> {
        self.tip
    }

    /// Adds an event.
    pub fn event(&mut self, row: EventRow) {
        // A text in PostgreSQL has no zero bytes.
        let sentence = row.sentence.replace('\0', "\u{fffd}");
        let page = row.page.as_ref().map_or(0, String::len);
        self.count(1, size_of::<EventRow>() + row.kind.len() + sentence.len() + page + row.details.len());
        self.events.push(EventRow { sentence, ..row });
    }

    /// Sets how far the event log was read: number and time of its newest event.
    pub fn set_newest_event(&mut self, newest: Option<(u64, u32)>) {
        self.newest_event = newest;
    }

    /// Number and time of the newest event that was read from the event log. None if there was none.
    #[must_use]
    pub fn newest_event(&self) -> Option<(u64, u32)> {
        self.newest_event
    }

    /// Number of rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes in memory so far, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of proofs so far.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.shares.len()
    }

    fn count(&mut self, rows: usize, bytes: usize) {
        self.rows = self.rows.saturating_add(rows);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}
