//! What is asked of a names file: names, addresses, groups, networks, hardware addresses.

use super::{Host, Me, NamesFile};
use crate::NumberRange;
use crate::pattern::{strip_prefix, strip_suffix};
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr};

/// Octets of a name in text (RFC 1035 2.3.4), with a final dot.
const NAME_OCTETS_MAX: usize = 254;

/// Whether a name means the machine that asks, whatever a file says.
pub fn is_self(name: &str) -> bool {
    name.eq_ignore_ascii_case("self")
}

/// What walks over all members of a group; made by [`NamesFile::group`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// All nodes: the group that has the name of the zone.
    All,
    /// One of the file's.
    Named(usize),
}

impl NamesFile {
    /// What a name means: `node23`, `node23-ib`, a name given by hand, a host; in any case, with the zone behind it or not.
    ///
    /// `master` and `self` are the head node and this machine. `.23` is node 23, and `.-1` and `node-1` are the head node, `.-2` and
    /// `node-2` this machine: Scyld's BeoNSS had it so.
    pub fn find(&self, name: &str) -> Option<Host> {
        if name.len() > NAME_OCTETS_MAX {
            return None;
        }
        if let Some(number) = name.strip_prefix('.') {
            return self.special(number).or_else(|| self.node(decimal(number)?, ""));
        }
        let name = self.without_zone(name);
        self.named_node(name).or_else(|| self.other(name)).or_else(|| self.role(name))
    }

    /// The host that has this address.
    pub fn find_address(&self, address: IpAddr) -> Option<Host> {
        let node = self.networks.iter().enumerate().find_map(|(place, network)| {
            network.number(address).map(|number| Host::Node { number, network: place })
        });
        let other = || {
            // Of several the first, so that one address has one name.
            let place = self.hosts_by_address.partition_point(|(other, _)| *other < address);
            self.hosts_by_address
                .get(place)
                .filter(|(found, _)| *found == address)
                .map(|(_, place)| Host::Other(*place))
        };
        let master = || self.addresses(Host::Master).any(|own| own == address).then_some(Host::Master);
        node.or_else(other).or_else(master)
    }

    /// The hosts with an IPv4 address, one after the other from 0 on, nodes first.
    pub fn nth_host(&self, place: u64) -> Option<Host> {
        let mut left = place;
        for (at, network) in self.networks.iter().enumerate().filter(|(_, network)| network.first.is_ipv4()) {
            if left < network.numbers.size() {
                let number = network.numbers.lowest.checked_add(u32::try_from(left).ok()?)?;
                return Some(Host::Node { number, network: at });
            }
            left = left.checked_sub(network.numbers.size())?;
        }
        let left = usize::try_from(left).ok()?;
        match left.cmp(&self.hosts.len()) {
            Ordering::Less => Some(Host::Other(left)),
            Ordering::Equal => self.master.is_some().then_some(Host::Master),
            Ordering::Greater => None,
        }
    }

    /// A group by its name. The group of all nodes has the name of the zone.
    pub fn group(&self, name: &str) -> Option<Group> {
        let named = self.groups.iter().position(|(group, _)| self.word(*group) == name).map(Group::Named);
        if name == self.zone() { Some(Group::All) } else { named }
    }

    /// The lowest number of a group that is this one or higher.
    pub fn member_from(&self, group: Group, number: u32) -> Option<u32> {
        let ranges: &[NumberRange] = match group {
            Group::All => self.all.ranges(),
            Group::Named(place) => self.members.get(self.groups.get(place)?.1.clone())?,
        };
        let next = ranges.partition_point(|range| range.highest < number);
        ranges.get(next).map(|range| range.lowest.max(number))
    }

