//! Files of hosts and of resolvers, as administrators have them: read by the shell, understood here.

use crate::data::{Data, Set, Type};
use crate::limit::HOST_NAMES_MAX;
use crate::name::Name;
use crate::zone::Answer;
use heorot_names::HostsLine;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

/// The names of host files, `/etc/hosts` and its like. Those in our zones are told with them ([`heorot_names::FileHosts`]); this is for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostNames {
    /// Names with their addresses, and names of addresses with the first of their names.
    data: BTreeMap<Name, Vec<Data>>,
    lines_left_out: usize,
}

/// How long others may keep what is in a file that may change at any time.
pub(crate) const TTL_SECONDS: u32 = 60;

impl HostNames {
    /// Of some lines, those of all files together. Of names and addresses that are there twice, the first line decides who is told for an address; a
    /// name has the addresses of all its lines. A name without a dot is one of the zone, and is told of an address as such.
    pub fn new<'l>(lines: impl IntoIterator<Item = &'l HostsLine>, zone: &str) -> Self {
        let mut names = Self::default();
        for HostsLine { address, names: words } in lines {
            let hosts: Vec<Name> = words.iter().filter_map(|word| Name::parse(word).ok()).collect();
            if names.data.len() + hosts.len() >= HOST_NAMES_MAX {
                names.lines_left_out += 1;
            } else {
                let whole = words.first().filter(|word| !word.contains('.') && *word != zone);
                let whole = whole.and_then(|word| Name::parse(&format!("{word}.{zone}")).ok());
                if let Some(first) = whole.or_else(|| hosts.first().cloned()) {
                    names.add(*address, first, hosts);
                }
            }
        }
        names
    }

    /// Lines that had no room: all that follow the last of [`HOST_NAMES_MAX`] names, those of addresses among them.
    pub fn lines_left_out(&self) -> usize {
        self.lines_left_out
    }

    fn add(&mut self, address: IpAddr, first: Name, hosts: Vec<Name>) {
        if let Ok(reverse) = Name::parse(&reverse_name(address))
            && let Entry::Vacant(entry) = self.data.entry(reverse)
        {
            entry.insert(vec![Data::Name(Type::PTR, first)]);
        }
        for host in hosts {
            let data = self.data.entry(host).or_default();
            let address = Data::from(address);
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
