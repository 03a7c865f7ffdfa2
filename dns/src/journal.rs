//! What has changed from serial to serial, for secondaries that have an old copy (RFC 1995).

use crate::name::Name;
use crate::zone::Row;
use std::collections::{BTreeMap, VecDeque};

/// The last changes of all zones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    batches: VecDeque<Batch>,
    rows: usize,
}

/// What changed under one serial.
#[derive(Clone, Debug)]
struct Batch {
    from: u32,
    to: u32,
    changes: Vec<Changed>,
}

/// A record that came or went, in the zone of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) apex: Name,
    pub(crate) is_added: bool,
    pub(crate) row: Row,
}

/// One step from a serial to the next, of one zone.
pub(crate) struct Step {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) removed: Vec<Row>,
    pub(crate) added: Vec<Row>,
}

/// Records that are kept: some 3 MB. A storm of ten thousand loans fits; who is further behind gets a whole copy.
const ROWS_MAX: usize = 40_000;
/// And batches: those of some hours.
const BATCHES_MAX: usize = 4096;

impl Journal {
    /// Notes what has changed. Of a change from nobody knows where it is told nothing but that what was before is of no use.
    pub(crate) fn note(&mut self, from: u32, to: u32, changes: Vec<Changed>) {
        if self.batches.back().is_some_and(|last| last.to != from) {
            self.forget();
        }
        let changes = net(changes);
        self.rows += changes.len();
        self.batches.push_back(Batch { from, to, changes });
        while self.rows > ROWS_MAX || self.batches.len() > BATCHES_MAX {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.rows -= oldest.changes.len();
        }
    }

    /// Notes more of what came under the last serial.
    pub(crate) fn note_more(&mut self, serial: u32, changes: Vec<Changed>) {
        let Some(last) = self.batches.back_mut().filter(|last| last.to == serial) else { return };
        self.rows -= last.changes.len();
        let all = std::mem::take(&mut last.changes).into_iter().chain(changes);
        last.changes = net(all.collect());
        self.rows += last.changes.len();
    }

    /// Everything is different: nobody can be told how.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The steps of a zone from a serial to now. None: that is too long ago, or was never.
    pub(crate) fn since(&self, apex: &Name, serial: u32) -> Option<Vec<Step>> {
        let first = self.batches.iter().position(|batch| batch.from == serial)?;
        let of_zone = |batch: &Batch, is_added: bool| {
            let here =
                batch.changes.iter().filter(|change| change.apex == *apex && change.is_added == is_added);
            here.map(|change| change.row.clone()).collect()
        };
        let step = |batch: &Batch| Step {
            from: batch.from,
            to: batch.to,
            removed: of_zone(batch, false),
            added: of_zone(batch, true),
        };
        Some(self.batches.range(first..).map(step).collect())
    }
}

/// What is left of changes when those that undo each other are taken out: a record is named once, for it came or it went.
fn net(changes: Vec<Changed>) -> Vec<Changed> {
    let mut sums: BTreeMap<(Name, Row), i32> = BTreeMap::new();
    for Changed { apex, is_added, row } in changes {
        *sums.entry((apex, row)).or_default() += if is_added { 1 } else { -1 };
    }
    let left = sums.into_iter().filter(|(_, sum)| *sum != 0);
    left.map(|((apex, row), sum)| Changed { apex, is_added: sum > 0, row }).collect()
}

#[cfg(test)]
mod tests;
