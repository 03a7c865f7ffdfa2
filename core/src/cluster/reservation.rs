//! Whom the operator means: a machine beside `[[node]]`, `[[host]]` and `[[class]]`.
//!
//! However many nodes and hosts there are, a machine is found by a few look-ups: its client identifier, then its hardware address, then its
//! place at the relay, then its hardware address as each kind of pattern sees it, the kinds with the fewest `*` first.

use crate::config::{Class, Config, Identifiers, MacPattern};
use crate::mac::Mac;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// An index of what tells nodes and hosts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reservations {
    clients: BTreeMap<Vec<u8>, Entry>,
    macs: BTreeMap<Mac, Entry>,
    relays: BTreeMap<RelayPlace, Entry>,
    /// Patterns by the number of their `*`, then by which octets they look at, then by those octets.
    patterns: BTreeMap<(usize, [u8; 6]), BTreeMap<[u8; 6], Entry>>,
    /// Those of hosts, with the hardware address of whoever is told by one alone.
    addresses: BTreeMap<Ipv4Addr, (usize, Option<Mac>)>,
    /// Those of hosts that nothing but their place at a relay tells.
    by_relay: BTreeSet<Ipv4Addr>,
    /// Whether their place at a relay alone tells others, which have no address or number by which they are known again.
    relays_say_more: bool,
}

/// An entry of the configuration, by its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A `[[node]]`.
    Node(usize),
    /// A `[[host]]`.
    Host(usize),
}

/// Circuit and remote identifier.
type RelayPlace = (Option<Vec<u8>>, Option<Vec<u8>>);

/// What a machine says of itself, and what its relay says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits<'a> {
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// Its network, by its place in the configuration.
    pub network: usize,
    /// Its client identifier.
    pub client: Option<&'a [u8]>,
    /// Its vendor class.
    pub vendor_class: Option<&'a [u8]>,
    /// Its user classes.
    pub user_classes: Vec<&'a [u8]>,
    /// The architectures that its firmware names.
    pub architectures: Vec<u16>,
    /// The circuit that its relay heard it by.
    pub circuit: Option<&'a [u8]>,
    /// What its relay calls that end.
    pub remote: Option<&'a [u8]>,
}

/// By what a machine was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its client identifier: whatever hardware address it has, it is that one.
    Client,
    /// Its hardware address, whole or as a pattern.
    Mac,
    /// Its place at the relay.
    Relay,
}

impl Reservations {
    /// The index of a configuration.
    pub fn new(config: &Config) -> Self {
        let mut index = Self::default();
        for (place, node) in config.nodes.iter().enumerate() {
            let macs = node.macs.iter().map(|mac| MacPattern::exact(*mac));
            index.add(Entry::Node(place), macs, &node.identifiers);
        }
        for (place, host) in config.hosts.iter().enumerate() {
            index.add(Entry::Host(place), host.macs.iter().copied(), &host.identifiers);
            let sole = match host.macs.as_slice() {
                [mac] => mac.mac(),
                _ => None,
            };
            index.addresses.extend(host.address.map(|address| (address, (place, sole))));
            if host.macs.is_empty() && host.identifiers.client.is_none() {
                index.by_relay.extend(host.address);
            }
        }
        let of_node = config.nodes.iter().map(|node| (node.number.is_some(), &node.identifiers));
        let of_host = config.hosts.iter().map(|host| (host.address.is_some(), &host.identifiers));
        let by_relay = |of: &Identifiers| of.circuit.is_some() || of.remote.is_some();
        index.relays_say_more = of_node.chain(of_host).any(|(is_known, of)| !is_known && by_relay(of));
        index
    }

    /// The entry that means a machine, and by what.
    pub fn find(&self, traits: &Traits<'_>) -> Option<(Entry, By)> {
        let by_client = || self.by_client(traits.client?);
        let by_mac = || self.macs.get(&traits.mac?).copied();
        let found = by_client().map(|entry| (entry, By::Client));
        let found = found.or_else(|| by_mac().map(|entry| (entry, By::Mac)));
        let found = found.or_else(|| self.by_relay(traits).map(|entry| (entry, By::Relay)));
        found.or_else(|| self.by_pattern(traits.mac?).map(|entry| (entry, By::Mac)))
    }

    /// The entry that means a machine by anything but its hardware address.
    pub fn find_by_place(&self, traits: &Traits<'_>) -> Option<(Entry, By)> {
        let by_client = self.by_client(traits.client.unwrap_or_default()).map(|entry| (entry, By::Client));
        by_client.or_else(|| self.by_relay(traits).map(|entry| (entry, By::Relay)))
    }

    /// Whether an address is a host's.
    pub fn has_address(&self, address: Ipv4Addr) -> bool {
        self.addresses.contains_key(&address)
    }

