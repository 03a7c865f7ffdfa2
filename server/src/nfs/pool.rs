use super::answer::{Answerer, Room};
use super::connection::{Connection, Done, Next};
use super::open_files::KEPT_OPEN;
use super::rations::{self, Rations};
use super::table::{Slot, Table};
use super::{Counts, Tallies};
use crate::ask::Ask;
use crate::journal::{Journal, Weight};
use crate::wake::{Bell, Caller};
use heorot_core::transfer::StreamId;
use heorot_dns::Prefix;
use heorot_nfs::limit::{AT_ONCE_OCTETS_MAX, COPIED_OCTETS_MAX};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// What the threads share. Each waits at the same epoll, which tells one thing to one of them; who waits for a disk holds up nobody else.
pub(super) struct Pool {
    pub(super) answerer: Answerer,
    /// Who is answered, beside this host.
    pub(super) networks: RwLock<Vec<Prefix>>,
    listener: TcpListener,
    epoll: OwnedFd,
    table: Mutex<Table>,
    pub(super) rations: Rations,
    asks: Caller<Ask>,
    journal: Journal,
    bell: Bell,
    over: AtomicBool,
    begun: Instant,
    pub(super) tallies: Tallies,
    /// When the idle were last looked for, and the last complaint was made: milliseconds since the start.
    swept: AtomicU64,
    complained: AtomicU64,
}

/// Keys of events: the bell at which all threads wake to end, the listener, and every connection that ever was.
const BELL: u64 = 0;
const LISTENER: u64 = 1;
const CONNECTIONS_FROM: u64 = 2;

/// Connections taken before others get their turn.
const ACCEPTS_A_TURN: usize = 64;
/// How often the loop is told that a client takes what it gets; it wants to know at least every 10 s.
const LIFE_EVERY: Duration = Duration::from_secs(4);
/// How long a call or a reply may stand still: then its client is gone, or no good. Longer than any pause in which TCP repeats itself to one that lives.
const STANDS_STILL_MAX: Duration = Duration::from_secs(120);
/// Between two complaints.
const COMPLAINED_EVERY: Duration = Duration::from_secs(60);
/// After this silence the kernel asks whether a client is still there, and then every so often, so many times: nodes are switched off without a word.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMES: u32 = 6;

