//! What the chain keeps of each valid proof.

use crate::change_set::Source;
use crate::units::{Height, ShareId, Timestamp, Weight};
use crate::window::ScriptIndex;

/// What is kept of a valid proof, share or link, while it can still be listed or its listing undone.
#[derive(Clone, Debug)]
pub struct Credit {
    /// The link that it extends.
    pub parent: ShareId,
    /// Parent's height plus one.
    pub height: Height,
    /// Its anchor.
    pub anchor: ShareId,
    /// The anchor's height.
    pub anchor_height: Height,
    /// Height of the Bitcoin block that it would have been.
    pub bitcoin_height: u32,
    /// Who earns.
    pub script: ScriptIndex,
    /// What it earns when it is listed in time.
    pub weight: Weight,
    /// When this node found it valid.
    pub validated_at: Timestamp,
    /// Bits for upgrades that its header sets.
    pub signals: u32,
    /// When its work was handed out, as its header says.
    pub time: Timestamp,
    /// Who brought it.
    pub source: Source,
}
