//! Threads that send beside the loop, when one processor does not keep up with a link.
//!
//! ```text
//!  Transfers ──> loop ──┬── its own system calls, as long as it has the time
//!                       └── a queue for each sender ──> thread: the same system calls
//!        Unsent <── what did not leave ──────────────────┘
//! ```
//!
//! Nine tenths of what a block costs is the kernel's, and most of that is sending; to decide what is sent costs little. So there is one loop that decides, with one ring and one load control, and what
//! it hands over is done.
//!
//! **The order within a transfer is kept**: all that goes to one peer goes through one sender ([`Senders::place_of`]), which sends in the order of its queue; and the loop sends
//! to a peer itself only when that peer's sender has nothing left that it was given ([`Senders::are_for`]). What the loop sends itself has left when its system call returns, so that
//! there is nothing to be overtaken on the way to a sender.
//!
//! **The queues are bounded** by what the ring grants: it grants a transfer nothing beyond its window until that was acknowledged or its timer has run out, and all of them together
//! no more than the link carries; a queue that is longer than a tick shows as a link that delivers less. [`QUEUED_MAX`] is for the case that a thread stands still.

mod worker;

use crate::clock;
use crate::images::Retained;
use crate::udp::Way;
use crate::wake::{Bell, Tray};
use heorot_core::limit::{LOAD_TICK, TRANSFERS_MAX};
use heorot_core::load::Saturation;
use heorot_core::time::Time;
use heorot_core::transfer::Send;
use std::io;
use std::mem;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;
pub(super) use worker::News;
use worker::{Jobs, Line, Worker};

/// Trains that may wait for one sender: one of each transfer there may be. What comes then is told to have found a full socket.
const QUEUED_MAX: usize = TRANSFERS_MAX;

/// What epoll takes to say that something is ready, and what it cannot have slept.
const NO_SLEEP: Duration = Duration::from_micros(2);

/// How long the senders have to send what they were given when the server ends. Their transfers are noted: the next server goes on with them.
const LAST_SENDS: Duration = Duration::from_millis(200);

/// The loop's end of the queues, and when they are used.
pub(crate) struct Senders {
    lines: Vec<Arc<Line>>,
    threads: Vec<JoinHandle<()>>,
    /// What is handed over next, by sender.
    gathered: Vec<Jobs>,
    ways: Arc<[Way]>,
    news: Arc<Tray<News>>,
    cuts_trains: Arc<AtomicBool>,
    saturation: Saturation,
    is_saturated: bool,
    /// Whether something was handed over that was not yet seen to have left.
    is_draining: bool,
    /// When the present tick began, and for how long the loop slept in it.
    tick_begun: Time,
    slept: Duration,
    /// How long all senders had worked when it began.
    worked_before: Duration,
    /// The datagrams and octets that were counted by then.
    counted: (u64, u64),
}

