//! The thread around a [`Resolver`]: sockets, connections and the clock. What is said, the resolver decides.
//!
//! Each served address has its own UDP socket and TCP listener, so that a reply comes from the address that was asked. One thread waits
//! for all of them with epoll; a snapshot of names waits for it behind a lock that nobody holds for longer than a move.

mod bind;
mod connection;
mod datagrams;
mod exchange;
mod files;
mod silence;
mod worker;

use crate::ask::Ask;
use crate::journal::Journal;
use crate::problem::Problem;
use crate::streams;
use crate::wake::{Bell, Caller, Knell, Post};
pub(crate) use files::{Plan, mistakes, read_hosts};
use heorot_core::message::DnsCounts;
use heorot_dns::{
    ForwardCounts, Forwarding, HostNames, Resolver, Settings, Statistics, UpdateId, UpdateOutcome,
};
use heorot_names::{Change, Changes, Directory};
pub(crate) use silence::Told;
use silence::{Others, Silent};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
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
    journal: Journal,
) -> io::Result<Handle> {
    start_with(LIMITS, listen, settings, directory, journal)
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
    post: Arc<Post<Mailbox, Counts>>,
    files_post: Arc<Post<FilesMailbox>>,
    thread: Option<JoinHandle<()>>,
    /// The one that reads files.
    files: Option<JoinHandle<()>>,
    knell: Knell,
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
    /// TCP connections.
    pub(crate) streams: streams::Counts,
}

impl Counts {
    /// As the status has it.
    pub(crate) fn measured(&self) -> DnsCounts {
        let Self { resolver, forward, .. } = self;
        DnsCounts {
            questions: resolver.queries_udp + resolver.queries_tcp,
            cached: forward.hits,
            stale: forward.stale,
            upstream: forward.misses,
            failed: forward.failed,
            refused: forward.refused,
            secure: forward.secure,
            bogus: forward.bogus,
            updates: resolver.updates,
            transfers: resolver.transfers,
            unsent: self.replies_unsent,
        }
    }
}

/// What bounds TCP (RFC 7766 6.2).
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// At once. When they are used up, the one that has been idle longest gives way.
    connections: usize,
    /// From one complete query to the next: a query that comes octet by octet gains no time.
    idle: Duration,
}

/// By how much it goes before the threads that boot machines (sched(7), nice): an answer takes microseconds, and whoever waits for a name should not wait for a
/// thousand others to be sent their images.
const GOES_BEFORE: i32 = 10;

const LIMITS: Limits = Limits { connections: 64, idle: Duration::from_secs(10) };

/// Where queries to one address come: what the thread may be given after its start.
pub(crate) struct Bound(bind::Datagrams, TcpListener);

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({})", self.0.address)
    }
}

/// Binds one address, for [`Handle::listen`].
///
/// # Errors
/// It cannot be bound, with its port and what to do.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Bound> {
    bind::bind(address).map(|(datagrams, listener)| Bound(datagrams, listener))
}

/// Whether a server could answer there now.
pub(crate) fn try_port(address: SocketAddr) -> Result<(), Problem> {
    bind::bind(address).map(drop).map_err(|error| Problem(error.to_string()))
}

fn start_with(
    limits: Limits,
    listen: &[SocketAddr],
    settings: Settings,
    directory: Arc<Directory>,
    journal: Journal,
) -> io::Result<Handle> {
    let resolver = Resolver::new(settings, directory)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("DNS: {error}")))?;
    let bound = listen.iter().map(|address| bind::bind(*address)).collect::<io::Result<Vec<_>>>()?;
    let sockets: (Vec<_>, Vec<_>) = bound.into_iter().unzip();
    let addresses = sockets.0.iter().map(|datagrams| datagrams.address).collect();
    let (post, files_post) = (Arc::new(Post::new()?), Arc::new(Post::new()?));
    let worker = Worker::new(limits, sockets, resolver, (Arc::clone(&post), journal.clone()))?;
    let knell = Knell::default();
    let lives = (knell.life(), knell.life());
    let follow = {
        let (post, files_post) = (Arc::clone(&post), Arc::clone(&files_post));
        move || {
            let _life = lives.1;
            files::run(&files_post, &post, &journal);
        }
    };
    let mut handle = Handle { addresses, post, files_post, thread: None, files: None, knell };
    let answer = move || {
        let _life = lives.0;
        // Without the right to it, as on a later start, names are answered all the same.
        let _ = rustix::process::nice(-GOES_BEFORE);
        worker.run();
    };
    handle.thread = Some(thread::Builder::new().name("dns".into()).spawn(answer)?);
    handle.files = Some(thread::Builder::new().name("dns-files".into()).spawn(follow)?);
    Ok(handle)
}

