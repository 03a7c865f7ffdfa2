//! One sender: its queue, and the thread that empties it.

use crate::clock;
use crate::images::Retained;
use crate::netio::BATCH;
use crate::rights;
use crate::run::transmit::{Failed, Transmitter};
use crate::udp::Way;
use crate::wake::{Tray, whole};
use heorot_core::time::Time;
use heorot_core::transfer::{Block, Send};
use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What a sender says.
#[derive(Debug)]
pub(in crate::run) enum News {
    /// This did not leave.
    Unsent(Failed),
    /// Something had no way, or never can leave, for this reason.
    Complaint(io::Error),
}

/// What is to be sent, in order: by which socket, what, and the octets that it is made of. The three are apart because the second is what [`Transmitter`] takes.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    sockets: Vec<usize>,
    sends: Vec<Send>,
    kept: Vec<Retained>,
}

impl Jobs {
    pub(super) fn len(&self) -> usize {
        self.sends.len()
    }

    pub(super) fn push(&mut self, socket: usize, send: Send, kept: Retained) {
        self.sockets.push(socket);
        self.sends.push(send);
        self.kept.push(kept);
    }

    /// Takes all of the others behind its own.
    fn append(&mut self, others: &mut Self) {
        if self.sends.is_empty() {
            return mem::swap(self, others);
        }
        self.sockets.append(&mut others.sockets);
        self.sends.append(&mut others.sends);
        self.kept.append(&mut others.kept);
    }

    fn clear(&mut self) {
        self.sockets.clear();
        self.sends.clear();
        self.kept.clear();
    }
}

/// The queue between the loop and a sender, and what the sender has done.
#[derive(Debug)]
pub(super) struct Line {
    queue: Mutex<Queue>,
    filled: Condvar,
    /// What was put into the queue and has not left, nor was reported.
    unfinished: AtomicUsize,
    datagrams: AtomicU64,
    octets: AtomicU64,
    worked_nanoseconds: AtomicU64,
    /// In nanoseconds of our clock: what has not left by then does not.
    ends_by: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: Jobs,
    /// Whether the thread waits to be woken up: to wake one that does not costs a system call as well.
    is_asleep: bool,
    is_over: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            filled: Condvar::new(),
            unfinished: AtomicUsize::new(0),
            datagrams: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            worked_nanoseconds: AtomicU64::new(0),
            ends_by: AtomicU64::new(u64::MAX),
        }
    }
}

impl Line {
    /// Puts jobs into the queue. The lock is held by nobody for longer than it takes to exchange two vectors, or to lengthen one.
    pub(super) fn put(&self, jobs: &mut Jobs) {
        self.unfinished.fetch_add(jobs.len(), Ordering::Relaxed);
        let mut queue = whole(&self.queue);
        queue.jobs.append(jobs);
        let was_asleep = mem::take(&mut queue.is_asleep);
        drop(queue);
        if was_asleep {
            self.filled.notify_one();
        }
    }

    /// How many jobs have neither left nor been reported.
    pub(super) fn unfinished(&self) -> usize {
        // With what the thread did before it counted down: the kernel has it, and news of it lie in the tray.
        self.unfinished.load(Ordering::Acquire)
    }

    /// Datagrams, and octets of their payload, that have left.
    pub(super) fn sent(&self) -> (u64, u64) {
        (self.datagrams.load(Ordering::Relaxed), self.octets.load(Ordering::Relaxed))
    }

    /// How long the thread has worked.
    pub(super) fn worked(&self) -> Duration {
        Duration::from_nanos(self.worked_nanoseconds.load(Ordering::Relaxed))
    }

    /// Lets the thread end when the queue is empty, and at this moment in any case.
    pub(super) fn end(&self, by: Time) {
        self.ends_by.store(by.as_nanoseconds(), Ordering::Relaxed);
        whole(&self.queue).is_over = true;
        self.filled.notify_one();
    }

    /// Waits for jobs, and takes all there are in exchange for an empty list. False: there will be no more.
    fn take(&self, empty: &mut Jobs) -> bool {
        let mut queue = whole(&self.queue);
        while queue.jobs.len() == 0 {
            if queue.is_over {
                return false;
            }
            queue.is_asleep = true;
            queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut queue.jobs, empty);
        true
    }
}

/// What a thread sends with.
pub(super) struct Worker {
    pub(super) line: Arc<Line>,
    pub(super) ways: Arc<[Way]>,
    pub(super) news: Arc<Tray<News>>,
    pub(super) cuts_trains: Arc<AtomicBool>,
}

impl Worker {
    /// Sends until nothing more will come.
    pub(super) fn run(self) {
        rights::renounce();
        let mut transmitter = Transmitter::new();
        let (mut jobs, mut news) = (Jobs::default(), Vec::new());
        while self.line.take(&mut jobs) {
            self.send(&mut transmitter, &jobs, &mut news);
            // What the jobs kept of images that are closed goes here, and not on the loop.
            jobs.clear();
        }
    }

    /// Sends them piece by piece, each by one socket.
    fn send(&self, transmitter: &mut Transmitter, jobs: &Jobs, news: &mut Vec<News>) {
        let mut begun = clock::now();
        let mut next = 0;
        for together in jobs.sockets.chunk_by(|one, other| one == other) {
            for piece in together.chunks(BATCH) {
                if begun.as_nanoseconds() >= self.line.ends_by.load(Ordering::Relaxed) {
                    return;
                }
                let (socket, is_bound) = &self.ways[piece[0]];
                let (sends, kept) = (&jobs.sends[next..][..piece.len()], &jobs.kept[next..][..piece.len()]);
                let octets = |place: usize, _: &Block, range| kept[place].octets(range);
                let sent = transmitter.send((socket.as_fd(), *is_bound), sends, octets, &self.cuts_trains);
                next += piece.len();
                news.extend(sent.failed.into_iter().map(News::Unsent));
                news.extend(sent.complaint.map(News::Complaint));
                self.news.put(news);
                self.line.datagrams.fetch_add(sent.datagrams as u64, Ordering::Relaxed);
                self.line.octets.fetch_add(sent.octets as u64, Ordering::Relaxed);
                let now = clock::now();
                let worked = u64::try_from(now.since(begun).as_nanos()).unwrap_or(u64::MAX);
                self.line.worked_nanoseconds.fetch_add(worked, Ordering::Relaxed);
                begun = now;
                // Last: whoever sees it sees all of the above.
                self.line.unfinished.fetch_sub(piece.len(), Ordering::Release);
            }
        }
    }
}
