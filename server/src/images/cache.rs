//! Chunks in memory. The one that gives way is the oldest that was not used since it was last looked at: to mark a use is all that a datagram costs.

use heorot_core::transfer::ImageId;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Octets held. A kernel and an initial RAM disk fit several times over; a live image of gigabytes is read as its clients go, in step with most of them.
const OCTETS_MAX: u64 = 256 << 20;

/// The chunks of all images that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    chunks: BTreeMap<(ImageId, u64), Chunk>,
    /// From the one that is looked at next, with the number of its coming. Of chunks that went by themselves something is left until its turn comes.
    turns: VecDeque<((ImageId, u64), u64)>,
    octets: u64,
    came: u64,
}

#[derive(Debug)]
struct Chunk {
    octets: Arc<[u8]>,
    /// Which chunk it was to come.
    came: u64,
    used: Cell<bool>,
}

impl Cache {
    pub(crate) fn has(&self, image: ImageId, chunk: u64) -> bool {
        self.chunks.contains_key(&(image, chunk))
    }

    /// A chunk's octets; it is used now.
    pub(crate) fn get(&self, image: ImageId, chunk: u64) -> Option<&Arc<[u8]>> {
        let chunk = self.chunks.get(&(image, chunk))?;
        chunk.used.set(true);
        Some(&chunk.octets)
    }

    /// Takes a chunk in; others give way until it fits.
    pub(crate) fn insert(&mut self, image: ImageId, chunk: u64, octets: Arc<[u8]>) {
        self.forget((image, chunk));
        self.octets += octets.len() as u64;
        self.came += 1;
        self.turns.push_back(((image, chunk), self.came));
        self.chunks.insert((image, chunk), Chunk { octets, came: self.came, used: Cell::new(true) });
        while self.octets > OCTETS_MAX {
            let (key, came) = self.turns.pop_front().expect("what has octets has a turn");
            match self.chunks.get(&key).filter(|chunk| chunk.came == came) {
                // A second chance.
                Some(chunk) if chunk.used.take() => self.turns.push_back((key, came)),
                Some(_) => drop(self.forget(key)),
                None => {}
            }
        }
        self.sweep();
    }

    /// Takes all chunks of an image out.
    pub(crate) fn remove(&mut self, image: ImageId) -> Vec<Arc<[u8]>> {
        let keys: Vec<_> = self.chunks.range((image, 0)..=(image, u64::MAX)).map(|(key, _)| *key).collect();
        keys.into_iter().filter_map(|key| self.forget(key)).collect()
    }

    #[cfg(test)]
    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }

    /// What is left of chunks that went is not to outgrow those that are here.
    fn sweep(&mut self) {
        if self.turns.len() > 2 * self.chunks.len() {
            let chunks = &self.chunks;
            self.turns.retain(|(key, came)| chunks.get(key).is_some_and(|chunk| chunk.came == *came));
        }
    }

    fn forget(&mut self, key: (ImageId, u64)) -> Option<Arc<[u8]>> {
        let chunk = self.chunks.remove(&key)?;
        self.octets -= chunk.octets.len() as u64;
        Some(chunk.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    #[test]
    fn what_was_not_used_gives_way() {
        let mut cache = Cache::default();
        let image = ImageId(1);
        for chunk in 0..256 {
            cache.insert(image, chunk, vec![0; MEGABYTE].into());
        }
        // All have just come, and get their second chance; from now on a use counts.
        cache.insert(image, 256, vec![0; MEGABYTE].into());
        assert!(!cache.has(image, 0) && cache.has(image, 1));
        assert!(cache.get(image, 1).is_some());
        cache.insert(ImageId(2), 0, vec![0; 2 * MEGABYTE].into());
        assert!(cache.has(image, 1) && !cache.has(image, 2) && !cache.has(image, 3) && cache.has(image, 4));
        assert!(cache.get(image, 2).is_none());
        assert_eq!(cache.octets, OCTETS_MAX);
    }

    #[test]
    fn nothing_is_left_of_what_went() {
        let mut cache = Cache::default();
        for image in 0..1000 {
            cache.insert(ImageId(image), 0, vec![0; MEGABYTE].into());
            cache.insert(ImageId(image), 0, vec![0; MEGABYTE].into());
            assert_eq!(cache.octets, 1 << 20, "a chunk that came twice counts once");
            assert_eq!(cache.remove(ImageId(image)).len(), 1);
        }
        assert_eq!((cache.octets, cache.chunks.len()), (0, 0));
        assert!(cache.turns.len() <= 2, "{} turns", cache.turns.len());
    }
}
