//! A persistent vector: clones share their common entries.

use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Number of entries in a chunk. Small enough that the first change after a clone copies only a few kilobytes.
const CHUNK: usize = 256;

/// Vector in chunks. A clone copies two pointers, whatever the length. The first push or pop after a clone copies the
/// last chunk. Only a change further down, or a push that fills a chunk, also copies the pointers to all chunks.
#[derive(Clone, Debug)]
pub(crate) struct Chunked<T> {
    /// Number of chunks that were forgotten.
    forgotten: usize,
    /// All chunks but the last, with [`CHUNK`] entries each.
    full: Arc<Vec<Arc<Vec<T>>>>,
    /// The last chunk, with fewer entries than [`CHUNK`].
    tail: Arc<Vec<T>>,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { forgotten: 0, full: Arc::default(), tail: Arc::default() }
    }
}

impl<T> Chunked<T> {
    /// Creates a vector whose first entries, up to `index`, are forgotten. Rounds down to whole chunks.
    pub(crate) fn starting_at(index: usize) -> Self {
        Self { forgotten: index / CHUNK, ..Self::default() }
    }

    /// Number of entries, forgotten ones included.
    pub(crate) fn len(&self) -> usize {
        self.forgotten.saturating_add(self.full.len()).saturating_mul(CHUNK).saturating_add(self.tail.len())
    }

    /// Forgets entries below `index`. Those that share a chunk with an entry that stays, stay too.
    pub(crate) fn forget_below(&mut self, index: usize) {
        let chunks = (index / CHUNK).saturating_sub(self.forgotten).min(self.full.len());
        if chunks > 0 {
            Arc::make_mut(&mut self.full).drain(..chunks);
            self.forgotten = self.forgotten.saturating_add(chunks);
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (chunk, at) = ((index / CHUNK).checked_sub(self.forgotten)?, index % CHUNK);
        if chunk == self.full.len() { self.tail.get(at) } else { self.full.get(chunk)?.get(at) }
    }

    pub(crate) fn last(&self) -> Option<&T> {
        self.tail.last().or_else(|| self.full.last()?.last())
    }

    /// Entries in order of their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(self.tail.iter())
    }
}

impl<T: Clone> Chunked<T> {
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (chunk, at) = ((index / CHUNK).checked_sub(self.forgotten)?, index % CHUNK);
        if chunk == self.full.len() {
            return Arc::make_mut(&mut self.tail).get_mut(at);
        }
        Arc::make_mut(Arc::make_mut(&mut self.full).get_mut(chunk)?).get_mut(at)
    }

    pub(crate) fn push(&mut self, value: T) {
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(value);
        if tail.len() >= CHUNK {
            let chunk = core::mem::take(&mut self.tail);
            Arc::make_mut(&mut self.full).push(chunk);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.tail.is_empty() && !self.full.is_empty() {
            self.tail = Arc::make_mut(&mut self.full).pop()?;
        }
        Arc::make_mut(&mut self.tail).pop()
    }
}
