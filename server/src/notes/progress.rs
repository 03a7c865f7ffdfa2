//! How far each noted transfer has come: two words a slot, in memory that the file of notes shares. An ACK costs two stores, and no system call.
#![allow(unsafe_code)]

use super::SLOT_OCTETS;
use heorot_core::limit::TRANSFERS_MAX;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Words of one slot: what was acknowledged, and when that was noted.
const WORDS: usize = 2;
/// Octets of all slots: whole pages.
pub(super) const OCTETS: usize = TRANSFERS_MAX * WORDS * size_of::<u64>();
/// Where they begin in the file: behind the header, at a page's beginning.
pub(super) const BEGINS_AT: usize = 4 * SLOT_OCTETS;
const _: () = assert!(OCTETS.is_multiple_of(4096) && BEGINS_AT.is_multiple_of(4096));

/// The highest bit: the client has acknowledged the options.
const OPTIONS_ACKNOWLEDGED: u64 = 1 << 63;

/// The words of all slots.
#[derive(Debug)]
pub(super) struct Progress {
    words: NonNull<AtomicU64>,
}

// SAFETY: it points to memory that lives as long as itself, and is only used as atomic words.
unsafe impl Send for Progress {}

impl Progress {
    /// Shares its part of the file, which is made if it is not there.
    ///
    /// # Errors
    /// The file system's: it is full, or cannot share memory.
    pub(super) fn open(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() < (BEGINS_AT + OCTETS) as u64 {
            // Written and not only made longer: what the file system has no room for would end the program when it is stored to.
            file.write_all_at(&vec![0; BEGINS_AT + OCTETS], 0)?;
        }
        let (access, shared) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: the kernel chooses where; nothing else is there.
        let start = unsafe { mmap(std::ptr::null_mut(), OCTETS, access, shared, file, BEGINS_AT as u64)? };
        NonNull::new(start.cast())
            .map(|words| Self { words })
            .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// Notes how far a slot's transfer is.
    pub(super) fn set(&self, slot: u32, options_acknowledged: bool, acknowledged: u64, now: Duration) {
        let flag = if options_acknowledged { OPTIONS_ACKNOWLEDGED } else { 0 };
        let Some(words) = self.words().get(slot as usize) else { return };
        // If the program ends between the two, the progress counts as noted earlier than it was.
        words[0].store(flag | acknowledged, Ordering::Relaxed);
        words[1].store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// How far a slot's transfer is, and when that was noted: whether the options were acknowledged, and the last block that was.
    pub(super) fn get(&self, slot: u32) -> Option<(Duration, bool, u64)> {
        let words = self.words().get(slot as usize)?;
        let at = Duration::from_nanos(words[1].load(Ordering::Acquire));
        let word = words[0].load(Ordering::Relaxed);
        Some((at, word & OPTIONS_ACKNOWLEDGED != 0, word & !OPTIONS_ACKNOWLEDGED))
    }

    fn words(&self) -> &[[AtomicU64; WORDS]] {
        // SAFETY: so many words are mapped at the beginning of a page, and stay so until `drop`.
        unsafe { slice::from_raw_parts(self.words.as_ptr().cast(), TRANSFERS_MAX) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // SAFETY: this was mapped with this length, and nothing borrows it any more.
        let unmapped = unsafe { munmap(self.words.as_ptr().cast(), OCTETS) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
