//! The socket and the loop.

use super::hosts::{Hosts, Outbox};
use crate::clock;
use crate::netio::packet::{FrameInbox, PacketSocket};
use crate::problem::{Problem, problem};
use heorot_core::time::Time;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// How often the kernel's counts are read.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How often a line tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a frame waits for room before it is tried again.
const FULL_PAUSE: Duration = Duration::from_micros(100);
/// As often it is tried: two seconds.
const FULL_TRIES_MAX: u32 = 20_000;
/// The socket's room that a storm of a thousand wants, as the kernel counts it.
const ROOM_OCTETS_MIN: usize = 32 << 20;

/// One interface, and all that came of it.
pub(super) struct Field {
    name: String,
    socket: PacketSocket,
    inbox: FrameInbox,
    outbox: Outbox,
    own_drops: u64,
    backlog_drops_before: u64,
    pub(super) shows_progress: bool,
}

impl Field {
    /// Opens a packet socket.
    ///
    /// # Errors
    /// Without CAP_NET_RAW, mostly.
    pub(super) fn open(name: &str, index: u32) -> Result<Self, Problem> {
        let socket = PacketSocket::open(index).map_err(|e| {
            if e.kind() == io::ErrorKind::PermissionDenied {
                problem!(
                    "raw frames on {name} need CAP_NET_RAW, which this process lacks\n  run it as root, or: setcap cap_net_raw,cap_net_admin+ep heorot"
                )
            } else {
                problem!("no packet socket can be had on {name}: {e}")
            }
        })?;
        let room = socket.room_octets().map_err(|e| problem!("{name}: {e}"))?;
        if room < ROOM_OCTETS_MIN {
            say(&format!(
                "only {} kB may wait to be received: drops are likely; run it with CAP_NET_ADMIN, or raise net.core.rmem_max",
                room / 1000
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            socket,
            inbox: FrameInbox::new(),
            outbox: Outbox::new(),
            own_drops: 0,
            backlog_drops_before: 0,
            shows_progress: false,
        })
    }

    /// Lets the hosts live until all are settled, or until `end`; with `stays`, until `end` in any case.
    ///
    /// # Errors
    /// The interface is gone.
    pub(super) fn run(&mut self, hosts: &mut Hosts, end: Time, stays: bool) -> Result<(), Problem> {
        let start = clock::now();
        let (mut count_at, mut tell_at) = (start + COUNT_EVERY, start + TELL_EVERY);
        loop {
            let count = self.inbox.receive(&self.socket).map_err(|e| problem!("{}: {e}", self.name))?;
            // Read after the frames were taken, so that none of them comes before its moment.
            let now = clock::now();
            for (frame, piece) in self.inbox.frames() {
                hosts.receive(now, frame, piece, &mut self.outbox);
            }
            hosts.wake(now, &mut self.outbox);
            self.flush()?;
            if now >= count_at {
                self.count()?;
                count_at = now + COUNT_EVERY;
            }
            if now >= tell_at && self.shows_progress {
                tell_at = now + TELL_EVERY;
                say(&progress(hosts, now.since(start)));
            }
            if now >= end || (!stays && hosts.settled() == hosts.all().len()) {
                return self.count();
            }
            if count == 0 {
                let next = hosts.next_wakeup().unwrap_or(end).min(end).min(count_at);
                self.sleep(next.since(clock::now()))?;
            }
        }
    }

    /// Frames that the kernel dropped for want of room in our socket; and between interfaces of the host.
    pub(super) fn drops(&mut self) -> Result<(u64, u64), Problem> {
        self.count()?;
        Ok((self.own_drops, backlog_drops().saturating_sub(self.backlog_drops_before)))
    }

    /// What was dropped until now does not count.
    pub(super) fn forget_drops(&mut self) -> Result<(), Problem> {
        self.count()?;
        self.own_drops = 0;
        self.backlog_drops_before = backlog_drops();
        Ok(())
    }

    fn count(&mut self) -> Result<(), Problem> {
        let dropped = self.socket.dropped().map_err(|e| problem!("{}: {e}", self.name))?;
        self.own_drops += u64::from(dropped);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Problem> {
        let mut tries = 0;
        while !self.outbox.is_empty() {
            match self.socket.send(self.outbox.iter().map(Vec::as_slice)) {
                Ok(count) => {
                    self.outbox.drain(..count);
                    tries = 0;
                }
                // A full queue is no loss: a machine's card would wait, too.
                Err(e) if is_full(&e) && tries < FULL_TRIES_MAX => {
                    tries += 1;
                    std::thread::sleep(FULL_PAUSE);
                }
                Err(e) => return Err(problem!("frames cannot be sent by {}: {e}", self.name)),
            }
        }
        Ok(())
    }

    fn sleep(&self, longest: Duration) -> Result<(), Problem> {
        let descriptor = self.socket.as_fd();
        let timeout = Timespec {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: longest.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(problem!("waiting for frames on {}: {e}", self.name)),
        }
    }
}

fn is_full(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::WouldBlock || e.raw_os_error() == Some(libc::ENOBUFS)
}

fn progress(hosts: &Hosts, elapsed: Duration) -> String {
    let scores = || hosts.all().iter().map(|host| &host.score);
    let loaded = scores().filter(|score| score.loaded.is_some()).count();
    let received: u64 = scores().map(|score| score.received_octets).sum();
    format!(
        "{:4} s: {loaded} of {} loaded, {} lost, {} MB received",
        elapsed.as_secs(),
        hosts.all().len(),
        hosts.settled() - loaded,
        received / 1_000_000
    )
}

/// Frames that all processors dropped because too many waited: the second column (linux/netdevice.h, `softnet_data.dropped`).
fn backlog_drops() -> u64 {
    let text = std::fs::read_to_string("/proc/net/softnet_stat").unwrap_or_default();
    let dropped = |line: &str| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok();
    text.lines().filter_map(dropped).sum()
}

/// A line on stderr, for whoever looks on.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
