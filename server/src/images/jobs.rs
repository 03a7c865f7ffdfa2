//! What the loop wants of the threads that open and read, in the order in which they do it.
//!
//! Chunks for transfers that are under way come before files for new ones, which wait by peer: one each, in turn, so that whoever asks for thousands waits for himself.
//! Nothing is refused for want of room, for nothing here grows by itself: a transfer has one opening, which goes with it, and waits for a chunk or two.

use super::worker::Wanted;
use heorot_core::transfer::{ImageId, TransferId};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Job {
    Open {
        transfer: TransferId,
        wanted: Wanted,
    },
    Fetch {
        image: ImageId,
        chunk: u64,
    },
    /// One user less; the chunks only have to be given back.
    Close {
        image: ImageId,
        chunks: Vec<Arc<[u8]>>,
    },
}

/// After so many chunks in a row a file is opened: where the disk is always behind, new transfers would else wait for ever.
const CHUNKS_IN_A_ROW: u32 = 8;

/// The jobs that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Chunks and closings, in the order in which they came.
    chunks: VecDeque<Job>,
    in_a_row: u32,
    openings: BTreeMap<Ipv4Addr, Openings>,
    /// The peers that have some, from the one whose turn it is.
    turns: BTreeMap<u64, Ipv4Addr>,
    last_turn: u64,
    /// The loop has ended.
    is_over: bool,
}

/// The files that one peer waits for.
#[derive(Debug, Default)]
struct Openings {
    turn: u64,
    /// The oldest first: names grow.
    wanted: BTreeMap<TransferId, Wanted>,
}

/// What there is for a thread.
#[derive(Debug)]
pub(super) enum Next {
    Job(Job),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Over,
}

impl Jobs {
    /// One job more. The lock is held for a moment only: the loop never waits here.
    pub(super) fn put(&self, job: Job) {
        self.waiting().put(job);
        self.came.notify_one();
    }

    /// Nobody wants this file any more. Whether it was still to be opened; else that will be told, or was.
    pub(super) fn forget(&self, peer: Ipv4Addr, transfer: TransferId) -> bool {
        self.waiting().forget(peer, transfer)
    }

    /// The next job, if there is one within so long.
    pub(super) fn take(&self, within: Duration) -> Next {
        let is_idle = |waiting: &mut Waiting| waiting.is_empty() && !waiting.is_over;
        let (mut waiting, _) = self
            .came
            .wait_timeout_while(self.waiting(), within, is_idle)
            .unwrap_or_else(PoisonError::into_inner);
        match waiting.take() {
            Some(job) => Next::Job(job),
            None if waiting.is_over => Next::Over,
            None => Next::Nothing,
        }
    }

