//! The NFS server for the roots of nodes: version 3, by TCP, and only for reading. What is asked and answered is [`heorot_nfs`]'s; here are the files and the connections.
//!
//! - [`trees`]: the directories that are served, and how a handle becomes a file again: [`paths`] remembers, [`walk`] finds what was forgotten;
//! - [`file`]: one look at the disk each;
//! - [`answer`]: from a call to its reply; [`open_files`] is what it reads from, [`unreadable`] what it could not read;
//! - [`connection`]: calls in, replies out; [`table`]: all of them, within bounds;
//! - [`pool`]: the threads; [`rations`]: when what they read has to wait.
//!
//! The threads keep one right of root, to read and search what they may not (`CAP_DAC_READ_SEARCH`): the root file system of a node has files that only its root may read, and what a
//! node's users may read is judged by the modes of the files, as on a disk of its own. What is opened is beneath a directory of the configuration, whatever
//! a client asks for.

mod answer;
mod connection;
mod file;
mod open_files;
mod paths;
mod pool;
mod rations;
mod table;
mod trees;
mod unreadable;
mod walk;

use crate::ask::Ask;
use crate::journal::{Journal, Weight};
use crate::problem::{Problem, problem};
use crate::rights;
use crate::wake::{Bell, Caller};
use answer::Answerer;
use heorot_core::config;
use heorot_core::message::NfsMeasured;
use heorot_core::transfer::StreamId;
use heorot_dns::Prefix;
use heorot_nfs::limit::CONNECTIONS_MAX;
use heorot_rpc::portmap::{Mapping, Protocol as Transport};
use pool::Pool;
pub(crate) use rations::{News, is_ours};
use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The port, open, and nobody who answers yet.
pub(crate) struct Bound {
    listener: TcpListener,
}

/// The threads, and what they have done.
pub(crate) struct Handle {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
}

/// What NFS has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that were answered.
    pub(crate) calls: u64,
    /// Octets of replies.
    pub(crate) octets: u64,
    /// Connections that there are.
    pub(crate) connections: u64,
    /// Connections that came.
    pub(crate) accepted: u64,
    /// Those that came from outside of the networks.
    pub(crate) refused: u64,
    /// Those that gave way to a new one.
    pub(crate) displaced: u64,
    /// Those that were ended because nothing moved for too long.
    pub(crate) silent: u64,
}

impl Counts {
    /// As the status has it.
    pub(crate) fn measured(&self) -> NfsMeasured {
        NfsMeasured {
            connections: self.connections,
            calls: self.calls,
            octets: self.octets,
            refused: self.refused,
            displaced: self.displaced,
        }
    }
}

/// The same, as the threads count.
#[derive(Default)]
struct Tallies {
    connections: AtomicU64,
    calls: AtomicU64,
    octets: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    displaced: AtomicU64,
    silent: AtomicU64,
}

impl Tallies {
    fn counts(&self) -> Counts {
        let now = |tally: &AtomicU64| tally.load(Ordering::Relaxed);
        Counts {
            calls: now(&self.calls),
            octets: now(&self.octets),
            connections: now(&self.connections),
            accepted: now(&self.accepted),
            refused: now(&self.refused),
            displaced: now(&self.displaced),
            silent: now(&self.silent),
        }
    }
}

/// Connections that wait to be accepted: a thousand nodes mount at once.
const BACKLOG: i32 = 4096;

/// Threads: enough that some may wait for a disk while others answer from memory.
const THREADS: std::ops::RangeInclusive<usize> = 4..=16;

/// How long the end waits for the threads.
const ENDS_WITHIN: Duration = Duration::from_millis(500);

/// Opens the port.
///
/// # Errors
/// It cannot be had, and what to do.
pub(crate) fn bind(port: u16) -> Result<Bound, Problem> {
    let bound = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
        // Connections of the server before us may still linger in TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)))?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    let explain = |error: io::Error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            return problem!(
                "NFS: port {port} is in use\n  see who has it: ss -lntp 'sport = :{port}'\n  stop the kernel's server (systemctl disable --now nfs-server), or set nfs.port"
            );
        }
        problem!("NFS: port {port} cannot be opened: {error}")
    };
    bound().map(|listener| Bound { listener }).map_err(explain)
}