impl Handle {
    /// Where it listens, by UDP and TCP, in the order in which it was asked to.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers with these names from the next query on, of which some are no arithmetic. Never waits.
    pub(crate) fn publish(&self, directory: Arc<Directory>, changes: Vec<Change>) {
        let changes = Changes { serial: directory.serial, changes };
        self.post.tell(|mailbox| {
            mailbox.news.push(News::Directory(directory));
            if !changes.changes.is_empty() {
                mailbox.news.push(News::Changes(changes));
            }
        });
    }

    /// Names that are no arithmetic have changed. Never waits.
    pub(crate) fn change(&self, changes: Changes) {
        self.post.tell(|mailbox| mailbox.news.push(News::Changes(changes)));
    }

    /// Answers with these settings from the next query on, and before names that are published after them.
    pub(crate) fn configure(&self, settings: Settings) {
        self.post.tell(|mailbox| mailbox.news.push(News::Settings(settings)));
    }

    /// Answers there too from now on.
    pub(crate) fn listen(&self, bound: Bound) {
        self.post.tell(|mailbox| mailbox.news.push(News::Listen(bound)));
    }

    /// Asks this line to keep what comes by updates, and tells it what stands in files of hosts. Until then, and if it is full, updates fail.
    pub(crate) fn keep_updates(&self, keeper: Caller<Ask>) {
        self.files_post.tell(|mailbox| mailbox.keeper = Some(keeper.clone()));
        self.post.tell(|mailbox| mailbox.news.push(News::Keeper(keeper)));
    }

    /// What became of an update; its changes were told before. Never waits.
    pub(crate) fn updated(&self, update: UpdateId, outcome: UpdateOutcome) {
        self.post.tell(|mailbox| mailbox.news.push(News::Updated(update, outcome)));
    }

    /// Asks there for names that are not ours, and tells the names of files: from now on, or from when the files were read.
    pub(crate) fn forward(&self, plan: Plan) {
        self.files_post.tell(|mailbox| mailbox.plan = Some(plan));
    }

    /// What it has done, up to its last turn.
    pub(crate) fn counts(&self) -> Counts {
        self.post.counts()
    }

    /// False if one of the threads died: a mistake of ours.
    pub(crate) fn is_running(&self) -> bool {
        !self.knell.is_over()
    }

    /// Rings when that becomes false.
    pub(crate) fn ring_at_end(&self, bell: &Bell) {
        self.knell.ring(bell);
    }

    /// Ends it, and waits until all its ports are free. Dropping does the same.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.post.tell(|mailbox| mailbox.stop = true);
        self.files_post.tell(|mailbox| mailbox.stop = true);
        for thread in [self.thread.take(), self.files.take()].into_iter().flatten() {
            // A thread that panicked has said so on stderr, and is_running() would have told.
            let _ = thread.join();
        }
    }
}

/// What the thread should take.
#[derive(Default)]
struct Mailbox {
    /// In order, for they build on each other: at most a few for each turn of the loop since the thread last looked.
    news: Vec<News>,
    /// Of these, the newest.
    forwarding: Option<Box<Forwarding>>,
    roots: Option<Roots>,
    hosts: Option<Arc<HostNames>>,
    /// Groups whose files name no server, and whether it is the configuration that says so.
    unnamed: Option<(Vec<Silent>, Others)>,
    stop: bool,
}

/// What the thread that reads files should take.
#[derive(Default)]
struct FilesMailbox {
    plan: Option<Plan>,
    keeper: Option<Caller<Ask>>,
    stop: bool,
}

/// The authorities whose certificates count, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roots {
    path: String,
    /// Empty if nothing can be read there.
    pem: String,
}

/// What there is to know.
enum News {
    Directory(Arc<Directory>),
    Settings(Settings),
    Changes(Changes),
    Keeper(Caller<Ask>),
    Listen(Bound),
    Updated(UpdateId, UpdateOutcome),
}

#[cfg(test)]
mod tests;
