use super::accounts::Files;
use super::bind::{Bound, Sockets};
use super::connection::Connection;
use super::{Counts, Limits, Mailbox};
use crate::clock;
use crate::journal::{Journal, Weight};
use crate::netio::{Inbox, Outbox};
use crate::rpcbind::Rpcbind;
use crate::streams::{ACCEPTS_A_TURN, Streams};
use crate::wake::Post;
use heorot_core::config::Nis;
use heorot_dns::nis::{Accounts, Gateway, Input, LeftOut, Output, Settings};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The thread's own: it owns the gateway and every socket.
pub(super) struct Worker {
    limits: Limits,
    post: Arc<Post<Mailbox, Counts>>,
    journal: Journal,
    gateway: Gateway,
    epoll: OwnedFd,
    sockets: Vec<Sockets>,
    rpcbind: Option<Rpcbind>,
    files: Files,
    /// As they were read last.
    accounts: Accounts,
    settings: Settings,
    files_checked: Instant,
    streams: Streams<Connection>,
    counts: Counts,
    buffer: Vec<u8>,
}

/// Room for datagrams, which belongs to the thread that fills it.
struct Boxes {
    inbox: Inbox,
    outbox: Outbox,
}

/// What an event's key stands for. Keys: 0 the mailbox, 1 the host's portmapper, then a UDP socket each, a listener each, and every
/// connection that ever was.
enum Source {
    Mailbox,
    Rpcbind,
    Datagrams(usize),
    Listener(usize),
    Connection(u64),
}

const MAILBOX: u64 = 0;
const RPCBIND: u64 = 1;
const SOCKETS_FROM: u64 = 2;

