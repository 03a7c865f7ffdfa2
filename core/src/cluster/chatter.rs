//! Lines about hosts that are no nodes: how many the journal takes of each, so that one that asks and gives back in a loop does not fill it.

use crate::limit::{CHATTERERS_MAX, HOST_LINES_PER_MINUTE_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// In which lines are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// What was told of each in the present minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chatter {
    /// When the minute began: with the first line after the last one.
    since: Option<Time>,
    hosts: BTreeMap<Mac, Count>,
    /// Lines left out of hosts that are not counted each.
    others: u64,
    /// Whether any was left out.
    lacks: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    told: u32,
    left_out: u64,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is told.
    Told,
    /// It is left out, and [`Chatter::end`] is wanted at this moment. Later, if none: the first one that was left out has armed it.
    LeftOut(Option<Time>),
}

impl Chatter {
    /// A line about a host.
    pub fn line(&mut self, now: Time, mac: Mac) -> Line {
        let is_over = self.since.is_some_and(|since| now.since(since) >= MINUTE);
        // What was left out is told first.
        if is_over && !self.lacks {
            *self = Self::default();
        }
        let since = *self.since.get_or_insert(now);
        let due = (!self.lacks).then_some(since + MINUTE);
        let has_room = self.hosts.len() < CHATTERERS_MAX || self.hosts.contains_key(&mac);
        if !has_room {
            self.others += 1;
            self.lacks = true;
            return Line::LeftOut(due);
        }
        let count = self.hosts.entry(mac).or_default();
        if count.told < HOST_LINES_PER_MINUTE_MAX {
            count.told += 1;
            return Line::Told;
        }
        count.left_out += 1;
        self.lacks = true;
        Line::LeftOut(due)
    }

    /// The minute is over: how many lines were left out of each host, and of all that were not counted each.
    pub fn end(&mut self) -> (Vec<(Mac, u64)>, u64) {
        let Self { hosts, others, .. } = std::mem::take(self);
        let left_out = hosts.into_iter().map(|(mac, count)| (mac, count.left_out));
        (left_out.filter(|(_, left_out)| *left_out > 0).collect(), others)
    }
}

#[cfg(test)]
mod tests;