    /// A network by its name in any case: the name as it is written, and the lowest address.
    pub fn network(&self, name: &str) -> Option<(&str, Ipv4Addr)> {
        (0..).map_while(|place| self.nth_network(place)).find(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// The networks with their names, one after the other from 0 on.
    pub fn nth_network(&self, place: usize) -> Option<(&str, Ipv4Addr)> {
        self.subnets.get(place).map(|(name, lowest)| (self.word(*name), *lowest))
    }

    /// The hardware address of a node that was seen, by its name.
    pub fn hardware_address(&self, name: &str) -> Option<(u32, [u8; 6])> {
        let Host::Node { number, .. } = self.find(name)? else { return None };
        let place = self.ethers_by_number.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.ethers_by_number.get(place).copied()
    }

    /// The node that has a hardware address.
    pub fn node_at(&self, hardware_address: [u8; 6]) -> Option<u32> {
        let place = self.ethers.binary_search_by_key(&hardware_address, |(address, _)| *address).ok()?;
        self.ethers.get(place).map(|(_, number)| *number)
    }

    /// Nodes with their hardware addresses, one after the other from 0 on, by number.
    pub fn nth_hardware_address(&self, place: usize) -> Option<(u32, [u8; 6])> {
        self.ethers_by_number.get(place).copied()
    }

    fn without_zone<'a>(&self, name: &'a str) -> &'a str {
        let name = name.strip_suffix('.').unwrap_or(name);
        strip_suffix(name, self.zone()).and_then(|host| host.strip_suffix('.')).unwrap_or(name)
    }

    fn named_node(&self, name: &str) -> Option<Host> {
        self.networks.iter().find_map(|network| {
            let suffix = self.word(network.suffix);
            let node = strip_suffix(name, suffix)?;
            let number = self.pattern.number(node).or_else(|| self.given_number(node))?;
            self.node(number, suffix)
        })
    }

    /// A node, if it has an address on a network of this suffix.
    fn node(&self, number: u32, suffix: &str) -> Option<Host> {
        let is_there = |network: &super::read::FileNetwork| {
            self.word(network.suffix) == suffix && network.address(number).is_some()
        };
        self.networks.iter().position(is_there).map(|network| Host::Node { number, network })
    }

    fn given_number(&self, name: &str) -> Option<u32> {
        let order = |(other, _): &(_, u32)| in_any_case(self.word(*other), name);
        let place = self.given_by_name.binary_search_by(order).ok()?;
        self.given_by_name.get(place).map(|(_, number)| *number)
    }

    fn other(&self, name: &str) -> Option<Host> {
        self.hosts.binary_search_by(|(other, _)| in_any_case(self.word(*other), name)).ok().map(Host::Other)
    }

    /// `master`, `self`, the head node's own name, `node-1` and `node-2`.
    fn role(&self, name: &str) -> Option<Host> {
        let master = || self.master.as_ref().map(|_| Host::Master);
        if is_self(name) {
            return Some(self.this_machine());
        }
        if name.eq_ignore_ascii_case("master") {
            return master();
        }
        if self.master.as_ref().is_some_and(|(own, _)| self.word(*own).eq_ignore_ascii_case(name)) {
            return master();
        }
        self.special(strip_suffix(strip_prefix(name, self.pattern.prefix())?, self.pattern.suffix())?)
    }

    fn special(&self, number: &str) -> Option<Host> {
        match number {
            "-1" => self.master.as_ref().map(|_| Host::Master),
            "-2" => Some(self.this_machine()),
            _ => None,
        }
    }

    fn this_machine(&self) -> Host {
        match self.me {
            Some(Me::Node(number)) => self.node(number, "").unwrap_or(Host::Here),
            Some(Me::Master) if self.master.is_some() => Host::Master,
            Some(Me::Master) | None => Host::Here,
        }
    }
}

/// The order of a name in lower case and one in any (RFC 4343).
fn in_any_case(lower: &str, any: &str) -> Ordering {
    lower.bytes().cmp(any.bytes().map(|octet| octet.to_ascii_lowercase()))
}

/// Digits alone, without zeros before.
fn decimal(digits: &str) -> Option<u32> {
    let is_plain =
        digits.bytes().all(|octet| octet.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| is_plain)
}
