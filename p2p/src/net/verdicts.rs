//! Gossip that waits for a verdict, bounded in count, bytes and time.

use std::collections::BTreeMap;

use super::api::VerdictToken;
use crate::Millis;
use crate::limits::{VERDICT_BYTES_MAX, VERDICT_SECONDS_MAX, VERDICTS_MAX};

/// A message that waits; `K` names it to gossipsub.
#[derive(Debug)]
struct Waiting<K> {
    key: K,
    size_bytes: usize,
    since: Millis,
}

/// All messages that wait, oldest first.
#[derive(Debug)]
pub(super) struct Verdicts<K> {
    by_token: BTreeMap<VerdictToken, Waiting<K>>,
    size_bytes: usize,
    next: u64,
}

impl<K> Verdicts<K> {
    pub(super) const fn new() -> Self {
        Self { by_token: BTreeMap::new(), size_bytes: 0, next: 0 }
    }

    /// Keeps a message; gives it back when there is no room.
    pub(super) fn wait(&mut self, key: K, size_bytes: usize, now: Millis) -> Result<VerdictToken, K> {
        if self.by_token.len() >= VERDICTS_MAX || self.size_bytes.saturating_add(size_bytes) > VERDICT_BYTES_MAX {
            return Err(key);
        }
        let token = VerdictToken(self.next);
        self.next = self.next.wrapping_add(1);
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        self.by_token.insert(token, Waiting { key, size_bytes, since: now });
        Ok(token)
    }

    /// Takes a message out, with its size in bytes.
    pub(super) fn take(&mut self, token: VerdictToken) -> Option<(K, usize)> {
        let waiting = self.by_token.remove(&token)?;
        self.size_bytes = self.size_bytes.saturating_sub(waiting.size_bytes);
        Some((waiting.key, waiting.size_bytes))
    }

    /// Takes what has waited for too long.
    pub(super) fn take_late(&mut self, now: Millis) -> Vec<K> {
        let late = |waiting: &Waiting<K>| now.since(waiting.since) >= VERDICT_SECONDS_MAX * 1_000;
        let tokens: Vec<_> =
            self.by_token.iter().take_while(|(_, waiting)| late(waiting)).map(|(token, _)| *token).collect();
        tokens.into_iter().filter_map(|token| self.take(token)).map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests;
