//! Group commit: one batch is being made durable, the next one gathers meanwhile. What nobody waits for begins no commit of its own, but for that of a moment.

use crate::store::Batch;
use heorot_core::cluster::record::Record;
use heorot_core::message::Ticket;
use heorot_core::time::Time;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Records that may gather while a commit is in flight: several for each node. More come only if the disk hangs.
const GATHERED_MAX: usize = 4 * heorot_core::limit::NODES_MAX;

/// How long history waits for something that somebody waits for: in a storm the next promise comes within the time of a sync.
const HISTORY_WAITS: Duration = Duration::from_millis(5);

/// The way to the store.
#[derive(Debug)]
pub(crate) struct Commits {
    store: SyncSender<Batch>,
    gathered: Batch,
    /// Until when what has gathered may wait. None: somebody waits for it.
    may_wait_until: Option<Time>,
    in_flight: bool,
}

/// Records that will not become durable: the last of them, and why.
pub(super) type Refused = (Ticket, String);

impl Commits {
    pub(crate) fn new(store: SyncSender<Batch>) -> Self {
        Self { store, gathered: Batch::new(), may_wait_until: None, in_flight: false }
    }

    /// Takes a record for the next commit. If there are too many, all that have gathered are refused.
    pub(super) fn gather(&mut self, now: Time, ticket: Ticket, record: Record) -> Option<Refused> {
        if record.is_awaited() {
            self.may_wait_until = None;
        } else if self.gathered.is_empty() {
            self.may_wait_until = Some(now + HISTORY_WAITS);
        }
        self.gathered.push((ticket, record));
        let refused = self.gathered.len() > GATHERED_MAX;
        refused.then(|| {
            self.gathered.clear();
            (ticket, "the disk does not keep up".into())
        })
    }

    /// When there is something to commit that has waited long enough.
    pub(super) fn due(&self) -> Option<Time> {
        self.may_wait_until.filter(|_| !self.in_flight && !self.gathered.is_empty())
    }

    /// Begins the next commit, if there is something to commit that may not wait, and none is in flight.
    pub(super) fn submit(&mut self, now: Time) -> Option<Refused> {
        if self.in_flight || self.gathered.is_empty() || self.may_wait_until.is_some_and(|until| now < until)
        {
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
    use heorot_core::cluster::record::LeaseRecord;
    use heorot_core::mac::Mac;
    use std::net::Ipv4Addr;
    use std::sync::mpsc::sync_channel;

    const NOW: Time = Time::from_nanoseconds(1 << 40);

    /// Somebody waits for it.
    fn record() -> Record {
        Record::Lease(LeaseRecord { address: Ipv4Addr::LOCALHOST, mac: Mac([2, 0, 0, 0, 0, 1]), name: None })
    }

    /// Nobody does.
    fn history() -> Record {
        Record::LeaseEnded(Ipv4Addr::LOCALHOST)
    }

    fn tickets(batch: &Batch) -> Vec<u64> {
        batch.iter().map(|(ticket, _)| ticket.0).collect()
    }

    #[test]
    fn what_comes_during_a_commit_goes_with_the_next() {
        let (store, batches) = sync_channel(1);
        let mut commits = Commits::new(store);
        assert_eq!((commits.submit(NOW), commits.is_idle()), (None, true));
        assert_eq!(commits.gather(NOW, Ticket(1), record()), None);
        assert_eq!(commits.submit(NOW), None);
        for ticket in 2..5 {
            assert_eq!(commits.gather(NOW, Ticket(ticket), record()), None);
            assert_eq!(commits.submit(NOW), None);
        }
        assert_eq!(tickets(&batches.recv().unwrap()), [1]);
        assert!(batches.try_recv().is_err(), "two commits in flight");
        commits.done();
        assert_eq!(commits.submit(NOW), None);
        assert_eq!(tickets(&batches.recv().unwrap()), [2, 3, 4]);
        commits.done();
        assert!(commits.is_idle());
    }

    #[test]
    fn history_goes_with_the_next_promise_or_after_a_moment() {
        let (store, batches) = sync_channel(1);
        let mut commits = Commits::new(store);
        let late = NOW + HISTORY_WAITS;
        assert_eq!(commits.due(), None);
        commits.gather(NOW, Ticket(1), history());
        commits.submit(NOW);
        assert!(batches.try_recv().is_err(), "nobody waits for it");
        assert_eq!(commits.due(), Some(late));
        commits.gather(NOW, Ticket(2), record());
        commits.gather(NOW, Ticket(3), history());
        commits.submit(NOW);
        assert_eq!(tickets(&batches.recv().unwrap()), [1, 2, 3]);
        commits.gather(NOW, Ticket(4), history());
        assert_eq!(commits.due(), None, "one at a time");
        commits.done();
        assert_eq!(commits.due(), Some(late));
        commits.submit(late);
        assert_eq!(tickets(&batches.recv().unwrap()), [4]);
    }

    #[test]
    fn a_disk_that_hangs_does_not_eat_the_memory() {
        let (store, _batches) = sync_channel(1);
        let mut commits = Commits::new(store);
        let refused: Vec<_> = (1..=2 * GATHERED_MAX as u64 + 2)
            .filter_map(|t| commits.gather(NOW, Ticket(t), record()))
            .collect();
        let last: Vec<u64> = refused.iter().map(|(through, _)| through.0).collect();
        assert_eq!(last, [GATHERED_MAX as u64 + 1, 2 * GATHERED_MAX as u64 + 2]);
        assert!(commits.is_idle());
    }

    #[test]
    fn a_dead_store_refuses() {
        let (store, batches) = sync_channel(1);
        drop(batches);
        let mut commits = Commits::new(store);
        commits.gather(NOW, Ticket(9), record());
        assert_eq!(commits.submit(NOW).unwrap().0, Ticket(9));
        assert!(commits.is_idle());
    }
}