impl Senders {
    /// Starts so many threads, which may be none. The ways are those of [`DataPorts`](crate::udp::DataPorts); the bell is the loop's.
    ///
    /// # Errors
    /// No thread can be had.
    pub(crate) fn start(count: usize, ways: Vec<Way>, bell: &Bell) -> io::Result<Self> {
        let (news, cuts_trains) = (Arc::new(Tray::new(bell)), Arc::new(AtomicBool::new(true)));
        let ways: Arc<[Way]> = ways.into();
        let lines: Vec<Arc<Line>> = (0..count).map(|_| Arc::default()).collect();
        let start = |line: &Arc<Line>| {
            let (line, ways) = (Arc::clone(line), Arc::clone(&ways));
            let worker =
                Worker { line, ways, news: Arc::clone(&news), cuts_trains: Arc::clone(&cuts_trains) };
            std::thread::Builder::new().name("sender".into()).spawn(move || worker.run())
        };
        let threads = lines.iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self {
            ways,
            gathered: lines.iter().map(|_| Jobs::default()).collect(),
            lines,
            threads,
            news,
            cuts_trains,
            saturation: Saturation::default(),
            is_saturated: false,
            is_draining: false,
            tick_begun: clock::now(),
            slept: Duration::ZERO,
            worked_before: Duration::ZERO,
            counted: (0, 0),
        })
    }

    /// By which sockets they send, and the loop.
    pub(super) fn ways(&self) -> Arc<[Way]> {
        Arc::clone(&self.ways)
    }

    /// Whether trains are left to the kernel to cut: found out by whoever sends, and true for all.
    pub(super) fn cuts_trains(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cuts_trains)
    }

    /// The loop is awake again, after so long. True: a tick is over, and what was sent meanwhile is to be counted.
    pub(super) fn slept(&mut self, now: Time, slept: Duration) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        if slept > NO_SLEEP {
            self.slept += slept;
        }
        let took = now.since(self.tick_begun);
        if took < LOAD_TICK {
            return false;
        }
        // Whoever had given something to it would wait for ever.
        assert!(!self.threads.iter().any(JoinHandle::is_finished), "a sender has died");
        let worked = self.lines.iter().map(|line| line.worked()).sum();
        let relieved = mem::replace(&mut self.worked_before, worked);
        self.is_saturated =
            self.saturation.tick(took, mem::take(&mut self.slept), worked.saturating_sub(relieved));
        self.tick_begun = now;
        true
    }

    /// Whether anything may have to be handed over: the loop has not the time, or had not and what it handed over is not known to have left.
    pub(super) fn are_at_work(&mut self) -> bool {
        if self.is_draining && !self.is_saturated {
            self.is_draining = self.lines.iter().any(|line| line.unfinished() > 0);
        }
        self.is_saturated || self.is_draining
    }

    /// Whether what goes to this peer is to be handed over. If the loop has the time, it is as long as the peer's sender has something left: that may be an older part of the same window. As soon as it has
    /// nothing left, all of that has gone through the kernel's door, and what the loop sends comes behind it.
    pub(super) fn are_for(&self, peer: SocketAddrV4) -> bool {
        let place = self.place_of(peer);
        self.is_saturated || self.gathered[place].len() + self.lines[place].unfinished() > 0
    }

    /// Whether the peer's sender takes one more.
    pub(super) fn has_room(&self, peer: SocketAddrV4) -> bool {
        let place = self.place_of(peer);
        self.gathered[place].len() + self.lines[place].unfinished() < QUEUED_MAX
    }

    /// Gathers what the peer's sender is to send by a socket, with the octets of its train.
    pub(super) fn gather(&mut self, socket: usize, send: Send, kept: Retained) {
        let place = self.place_of(send.peer);
        self.gathered[place].push(socket, send, kept);
    }

    /// Hands over what was gathered.
    pub(super) fn hand_over(&mut self) {
        for (line, gathered) in self.lines.iter().zip(&mut self.gathered) {
            if gathered.len() > 0 {
                self.is_draining = true;
                line.put(gathered);
            }
        }
    }

    /// What did not leave.
    pub(super) fn news(&self) -> Vec<News> {
        self.news.take()
    }

    /// Datagrams, and octets of their payload, that have left since this was last asked.
    pub(super) fn newly_sent(&mut self) -> (usize, usize) {
        let (datagrams, octets) = self.sent();
        let (datagrams_before, octets_before) = mem::replace(&mut self.counted, (datagrams, octets));
        let since = |now: u64, before: u64| usize::try_from(now - before).expect("64 bits");
        (since(datagrams, datagrams_before), since(octets, octets_before))
    }

    /// Datagrams, and octets of their payload, that have left since the start.
    pub(super) fn sent(&self) -> (u64, u64) {
        let add = |(datagrams, octets): (u64, u64), line: &Arc<Line>| {
            let (more_datagrams, more_octets) = line.sent();
            (datagrams + more_datagrams, octets + more_octets)
        };
        self.lines.iter().fold((0, 0), add)
    }

    /// Ends the threads: what they were given is sent first, as far as there is time.
    pub(super) fn end(self) {
        let by = clock::now() + LAST_SENDS;
        self.lines.iter().for_each(|line| line.end(by));
        for thread in self.threads {
            // One that has died has nothing more to send.
            let _ = thread.join();
        }
    }

    /// The sender of all that goes to a peer.
    fn place_of(&self, peer: SocketAddrV4) -> usize {
        let key = u64::from(u32::from(*peer.ip())) << 16 | u64::from(peer.port());
        // Fibonacci hashing: addresses and ports that follow each other, as those of clients do, are spread evenly.
        let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        usize::try_from(spread).expect("32 bits") % self.lines.len()
    }
}

#[cfg(test)]
mod tests;
