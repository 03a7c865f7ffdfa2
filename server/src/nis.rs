//! The thread around a [`Gateway`]: sockets, connections, the host's portmapper, and files of accounts. What is said, the gateway decides.
//!
//! Port 111 has to be answered by somebody, for that is where every client asks first. Where rpcbind runs, it is told of our port, and
//! told again whenever it forgets; where none does, the port is ours.

mod accounts;
mod bind;
mod connection;
mod worker;

use crate::journal::Journal;
use crate::problem::{Problem, problem};
use crate::rpcbind::Rpcbind;
use crate::streams;
use crate::wake::{Bell, Knell, Post};
use accounts::Files;
use heorot_core::config;
use heorot_dns::nis::{CONNECTIONS_MAX, Door, Gateway, SILENCE_MAX, Settings, Statistics};
use heorot_names::Directory;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use worker::Worker;

/// Opens the ports and answers there from now on, with these names.
///
/// # Errors
/// A port or file that cannot be had, and what to do. Nothing is served then, and no portmapper knows of us.
pub(crate) fn start(
    nis: &config::Nis,
    settings: Settings,
    directory: Arc<Directory>,
    journal: Journal,
) -> Result<Handle, Problem> {
    start_with(LIMITS, &PORTS, nis, settings, directory, journal)
}

/// Whether the ports are to be had: one for NIS, and the portmapper's, or a portmapper there. Nothing is left behind.
pub(crate) fn try_ports(nis: &config::Nis) -> Vec<Result<(), Problem>> {
    let own = bind::any_of(nis.port, PORTS.tried, Door::YpServer).map(drop);
    let portmapper = match bind::bind(PORTS.portmapper, Door::Portmapper) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Rpcbind::find("NIS", PORTS.portmapper),
        Err(error) => Err(bind::explain(&error, "the portmapper", PORTS.portmapper)),
    };
    vec![own, portmapper]
}

/// The same without NIS: the portmapper alone, for the other programs that the settings name.
///
/// # Errors
/// As above.
pub(crate) fn start_portmapper(
    settings: Settings,
    directory: Arc<Directory>,
    journal: Journal,
) -> Result<Handle, Problem> {
    start_with(LIMITS, &PORTS, &no_nis(), settings, directory, journal)
}

/// What is configured where there is no NIS.
pub(crate) fn no_nis() -> config::Nis {
    config::Nis { domain: String::new(), port: 0, passwd: None, group: None }
}

/// What the handle and its thread tell each other that NIS is there, what it should know, and that it should end.
pub(crate) struct Handle {
    port: u16,
    post: Arc<Post<Mailbox, Counts>>,
    thread: Option<JoinHandle<()>>,
    knell: Knell,
}

/// What NIS has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls and replies.
    pub(crate) gateway: Statistics,
    /// Replies that the kernel would not take: the client asks again.
    pub(crate) replies_unsent: u64,
    /// Reads from a UDP socket that failed.
    pub(crate) receive_errors: u64,
    /// TCP connections.
    pub(crate) streams: streams::Counts,
    /// Of these, connections that were ended at once, because they came from outside of the networks.
    pub(crate) connections_refused: u64,
    /// How often rpcbind had forgotten us and was told again.
    pub(crate) registered_again: u64,
}

/// What bounds TCP, and how often rpcbind is asked whether it still knows us: a restarted one has forgotten everybody.
#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: usize,
    silence: Duration,
    rpcbind_checked_every: Duration,
}

const LIMITS: Limits = Limits {
    connections: CONNECTIONS_MAX,
    silence: SILENCE_MAX,
    rpcbind_checked_every: Duration::from_secs(60),
};

/// Where the portmapper is, and which ports may be ours if the configured one is taken.
#[derive(Clone, Copy, Debug)]
struct Ports {
    portmapper: u16,
    tried: u16,
}

const PORTS: Ports = Ports { portmapper: heorot_rpc::portmap::PORT, tried: heorot_dns::nis::PORTS_TRIED };

/// What keeps the files of accounts from being read.
pub(crate) fn problems_with_accounts(nis: &config::Nis) -> Vec<Problem> {
    Files::new(nis).problems()
}

fn start_with(
    limits: Limits,
    ports: &Ports,
    nis: &config::Nis,
    mut settings: Settings,
    directory: Arc<Directory>,
    journal: Journal,
) -> Result<Handle, Problem> {
    let mut files = Files::new(nis);
    let accounts = files.read()?;
    let yp_server = match settings.domain.as_str() {
        "" => None,
        _ => Some(bind::any_of(nis.port, ports.tried, Door::YpServer)?),
    };
    let port = yp_server.as_ref().map_or(0, |(sockets, _)| sockets.port);
    settings.port = port;
    let calendar_seconds = crate::clock::calendar_seconds();
    let gateway = Gateway::new(settings.clone(), accounts.clone(), directory, calendar_seconds);
    let (portmapper, rpcbind) = match bind::bind(ports.portmapper, Door::Portmapper) {
        Ok(portmapper) => (Some(portmapper), None),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let mappings = gateway.to_register().collect();
            let every = limits.rpcbind_checked_every;
            let service = if port == 0 { "NFS" } else { "NIS" };
            let rpcbind = Rpcbind::register(service, ports.portmapper, mappings, every)?;
            (None, Some(rpcbind))
        }
        Err(error) => return Err(bind::explain(&error, "the portmapper", ports.portmapper)),
    };
    let cannot_start = |error: io::Error| {
        problem!("NIS: no thread or descriptor can be had: {error}\n  raise the limits of the service")
    };
    let post = Arc::new(Post::new().map_err(cannot_start)?);
    let bound = yp_server.into_iter().chain(portmapper).unzip();
    let parts = (bound, gateway, rpcbind, (files, accounts, settings));
    let worker = Worker::new(limits, parts, Arc::clone(&post), journal).map_err(cannot_start)?;
    let knell = Knell::default();
    let life = knell.life();
    let answer = move || {
        let _life = life;
        worker.run();
    };
    let thread = thread::Builder::new().name("nis".into()).spawn(answer).map_err(cannot_start)?;
    Ok(Handle { port, post, thread: Some(thread), knell })
}

impl Handle {
    /// The port that it has, by UDP and TCP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers with these names from the next call on. Never waits; of several, the last counts.
    pub(crate) fn publish(&self, directory: Arc<Directory>) {
        self.post.tell(|mailbox| mailbox.directory = Some(directory));
    }

    /// Answers with these settings and files from the next call on. The port stays what it is.
    pub(crate) fn configure(&self, nis: config::Nis, settings: Settings) {
        let settings = Settings { port: self.port, ..settings };
        self.post.tell(|mailbox| mailbox.settings = Some((nis, settings)));
    }

    /// What it has done, up to its last turn.
    pub(crate) fn counts(&self) -> Counts {
        self.post.counts()
    }

    /// False if the thread died: a mistake of ours.
    pub(crate) fn is_running(&self) -> bool {
        !self.knell.is_over()
    }

    /// Rings when that becomes false.
    pub(crate) fn ring_at_end(&self, bell: &Bell) {
        self.knell.ring(bell);
    }

    /// Ends it, and waits until its ports are free and no portmapper tells of them. Dropping does the same.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.post.tell(|mailbox| mailbox.stop = true);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on stderr, and is_running() would have told.
            let _ = thread.join();
        }
    }
}

/// What the thread should take, each the newest of its kind: nothing queues up here.
#[derive(Default)]
struct Mailbox {
    directory: Option<Arc<Directory>>,
    settings: Option<(config::Nis, Settings)>,
    stop: bool,
}

#[cfg(test)]
mod tests;
