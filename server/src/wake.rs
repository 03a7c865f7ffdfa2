//! How threads talk to each other: bounded lines to the loop with one bell that wakes it, and mailboxes of threads that have a loop of their own.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Wakes a loop: an eventfd that its epoll watches.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Arc<OwnedFd>);

impl Bell {
    /// A bell that has not rung.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Wakes the loop, now or as soon as it wants to sleep.
    pub(crate) fn ring(&self) {
        // It fails only when the counter is full, and then the loop is awake already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Silences the bell. What was said before it rang is in the lines by now.
    pub(crate) fn silence(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.0, &mut count);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The end of a line at which other threads speak.
#[derive(Debug)]
pub(crate) struct Caller<T> {
    line: SyncSender<T>,
    bell: Bell,
}

impl<T> Clone for Caller<T> {
    fn clone(&self) -> Self {
        Self { line: self.line.clone(), bell: self.bell.clone() }
    }
}

impl<T> Caller<T> {
    /// Says something; waits while the line is full. False: the loop is gone.
    pub(crate) fn say(&self, what: T) -> bool {
        let heard = self.line.send(what).is_ok();
        self.bell.ring();
        heard
    }

    /// Says something if the line has room.
    ///
    /// # Errors
    /// The line is full, or the loop is gone; what was to be said comes back.
    pub(crate) fn try_say(&self, what: T) -> Result<(), T> {
        let said = self.line.try_send(what).map_err(|e| match e {
            TrySendError::Full(what) | TrySendError::Disconnected(what) => what,
        });
        self.bell.ring();
        said
    }
}

/// A line to the loop that holds so many messages.
pub(crate) fn line<T>(bell: &Bell, bound: usize) -> (Caller<T>, Receiver<T>) {
    let (line, receiver) = sync_channel(bound);
    (Caller { line, bell: bell.clone() }, receiver)
}

/// Tells the loop that a thread is over, whatever ended it, at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Knell(Arc<Mutex<Death>>);

#[derive(Debug, Default)]
struct Death {
    is_over: bool,
    bell: Option<Bell>,
}

/// What the thread holds as long as it lives.
#[derive(Debug)]
pub(crate) struct Life(Knell);

impl Knell {
    /// For the thread to hold. Where several do, the first that ends tells.
    pub(crate) fn life(&self) -> Life {
        Life(self.clone())
    }

    /// Wakes the loop by this bell, also if it is over already.
    pub(crate) fn ring(&self, bell: &Bell) {
        let mut death = whole(&self.0);
        if death.is_over {
            bell.ring();
        }
        death.bell = Some(bell.clone());
    }

    /// Whether a thread is over.
    pub(crate) fn is_over(&self) -> bool {
        whole(&self.0).is_over
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let mut death = whole(&self.0.0);
        death.is_over = true;
        if let Some(bell) = &death.bell {
            bell.ring();
        }
    }
}

/// Where a thread lays what the loop is to know: as much as it likes, for it has no more to say than it has under way.
#[derive(Debug)]
pub(crate) struct Tray<T> {
    things: Mutex<Vec<T>>,
    bell: Bell,
}

impl<T> Tray<T> {
    /// An empty one, of the loop that this bell wakes.
    pub(crate) fn new(bell: &Bell) -> Self {
        Self { things: Mutex::default(), bell: bell.clone() }
    }

    /// Lays all of this there, and wakes the loop if it is anything.
    pub(crate) fn put(&self, things: &mut Vec<T>) {
        if !things.is_empty() {
            whole(&self.things).append(things);
            self.bell.ring();
        }
    }

    /// All that lies there. For the loop.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut *whole(&self.things))
    }
}

/// Where a thread with a loop of its own is told things: a mailbox whose bell its epoll watches, and what it has done so far, for others to read.
#[derive(Debug)]
pub(crate) struct Post<Mailbox, Counts = ()> {
    bell: Bell,
    mailbox: Mutex<Mailbox>,
    counts: Mutex<Counts>,
}

impl<Mailbox: Default, Counts: Copy + Default> Post<Mailbox, Counts> {
    /// One with nothing in it.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { bell: Bell::new()?, mailbox: Mutex::default(), counts: Mutex::default() })
    }

    /// Puts something in, and wakes the thread. Never waits for what the thread does.
    pub(crate) fn tell(&self, put: impl FnOnce(&mut Mailbox)) {
        put(&mut *whole(&self.mailbox));
        self.bell.ring();
    }

    /// All that is in there. For the thread.
    pub(crate) fn take(&self) -> Mailbox {
        // Silenced before the mailbox is read: what is put in afterwards wakes it again.
        self.bell.silence();
        std::mem::take(&mut *whole(&self.mailbox))
    }

    /// Says what the thread has done.
    pub(crate) fn count(&self, counts: Counts) {
        *whole(&self.counts) = counts;
    }

    /// What it has done, up to its last turn.
    pub(crate) fn counts(&self) -> Counts {
        *whole(&self.counts)
    }
}

impl<Mailbox, Counts> AsFd for Post<Mailbox, Counts> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

/// Whole values are moved in and out: a panic between leaves nothing half done.
pub(crate) fn whole<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
