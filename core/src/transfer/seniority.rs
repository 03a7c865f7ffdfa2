//! Which machine was there first. A boot is several transfers, one after another, and whoever has begun is to be done before others begin.

use crate::limit::{LOAD_REMEMBERED, LOAD_REMEMBERED_MAX};
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Every machine with a transfer, and for a while those that had one. Bounded: the first by the transfers, the others by time and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seniority {
    machines: BTreeMap<Ipv4Addr, Machine>,
    /// Those without a transfer, by when their last one ended.
    gone: BTreeSet<(Time, Ipv4Addr)>,
    next_order: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Machine {
    order: u64,
    served_octets: u64,
    transfers: usize,
    gone: Option<Time>,
}

impl Seniority {
    /// A transfer of this machine begins: its place in the order of machines, and what it was served before.
    pub(super) fn enter(&mut self, address: Ipv4Addr) -> (u64, u64) {
        let next = &mut self.next_order;
        let machine = self.machines.entry(address).or_insert_with(|| {
            *next += 1;
            Machine { order: *next, served_octets: 0, transfers: 0, gone: None }
        });
        machine.transfers += 1;
        if let Some(gone) = machine.gone.take() {
            self.gone.remove(&(gone, address));
        }
        (machine.order, machine.served_octets)
    }

    /// A transfer of this machine has ended after so many octets.
    pub(super) fn leave(&mut self, now: Time, address: Ipv4Addr, octets: u64) {
        let Some(machine) = self.machines.get_mut(&address) else { return };
        machine.served_octets = machine.served_octets.saturating_add(octets);
        machine.transfers -= 1;
        if machine.transfers == 0 {
            machine.gone = Some(now);
            self.gone.insert((now, address));
        }
        if self.gone.len() > LOAD_REMEMBERED_MAX
            && let Some((_, address)) = self.gone.pop_first()
        {
            self.machines.remove(&address);
        }
    }

    /// When somebody is to be forgotten.
    pub(super) fn next(&self) -> Option<Time> {
        self.gone.first().map(|(gone, _)| *gone + LOAD_REMEMBERED)
    }

    /// Forgets who has been gone for long.
    pub(super) fn forget(&mut self, now: Time) {
        while let Some((gone, address)) = self.gone.first().copied() {
            if now.since(gone) < LOAD_REMEMBERED {
                return;
            }
            self.gone.pop_first();
            self.machines.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests;
