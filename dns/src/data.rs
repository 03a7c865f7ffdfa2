//! What a name can have: types, and data of each.

use crate::name::Name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A type of data, by its number (RFC 6895 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Type(pub(crate) u16);

impl Type {
    pub(crate) const A: Self = Self(1);
    pub(crate) const NS: Self = Self(2);
    pub(crate) const CNAME: Self = Self(5);
    pub(crate) const SOA: Self = Self(6);
    pub(crate) const PTR: Self = Self(12);
    pub(crate) const MX: Self = Self(15);
    pub(crate) const TXT: Self = Self(16);
    pub(crate) const AAAA: Self = Self(28);
    pub(crate) const SRV: Self = Self(33);
    pub(crate) const DS: Self = Self(43);
    /// Whatever there is.
    pub(crate) const ANY: Self = Self(255);
}

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// NS, CNAME or PTR: a name.
    Name(Type, Name),
    Mx(u16, Name),
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: Name,
    },
    Soa(Box<Soa>),
    /// Any other, in wire form with no compressed name in it.
    Other(Type, Vec<u8>),
}

/// Start of authority (RFC 1035 3.3.13).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Soa {
    pub(crate) apex: Name,
    pub(crate) server: Name,
    pub(crate) hostmaster: Name,
    pub(crate) serial: u32,
    pub(crate) ttl_seconds: u32,
    pub(crate) negative_ttl_seconds: u32,
}

/// All data of one type that a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) ttl_seconds: u32,
    /// One at least, all of one type, each once.
    pub(crate) data: Vec<Data>,
}

impl Data {
    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::A(_) => Type::A,
            Self::Aaaa(_) => Type::AAAA,
            Self::Name(kind, _) | Self::Other(kind, _) => *kind,
            Self::Mx(..) => Type::MX,
            Self::Srv { .. } => Type::SRV,
            Self::Soa(_) => Type::SOA,
        }
    }

    /// The host that it leads to, whose addresses help whoever gets this (RFC 1035 3.3.9, 3.3.11; RFC 2782).
    pub(crate) fn host(&self) -> Option<&Name> {
        match self {
            Self::Name(Type::NS, host) | Self::Mx(_, host) | Self::Srv { target: host, .. } => Some(host),
            Self::A(_) | Self::Aaaa(_) | Self::Name(..) | Self::Soa(_) | Self::Other(..) => None,
        }
    }
}

impl From<IpAddr> for Data {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }
}

impl Set {
    pub(crate) fn one(ttl_seconds: u32, data: Data) -> Self {
        Self { ttl_seconds, data: vec![data] }
    }

    pub(crate) fn kind(&self) -> Type {
        self.data.first().map_or(Type::ANY, Data::kind)
    }
}

/// Puts data into the sets that a name has, each to its type.
pub(crate) fn gather(sets: &mut Vec<Set>, ttl_seconds: u32, data: Data) {
    match sets.iter_mut().find(|set| set.kind() == data.kind()) {
        Some(set) if set.data.contains(&data) => {}
        Some(set) => set.data.push(data),
        None => sets.push(Set::one(ttl_seconds, data)),
    }
}
