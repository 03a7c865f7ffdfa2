//! The names file as it was read last, and what walks over all of it.

use crate::answer::Refusal;
use heorot_names::NamesFile;
use heorot_names::file::{FileProblem, OCTETS_MAX};
use libc::c_int;
use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A names file: read when it is asked for and has changed.
pub(crate) struct Source {
    path: &'static CStr,
    current: Cell<Option<Current>>,
}

/// What was read, and the file as it was then.
struct Current {
    mark: Mark,
    file: Result<Arc<NamesFile>, Refusal>,
}

/// What changes when a file does: it is replaced as a whole, so that it is another file then.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    device: libc::dev_t,
    inode: libc::ino_t,
    octets: libc::off_t,
    written: (libc::time_t, i64),
    changed: (libc::time_t, i64),
}

impl Source {
    pub(crate) const fn at(path: &'static CStr) -> Self {
        Self { path, current: Cell::new(None) }
    }

    /// The file as it is now: one `stat`, and if it is another one than last time, reading it.
    pub(crate) fn current(&self) -> Result<Arc<NamesFile>, Refusal> {
        let mark = match stat(self.path) {
            Ok(mark) => mark,
            Err(errno) => {
                self.current.with(|current| current.take());
                return Err(refusal(errno));
            }
        };
        let is_current = |current: &Current| current.mark == mark;
        let known =
            self.current.with(|current| current.as_ref().filter(|c| is_current(c)).map(|c| c.file.clone()));
        if let Some(Some(known)) = known {
            return known;
        }
        let (mark, file) = match read(self.path) {
            Ok(read) => read,
            // That may be over in a moment: it is not kept.
            Err(errno) => return Err(refusal(errno)),
        };
        // What was there before is let go outside: freeing much takes a moment.
        let before = self.current.with(|current| current.replace(Current { mark, file: file.clone() }));
        drop(before);
        file
    }
}

/// Who walks over all entries of a database: `set…ent`, `get…ent_r`, `end…ent`.
pub(crate) struct Walk {
    state: Cell<Option<(Arc<NamesFile>, u64)>>,
}

impl Walk {
    pub(crate) const fn new() -> Self {
        Self { state: Cell::new(None) }
    }

    /// Begins anew, with the file as it is now.
    pub(crate) fn start(&self, source: &Source) -> Result<(), Refusal> {
        let file = source.current()?;
        self.state.with(|state| state.replace((file, 0))).map(drop).ok_or(Refusal::Again(libc::EAGAIN))
    }

    /// The next entry; `entry` is given the file and a place, and says which place comes after it. If it refuses, the walk stays where it is.
    pub(crate) fn next(
        &self,
        source: &Source,
        entry: impl FnOnce(&NamesFile, u64) -> Result<u64, Refusal>,
    ) -> Result<(), Refusal> {
        let again = Refusal::Again(libc::EAGAIN);
        let (file, place) = match self.state.with(|state| state.clone()).ok_or(again)? {
            Some(state) => state,
            None => (source.current()?, 0),
        };
        let next = entry(&file, place)?;
        self.state.with(|state| state.replace((file, next))).map(drop).ok_or(again)
    }

    pub(crate) fn end(&self) {
        self.state.with(|state| state.take());
    }
}

/// A value for all threads, held for some instructions only: to look, to take a reference, to put another in its place.
///
/// Nobody waits for long. A lock that was held when another thread forked stays held in the child for ever, and a handler of a signal may
/// have interrupted who holds it; then the file is read once more, and the answer is the same.
struct Cell<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is only reached by who holds it.
unsafe impl<T: Send> Sync for Cell<T> {}

/// How often it is tried to hold a value: first at once, then after all others had a turn.
const TRIES: u32 = 200;
const TRIES_AT_ONCE: u32 = 50;

impl<T> Cell<T> {
    const fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// None: it is held by somebody who does not let it go.
    fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        for turn in 0..TRIES {
            if self.held.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                let _held = Held(&self.held);
                // SAFETY: who sets `held` is the only one until it is not set any more.
                return Some(act(unsafe { &mut *self.value.get() }));
            }
            if turn < TRIES_AT_ONCE {
                std::hint::spin_loop();
            } else {
                // SAFETY: it takes nothing and cannot fail.
                unsafe { libc::sched_yield() };
            }
        }
        None
    }
}

