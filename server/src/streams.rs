//! TCP connections of a service that has a thread of its own: whom it accepts, who gives way, who has been silent for too long.
//!
//! What is said is the service's affair. Here is what each of them needs so that no client holds up another, and none uses up the descriptors.

mod peers;

use peers::Peers;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A connection, as the service has it.
pub(crate) trait Stream {
    /// Its socket.
    fn socket(&self) -> &TcpStream;
    /// What it waits for.
    fn interest(&self) -> EventFlags;
    /// When it ends, whatever it is doing then.
    fn deadline(&self) -> Instant;
    /// Whether nothing is left to do here.
    fn is_over(&self) -> bool;
}

/// All connections of a service, and where they come from.
pub(crate) struct Streams<S> {
    most: usize,
    listeners: Vec<TcpListener>,
    listeners_from: u64,
    /// By key, which is never used twice: what is said to a connection that is gone finds nobody.
    open: BTreeMap<u64, Open<S>>,
    /// When each is to be looked at: no later than its time is over, and perhaps sooner.
    timers: BTreeSet<(Instant, u64)>,
    peers: Peers,
    next_key: u64,
    /// No descriptors are left: nobody is accepted until then.
    accept_paused_until: Option<Instant>,
    counts: Counts,
}

struct Open<S> {
    stream: S,
    peer: IpAddr,
    /// What epoll was told to wait for.
    registered: EventFlags,
    /// Its place among the timers.
    armed: Instant,
}

/// What has come of the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Those that came.
    pub(crate) accepted: u64,
    /// Those that could not be taken, for want of descriptors.
    pub(crate) accept_errors: u64,
    /// Those that were ended because nothing was said or read for too long.
    pub(crate) silent: u64,
    /// Those that gave way to a new one.
    pub(crate) displaced: u64,
}

/// Connections taken from one listener before others get their turn.
pub(crate) const ACCEPTS_A_TURN: usize = 64;

/// Listeners there may be: an address that is ours for a while keeps its one.
pub(crate) const LISTENERS_MAX: u64 = 1024;

