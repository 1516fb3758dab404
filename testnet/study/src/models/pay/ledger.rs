//! The credits of links, and the real window over them.

use std::collections::VecDeque;

use sharechain::window::{Row, Rows, Window};
use sharechain::{ChainParams, Height};

/// The links of one branch that a window can still need.
#[derive(Clone, Debug)]
pub struct Ledger {
    params: ChainParams,
    /// Height of the first link in `links`.
    first: Height,
    links: VecDeque<Rows>,
    window: Window,
}

impl Ledger {
    /// Creates a chain that holds only genesis.
    #[must_use]
    pub fn new(params: ChainParams) -> Self {
        Self { params, first: Height(0), links: VecDeque::from([Rows::default()]), window: Window::default() }
    }

    /// Appends a link that credits these rows. Returns its height.
    pub fn push(&mut self, rows: Vec<Row>) -> Height {
        self.links.push_back(Rows::new(rows));
        self.tip()
    }

    /// Returns the height of the last link.
    #[must_use]
    pub fn tip(&self) -> Height {
        let links = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        Height(self.first.0.saturating_add(links)).below(1)
    }

    /// Moves the window up to `snapshot`, never down, and forgets the links below it.
    ///
    /// # Panics
    /// If there is no such link yet.
    pub fn settle(&mut self, snapshot: Height) -> &Window {
        let Self { params, first, links, window } = self;
        while window.newest() < snapshot {
            let rows_at = |height: Height| links.get(usize::try_from(height.above(*first)).ok()?);
            let newest = rows_at(window.newest().child()).expect("a snapshot is a link that exists");
            window.slide_forward(newest, rows_at, params).expect("links of the window are kept");
        }
        let below = window.oldest().above(*first);
        links.drain(..usize::try_from(below).unwrap_or(0).min(links.len()));
        *first = window.oldest();
        window
    }

    /// Returns the window that ends in the last snapshot.
    #[must_use]
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// Returns the protocol's constants.
    #[must_use]
    pub const fn params(&self) -> &ChainParams {
        &self.params
    }
}
