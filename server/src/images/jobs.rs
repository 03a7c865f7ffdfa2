//! What the loop wants of the threads that open and read, in the order in which they do it.
//!
//! Chunks for transfers that are under way come before files for new ones, which wait by peer: one each, in turn, so that whoever asks for thousands waits for himself.
//! Nothing is refused for want of room, for nothing here grows by itself: a transfer has one opening, which goes with it, and waits for a chunk or two.

use super::worker::{OpenFile, Wanted};
use crate::disks::Line;
use heorot_core::transfer::{ImageId, TransferId};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

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
    /// The last user of this is gone.
    LetGo(Arc<OpenFile>),
}

/// After so many chunks in a row a file is opened: where the disk is always behind, new transfers would else wait for ever.
const CHUNKS_IN_A_ROW: u32 = 8;

/// The jobs that nobody has taken yet, of those that wait for one place.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    /// Chunks and closings, in the order in which they came.
    chunks: VecDeque<Job>,
    in_a_row: u32,
    openings: BTreeMap<Ipv4Addr, Openings>,
    /// The peers that have some, from the one whose turn it is.
    turns: BTreeMap<u64, Ipv4Addr>,
    last_turn: u64,
}

/// The files that one peer waits for.
#[derive(Debug, Default)]
struct Openings {
    turn: u64,
    /// The oldest first: names grow.
    wanted: BTreeMap<TransferId, Wanted>,
}

impl Line for Jobs {
    type Job = Job;

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
            job @ (Job::Fetch { .. } | Job::Close { .. } | Job::LetGo(_)) => self.chunks.push_back(job),
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

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.turns.is_empty()
    }
}

impl Jobs {
    /// Nobody wants this file any more. Whether it was still to be opened; else that will be told, or was.
    pub(super) fn forget(&mut self, peer: Ipv4Addr, transfer: TransferId) -> bool {
        let Some(its) = self.openings.get_mut(&peer) else { return false };
        let was_there = its.wanted.remove(&transfer).is_some();
        if its.wanted.is_empty() {
            self.turns.remove(&its.turn);
            self.openings.remove(&peer);
        }
        was_there
    }

    /// Nobody wants any chunk of this image any more.
    pub(super) fn forget_chunks(&mut self, of: ImageId) {
        self.chunks.retain(|job| !matches!(job, Job::Fetch { image, .. } if *image == of));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heorot_core::wire::tftp::Mode;

    fn opening(peer: u8, transfer: u64) -> Job {
        let from = Ipv4Addr::new(10, 77, 0, peer);
        let wanted = Wanted { paths: vec!["f".into()], case_fold: false, mode: Mode::Octet, from };
        Job::Open { transfer: TransferId(transfer), wanted }
    }

    fn fetch(chunk: u64) -> Job {
        Job::Fetch { image: ImageId(1), chunk }
    }

    /// All that is there, in the order in which it is taken.
    fn all(waiting: &mut Jobs) -> String {
        let jobs = std::iter::from_fn(|| waiting.take());
        let names = jobs.map(|job| match job {
            Job::Open { transfer, .. } => format!("open {}", transfer.0),
            Job::Fetch { chunk, .. } => format!("chunk {chunk}"),
            Job::Close { .. } => "close".into(),
            Job::LetGo(_) => "let go".into(),
        });
        names.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn chunks_come_first_and_peers_have_turns() {
        let close = || Job::Close { image: ImageId(1), chunks: Vec::new() };
        let mut waiting = Jobs::default();
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
        let mut waiting = Jobs::default();
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
        waiting.put(fetch(1));
        waiting.put(Job::Fetch { image: ImageId(2), chunk: 2 });
        waiting.forget_chunks(ImageId(1));
        assert_eq!(all(&mut waiting), "chunk 2");
    }
}
