//! Transactions that this node knows: those of bitcoind's last templates.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::jobs::BlockTemplate;
use crate::limits::{KNOWN_BYTES_MAX, KNOWN_TEMPLATES_MAX};

/// The last block templates, oldest first, bounded in number and bytes.
#[derive(Debug, Default)]
pub struct Known {
    templates: VecDeque<Arc<BlockTemplate>>,
    size_bytes: usize,
}

impl Known {
    /// Adds a template. Drops the oldest while there are more than [`KNOWN_TEMPLATES_MAX`], or while they take more than
    /// [`KNOWN_BYTES_MAX`] bytes.
    pub fn push(&mut self, template: Arc<BlockTemplate>) {
        if self.templates.back().is_some_and(|newest| Arc::ptr_eq(newest, &template)) {
            return;
        }
        self.size_bytes += template.transactions.size_bytes();
        self.templates.push_back(template);
        while self.templates.len() > KNOWN_TEMPLATES_MAX
            || (self.size_bytes > KNOWN_BYTES_MAX && self.templates.len() > 1)
        {
            let Some(oldest) = self.templates.pop_front() else { return };
            self.size_bytes -= oldest.transactions.size_bytes();
        }
    }

    /// The templates, for a build on another thread.
    #[must_use]
    pub fn templates(&self) -> Vec<Arc<BlockTemplate>> {
        self.templates.iter().cloned().collect()
    }
}
