//! Leases of numbers' addresses that are longer than the configuration says by now.
//!
//! Nothing is recorded when a number's machine renews its lease. So for each network it is recorded what the longest is that may be out (`NumberedRecord`): who reads that at a start holds every address for so long. A
//! configuration that makes leases shorter changes that record when those of before are over, and no sooner; one that makes them longer, at once.

use super::{Due, Turn};
use crate::cluster::record::NumberingRecord;
use crate::config::{Mode, Network};
use crate::time::Time;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What may be out on a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Longer {
    /// For how long it was granted at most.
    lease: Duration,
    /// When all of it is over.
    until: Time,
}

/// What may be out on the network that has this address.
pub(crate) type LeaseOut = (Ipv4Addr, Longer);

impl Turn<'_> {
    /// The longest lease of a number's address that may be out on a network.
    pub(crate) fn longest_lease(&self, place: usize) -> Duration {
        let longer = self.hall.longer_leases.get(&place).map(|longer| longer.lease);
        longer.unwrap_or_default().max(self.config.networks[place].lease)
    }

    /// What may be out as it was granted until now.
    pub(crate) fn leases_out(&self) -> Vec<LeaseOut> {
        let serving = self.config.networks.iter().filter(|network| network.mode == Mode::Serve);
        let now = serving.map(|network| {
            (network.numbering.first, Longer { lease: network.lease, until: self.now + network.lease })
        });
        let before = self.hall.longer_leases.iter();
        let before = before.map(|(place, longer)| (self.config.networks[*place].numbering.first, *longer));
        now.chain(before).collect()
    }

    /// What may be out after a restart, by what was recorded before: when it was granted is not known.
    pub(crate) fn leases_recorded(&self, numbering: &NumberingRecord) -> Vec<LeaseOut> {
        let recorded = numbering.networks.iter().filter_map(|network| {
            let lease = Duration::from_secs(network.lease_seconds?);
            Some((network.first, Longer { lease, until: self.now + lease }))
        });
        recorded.collect()
    }

    /// Takes note of what of this is longer than the configuration says.
    pub(crate) fn keep_longer_leases(&mut self, out: Vec<LeaseOut>) {
        self.hall.longer_leases.clear();
        for (address, Longer { lease, until }) in out {
            let here = |network: &Network| network.contains(address);
            let place = self.config.networks.iter().position(here);
            let Some(place) = place.filter(|place| lease > self.config.networks[*place].lease) else {
                continue;
            };
            let longer = self.hall.longer_leases.entry(place).or_insert(Longer { lease, until });
            *longer = Longer { lease: longer.lease.max(lease), until: longer.until.max(until) };
        }
        self.watch_longer_leases();
    }

    /// Looks whether such leases are over, and records what may be out still.
    pub(crate) fn longer_leases_over(&mut self) {
        let before = self.numbering();
        let now = self.now;
        self.hall.longer_leases.retain(|_, longer| longer.until > now);
        self.keep_numbering(Some(&before));
        self.watch_longer_leases();
    }

    fn watch_longer_leases(&mut self) {
        let first = self.hall.longer_leases.values().map(|longer| longer.until).min();
        if let Some(until) = first {
            self.hall.timers.arm(until, Due::LongerLeases);
        }
    }
}
