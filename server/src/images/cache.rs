//! Chunks in memory, the least recently used of which gives way.

use heorot_core::transfer::ImageId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Octets held. A kernel and an initial RAM disk fit several times over; a live image of gigabytes is read as its clients go, in step with most of them.
const OCTETS_MAX: u64 = 256 << 20;

/// The chunks of all images that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    chunks: BTreeMap<(ImageId, u64), Chunk>,
    /// From the one that was used longest ago.
    by_use: BTreeMap<u64, (ImageId, u64)>,
    octets: u64,
    uses: u64,
}

#[derive(Debug)]
struct Chunk {
    octets: Arc<[u8]>,
    used: u64,
}

impl Cache {
    pub(crate) fn has(&self, image: ImageId, chunk: u64) -> bool {
        self.chunks.contains_key(&(image, chunk))
    }

    pub(crate) fn get(&self, image: ImageId, chunk: u64) -> Option<&[u8]> {
        self.chunks.get(&(image, chunk)).map(|chunk| &*chunk.octets)
    }

    /// Makes a chunk the one used last. False: it is not here.
    pub(crate) fn touch(&mut self, image: ImageId, chunk: u64) -> bool {
        let Some(found) = self.chunks.get_mut(&(image, chunk)) else { return false };
        self.by_use.remove(&found.used);
        self.uses += 1;
        found.used = self.uses;
        self.by_use.insert(self.uses, (image, chunk));
        true
    }

    /// Takes a chunk in; others give way until it fits.
    pub(crate) fn insert(&mut self, image: ImageId, chunk: u64, octets: Arc<[u8]>) {
        self.forget((image, chunk));
        self.octets += octets.len() as u64;
        self.uses += 1;
        self.by_use.insert(self.uses, (image, chunk));
        self.chunks.insert((image, chunk), Chunk { octets, used: self.uses });
        while self.octets > OCTETS_MAX {
            let (_, oldest) = self.by_use.first_key_value().expect("what has octets has chunks");
            self.forget(*oldest);
        }
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

    fn forget(&mut self, key: (ImageId, u64)) -> Option<Arc<[u8]>> {
        let chunk = self.chunks.remove(&key)?;
        self.by_use.remove(&chunk.used);
        self.octets -= chunk.octets.len() as u64;
        Some(chunk.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_gives_way() {
        const MEGABYTES: usize = 1 << 20;
        let mut cache = Cache::default();
        let image = ImageId(1);
        for chunk in 0..256 {
            cache.insert(image, chunk, vec![0; MEGABYTES].into());
        }
        assert!(cache.touch(image, 0));
        cache.insert(ImageId(2), 0, vec![0; 2 * MEGABYTES].into());
        assert!(cache.has(image, 0) && !cache.has(image, 1) && !cache.has(image, 2) && cache.has(image, 3));
        assert!(!cache.touch(image, 1));
        cache.insert(image, 0, vec![0; MEGABYTES].into());
        assert_eq!(cache.octets, OCTETS_MAX, "a chunk that came twice counts once");
        assert_eq!(cache.remove(image).len(), 254);
        assert_eq!((cache.octets, cache.chunks.len(), cache.by_use.len()), (2 << 20, 1, 1));
    }
}
