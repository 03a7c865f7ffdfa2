//! Whether a file that is open was written to, where the times of its inode do not tell.
//!
//! The time of the last change moves with the content, and as well with rights, owner, name and links: `chmod -R`, a backup by hard links, a rename and its opposite. Whoever loads the
//! file meanwhile is not to be cut for that. A file that was written over in place and got its time back shows the same, and has to be found: so the kernel is asked to tell the two apart
//! (inotify(7)). Of what it does not tell, as of a change by another host, it is taken that the content was changed; also where the time of the last access alone was set, which it tells like each
//! reading of ours.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

/// An event comes a moment after the change that it tells of can be seen.
const EVENT_COMES_WITHIN: Duration = Duration::from_millis(5);
/// Within so long another change may have the same time: kernels before 6.13 stamp files by their ticks, of 10 ms at most, and an event comes later.
const SAME_TIME_WITHIN: Duration = Duration::from_millis(20);
/// How often is looked at a file that is touched while it is looked at.
const LOOKS_MAX: usize = 16;
/// Room for some events at a time: they are told without names.
const EVENTS_OCTETS: usize = 1024;

/// What the kernel tells of the files that are open.
#[derive(Debug)]
pub(super) struct Watches {
    /// None: the kernel has none for us.
    inotify: Option<OwnedFd>,
    /// By the kernel's number of each watch, of which a file has one, however often it is open.
    told: Mutex<BTreeMap<i32, Told>>,
    /// How many watches have ended.
    ended: AtomicU64,
}

/// What was told of a file since it was opened first.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    writes: u64,
    /// Changes of anything but its content.
    touches: u64,
    /// How often more happened than there is room for: nobody knows whether to this file.
    overflows: u64,
    /// How many watch it.
    watchers: usize,
}

/// A file that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    watches: Arc<Watches>,
    descriptor: i32,
    /// What was told of it before.
    before: Told,
}

/// Who sees what happens to a version of a file from its opening on.
#[derive(Debug)]
pub(super) struct Witness {
    watch: Watch,
    known: Mutex<Known>,
}

/// The last change of an inode that is known to be none of the content.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// When that was.
    changed: u64,
    /// The touches that were told by then.
    touches: u64,
    /// Whether any change since has another time.
    is_settled: bool,
}

impl Default for Watches {
    fn default() -> Self {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        Self { inotify, told: Mutex::default(), ended: AtomicU64::new(0) }
    }
}

