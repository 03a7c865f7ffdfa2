//! The thread around a [`Resolver`]: sockets, connections and the clock. What is said, the resolver decides.
//!
//! Each served address has its own UDP socket and TCP listener, so that a reply comes from the address that was asked. One thread waits
//! for all of them with epoll; a snapshot of names waits for it behind a lock that nobody holds for longer than a move.

mod bind;
mod connection;
mod datagrams;
mod exchange;
mod files;
mod worker;

pub(crate) use files::Plan;
use heorot_dns::{ForwardCounts, Forwarding, HostNames, Resolver, Settings, Statistics};
use heorot_names::{Changes, Directory};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use worker::Worker;

/// Binds the addresses and answers there from now on, with these names.
///
/// Port 0 takes a free one, the same for UDP and TCP: [`Handle::addresses`] tells it.
///
/// # Errors
/// An address that cannot be bound, with its port and what to do; a zone or host that is no name; no thread or descriptor left. Nothing
/// is served then.
pub(crate) fn start(
    listen: &[SocketAddr],
    settings: Settings,
    directory: Arc<Directory>,
) -> io::Result<Handle> {
    start_with(LIMITS, listen, settings, directory)
}

/// What makes ids, ports and letters of questions unforeseeable.
///
/// # Errors
/// The kernel has no chance to give.
pub(crate) fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(seed)
}

/// What the handle and its thread tell each other that DNS is up, what it should know, and that it should end.
pub(crate) struct Handle {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// The one that reads files.
    files: Option<JoinHandle<()>>,
}

/// What DNS has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Queries and replies.
    pub(crate) resolver: Statistics,
    /// Names that are not ours.
    pub(crate) forward: ForwardCounts,
    /// Replies that the kernel would not take: the client asks again.
    pub(crate) replies_unsent: u64,
    /// Reads from a UDP socket that failed.
    pub(crate) receive_errors: u64,
    /// TCP connections that came.
    pub(crate) connections_accepted: u64,
    /// TCP connections that could not be taken, for want of descriptors.
    pub(crate) accept_errors: u64,
    /// TCP connections that were ended because nothing was asked for too long.
    pub(crate) connections_idle: u64,
    /// TCP connections that gave way to a new one.
    pub(crate) connections_displaced: u64,
}

/// What bounds TCP (RFC 7766 6.2).
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// At once. When they are used up, the one that has been idle longest gives way.
    connections: usize,
    /// From one complete query to the next: a query that comes octet by octet gains no time.
    idle: Duration,
}

const LIMITS: Limits = Limits { connections: 64, idle: Duration::from_secs(10) };

fn start_with(
    limits: Limits,
    listen: &[SocketAddr],
    settings: Settings,
    directory: Arc<Directory>,
) -> io::Result<Handle> {
    let resolver = Resolver::new(settings, directory)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("DNS: {error}")))?;
    let sockets = listen.iter().map(|address| bind::bind(*address)).collect::<io::Result<Vec<_>>>()?;
    let addresses = sockets.iter().map(|sockets| sockets.address).collect();
    let shared = Arc::new(Shared {
        wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        mailbox: Mutex::default(),
        wake_files: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        files_mailbox: Mutex::default(),
        counts: Mutex::default(),
    });
    let worker = Worker::new(limits, sockets, resolver, Arc::clone(&shared))?;
    let mut handle = Handle { addresses, shared: Arc::clone(&shared), thread: None, files: None };
    handle.thread = Some(thread::Builder::new().name("dns".into()).spawn(|| worker.run())?);
    let follow = move || files::run(&shared);
    handle.files = Some(thread::Builder::new().name("dns-files".into()).spawn(follow)?);
    Ok(handle)
}

impl Handle {
    /// Where it listens, by UDP and TCP, in the order in which it was asked to.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers with these names from the next query on. Never waits.
    pub(crate) fn publish(&self, directory: Arc<Directory>) {
        self.shared.mailbox().news.push(News::Directory(directory));
        self.shared.wake();
    }

    /// Names that are no arithmetic have changed. Never waits.
    pub(crate) fn change(&self, changes: Changes) {
        self.shared.mailbox().news.push(News::Changes(changes));
        self.shared.wake();
    }

    /// Answers with these settings from the next query on, and before names that are published after them.
    pub(crate) fn configure(&self, settings: Settings) {
        self.shared.mailbox().news.push(News::Settings(settings));
        self.shared.wake();
    }

    /// Asks there for names that are not ours, and tells the names of files: from now on, or from when the files were read.
    pub(crate) fn forward(&self, plan: Plan) {
        self.shared.files_mailbox().plan = Some(plan);
        wake(&self.shared.wake_files);
    }

    /// What it has done, up to its last turn.
    pub(crate) fn counts(&self) -> Counts {
        *self.shared.counts()
    }

    /// False if the thread died: a mistake of ours.
    pub(crate) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends it, and waits until all its ports are free. Dropping does the same.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.mailbox().stop = true;
        self.shared.wake();
        self.shared.files_mailbox().stop = true;
        wake(&self.shared.wake_files);
        for thread in [self.thread.take(), self.files.take()].into_iter().flatten() {
            // A thread that panicked has said so on stderr, and is_running() would have told.
            let _ = thread.join();
        }
    }
}

/// What both threads see.
struct Shared {
    /// Readable when there is something in the mailbox.
    wake: OwnedFd,
    mailbox: Mutex<Mailbox>,
    counts: Mutex<Counts>,
    /// Readable when there is something in the mailbox of the thread that reads files.
    wake_files: OwnedFd,
    files_mailbox: Mutex<FilesMailbox>,
}

/// What the thread should take.
#[derive(Default)]
struct Mailbox {
    /// In order, for they build on each other: at most a few for each turn of the loop since the thread last looked.
    news: Vec<News>,
    /// Of these, the newest.
    forwarding: Option<Box<Forwarding>>,
    hosts: Option<Arc<HostNames>>,
    stop: bool,
}

/// What the thread that reads files should take.
#[derive(Default)]
struct FilesMailbox {
    plan: Option<Plan>,
    stop: bool,
}

/// What there is to know.
enum News {
    Directory(Arc<Directory>),
    Settings(Settings),
    Changes(Changes),
}

impl Shared {
    fn files_mailbox(&self) -> MutexGuard<'_, FilesMailbox> {
        self.files_mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the files say.
    fn tell(&self, forwarding: Forwarding, hosts: Arc<HostNames>) {
        let mut mailbox = self.mailbox();
        mailbox.forwarding = Some(Box::new(forwarding));
        mailbox.hosts = Some(hosts);
        drop(mailbox);
        self.wake();
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        // Whole values are moved in and out: a panic between leaves nothing half done.
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        wake(&self.wake);
    }
}

/// It fails only when 2^64 - 2 wake-ups are pending, and then it is awake.
fn wake(event: &OwnedFd) {
    let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
}

#[cfg(test)]
mod tests;