    /// The hardware address of the host that has this address, if it has one alone.
    pub fn mac_at(&self, address: Ipv4Addr) -> Option<Mac> {
        self.addresses.get(&address).and_then(|(_, sole)| *sole)
    }

    /// The `[[host]]` that has this address, by its place in the configuration.
    pub fn host_at(&self, address: Ipv4Addr) -> Option<usize> {
        self.addresses.get(&address).map(|(place, _)| *place)
    }

    /// Whether an address is that of a host that its place at a relay alone tells.
    pub fn is_by_relay(&self, address: Ipv4Addr) -> bool {
        self.by_relay.contains(&address)
    }

    /// Whether there are nodes without a number, or hosts without an address, of which a relay tells which ones they are.
    pub fn relays_say_more(&self) -> bool {
        self.relays_say_more
    }

    fn add(&mut self, entry: Entry, macs: impl Iterator<Item = MacPattern>, identifiers: &Identifiers) {
        for pattern in macs {
            match pattern.mac() {
                Some(mac) => drop(self.macs.insert(mac, entry)),
                None => {
                    let kind = (pattern.wildcards(), pattern.mask());
                    self.patterns.entry(kind).or_default().insert(pattern.octets(), entry);
                }
            }
        }
        if let Some(client) = &identifiers.client {
            self.clients.insert(client.clone(), entry);
        }
        if identifiers.circuit.is_some() || identifiers.remote.is_some() {
            self.relays.insert((identifiers.circuit.clone(), identifiers.remote.clone()), entry);
        }
    }

    /// A text is sent with or without the octet 0 before it, which says that it is no hardware address (RFC 2132 9.14).
    fn by_client(&self, client: &[u8]) -> Option<Entry> {
        let exact = self.clients.get(client);
        exact.or_else(|| self.clients.get(client.strip_prefix(&[0])?)).copied()
    }

    /// Who names both is meant more exactly than who names one.
    fn by_relay(&self, traits: &Traits<'_>) -> Option<Entry> {
        if self.relays.is_empty() {
            return None;
        }
        let circuit = traits.circuit.map(<[u8]>::to_vec);
        let remote = traits.remote.map(<[u8]>::to_vec);
        let places = [(circuit.clone(), remote.clone()), (circuit, None), (None, remote)];
        places.iter().find_map(|place| self.relays.get(place)).copied()
    }

    /// The pattern with the fewest `*`. Of two with as many, the one that is first in the file.
    fn by_pattern(&self, mac: Mac) -> Option<Entry> {
        let mut best: Option<(usize, Entry)> = None;
        for ((wildcards, mask), octets) in &self.patterns {
            if best.is_some_and(|(fewest, _)| fewest < *wildcards) {
                break;
            }
            let masked: [u8; 6] = std::array::from_fn(|at| mac.0[at] & mask[at]);
            if let Some(entry) = octets.get(&masked) {
                best = best.into_iter().chain([(*wildcards, *entry)]).min();
            }
        }
        best.map(|(_, entry)| entry)
    }
}

/// The classes that a machine is in, by their places in the configuration.
pub fn classes(config: &Config, traits: &Traits<'_>) -> Vec<usize> {
    (0..config.classes.len()).filter(|place| is_in(&config.classes[*place], traits)).collect()
}

/// Whether it depends on what a relay says whether a machine of this network is in a class.
pub fn has_class_by_relay(config: &Config, network: usize) -> bool {
    let is_of = |class: &Class| class.networks.as_ref().is_none_or(|networks| networks.contains(&network));
    let by_relay = |class: &&Class| !class.circuits.is_empty() || !class.remotes.is_empty();
    config.classes.iter().filter(by_relay).any(is_of)
}

/// All that a class says must hold, and of each list one.
fn is_in(class: &Class, traits: &Traits<'_>) -> bool {
    let is_one = |wanted: &[Vec<u8>], said: Option<&[u8]>| {
        wanted.is_empty() || said.is_some_and(|said| wanted.iter().any(|wanted| wanted == said))
    };
    let begins =
        |wanted: &String| traits.vendor_class.is_some_and(|said| said.starts_with(wanted.as_bytes()));
    let is_said = |wanted: &String| traits.user_classes.contains(&wanted.as_bytes());
    (class.vendor_classes.is_empty() || class.vendor_classes.iter().any(begins))
        && (class.user_classes.is_empty() || class.user_classes.iter().any(is_said))
        && (class.architectures.is_empty()
            || traits.architectures.iter().any(|said| class.architectures.contains(said)))
        && (class.macs.is_empty()
            || traits.mac.is_some_and(|mac| class.macs.iter().any(|pattern| pattern.matches(mac))))
        && is_one(&class.circuits, traits.circuit)
        && is_one(&class.remotes, traits.remote)
        && class.networks.as_ref().is_none_or(|networks| networks.contains(&traits.network))
}

#[cfg(test)]
mod tests;
