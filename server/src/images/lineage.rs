//! Files that were touched and have the content that they had: they are what they were, also for whoever asks for them again, and for the process after this one.
//!
//! What tells a file from itself as it was before is the time of the last change of its inode, which also moves with its rights, owner, name and links. Of a file that was opened here
//! the kernel tells which of the two it was ([`super::witness`]). Then it goes on under the time that it had when it was opened first, and that is kept on disk: what was touched while nobody
//! looked counts as another one.

use super::witness::Witness;
use crate::wake::whole;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Files that are followed: more than any site boots at a time. Beyond that the one that was opened longest ago gives way.
const FILES_MAX: usize = 1024;

/// A file is its device and its inode.
type Key = (u64, u64);

/// All files that are followed.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// Where it is kept which of them were touched. None: nowhere.
    place: Option<PathBuf>,
    files: BTreeMap<Key, Followed>,
    opened: u64,
    /// Whether what is to be kept is other than what was written.
    is_unwritten: bool,
}

#[derive(Clone, Debug)]
struct Followed {
    name: String,
    version: Version,
    /// None: nobody sees what happens to it, as when it was opened by the process before this one.
    witness: Option<Arc<Witness>>,
    /// Whether it may be looked at without waiting for others than disks of this host.
    is_near: bool,
    /// Its place among the openings.
    opened: u64,
}

/// A file's content, and the times of its inode under which it has been that. In nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    size: u64,
    modified: u64,
    first: u64,
    last: u64,
}

/// The same on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    device: u64,
    inode: u64,
    name: String,
    #[serde(flatten)]
    version: Version,
}

/// What was found of a file when it was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) modified: u64,
    pub(super) changed: u64,
    pub(super) is_near: bool,
}

impl Lineage {
    /// Reads what the process before this one kept. Whatever is wrong with the file: then nothing is known.
    pub(super) fn kept_at(place: PathBuf) -> Self {
        let read = std::fs::read(&place).ok();
        let kept: Vec<Kept> = read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let files = kept.into_iter().take(FILES_MAX).map(|Kept { device, inode, name, version }| {
            let followed = Followed { name, version, witness: None, is_near: false, opened: 0 };
            ((device, inode), followed)
        });
        Self { files: files.collect(), place: Some(place), opened: 0, is_unwritten: false }
    }

    /// The files that were touched since that was last looked at.
    pub(super) fn touched(&self) -> Vec<String> {
        let has_news = |followed: &&Followed| {
            followed.is_near && followed.witness.as_ref().is_some_and(|witness| witness.was_touched())
        };
        self.files.values().filter(has_news).map(|followed| followed.name.clone()).collect()
    }

    fn keep(&mut self, key: Key, followed: Followed) {
        let (is_touched, version) = (followed.version.is_touched(), followed.version);
        let before = self.files.insert(key, followed).map(|before| before.version);
        let was_touched = before.is_some_and(|before| before.is_touched());
        let gone = (self.files.len() > FILES_MAX).then(|| self.forget_oldest()).flatten();
        let is_other = before != Some(version) && (is_touched || was_touched);
        self.is_unwritten |= is_other || gone.is_some_and(|gone| gone.is_touched());
    }

    fn forget_oldest(&mut self) -> Option<Version> {
        let oldest = self.files.iter().min_by_key(|(_, followed)| followed.opened).map(|(key, _)| *key);
        oldest.and_then(|key| self.files.remove(&key)).map(|followed| followed.version)
    }

    /// What is to be written, and where, if there is news.
    fn unwritten(&mut self) -> Option<(PathBuf, Vec<Kept>)> {
        let is_unwritten = std::mem::take(&mut self.is_unwritten);
        let place = self.place.clone().filter(|_| is_unwritten)?;
        let touched = self.files.iter().filter(|(_, followed)| followed.version.is_touched());
        let kept = touched.map(|((device, inode), followed)| Kept {
            device: *device,
            inode: *inode,
            name: followed.name.clone(),
            version: followed.version,
        });
        Some((place, kept.collect()))
    }
}

/// Keeps for the process after this one which files were touched, if there is news; not to be called twice at a time.
///
/// # Errors
/// It cannot be written.
pub(super) fn keep(lineage: &Mutex<Lineage>) -> io::Result<()> {
    // Written without the lock, which every opening takes: this disk may be slow where that of the boot files is not.
    let unwritten = whole(lineage).unwritten();
    let Some((place, kept)) = unwritten else { return Ok(()) };
    let written = place.with_extension("new");
    std::fs::write(&written, serde_json::to_vec(&kept)?)?;
    std::fs::rename(written, place)
}

impl Version {
    fn is_touched(&self) -> bool {
        self.first != self.last
    }
}

/// The time under which a file goes that was just opened, and from then on is watched: that of the last change of its inode, unless another content of it had the same. `changed_now` tells when that was, by now.
pub(super) fn first_change(
    lineage: &Mutex<Lineage>,
    found: Found<'_>,
    witness: Option<&Arc<Witness>>,
    changed_now: impl Fn() -> io::Result<u64>,
) -> u64 {
    let Found { name, device, inode, size, modified, changed, is_near } = found;
    let key = (device, inode);
    let has_its_content = |known: &Followed| (known.version.size, known.version.modified) == (size, modified);
    let known = whole(lineage).files.get(&key).filter(|known| has_its_content(known)).cloned();
    // Asked without the lock: the disk may be slow.
    let same = known.as_ref().filter(|known| match &known.witness {
        Some(witness) => witness.is_same(changed, changed_now).unwrap_or(false),
        None => known.version.last == changed,
    });
    let first = match (same, &known) {
        (Some(known), _) => known.version.first,
        // It was written over in the tick of its last change, and has the time of that; but not the content.
        (None, Some(known)) if known.version.first >= changed => known.version.first + 1,
        (None, Some(_) | None) => changed,
    };
    // Who has seen it all goes on seeing it.
    let witness = same.and_then(|known| known.witness.as_ref()).or(witness).cloned();
    let mut lineage = whole(lineage);
    lineage.opened += 1;
    let opened = lineage.opened;
    let version = Version { size, modified, first, last: changed };
    lineage.keep(key, Followed { name: name.to_owned(), version, witness, is_near, opened });
    first
}

#[cfg(test)]
mod tests;
