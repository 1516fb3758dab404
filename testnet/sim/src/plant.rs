//! Bugs planted in a simulated node, to show that the oracles find such bugs: each stands for one that the real code might
//! have. The share-chain's own code has no switches; a plant sits in the shell around it, or in what the oracles see.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use clap::ValueEnum;
use sharechain::{Height, Weight};

use super::time::Micros;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Some links list a proof that was credited before.
    CreditTwice,
    /// A node loses some of its own finds before its share-chain sees them.
    LostShare,
    /// After a reorganisation a node goes on with the window of the branch that lost.
    OldWindow,
    /// A node takes what it cannot judge yet for invalid, and bans whoever sent it.
    HeldInvalid,
    /// A node never forgets a request that it has answered.
    Leak,
    /// A block pays one satoshi less than it may.
    LostSatoshi,
    /// Nodes list a proof that nobody found.
    InventedShare,
    /// A node takes its newest link for final.
    HastyFinality,
    /// A node hears nothing that peers send, from some time on.
    Deaf,
}

impl Plant {
    /// When [`Plant::Deaf`] begins.
    pub const DEAF_FROM: Micros = Micros::from_secs(120);
}

/// What a plant remembers of one node.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    /// The bug, if there is one.
    pub plant: Option<Plant>,
    windows: BTreeMap<Height, BTreeMap<ScriptBuf, Weight>>,
}

impl Planted {
    /// A node with this bug.
    #[must_use]
    pub fn new(plant: Option<Plant>) -> Self {
        Self { plant, windows: BTreeMap::new() }
    }

    /// A window as the node sees it: with [`Plant::OldWindow`] the first of its height, whatever branch it was of.
    pub fn window(&mut self, newest: Height, sums: BTreeMap<ScriptBuf, Weight>) -> BTreeMap<ScriptBuf, Weight> {
        if self.plant == Some(Plant::OldWindow) { self.windows.entry(newest).or_insert(sums).clone() } else { sums }
    }
}
