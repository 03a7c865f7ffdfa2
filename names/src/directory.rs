use crate::{NodeSet, Numbering, Pattern};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What names and addresses the cluster has: an immutable snapshot, published whole whenever it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The DNS zone, lower case, without a final dot: "cluster".
    pub zone: String,
    /// Number <-> name.
    pub pattern: Pattern,
    /// Number <-> address, one for each network.
    pub networks: Vec<Numbering>,
    /// Names given by hand, lower case, beside the computed one: what PTR answers for these nodes. Each is a DNS label that no
    /// other node has, neither given nor computed (the configuration is checked for that; a computed name would win).
    pub given_names: BTreeMap<u32, String>,
    /// Hosts that are no nodes. Their names are no node's either, and their addresses neither.
    pub hosts: Hosts,
    /// The hardware address of each node that was seen.
    pub hardware_addresses: BTreeMap<u32, [u8; 6]>,
    /// Sets of nodes that have a name, beside the set of all.
    pub groups: BTreeMap<String, NodeSet>,
}

/// Names and addresses that are no arithmetic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    by_name: BTreeMap<String, Ipv4Addr>,
    by_address: BTreeMap<Ipv4Addr, String>,
}

impl Hosts {
    /// The address of a name in lower case.
    pub fn address(&self, name: &str) -> Option<Ipv4Addr> {
        self.by_name.get(name).copied()
    }

    /// The name of an address.
    pub fn name(&self, address: Ipv4Addr) -> Option<&str> {
        self.by_address.get(&address).map(String::as_str)
    }

    /// Every name with its address, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Ipv4Addr)> {
        self.by_name.iter().map(|(name, address)| (name.as_str(), *address))
    }

    /// Whether any address between these, both included, has a name.
    pub fn any_address(&self, lowest: Ipv4Addr, highest: Ipv4Addr) -> bool {
        self.by_address.range(lowest..=highest).next().is_some()
    }
}

impl FromIterator<(String, Ipv4Addr)> for Hosts {
    fn from_iter<I: IntoIterator<Item = (String, Ipv4Addr)>>(hosts: I) -> Self {
        let by_name: BTreeMap<_, _> = hosts.into_iter().collect();
        let by_address = by_name.iter().map(|(name, address)| (*address, name.clone())).collect();
        Self { by_name, by_address }
    }
}

impl Directory {
    /// Whether each name and address is the same as in another one: hardware addresses and groups aside, which DNS does not tell.
    pub fn has_names_of(&self, other: &Self) -> bool {
        let Self { zone, pattern, networks, given_names, hosts, hardware_addresses: _, groups: _ } = self;
        *zone == other.zone
            && *pattern == other.pattern
            && *networks == other.networks
            && *given_names == other.given_names
            && *hosts == other.hosts
    }

    /// The name of a number: given by hand, or computed.
    pub fn name(&self, number: u32) -> String {
        self.given_names.get(&number).cloned().unwrap_or_else(|| self.pattern.name(number))
    }

    /// The number that a host name without suffix or zone has: computed, given, in any case.
    pub fn number(&self, host: &str) -> Option<u32> {
        let host = host.to_ascii_lowercase();
        self.pattern
            .number(&host)
            .or_else(|| self.given_names.iter().find(|(_, name)| **name == host).map(|(number, _)| *number))
    }

    /// All numbers that live on a network.
    pub fn numbers(&self) -> NodeSet {
        self.networks.iter().map(|network| network.numbers).collect()
    }

    /// The addresses of a host name of the zone, without the zone: `node23` or `node23-ib`. None: there is no such name.
    pub fn addresses(&self, host: &str) -> Option<Vec<Ipv4Addr>> {
        let host = host.to_ascii_lowercase();
        let address = |network: &Numbering| {
            let name = host.strip_suffix(network.suffix.as_str())?;
            network.address(self.number(name)?)
        };
        let addresses: Vec<_> = self.networks.iter().filter_map(address).collect();
        // A name without an address would be a name that nothing can be done with: a number that lives on no network has none.
        if addresses.is_empty() {
            return self.hosts.address(&host).map(|address| vec![address]);
        }
        Some(addresses)
    }

    /// The host name, without the zone, whose address this is.
    pub fn host(&self, address: Ipv4Addr) -> Option<String> {
        let Some((network, number)) = self.networks.iter().find_map(|n| Some((n, n.number(address)?))) else {
            return self.hosts.name(address).map(str::to_owned);
        };
        Some(format!("{}{}", self.name(number), network.suffix))
    }
}

#[cfg(test)]
mod tests;
