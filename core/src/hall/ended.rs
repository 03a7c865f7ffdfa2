//! Loans that end, and what becomes of the machines that had them.

use super::{Due, Turn, whole_seconds};
use crate::cluster::record::{LeaseRecord, Record};
use crate::cluster::stage::{Stage, Step};
use crate::cluster::trouble::Trouble;
use crate::limit::{LEFT_RECORDED_EVERY, PROBE_WAIT};
use crate::mac::Mac;
use crate::time::Time;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// Ends a lease: the address is free again as soon as nobody answers for it on its link.
    pub(crate) fn end_lease(&mut self, address: Ipv4Addr) {
        let free_at = self.now + PROBE_WAIT;
        let lent = self.hall.leases.get(address).map(|lease| lease.pool);
        if lent.is_some_and(|pool| self.is_another_servers(pool)) {
            // Not ours to lend again, so that there is nothing to be probed.
            self.hall.leases.retract(address);
            self.hall.naming.ended(address);
            self.unpin(address);
            self.record(Record::LeaseEnded(address));
            return;
        }
        let Some(lease) = self.hall.leases.end(address, free_at) else { return };
        self.hall.naming.ended(address);
        self.unpin(address);
        self.record(Record::LeaseEnded(address));
        self.hall.timers.arm(free_at, Due::Address(address));
        self.probe(lease.pool.network, address);
    }

    /// Records what is left of a guest's loan that nobody has renewed since a restart. Without that, each restart would lend it anew, and where they come more often than it ends, what is lent to
    /// hosts that are gone would never be free. When to look again; none: there is nothing of the kind.
    pub(crate) fn keep_left(&mut self, address: Ipv4Addr) -> Option<Time> {
        let left = self.hall.leases.left(self.now, address)?;
        let record = LeaseRecord {
            lease_seconds: Some(whole_seconds(left)),
            is_left: true,
            ..self.loan_record(address)?
        };
        self.record(Record::Lease(record));
        Some(self.now + LEFT_RECORDED_EVERY)
    }

    /// Takes note that an address was lent to a machine on a network that is served no more.
    pub(crate) fn unserved(&mut self, address: Ipv4Addr, mac: Mac) {
        self.hall.naming.ended(address);
        self.unpin(address);
        self.record(Record::LeaseEnded(address));
        self.expired(mac, "the network of its temporary address is served no more");
    }

    /// A node has let the leases of all its permanent addresses run out. Whoever checks in says himself whether his system runs.
    pub(crate) fn leases_run_out(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        node.grants.clear();
        if !node.boot.checks_in {
            self.falls_silent(mac, "it let its lease run out");
        }
    }

    /// A node that was up is not heard any more. What was not believed of it may be why: that stands until it boots or is up, and is told once more.
    pub(crate) fn falls_silent(&mut self, mac: Mac, reason: &str) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        if node.stage != Stage::Up {
            return;
        }
        let disbelieved = node.beside.iter().filter(|(kind, _)| kind.is_disbelief());
        let disbelieved: Vec<_> = disbelieved.map(|(kind, trouble)| (*kind, trouble.clone())).collect();
        self.step(mac, Step::Left, reason);
        for (kind, Trouble { what, to_do }) in disbelieved {
            self.trouble_beside(mac, kind, what, to_do);
        }
    }

    /// What was lent to a machine is taken back. Who is numbered has his own address, or what is lent to another of his cards; unless his own is of another network: then he had this alone.
    pub(crate) fn expired(&mut self, mac: Mac, why: &str) {
        if !self.has_another_address(mac) {
            self.step(mac, Step::Expired, why);
            self.hall.nodes.give_up_failed(self.now, mac);
        }
    }

    /// The same, where another server gives the addresses and may have given it another one already.
    pub(crate) fn lost(&mut self, mac: Mac, why: &str) {
        if self.hall.leases.of(mac).next().is_none() {
            self.expired(mac, why);
        }
    }

    pub(super) fn has_another_address(&self, mac: Mac) -> bool {
        let Some(node) = self.hall.nodes.get(mac) else { return false };
        let is_lent = node.cards().any(|card| self.hall.leases.of(card).next().is_some());
        if !node.stage.is_numbered() {
            return is_lent;
        }
        let is_on_its_network = node.network.is_some() && self.elsewhere(node).is_none();
        is_lent || is_on_its_network || node.grants.until().is_some()
    }
}
