//! A persistent ordered map: clones share their common entries.

use std::ops::RangeBounds;

use rpds::RedBlackTreeMapSync;

#[cfg(test)]
mod tests;

/// Balanced tree, so keys that peers choose cannot slow it down. A clone copies one pointer, whatever the size. A
/// change after a clone copies one path of the tree; the only entry it copies is the one that [`Ordered::get_mut`]
/// returns.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<K: Ord, V>(RedBlackTreeMapSync<K, V>);

impl<K: Ord, V> Default for Ordered<K, V> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl<K: Ord, V> Ordered<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.size()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Entry with the lowest key.
    pub(crate) fn first(&self) -> Option<(&K, &V)> {
        self.0.first()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter()
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn range(&self, range: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.0.range(range)
    }
}

impl<K: Ord + Clone, V: Clone> Ordered<K, V> {
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert_mut(key, value);
    }

    /// Removes an entry and returns its value.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.0.get(key)?.clone();
        self.0.remove_mut(key);
        Some(value)
    }
}
