//! What the running node says about itself, for whoever shows it: written by the parts that know, read by the API.

use std::time::Instant;

use bitcoin::BlockHash;

/// How far the node has come with the share-chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncState {
    /// No peer was reached yet.
    #[default]
    Searching,
    /// Lists and shares are on their way.
    Shares,
    /// Everything that peers have told of is here.
    Synced,
}

/// The share-chain as far as it is here, and as far as peers have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncView {
    /// How far the node has come.
    pub state: SyncState,
    /// Height of the highest link that a connected peer claims to have.
    pub peers_height: Option<u32>,
}

/// What the node knows of its own bitcoind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitcoinView {
    /// Height of its tip.
    pub height: Option<u32>,
    /// Its tip.
    pub tip: Option<BlockHash>,
    /// What is wrong with it, in one sentence for the operator.
    pub trouble: Option<String>,
    /// Subsidy and fees of the newest template, satoshi.
    pub template_value_sat: Option<u64>,
}

/// What the node does, apart from what its share-chain says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// The share-chain, compared with that of peers.
    pub sync: SyncView,
    /// Why miners get no work, in one sentence for the operator; none when they do.
    pub no_work_because: Option<String>,
    /// The own bitcoind.
    pub bitcoin: BitcoinView,
}

impl Default for NodeState {
    /// The state before anything was reached.
    fn default() -> Self {
        Self {
            sync: SyncView::default(),
            no_work_because: Some("the node has just started".to_owned()),
            bitcoin: BitcoinView::default(),
        }
    }
}

/// A connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its identity, as libp2p writes it.
    pub id: String,
    /// The address that it is connected by, a multiaddr.
    pub address: String,
    /// True when it connected to this node, false when this node dialled it.
    pub inbound: bool,
    /// Its program and version, if it told.
    pub agent: Option<String>,
    /// Height of its tip, if it told.
    pub height: Option<u32>,
    /// Its tip, if it told; a link's id.
    pub tip: Option<BlockHash>,
    /// Points that misbehaviour cost it; a peer with too many is banned.
    pub points: u32,
    /// Milliseconds that the last ping took there and back; none before the first.
    pub round_trip_ms: Option<u64>,
    /// When it connected.
    pub since: Instant,
}