impl Pool {
    pub(super) fn new(
        (listener, connections_max): (TcpListener, usize),
        answerer: Answerer,
        networks: Vec<Prefix>,
        (asks, loop_bell): (Caller<Ask>, &Bell),
        journal: Journal,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = Bell::new()?;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), EventFlags::IN)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN | EventFlags::ONESHOT)?;
        Ok(Self {
            answerer,
            networks: RwLock::new(networks),
            listener,
            epoll,
            table: Mutex::new(Table::new(CONNECTIONS_FROM, connections_max)),
            rations: Rations::new(loop_bell),
            asks,
            journal,
            bell,
            over: AtomicBool::new(false),
            begun: Instant::now(),
            tallies: Tallies::default(),
            swept: AtomicU64::new(0),
            complained: AtomicU64::new(0),
        })
    }

    /// A thread's whole life: wait, take one thing, see that it goes on.
    pub(super) fn run(&self) {
        let mut room = Room::new();
        let mut events = Vec::with_capacity(1);
        while !self.over.load(Ordering::Relaxed) {
            let pause = Timespec::try_from(KEPT_OPEN).expect("some seconds");
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&pause)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("epoll_wait on our own descriptor: {error}"),
            }
            for event in events.drain(..) {
                let flags = event.flags;
                match event.data.u64() {
                    BELL => {}
                    LISTENER => self.accept(),
                    // Nothing can be said to it any more, whatever it waits for.
                    key if flags.intersects(EventFlags::ERR | EventFlags::HUP) => self.remove(key),
                    key => self.serve(key, &mut room),
                }
            }
            self.sweep();
        }
    }

    /// Ends all threads. Those that wait for a disk end when it has answered.
    pub(super) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.rations.stop();
        // Never silenced, so that every thread wakes.
        self.bell.ring();
    }

    pub(super) fn counts(&self) -> Counts {
        self.tallies.counts()
    }

    /// Whether what is large has to wait for its share of the link, from the next turn of each connection on.
    pub(super) fn ration(&self, are_on: bool) {
        self.rations.set(are_on);
        let copied = if are_on { AT_ONCE_OCTETS_MAX } else { COPIED_OCTETS_MAX };
        self.answerer.copied_octets_max.store(copied, Ordering::Relaxed);
    }

    /// A connection that waits for its share may send so much more. For the loop: nothing here waits for what a thread does with a connection.
    pub(super) fn grant(&self, stream: StreamId, octets: u64) {
        let Some(slot) = self.table().get(rations::key(stream)) else { return };
        slot.granted.fetch_add(octets, Ordering::Release);
        let flags = EventFlags::OUT | EventFlags::ONESHOT;
        // Gone meanwhile: then nobody waits.
        let _ = epoll::modify(&self.epoll, &*slot.socket, EventData::new_u64(slot.key), flags);
    }

    fn accept(&self) {
        let mut watched = Duration::ZERO;
        for _ in 0..ACCEPTS_A_TURN {
            match self.listener.accept() {
                Ok((socket, from)) => self.welcome(socket, from),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
                    ) => {}
                Err(error) => {
                    self.complain(format_args!("NFS: connections cannot be accepted: {error}"));
                    watched = ACCEPT_PAUSE;
                    break;
                }
            }
        }
        // No descriptor is left: the listener stays readable, and would wake us for nothing.
        std::thread::sleep(watched);
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        epoll::modify(&self.epoll, &self.listener, EventData::new_u64(LISTENER), flags)
            .expect("our own listener is registered");
    }

    fn welcome(&self, socket: TcpStream, from: SocketAddr) {
        let SocketAddr::V4(from) = from else { return };
        let peer = *from.ip();
        if !self.serves(peer) {
            self.tallies.refused.fetch_add(1, Ordering::Relaxed);
            return self.complain(format_args!("NFS: {peer} is in none of the networks and was refused"));
        }
        keep_alive(&socket);
        // One that broke before it began ends here, by being dropped.
        let Ok(connection) = Connection::new(socket, from) else { return };
        self.tallies.accepted.fetch_add(1, Ordering::Relaxed);
        let (key, gone) = {
            let mut table = self.table();
            let inserted = table.insert(connection, self.now());
            self.tallies.connections.store(table.len() as u64, Ordering::Relaxed);
            inserted
        };
        if !gone.is_empty() {
            self.tallies.displaced.fetch_add(gone.len() as u64, Ordering::Relaxed);
            self.complain(format_args!(
                "NFS: there are as many connections of {peer}, or of all, as there may be: for each that comes, the one that has been silent longest is closed"
            ));
        }
        let Some(slot) = self.table().get(key) else { return };
        let flags = EventFlags::IN | EventFlags::ONESHOT;
        if epoll::add(&self.epoll, &*slot.socket, EventData::new_u64(key), flags).is_err() {
            self.remove(key);
        }
    }

    pub(super) fn serves(&self, peer: Ipv4Addr) -> bool {
        let networks = self.networks.read().unwrap_or_else(PoisonError::into_inner);
        peer.is_loopback() || networks.iter().any(|network| network.contains(peer))
    }

    fn serve(&self, key: u64, room: &mut Room) {
        let Some(slot) = self.table().get(key) else { return };
        let mut done = Done::default();
        let served = {
            let mut connection = slot.connection();
            connection.granted(slot.granted.swap(0, Ordering::Acquire));
            let next = connection.serve((&self.answerer, room), self.rations.are_on(), &mut done);
            // Still in the hand of this thread: no other one is told of it before.
            next.and_then(|next| {
                let flags = match next {
                    Next::Call => EventFlags::IN,
                    Next::Room => EventFlags::OUT,
                    Next::Grant => EventFlags::empty(),
                    // There is room, so that epoll tells at once, when the others had their turn.
                    Next::Turn => EventFlags::IN | EventFlags::OUT,
                    Next::Nothing => return Ok(false),
                };
                let data = EventData::new_u64(key);
                epoll::modify(&self.epoll, &*connection.socket, data, flags | EventFlags::ONESHOT)?;
                self.rations.tell(&slot, &mut connection, next);
                Ok(true)
            })
        };
        self.tallies.calls.fetch_add(done.calls, Ordering::Relaxed);
        self.tallies.octets.fetch_add(done.octets, Ordering::Relaxed);
        // Before the connection ends: what its client repeats is answered from what is known then.
        if let Some((handle, offset)) = done.unreadable {
            self.answerer.unreadable.note(&handle, offset);
        }
        if let Some((handle, offset)) = self.answerer.unreadable.news() {
            let name = self.answerer.trees.name_of(&handle);
            self.complain(format_args!(
                "NFS: {name} cannot be read at octet {offset}: the kernel's log says what is wrong with the disk; who reads it is told of an error"
            ));
        }
        match served {
            Ok(true) if done.octets > 0 => self.tell_life(&slot),
            Ok(true) => {}
            Ok(false) | Err(_) => {
                self.remove(key);
            }
        }
    }

    /// The kernel took a reply, so that the client has taken earlier ones.
    fn tell_life(&self, slot: &Slot) {
        let now = self.now();
        slot.moved.store(now, Ordering::Relaxed);
        let told = slot.life_told.load(Ordering::Relaxed);
        if told == 0 || now.saturating_sub(told) >= milliseconds(LIFE_EVERY) {
            slot.life_told.store(now.max(1), Ordering::Relaxed);
            // If the line is full, a later call tells.
            let _ = self.asks.try_say(Ask::SignOfLife(slot.peer));
        }
    }

    /// Now and then: closes files that nobody reads, and ends connections in which a call or a reply stands still.
    fn sweep(&self) {
        let (now, swept) = (self.now(), self.swept.load(Ordering::Relaxed));
        let is_due = now.saturating_sub(swept) >= milliseconds(KEPT_OPEN);
        let is_mine =
            || self.swept.compare_exchange(swept, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_due || !is_mine() {
            return;
        }
        self.answerer.files.close_idle();
        let all = self.table().all();
        for (key, slot) in all {
            let stands_still =
                now.saturating_sub(slot.moved.load(Ordering::Relaxed)) >= milliseconds(STANDS_STILL_MAX);
            if stands_still && slot.if_idle().is_some_and(|it| it.is_busy() && !it.is_held()) {
                self.tallies.silent.fetch_add(1, Ordering::Relaxed);
                self.remove(key);
            }
        }
    }

    /// At most once a minute.
    fn complain(&self, what: std::fmt::Arguments<'_>) {
        let (now, last) = (self.now().max(1), self.complained.load(Ordering::Relaxed));
        if (last == 0 || now.saturating_sub(last) >= milliseconds(COMPLAINED_EVERY))
            && self.complained.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.journal.say(Weight::Warning, what);
        }
    }

    fn now(&self) -> u64 {
        milliseconds(self.begun.elapsed())
    }

    fn remove(&self, key: u64) {
        let mut table = self.table();
        table.remove(key);
        self.tallies.connections.store(table.len() as u64, Ordering::Relaxed);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to accept nobody after a descriptor was missing.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A client that went without a word is found out. What cannot be set is not worth losing a connection for.
fn keep_alive(socket: &TcpStream) {
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_TIMES);
    let socket = socket2::SockRef::from(socket);
    let _ = socket.set_tcp_keepalive(&keepalive);
    let _ = socket.set_tcp_user_timeout(Some(STANDS_STILL_MAX));
}

/// The networks, as clients are told of them.
pub(super) fn addresses(prefixes: &[Prefix]) -> Vec<String> {
    let ipv4 = prefixes.iter().filter_map(|prefix| match prefix.address {
        IpAddr::V4(address) => Some((address, prefix.length)),
        IpAddr::V6(_) => None,
    });
    ipv4.map(|(address, length)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        format!("{}/{length}", Ipv4Addr::from(u32::from(address) & mask))
    })
    .collect()
}
