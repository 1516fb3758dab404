//! Recent job templates, for which late work still counts; bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::template::JobTemplate;
use crate::limits::{JOB_TEMPLATES_BYTES_MAX, JOB_TEMPLATES_MAX};

/// The newest job templates, oldest first, each with a unique key. Jobs are not kept: a template and a payout script
/// rebuild one.
#[derive(Debug, Default)]
pub struct RecentTemplates {
    templates: VecDeque<Arc<JobTemplate>>,
    /// Key of the oldest template; the following ones have consecutive keys.
    first_key: u64,
    /// Total bytes of their block templates.
    size_bytes: usize,
}

impl RecentTemplates {
    /// Adds a template. Drops the oldest while there are more than [`JOB_TEMPLATES_MAX`], or while their transactions
    /// take more than [`JOB_TEMPLATES_BYTES_MAX`] bytes.
    pub fn push(&mut self, template: Arc<JobTemplate>) {
        // Job templates of the same block template are adjacent, so each block template is counted once.
        if self.templates.back().is_none_or(|newest| !Arc::ptr_eq(&newest.block, &template.block)) {
            self.size_bytes += template.block.transactions.size_bytes();
        }
        self.templates.push_back(template);
        while self.templates.len() > JOB_TEMPLATES_MAX
            || (self.size_bytes > JOB_TEMPLATES_BYTES_MAX && self.templates.len() > 1)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.templates.pop_front() else { return };
        self.first_key += 1;
        if self.templates.front().is_none_or(|next| !Arc::ptr_eq(&next.block, &oldest.block)) {
            self.size_bytes -= oldest.block.transactions.size_bytes();
        }
    }

    /// The newest template and its key.
    #[must_use]
    pub fn newest(&self) -> Option<(u64, &Arc<JobTemplate>)> {
        let behind = self.templates.len().checked_sub(1)?;
        Some((self.first_key + behind as u64, self.templates.get(behind)?))
    }

    /// The template with this key, unless it was dropped.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&Arc<JobTemplate>> {
        let behind = usize::try_from(key.checked_sub(self.first_key)?).ok()?;
        self.templates.get(behind)
    }

    /// Number of templates kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// True if no template is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }
}
