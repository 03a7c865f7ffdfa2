//! HTTP: boot files and `/node/TOKEN` for machines, `/v1/` for operators on the control socket; a thread of its own, which decides nothing.
//!
//! - [`listen`]: connections, how many, how long;
//! - [`boot`]: what machines ask; [`file`] streams it to them;
//! - [`control`]: what operators ask;
//! - [`text`]: percent signs and ranges.

mod boot;
pub(crate) mod control;
mod file;
mod listen;
mod text;

use crate::ask::Ask;
use crate::images::directory::BootDirectory;
use crate::journal::{Journal, Weight};
use crate::problem::{Problem, problem};
use crate::rights;
use crate::wake::Caller;
use axum::Router;
use heorot_core::message::Answer;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long the loop has for an answer. It has it at once, or when a record is durable; and OVMF waits 5 s after a HEAD and then never again.
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);

/// Threads that read boot files for HTTP.
const READERS_MAX: usize = 8;

/// Connections that wait to be accepted: a thousand machines may come in one second.
const BACKLOG: i32 = 4096;

/// The thread that speaks HTTP.
#[derive(Debug)]
pub(crate) struct Http {
    commands: mpsc::Sender<Command>,
    streams: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Command {
    ReopenControl,
}

/// What the handlers share.
#[derive(Clone, Debug)]
struct Site {
    asks: Caller<Ask>,
    directory: BootDirectory,
    /// Files on their way.
    streams: Arc<AtomicUsize>,
}

/// Who is connected with whom.
#[derive(Clone, Copy, Debug)]
struct Connection {
    peer: Ipv4Addr,
    local: Ipv4Addr,
}

/// Everything that [`Http::start`] needs.
pub(crate) struct Sockets {
    /// For machines: one for each of our addresses.
    pub(crate) boot: Vec<TcpListener>,
    /// For operators.
    pub(crate) control: UnixListener,
    /// Where the control socket is, to open it again.
    pub(crate) control_path: PathBuf,
}

/// Listens for machines on one of our addresses.
pub(crate) fn bind(address: Ipv4Addr, port: u16) -> Result<TcpListener, Problem> {
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
            "TCP port {port} (HTTP) on {address} is in use, probably by a web server\n  see who: ss -ltnp 'sport = :{port}'\n  \
             stop it, or set another `http.port`"
        ),
        Some(libc::EADDRNOTAVAIL) => problem!(
            "{address} is no address of this host, so HTTP cannot listen there\n  see those there are: ip -brief address"
        ),
        _ => problem!("TCP port {port} (HTTP) on {address} cannot be opened: {e}"),
    })
}

impl Http {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn start(
        sockets: Sockets,
        asks: Caller<Ask>,
        directory: BootDirectory,
        journal: Journal,
    ) -> io::Result<Self> {
        let (commands, incoming) = mpsc::channel(4);
        let streams = Arc::new(AtomicUsize::new(0));
        let site = Site { asks, directory, streams: Arc::clone(&streams) };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_io().enable_time().max_blocking_threads(READERS_MAX).build()?;
        std::thread::Builder::new().name("http".into()).spawn(move || {
            rights::renounce();
            if let Err(error) = runtime.block_on(serve(sockets, site, incoming, &journal)) {
                journal.say(Weight::Warning, format_args!("HTTP has ended: {error}"));
            }
        })?;
        Ok(Self { commands, streams })
    }

    /// Makes the control socket anew, where it was.
    pub(crate) fn reopen_control(&self) {
        // The line is full only if several of them are under way already.
        let _ = self.commands.try_send(Command::ReopenControl);
    }

    /// How many files are on their way.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }
}

/// Serves until the loop is gone.
async fn serve(
    sockets: Sockets,
    site: Site,
    mut commands: mpsc::Receiver<Command>,
    journal: &Journal,
) -> io::Result<()> {
    let boot = boot::router(site.clone());
    let places = Arc::new(tokio::sync::Semaphore::new(listen::CONNECTIONS_MAX));
    for listener in sockets.boot {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(listen::machines(listener, boot.clone(), Arc::clone(&places)));
    }
    let operators: Router = control::router(site);
    let mut control = spawn_control(sockets.control, &operators)?;
    while let Some(Command::ReopenControl) = commands.recv().await {
        match control::bind_again(&sockets.control_path) {
            Ok(listener) => {
                control.abort();
                control = spawn_control(listener, &operators)?;
            }
            Err(problem) => journal.say(Weight::Warning, problem),
        }
    }
    Ok(())
}

fn spawn_control(listener: UnixListener, router: &Router) -> io::Result<tokio::task::JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    Ok(tokio::spawn(listen::operators(listener, router.clone())))
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

#[cfg(test)]
mod tests;
