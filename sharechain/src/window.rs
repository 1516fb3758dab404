//! PPLNS window: the links whose credits determine a payout, and the sums of their weights by script.

mod rows;
mod scripts;
#[cfg(test)]
mod tests;

use bitcoin::Script;
use thiserror::Error;

use crate::params::ChainParams;
use crate::units::{Height, Weight};

pub use rows::{Row, Rows};
pub use scripts::{ScriptIndex, Scripts};

/// Total credit of one script in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Total weight of its credited proofs.
    pub weight: Weight,
    /// Number of its credited proofs.
    pub shares: u64,
}

/// Error when moving a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WindowError {
    /// The caller did not provide the rows of a link that leaves the window.
    #[error("cannot move the window: the rows of link {0} are missing")]
    RowsMissing(Height),
}

/// Where a window lies, without its sums (SC-303): whole links, from the snapshot back until their weights reach
/// [`ChainParams::window_weight`] or their proofs reach [`ChainParams::window_proofs`]. The link that reaches either
/// bound belongs to the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    newest: Height,
    oldest: Height,
    proofs: u64,
    total: Weight,
}

impl Span {
    /// A span without links, in a chain whose lowest link is at `first`.
    pub(crate) fn beginning_at(first: Height) -> Self {
        Self { newest: first.below(1), oldest: first, ..Self::default() }
    }

    /// Moves the snapshot up to its child, whose rows are `newest`. `rows_at` returns the rows of the links already in
    /// the window, by height.
    ///
    /// One new link may push out several old ones. It never brings in an older link: links that reached a bound without
    /// the new link also reach it with the new link.
    ///
    /// # Errors
    /// [`WindowError::RowsMissing`] if `rows_at` has no rows of a link that leaves. The span is then unusable.
    pub fn slide_forward<'a>(
        &mut self,
        newest: &Rows,
        mut rows_at: impl FnMut(Height) -> Option<&'a Rows>,
        params: &ChainParams,
    ) -> Result<(), WindowError> {
        self.newest = self.newest.child();
        self.add(newest);
        while self.oldest < self.newest {
            let oldest = rows_at(self.oldest).ok_or(WindowError::RowsMissing(self.oldest))?;
            let mut rest = *self;
            rest.remove(oldest);
            if !rest.is_reached(params) {
                break;
            }
            rest.oldest = self.oldest.child();
            *self = rest;
        }
        Ok(())
    }

    /// Height of the snapshot.
    #[must_use]
    pub const fn newest(&self) -> Height {
        self.newest
    }

    /// Height of the lowest link in the window.
    #[must_use]
    pub const fn oldest(&self) -> Height {
        self.oldest
    }

    fn is_reached(&self, params: &ChainParams) -> bool {
        self.total >= params.window_weight || self.proofs >= params.window_proofs
    }

    fn add(&mut self, rows: &Rows) {
        self.total = self.total.plus(rows.weight());
        self.proofs = self.proofs.saturating_add(rows.proofs());
    }

    fn remove(&mut self, rows: &Rows) {
        self.total = self.total.minus(rows.weight());
        self.proofs = self.proofs.saturating_sub(rows.proofs());
    }
}

/// A window with its sums.
///
/// Summing a window takes a pass over up to two million rows, so a known window is moved link by link instead. The sums
/// cannot saturate: a link credits at most 1,024 proofs, itself and a bonus, at most 2^64 units each, and there are
/// fewer than 2^32 links.
#[derive(Clone, Debug, Default)]
pub struct Window {
    span: Span,
    /// By [`ScriptIndex`].
    sums: Vec<Sum>,
}

impl Window {
    /// Sums the window from `links`, which must run from the snapshot down without gaps. Genesis is included and has no
    /// rows.
    ///
    /// Returns `None` if the links end before the window does.
    #[must_use]
    pub fn compute<'a>(links: impl IntoIterator<Item = (Height, &'a Rows)>, params: &ChainParams) -> Option<Self> {
        let mut window = Self::default();
        let mut links = links.into_iter().peekable();
        window.span.newest = links.peek()?.0;
        for (height, rows) in links {
            window.span.oldest = height;
            window.add(rows);
            if window.span.is_reached(params) || height == Height(0) {
                return Some(window);
            }
        }
        None
    }

    /// As [`Span::slide_forward`].
    ///
    /// # Errors
    /// [`WindowError::RowsMissing`] if `rows_at` has no rows of a link that leaves. The window is then unusable.
    pub fn slide_forward<'a>(
        &mut self,
        newest: &Rows,
        mut rows_at: impl FnMut(Height) -> Option<&'a Rows>,
        params: &ChainParams,
    ) -> Result<(), WindowError> {
        let before = self.span.oldest;
        self.span.slide_forward(newest, &mut rows_at, params)?;
        self.add_sums(newest);
        for height in (before.0..self.span.oldest.0).map(Height) {
            self.remove_sums(rows_at(height).ok_or(WindowError::RowsMissing(height))?);
        }
        Ok(())
    }

    /// Height of the snapshot.
    #[must_use]
    pub const fn newest(&self) -> Height {
        self.span.newest
    }

    /// Height of the lowest link in the window.
    #[must_use]
    pub const fn oldest(&self) -> Height {
        self.span.oldest
    }

    /// True if moving the snapshot up to `newest` saves work. A link that enters usually pushes one out, so that moving
    /// passes over two links for each one up, and summing again over as many as the window has.
    pub(crate) const fn reaches(&self, newest: Height) -> bool {
        newest.above(self.newest()) <= self.newest().above(self.oldest()) / 2
    }

    /// Number of credited proofs in the window.
    #[must_use]
    pub const fn proofs(&self) -> u64 {
        self.span.proofs
    }

    /// Total weight of all credited proofs in the window.
    #[must_use]
    pub const fn total(&self) -> Weight {
        self.span.total
    }

    /// Total credit of one script; zero if it has none in the window.
    #[must_use]
    pub fn sum(&self, script: ScriptIndex) -> Sum {
        self.sums.get(script.slot()).copied().unwrap_or_default()
    }

    /// Totals of all scripts with a credited proof in the window, ascending by index.
    pub fn sums(&self) -> impl Iterator<Item = (ScriptIndex, Sum)> {
        (0..).map(ScriptIndex).zip(self.sums.iter().copied()).filter(|(_, sum)| sum.shares > 0)
    }

    /// Every script with weight, once, in no particular order: the input of [`crate::payout::select`].
    pub fn dues<'a>(&'a self, scripts: &'a Scripts) -> impl Iterator<Item = (&'a Script, Weight)> {
        let weights = self.sums.iter().map(|sum| sum.weight);
        scripts.iter().zip(weights).filter(|(_, weight)| *weight > Weight::ZERO)
    }

    fn add(&mut self, rows: &Rows) {
        self.span.add(rows);
        self.add_sums(rows);
    }

    fn add_sums(&mut self, rows: &Rows) {
        let len = rows.scripts_end();
        if self.sums.len() < len {
            self.sums.resize(len, Sum::default());
        }
        for row in rows.iter() {
            if let Some(sum) = self.sums.get_mut(row.script.slot()) {
                sum.weight = sum.weight.plus(row.weight);
                sum.shares = sum.shares.saturating_add(u64::from(row.shares));
            }
        }
    }

    fn remove_sums(&mut self, rows: &Rows) {
        for row in rows.iter() {
            if let Some(sum) = self.sums.get_mut(row.script.slot()) {
                sum.weight = sum.weight.minus(row.weight);
                sum.shares = sum.shares.saturating_sub(u64::from(row.shares));
            }
        }
    }
}