/// What is to be told of us by a portmapper.
pub(crate) fn mappings(nfs: &config::Nfs) -> Vec<Mapping> {
    let mapping = |program| Mapping { program, version: 3, protocol: Transport::Tcp, port: nfs.port };
    vec![mapping(heorot_nfs::PROGRAM), mapping(heorot_nfs::mount::PROGRAM)]
}

/// Starts the threads. The calling one has to have the right to read everything, if it is to be had: they take it over, and nothing else.
///
/// # Errors
/// No thread or descriptor can be had.
pub(crate) fn start(
    bound: Bound,
    served: (&config::Nfs, Vec<Prefix>),
    secret: &[u8; 16],
    lines: (Caller<Ask>, &Bell),
    journal: Journal,
) -> io::Result<Handle> {
    // Half of the descriptors is left to all others.
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let share = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
    start_within(CONNECTIONS_MAX.min(share), bound, served, secret, lines, journal)
}

fn start_within(
    connections_max: usize,
    bound: Bound,
    (nfs, networks): (&config::Nfs, Vec<Prefix>),
    secret: &[u8; 16],
    (asks, bell): (Caller<Ask>, &Bell),
    journal: Journal,
) -> io::Result<Handle> {
    if !rights::reads_everything() {
        journal.say(
            Weight::Warning,
            "NFS: files that this user may not read are not served: give heorot CAP_DAC_READ_SEARCH, or start it as root",
        );
    }
    let names = nfs.directories.join(", ");
    journal.say(Weight::Notice, format_args!("NFS serves {names} at port {}", nfs.port));
    let answerer = Answerer::new(secret, &nfs.directories, pool::addresses(&networks));
    answerer.believes_all.store(nfs.insecure, Ordering::Relaxed);
    let pool =
        Arc::new(Pool::new((bound.listener, connections_max), answerer, networks, (asks, bell), journal)?);
    let count = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    let mut threads = Vec::new();
    for _ in 0..count.clamp(*THREADS.start(), *THREADS.end()) {
        let pool = Arc::clone(&pool);
        threads.push(std::thread::Builder::new().name("nfs".into()).spawn(move || {
            rights::keep_reading();
            pool.run();
        })?);
    }
    let watcher = Arc::clone(&pool);
    threads.push(std::thread::Builder::new().name("nfs-rations".into()).spawn(move || {
        rights::renounce();
        watcher.rations.watch();
    })?);
    Ok(Handle { pool, threads })
}

impl Handle {
    /// Serves these directories to these networks from the next call on. The port stays what it is.
    pub(crate) fn configure(&self, nfs: &config::Nfs, networks: Vec<Prefix>) {
        let told = pool::addresses(&networks);
        *self.pool.answerer.networks.write().unwrap_or_else(PoisonError::into_inner) = told;
        *self.pool.networks.write().unwrap_or_else(PoisonError::into_inner) = networks;
        self.pool.answerer.believes_all.store(nfs.insecure, Ordering::Relaxed);
        self.pool.answerer.trees.configure(&nfs.directories);
    }

    /// What has become of what was read, while it has to wait for its share.
    pub(crate) fn news(&self) -> Vec<News> {
        self.pool.rations.news()
    }

    /// So much more of it may go.
    pub(crate) fn grant(&self, stream: StreamId, octets: u64) {
        self.pool.grant(stream, octets);
    }

    /// Whether it has to wait.
    pub(crate) fn ration(&self, are_on: bool) {
        self.pool.ration(are_on);
    }

    /// What it has done.
    pub(crate) fn counts(&self) -> Counts {
        self.pool.counts()
    }

    /// Ends it. Threads that wait for a disk are left behind.
    pub(crate) fn stop(self) {
        self.pool.stop();
        let deadline = Instant::now() + ENDS_WITHIN;
        while Instant::now() < deadline && self.threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests;
