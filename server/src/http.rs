//! HTTP: boot files and `/node/TOKEN` for machines, by a thread of its own; `/v1/` for operators on the control socket, by another. Neither decides anything.
//!
//! - [`worker`]: the thread for machines; its [`connection`]s; [`readers`], who wait for disks;
//! - [`head`]: what is asked; [`selection`]: what of a file is sent; [`reply`]: what is answered; [`calendar`] and [`text`] for what stands in them;
//! - [`tls`]: the certificate of HTTPS;
//! - [`control`]: what operators ask, and [`listen`], where.
//!
//! A file of more than a few kilobytes goes piece by piece, each when the loop has granted it: it shares the links with TFTP
//! ([`StreamNews`](heorot_core::transfer::StreamNews)). Heads and short answers go at once.

pub(crate) mod calendar;
mod connection;
pub(crate) mod control;
mod head;
pub(crate) mod listen;
mod readers;
mod reply;
mod selection;
mod text;
pub(crate) mod tls;
mod worker;

use crate::ask::Ask;
use crate::disks::{Overdue, Pool};
use crate::images::directory::{BootDirectory, BootFile};
use crate::journal::{Journal, Weight};
use crate::overlay::{NotMade, Overlays};
use crate::problem::{Problem, problem};
use crate::rights;
use crate::settings;
use crate::streams;
use crate::wake::{Bell, Caller, Post, Tray};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use heorot_core::config::Config;
use heorot_core::limit::HTTP_CONNECTIONS_MAX;
use heorot_core::mac::Mac;
use heorot_core::message::{Answer, Via};
use heorot_core::time::Time;
use heorot_core::transfer::{Refusal, StreamId, StreamNews, Transfer};
use listen::ControlSocket;
use readers::Queue;
use rustix::process::{Resource, getrlimit};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use worker::Worker;

/// How long the loop has for an answer. It has it at once, or when a record is durable; and OVMF waits 5 s after a HEAD and then never again.
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);

/// Connections that wait to be accepted: a thousand machines may come in one second.
const BACKLOG: i32 = 4096;

/// The threads that speak HTTP.
#[derive(Debug)]
pub(crate) struct Http {
    commands: mpsc::Sender<Command>,
    post: Arc<Post<Mailbox, Counts>>,
    tray: Arc<Tray<News>>,
    /// What the thread for machines is told at the end of the turn.
    outgoing: Vec<Letter>,
    jobs: Arc<Pool<Queue>>,
}

#[derive(Debug)]
enum Command {
    RestoreControl,
}

/// What the thread for machines is told.
#[derive(Debug)]
enum Letter {
    /// What it asked: of which connection, its how-manieth; and whether firmware is to start that. Nothing: the server ends.
    Answer { key: u64, question: u64, answer: Option<(Answer, bool)> },
    /// So much more of a file may go.
    Grant { stream: StreamId, octets: u64 },
    /// A file is open, or is not to be had.
    Opened { key: u64, path: String, kind: &'static str, result: Result<Arc<BootFile>, Refusal> },
    /// The small files of a node are made, or cannot be.
    Made { key: u64, mac: Mac, given: Option<Time>, result: Result<Arc<BootFile>, NotMade> },
    /// The names file of a node is written: its first lines, and the rest; or cannot be. None: it was asked for something else.
    Written { key: u64, result: Option<Result<(String, Arc<BootFile>), NotMade>> },
    /// A part of a file is in the kernel's memory; or it is this, where nobody can tell.
    Warm { key: u64, result: Result<Vec<u8>, String> },
    /// Another certificate.
    Secure(Arc<ServerConfig>),
    /// One more address; whether by TLS.
    Listen(TcpListener, bool),
}

type Mailbox = Vec<Letter>;

/// What the loop is told by the thread for machines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A machine asks for a file, or talks about itself. `key` and `question` come back with the answer.
    Asked { key: u64, question: u64, from: Ipv4Addr, local: Ipv4Addr, via: Via, path: String },
    /// A file goes on.
    Stream(StreamId, StreamNews),
    /// A file of the boot directory is on its way, or a part of it: to whom, and which.
    Sending { to: SocketAddrV4, path: String },
    /// It is so no more.
    Sent(Transfer),
    /// Nobody got the small files of a node: why they could not be made, or nothing, if nobody waits for them any more. No more of them than were asked for; none may be lost, or the loop
    /// believes that it has its secrets.
    NotMade { mac: Mac, given: Option<Time>, why: Option<String> },
}