    /// The loop ends: what is left is not done any more.
    pub(super) fn end(&self) {
        let left = std::mem::replace(&mut *self.waiting(), Waiting { is_over: true, ..Waiting::default() });
        self.came.notify_all();
        drop(left);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn put(&mut self, job: Job) {
        match job {
            Job::Open { transfer, wanted } => {
                let peer = wanted.from;
                let its = self.openings.entry(peer).or_default();
                if its.wanted.is_empty() {
                    self.last_turn += 1;
                    its.turn = self.last_turn;
                    self.turns.insert(its.turn, peer);
                }
                its.wanted.insert(transfer, wanted);
            }
            job @ (Job::Fetch { .. } | Job::Close { .. }) => self.chunks.push_back(job),
        }
    }

    fn take(&mut self) -> Option<Job> {
        if (self.in_a_row < CHUNKS_IN_A_ROW || self.turns.is_empty())
            && let Some(job) = self.chunks.pop_front()
        {
            self.in_a_row += 1;
            return Some(job);
        }
        self.in_a_row = 0;
        let (_, peer) = self.turns.pop_first()?;
        let its = self.openings.get_mut(&peer)?;
        let (transfer, wanted) = its.wanted.pop_first()?;
        if its.wanted.is_empty() {
            self.openings.remove(&peer);
        } else {
            self.last_turn += 1;
            its.turn = self.last_turn;
            self.turns.insert(its.turn, peer);
        }
        Some(Job::Open { transfer, wanted })
    }

    fn forget(&mut self, peer: Ipv4Addr, transfer: TransferId) -> bool {
        let Some(its) = self.openings.get_mut(&peer) else { return false };
        let was_there = its.wanted.remove(&transfer).is_some();
        if its.wanted.is_empty() {
            self.turns.remove(&its.turn);
            self.openings.remove(&peer);
        }
        was_there
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.turns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heorot_core::wire::tftp::Mode;

    fn opening(peer: u8, transfer: u64) -> Job {
        let from = Ipv4Addr::new(10, 77, 0, peer);
        let wanted =
            Wanted { paths: vec!["f".into()], case_fold: false, mode: Mode::Octet, identity: None, from };
        Job::Open { transfer: TransferId(transfer), wanted }
    }

    fn fetch(chunk: u64) -> Job {
        Job::Fetch { image: ImageId(1), chunk }
    }

    /// All that is there, in the order in which it is taken.
    fn all(waiting: &mut Waiting) -> String {
        let jobs = std::iter::from_fn(|| waiting.take());
        let names = jobs.map(|job| match job {
            Job::Open { transfer, .. } => format!("open {}", transfer.0),
            Job::Fetch { chunk, .. } => format!("chunk {chunk}"),
            Job::Close { .. } => "close".into(),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn chunks_come_first_and_peers_have_turns() {
        let close = || Job::Close { image: ImageId(1), chunks: Vec::new() };
        let mut waiting = Waiting::default();
        [opening(1, 1), opening(1, 2), opening(1, 3), opening(2, 4), fetch(7), close(), fetch(8)]
            .into_iter()
            .for_each(|job| waiting.put(job));
        assert_eq!(all(&mut waiting), "chunk 7, close, chunk 8, open 1, open 4, open 2, open 3");
        assert!(waiting.is_empty() && waiting.openings.is_empty());
        // A disk that is always behind.
        (0..20).map(fetch).chain([opening(1, 1), opening(2, 2)]).for_each(|job| waiting.put(job));
        let order = all(&mut waiting);
        assert!(order.contains("chunk 7, open 1, chunk 8") && order.contains("chunk 15, open 2, chunk 16"));
    }

    #[test]
    fn what_nobody_waits_for_is_not_opened() {
        let mut waiting = Waiting::default();
        (1..=3).for_each(|transfer| waiting.put(opening(1, transfer)));
        waiting.put(opening(2, 4));
        let peer = |n| Ipv4Addr::new(10, 77, 0, n);
        assert!(waiting.forget(peer(1), TransferId(2)));
        assert!(!waiting.forget(peer(1), TransferId(2)), "once");
        assert!(waiting.forget(peer(2), TransferId(4)));
        assert!(!waiting.forget(peer(3), TransferId(5)));
        assert_eq!(all(&mut waiting), "open 1, open 3");
        (1..=3).for_each(|transfer| assert!(!waiting.forget(peer(1), TransferId(transfer)), "it is taken"));
        assert!(waiting.is_empty());
    }

    #[test]
    fn threads_are_woken_by_what_comes_and_by_the_end() {
        let jobs = Arc::new(Jobs::default());
        assert!(matches!(jobs.take(Duration::ZERO), Next::Nothing));
        let taken = {
            let jobs = Arc::clone(&jobs);
            std::thread::spawn(move || {
                let is_job = matches!(jobs.take(Duration::from_secs(60)), Next::Job(Job::Fetch { .. }));
                jobs.put(fetch(2));
                is_job
            })
        };
        jobs.put(fetch(1));
        assert!(taken.join().unwrap());
        jobs.end();
        assert!(matches!(jobs.take(Duration::from_secs(60)), Next::Over), "what is left is not done");
    }
}
