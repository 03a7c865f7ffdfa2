//! Hosts that asked for an address and got none, and why: otherwise nobody would know that they were there.

use super::lines::Lines;
use crate::limit::{UNANSWERED_LINES_PER_MINUTE_MAX, UNANSWERED_MAX, UNANSWERED_TOLD_EVERY};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// In which lines are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// Those that asked last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unanswered {
    hosts: BTreeMap<Mac, Host>,
    /// The longest unheard first.
    in_order: BTreeSet<(Time, Mac)>,
    lines: Lines,
}

/// A host without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// Since when it asks in vain.
    pub first: Time,
    /// When it asked last.
    pub last: Time,
    /// How often.
    pub count: u64,
    /// Its network, by its place in the configuration; [`NOWHERE`] if it is in none.
    pub place: usize,
    /// Why it gets none.
    pub why: Why,
    told: Option<Time>,
}

/// Why a host has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no range for hosts that are no nodes.
    NoRange,
    /// It asks by BOOTP, which is not served there.
    NoBootp,
    /// No address of that range is left.
    NoneLeft,
    /// This address is kept for it, and another machine has it still, for which it was kept before; and there is no other one for it.
    Former(Ipv4Addr),
    /// It declines whatever it is given.
    Declines,
    /// The operator says of a class, by its place in the configuration, that it is to be ignored.
    IgnoredClass(usize),
    /// He says so of a host.
    IgnoredHost(usize),
    /// It asks on the link of an interface that has no network on its link.
    NoNetwork,
    /// It asks by a relay that is in no network, or for a network that is none of ours: this address is of it.
    StrangeRelay(Ipv4Addr),
}

impl Why {
    /// Whether it is in none of the networks.
    pub fn is_nowhere(self) -> bool {
        match self {
            Self::NoNetwork | Self::StrangeRelay(_) => true,
            Self::NoRange
            | Self::NoBootp
            | Self::NoneLeft
            | Self::Former(_)
            | Self::Declines
            | Self::IgnoredClass(_)
            | Self::IgnoredHost(_) => false,
        }
    }
}

/// The place of who is in none of the networks.
pub const NOWHERE: usize = usize::MAX;

impl Unanswered {
    /// A host gets no address. Whether it is time to tell of it.
    pub fn note(&mut self, now: Time, mac: Mac, place: usize, why: Why) -> bool {
        let told = self.keep(now, mac, place, why);
        let is_time = told.is_none_or(|told| now.since(told) >= UNANSWERED_TOLD_EVERY);
        let is_told = is_time && self.lines.take(now, MINUTE, UNANSWERED_LINES_PER_MINUTE_MAX);
        if let Some(host) = self.hosts.get_mut(&mac).filter(|_| is_told) {
            host.told = Some(now);
        }
        is_told
    }

    /// The same, where it is told in another way. When it was told of last.
    pub fn keep(&mut self, now: Time, mac: Mac, place: usize, why: Why) -> Option<Time> {
        let before = self.forget(mac).filter(|host| (host.place, host.why) == (place, why));
        if self.hosts.len() >= UNANSWERED_MAX
            && let Some((_, oldest)) = self.in_order.first().copied()
        {
            self.forget(oldest);
        }
        let new = Host { first: now, last: now, count: 0, place, why, told: None };
        let mut host = before.unwrap_or(new);
        (host.last, host.count) = (now, host.count + 1);
        self.hosts.insert(mac, host);
        self.in_order.insert((now, mac));
        host.told
    }

    /// A host has got what it wanted.
    pub fn forget(&mut self, mac: Mac) -> Option<Host> {
        let host = self.hosts.remove(&mac)?;
        self.in_order.remove(&(host.last, mac));
        Some(host)
    }

    /// One of them.
    pub fn get(&self, mac: Mac) -> Option<&Host> {
        self.hosts.get(&mac)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.hosts.len()
    }

    /// The one that asked last.
    pub fn last(&self) -> Option<(Mac, &Host)> {
        let (_, mac) = self.in_order.last()?;
        Some((*mac, self.hosts.get(mac)?))
    }
}

#[cfg(test)]
mod tests;
