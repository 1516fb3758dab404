//! The running node's state: written by its parts, read by the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use archive::patient::Trouble;
use bitcoin::BlockHash;
use node_core::isolation::Kind;

/// Sync state of the share-chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncState {
    /// The node is waiting for its bitcoind, which it needs to read its share-chain.
    Waiting,
    /// The node is reading its share-chain from disk.
    Reading,
    /// No peer has been reached yet.
    #[default]
    Searching,
    /// The node is checking which share-chain has the most work.
    Headers,
    /// The node is downloading what deep links credited.
    Rows,
    /// The node is downloading lists and shares.
    Shares,
    /// In sync: this node has everything that its peers have announced.
    Synced,
}

/// Sync state, compared with peers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SyncView {
    /// The sync state.
    pub state: SyncState,
    /// Highest height that a connected peer reports; none while unknown.
    pub peers_height: Option<u32>,
    /// Height up to which the node has everything of this state's phase; none unless it is downloading.
    pub done_height: Option<u32>,
    /// Bytes of headers, rows and proofs received since the node started; 0 unless it is downloading. While it reads from
    /// disk, bytes read.
    pub received_bytes: u64,
    /// Part of the records on disk that has been read, 0 to 1; none unless the node is reading.
    pub read: Option<f64>,
    /// When this state began, and `received_bytes` then; none unless the node is reading or downloading.
    pub began: Option<(Instant, u64)>,
}

/// State of this node's bitcoind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitcoinView {
    /// Height of its tip; none before the first template.
    pub height: Option<u32>,
    /// Hash of its tip; none before the first template.
    pub tip: Option<BlockHash>,
    /// Its problem, in one sentence for the operator; none if there is none.
    pub trouble: Option<String>,
    /// Subsidy and fees of the newest template, satoshi.
    pub template_value_sat: Option<u64>,
    /// Number of its transactions, without the coinbase.
    pub template_transactions: Option<u64>,
}

/// A state in which this node may be cut off from the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateView {
    /// Its kind.
    pub kind: Kind,
    /// Since when, seconds since 1970.
    pub since: u32,
    /// The finding, in one sentence.
    pub what: String,
    /// What to do, in one sentence.
    pub todo: &'static str,
}

/// The node's state, other than its share-chain.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeState {
    /// Sync with peers.
    pub sync: SyncView,
    /// Why miners get no work, in one sentence for the operator; none while they do.
    pub no_work_because: Option<String>,
    /// Why miners work solo, in one sentence for the operator; none while they do not.
    pub solo_because: Option<String>,
    /// States that hold, the most urgent first.
    pub states: Vec<StateView>,
    /// This node's bitcoind.
    pub bitcoin: BitcoinView,
}

/// Reason given while the node reads its share-chain from disk.
pub(crate) const READING: &str = "the node is reading its share-chain from disk";

impl NodeState {
    /// The state while the node reads its share-chain: since when, bytes read, and the part of the records.
    pub(crate) fn reading(since: Instant, (bytes, part): (u64, f64)) -> Self {
        let sync = SyncView {
            state: SyncState::Reading,
            received_bytes: bytes,
            read: Some(part),
            began: Some((since, 0)),
            ..SyncView::default()
        };
        Self { sync, no_work_because: Some(READING.to_owned()), ..Self::default() }
    }

    /// The state while the node waits for its bitcoind, with bitcoind's problem in one sentence.
    pub(crate) fn waiting(trouble: String) -> Self {
        Self {
            sync: SyncView { state: SyncState::Waiting, ..SyncView::default() },
            no_work_because: Some(format!("the node waits for its bitcoind: {trouble}")),
            bitcoin: BitcoinView { trouble: Some(trouble), ..BitcoinView::default() },
            ..Self::default()
        }
    }
}

impl Default for NodeState {
    /// The state at startup.
    fn default() -> Self {
        Self {
            sync: SyncView::default(),
            no_work_because: Some("the node has just started".to_owned()),
            solo_because: None,
            states: Vec::new(),
            bitcoin: BitcoinView::default(),
        }
    }
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its peer id, as libp2p writes it.
    pub id: String,
    /// Its address, a multiaddr.
    pub address: String,
    /// True if inbound: the peer connected to this node. False if outbound.
    pub inbound: bool,
    /// Its program and version; none if unknown.
    pub agent: Option<String>,
    /// Height of its tip; none if unknown.
    pub height: Option<u32>,
    /// Id of its tip; none if unknown.
    pub tip: Option<BlockHash>,
    /// Height of its Bitcoin tip, as it claims; none if unknown.
    pub bitcoin_height: Option<u32>,
    /// Penalty points for misbehavior; a peer with too many is banned.
    pub points: u32,
    /// Round trip of the last ping, milliseconds; none before the first ping.
    pub round_trip_ms: Option<u64>,
    /// When it connected.
    pub since: Instant,
}

/// How far the archive's database is behind this node: written by the streamer, read by the API.
#[derive(Clone, Debug, Default)]
pub struct ArchiveState(Arc<ArchiveCounts>);

#[derive(Debug, Default)]
struct ArchiveCounts {
    streams: AtomicBool,
    queue_bytes: AtomicU64,
    written: AtomicU64,
    trouble: Trouble,
}

impl ArchiveState {
    /// Records the state of a queue just opened: its bytes on disk, and the newest record that the database has.
    pub(crate) fn opened(&self, queue_bytes: u64, written: u64) {
        self.0.written.store(written, Ordering::Relaxed);
        self.set_queue(queue_bytes);
        self.0.streams.store(true, Ordering::Relaxed);
    }

    /// Records the bytes of the queue on disk.
    pub(crate) fn set_queue(&self, bytes: u64) {
        self.0.queue_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Records that the database has everything up to this record.
    pub(crate) fn set_written(&self, sequence: u64) {
        self.0.written.fetch_max(sequence, Ordering::Relaxed);
    }

    /// Bytes of the queue on disk, and the newest record up to which the database has all. None without an archive.
    pub(crate) fn get(&self) -> Option<(u64, u64)> {
        let ArchiveCounts { streams, queue_bytes, written, .. } = &*self.0;
        streams.load(Ordering::Relaxed).then(|| (queue_bytes.load(Ordering::Relaxed), written.load(Ordering::Relaxed)))
    }
    /// Why the database accepts nothing now.
    pub(crate) fn trouble(&self) -> &Trouble {
        &self.0.trouble
    }
}
