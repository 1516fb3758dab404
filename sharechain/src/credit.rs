//! Data that the chain stores of each valid proof.

use crate::change_set::Source;
use crate::units::{Height, ShareId, Timestamp, U256, Weight};
use crate::window::ScriptIndex;

/// Data of a valid share or link, stored while the proof can still be listed or its listing undone.
#[derive(Clone, Debug)]
pub struct Credit {
    /// True if it is a link, whether or not it is still kept as one.
    pub is_link: bool,
    /// Link that it extends.
    pub parent: ShareId,
    /// Height of the proof: the parent's plus one.
    pub height: Height,
    /// Id of its anchor.
    pub anchor: ShareId,
    /// Height of its anchor.
    pub anchor_height: Height,
    /// Bitcoin's chain work at its previous block, hashes.
    pub bitcoin_work: U256,
    /// Script that earns.
    pub script: ScriptIndex,
    /// Weight that it earns if it is listed in time (SC-410, SC-112).
    pub weight: Weight,
    /// When this node first saw it, by this node's clock. It may have been held since.
    pub first_seen: Timestamp,
    /// When this node found it valid, by this node's clock.
    pub validated_at: Timestamp,
    /// Upgrade bits that its share header sets.
    pub signals: u32,
    /// Time in its share header: when the node handed out the work.
    pub time: Timestamp,
    /// Source that sent it.
    pub source: Source,
}
