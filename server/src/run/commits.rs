//! Group commit: one batch is being made durable, the next one gathers meanwhile.

use crate::store::Batch;
use heorot_core::cluster::record::Record;
use heorot_core::message::Ticket;
use std::sync::mpsc::SyncSender;

/// Records that may gather while a commit is in flight: several for each node. More come only if the disk hangs.
const GATHERED_MAX: usize = 4 * heorot_core::limit::NODES_MAX;

/// The way to the store.
#[derive(Debug)]
pub(crate) struct Commits {
    store: SyncSender<Batch>,
    gathered: Batch,
    in_flight: bool,
}

/// Records that will not become durable: the last of them, and why.
pub(super) type Refused = (Ticket, String);

impl Commits {
    pub(crate) fn new(store: SyncSender<Batch>) -> Self {
        Self { store, gathered: Batch::new(), in_flight: false }
    }

    /// Takes a record for the next commit. If there are too many, all that have gathered are refused.
    pub(super) fn gather(&mut self, ticket: Ticket, record: Record) -> Option<Refused> {
        self.gathered.push((ticket, record));
        let refused = self.gathered.len() > GATHERED_MAX;
        refused.then(|| {
            self.gathered.clear();
            (ticket, "the disk does not keep up".into())
        })
    }

    /// Begins the next commit, if there is something to commit and none is in flight.
    pub(super) fn submit(&mut self) -> Option<Refused> {
        if self.in_flight || self.gathered.is_empty() {
            return None;
        }
        let batch = std::mem::take(&mut self.gathered);
        let (through, _) = *batch.last()?;
        self.in_flight = self.store.try_send(batch).is_ok();
        // The line has room for one batch, and there is never a second one: so the thread is gone.
        (!self.in_flight).then(|| (through, "the store's thread has died: restart heorot".into()))
    }

    /// The commit in flight has ended.
    pub(super) fn done(&mut self) {
        self.in_flight = false;
    }

    /// Nothing is in flight and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        !self.in_flight && self.gathered.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::mpsc::sync_channel;

    fn record() -> Record {
        Record::LeaseEnded(Ipv4Addr::LOCALHOST)
    }

    fn tickets(batch: &Batch) -> Vec<u64> {
        batch.iter().map(|(ticket, _)| ticket.0).collect()
    }

    #[test]
    fn what_comes_during_a_commit_goes_with_the_next() {
        let (store, batches) = sync_channel(1);
        let mut commits = Commits::new(store);
        assert_eq!((commits.submit(), commits.is_idle()), (None, true));
        assert_eq!(commits.gather(Ticket(1), record()), None);
        assert_eq!(commits.submit(), None);
        for ticket in 2..5 {
            assert_eq!(commits.gather(Ticket(ticket), record()), None);
            assert_eq!(commits.submit(), None);
        }
        assert_eq!(tickets(&batches.recv().unwrap()), [1]);
        assert!(batches.try_recv().is_err(), "two commits in flight");
        commits.done();
        assert_eq!(commits.submit(), None);
        assert_eq!(tickets(&batches.recv().unwrap()), [2, 3, 4]);
        commits.done();
        assert!(commits.is_idle());
    }

    #[test]
    fn a_disk_that_hangs_does_not_eat_the_memory() {
        let (store, _batches) = sync_channel(1);
        let mut commits = Commits::new(store);
        let refused: Vec<_> =
            (1..=2 * GATHERED_MAX as u64 + 2).filter_map(|t| commits.gather(Ticket(t), record())).collect();
        let last: Vec<u64> = refused.iter().map(|(through, _)| through.0).collect();
        assert_eq!(last, [GATHERED_MAX as u64 + 1, 2 * GATHERED_MAX as u64 + 2]);
        assert!(commits.is_idle());
    }

    #[test]
    fn a_dead_store_refuses() {
        let (store, batches) = sync_channel(1);
        drop(batches);
        let mut commits = Commits::new(store);
        commits.gather(Ticket(9), record());
        assert_eq!(commits.submit().unwrap().0, Ticket(9));
        assert!(commits.is_idle());
    }
}
