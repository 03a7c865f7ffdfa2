//! Which names exist and what they have.

use crate::name::{Name, NameError};
use crate::reverse::{Place, ReverseName, ReverseZones};
use crate::settings::Settings;
use heorot_names::Directory;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// All our zones: that of the cluster, and the reverse ones.
pub(crate) struct Zones {
    settings: Settings,
    directory: Arc<Directory>,
    serial: u32,
    apex: Name,
    server: Name,
    hostmaster: Name,
    reverse: ReverseZones,
    hosts_by_address: BTreeMap<Ipv4Addr, Name>,
}

/// The types of data that our names have, and those that mean something else than data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryType {
    A,
    Ns,
    Soa,
    Ptr,
    /// Whatever there is.
    Any,
    /// A type that none of our names has: AAAA, MX, ...
    Other,
}

/// What there is to say to a name and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not in our zones.
    Elsewhere,
    /// The name has this, for `ttl_seconds`.
    Answer(Answer),
    /// There is the name, without data of this type.
    NoData(Soa),
    /// There is no such name, and nothing below it (RFC 8020).
    NoName(Soa),
}

/// Data of one type, each for the name asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) ttl_seconds: u32,
    pub(crate) data: Data,
}

/// The data of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Addresses(Vec<Ipv4Addr>),
    Pointer(Name),
    Authority(Soa),
    /// The zone's server, and its addresses for the additional section.
    Server(Name, Vec<Ipv4Addr>),
}

/// Start of authority (RFC 1035 3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Soa {
    pub(crate) apex: Name,
    pub(crate) server: Name,
    pub(crate) hostmaster: Name,
    pub(crate) serial: u32,
    pub(crate) ttl_seconds: u32,
    pub(crate) negative_ttl_seconds: u32,
}

impl Zones {
    pub(crate) fn new(settings: Settings, directory: Arc<Directory>, serial: u32) -> Result<Self, NameError> {
        let apex = Name::parse(&directory.zone)?;
        let server = apex.child(&settings.server_name)?;
        let mut hosts_by_address = BTreeMap::new();
        // The server's name last: where several names share an address, that is the one to be told.
        let own = settings.hosts.get_key_value(&settings.server_name);
        for (host, addresses) in settings.hosts.iter().chain(own) {
            let name = apex.child(host)?;
            hosts_by_address.extend(addresses.iter().map(|address| (*address, name.clone())));
        }
        Ok(Self {
            hostmaster: apex.child("hostmaster")?,
            reverse: ReverseZones::covering(&settings.reverse_prefixes)?,
            server,
            hosts_by_address,
            serial,
            apex,
            directory,
            settings,
        })
    }

    /// Whether a name is in one of our zones, even if it is none.
    pub(crate) fn cover(&self, name: &Name) -> bool {
        !matches!(self.find(name, QueryType::Soa), Ok(Found::Elsewhere))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// What there is under a name. An error is a host name of the directory that is no label: a mistake in the configuration that
    /// should not have come so far.
    pub(crate) fn find(&self, name: &Name, wanted: QueryType) -> Result<Found, NameError> {
        if let Some(labels) = name.below(&self.apex) {
            let content = match *labels.as_slice() {
                [] => Content::Apex,
                [host] => match self.addresses(host) {
                    Some(addresses) => Content::Addresses(addresses),
                    None => Content::Missing,
                },
                // Nothing of ours has two labels below the zone.
                _ => Content::Missing,
            };
            return Ok(self.select(self.apex.clone(), content, wanted));
        }
        let Place::In { apex, at } = self.reverse.place(name)? else { return Ok(Found::Elsewhere) };
        let content = match at {
            ReverseName::Apex => Content::Apex,
            ReverseName::Of(address) => match self.host(address)? {
                Some(host) => Content::Pointer(host),
                None => Content::Missing,
            },
            // RFC 8020 2: "no such name" would deny the addresses below as well.
            ReverseName::Above(lowest, highest) if self.any_address(lowest, highest) => Content::Empty,
            ReverseName::Above(..) | ReverseName::Nothing => Content::Missing,
        };
        Ok(self.select(apex, content, wanted))
    }

    fn select(&self, apex: Name, content: Content, wanted: QueryType) -> Found {
        let answer = |data| Found::Answer(Answer { ttl_seconds: self.settings.ttl_seconds, data });
        // RFC 8482 4.1: to ANY, one of the sets that the name has. Ours have no second, but for the apex.
        match (content, wanted) {
            (Content::Addresses(addresses), QueryType::A | QueryType::Any) => {
                answer(Data::Addresses(addresses))
            }
            (Content::Pointer(host), QueryType::Ptr | QueryType::Any) => answer(Data::Pointer(host)),
            (Content::Apex, QueryType::Soa | QueryType::Any) => answer(Data::Authority(self.soa(apex))),
            (Content::Apex, QueryType::Ns) => {
                let glue = self.settings.hosts.get(&self.settings.server_name).cloned();
                answer(Data::Server(self.server.clone(), glue.unwrap_or_default()))
            }
            (Content::Missing, _) => Found::NoName(self.soa(apex)),
            (Content::Addresses(_) | Content::Pointer(_) | Content::Apex | Content::Empty, _) => {
                Found::NoData(self.soa(apex))
            }
        }
    }

    fn addresses(&self, host: &[u8]) -> Option<Vec<Ipv4Addr>> {
        let host = std::str::from_utf8(host).ok()?;
        let own = self.settings.hosts.get(host).filter(|addresses| !addresses.is_empty());
        own.cloned().or_else(|| self.directory.addresses(host))
    }

    fn host(&self, address: Ipv4Addr) -> Result<Option<Name>, NameError> {
        match self.hosts_by_address.get(&address) {
            Some(name) => Ok(Some(name.clone())),
            None => self.directory.host(address).map(|host| self.apex.child(&host)).transpose(),
        }
    }

    /// Whether any address between these, both included, has a name.
    fn any_address(&self, lowest: Ipv4Addr, highest: Ipv4Addr) -> bool {
        let of_hosts = self.hosts_by_address.range(lowest..=highest).next().is_some();
        of_hosts
            || self.directory.hosts.any_address(lowest, highest)
            || self.directory.networks.iter().any(|network| {
                // A range that runs past 255.255.255.255 has addresses up to there.
                let last = network.last().unwrap_or(Ipv4Addr::BROADCAST);
                network.first <= highest && last >= lowest
            })
    }

    fn soa(&self, apex: Name) -> Soa {
        Soa {
            apex,
            server: self.server.clone(),
            hostmaster: self.hostmaster.clone(),
            serial: self.serial,
            ttl_seconds: self.settings.ttl_seconds,
            negative_ttl_seconds: self.settings.negative_ttl_seconds,
        }
    }
}

/// What a name of ours has, whatever type was asked for.
enum Content {
    Apex,
    Addresses(Vec<Ipv4Addr>),
    Pointer(Name),
    /// Nothing, but names below it have something: an empty non-terminal (RFC 9499 7).
    Empty,
    Missing,
}
