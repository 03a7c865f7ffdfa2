use heorot_nfs::handle::Place;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Where files are, by the key of their place: what was asked for lately, within a bound. Nothing is lost with what is forgotten but time.
pub(super) struct Paths {
    octets_max: usize,
    known: Mutex<Known>,
}

/// Two halves: what was asked for since the older one was full, and what was before. A path that is found in the older one moves to the younger.
#[derive(Default)]
struct Known {
    young: Half,
    old: Half,
    young_octets: usize,
}

type Half = HashMap<u64, Arc<[u8]>, BuildHasherDefault<Plain>>;

/// What a path costs beside its own octets: its place in the table, and the counts before it.
const OVERHEAD_OCTETS: usize = 48;

impl Paths {
    pub(super) fn new(octets_max: usize) -> Self {
        Self { octets_max, known: Mutex::default() }
    }

    /// The path of a place, if it is known.
    pub(super) fn find(&self, place: &Place) -> Option<Arc<[u8]>> {
        let mut known = self.known();
        if let Some(path) = known.young.get(&place.key) {
            return Some(Arc::clone(path));
        }
        let path = known.old.remove(&place.key)?;
        self.put(&mut known, place.key, Arc::clone(&path));
        Some(path)
    }

    /// Remembers what has this name in the directory of this path.
    pub(super) fn remember(&self, place: &Place, directory: &[u8], name: &[u8]) {
        let mut known = self.known();
        if known.young.contains_key(&place.key) {
            return;
        }
        let path = known.old.remove(&place.key).unwrap_or_else(|| joined(directory, name).into());
        self.put(&mut known, place.key, path);
    }

    fn put(&self, known: &mut Known, key: u64, path: Arc<[u8]>) {
        known.young_octets += path.len() + OVERHEAD_OCTETS;
        known.young.insert(key, path);
        if known.young_octets > self.octets_max / 2 {
            known.old = std::mem::take(&mut known.young);
            known.young_octets = 0;
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // A panic in between loses a path, which is found again.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are known.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let known = self.known();
        known.young.len() + known.old.len()
    }
}

/// A path and a name behind it; the path of a root is empty.
pub(super) fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        [] => name.to_vec(),
        directory => [directory, b"/", name].concat(),
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        debug_assert!(false, "keys are numbers: {octets:?}");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
