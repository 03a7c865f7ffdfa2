//! Which machine has the address that is kept for a host. By a new configuration that may be no host's any more, or another one's, and the machine uses it all the same until its lease ends.
//!
//! There are no more of them than `[[host]]`s with an address, by the configuration by which they got it.

use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Who has which host's address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenants {
    by_address: BTreeMap<Ipv4Addr, Tenant>,
    /// Whose address is no host's any more, or another one's, and lent to them until their lease ends.
    former: BTreeMap<Ipv4Addr, Mac>,
}

/// A machine that was granted a host's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Which one.
    pub mac: Mac,
    /// Until when, by the last ACK.
    pub until: Time,
    /// For how long it was granted, as that was recorded.
    pub length: Duration,
}

impl Tenants {
    /// A machine is granted a host's address. Whether that is to be recorded: it is another machine than before, or for longer.
    pub fn granted(&mut self, now: Time, address: Ipv4Addr, mac: Mac, length: Duration) -> bool {
        let before = self.by_address.get(&address).filter(|tenant| tenant.mac == mac);
        let is_recorded = before.is_some_and(|tenant| tenant.length >= length);
        let recorded = before.filter(|_| is_recorded).map_or(length, |tenant| tenant.length);
        self.by_address.insert(address, Tenant { mac, until: now + length, length: recorded });
        !is_recorded
    }

    /// A machine has a host's address no more. Whether it had.
    pub fn gave_back(&mut self, address: Ipv4Addr, mac: Mac) -> bool {
        let is_its = self.by_address.get(&address).is_some_and(|tenant| tenant.mac == mac);
        is_its && self.by_address.remove(&address).is_some()
    }

    /// Whether a machine has a host's address still.
    pub fn has(&self, now: Time, address: Ipv4Addr, mac: Mac) -> bool {
        self.by_address.get(&address).is_some_and(|tenant| tenant.mac == mac && now < tenant.until)
    }

    /// Nobody is known to have it any more.
    pub fn remove(&mut self, address: Ipv4Addr) -> Option<Tenant> {
        self.by_address.remove(&address)
    }

    /// What a machine has as a host's it keeps as a loan of its own, by another configuration.
    pub fn becomes_former(&mut self, address: Ipv4Addr, mac: Mac) {
        self.by_address.remove(&address);
        self.former.insert(address, mac);
    }

    /// Whether what is lent to a machine was its own as a host's.
    pub fn was(&self, address: Ipv4Addr, mac: Mac) -> bool {
        self.former.get(&address) == Some(&mac)
    }

    /// Forgets whose address was a host's where it is lent to them no more.
    pub fn retain_former(&mut self, is_lent: impl Fn(Ipv4Addr, Mac) -> bool) {
        self.former.retain(|address, mac| is_lent(*address, *mac));
    }

    /// All of them, by address.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, Tenant)> {
        self.by_address.iter().map(|(address, tenant)| (*address, *tenant))
    }
}

#[cfg(test)]
mod tests;
