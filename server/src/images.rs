//! The bytes of images, for the loop: what is in memory, and how what is not gets there without the loop touching a disk.
//!
//! - [`directory`]: `boot.directory`, and nothing outside it;
//! - [`editions`]: files that belong together, in the version that a boot saw; [`given`]: which those were, on disk, for the process after this one;
//! - [`witness`] and [`lineage`]: files that were touched, and have the content that they had;
//! - [`worker`]: the threads that open and read; [`jobs`]: what they are to do, and in which order;
//! - [`mounts`]: on which file system a path ends;
//! - [`folding`]: names whose capital letters are not the file's;
//! - [`netascii`]: files as texts;
//! - [`cache`]: the chunks in memory, within a bound;
//! - [`retained`]: some of them, as they were, for a thread that sends.

mod cache;
pub(crate) mod directory;
mod editions;
mod folding;
mod given;
mod jobs;
mod lineage;
mod mounts;
mod netascii;
mod retained;
mod witness;
mod worker;

use crate::disks::{Overdue, Pool};
use crate::notes::checksum;
use crate::wake::Caller;
use cache::Cache;
use directory::BootDirectory;
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::transfer::{ImageId, ImageIdentity, Input, Opened, TransferId};
use heorot_core::wire::tftp::Mode;
use jobs::{Job, Jobs};
pub(crate) use retained::Retained;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
pub(crate) use worker::Done;
pub(crate) use worker::Wanted;

/// The images of all transfers.
pub(crate) struct Images {
    jobs: Arc<Pool<Jobs>>,
    results: Receiver<Done>,
    ids: Arc<AtomicU64>,
    /// How many openings of each image are not closed.
    users: BTreeMap<ImageId, u32>,
    /// Generated files, each with one user.
    generated: BTreeMap<ImageId, Arc<[u8]>>,
    cache: Cache,
    /// Chunks that were asked for and have not come.
    fetching: BTreeSet<(ImageId, u64)>,
}

