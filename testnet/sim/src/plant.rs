//! Bugs planted in a simulated node, to show that the oracles find them. Each stands for a bug that the real code might
//! have. The share-chain's own code has no switches: a bug is planted in the shell around it, or in the oracles' view.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use clap::ValueEnum;
use sharechain::{Height, Weight};

use super::time::Micros;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Some links list a proof that was credited earlier.
    CreditTwice,
    /// A node loses some of its own proofs before its share-chain sees them.
    LostShare,
    /// After a reorganization, a node keeps the window of the losing branch.
    OldWindow,
    /// A node rejects proofs that it cannot judge yet, and bans their senders.
    HeldInvalid,
    /// A node never forgets a request that it has answered.
    Leak,
    /// A block pays one satoshi less than it may.
    LostSatoshi,
    /// Nodes list a proof that no miner found.
    InventedShare,
    /// Links commit to another state than the one that they have come to.
    OtherState,
    /// A node treats its newest link as settled.
    SettledAtOnce,
    /// A node ignores all messages after some time.
    Deaf,
}

impl Plant {
    /// Time at which [`Plant::Deaf`] begins.
    pub const DEAF_FROM: Micros = Micros::from_secs(120);
}

/// A plant's memory of one node.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    /// The bug, if any.
    pub plant: Option<Plant>,
    windows: BTreeMap<Height, BTreeMap<ScriptBuf, Weight>>,
}

impl Planted {
    /// Creates the state for a node with this bug.
    #[must_use]
    pub fn new(plant: Option<Plant>) -> Self {
        Self { plant, windows: BTreeMap::new() }
    }

    /// Returns the window as the node sees it. With [`Plant::OldWindow`], it is the first window of that height, on any
    /// branch.
    pub fn window(&mut self, newest: Height, sums: BTreeMap<ScriptBuf, Weight>) -> BTreeMap<ScriptBuf, Weight> {
        if self.plant == Some(Plant::OldWindow) { self.windows.entry(newest).or_insert(sums).clone() } else { sums }
    }
}
