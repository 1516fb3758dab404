//! A map and a set keyed by share ids. Neither can be iterated, so no rule can depend on the order of a hash table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rpds::HashTrieMapSync;

use crate::units::ShareId;

#[cfg(test)]
mod tests;

/// Map with constant-time lookup by id, so that the cost of a check does not grow with the length of the chain.
///
/// It is a trie over the bits of the ids. A clone copies one pointer, whatever the size. A change after a clone copies
/// one path of the trie; the only entry it copies is the one that [`IdMap::get_mut`] returns.
#[derive(Clone, Debug)]
pub(crate) struct IdMap<V>(HashTrieMapSync<ShareId, V, BuildHasherDefault<IdHasher>>);

/// Set of ids that lives for one call. It is never cloned, so it is a plain hash table.
#[derive(Debug, Default)]
pub(crate) struct IdSet(HashMap<ShareId, (), BuildHasherDefault<IdHasher>>);

/// Uses the first eight bytes of an id as its hash. They are uniform, and choosing them costs proof of work.
#[derive(Clone, Copy, Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(head) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*head);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<V> Default for IdMap<V> {
    fn default() -> Self {
        Self(HashTrieMapSync::new_with_hasher_and_ptr_kind(BuildHasherDefault::default()))
    }
}

impl<V> IdMap<V> {
    pub(crate) fn get(&self, id: &ShareId) -> Option<&V> {
        self.0.get(id)
    }

    pub(crate) fn contains(&self, id: &ShareId) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn insert(&mut self, id: ShareId, value: V) {
        self.0.insert_mut(id, value);
    }

    /// Removes an entry. Returns whether the id was present.
    pub(crate) fn remove(&mut self, id: &ShareId) -> bool {
        self.0.remove_mut(id)
    }
}

impl<V: Clone> IdMap<V> {
    pub(crate) fn get_mut(&mut self, id: &ShareId) -> Option<&mut V> {
        self.0.get_mut(id)
    }
}

impl IdSet {
    pub(crate) fn contains(&self, id: &ShareId) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn insert(&mut self, id: ShareId) {
        self.0.insert(id, ());
    }
}
