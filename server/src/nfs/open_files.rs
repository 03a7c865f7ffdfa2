use heorot_nfs::handle::Handle;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Files that were read lately, open for the next piece: the kernel reads ahead of one that stays open, and it costs no look at the path. One that was replaced
/// is read on as it was, until it falls out of here; then its handle is stale.
pub(super) struct OpenFiles {
    most: usize,
    open: Mutex<Open>,
}

/// Two halves, as in [`Paths`](super::paths::Paths).
struct Open {
    young: HashMap<Key, Arc<OwnedFd>>,
    old: HashMap<Key, Arc<OwnedFd>>,
    turned: Instant,
}

/// A file: root, place, inode and birth.
type Key = (u32, u64, u64, u32);

/// A file that is not read for so long, up to twice, is closed: it may have been deleted, and take its place on the disk only because of us.
pub(super) const KEPT_OPEN: Duration = Duration::from_secs(5);

impl OpenFiles {
    pub(super) fn new(most: usize) -> Self {
        let open = Open { young: HashMap::new(), old: HashMap::new(), turned: Instant::now() };
        Self { most, open: Mutex::new(open) }
    }

    pub(super) fn find(&self, handle: &Handle) -> Option<Arc<OwnedFd>> {
        let mut open = self.open();
        let key = key(handle);
        if let Some(file) = open.young.get(&key) {
            return Some(Arc::clone(file));
        }
        let file = open.old.remove(&key)?;
        self.put(&mut open, key, Arc::clone(&file));
        Some(file)
    }

    pub(super) fn keep(&self, handle: &Handle, file: Arc<OwnedFd>) {
        self.put(&mut self.open(), key(handle), file);
    }

    /// Closes what was not read for long. Whether some are still open.
    pub(super) fn close_idle(&self) -> bool {
        let mut open = self.open();
        if open.turned.elapsed() >= KEPT_OPEN {
            turn(&mut open);
        }
        !open.young.is_empty() || !open.old.is_empty()
    }

    fn put(&self, open: &mut Open, key: Key, file: Arc<OwnedFd>) {
        open.young.insert(key, file);
        if open.young.len() >= self.most / 2 {
            turn(open);
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // A panic in between loses a file, which is opened again.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let open = self.open();
        open.young.len() + open.old.len()
    }
}

fn turn(open: &mut Open) {
    open.old = std::mem::take(&mut open.young);
    open.turned = Instant::now();
}

fn key(handle: &Handle) -> Key {
    (handle.root.0, handle.place.key, handle.inode, handle.birth)
}
