//! How many lines the journal takes of each, and of all whom nobody knows, so that nobody fills it: one that asks and gives back in a loop, or a flood of hardware addresses that somebody
//! makes up.

use crate::event::Kind;
use crate::limit::{
    CHATTERERS_MAX, HOST_LINES_PER_MINUTE_MAX, INTERFACE_LINES_PER_MINUTE_MAX, NEW_LINES_PER_MINUTE_MAX,
    NOBODYS_LINES_PER_MINUTE_MAX, NODE_LINES_PER_KIND_AND_MINUTE_MAX, SEEN_LINES_PER_MINUTE_MAX,
};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// In which lines are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// About whom a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A machine with a number, or one that is being recorded: there are only so many. And what of it.
    Node(Mac, Kind),
    /// A machine without one.
    New {
        /// Which one.
        mac: Mac,
        /// What of it.
        kind: Kind,
        /// Whether it has never done more than ask.
        is_seen: bool,
    },
    /// A host that is no node.
    Host(Mac),
    /// Somebody of whom no hardware address is known: by what he did.
    Nobody(Kind),
    /// An interface of ours. However many strangers there are, what is wrong with a cable is told.
    Interface,
}

/// What was told of each in the present minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chatter {
    /// When the minute began: with the first line after the last one.
    since: Option<Time>,
    hosts: BTreeMap<Mac, Count>,
    /// By kind too, all talk being one (none): who asks in a machine's name without end keeps out what else he could ask, and neither its trouble nor what becomes of it.
    machines: BTreeMap<(Mac, Option<Kind>), Count>,
    /// All lines of machines without a number, and those of them that were merely seen.
    new: Count,
    seen: Count,
    nobodys: BTreeMap<Kind, Count>,
    interfaces: Count,
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

impl Count {
    /// Whether one more line is told, of so many.
    fn takes(&mut self, most: u32) -> bool {
        let is_told = self.told < most;
        if is_told {
            self.told += 1;
        } else {
            self.left_out += 1;
        }
        is_told
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is told.
    Told,
    /// It is left out, and [`Chatter::end`] is wanted at this moment. Later, if none: the first one that was left out has armed it.
    LeftOut(Option<Time>),
}

/// How many lines were left out in a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Of each that said too much.
    pub each: Vec<(Mac, u64)>,
    /// Of hosts that were not counted each.
    pub hosts: u64,
    /// Of machines without a number, of whom there were too many.
    pub machines: u64,
    /// By kind, of what nobody knows who did it.
    pub nobodys: Vec<(Kind, u64)>,
    /// About our interfaces.
    pub interfaces: u64,
}

impl Chatter {
    /// A line about somebody.
    pub fn line(&mut self, now: Time, speaker: Speaker) -> Line {
        let is_over = self.since.is_some_and(|since| now.since(since) >= MINUTE);
        // What was left out is told first.
        if is_over && !self.lacks {
            *self = Self::default();
        }
        let since = *self.since.get_or_insert(now);
        if self.takes(speaker) {
            return Line::Told;
        }
        let due = (!self.lacks).then_some(since + MINUTE);
        self.lacks = true;
        Line::LeftOut(due)
    }

    fn takes(&mut self, speaker: Speaker) -> bool {
        match speaker {
            Speaker::Node(mac, kind) => self.takes_of(mac, kind),
            Speaker::New { mac, kind, is_seen } => {
                // Who has said all that one may takes nothing of what is for all. Then first of all together: so there are never more that are counted each than lines.
                let own = self.machines.get(&(mac, budget(kind)));
                if own.is_some_and(|own| own.told >= NODE_LINES_PER_KIND_AND_MINUTE_MAX) {
                    return self.takes_of(mac, kind);
                }
                (!is_seen || self.seen.takes(SEEN_LINES_PER_MINUTE_MAX))
                    && self.new.takes(NEW_LINES_PER_MINUTE_MAX)
                    && self.takes_of(mac, kind)
            }
            Speaker::Host(mac) => {
                let has_room = self.hosts.len() < CHATTERERS_MAX || self.hosts.contains_key(&mac);
                if !has_room {
                    self.others += 1;
                }
                has_room && self.hosts.entry(mac).or_default().takes(HOST_LINES_PER_MINUTE_MAX)
            }
            Speaker::Nobody(kind) => {
                self.nobodys.entry(kind).or_default().takes(NOBODYS_LINES_PER_MINUTE_MAX)
            }
            Speaker::Interface => self.interfaces.takes(INTERFACE_LINES_PER_MINUTE_MAX),
        }
    }

    fn takes_of(&mut self, mac: Mac, kind: Kind) -> bool {
        self.machines.entry((mac, budget(kind))).or_default().takes(NODE_LINES_PER_KIND_AND_MINUTE_MAX)
    }

    /// The minute is over: how many lines were left out.
    pub fn end(&mut self) -> LeftOut {
        let Self { hosts, machines, new, seen, nobodys, interfaces, others, .. } = std::mem::take(self);
        let machines = machines.into_iter().map(|((mac, _), count)| (mac, count));
        let mut each: Vec<(Mac, u64)> = Vec::new();
        for (mac, Count { left_out, .. }) in hosts.into_iter().chain(machines) {
            match each.last_mut().filter(|(last, _)| *last == mac) {
                Some((_, lines)) => *lines += left_out,
                None if left_out > 0 => each.push((mac, left_out)),
                None => {}
            }
        }
        let nobodys = nobodys.into_iter().map(|(kind, count)| (kind, count.left_out));
        LeftOut {
            each,
            hosts: others,
            machines: new.left_out + seen.left_out,
            nobodys: nobodys.filter(|(_, left_out)| *left_out > 0).collect(),
            interfaces: interfaces.left_out,
        }
    }
}

/// With which kind a line is counted.
fn budget(kind: Kind) -> Option<Kind> {
    (!kind.is_talk()).then_some(kind)
}

#[cfg(test)]
mod tests;
