//! Replays the base with which the recording of a pruned node begins.

use sharechain::Height;

use super::Replay;
use crate::base::{BaseReader, Unverified};
use crate::line::BaseLine;

impl Replay {
    /// Replays a part of this base.
    ///
    /// # Errors
    /// A text, if the base is not what its links committed to, or comes too late.
    pub fn play_base(&mut self, line: BaseLine) -> Result<(), String> {
        self.counts.lines += 1;
        if self.chain.height() > Height(0) || self.unverified.is_some() {
            return Err("a base comes before all proofs, and once".to_owned());
        }
        let (params, bitcoin) = (self.chain.params(), self.chain.bitcoin());
        let Some(base) = BaseReader::take(&mut self.base, line, params, bitcoin, self.now)? else { return Ok(()) };
        self.chain = base.chain;
        self.chain.note_base_lists(base.lists);
        self.unverified = Some(base.unverified);
        Ok(())
    }

    /// The unverified part of the recording; none if it begins with the first link.
    #[must_use]
    pub fn unverified(&self) -> Option<Unverified> {
        self.unverified
    }
}
