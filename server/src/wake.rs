//! How other threads talk to the loop: bounded lines, and one bell that wakes it from its sleep.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Wakes the loop: an eventfd that epoll watches.
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