/// Pieces of a map sent to one connection before others get their turn.
const PIECES_A_TURN: usize = 16;
/// Events taken at once.
const EVENTS: usize = 128;
/// Octets read at once from a connection: a call is no longer.
const BUFFER_OCTETS: usize = 8192;
/// How often it is looked whether the files of accounts have changed, while anybody asks.
const FILES_CHECKED_EVERY: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn new(
        limits: Limits,
        ((sockets, listeners), gateway, rpcbind, files): (
            Bound,
            Gateway,
            Option<Rpcbind>,
            (Files, Accounts, Settings),
        ),
        post: Arc<Post<Mailbox, Counts>>,
        journal: Journal,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let watch = |descriptor: &dyn AsFd, key| {
            epoll::add(&epoll, descriptor.as_fd(), EventData::new_u64(key), EventFlags::IN)
        };
        watch(&*post, MAILBOX)?;
        if let Some(rpcbind) = &rpcbind {
            watch(rpcbind, RPCBIND)?;
        }
        for (sockets, key) in sockets.iter().zip(SOCKETS_FROM..) {
            watch(&sockets.datagrams, key)?;
        }
        let listeners_from = SOCKETS_FROM + sockets.len() as u64;
        let streams = Streams::listen(&epoll, listeners, listeners_from, limits.connections)?;
        let (files, accounts, settings) = files;
        let worker = Self {
            limits,
            post,
            journal,
            gateway,
            epoll,
            sockets,
            rpcbind,
            files,
            accounts,
            settings,
            files_checked: Instant::now(),
            streams,
            counts: Counts::default(),
            buffer: vec![0; BUFFER_OCTETS],
        };
        worker.complain_of_files();
        Ok(worker)
    }

    /// A turn: wait, read the clock once, handle what came, end what is over its time.
    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        let mut boxes = Boxes { inbox: Inbox::new(), outbox: Outbox::new() };
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), self.timeout().as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("epoll_wait on our own descriptor: {error}"),
            }
            let now = Instant::now();
            if !events.is_empty() {
                self.read_changed_files(now);
            }
            for event in events.drain(..) {
                if self.take(event, now, &mut boxes).is_break() {
                    if let Some(rpcbind) = self.rpcbind.take() {
                        rpcbind.unregister();
                    }
                    return;
                }
            }
            for key in self.streams.end_silent(now) {
                self.tell_closed(key);
            }
            self.streams.resume_accepting(&self.epoll, now);
            self.counts.streams = self.streams.counts();
            if let Some(rpcbind) = self.rpcbind.as_mut().filter(|rpcbind| rpcbind.next_check <= now) {
                rpcbind.check(now);
            }
            self.counts.gateway = self.gateway.statistics();
            self.post.count(self.counts);
        }
    }

    fn take(&mut self, event: Event, now: Instant, boxes: &mut Boxes) -> ControlFlow<()> {
        match self.source(event.data.u64()) {
            Source::Mailbox => return self.take_mailbox(),
            Source::Rpcbind => {
                let forgotten = self.rpcbind.as_mut().is_some_and(Rpcbind::take_answer);
                self.counts.registered_again += u64::from(forgotten);
            }
            Source::Datagrams(index) => self.take_datagrams(index, boxes),
            Source::Listener(index) => self.accept(index, now),
            Source::Connection(key) => self.take_connection(key, event.flags, now),
        }
        ControlFlow::Continue(())
    }

    fn source(&self, key: u64) -> Source {
        let index = |from: u64| usize::try_from(key - from).unwrap_or(usize::MAX);
        let listeners = self.streams.listener_keys();
        match key {
            MAILBOX => Source::Mailbox,
            RPCBIND => Source::Rpcbind,
            key if key < listeners.start => Source::Datagrams(index(SOCKETS_FROM)),
            key if key < listeners.end => Source::Listener(index(listeners.start)),
            key => Source::Connection(key),
        }
    }

    fn take_mailbox(&mut self) -> ControlFlow<()> {
        let mail = self.post.take();
        if mail.stop {
            return ControlFlow::Break(());
        }
        if let Some((nis, settings)) = mail.settings {
            self.configure(&nis, settings);
        }
        if let Some(directory) = mail.directory {
            let calendar_seconds = clock::calendar_seconds();
            self.gateway.handle(Input::Publish { directory, calendar_seconds }, &mut Vec::new());
        }
        ControlFlow::Continue(())
    }

    fn configure(&mut self, nis: &Nis, settings: Settings) {
        self.settings = settings;
        self.files = Files::new(nis);
        self.read_files();
    }

    fn read_changed_files(&mut self, now: Instant) {
        if now - self.files_checked >= FILES_CHECKED_EVERY {
            self.files_checked = now;
            if self.files.have_changed() {
                self.read_files();
            }
        }
    }

    /// What cannot be read stays as it was.
    fn read_files(&mut self) {
        match self.files.read() {
            Ok(accounts) => self.accounts = accounts,
            Err(problem) => self.journal.say(Weight::Warning, format_args!("{problem}; it stays as it was")),
        }
        let (settings, accounts) = (self.settings.clone(), self.accounts.clone());
        let calendar_seconds = clock::calendar_seconds();
        self.gateway.handle(Input::Configure { settings, accounts, calendar_seconds }, &mut Vec::new());
        self.complain_of_files();
    }

    fn complain_of_files(&self) {
        let LeftOut { users, groups, members } = self.gateway.left_out();
        if users + groups + members > 0 {
            let text = format!(
                "NIS leaves out {users} lines of nis.passwd and {groups} of nis.group that are no accounts, and {members} members of groups that have no room"
            );
            self.journal.say(Weight::Warning, text);
        }
    }

    /// One batch; what is left is ready in the next turn.
    fn take_datagrams(&mut self, index: usize, Boxes { inbox, outbox }: &mut Boxes) {
        let Some(Sockets { door, datagrams, .. }) = self.sockets.get(index) else { return };
        // Errors that are pending on the socket: a client that closed its port before it had its answer.
        if inbox.receive(datagrams.as_fd()).is_err() {
            self.counts.receive_errors += 1;
            return;
        }
        let mut replies: Vec<(Ipv4Addr, SocketAddrV4, Vec<u8>)> = Vec::new();
        let mut out = Vec::new();
        for (envelope, payload) in inbox.datagrams() {
            let (door, from) = (*door, SocketAddr::V4(envelope.source));
            self.gateway.handle(Input::Datagram { door, from, payload }, &mut out);
            for output in out.drain(..) {
                match output {
                    Output::Reply(reply) => replies.push((envelope.local, envelope.source, reply)),
                    Output::Send { .. } | Output::End(_) => {}
                }
            }
        }
        let mut batch = outbox.batch();
        for (local, peer, reply) in &replies {
            batch.add((Some(*local), *peer), None, std::iter::once(reply.as_slice()));
        }
        // One that cannot leave holds up nobody behind it: its client asks again.
        let mut from = 0;
        while from < replies.len() {
            match batch.send(datagrams.as_fd(), from) {
                Ok(sent) => from += sent.max(1),
                Err(_) => {
                    self.counts.replies_unsent += 1;
                    from += 1;
                }
            }
        }
    }

    fn accept(&mut self, index: usize, now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some((stream, peer)) = self.streams.accept(&self.epoll, index, now) else { return };
            if !self.gateway.serves(peer) {
                self.counts.connections_refused += 1;
                continue;
            }
            if let Some(key) = self.streams.make_room(peer.ip()) {
                self.tell_closed(key);
            }
            let Some(door) = self.sockets.get(index).map(|sockets| sockets.door) else { return };
            // A connection that broke before it began ends here, by being dropped.
            let _ = Connection::new(stream, peer, door, now + self.limits.silence)
                .and_then(|connection| self.streams.insert(&self.epoll, connection, peer.ip()));
        }
    }

    fn remove(&mut self, key: u64) {
        if self.streams.remove(key) {
            self.tell_closed(key);
        }
    }

    fn tell_closed(&mut self, key: u64) {
        self.gateway.handle(Input::Closed(key), &mut Vec::new());
    }

    fn take_connection(&mut self, key: u64, flags: EventFlags, now: Instant) {
        let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        if broken || self.converse(key, flags, now).is_err() {
            self.remove(key);
        }
    }

    /// Reads once, answers what is whole, sends what the kernel takes. An error ends the connection.
    fn converse(&mut self, key: u64, flags: EventFlags, now: Instant) -> io::Result<()> {
        // Gone if an earlier event of this turn displaced it.
        let Some(connection) = self.streams.get_mut(key) else { return Ok(()) };
        if flags.contains(EventFlags::IN) {
            connection.receive(&mut self.buffer)?;
        }
        for _ in 0..PIECES_A_TURN {
            if !self.step(key, now)? {
                break;
            }
        }
        if !self.streams.settle(&self.epoll, key)? {
            self.tell_closed(key);
        }
        Ok(())
    }

    /// Sends what there is, then lets the gateway go on with its reply or take the next call. Whether there may be more to do at once.
    fn step(&mut self, key: u64, now: Instant) -> io::Result<bool> {
        let Some(connection) = self.streams.get_mut(key) else { return Ok(false) };
        if !connection.flush()? {
            return Ok(false);
        }
        let mut out = Vec::new();
        if connection.more {
            connection.deadline = now + self.limits.silence;
            connection.more = false;
            self.gateway.handle(Input::Sent(key), &mut out);
        } else {
            let too_long = |_| io::Error::from(io::ErrorKind::InvalidData);
            let Some(payload) = connection.next_message().map_err(too_long)? else { return Ok(false) };
            connection.deadline = now + self.limits.silence;
            let (door, from) = (connection.door, connection.peer);
            let message = Input::Message { door, from, connection: key, payload: &payload };
            self.gateway.handle(message, &mut out);
        }
        for output in out {
            match output {
                Output::Send { payload, more, .. } => connection.send(payload, more),
                Output::End(_) => connection.end(),
                Output::Reply(_) => {}
            }
        }
        Ok(true)
    }

    fn timeout(&self) -> Option<Timespec> {
        let check = self.rpcbind.as_ref().map(|rpcbind| rpcbind.next_check);
        let next = self.streams.next_deadline().into_iter().chain(check).min()?;
        let left = next.saturating_duration_since(Instant::now());
        Some(Timespec::try_from(left).expect("a deadline is seconds away"))
    }
}
