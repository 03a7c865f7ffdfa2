//! Addresses that nobody gets before a moment, and by whose word.

use super::Closure;
use crate::config::AddressRange;
use crate::mac::Mac;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// Closures by address. Those that a DECLINE alone has closed are also known by who sent it, those that somebody answered for by who did, and those that are probed by who had them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Closed {
    closures: BTreeMap<Ipv4Addr, Closure>,
    declined: BTreeSet<(Mac, Ipv4Addr)>,
    answered: BTreeSet<(Mac, Ipv4Addr)>,
    probed: BTreeSet<(Mac, Ipv4Addr)>,
}

impl Closed {
    pub(super) fn get(&self, address: &Ipv4Addr) -> Option<&Closure> {
        self.closures.get(address)
    }

    pub(super) fn contains_key(&self, address: &Ipv4Addr) -> bool {
        self.closures.contains_key(address)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Ipv4Addr> {
        self.closures.keys()
    }

    pub(super) fn iter(&self) -> btree_map::Iter<'_, Ipv4Addr, Closure> {
        self.closures.iter()
    }

    /// Those in a range.
    pub(super) fn within(&self, range: AddressRange) -> impl Iterator<Item = (&Ipv4Addr, &Closure)> {
        self.closures.range(range.first..=range.last)
    }

    pub(super) fn insert(&mut self, address: Ipv4Addr, closure: Closure) {
        self.remove(&address);
        if let Some(mac) = closure.declined_by {
            self.declined.insert((mac, address));
        }
        if let Some(mac) = closure.answered_by {
            self.answered.insert((mac, address));
        }
        if let Some(mac) = closure.probed {
            self.probed.insert((mac, address));
        }
        self.closures.insert(address, closure);
    }

    pub(super) fn remove(&mut self, address: &Ipv4Addr) -> Option<Closure> {
        let closure = self.closures.remove(address)?;
        if let Some(mac) = closure.declined_by {
            self.declined.remove(&(mac, *address));
        }
        if let Some(mac) = closure.answered_by {
            self.answered.remove(&(mac, *address));
        }
        if let Some(mac) = closure.probed {
            self.probed.remove(&(mac, *address));
        }
        Some(closure)
    }

    /// How many addresses a machine's DECLINEs keep closed.
    pub(super) fn declined_by(&self, mac: Mac) -> usize {
        self.declined.range(of_machine(mac)).count()
    }

    /// Those that are probed and were a machine's until just now.
    pub(super) fn probed_of(&self, mac: Mac) -> impl Iterator<Item = Ipv4Addr> {
        self.probed.range(of_machine(mac)).map(|(_, address)| *address)
    }

    /// Those that a machine answered for.
    pub(super) fn answered_by(&self, mac: Mac) -> impl Iterator<Item = Ipv4Addr> {
        self.answered.range(of_machine(mac)).map(|(_, address)| *address)
    }
}

fn of_machine(mac: Mac) -> RangeInclusive<(Mac, Ipv4Addr)> {
    (mac, Ipv4Addr::UNSPECIFIED)..=(mac, Ipv4Addr::BROADCAST)
}
