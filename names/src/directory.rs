use crate::{FileHosts, NodeSet, Numbering, Pattern, Record};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

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
    /// What else DNS says of names in the zone. None of these names is a node's or a host's.
    pub records: Vec<Record>,
    /// What files of hosts say beside, for DNS alone.
    pub files: Arc<FileHosts>,
    /// The hardware address of each node that was seen.
    pub hardware_addresses: BTreeMap<u32, [u8; 6]>,
    /// Sets of nodes that have a name, beside the set of all.
    pub groups: BTreeMap<String, NodeSet>,
    /// The zones' serial (RFC 1982) with this directory: raised whenever anything changes, and recorded, so that it never goes back.
    pub serial: u32,
}

/// Names and addresses that are no arithmetic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    by_name: BTreeMap<String, Vec<IpAddr>>,
    by_address: BTreeMap<IpAddr, String>,
}

impl Hosts {
    /// The first IPv4 address of a name in lower case.
    pub fn address(&self, name: &str) -> Option<Ipv4Addr> {
        self.addresses(name).iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    /// All addresses of a name in lower case.
    pub fn addresses(&self, name: &str) -> &[IpAddr] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name of an address: of several, the one that was named first.
    pub fn name(&self, address: impl Into<IpAddr>) -> Option<&str> {
        self.by_address.get(&address.into()).map(String::as_str)
    }

    /// Whether any address between these, both included and of one kind, has a name.
    pub fn any_address<A: Into<IpAddr>>(&self, lowest: A, highest: A) -> bool {
        self.by_address.range(lowest.into()..=highest.into()).next().is_some()
    }

    /// Every name with its addresses, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[IpAddr])> {
        self.by_name.iter().map(|(name, addresses)| (name.as_str(), addresses.as_slice()))
    }

    /// Every address that has a name, with that name, by address.
    pub fn by_address(&self) -> impl Iterator<Item = (IpAddr, &str)> {
        self.by_address.iter().map(|(address, name)| (*address, name.as_str()))
    }
}

impl<A: Into<IpAddr>> FromIterator<(String, A)> for Hosts {
    fn from_iter<I: IntoIterator<Item = (String, A)>>(hosts: I) -> Self {
        let mut all = Self::default();
        for (name, address) in hosts {
            let address = address.into();
            all.by_address.entry(address).or_insert_with(|| name.clone());
            let addresses = all.by_name.entry(name).or_default();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        all
    }
}

impl Directory {
    /// A zone with this pattern, and nothing in it yet.
    pub fn new(zone: &str, pattern: Pattern) -> Self {
        Self {
            zone: zone.to_owned(),
            pattern,
            networks: Vec::new(),
            given_names: BTreeMap::new(),
            hosts: Hosts::default(),
            records: Vec::new(),
            files: Arc::default(),
            hardware_addresses: BTreeMap::new(),
            groups: BTreeMap::new(),
            serial: 1,
        }
    }

    /// Whether each name and address is the same as in another one: hardware addresses and groups aside, which DNS does not tell.
    pub fn has_names_of(&self, other: &Self) -> bool {
        let Self {
            zone,
            pattern,
            networks,
            given_names,
            hosts,
            records,
            files,
            hardware_addresses: _,
            groups: _,
            serial: _,
        } = self;
        *zone == other.zone
            && *pattern == other.pattern
            && *networks == other.networks
            && *given_names == other.given_names
            && *hosts == other.hosts
            && *records == other.records
            && *files == other.files
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

    /// The shortest text of a set that is right for everybody: nodes with a name given by hand are called by it.
    pub fn fold(&self, set: &NodeSet) -> String {
        // Whichever there is less of is gone through: one node of ten thousand with names is told of as fast as if they had none.
        let named: NodeSet = if set.size() < self.given_names.len() as u64 {
            set.iter().filter(|number| self.given_names.contains_key(number)).collect()
        } else {
            self.given_names.keys().copied().filter(|number| set.contains(*number)).collect()
        };
        let computed = set.difference(&named).fold(&self.pattern).to_string();
        let names = named.iter().filter_map(|number| self.given_names.get(&number).cloned());
        Some(computed).filter(|text| !text.is_empty()).into_iter().chain(names).collect::<Vec<_>>().join(",")
    }

    /// Whether a node, a host or a record is called so by the operator.
    pub fn has_given(&self, name: &str) -> bool {
        self.given_names.values().any(|given| given == name)
            || !self.hosts.addresses(name).is_empty()
            || self.records.iter().any(|record| record.name == name)
    }

    /// All numbers that live on a network.
    pub fn numbers(&self) -> NodeSet {
        self.networks.iter().map(|network| network.numbers).collect()
    }

    /// The addresses of a host name of the zone, without the zone: `node23` or `node23-ib`. None: there is no such name.
    pub fn addresses(&self, host: &str) -> Option<Vec<Ipv4Addr>> {
        let found = self.all_addresses(host)?;
        let is_ours = |address: IpAddr| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        Some(found.into_iter().filter_map(is_ours).collect())
    }

    /// The same with those of IPv6. A name that is there has one address at least, of either kind.
    pub fn all_addresses(&self, host: &str) -> Option<Vec<IpAddr>> {
        let host = host.to_ascii_lowercase();
        let mut found = Vec::new();
        for network in &self.networks {
            let Some(number) = host.strip_suffix(network.suffix.as_str()).and_then(|name| self.number(name))
            else {
                continue;
            };
            found.extend(network.address(number).map(IpAddr::V4));
            found.extend(network.address_ipv6(number).map(IpAddr::V6));
        }
        // A name without an address would be a name that nothing can be done with: a number that lives on no network has none.
        if found.is_empty() {
            found.extend(self.hosts.addresses(&host));
        }
        (!found.is_empty()).then_some(found)
    }

    /// The host name, without the zone, whose address this is.
    pub fn host(&self, address: Ipv4Addr) -> Option<String> {
        self.host_of(address.into())
    }

    /// The same of an address of either kind.
    pub fn host_of(&self, address: IpAddr) -> Option<String> {
        let number = |network: &Numbering| match address {
            IpAddr::V4(address) => network.number(address),
            IpAddr::V6(address) => network.number_ipv6(address),
        };
        let Some((network, number)) = self.networks.iter().find_map(|n| Some((n, number(n)?))) else {
            return self.hosts.name(address).map(str::to_owned);
        };
        Some(format!("{}{}", self.name(number), network.suffix))
    }

    /// Whether any node or host has an IPv4 address between these, both included.
    pub fn any_address(&self, lowest: Ipv4Addr, highest: Ipv4Addr) -> bool {
        self.hosts.any_address(lowest, highest)
            || self.networks.iter().any(|network| {
                // A range that runs past 255.255.255.255 has addresses up to there.
                let last = network.last().unwrap_or(Ipv4Addr::BROADCAST);
                network.first <= highest && last >= lowest
            })
    }

    /// The same for IPv6.
    pub fn any_address_ipv6(&self, lowest: Ipv6Addr, highest: Ipv6Addr) -> bool {
        self.hosts.any_address(lowest, highest)
            || self.networks.iter().any(|network| {
                let Some(first) = network.first_ipv6 else { return false };
                let last = network.address_ipv6(network.numbers.highest).unwrap_or_else(|| u128::MAX.into());
                first <= highest && last >= lowest
            })
    }
}

#[cfg(test)]
mod tests;
