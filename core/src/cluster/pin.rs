//! Neighbour entries of ours: the machine of an address in mid-boot, so that the kernel never asks for it by ARP.

use crate::limit::{ARP_ANSWERED_AFTER_LIFE, HOLD_AFTER_LIFE, PINS_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The entries that stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    pins: BTreeMap<Ipv4Addr, Pin>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// On which interface.
    pub interface: String,
    /// Which machine.
    pub mac: Mac,
    /// When the machine was last heard of.
    pub life: Time,
    /// When it last acknowledged what it downloads.
    pub download: Option<Time>,
}

impl Pin {
    /// Until when it stands without a sign of life.
    pub fn stands_until(&self) -> Time {
        self.life + HOLD_AFTER_LIFE
    }
}

impl Pins {
    /// Sets an entry, or renews it. False: there are too many, and the kernel has to find this machine itself.
    pub fn set(&mut self, address: Ipv4Addr, pin: Pin) -> bool {
        if self.pins.len() >= PINS_MAX && !self.pins.contains_key(&address) {
            return false;
        }
        self.pins.insert(address, pin);
        true
    }

    /// Takes an entry away.
    pub fn remove(&mut self, address: Ipv4Addr) -> Option<Pin> {
        self.pins.remove(&address)
    }

    /// The entry of an address.
    pub fn get(&self, address: Ipv4Addr) -> Option<&Pin> {
        self.pins.get(&address)
    }

    /// A sign of life.
    pub fn alive(&mut self, now: Time, address: Ipv4Addr) {
        if let Some(pin) = self.pins.get_mut(&address) {
            pin.life = now;
        }
    }

    /// A sign of life from a download.
    pub fn downloads(&mut self, now: Time, address: Ipv4Addr) {
        if let Some(pin) = self.pins.get_mut(&address) {
            (pin.life, pin.download) = (now, Some(now));
        }
    }

    /// The machine of an address, if it downloads now.
    pub fn downloading(&self, now: Time, address: Ipv4Addr) -> Option<&Pin> {
        let runs = |pin: &&Pin| pin.download.is_some_and(|last| now.since(last) < ARP_ANSWERED_AFTER_LIFE);
        self.pins.get(&address).filter(runs)
    }

    /// All entries, by address.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &Pin)> {
        self.pins.iter().map(|(address, pin)| (*address, pin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);

    fn at(seconds: u64) -> Time {
        Time::from_nanoseconds(1_000_000_000_000) + Duration::from_secs(seconds)
    }

    fn pin() -> Pin {
        Pin { interface: "eth1".into(), mac: Mac([2, 0, 0, 0, 0, 1]), life: at(0), download: None }
    }

    #[test]
    fn there_are_never_more_than_the_bound_and_those_there_are_can_be_changed() {
        let mut pins = Pins::default();
        let all = u32::try_from(PINS_MAX).unwrap();
        assert!((0..all).all(|address| pins.set(Ipv4Addr::from(address), pin())));
        assert!(!pins.set(ADDRESS, pin()));
        assert!(pins.set(Ipv4Addr::from(7), pin()));
        pins.remove(Ipv4Addr::from(8));
        assert!(pins.set(ADDRESS, pin()));
        assert_eq!(pins.iter().count(), PINS_MAX);
    }

    #[test]
    fn a_machine_downloads_until_nothing_was_acknowledged_for_a_while() {
        let mut pins = Pins::default();
        pins.set(ADDRESS, pin());
        pins.alive(at(1), ADDRESS);
        assert_eq!(pins.downloading(at(1), ADDRESS), None, "it has only asked by DHCP");
        pins.downloads(at(2), ADDRESS);
        for (seconds, runs) in [(2, true), (16, true), (17, false)] {
            assert_eq!(pins.downloading(at(seconds), ADDRESS).is_some(), runs, "after {seconds} s");
        }
    }
}
