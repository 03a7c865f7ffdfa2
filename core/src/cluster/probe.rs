//! Addresses of which it was asked whether somebody has them, before they are offered to a machine that did not have them.
//!
//! ```text
//!              begin            300 ms                       35 s
//!   unknown ──────────> asked ──────────> free, as it seems ──────> unknown
//!                         └───────────────────┴──> somebody answers: quarantine
//! ```
//! Also of those that belong to a machine, before another hardware address is taken for that machine's: then it is no quarantine if it answers. Nor is it where a machine wants a number that it
//! was not offered: who answers for that address keeps it as long as this is remembered, and the machine itself may be who answers.
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
    /// Addresses that somebody had answered for, which is so no more: to be looked at again.
    returned: Vec<Ipv4Addr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    mac: Mac,
    ends: Time,
    heard: Heard,
}

/// Whose answer was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nobodys,
    /// Of the machine for which it was asked: whoever answers besides, it has the address.
    ItsOwn,
    /// Of another one, if it says which; it counts from this moment on.
    Anothers {
        by: Option<Mac>,
        from: Time,
    },
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
    /// Another machine than the one for which it was asked has answered.
    Taken,
}

impl Probes {
    /// What is known of an address now.
    pub fn found(&self, now: Time, address: Ipv4Addr) -> Found {
        match self.probes.get(&address) {
            Some(probe) if probe.is_taken_at(now) && now < probe.forgotten_at() => Found::Taken,
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
        self.forget(address);
        self.probes.insert(address, Probe { mac, ends, heard: Heard::Nobodys });
        Some(ends)
    }

    /// For which machine it was asked.
    pub fn asked_for(&self, address: Ipv4Addr) -> Option<Mac> {
        self.probes.get(&address).map(|probe| probe.mac)
    }

    /// Another machine has answered, and that is all there is to know.
    pub fn taken(&mut self, now: Time, address: Ipv4Addr, by: Option<Mac>) {
        if let Some(probe) = self.probes.get_mut(&address) {
            probe.heard = Heard::Anothers { by, from: now };
        }
    }

    /// Another machine has answered: it has the address, if the one for which it was asked does not answer before the question ends.
    pub fn answered(&mut self, address: Ipv4Addr, by: Option<Mac>) {
        if let Some(probe) = self.probes.get_mut(&address).filter(|probe| probe.heard == Heard::Nobodys) {
            probe.heard = Heard::Anothers { by, from: probe.ends };
        }
    }

    /// The machine for which it was asked has answered.
    pub fn its_own(&mut self, address: Ipv4Addr) {
        self.unheard(address);
        if let Some(probe) = self.probes.get_mut(&address) {
            probe.heard = Heard::ItsOwn;
        }
    }

    /// For how many addresses that others asked for a machine was heard to answer.
    pub fn answered_by(&self, mac: Mac) -> usize {
        self.probes.values().filter(|probe| probe.is_by(mac)).count()
    }

    /// A machine answers for whatever it is asked: it is as if it had not.
    pub fn believed_no_more(&mut self, mac: Mac) {
        let its = self.probes.iter().filter(|(_, probe)| probe.is_by(mac));
        for address in its.map(|(address, _)| *address).collect::<Vec<_>>() {
            self.unheard(address);
        }
    }

    /// Whether another machine than this one was heard to answer for an address, and is believed to have it.
    pub fn is_kept_from(&self, now: Time, address: Ipv4Addr, mac: Mac) -> bool {
        self.found(now, address) == Found::Taken && !self.probes.get(&address).is_some_and(|p| p.is_by(mac))
    }

    /// Whether another machine than the one that asked was heard to answer for an address. To be looked at again when it is [`Probes::returned`].
    pub fn is_answered_for(&self, address: Ipv4Addr) -> bool {
        self.probes.get(&address).is_some_and(Probe::is_anothers)
    }

    /// Which other machine was heard to answer, if it says so.
    pub fn answerer(&self, address: Ipv4Addr) -> Option<Mac> {
        match self.probes.get(&address)?.heard {
            Heard::Anothers { by, .. } => by,
            Heard::Nobodys | Heard::ItsOwn => None,
        }
    }

    /// Addresses that somebody had answered for, and that is forgotten: each once.
    pub fn returned(&mut self) -> Vec<Ipv4Addr> {
        std::mem::take(&mut self.returned)
    }

    /// What was found out is used up: quarantine takes it from here, or a loan.
    pub fn forget(&mut self, address: Ipv4Addr) {
        self.unheard(address);
        self.probes.remove(&address);
    }

    fn unheard(&mut self, address: Ipv4Addr) {
        if let Some(probe) = self.probes.get_mut(&address)
            && probe.is_anothers()
        {
            probe.heard = Heard::Nobodys;
            self.returned.push(address);
        }
    }

    /// What the clock does: what was found too long ago is forgotten. When to look again.
    pub fn expire(&mut self, now: Time, address: Ipv4Addr) -> Option<Time> {
        let probe = self.probes.get(&address)?;
        let next = if now < probe.ends { probe.ends } else { probe.forgotten_at() };
        if next <= now {
            self.forget(address);
            return None;
        }
        Some(next)
    }
}

impl Probe {
    fn forgotten_at(&self) -> Time {
        self.ends + OFFER_STANDS
    }

    fn is_taken_at(&self, now: Time) -> bool {
        matches!(self.heard, Heard::Anothers { from, .. } if from <= now)
    }

    fn is_anothers(&self) -> bool {
        matches!(self.heard, Heard::Anothers { .. })
    }

    fn is_by(&self, mac: Mac) -> bool {
        matches!(self.heard, Heard::Anothers { by, .. } if by == Some(mac))
    }
}

#[cfg(test)]
mod tests;
