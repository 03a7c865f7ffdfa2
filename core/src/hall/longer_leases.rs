//! Leases of numbers' addresses that end later than any that the configuration gives by now.
//!
//! Nothing is recorded when a number's machine renews its lease. So for each network it is recorded for how long at most what is out goes on (`NumberedRecord`): who reads that at a start holds every address for so long. A
//! configuration that makes leases longer changes that record at once. After one that makes them shorter it says what is left of those of before, anew every quarter of an hour: else each restart would begin them anew, and where
//! restarts come more often than they end, the shorter ones would never count.

use super::{Due, Turn};
use crate::cluster::record::NumberingRecord;
use crate::config::{Mode, Network};
use crate::limit::LEFT_RECORDED_EVERY;
use crate::time::Time;
use std::net::Ipv4Addr;
use std::time::Duration;

/// When the last ends of what is out on the network that has this address.
pub(crate) type LeaseOut = (Ipv4Addr, Time);

impl Turn<'_> {
    /// For how long at most what is out on a network goes on.
    pub(crate) fn longest_lease(&self, place: usize) -> Duration {
        let until = self.hall.longer_leases.get(&place).copied().unwrap_or(self.now);
        until.since(self.now).max(self.config.networks[place].lease)
    }

    /// What is out as it was granted until now.
    pub(crate) fn leases_out(&self) -> Vec<LeaseOut> {
        let serving =
            self.config.networks.iter().enumerate().filter(|(_, network)| network.mode == Mode::Serve);
        let out = serving.filter_map(|(place, network)| {
            let numbered = self.hall.nodes.iter().filter(|node| node.number.is_some());
            let until = numbered.filter_map(|node| self.uses_until(node, place)).max()?;
            Some((network.numbering.first, until))
        });
        out.collect()
    }

    /// What may be out after a restart, by what was recorded before: when that was is not known.
    pub(crate) fn leases_recorded(&self, numbering: &NumberingRecord) -> Vec<LeaseOut> {
        let recorded = numbering.networks.iter().filter_map(|network| {
            let lease = Duration::from_secs(network.lease_seconds?);
            Some((network.first, self.now + lease))
        });
        recorded.collect()
    }

    /// Takes note of what of this ends later than what the configuration gives.
    pub(crate) fn keep_longer_leases(&mut self, out: Vec<LeaseOut>) {
        self.hall.longer_leases.clear();
        for (address, until) in out {
            let here = |network: &Network| network.contains(address);
            if let Some(place) = self.config.networks.iter().position(here) {
                let last = self.hall.longer_leases.entry(place).or_insert(until);
                *last = until.max(*last);
            }
        }
        self.watch_longer_leases();
    }

    /// Records what is left of such leases.
    pub(crate) fn longer_leases_due(&mut self) {
        if !self.hall.longer_leases.is_empty() {
            self.watch_longer_leases();
            self.keep_numbering(None);
        }
    }

    /// Forgets which end no later than one that is granted now, and looks at the others again.
    fn watch_longer_leases(&mut self) {
        let (now, networks) = (self.now, &self.config.networks);
        let longer = &mut self.hall.longer_leases;
        longer.retain(|place, until| *until > now + networks[*place].lease);
        let first = longer.iter().map(|(place, until)| *until - networks[*place].lease).min();
        if let Some(first) = first {
            self.hall.timers.arm(first.min(now + LEFT_RECORDED_EVERY), Due::LongerLeases);
        }
    }
}