/// What has come of it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections now.
    pub(crate) connections: usize,
    /// Files that are on their way now.
    pub(crate) sending: usize,
    /// Files, and parts of files, that were sent since the start.
    pub(crate) files: u64,
    /// Requests that were not understood.
    pub(crate) refused: u64,
    /// What became of connections.
    pub(crate) streams: streams::Counts,
}

/// How much, and how long.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections at a time.
    connections: usize,
    /// How long a connection may be open without a whole request.
    request_within: Duration,
    /// How long the loop has for an answer.
    answer_within: Duration,
    /// How long a peer may take nothing of what it is sent: as long as the most patient boot client waits (PXELINUX, 131 s).
    silence: Duration,
    /// How long a connection is kept after the last word, for a client that still speaks.
    lingers: Duration,
}

impl Limits {
    fn usual() -> Self {
        // A part of the descriptors is left to all others.
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let share = usize::try_from(descriptors / 5 * 4).unwrap_or(usize::MAX);
        Self {
            connections: HTTP_CONNECTIONS_MAX.min(share).max(1),
            request_within: Duration::from_secs(30),
            answer_within: ANSWER_WITHIN,
            silence: Duration::from_secs(150),
            lingers: Duration::from_secs(2),
        }
    }
}

/// What the handlers of operators share.
#[derive(Clone, Debug)]
struct Site {
    asks: Caller<Ask>,
    overlays: Overlays,
}

/// Everything that [`Http::start`] needs.
pub(crate) struct Sockets {
    /// For machines: one for each of our addresses.
    pub(crate) boot: Vec<TcpListener>,
    /// The same by TLS, if there is a certificate.
    pub(crate) secured: Vec<TcpListener>,
    /// For operators.
    pub(crate) control: ControlSocket,
}

/// Listens for machines on our addresses.
pub(crate) fn bind_plain(config: &Config) -> impl Iterator<Item = Result<TcpListener, Problem>> {
    settings::own_addresses(config).into_iter().map(|address| bind_plain_at(config, address))
}

/// The same by TLS, if there is a certificate.
pub(crate) fn bind_secured(config: &Config) -> impl Iterator<Item = Result<TcpListener, Problem>> {
    settings::own_addresses(config).into_iter().filter_map(|address| bind_secured_at(config, address))
}

/// Listens for machines on one address.
pub(crate) fn bind_plain_at(config: &Config, address: Ipv4Addr) -> Result<TcpListener, Problem> {
    bind(address, config.http.port, ("HTTP", "http.port"))
}

/// The same by TLS, if there is a certificate.
pub(crate) fn bind_secured_at(config: &Config, address: Ipv4Addr) -> Option<Result<TcpListener, Problem>> {
    config.http.tls.as_ref().map(|tls| bind(address, tls.port, ("HTTPS", "http.tls-port")))
}

fn bind(address: Ipv4Addr, port: u16, (service, key): (&str, &str)) -> Result<TcpListener, Problem> {
    let bind = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
        // Connections of the server before us may still be in TIME_WAIT. Whoever listens keeps us out all the same.
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddrV4::new(address, port).into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    bind().map_err(|e: io::Error| match e.raw_os_error() {
        Some(libc::EADDRINUSE) => problem!(
            "TCP port {port} ({service}) on {address} is in use, probably by a web server\n  see who: ss -ltnp 'sport = :{port}'\n  \
             stop it, or set another `{key}`"
        ),
        Some(libc::EADDRNOTAVAIL) => problem!(
            "{address} is no address of this host, so {service} cannot listen there\n  see those there are: ip -brief address"
        ),
        _ => problem!("TCP port {port} ({service}) on {address} cannot be opened: {e}"),
    })
}

impl Http {
    /// Starts the threads. `bell` wakes the loop when there are [`News`].
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(
        sockets: Sockets,
        (asks, bell): (Caller<Ask>, &Bell),
        files: (&BootDirectory, &Overlays),
        tls: Option<Arc<ServerConfig>>,
        journal: Journal,
    ) -> io::Result<Self> {
        Self::start_within(Limits::usual(), sockets, (asks, bell), files, tls, journal)
    }

