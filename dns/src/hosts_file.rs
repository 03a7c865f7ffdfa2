//! Files of hosts and of resolvers, as administrators have them: read by the shell, understood here.

use crate::data::{Data, Set, Type};
use crate::limit::HOST_NAMES_MAX;
use crate::name::Name;
use crate::zone::Answer;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

/// The names of host files, `/etc/hosts` and its like: an address, its name, further names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostNames {
    /// Names with their addresses, and names of addresses with the first of their names.
    data: BTreeMap<Name, Vec<Data>>,
    /// Lines that say nothing we could tell anybody: no address, no name, or more than there is room for.
    pub lines_skipped: u64,
}

/// How long others may keep what is in a file that may change at any time.
const TTL_SECONDS: u32 = 60;

impl HostNames {
    /// Reads the texts of some files. Of names and addresses that are there twice, the first line decides who is told for an address; a
    /// name has the addresses of all its lines.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = Self::default();
        for line in texts.into_iter().flat_map(str::lines) {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let Some(first) = words.next() else { continue };
            let Ok(address) = first.parse::<IpAddr>() else {
                names.lines_skipped += 1;
                continue;
            };
            // What this host calls itself, and groups, mean something else to whoever asks.
            if address.is_loopback() || address.is_multicast() {
                continue;
            }
            let hosts: Vec<Name> =
                words.filter_map(|word| Name::parse(word.trim_end_matches('.')).ok()).collect();
            if hosts.is_empty() || names.data.len() + hosts.len() >= HOST_NAMES_MAX {
                names.lines_skipped += 1;
                continue;
            }
            names.add(address, hosts);
        }
        names
    }

    fn add(&mut self, address: IpAddr, hosts: Vec<Name>) {
        if let (Ok(reverse), Some(first)) = (Name::parse(&reverse_name(address)), hosts.first())
            && let Entry::Vacant(entry) = self.data.entry(reverse)
        {
            entry.insert(vec![Data::Name(Type::PTR, first.clone())]);
        }
        for host in hosts {
            let data = self.data.entry(host).or_default();
            let address = match address {
                IpAddr::V4(address) => Data::A(address),
                IpAddr::V6(address) => Data::Aaaa(address),
            };
            if !data.contains(&address) {
                data.push(address);
            }
        }
    }

    /// What there is to say. A name that is here has the addresses that are here and no others; whatever else it has, others know.
    pub(crate) fn find(&self, name: &Name, wanted: Type) -> Option<Answer> {
        let data = self.data.get(name)?;
        let fits = |data: &&Data| match data {
            Data::A(_) => wanted == Type::A,
            Data::Aaaa(_) => wanted == Type::AAAA,
            Data::Name(..) => wanted == Type::PTR,
            Data::Mx(..) | Data::Srv { .. } | Data::Soa(_) | Data::Other(..) => false,
        };
        let found: Vec<Data> = data.iter().filter(fits).cloned().collect();
        let is_address = wanted == Type::A || wanted == Type::AAAA;
        let has_addresses = !matches!(data.first(), Some(Data::Name(..)));
        if found.is_empty() {
            return (is_address && has_addresses).then(Answer::default);
        }
        let set = Set { ttl_seconds: TTL_SECONDS, data: found };
        Some(Answer { answer: vec![(None, set)], ..Answer::default() })
    }
}

/// The servers that a resolv.conf names, in its order. Zones of link-local addresses are no part of what we can ask.
pub fn name_servers(text: &str) -> Vec<IpAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        if words.next()? != "nameserver" {
            return None;
        }
        words.next()?.parse().ok()
    });
    servers.collect()
}

/// RFC 1035 3.5 and RFC 3596 2.5.
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for octet in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", octet & 15, octet >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests;
