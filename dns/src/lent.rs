//! Names of hosts to which addresses are lent, as long as they are.

use crate::name::Name;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// All of them, by name and by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lent {
    by_name: BTreeMap<Vec<u8>, Loan>,
    by_address: BTreeMap<Ipv4Addr, Vec<u8>>,
}

/// A name, its address, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loan {
    pub(crate) whole: Name,
    pub(crate) address: Ipv4Addr,
    pub(crate) until_nanoseconds: u64,
}

impl Loan {
    /// How long others may keep the name: as long as its loan lasts, but no longer than a name that is arithmetic. Without a moment it is for a
    /// copy of the zone, which cannot count loans down: as briefly as a denial.
    pub(crate) fn ttl_seconds(&self, now_nanoseconds: Option<u64>, settings: &Settings) -> u32 {
        let Some(now_nanoseconds) = now_nanoseconds else {
            return settings.negative_ttl_seconds.min(settings.ttl_seconds);
        };
        let left = self.until_nanoseconds.saturating_sub(now_nanoseconds) / 1_000_000_000;
        u32::try_from(left).unwrap_or(u32::MAX).min(settings.ttl_seconds)
    }
}

impl Lent {
    /// A host has this name from now on. An address has one name, and a name one address.
    pub(crate) fn lend(&mut self, name: String, loan: Loan) {
        self.end(loan.address);
        let name = name.into_bytes();
        self.by_address.insert(loan.address, name.clone());
        if let Some(before) = self.by_name.insert(name, loan) {
            self.by_address.remove(&before.address);
        }
    }

    /// The loan of an address has ended.
    pub(crate) fn end(&mut self, address: Ipv4Addr) {
        if let Some(name) = self.by_address.remove(&address) {
            self.by_name.remove(&name);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The loan of whoever is called so.
    pub(crate) fn called(&self, name: &[u8]) -> Option<&Loan> {
        self.by_name.get(name)
    }

    /// The loan of an address.
    pub(crate) fn at(&self, address: IpAddr) -> Option<&Loan> {
        let IpAddr::V4(address) = address else { return None };
        self.by_name.get(self.by_address.get(&address)?)
    }

    /// Whether any address between these, both included and of one kind, has a name.
    pub(crate) fn any(&self, lowest: IpAddr, highest: IpAddr) -> bool {
        match (lowest, highest) {
            (IpAddr::V4(lowest), IpAddr::V4(highest)) => {
                self.by_address.range(lowest..=highest).next().is_some()
            }
            (IpAddr::V6(_), _) | (_, IpAddr::V6(_)) => false,
        }
    }

    /// All names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.by_name.keys().map(Vec::as_slice)
    }

    /// All addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.by_address.keys().copied().map(IpAddr::V4)
    }
}
