//! Whether a file holds what it held when it was opened, where the times of its inode do not tell.
//!
//! The time of the last change moves with the content, and as well with rights, owner, name and links: `chmod -R`, a backup by hard links, a rename and its opposite. Whoever loads the
//! file meanwhile is not to be cut for that. A file that was written over in place and got its time back shows the same, and is to be found. So pages from all over the file are
//! compared with what they were: versions of a kernel or of a compressed RAM disk differ everywhere from the first change on, and images of file systems at their beginning or end.

use heorot_core::transfer::ImageIdentity;
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// Pages that are looked at, the first and the last among them: a cold disk that turns needs a quarter of a second for them, once for a version.
const PAGES: u64 = 32;
const PAGE_OCTETS: u64 = 4096;

/// What the pages of one version were.
#[derive(Debug)]
pub(super) struct Witness {
    sum: u64,
    /// The last change of the inode at which they were found to be the same.
    as_of: AtomicU64,
}

/// Those of the versions that are open.
#[derive(Debug, Default)]
pub(super) struct Witnesses(BTreeMap<(u64, u64, u64), Weak<Witness>>);

impl Witness {
    /// Looks at a file that was changed last at this time. The disk may be waited for.
    pub(super) fn of(file: &File, size: u64, changed: u64) -> io::Result<Self> {
        Ok(Self { sum: sum(file, size)?, as_of: AtomicU64::new(changed) })
    }

    /// Whether it is known that the file is the same after its change at this time.
    pub(super) fn vouches_for(&self, changed: u64) -> bool {
        self.as_of.load(Ordering::Relaxed) == changed
    }

    /// Looks whether the file is the same after that change, and remembers it. The disk may be waited for.
    pub(super) fn look(&self, file: &File, size: u64, changed: u64) -> io::Result<bool> {
        let is_same = sum(file, size)? == self.sum;
        if is_same {
            self.as_of.store(changed, Ordering::Relaxed);
        }
        Ok(is_same)
    }
}

impl Witnesses {
    pub(super) fn of(&self, identity: &ImageIdentity) -> Option<Arc<Witness>> {
        self.0.get(&key(identity))?.upgrade()
    }

    /// Keeps a new one, unless somebody else was sooner.
    pub(super) fn keep(&mut self, identity: &ImageIdentity, witness: Witness) -> Arc<Witness> {
        if let Some(known) = self.of(identity) {
            return known;
        }
        self.0.retain(|_, witness| witness.strong_count() > 0);
        let witness = Arc::new(witness);
        self.0.insert(key(identity), Arc::downgrade(&witness));
        witness
    }
}

fn key(identity: &ImageIdentity) -> (u64, u64, u64) {
    (identity.file, identity.size, identity.modified)
}

fn sum(file: &File, size: u64) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut page = [0; PAGE_OCTETS as usize];
    let last = size.saturating_sub(PAGE_OCTETS);
    // Those of a short file lie end to end; beyond its end there are none.
    let place = |number: u64| {
        if last < PAGES * PAGE_OCTETS { number * PAGE_OCTETS } else { last / (PAGES - 1) * number }
    };
    for start in (0..PAGES).map(place).filter(|start| *start < size).chain([last]) {
        let octets = usize::try_from(PAGE_OCTETS.min(size - start)).unwrap_or(page.len());
        file.read_exact_at(&mut page[..octets], start)?;
        hasher.write(&page[..octets]);
    }
    Ok(hasher.finish())
}