impl Watches {
    /// Watches a file from now on. None: it cannot be watched.
    pub(super) fn watch(self: &Arc<Self>, file: &File) -> Option<Watch> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
        let (descriptor, mut told) = (0..LOOKS_MAX).find_map(|_| {
            let ended = self.ended.load(Ordering::Acquire);
            // Without the lock, which every opening takes: the file system is asked whether this user may read the file.
            let descriptor = inotify::add_watch(self.inotify.as_ref()?, &path, flags).ok()?;
            let told = self.told();
            // Whoever was the last to watch this file may have ended just this watch.
            let is_there = told.contains_key(&descriptor) || self.ended.load(Ordering::Acquire) == ended;
            is_there.then_some((descriptor, told))
        })?;
        told.entry(descriptor).or_default().watchers += 1;
        self.take_events(&mut told);
        Some(Watch { watches: Arc::clone(self), descriptor, before: told[&descriptor] })
    }

    /// Waits until something is told, or for so long.
    pub(super) fn wait(&self, within: Duration) {
        let Some(inotify) = &self.inotify else { return thread::sleep(within) };
        let told = &mut [PollFd::new(inotify, PollFlags::IN)];
        // A signal that comes between costs a look in vain.
        let _ = poll(told, Timespec::try_from(within).ok().as_ref());
    }

    /// Takes what was told since.
    fn take_events(&self, told: &mut BTreeMap<i32, Told>) {
        let Some(inotify) = &self.inotify else { return };
        let mut room = [MaybeUninit::uninit(); EVENTS_OCTETS];
        let mut reader = inotify::Reader::new(inotify, &mut room);
        while let Ok(event) = reader.next() {
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                told.values_mut().for_each(|told| told.overflows += 1);
            } else if let Some(told) = told.get_mut(&event.wd()) {
                // When it is gone from the disk, another one may have its inode.
                let is_write = event.events().intersects(ReadFlags::MODIFY | ReadFlags::IGNORED);
                *if is_write { &mut told.writes } else { &mut told.touches } += 1;
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<i32, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness {
    /// Of a file whose inode was changed last at this time, as was seen when it was watched already.
    pub(super) fn new(watch: Watch, changed: u64) -> Self {
        let touches = watch.before.touches;
        Self { watch, known: Mutex::new(Known { changed, touches, is_settled: !is_fresh(changed) }) }
    }

    /// Whether the content is what it was, after a change of the inode at this time; `changed_now` tells when it was changed last.
    ///
    /// # Errors
    /// Those of `changed_now`.
    pub(super) fn is_same(
        &self,
        changed: u64,
        changed_now: impl Fn() -> io::Result<u64>,
    ) -> io::Result<bool> {
        let mut known = self.known();
        let mut told = self.watch.told();
        if self.is_written(told) {
            return Ok(false);
        }
        if known.changed == changed && known.is_settled && known.touches == told.touches {
            return Ok(true);
        }
        if known.changed != changed && known.touches == told.touches {
            thread::sleep(EVENT_COMES_WITHIN);
            told = self.watch.told();
        }
        // It may be touched twice at a time, as by `chown` and `chmod`: what was told belongs to the last time before it. Also where that is known already: a touch of the same time does not excuse
        // the next change.
        let mut changed = changed;
        for _ in 0..LOOKS_MAX {
            let now = changed_now()?;
            if now == changed {
                break;
            }
            changed = now;
            told = self.watch.told();
        }
        let is_settled = !is_fresh(changed);
        let touches = told.touches;
        if !is_settled {
            thread::sleep(EVENT_COMES_WITHIN);
            told = self.watch.told();
        }
        let all_is_told = told.overflows == self.watch.before.overflows;
        let is_explained = match changed == known.changed {
            true => known.is_settled || all_is_told,
            false => touches != known.touches && all_is_told,
        };
        let is_same = is_explained && !self.is_written(told);
        if is_same {
            *known = Known { changed, touches, is_settled };
        }
        Ok(is_same)
    }

    /// Whether it was touched, and not written to, since that was last looked at.
    pub(super) fn was_touched(&self) -> bool {
        let known = self.known().touches;
        let told = self.watch.told();
        !self.is_written(told) && told.touches != known
    }

    /// Whether it was written to since it was watched. A write that takes long has the time of its beginning, which may be before that; of its end is told.
    fn is_written(&self, told: Told) -> bool {
        told.writes != self.watch.before.writes
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an inode was changed at this time so short a while ago that another change may have the same time. One that is to come, as where the clock was set back, is not met again.
fn is_fresh(changed: u64) -> bool {
    let changed = UNIX_EPOCH + Duration::from_nanos(changed);
    let since = changed.elapsed().unwrap_or_else(|ahead| ahead.duration());
    since < SAME_TIME_WITHIN
}

impl Watch {
    fn told(&self) -> Told {
        let mut told = self.watches.told();
        self.watches.take_events(&mut told);
        told[&self.descriptor]
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut told = self.watches.told();
        let Some(of_file) = told.get_mut(&self.descriptor) else { return };
        of_file.watchers -= 1;
        if of_file.watchers == 0 {
            told.remove(&self.descriptor);
            self.watches.ended.fetch_add(1, Ordering::Release);
            if let Some(inotify) = &self.watches.inotify {
                // The file may be gone, and its watch with it.
                let _ = inotify::remove_watch(inotify, self.descriptor);
            }
        }
    }
}

#[cfg(test)]
mod tests;