impl Images {
    /// Starts the threads that read. `results` and `caller` are the two ends of a line to the loop.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(
        directory: BootDirectory,
        caller: Caller<Done>,
        results: Receiver<Done>,
    ) -> io::Result<Self> {
        let ids = Arc::new(AtomicU64::new(1));
        let jobs = worker::start(&directory, &ids, &caller)?;
        Ok(Self {
            jobs,
            results,
            ids,
            users: BTreeMap::new(),
            generated: BTreeMap::new(),
            cache: Cache::default(),
            fetching: BTreeSet::new(),
        })
    }

    /// Has a file below the boot directory opened; [`Images::take`] tells how it went.
    pub(crate) fn open(&self, transfer: TransferId, wanted: Wanted) {
        self.jobs.put(Job::Open { transfer, wanted });
    }

    /// The transfer has ended that waited for its file to be opened. Whether that will not be told any more.
    pub(crate) fn forget(&self, peer: Ipv4Addr, transfer: TransferId) -> bool {
        self.jobs.in_lines(|jobs| jobs.forget(peer, transfer)).contains(&true)
    }

    /// Opens a generated file.
    pub(crate) fn open_text(&mut self, text: &str, mode: Mode) -> Opened {
        let text = match mode {
            Mode::Octet => text.as_bytes().to_vec(),
            Mode::Netascii => netascii::converted(text.as_bytes()),
        };
        let image = ImageId(self.ids.fetch_add(1, Ordering::Relaxed));
        let size = text.len() as u64;
        let identity = ImageIdentity { file: checksum(&text), size, modified: 0 };
        self.generated.insert(image, text.into());
        self.users.insert(image, 1);
        Opened { image, identity }
    }

    /// Has a chunk brought into memory. What can be said at once comes back; else [`Images::take`] tells.
    pub(crate) fn fetch(&mut self, image: ImageId, chunk: u64) -> Option<Input<'static>> {
        if self.generated.contains_key(&image) || self.cache.has(image, chunk) {
            return Some(Input::Fetched { image, chunk });
        }
        if self.fetching.insert((image, chunk)) {
            self.jobs.put(Job::Fetch { image, chunk });
        }
        None
    }

    /// One user less; with the last one the image goes, and its chunks with it.
    pub(crate) fn close(&mut self, image: ImageId) {
        let Some(users) = self.users.get_mut(&image) else { return };
        *users -= 1;
        let last = *users == 0;
        if last {
            self.users.remove(&image);
        }
        if self.generated.remove(&image).is_some() {
            return;
        }
        if last {
            self.fetching.retain(|(fetched, _)| *fetched != image);
            self.jobs.in_lines(|jobs| jobs.forget_chunks(image));
        }
        // Giving back a hundred megabytes takes the kernel milliseconds: not on the loop.
        let chunks = if last { self.cache.remove(image) } else { Vec::new() };
        self.jobs.put(Job::Close { image, chunks });
    }

    /// What the threads have done, if anything, as the transfers are to be told.
    pub(crate) fn take(&mut self) -> Option<Input<'static>> {
        loop {
            match self.results.try_recv().ok()? {
                Done::Opened { transfer, result } => {
                    if let Ok(opened) = result {
                        *self.users.entry(opened.image).or_insert(0) += 1;
                    }
                    return Some(Input::Opened { transfer, result });
                }
                Done::Fetched { image, chunk, octets } => {
                    self.fetching.remove(&(image, chunk));
                    if self.users.contains_key(&image) {
                        self.cache.insert(image, chunk, octets);
                        return Some(Input::Fetched { image, chunk });
                    }
                }
                Done::Broken { image, chunk, why } => {
                    self.fetching.remove(&(image, chunk));
                    if self.users.contains_key(&image) {
                        return Some(Input::Broken { image, why });
                    }
                }
            }
        }
    }

    /// The octets of a range that spans no more than two chunks, in two pieces; the second is empty if one holds all. None: not in memory.
    pub(crate) fn octets(&self, image: ImageId, range: Range<u64>) -> Option<[&[u8]; 2]> {
        if let Some(text) = self.generated.get(&image) {
            return Some([slice(text, range, 0)?, &[]]);
        }
        pieces(range, |chunk| self.cache.get(image, chunk).map(|octets| &**octets))
    }

    /// The octets of a range as they are now, whatever becomes of the image; and where those end that are in memory.
    pub(crate) fn keep(&self, image: ImageId, range: Range<u64>) -> (Retained, u64) {
        if let Some(text) = self.generated.get(&image) {
            return (Retained::whole(text), range.end);
        }
        Retained::chunks(range, |chunk| self.cache.get(image, chunk))
    }

    /// Where the threads have waited for long, at a moment.
    pub(crate) fn overdue(&self) -> Overdue {
        self.jobs.watched()
    }

    /// How many images are open, and how many octets of them are in memory.
    #[cfg(test)]
    fn held(&self) -> (usize, u64) {
        (self.users.len(), self.cache.octets())
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        self.jobs.end();
    }
}

/// The octets of a range of chunks, of which it touches two at the most.
fn pieces<'a>(range: Range<u64>, get: impl Fn(u64) -> Option<&'a [u8]>) -> Option<[&'a [u8]; 2]> {
    if range.is_empty() {
        return Some([&[], &[]]);
    }
    let (first, last) = (range.start / CHUNK_OCTETS, (range.end - 1) / CHUNK_OCTETS);
    if first == last {
        return Some([slice(get(first)?, range, first)?, &[]]);
    }
    let border = last * CHUNK_OCTETS;
    let front = slice(get(first)?, range.start..border, first)?;
    Some([front, slice(get(last)?, border..range.end, last)?])
}

/// The part of a chunk that a range of the whole image is.
fn slice(octets: &[u8], range: Range<u64>, chunk: u64) -> Option<&[u8]> {
    let start = usize::try_from(range.start.checked_sub(chunk * CHUNK_OCTETS)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(chunk * CHUNK_OCTETS)?).ok()?;
    octets.get(start..end)
}

#[cfg(test)]
mod tests;
