//! What each client said last of itself, for those who ask after it (RFC 4388). It is not recorded: a restart forgets it, and the next packet tells it again.

use crate::config::FirmwareKind;
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
    /// The transaction of its last packet.
    pub xid: u32,
    /// Its client identifier, if it had one.
    pub identifier: Option<Vec<u8>>,
    /// What its relay added (option 82) when it came last by one, or on its link; nothing if that was nothing.
    pub relay: Option<Vec<u8>>,
    /// Our address for it when it came that way. None: since the start it was heard only by what it sent straight to us.
    pub placed: Option<Ipv4Addr>,
    /// Whether no user's program can have said so.
    pub is_sure: bool,
    /// If not, what was said last that none can have said: our address for it when it came that way, and what its relay added.
    pub surely: Option<(Ipv4Addr, Option<Vec<u8>>)>,
    /// The address that is reserved for it, and until when it was granted: nothing else keeps that.
    pub granted: Option<(Ipv4Addr, Time)>,
    /// Which firmware of it asked last, if one did.
    pub firmware: Option<FirmwareKind>,
    /// How it wants to be called, as long as it is not.
    pub called_in_vain: Option<Box<str>>,
}

/// The way by which a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// By a relay, or on the client's own link: what was added there (option 82), and our address for it.
    Placed(Option<&'a [u8]>, Ipv4Addr),
    /// The same, where any user's program can have sent it: that is not forgotten for it which none can have said.
    Hearsay(Option<&'a [u8]>, Ipv4Addr),
    /// From the address that it has to ours, as renewals come (RFC 2131 4.4.5): no relay has a word there, and what one said before holds.
    Straight,
}

/// Octets of what is kept: an option that was not split.
const OCTETS_MAX: usize = 255;

/// Two words of a client that came closer together count as one: whoever asks after it is told seconds (RFC 4388 6.1), and an exchange of four packets takes a few milliseconds.
const TOLD_APART_FROM: Duration = Duration::from_secs(1);

/// The same packet comes by two relays within milliseconds; and when a client was heard is known to [`TOLD_APART_FROM`]. Some firmware has one transaction for all that it ever asks.
const PASSED_ON_WITHIN: Duration = TOLD_APART_FROM.saturating_add(Duration::from_secs(1));

impl Heard {
    /// A client speaks. Where there are too many, the one that was not heard the longest is forgotten.
    pub fn note(&mut self, now: Time, mac: Mac, identifier: Option<&[u8]>, way: Way<'_>) {
        let identifier = identifier.filter(|octets| octets.len() <= OCTETS_MAX);
        match self.clients.get_mut(&mac) {
            // Most say the same again.
            Some(said) if said.identifier.as_deref() == identifier => {
                said.came(way);
                if now.since(said.at) < TOLD_APART_FROM {
                    return;
                }
                self.in_order.remove(&(said.at, mac));
                said.at = now;
            }
            Some(_) | None => {
                let before = self.forget(mac);
                if self.clients.len() >= HEARD_MAX
                    && let Some((_, oldest)) = self.in_order.first().copied()
                {
                    self.forget(oldest);
                }
                let identifier = identifier.map(<[u8]>::to_vec);
                let mut said = match before {
                    Some(before) => Said { at: now, identifier: identifier.clone(), ..before },
                    None => Said {
                        at: now,
                        xid: 0,
                        identifier: identifier.clone(),
                        relay: None,
                        placed: None,
                        is_sure: false,
                        surely: None,
                        granted: None,
                        firmware: None,
                        called_in_vain: None,
                    },
                };
                said.came(way);
                if let Some((address, _)) = said.granted {
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

    /// A client that was heard spoke in this transaction.
    pub fn speaks_in(&mut self, mac: Mac, xid: u32) {
        if let Some(said) = self.clients.get_mut(&mac) {
            said.xid = xid;
        }
    }

    /// What a client said, if it was heard by this very packet just now: two relays of its link pass that on.
    pub fn same_packet(&self, now: Time, mac: Mac, xid: u32) -> Option<&Said> {
        let is_same = |said: &&Said| said.xid == xid && now.since(said.at) < PASSED_ON_WITHIN;
        self.clients.get(&mac).filter(is_same)
    }

    /// A client that was heard is firmware of this kind.
    pub fn boots(&mut self, mac: Mac, firmware: FirmwareKind) {
        if let Some(said) = self.clients.get_mut(&mac) {
            said.firmware = Some(firmware);
        }
    }

    /// A client that was heard wants to be called so, and is not; none: it is called as it wants.
    pub fn is_called_in_vain(&mut self, mac: Mac, name: Option<&str>) {
        if let Some(said) = self.clients.get_mut(&mac).filter(|said| said.called_in_vain.as_deref() != name) {
            said.called_in_vain = name.map(Into::into);
        }
    }

    /// What a client's relay said last, where one of our addresses is that of its network. None: that is not known.
    pub fn relay(&self, mac: Mac, is_there: impl Fn(Ipv4Addr) -> bool) -> Option<Option<&[u8]>> {
        let said = self.clients.get(&mac)?;
        said.placed.filter(|ours| is_there(*ours)).map(|_| said.relay.as_deref())
    }

    /// The same, of what no user's program can have said.
    pub fn relay_surely(&self, mac: Mac, is_there: impl Fn(Ipv4Addr) -> bool) -> Option<Option<&[u8]>> {
        let said = self.clients.get(&mac)?;
        if said.is_sure {
            return self.relay(mac, is_there);
        }
        said.surely.as_ref().filter(|(ours, _)| is_there(*ours)).map(|(_, relay)| relay.as_deref())
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

impl Said {
    /// What its relay says of a node: any user's program can have said the rest, which counts where nothing else is known.
    pub fn relay_of_node(&self) -> Option<&[u8]> {
        let surely = self.surely.as_ref().map(|(_, relay)| relay.as_deref());
        surely.unwrap_or(self.relay.as_deref())
    }

    /// The same of a node; of others, what it said last.
    pub fn relay_of(&self, is_node: bool) -> Option<&[u8]> {
        if is_node { self.relay_of_node() } else { self.relay.as_deref() }
    }

    /// On which network of ours a node was heard, likewise.
    pub fn placed_of_node(&self) -> Option<Ipv4Addr> {
        self.surely.as_ref().map(|(ours, _)| *ours).or(self.placed)
    }

    fn came(&mut self, way: Way<'_>) {
        let (relay, ours) = match way {
            Way::Straight => return,
            Way::Hearsay(relay, ours) => {
                if self.placed == Some(ours) && self.relay.as_deref() == relay {
                    return; // That is known already, and how surely.
                }
                if self.is_sure {
                    self.surely = self.placed.map(|ours| (ours, self.relay.take()));
                }
                self.is_sure = false;
                (relay, ours)
            }
            Way::Placed(relay, ours) => {
                (self.is_sure, self.surely) = (true, None);
                (relay, ours)
            }
        };
        // What is too long to be kept is not known.
        self.placed = Some(ours).filter(|_| relay.is_none_or(|relay| relay.len() <= OCTETS_MAX));
        let relay = relay.filter(|_| self.placed.is_some());
        if self.relay.as_deref() != relay {
            self.relay = relay.map(Into::into);
        }
    }
}

#[cfg(test)]
mod tests;
