//! Payout scripts by number, so that sums are kept in arrays and scripts once.

use bitcoin::Script;

use crate::chunked::Chunked;
use crate::error::RuleError;
use crate::limits::SCRIPT_BYTES_MAX;
use crate::ordered::Ordered;

/// The number of a payout script in [`Scripts`]. Numbers follow the order of arrival: they are local to a process, and
/// no rule may depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptIndex(pub u32);

impl ScriptIndex {
    /// Position in an array by number. A `u32` fits wherever a Bitcoin node runs; elsewhere no array has that position.
    pub(super) fn slot(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A script in place: a draw reads ten thousand of them, and one look-up of memory for each would cost more than its
/// hash.
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

/// All payout scripts that the kept links credit, each once.
///
/// Takes about 150 bytes for each script. A new script costs a valid share, of which there are some 276,000 a day
/// whatever the pool's hashrate; [`Scripts::retain`] gives room back when links are pruned.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    by_index: Chunked<Inline>,
    by_script: Ordered<Inline, ScriptIndex>,
    /// Numbers that no link uses any more.
    free: Chunked<ScriptIndex>,
}

impl Scripts {
    /// The number of `script`, a new one when it has none yet.
    ///
    /// # Errors
    /// [`RuleError::PayoutScript`] when the script is longer than any payout script, [`RuleError::Overflow`] when 2^32
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

    /// The number of `script`, if it has one.
    #[must_use]
    pub fn index(&self, script: &Script) -> Option<ScriptIndex> {
        self.by_script.get(&Inline::new(script)?).copied()
    }

    /// The script behind a number. A number that [`Scripts::retain`] gave back has an old script or a new one.
    #[must_use]
    pub fn script(&self, index: ScriptIndex) -> Option<&Script> {
        self.by_index.get(index.slot()).map(Inline::script)
    }

    /// How many scripts have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_script.len()
    }

    /// True before the first script.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_script.is_empty()
    }

    /// Forgets all scripts whose numbers are not `in_use`, and gives those numbers to the next new scripts.
    ///
    /// Every number in the rows of a kept link is in use.
    pub fn retain(&mut self, mut in_use: impl FnMut(ScriptIndex) -> bool) {
        let all = self.by_script.iter().map(|(script, index)| (*script, *index));
        let unused: Vec<_> = all.filter(|(_, index)| !in_use(*index)).collect();
        for (script, index) in unused {
            self.by_script.remove(&script);
            self.free.push(index);
        }
    }

    /// The scripts in the order of their numbers, forgotten ones included.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Script> {
        self.by_index.iter().map(Inline::script)
    }
}
