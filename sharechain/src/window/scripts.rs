//! Payout scripts by number, so that sums fit in arrays and each script is stored once.

use bitcoin::Script;

use crate::chunked::Chunked;
use crate::error::RuleError;
use crate::limits::SCRIPT_BYTES_MAX;
use crate::ordered::Ordered;

/// Number of a payout script in [`Scripts`]. Numbers follow the order of arrival, so they are local to a process, and
/// no rule may depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptIndex(pub u32);

impl ScriptIndex {
    /// Position in an array. A `u32` fits in `usize` on every platform that runs a Bitcoin node. On any other, no array
    /// has that position.
    pub(crate) fn slot(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Script stored inline. A lottery reads ten thousand scripts, and a pointer to each would cost more than its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Inline {
    length: u8,
    bytes: [u8; SCRIPT_BYTES_MAX],
}

impl Inline {
    fn new(script: &Script) -> Option<Self> {
        let mut bytes = [0; SCRIPT_BYTES_MAX];
        bytes.get_mut(..script.len())?.copy_from_slice(script.as_bytes());
        Some(Self { length: u8::try_from(script.len()).ok()?, bytes })
    }

    fn script(&self) -> &Script {
        Script::from_bytes(self.bytes.get(..usize::from(self.length)).unwrap_or_default())
    }
}

/// All payout scripts that the stored links credit, each once.
///
/// A script takes about 150 bytes. A new script costs a valid share, and there are about 276,000 shares per day
/// whatever the pool's hashrate. [`Scripts::retain`] frees memory when links are pruned.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    by_index: Chunked<Inline>,
    by_script: Ordered<Inline, ScriptIndex>,
    /// Numbers that no link uses anymore.
    free: Chunked<ScriptIndex>,
}

impl Scripts {
    /// Returns the number of `script`, and assigns one if it has none yet.
    ///
    /// # Errors
    /// [`RuleError::PayoutScript`] if the script is longer than any payout script. [`RuleError::Overflow`] if 2^32
    /// scripts are in use.
    pub fn intern(&mut self, script: &Script) -> Result<ScriptIndex, RuleError> {
        let inline = Inline::new(script).ok_or(RuleError::PayoutScript)?;
        if let Some(known) = self.by_script.get(&inline) {
            return Ok(*known);
        }
        let reused = self.free.pop();
        let index = match reused {
            Some(index) => index,
            None => ScriptIndex(u32::try_from(self.by_index.len()).map_err(|_| RuleError::Overflow)?),
        };
        match self.by_index.get_mut(index.slot()) {
            Some(slot) => *slot = inline,
            None => self.by_index.push(inline),
        }
        self.by_script.insert(inline, index);
        Ok(index)
    }

    /// Returns the number of `script`, if it has one.
    #[must_use]
    pub fn index(&self, script: &Script) -> Option<ScriptIndex> {
        self.by_script.get(&Inline::new(script)?).copied()
    }

    /// Returns the script with this number. A number that [`Scripts::retain`] freed returns its old script until a new
    /// script gets the number.
    #[must_use]
    pub fn script(&self, index: ScriptIndex) -> Option<&Script> {
        self.by_index.get(index.slot()).map(Inline::script)
    }

    /// Number of array positions that the numbers take, freed ones included.
    pub(crate) fn slots(&self) -> usize {
        self.by_index.len()
    }

    /// Number of scripts that have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_script.len()
    }

    /// True if no script has a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Frees the numbers that are not `in_use`. The next new scripts reuse them.
    ///
    /// Every number in the rows of a stored link is in use.
    pub fn retain(&mut self, mut in_use: impl FnMut(ScriptIndex) -> bool) {
        let all = self.by_script.iter().map(|(script, index)| (*script, *index));
        let unused: Vec<_> = all.filter(|(_, index)| !in_use(*index)).collect();
        for (script, index) in unused {
            self.by_script.remove(&script);
            self.free.push(index);
        }
    }

    /// Scripts in order of their numbers, including freed ones.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Script> {
        self.by_index.iter().map(Inline::script)
    }
}
