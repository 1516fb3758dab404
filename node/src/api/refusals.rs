//! Counts rejected shares by rule, from the rejections in the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::store::{Store, StoreError};

/// Rejections counted so far: those in the store at the first query, and later ones.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    newest_sequence: u64,
    by_rule: BTreeMap<String, u64>,
}

impl Refusals {
    /// Counts new rejections in the store and returns the number by rule. Blocks on the disk.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn by_rule(&self, store: &Store) -> Result<BTreeMap<String, u64>, StoreError> {
        // Changed only after everything was read, so a panic leaves it consistent.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: Vec<(u64, String)> = Vec::new();
        for entry in store.refusals() {
            let entry = entry?;
            if entry.sequence <= seen.newest_sequence {
                break;
            }
            new.push((entry.sequence, rule(&entry.record.bytes)));
        }
        for (sequence, rule) in new {
            seen.newest_sequence = seen.newest_sequence.max(sequence);
            *seen.by_rule.entry(rule).or_default() += 1;
        }
        Ok(seen.by_rule.clone())
    }
}

/// The number of the rule in a stored rejection: `SC-` and three digits.
pub(super) fn rule(stored: &[u8]) -> String {
    let text = String::from_utf8_lossy(stored);
    let number = text.split_once(':').map(|(number, _)| number).filter(|number| number.starts_with("SC-"));
    number.unwrap_or("unknown").to_owned()
}
