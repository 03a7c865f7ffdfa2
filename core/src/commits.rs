//! Group commit: one batch of records is being made durable, the next one gathers meanwhile. What nobody waits for begins no commit of its own, but for that of a moment.
//!
//! Records are proposed on the ground of those before them: where one is refused, all that were proposed until that is known are.
//!
//! A store that refused something is tried with nothing every few seconds, until it keeps that: what was wrong with the disk may be mended while nobody wants to keep anything.
//!
//! What is durable is told in parts: where a whole cluster was numbered by one commit, all that waited for it would hold up the loop. The next commit begins when all of it is told.

use crate::cluster::record::Record;
use crate::limit::{DECIDED_AT_ONCE, NODES_MAX, STORE_TRIED_EVERY};
use crate::message::{Input, Ticket};
use crate::time::Time;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Records that may gather while a commit is in flight: several for each node. More come only if the disk hangs.
const GATHERED_MAX: usize = 4 * NODES_MAX;

/// How long history waits for something that somebody waits for: in a storm the next promise comes within the time of a sync.
const HISTORY_WAITS: Duration = Duration::from_millis(5);

/// Records in the order of their tickets, to become durable as one, or not at all.
pub type Batch = Vec<(Ticket, Record)>;

/// What is on its way to the store.
#[derive(Debug, Default)]
pub struct Commits {
    gathered: Batch,
    /// Until when what has gathered may wait. None: somebody waits for it.
    may_wait_until: Option<Time>,
    /// The tickets of the batch that is being made durable, or is and is being told.
    in_flight: Option<RangeInclusive<Ticket>>,
    /// Whether it is durable: those that are left of it are not told yet.
    is_durable: bool,
    /// The last ticket of records that were too many to be kept here: with all that have gathered they are refused as soon as the commit in flight has ended.
    dropped: Option<Ticket>,
    /// When the last commit began.
    began: Option<Time>,
    /// The last ticket that the store refused, if it has kept nothing since.
    refused: Option<Ticket>,
}

impl Commits {
    /// Takes a record ([`Output::Record`](crate::message::Output::Record)) for the next commit.
    pub fn gather(&mut self, now: Time, ticket: Ticket, record: Record) {
        if self.dropped.is_some() || self.in_flight.is_some() && self.gathered.len() >= GATHERED_MAX {
            self.dropped = Some(ticket);
            self.gathered = Batch::new();
            return;
        }
        if record.is_awaited() {
            self.may_wait_until = None;
        } else if self.gathered.is_empty() {
            self.may_wait_until = Some(now + HISTORY_WAITS);
        }
        self.gathered.push((ticket, record));
    }

    /// When there is something to commit that has waited long enough, or a store that refused is to be tried.
    pub fn due(&self) -> Option<Time> {
        let waits = self.may_wait_until.filter(|_| !self.gathered.is_empty());
        waits.into_iter().chain(self.tried_at()).min().filter(|_| self.in_flight.is_none())
    }

    /// Begins the next commit, if there is something to commit that may not wait, and none is in flight; or one of nothing, if the store is to be tried. It ends with
    /// [`Self::end`].
    pub fn begin(&mut self, now: Time) -> Option<Batch> {
        if self.in_flight.is_some() {
            return None;
        }
        let is_tried = self.tried_at().is_some_and(|at| at <= now);
        if !is_tried && self.may_wait_until.is_some_and(|until| now < until) {
            return None;
        }
        let tickets = match (self.gathered.first(), self.gathered.last()) {
            (Some((first, _)), Some((last, _))) => *first..=*last,
            // What it refused was told already: nobody waits for that.
            _ => self.refused.filter(|_| is_tried).map(|refused| refused..=refused)?,
        };
        self.in_flight = Some(tickets);
        self.is_durable = false;
        self.began = Some(now);
        Some(std::mem::take(&mut self.gathered))
    }

    /// When a store that refused is to be tried with whatever there is.
    fn tried_at(&self) -> Option<Time> {
        self.refused.and(self.began).map(|began| began + STORE_TRIED_EVERY)
    }

    /// The commit in flight has ended: all of it is durable, or nothing ever will be, and why. What [`Heorot`](crate::Heorot) is to be told; then it is to be told
    /// [`Self::more`], until there is no more.
    pub fn end(&mut self, outcome: Result<(), String>) -> Option<Input<'static>> {
        match outcome {
            Ok(()) => {
                self.is_durable = self.in_flight.is_some();
                self.refused = None;
                self.durable()
            }
            Err(why) => {
                let through = *self.in_flight.as_ref()?.end();
                let refused = self.refuse(through, why);
                if let Input::Refused { through, .. } = refused {
                    self.refused = Some(through);
                }
                Some(refused)
            }
        }
    }

    /// The next part of what is durable; and at last what the end of a commit meant for those behind it, if they were too many.
    pub fn more(&mut self) -> Option<Input<'static>> {
        if let Some(part) = self.durable() {
            return Some(part);
        }
        let through = self.dropped.filter(|_| self.in_flight.is_none())?;
        Some(self.refuse(through, "the disk does not keep up".into()))
    }

    /// Whether there is more to be told.
    pub fn has_more(&self) -> bool {
        self.is_durable || (self.dropped.is_some() && self.in_flight.is_none())
    }

    fn durable(&mut self) -> Option<Input<'static>> {
        let (Ticket(first), Ticket(last)) = self.in_flight.clone().filter(|_| self.is_durable)?.into_inner();
        let through = last.min(first + DECIDED_AT_ONCE - 1);
        self.is_durable = through < last;
        self.in_flight = self.is_durable.then_some(Ticket(through + 1)..=Ticket(last));
        Some(Input::Committed(Ticket(through)))
    }

    /// Nothing is in flight and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_none() && self.gathered.is_empty()
    }

    /// Nothing that was proposed through this ticket or later will be durable.
    fn refuse(&mut self, through: Ticket, why: String) -> Input<'static> {
        let latest = self.dropped.or_else(|| self.gathered.last().map(|(ticket, _)| *ticket));
        *self = Self { began: self.began, ..Self::default() };
        Input::Refused { through: latest.unwrap_or(through), why }
    }
}

#[cfg(test)]
mod tests;
