//! What each client said last of itself, for those who ask after it (RFC 4388). It is not recorded: a restart forgets it, and the next packet tells it again.

use crate::limit::{HEARD_MAX, LEASE_QUERIES_PER_SECOND_MAX};
use crate::mac::Mac;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The clients that were heard, and how many questions after them were answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    clients: BTreeMap<Mac, Said>,
    by_identifier: BTreeMap<Vec<u8>, Mac>,
    by_address: BTreeMap<Ipv4Addr, Mac>,
    /// The longest unheard first.
    in_order: BTreeSet<(Time, Mac)>,
    answered: u32,
    answered_since: Option<Time>,
}

/// What a client said, and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When, to the second.
    pub at: Time,
    /// Its client identifier, if it had one.
    pub identifier: Option<Vec<u8>>,
    /// What its relay added (option 82), if it came by one.
    pub relay: Option<Vec<u8>>,
    /// The address that is reserved for it, and until when it was granted: nothing else keeps that.
    pub granted: Option<(Ipv4Addr, Time)>,
}

/// Octets of what is kept: an option that was not split.
const OCTETS_MAX: usize = 255;

/// Two words of a client that came closer together count as one: whoever asks after it is told seconds (RFC 4388 6.1), and an exchange of four packets takes a few milliseconds.
const TOLD_APART_FROM: Duration = Duration::from_secs(1);

impl Heard {
    /// A client speaks. Where there are too many, the one that was not heard the longest is forgotten.
    pub fn note(&mut self, now: Time, mac: Mac, identifier: Option<&[u8]>, relay: Option<&[u8]>) {
        let [identifier, relay] = [identifier, relay].map(|octets| octets.filter(|o| o.len() <= OCTETS_MAX));
        match self.clients.get_mut(&mac) {
            // Most say the same again.
            Some(said) if said.identifier.as_deref() == identifier => {
                if said.relay.as_deref() != relay {
                    said.relay = relay.map(Into::into);
                }
                if now.since(said.at) < TOLD_APART_FROM {
                    return;
                }
                self.in_order.remove(&(said.at, mac));
                said.at = now;
            }
            Some(_) | None => {
                let granted = self.forget(mac).and_then(|said| said.granted);
                if self.clients.len() >= HEARD_MAX
                    && let Some((_, oldest)) = self.in_order.first().copied()
                {
                    self.forget(oldest);
                }
                let [identifier, relay] = [identifier, relay].map(|octets| octets.map(<[u8]>::to_vec));
                let said = Said { at: now, identifier: identifier.clone(), relay, granted };
                if let Some((address, _)) = granted {
                    self.by_address.insert(address, mac);
                }
                self.clients.insert(mac, said);
                if let Some(identifier) = identifier {
                    self.by_identifier.insert(identifier, mac);
                }
            }
        }
        self.in_order.insert((now, mac));
    }

    /// A client that was heard is granted the address that is reserved for it.
    pub fn granted(&mut self, mac: Mac, address: Ipv4Addr, until: Time) {
        let Some(said) = self.clients.get_mut(&mac) else { return };
        if let Some((old, _)) = said.granted.replace((address, until))
            && self.by_address.get(&old) == Some(&mac)
        {
            self.by_address.remove(&old);
        }
        self.by_address.insert(address, mac);
    }

    /// A client has given the address back that is reserved for it, or cannot use it.
    pub fn gave_back(&mut self, mac: Mac) {
        let granted = self.clients.get_mut(&mac).and_then(|said| said.granted.take());
        if let Some((address, _)) = granted
            && self.by_address.get(&address) == Some(&mac)
        {
            self.by_address.remove(&address);
        }
    }

    /// Whether the address that is reserved for a client was granted to it, and is its own still.
    pub fn has(&self, now: Time, mac: Mac, address: Ipv4Addr) -> bool {
        let granted = self.clients.get(&mac).and_then(|said| said.granted);
        granted.is_some_and(|(own, until)| own == address && now < until)
    }

    /// Who was granted this address last, of those for whom it is reserved.
    pub fn by_address(&self, address: Ipv4Addr) -> Option<Mac> {
        self.by_address.get(&address).copied()
    }

    /// What a client said last.
    pub fn get(&self, mac: Mac) -> Option<&Said> {
        self.clients.get(&mac)
    }

    /// Who called itself so last.
    pub fn by_identifier(&self, identifier: &[u8]) -> Option<Mac> {
        self.by_identifier.get(identifier).copied()
    }

    /// Whether one more question may be answered now.
    pub fn may_answer(&mut self, now: Time) -> bool {
        if self.answered_since.is_none_or(|since| now.since(since) >= Duration::from_secs(1)) {
            (self.answered, self.answered_since) = (0, Some(now));
        }
        self.answered += 1;
        self.answered <= LEASE_QUERIES_PER_SECOND_MAX
    }

    fn forget(&mut self, mac: Mac) -> Option<Said> {
        let said = self.clients.remove(&mac)?;
        self.in_order.remove(&(said.at, mac));
        if let Some(identifier) = &said.identifier
            && self.by_identifier.get(identifier) == Some(&mac)
        {
            self.by_identifier.remove(identifier);
        }
        if let Some((address, _)) = said.granted
            && self.by_address.get(&address) == Some(&mac)
        {
            self.by_address.remove(&address);
        }
        Some(said)
    }
}

#[cfg(test)]
mod tests;