struct Held<'a>(&'a AtomicBool);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn refusal(errno: c_int) -> Refusal {
    match errno {
        libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EAGAIN => Refusal::Again(libc::EAGAIN),
        errno => Refusal::Unavailable(errno),
    }
}

fn errno() -> c_int {
    // SAFETY: every thread has its own.
    unsafe { *libc::__errno_location() }
}

fn stat(path: &CStr) -> Result<Mark, c_int> {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path ends with a zero, and there is room for what the kernel writes.
    match unsafe { libc::stat(path.as_ptr(), found.as_mut_ptr()) } {
        // SAFETY: the kernel has written it.
        0 => Ok(Mark::of(&unsafe { found.assume_init() })),
        _ => Err(errno()),
    }
}

impl Mark {
    fn of(stat: &libc::stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            octets: stat.st_size,
            written: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

unsafe extern "C" {
    /// pthread.h; 1 is PTHREAD_CANCEL_DISABLE.
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

type Read = (Mark, Result<Arc<NamesFile>, Refusal>);

/// Reads the file. An error is the kernel's; a file that is none of ours is refused for good, until it changes.
fn read(path: &CStr) -> Result<Read, c_int> {
    let mut before = 0;
    // open() and read() are where a thread may be cancelled, and no Rust may stand below that. SAFETY: it writes one number.
    unsafe { pthread_setcancelstate(1, &raw mut before) };
    let read = read_uncancelled(path);
    // SAFETY: as above.
    unsafe { pthread_setcancelstate(before, &raw mut before) };
    read
}

fn read_uncancelled(path: &CStr) -> Result<Read, c_int> {
    const FLAGS: c_int = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: the path ends with a zero.
    let descriptor = Descriptor(unsafe { libc::open(path.as_ptr(), FLAGS) });
    if descriptor.0 < 0 {
        return Err(errno());
    }
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for what the kernel writes.
    if unsafe { libc::fstat(descriptor.0, found.as_mut_ptr()) } != 0 {
        return Err(errno());
    }
    // SAFETY: the kernel has written it.
    let found = unsafe { found.assume_init() };
    let mark = Mark::of(&found);
    let octets = usize::try_from(found.st_size).unwrap_or(usize::MAX);
    if found.st_mode & libc::S_IFMT != libc::S_IFREG || octets > OCTETS_MAX {
        return Ok((mark, Err(Refusal::Unavailable(libc::EINVAL))));
    }
    let text = String::from_utf8(descriptor.read(octets)?);
    let Ok(text) = text else { return Ok((mark, Err(Refusal::Unavailable(libc::EINVAL)))) };
    match NamesFile::read(text) {
        Ok(file) => Ok((mark, Ok(Arc::new(file)))),
        Err(error) if error.problem == FileProblem::Memory => Err(libc::ENOMEM),
        Err(_) => Ok((mark, Err(Refusal::Unavailable(libc::EINVAL)))),
    }
}

struct Descriptor(c_int);

impl Descriptor {
    /// So many octets, or fewer if the file has become shorter.
    fn read(&self, octets: usize) -> Result<Vec<u8>, c_int> {
        let mut text: Vec<u8> = Vec::new();
        text.try_reserve_exact(octets).map_err(|_| libc::ENOMEM)?;
        while text.len() < octets {
            let wanted = octets.saturating_sub(text.len());
            // SAFETY: so many octets were reserved behind those that are there.
            let got = unsafe { libc::read(self.0, text.as_mut_ptr().add(text.len()).cast(), wanted) };
            match usize::try_from(got) {
                Ok(0) => break,
                // SAFETY: the kernel has written them.
                Ok(got) => unsafe { text.set_len(text.len().saturating_add(got).min(octets)) },
                Err(_) if errno() == libc::EINTR => {}
                Err(_) => return Err(errno()),
            }
        }
        Ok(text)
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if self.0 >= 0 {
            // SAFETY: it is ours, and nobody uses it any more.
            unsafe { libc::close(self.0) };
        }
    }
}
