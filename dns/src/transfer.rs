//! Copies of zones for their secondaries: whole (RFC 5936), or what has changed (RFC 1995).
//!
//! A copy is written message by message, whenever the last one is on its way: nobody who reads slowly costs memory, and nobody waits for a
//! large zone. It is of one serial: what changes meanwhile changes another copy of what is no arithmetic.

use crate::journal::Journal;
use crate::name::Name;
use crate::resolver::QueryId;
use crate::wire::{Head, Signature};
use crate::zone::{Cursor, Row, Zones};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

/// Names a copy that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferId(pub u64);

/// All that are under way.
#[derive(Default)]
pub(crate) struct Transfers {
    last: u64,
    running: BTreeMap<TransferId, Transfer>,
}

/// A copy that is under way.
pub(crate) struct Transfer {
    /// By which connection.
    pub(crate) id: QueryId,
    /// To whom.
    to: SocketAddr,
    head: Head,
    signature: Option<Signature>,
    zones: Arc<Zones>,
    apex: Name,
    /// Records that go before the rest.
    rows: VecDeque<Row>,
    /// The rest, if it is a whole zone: then the SOA ends it.
    rest: Option<Cursor>,
}

/// What a secondary gets.
pub(crate) enum Content {
    /// Everything.
    Whole,
    /// What has changed since it has its copy.
    Since(u32),
    /// Its copy is as good as ours, or it asks by a way that has no room: our SOA alone.
    Start,
}

/// At a time. Each of a site's secondaries copies each of our zones, one after another.
const TRANSFERS_MAX: usize = 32;

impl Transfers {
    /// Begins a copy. If there are too many, the oldest gives way: its connection may be dead.
    pub(crate) fn begin(&mut self, transfer: Transfer) -> (TransferId, Option<QueryId>) {
        let displaced = match self.running.len() >= TRANSFERS_MAX {
            true => self.running.pop_first().map(|(_, oldest)| oldest.id),
            false => None,
        };
        self.last += 1;
        let id = TransferId(self.last);
        self.running.insert(id, transfer);
        (id, displaced)
    }

    /// The next message of a copy, and by which connection and to whom it goes; with it whether that is the last.
    pub(crate) fn next(
        &mut self,
        id: TransferId,
        wall_seconds: u64,
    ) -> Option<((QueryId, SocketAddr), Vec<u8>, bool)> {
        let transfer = self.running.get_mut(&id)?;
        let query = (transfer.id, transfer.to);
        let message = transfer.next(wall_seconds);
        let is_last = transfer.is_done();
        if is_last {
            self.running.remove(&id);
        }
        Some((query, message, is_last))
    }
}

impl Transfer {
    pub(crate) fn new(
        (id, to): (QueryId, SocketAddr),
        (head, signature): (Head, Option<Signature>),
        (zones, journal): (Arc<Zones>, &Journal),
        apex: Name,
        content: &Content,
    ) -> Self {
        let start = zones.start(&apex);
        let (rows, rest) = match content {
            Content::Start => (VecDeque::from([start]), None),
            Content::Whole => (VecDeque::from([start]), Some(Cursor::default())),
            Content::Since(serial) => match journal.since(&apex, *serial) {
                // RFC 1995 4: whoever is too far behind gets everything.
                None => (VecDeque::from([start]), Some(Cursor::default())),
                Some(steps) => {
                    let mut rows = VecDeque::from([start.clone()]);
                    for step in steps {
                        rows.push_back(zones.start_of(&apex, step.from));
                        rows.extend(step.removed);
                        rows.push_back(zones.start_of(&apex, step.to));
                        rows.extend(step.added);
                    }
                    rows.push_back(start);
                    (rows, None)
                }
            },
        };
        Self { id, to, head, signature, zones, apex, rows, rest }
    }

    /// The next message.
    pub(crate) fn next(&mut self, wall_seconds: u64) -> Vec<u8> {
        // As many as a message takes are enough.
        while self.rows.len() < ROWS_AHEAD
            && let Some(cursor) = &mut self.rest
        {
            match self.zones.list(&self.apex, cursor) {
                Some(rows) => self.rows.extend(rows),
                None => {
                    self.rest = None;
                    self.rows.push_back(self.zones.start(&self.apex));
                }
            }
        }
        self.head.write(&mut self.rows, self.signature.as_mut(), wall_seconds)
    }

    fn is_done(&self) -> bool {
        self.rows.is_empty() && self.rest.is_none()
    }
}

/// Records that are ready for the next message: more than it takes of the smallest.
const ROWS_AHEAD: usize = 1024;

/// What a secondary is to get that has this serial, or that wants everything.
pub(crate) fn content(serial: u32, has: Option<u32>, is_stream: bool) -> Content {
    match has {
        None => Content::Whole,
        // RFC 1995 2: as new as ours, or newer (RFC 1982 3.2): then it was another server's.
        Some(has) if has.wrapping_sub(serial) < 1 << 31 => Content::Start,
        // RFC 1995 2: it will ask again by TCP.
        Some(_) if !is_stream => Content::Start,
        Some(has) => Content::Since(has),
    }
}
