//! Miners with their hashrates and scripts.

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use sharechain::window::{ScriptIndex, Scripts};

/// Miners of equal hashrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Number of miners.
    pub count: u32,
    /// Hashes per second of each miner.
    pub hashrate: f64,
}

impl Group {
    /// Creates `count` miners with this hashrate each.
    #[must_use]
    pub const fn new(count: u32, hashrate: f64) -> Self {
        Self { count, hashrate }
    }

    /// Returns the hashes per second of all miners.
    #[must_use]
    pub fn total(&self) -> f64 {
        f64::from(self.count) * self.hashrate
    }
}

/// The miners of a pool, numbered over all groups. A miner's number is that of its script.
#[derive(Clone, Debug)]
pub struct Miners {
    groups: Vec<Group>,
    scripts: Scripts,
}

impl Miners {
    /// Creates miners with one P2TR script each.
    ///
    /// # Panics
    /// Never: P2TR scripts are short enough, and there are fewer than 2^32.
    #[must_use]
    pub fn new(groups: &[Group]) -> Self {
        let mut scripts = Scripts::default();
        for number in 0..groups.iter().map(|group| group.count).sum() {
            scripts.intern(&p2tr(number)).expect("34 bytes are a script, and numbers are 32 bits wide");
        }
        Self { groups: groups.to_vec(), scripts }
    }

    /// Returns the scripts, by number of the miner.
    #[must_use]
    pub const fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Returns the groups, each with the number of its first miner.
    pub fn groups(&self) -> impl Iterator<Item = (u32, Group)> + '_ {
        self.groups.iter().scan(0, |next, group| {
            let first = *next;
            *next += group.count;
            Some((first, *group))
        })
    }

    /// Returns the number of miners.
    #[must_use]
    pub fn count(&self) -> usize {
        self.scripts.len()
    }

    /// Returns the hashes per second of all miners.
    #[must_use]
    pub fn hashrate(&self) -> f64 {
        self.groups.iter().map(Group::total).sum()
    }

    /// Returns the number of the miner with this script. `None` for an unknown script.
    #[must_use]
    pub fn number(&self, script: &bitcoin::Script) -> Option<usize> {
        self.scripts.index(script).and_then(|index| usize::try_from(index.0).ok())
    }
}

/// Returns the index of a script.
#[must_use]
pub const fn script(number: u32) -> ScriptIndex {
    ScriptIndex(number)
}

/// Returns the script of the miner with this number.
#[must_use]
pub fn p2tr(number: u32) -> ScriptBuf {
    let key = sha256::Hash::hash(&number.to_le_bytes()).to_byte_array();
    let mut bytes = vec![0x51, 0x20];
    bytes.extend_from_slice(&key);
    ScriptBuf::from_bytes(bytes)
}
