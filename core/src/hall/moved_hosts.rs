//! Addresses of `[[host]]`s that another configuration moves, gives to another host, or to nobody.
//!
//! Who has such an address may use it until his lease ends, so that it is nobody else's before (RFC 2131 1.6: "will not be in use by more than one DHCP client at a time"): it stays his as a loan of the kind `Number`, as what a node
//! has by the number that was its own (`listed.rs`). Whoever gets a host's address is recorded, so that this is the same over a restart.

use super::{Turn, and_more};
use crate::cluster::lease::{Lease, PoolKind};
use crate::cluster::record::{LeaseRecord, Record};
use crate::cluster::reservation::{Entry, Traits};
use crate::config::{Config, Host, Identifiers, Mode, Network};
use crate::event::Kind;
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Reads circuit and remote end from what a relay added, which is the services' affair: the hall knows no packets.
pub(crate) type ReadPlace = fn(Option<&[u8]>) -> (Option<&[u8]>, Option<&[u8]>);

impl Turn<'_> {
    /// A host is granted the address that is kept for it. Nobody waits for that to be recorded: that it is the host's the configuration says.
    pub(crate) fn host_granted(&mut self, address: Ipv4Addr, mac: Mac, length: Duration) {
        self.hall.heard.granted(mac, address, self.now + length);
        if self.hall.tenants.granted(self.now, address, mac, length) {
            self.keep_tenant(address, mac, length);
        }
    }

    /// A host has the address that is kept for it no more.
    pub(crate) fn host_gave_back(&mut self, address: Ipv4Addr, mac: Mac) {
        self.hall.heard.gave_back(mac);
        if self.hall.tenants.gave_back(address, mac) {
            self.record(Record::LeaseEnded(address));
        }
    }

    /// Keeps for those who have them addresses that are theirs no more by the configuration as it is now, and tells whose they are. `before` is the one by which they got them, if that is known.
    pub(crate) fn keep_moved_hosts(&mut self, before: Option<&Config>, read: ReadPlace) {
        let leases = &self.hall.leases;
        let is_lent = |address, mac| leases.get(address).is_some_and(|lease: &Lease| lease.mac == mac);
        self.hall.tenants.retain_former(is_lent);
        self.hosts_come_back(read);
        let all: Vec<_> = self.hall.tenants.iter().collect();
        let before = before.map(kept_for);
        let moved = all
            .into_iter()
            .filter(|(address, tenant)| !self.is_host_at(before.as_ref(), tenant.mac, *address, read));
        let (mut others, mut none) = (Vec::new(), Vec::new());
        for (address, tenant) in moved.collect::<Vec<_>>() {
            if !self.keep_moved_host(tenant.mac, address, tenant.until) {
                self.hall.tenants.remove(address);
                self.record(Record::LeaseEnded(address));
                continue;
            }
            let mac = tenant.mac;
            let host = self.host_of(mac, read);
            let name = host.and_then(|host| host.name.as_ref());
            let who = name.map_or_else(|| mac.to_string(), |name| format!("{name} ({mac})"));
            match host.and_then(|host| host.address) {
                Some(after) => others.push((address, who, after)),
                None => none.push((address, who)),
            }
        }
        if let Some((address, who, after)) = others.first() {
            let more = and_more(others.len());
            let line = format!(
                "the address of the [[host]] {who}{more} is another: {after} instead of {address}. What runs keeps its old one until it asks again: restart it"
            );
            self.event(None, Kind::Trouble, line);
        }
        if let Some((address, who)) = none.first() {
            let more = and_more(none.len());
            let line = format!(
                "{address}{more} is kept for {who} no more, which has it still: it is told so when it asks next, and nobody else gets the address before it has another one or its lease ends"
            );
            self.event(None, Kind::Trouble, line);
        }
    }

    /// The `[[host]]` that a machine is, as far as is known by what it and its relay said last.
    pub(crate) fn host_of(&self, mac: Mac, read: ReadPlace) -> Option<&Host> {
        match self.entry_of(mac, read)? {
            Entry::Host(place) => self.config.hosts.get(place),
            Entry::Node(_) => None,
        }
    }

    /// The entry of the configuration that means a machine, as far as is known by what it and its relay said last.
    pub(crate) fn entry_of(&self, mac: Mac, read: ReadPlace) -> Option<Entry> {
        let said = self.hall.heard.get(mac);
        let client = said.and_then(|said| said.identifier.as_deref());
        let is_node = self.hall.nodes.node(mac).is_some();
        let (circuit, remote) = read(said.and_then(|said| said.relay_of(is_node)));
        let traits = Traits { mac: Some(mac), client, circuit, remote, ..Traits::default() };
        self.hall.reservations.find(&traits).map(|(entry, _)| entry)
    }

    /// Whether an address is lent to a machine that had it as a host's, which it is no more.
    pub(crate) fn is_former_host(&self, mac: Mac) -> bool {
        let mut lent = self.hall.leases.of(mac);
        lent.any(|(address, lease)| {
            lease.pool.kind == PoolKind::Number && self.hall.tenants.was(address, mac)
        })
    }

    /// What a machine that had another address as a host is to have by the configuration as it is now, in words, and what the operator can do.
    pub(crate) fn waits_as_host(&self, mac: Mac, is_to_have: Option<Ipv4Addr>) -> (String, Option<String>) {
        let Some(address) = is_to_have else { return (String::new(), None) };
        let user = self.hall.leases.get(address).map(|lease| lease.mac).filter(|user| *user != mac);
        let (whose, to_do) = match user {
            Some(user) => (
                format!(", which {user} has still"),
                format!("start {user} again, which has {address} still, and then this one"),
            ),
            None => (String::new(), format!("start it again: then it gets {address}")),
        };
        (format!("; it is to have {address}{whose}"), Some(to_do))
    }

    /// Keeps a host's address for the machine that has it. False: it has it no more.
    fn keep_moved_host(&mut self, mac: Mac, address: Ipv4Addr, until: Time) -> bool {
        self.hall.heard.gave_back(mac);
        let serves = |network: &Network| network.mode == Mode::Serve && network.contains(address);
        let Some(place) = self.config.networks.iter().position(serves).filter(|_| until > self.now) else {
            return false;
        };
        self.hall.tenants.becomes_former(address, mac);
        self.keep_address(mac, address, place, until);
        self.hall.leases.get(address).is_some_and(|lease| lease.mac == mac)
    }

    /// What was kept for machines that had it as hosts, and is theirs again, they have as hosts.
    fn hosts_come_back(&mut self, read: ReadPlace) {
        let lent = self.hall.leases.iter().filter(|(_, lease)| lease.pool.kind == PoolKind::Number);
        let own = lent.filter(|(address, lease)| {
            self.hall.tenants.was(*address, lease.mac)
                && self.host_of(lease.mac, read).is_some_and(|host| host.address == Some(*address))
        });
        for (address, lease) in own.map(|(address, lease)| (address, *lease)).collect::<Vec<_>>() {
            self.forget_former(address);
            let left = lease.until.since(self.now);
            self.hall.tenants.granted(self.now, address, lease.mac, left);
            self.keep_tenant(address, lease.mac, lease.length);
        }
    }

    /// The same of one host that asks for its address: only what it says now tells which one it is.
    pub(crate) fn host_comes_back(&mut self, address: Ipv4Addr, mac: Mac) {
        let is_its = |lease: &&Lease| lease.mac == mac && lease.pool.kind == PoolKind::Number;
        if self.hall.leases.get(address).filter(is_its).is_some() {
            self.forget_former(address);
        }
    }

    /// Records once more who has which host's address.
    pub(super) fn keep_tenants_again(&mut self) {
        for (address, tenant) in self.hall.tenants.iter().collect::<Vec<_>>() {
            self.keep_tenant(address, tenant.mac, tenant.length);
        }
    }

    fn keep_tenant(&mut self, address: Ipv4Addr, mac: Mac, length: Duration) {
        self.record(Record::Lease(LeaseRecord {
            address,
            mac,
            name: None,
            // So it is to a version that does not know of hosts here.
            is_guest: true,
            of_host: true,
            of_number: false,
            is_elsewhere: false,
            lease_seconds: Some(length.as_secs()),
            is_left: false,
        }));
    }

    /// Whether the configuration keeps this address for this machine. What tells a host beside its hardware address may not be known of it (a restart): then it is the one for whom the address was kept before.
    fn is_host_at(&self, before: Option<&KeptFor<'_>>, mac: Mac, address: Ipv4Addr, read: ReadPlace) -> bool {
        let host = self.hall.reservations.host_at(address).and_then(|place| self.config.hosts.get(place));
        let Some(host) = host else { return false };
        if self.host_of(mac, read).is_some_and(|of| of.address == Some(address)) {
            return true;
        }
        if host.identifiers.is_empty() {
            return false;
        }
        before.is_none_or(|before| before.get(&address) == Some(&&host.identifiers))
    }
}

/// What tells the hosts for whom a configuration keeps addresses, beside their hardware addresses.
type KeptFor<'c> = BTreeMap<Ipv4Addr, &'c Identifiers>;

fn kept_for(config: &Config) -> KeptFor<'_> {
    config.hosts.iter().filter_map(|host| Some((host.address?, &host.identifiers))).collect()
}
