//! The server's boot directory: which files there are, what of them is in memory, and a disk that has one head and takes its time.

use crate::machine::Kind;
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::time::Time;
use heorot_core::transfer::{ImageId, ImageIdentity, Opened};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The files of the boot directory, each with its size.
///
/// The configuration has one boot file for all UEFI machines; in a mix of them every kind loads one of its own size by that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<(String, Option<Kind>), u64>);

impl Files {
    /// There is this file, for all machines.
    pub fn insert(&mut self, path: &str, octets: u64) {
        self.0.insert((path.into(), None), octets);
    }

    /// There is this file, for machines of one kind.
    pub fn insert_for(&mut self, kind: Kind, path: &str, octets: u64) {
        self.0.insert((path.into(), Some(kind)), octets);
    }
}

/// How the disk behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskMood {
    /// Before it opens a file, or gives the first octet of a chunk.
    pub latency: Duration,
    /// How fast it reads.
    pub octets_per_second: u64,
}

/// The disk, and what of it is in memory.
#[derive(Debug)]
pub(crate) struct Disk {
    places: BTreeMap<(String, Option<Kind>), usize>,
    files: Vec<File>,
    texts: BTreeMap<ImageId, Vec<u8>>,
    next_text: u64,
    mood: DiskMood,
    free_at: Time,
    /// Chunks in memory in the order in which they came, and how many there may be.
    chunks: VecDeque<(usize, usize)>,
    chunks_max: usize,
}

#[derive(Debug)]
struct File {
    octets: u64,
    users: u32,
    in_memory: Vec<bool>,
}

/// Images that are texts are counted from here, files from zero.
const TEXTS_FROM: u64 = 1 << 32;

impl Disk {
    /// A disk with these files, and room for so many octets of them in memory.
    pub(crate) fn new(files: &Files, mood: DiskMood, cache_octets: u64) -> Self {
        let file = |octets: &u64| File {
            octets: *octets,
            users: 0,
            in_memory: vec![false; usize::try_from(octets / CHUNK_OCTETS + 1).expect("images fit in memory")],
        };
        Self {
            places: files.0.keys().cloned().zip(0..).collect(),
            files: files.0.values().map(file).collect(),
            texts: BTreeMap::new(),
            next_text: TEXTS_FROM,
            mood,
            free_at: Time::from_nanoseconds(0),
            chunks: VecDeque::new(),
            chunks_max: usize::try_from(cache_octets / CHUNK_OCTETS).unwrap_or(usize::MAX).max(1),
        }
    }

    /// The disk changes its behaviour.
    pub(crate) fn set_mood(&mut self, mood: DiskMood) {
        self.mood = mood;
    }

    /// Has a file opened for a machine of this kind. When that is done, and what it is.
    pub(crate) fn open(&mut self, now: Time, path: &str, kind: Option<Kind>) -> (Time, Option<Opened>) {
        let find = |kind| self.places.get(&(path.to_owned(), kind)).copied();
        let place = find(kind).or_else(|| find(None));
        let opened = place.map(|place| {
            let size = self.files[place].octets;
            let identity = ImageIdentity { file: place as u64, size, modified: 1 };
            Opened { image: ImageId(place as u64), identity }
        });
        (now + self.mood.latency, opened)
    }

    /// A file has been opened for somebody.
    pub(crate) fn opened(&mut self, image: ImageId) {
        if let Some(file) = self.file(image) {
            file.users += 1;
        }
    }

    /// Opens a text that was made for somebody.
    pub(crate) fn open_text(&mut self, text: &str) -> Opened {
        let image = ImageId(self.next_text);
        self.next_text += 1;
        let size = text.len() as u64;
        let identity = ImageIdentity { file: fingerprint(text.as_bytes()), size, modified: 0 };
        self.texts.insert(image, text.as_bytes().into());
        Opened { image, identity }
    }

    /// One user less. With the last one, its chunks go.
    pub(crate) fn close(&mut self, image: ImageId) {
        if self.texts.remove(&image).is_some() {
            return;
        }
        let Some(file) = self.file(image) else { return };
        file.users = file.users.saturating_sub(1);
        if file.users == 0 {
            file.in_memory.fill(false);
            let place = usize::try_from(image.0).ok();
            self.chunks.retain(|(of, _)| Some(*of) != place);
        }
    }

    /// Has a chunk read. When it is in memory.
    pub(crate) fn fetch(&mut self, now: Time, image: ImageId, chunk: u64) -> Time {
        if self.has(image, chunk) {
            return now;
        }
        let octets = self
            .file(image)
            .map_or(0, |file| file.octets.saturating_sub(chunk * CHUNK_OCTETS).min(CHUNK_OCTETS));
        let reading = octets.saturating_mul(1_000_000_000) / self.mood.octets_per_second.max(1);
        self.free_at = self.free_at.max(now) + self.mood.latency + Duration::from_nanos(reading);
        self.free_at
    }

    /// A chunk has been read. Room is made for it if there is none.
    pub(crate) fn fetched(&mut self, image: ImageId, chunk: u64) {
        let (Ok(place), Ok(chunk)) = (usize::try_from(image.0), usize::try_from(chunk)) else { return };
        let Some(slot) =
            self.file(image).filter(|file| file.users > 0).and_then(|f| f.in_memory.get_mut(chunk))
        else {
            return;
        };
        if std::mem::replace(slot, true) {
            return;
        }
        self.chunks.push_back((place, chunk));
        if self.chunks.len() > self.chunks_max
            && let Some((place, chunk)) = self.chunks.pop_front()
        {
            self.files[place].in_memory[chunk] = false;
        }
    }

    /// Whether a chunk can be sent from.
    pub(crate) fn has(&self, image: ImageId, chunk: u64) -> bool {
        let chunk = usize::try_from(chunk).unwrap_or(usize::MAX);
        let file = usize::try_from(image.0).ok().and_then(|place| self.files.get(place));
        file.is_none_or(|file| file.in_memory.get(chunk).copied().unwrap_or(true))
    }

    /// The text of an image that is one.
    pub(crate) fn text(&self, image: ImageId) -> Option<&[u8]> {
        self.texts.get(&image).map(Vec::as_slice)
    }

    /// The server has died: nothing is open and nothing in memory.
    pub(crate) fn crash(&mut self) {
        for file in &mut self.files {
            file.users = 0;
            file.in_memory.fill(false);
        }
        self.texts.clear();
        self.chunks.clear();
    }

    /// How many files and texts are open.
    pub(crate) fn open_count(&self) -> usize {
        self.texts.len() + self.files.iter().filter(|file| file.users > 0).count()
    }

    fn file(&mut self, image: ImageId) -> Option<&mut File> {
        usize::try_from(image.0).ok().and_then(|place| self.files.get_mut(place))
    }
}

/// FNV-1a, 64 bits.
fn fingerprint(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