/// How long to accept nobody after a descriptor was missing: listeners stay readable, and would wake us for nothing.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl<S: Stream> Streams<S> {
    /// Waits for connections, `most` of them at once. Events of the listeners have the keys from `listeners_from` on, connections those after [`LISTENERS_MAX`] of them.
    pub(crate) fn listen(
        epoll: &OwnedFd,
        listeners: Vec<TcpListener>,
        listeners_from: u64,
        most: usize,
    ) -> io::Result<Self> {
        for (listener, key) in listeners.iter().zip(listeners_from..) {
            epoll::add(epoll, listener, EventData::new_u64(key), EventFlags::IN)?;
        }
        let next_key = listeners_from + LISTENERS_MAX;
        Ok(Self {
            most,
            listeners,
            listeners_from,
            open: BTreeMap::new(),
            timers: BTreeSet::new(),
            peers: Peers::default(),
            next_key,
            accept_paused_until: None,
            counts: Counts::default(),
        })
    }

    /// Waits for connections there too.
    ///
    /// # Errors
    /// There are too many listeners, or the kernel cannot watch another one.
    pub(crate) fn listen_too(&mut self, epoll: &OwnedFd, listener: TcpListener) -> io::Result<()> {
        let key = self.listener_keys().end;
        if key >= self.listeners_from + LISTENERS_MAX {
            return Err(io::Error::other("it has listened to too many since its start"));
        }
        listener.set_nonblocking(true)?;
        let flags = if self.accept_paused_until.is_some() { EventFlags::empty() } else { EventFlags::IN };
        epoll::add(epoll, &listener, EventData::new_u64(key), flags)?;
        self.listeners.push(listener);
        Ok(())
    }

    /// Which keys of events are of listeners.
    pub(crate) fn listener_keys(&self) -> Range<u64> {
        self.listeners_from..self.listeners_from + self.listeners.len() as u64
    }

    /// The next that came to a listener, if there is one.
    pub(crate) fn accept(
        &mut self,
        epoll: &OwnedFd,
        listener: usize,
        now: Instant,
    ) -> Option<(TcpStream, SocketAddr)> {
        for _ in 0..ACCEPTS_A_TURN {
            match self.listeners.get(listener)?.accept() {
                Ok(accepted) => {
                    self.counts.accepted += 1;
                    return Some(accepted);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if had_enough(&error) => {}
                Err(_) => {
                    self.counts.accept_errors += 1;
                    self.accept_paused_until = Some(now + ACCEPT_PAUSE);
                    self.listen_for(epoll, EventFlags::empty());
                    return None;
                }
            }
        }
        None
    }

    /// Ends a connection if there is no room for another, of this peer: the one that has been silent longest of whoever has most, or of all, where nobody has more than others. A client behind
    /// it asks again, one that only sits there loses nothing. Which it was.
    pub(crate) fn make_room(&mut self, peer: IpAddr) -> Option<u64> {
        if self.open.len() < self.most {
            return None;
        }
        let key = match self.peers.gives_way(peer) {
            Some(peer) => self.first_due_where(|it| it.peers.first(peer)),
            None => self.first_due(),
        }?;
        self.displace(key);
        Some(key)
    }

    /// Ends one for the sake of others.
    pub(crate) fn displace(&mut self, key: u64) {
        self.counts.displaced += u64::from(self.remove(key));
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// The kernel cannot watch another one; it is closed.
    pub(crate) fn insert(&mut self, epoll: &OwnedFd, stream: S, peer: IpAddr) -> io::Result<()> {
        let (key, registered) = (self.next_key, stream.interest());
        self.next_key += 1;
        epoll::add(epoll, stream.socket(), EventData::new_u64(key), registered)?;
        let armed = stream.deadline();
        self.timers.insert((armed, key));
        self.peers.insert(peer, (armed, key));
        self.open.insert(key, Open { stream, peer, registered, armed });
        Ok(())
    }

    /// One that is still there.
    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut S> {
        self.open.get_mut(&key).map(|open| &mut open.stream)
    }

    /// Ends one. Whether it was there.
    pub(crate) fn remove(&mut self, key: u64) -> bool {
        let Some(open) = self.open.remove(&key) else { return false };
        self.timers.remove(&(open.armed, key));
        self.peers.remove(open.peer, (open.armed, key));
        true
    }

    /// After something was said: ends it if it is over, else waits for what it wants now. Whether it is still there.
    pub(crate) fn settle(&mut self, epoll: &OwnedFd, key: u64) -> io::Result<bool> {
        let Some(open) = self.open.get_mut(&key) else { return Ok(false) };
        if open.stream.is_over() {
            self.remove(key);
            return Ok(false);
        }
        // Later is looked at when the timer comes: with every octet the deadline moves on.
        let deadline = open.stream.deadline();
        if deadline < open.armed {
            self.timers.remove(&(open.armed, key));
            self.timers.insert((deadline, key));
            self.peers.move_timer(open.peer, (open.armed, deadline), key);
            open.armed = deadline;
        }
        let interest = open.stream.interest();
        if interest != std::mem::replace(&mut open.registered, interest) {
            epoll::modify(epoll, open.stream.socket(), EventData::new_u64(key), interest)?;
        }
        Ok(true)
    }

    /// Ends those whose time is over. Which these were.
    pub(crate) fn end_silent(&mut self, now: Instant) -> Vec<u64> {
        let mut silent = Vec::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            let Some(key) = self.first_due() else { break };
            let Some(open) = self.open.get(&key).filter(|open| open.armed <= now) else { break };
            debug_assert!(open.stream.deadline() <= now, "the first is armed for its deadline");
            self.remove(key);
            silent.push(key);
        }
        self.counts.silent += silent.len() as u64;
        silent
    }

    /// Whose time is over first. Those that have got more time since they were armed are armed anew on the way.
    fn first_due(&mut self) -> Option<u64> {
        self.first_due_where(|it| it.timers.first().copied())
    }

    fn first_due_where(&mut self, first: impl Fn(&Self) -> Option<(Instant, u64)>) -> Option<u64> {
        loop {
            let (at, key) = first(self)?;
            let open = self.open.get_mut(&key)?;
            let deadline = open.stream.deadline();
            if deadline <= at {
                return Some(key);
            }
            self.timers.remove(&(at, key));
            self.timers.insert((deadline, key));
            self.peers.move_timer(open.peer, (at, deadline), key);
            open.armed = deadline;
        }
    }

    /// Accepts again after a pause.
    pub(crate) fn resume_accepting(&mut self, epoll: &OwnedFd, now: Instant) {
        if self.accept_paused_until.is_some_and(|until| until <= now) {
            self.accept_paused_until = None;
            self.listen_for(epoll, EventFlags::IN);
        }
    }

    /// When something here has to be looked at.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let first = self.timers.first().map(|(at, _)| *at);
        first.into_iter().chain(self.accept_paused_until).min()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// What has come of them so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn listen_for(&self, epoll: &OwnedFd, flags: EventFlags) {
        for (listener, key) in self.listeners.iter().zip(self.listeners_from..) {
            epoll::modify(epoll, listener, EventData::new_u64(key), flags)
                .expect("our own listener is registered");
        }
    }
}

/// The client went before we came to it.
fn had_enough(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}

/// Sends what the kernel takes of `unsent` from `sent` on. True: all is sent.
pub(crate) fn flush(mut socket: &TcpStream, unsent: &mut Vec<u8>, sent: &mut usize) -> io::Result<bool> {
    while let Some(rest) = unsent.get(*sent..).filter(|rest| !rest.is_empty()) {
        match io::Write::write(&mut socket, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(octets) => *sent += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    unsent.clear();
    *sent = 0;
    Ok(true)
}

/// Reads once. None: the client says no more, but may still wait for replies.
pub(crate) fn receive<'a>(mut socket: &TcpStream, room: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    match io::Read::read(&mut socket, room) {
        Ok(0) => Ok(None),
        Ok(octets) => Ok(Some(&room[..octets])),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(Some(&[]))
        }
        Err(error) => Err(error),
    }
}
