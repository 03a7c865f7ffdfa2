//! Hosts: what a name or an address was found to mean, their names and their addresses.

use super::NamesFile;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a name or an address means. It is good for the file that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// A node, by its name on the networks of one suffix.
    Node {
        /// Its number.
        number: u32,
        /// One of the networks with the suffix that is meant.
        network: usize,
    },
    /// A host that is no node.
    Other(usize),
    /// The head node.
    Master,
    /// This machine, of which the file says no more.
    Here,
}

/// A name, to be written where it is needed.
#[derive(Clone, Copy, Debug)]
pub struct Spelling<'a> {
    pub(super) name: Name<'a>,
    pub(super) suffix: &'a str,
    pub(super) zone: Option<&'a str>,
}

/// The part of a name that tells which host it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    Text(&'a str),
    Computed(crate::Spelled<'a>),
}

impl NamesFile {
    /// The names of a host, the one to call it by first: with the zone, as DNS answers, then without; a node with a name given by hand has its
    /// computed ones too.
    pub fn spellings(&self, host: Host) -> impl Iterator<Item = Spelling<'_>> + Clone {
        let (first, second, suffix) = match host {
            Host::Node { number, network } => {
                let computed = Name::Computed(self.pattern.spelled(number));
                let suffix = self.networks.get(network).map_or("", |network| self.word(network.suffix));
                match self.given_name(number) {
                    Some(given) => (Name::Text(given), Some(computed), suffix),
                    None => (computed, None, suffix),
                }
            }
            Host::Other(place) => {
                let name = self.hosts.get(place).map_or("", |(name, _)| self.word(*name));
                (Name::Text(name), None, "")
            }
            Host::Master => {
                let name = self.master.as_ref().map_or("", |(name, _)| self.word(*name));
                // A node or a host that is called so is meant by it.
                let is_free = name != "master" && self.find("master") == Some(Host::Master);
                (Name::Text(name), is_free.then_some(Name::Text("master")), "")
            }
            Host::Here => (Name::Text("localhost"), None, ""),
        };
        let zones = [Some(self.zone()).filter(|_| host != Host::Here), None];
        let zones = if host == Host::Here { 1.. } else { 0.. }
            .map_while(move |place: usize| zones.get(place).copied());
        [Some(first), second]
            .into_iter()
            .flatten()
            .flat_map(move |name| zones.clone().map(move |zone| Spelling { name, suffix, zone }))
    }

    /// The name of a node without suffix and zone.
    pub fn node_name(&self, number: u32) -> Spelling<'_> {
        let name = match self.given_name(number) {
            Some(given) => Name::Text(given),
            None => Name::Computed(self.pattern.spelled(number)),
        };
        Spelling { name, suffix: "", zone: None }
    }

    /// The addresses of a host.
    pub fn addresses(&self, host: Host) -> impl Iterator<Item = IpAddr> + Clone + '_ {
        let (number, suffix) = match host {
            Host::Node { number, network } => (Some(number), self.suffix_of(network)),
            Host::Other(_) | Host::Master | Host::Here => (None, ""),
        };
        let computed = self.networks.iter().filter_map(move |network| {
            let number = number.filter(|_| self.word(network.suffix) == suffix)?;
            network.address(number)
        });
        let listed = match host {
            Host::Other(place) => self.hosts.get(place).map(|(_, addresses)| addresses.clone()),
            Host::Master => self.master.as_ref().map(|(_, addresses)| addresses.clone()),
            Host::Node { .. } | Host::Here => None,
        };
        let listed = listed.and_then(|range| self.addresses.get(range)).unwrap_or_default();
        const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let here: &[IpAddr] = if host == Host::Here { &LOOPBACK } else { &[] };
        computed.chain(listed.iter().copied()).chain(here.iter().copied())
    }

    pub(super) fn suffix_of(&self, network: usize) -> &str {
        self.networks.get(network).map_or("", |network| self.word(network.suffix))
    }

    fn given_name(&self, number: u32) -> Option<&str> {
        let place = self.given_names.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.given_names.get(place).map(|(_, name)| self.word(*name))
    }
}

impl super::read::FileNetwork {
    pub(super) fn address(&self, number: u32) -> Option<IpAddr> {
        if !self.numbers.contains(number) {
            return None;
        }
        let offset = number.checked_sub(self.numbers.lowest)?;
        match self.first {
            IpAddr::V4(first) => u32::from(first).checked_add(offset).map(|bits| Ipv4Addr::from(bits).into()),
            IpAddr::V6(first) => {
                u128::from(first).checked_add(offset.into()).map(|bits| Ipv6Addr::from(bits).into())
            }
        }
    }

    pub(super) fn number(&self, address: IpAddr) -> Option<u32> {
        let offset = match (address, self.first) {
            (IpAddr::V4(address), IpAddr::V4(first)) => u32::from(address).checked_sub(u32::from(first))?,
            (IpAddr::V6(address), IpAddr::V6(first)) => {
                u32::try_from(u128::from(address).checked_sub(u128::from(first))?).ok()?
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
        };
        self.numbers.lowest.checked_add(offset).filter(|number| self.numbers.contains(*number))
    }
}

impl fmt::Display for Spelling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Name::Text(text) => f.write_str(text)?,
            Name::Computed(spelled) => spelled.fmt(f)?,
        }
        f.write_str(self.suffix)?;
        match self.zone {
            Some(zone) => write!(f, ".{zone}"),
            None => Ok(()),
        }
    }
}