    fn start_within(
        limits: Limits,
        sockets: Sockets,
        (asks, bell): (Caller<Ask>, &Bell),
        files: (&BootDirectory, &Overlays),
        tls: Option<Arc<ServerConfig>>,
        journal: Journal,
    ) -> io::Result<Self> {
        let (commands, incoming) = mpsc::channel(4);
        let (post, tray) = (Arc::new(Post::new()?), Arc::new(Tray::new(bell)));
        let jobs = readers::start(files, &post)?;
        let shared = (Arc::clone(&post), Arc::clone(&tray), asks.clone());
        let listeners = (sockets.boot, sockets.secured);
        let worker = Worker::new(limits, listeners, tls, shared, Arc::clone(&jobs), journal.clone())?;
        std::thread::Builder::new().name("http".into()).spawn(move || {
            rights::renounce();
            worker.run();
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let site = Site { asks, overlays: files.1.clone() };
        std::thread::Builder::new().name("control".into()).spawn(move || {
            rights::renounce();
            if let Err(error) = runtime.block_on(serve(sockets.control, site, incoming, &journal)) {
                journal.say(Weight::Warning, format_args!("the control socket has ended: {error}"));
            }
        })?;
        Ok(Self { commands, post, tray, outgoing: Vec::new(), jobs })
    }

    /// Sees that the control socket is where it was made, and who may use it.
    pub(crate) fn restore_control(&self) {
        // The line is full only if several of them are under way already.
        let _ = self.commands.try_send(Command::RestoreControl);
    }

    /// Shows this certificate from now on.
    pub(crate) fn secure(&mut self, tls: Arc<ServerConfig>) {
        self.outgoing.push(Letter::Secure(tls));
    }

    /// Listens there too from now on; by TLS, if so.
    pub(crate) fn listen(&mut self, listener: TcpListener, secured: bool) {
        self.outgoing.push(Letter::Listen(listener, secured));
    }

    /// What machines ask, and what became of their files.
    pub(crate) fn news(&self) -> Vec<News> {
        self.tray.take()
    }

    /// Answers [`News::Asked`]; a file of which it is true is one that firmware is told to start. Nothing: the server ends.
    pub(crate) fn answer(&mut self, (key, question): (u64, u64), answer: Option<(Answer, bool)>) {
        self.outgoing.push(Letter::Answer { key, question, answer });
    }

    /// So much more of a file may go.
    pub(crate) fn grant(&mut self, stream: StreamId, octets: u64) {
        self.outgoing.push(Letter::Grant { stream, octets });
    }

    /// Hands over what was said, at the end of a turn.
    pub(crate) fn flush(&mut self) {
        if !self.outgoing.is_empty() {
            let outgoing = &mut self.outgoing;
            self.post.tell(|mailbox| mailbox.append(outgoing));
        }
    }

    /// Where the threads that wait for disks have waited for long, at a moment.
    pub(crate) fn overdue(&self) -> Overdue {
        self.jobs.watched()
    }

    /// What has come of it all, up to its last turn.
    pub(crate) fn counts(&self) -> Counts {
        self.post.counts()
    }
}

/// Serves operators until the loop is gone.
async fn serve(
    socket: ControlSocket,
    site: Site,
    mut commands: mpsc::Receiver<Command>,
    journal: &Journal,
) -> io::Result<()> {
    let mut control = socket.serve(&control::router(site))?;
    while let Some(Command::RestoreControl) = commands.recv().await {
        if let Err(problem) = control.restore() {
            journal.say(Weight::Warning, problem);
        }
    }
    Ok(())
}

/// Why there is no answer.
enum NoAnswer {
    /// The loop has more questions than it can take, or ends.
    Busy,
    /// It did not answer in time.
    Late,
}

/// Asks the loop.
async fn answer(site: &Site, ask: impl FnOnce(oneshot::Sender<Answer>) -> Ask) -> Result<Answer, NoAnswer> {
    let (reply, answer) = oneshot::channel();
    site.asks.try_say(ask(reply)).map_err(|_| NoAnswer::Busy)?;
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(NoAnswer::Busy),
        Err(_) => Err(NoAnswer::Late),
    }
}

/// A JSON document with its status.
fn json(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests;
