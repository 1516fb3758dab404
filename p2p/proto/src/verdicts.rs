//! Gossip that awaits a verdict, bounded in count, bytes and time.

use std::collections::BTreeMap;

use crate::event::VerdictToken;
use crate::limits::{VERDICT_BYTES_MAX, VERDICT_SECONDS_MAX, VERDICTS_MAX};
use crate::time::Millis;

/// A message that awaits its verdict. `K` identifies it to gossipsub.
#[derive(Debug)]
struct Waiting<K> {
    key: K,
    size_bytes: usize,
    since: Millis,
}

/// All messages that await a verdict, oldest first. `K` identifies a message to the owner.
#[derive(Debug)]
pub struct Verdicts<K> {
    by_token: BTreeMap<VerdictToken, Waiting<K>>,
    size_bytes: usize,
    next: u64,
}

impl<K> Default for Verdicts<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Verdicts<K> {
    /// Creates an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self { by_token: BTreeMap::new(), size_bytes: 0, next: 0 }
    }

    /// Number of messages that await a verdict.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_token.len()
    }

    /// True if no message awaits a verdict.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_token.is_empty()
    }

    /// Tokens of the messages, oldest first.
    pub fn tokens(&self) -> impl Iterator<Item = VerdictToken> + '_ {
        self.by_token.keys().copied()
    }

    /// Adds a message of this size and returns its token.
    ///
    /// # Errors
    /// Returns the key if it would exceed [`VERDICTS_MAX`] messages or [`VERDICT_BYTES_MAX`] bytes.
    pub fn wait(&mut self, key: K, size_bytes: usize, now: Millis) -> Result<VerdictToken, K> {
        if self.by_token.len() >= VERDICTS_MAX || self.size_bytes.saturating_add(size_bytes) > VERDICT_BYTES_MAX {
            return Err(key);
        }
        let token = VerdictToken(self.next);
        self.next = self.next.wrapping_add(1);
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        self.by_token.insert(token, Waiting { key, size_bytes, since: now });
        Ok(token)
    }

    /// Removes a message. Returns its key and its size in bytes.
    pub fn take(&mut self, token: VerdictToken) -> Option<(K, usize)> {
        let waiting = self.by_token.remove(&token)?;
        self.size_bytes = self.size_bytes.saturating_sub(waiting.size_bytes);
        Some((waiting.key, waiting.size_bytes))
    }

    /// Removes the messages that have waited [`VERDICT_SECONDS_MAX`] or longer, and returns their keys.
    pub fn take_late(&mut self, now: Millis) -> Vec<K> {
        let late = |waiting: &Waiting<K>| now.since(waiting.since) >= VERDICT_SECONDS_MAX * 1_000;
        let tokens: Vec<_> =
            self.by_token.iter().take_while(|(_, waiting)| late(waiting)).map(|(token, _)| *token).collect();
        tokens.into_iter().filter_map(|token| self.take(token)).map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests;
