//! A map keyed by share ids that cannot be iterated, so that no rule can come to depend on the order of a hash table.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::units::ShareId;

/// Constant-time look-up by id: the cost of a check must not grow with the length of the chain.
#[derive(Clone, Debug)]
pub(crate) struct IdMap<V>(HashMap<ShareId, V, BuildHasherDefault<IdHasher>>);

/// Takes the first eight bytes of an id as its hash: they are uniform, and choosing them costs proof of work.
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
        Self(HashMap::default())
    }
}

impl<V> IdMap<V> {
    pub(crate) fn get(&self, id: &ShareId) -> Option<&V> {
        self.0.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &ShareId) -> Option<&mut V> {
        self.0.get_mut(id)
    }

    pub(crate) fn contains(&self, id: &ShareId) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn insert(&mut self, id: ShareId, value: V) -> Option<V> {
        self.0.insert(id, value)
    }

    pub(crate) fn remove(&mut self, id: &ShareId) -> Option<V> {
        self.0.remove(id)
    }
}
