//! Which line an address lies in: a hash table with open addressing.

use super::line::LineIndex;

/// Lines by their keys, addresses divided by the size of a line. A power of two of places, never more than half full.
pub(super) struct Index {
    buckets: Vec<Bucket>,
    live: usize,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// 0: empty.
    key: usize,
    line: LineIndex,
}

const EMPTY: Bucket = Bucket { key: 0, line: 0 };

impl Default for Index {
    fn default() -> Self {
        Index { buckets: vec![EMPTY; 64], live: 0 }
    }
}

impl Index {
    #[inline(always)]
    fn slot(&self, key: usize) -> usize {
        // Fibonacci hashing: the high bits of the product are well mixed.
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) & (self.buckets.len() - 1)
    }

    /// The line of a key, if it lies where it is looked for first.
    #[inline(always)]
    pub(super) fn first(&self, key: usize) -> Option<LineIndex> {
        let bucket = self.buckets[self.slot(key)];
        (bucket.key == key).then_some(bucket.line)
    }

    /// Where the key is, or where it would go.
    fn place(&self, key: usize) -> usize {
        let mut slot = self.slot(key);
        while self.buckets[slot].key != key && self.buckets[slot].key != 0 {
            slot = (slot + 1) & (self.buckets.len() - 1);
        }
        slot
    }

    /// The line of a key.
    pub(super) fn find(&self, key: usize) -> Option<LineIndex> {
        let bucket = self.buckets[self.place(key)];
        (bucket.key == key).then_some(bucket.line)
    }

    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, key: usize, line: LineIndex) {
        let slot = self.place(key);
        self.buckets[slot] = Bucket { key, line };
        self.live += 1;
        if self.live * 2 > self.buckets.len() {
            let larger = vec![EMPTY; self.buckets.len() * 2];
            let old = std::mem::replace(&mut self.buckets, larger);
            for bucket in old.into_iter().filter(|bucket| bucket.key != 0) {
                let slot = self.place(bucket.key);
                self.buckets[slot] = bucket;
            }
        }
    }

    /// Takes a key out that is there.
    pub(super) fn remove(&mut self, key: usize) {
        self.live -= 1;
        // Without tombstones: entries behind the hole move up if their own slot allows it.
        let mask = self.buckets.len() - 1;
        let mut hole = self.place(key);
        let mut next = (hole + 1) & mask;
        while self.buckets[next].key != 0 {
            let home = self.slot(self.buckets[next].key);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.buckets[hole] = self.buckets[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.buckets[hole] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Against the standard library's map. Keys are few and close together, so that they collide and come again.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((1_usize..200, any::<bool>()), 1..600)) {
            let (mut index, mut plain) = (Index::default(), HashMap::new());
            for (number, (key, insert)) in steps.into_iter().enumerate() {
                match plain.contains_key(&key) {
                    false if insert => {
                        index.insert(key, number as LineIndex);
                        plain.insert(key, number as LineIndex);
                    }
                    true if !insert => {
                        index.remove(key);
                        plain.remove(&key);
                    }
                    _ => {}
                }
                prop_assert!((1..200).all(|key| index.find(key) == plain.get(&key).copied()));
                prop_assert!((1..200).all(|key| index.first(key).is_none() || index.first(key) == index.find(key)));
            }
        }
    }
}
