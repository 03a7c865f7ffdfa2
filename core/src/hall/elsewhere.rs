//! Addresses that another server gives. They are not ours to lend to another machine, so that nobody needs one back: whose it is, the machines say themselves.

use super::{Due, Turn};
use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::event::Kind;
use crate::mac::Mac;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// A machine has an address by another server, and no other there.
    pub(crate) fn has_elsewhere(&mut self, mac: Mac, place: usize, address: Ipv4Addr) {
        let lease = self.config.networks[place].lease;
        let id = PoolId { network: place, kind: PoolKind::Elsewhere };
        let holder = self.hall.leases.get(address).copied();
        if holder.is_some_and(|holder| holder.mac == mac) {
            self.hall.leases.renew(self.now, address, lease);
            return;
        }
        let before = self.hall.leases.borrowed(mac, id);
        if let Some(holder) = holder {
            self.leaves_elsewhere(address, holder.mac);
        }
        if let Some(before) = before {
            self.leaves_elsewhere(before, mac);
        }
        let until = self.hall.leases.lend(self.now, address, mac, id, lease);
        // Nothing is promised to anybody, so that nobody waits for this record.
        self.hall.leases.recorded(address, lease);
        self.hall.timers.arm(until, Due::Address(address));
        self.keep_loan(address);
        self.event(Some(mac), Kind::Ack, format!("{address} is its address, by another server"));
        self.tell_misaddressed(mac);
    }

    /// A machine has an address of another server no longer.
    pub(crate) fn leaves_elsewhere(&mut self, address: Ipv4Addr, mac: Mac) {
        let is_its = |lease: &&Lease| lease.mac == mac && lease.pool.kind == PoolKind::Elsewhere;
        if self.hall.leases.get(address).filter(is_its).is_some() {
            self.end_lease(address);
        }
    }
}
