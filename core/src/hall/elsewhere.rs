//! Addresses that another server gives. They are not ours to lend to another machine, so that nobody needs one back: whose it is, the machines say themselves.
//!
//! ```text
//!  its machine is up and checks in there     it stands, however long ago it was learnt
//!  nobody was heard there for its time       it ends: no file that is made for its machine goes there, for somebody else may have it by now
//!  whoever has the token of its boot speaks  it stands again
//! ```

use super::{Due, Turn};
use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::cluster::node::Node;
use crate::cluster::stage::{Stage, Step};
use crate::config::Mode;
use crate::event::Kind;
use crate::limit::NODES_MAX;
use crate::mac::Mac;
use std::net::Ipv4Addr;
use std::time::Duration;

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
        if holder.is_some() {
            // Also what we had lent before another server gave the addresses: it is that one's to give now.
            self.forget_former(address);
        }
        if let Some(before) = before {
            self.leaves_elsewhere(before, mac);
        }
        self.hall.lapsed.remove(&address);
        let until = self.hall.leases.lend(self.now, address, mac, id, lease);
        // Nothing is promised to anybody, so that nobody waits for this record.
        self.hall.leases.recorded(address, lease);
        self.hall.timers.arm(until, Due::Address(address));
        self.keep_loan(address);
        self.event(Some(mac), Kind::Ack, format!("{address} is its address, by another server"));
        if let Some(holder) = holder {
            self.lost(holder.mac, &format!("another server has given its address to {mac}"));
        }
        self.tell_misaddressed(mac);
    }

    /// The address that another server gave a machine on a network. Of several cards it is the one that was heard last: by another it may have booted hours ago.
    pub(crate) fn address_elsewhere(&self, node: &Node, place: usize) -> Option<Ipv4Addr> {
        let elsewhere = PoolId { network: place, kind: PoolKind::Elsewhere };
        let lent = node.cards().filter_map(|card| self.hall.leases.borrowed(card, elsewhere));
        lent.max_by_key(|address| self.hall.leases.get(*address).map(|lease| lease.life))
    }

    /// A machine has an address of another server no longer.
    pub(crate) fn leaves_elsewhere(&mut self, address: Ipv4Addr, mac: Mac) {
        let is_its = |lease: &&Lease| lease.mac == mac && lease.pool.kind == PoolKind::Elsewhere;
        if self.hall.leases.get(address).filter(is_its).is_some() {
            self.end_lease(address);
        }
    }

    /// Nobody was heard at an address for as long as it was lent. Whether it is taken back.
    pub(crate) fn runs_out(&mut self, address: Ipv4Addr, lease: Lease) -> bool {
        if self.checks_in_at(&lease) {
            self.hall.timers.arm(lease.life + self.silence(), Due::Address(address));
            return false;
        }
        if lease.pool.kind == PoolKind::Elsewhere {
            if self.hall.lapsed.len() >= NODES_MAX {
                self.hall.lapsed.clear();
            }
            self.hall.lapsed.insert(address, lease.mac);
        }
        self.end_lease(address);
        self.expired(lease.mac, "it fell silent, and its temporary address was taken back");
        true
    }

    /// Whether the system of a machine runs, and its agent checks in from this address of another server's. What that gave another of its cards it may have left, and what it gave before we gave the addresses.
    pub(crate) fn checks_in_at(&self, lease: &Lease) -> bool {
        let runs = |node: &Node| node.stage == Stage::Up && node.boot.checks_in;
        self.is_another_servers(lease.pool)
            && self.hall.nodes.get(lease.mac).is_some_and(runs)
            && self.now.since(lease.life) < self.silence()
    }

    /// Whether what is lent from here is another server's. Where that gave the addresses once, and we do by now, it is ours, and its machine is to have another one.
    pub(crate) fn is_another_servers(&self, pool: PoolId) -> bool {
        pool.kind == PoolKind::Elsewhere && self.config.networks[pool.network].mode != Mode::Serve
    }

    /// For how long nothing is heard at most from where an agent checks in: after that its machine is down.
    fn silence(&self) -> Duration {
        self.config.check_in.down_after + self.config.check_in.interval
    }

    /// Whoever has the token of a machine's present boot speaks from an address that is nobody's. Where another server gives the addresses it is that machine's, unless it has another one there.
    /// Whether it is.
    pub(crate) fn is_back_elsewhere(&mut self, mac: Mac, address: Ipv4Addr) -> bool {
        let mut places = 0..self.config.networks.len();
        let place = places.find(|place| self.config.networks[*place].contains(address));
        let Some(place) = place.filter(|place| self.config.networks[*place].mode == Mode::Proxy) else {
            return false;
        };
        let id = PoolId { network: place, kind: PoolKind::Elsewhere };
        let Some(node) = self.hall.nodes.get(mac) else { return false };
        if node.cards().any(|card| self.hall.leases.borrowed(card, id).is_some()) {
            return false;
        }
        // By which of its cards is known of the address that it had. Who neither was there last nor has his name there has none: a router translates his address, or another host has his token.
        let had_it = self.hall.lapsed.get(&address).copied();
        let had_it = had_it.filter(|card| node.cards().any(|its| its == *card));
        let is_named_there = |number| self.own_network(node, number) == Some(place);
        let is_there = node.network == Some(place) || node.number.is_some_and(is_named_there);
        let Some(card) = had_it.or_else(|| is_there.then(|| node.present())) else { return false };
        self.has_elsewhere(card, place, address);
        self.step(card, Step::Lent, "it is back at its address");
        true
    }
}
