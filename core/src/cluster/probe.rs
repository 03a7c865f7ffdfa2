//! Addresses of which it was asked whether somebody has them, before they are offered to a machine that did not have them.
//!
//! ```text
//!              begin            300 ms                       35 s
//!   unknown ──────────> asked ──────────> free, as it seems ──────> unknown
//!                         └───────────────────┴──> somebody answers: quarantine
//! ```
//! Also of those that belong to a machine, before another hardware address is taken for that machine's: then it is no quarantine if it answers.
//!
//! A machine's repeated DISCOVER, and the REQUEST that follows its offer, find what the first one found out: nobody waits twice.

use crate::limit::{OFFER_STANDS, PROBE_WAIT, PROBES_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What was asked, by address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probes {
    probes: BTreeMap<Ipv4Addr, Probe>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    mac: Mac,
    ends: Time,
    is_taken: bool,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody has asked, or too long ago.
    Unknown,
    /// It will be known at this moment.
    Asked(Time),
    /// Nobody has answered.
    Free,
    /// The machine that it belongs to has answered.
    Taken,
}

impl Probes {
    /// What is known of an address now.
    pub fn found(&self, now: Time, address: Ipv4Addr) -> Found {
        match self.probes.get(&address) {
            Some(probe) if probe.is_taken && now < probe.forgotten_at() => Found::Taken,
            Some(probe) if now < probe.ends => Found::Asked(probe.ends),
            Some(probe) if now < probe.forgotten_at() => Found::Free,
            Some(_) | None => Found::Unknown,
        }
    }

    /// It is asked now, for this machine. Returns when the answer will be known; none if too much is asked already.
    pub fn begin(&mut self, now: Time, address: Ipv4Addr, mac: Mac) -> Option<Time> {
        if self.probes.len() >= PROBES_MAX && !self.probes.contains_key(&address) {
            return None;
        }
        let ends = now + PROBE_WAIT;
        self.probes.insert(address, Probe { mac, ends, is_taken: false });
        Some(ends)
    }

    /// For which machine it was asked.
    pub fn asked_for(&self, address: Ipv4Addr) -> Option<Mac> {
        self.probes.get(&address).map(|probe| probe.mac)
    }

    /// The machine that the address belongs to has answered.
    pub fn taken(&mut self, address: Ipv4Addr) {
        if let Some(probe) = self.probes.get_mut(&address) {
            probe.is_taken = true;
        }
    }

    /// Somebody has the address: quarantine takes it from here.
    pub fn forget(&mut self, address: Ipv4Addr) {
        self.probes.remove(&address);
    }

    /// What the clock does: what was found too long ago is forgotten. When to look again.
    pub fn expire(&mut self, now: Time, address: Ipv4Addr) -> Option<Time> {
        let probe = self.probes.get(&address)?;
        let next = if now < probe.ends { probe.ends } else { probe.forgotten_at() };
        if next <= now {
            self.probes.remove(&address);
            return None;
        }
        Some(next)
    }
}

impl Probe {
    fn forgotten_at(&self) -> Time {
        self.ends + OFFER_STANDS
    }
}

#[cfg(test)]
mod tests;
