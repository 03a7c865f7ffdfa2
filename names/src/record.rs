use crate::dynamic::kind;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A DNS record of the cluster's zone that is no arithmetic: the operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name inside the zone, lower case, without the zone and without a final dot: "www", "_ldap._tcp", or "" for the zone itself.
    pub name: String,
    /// What it says.
    pub data: RecordData,
}

/// What a record says. Names are whole, lower case, without a final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// An address.
    A(Ipv4Addr),
    /// An address of IPv6 (RFC 3596).
    Aaaa(Ipv6Addr),
    /// The name that is meant.
    Cname(String),
    /// Where mail goes: preference and host (RFC 1035 3.3.9).
    Mx(u16, String),
    /// A name server: of the zone, or of a zone below it.
    Ns(String),
    /// Where a service is (RFC 2782).
    Srv {
        /// Lower ones are tried first.
        priority: u16,
        /// Share of the work among those of one priority.
        weight: u16,
        /// Port.
        port: u16,
        /// Host; "" says that there is no such service.
        target: String,
    },
    /// A text, in parts of 255 octets at most.
    Txt(Vec<Vec<u8>>),
}

impl RecordData {
    /// The number of the type.
    pub fn type_number(&self) -> u16 {
        match self {
            Self::A(_) => kind::A,
            Self::Aaaa(_) => kind::AAAA,
            Self::Cname(_) => kind::CNAME,
            Self::Mx(..) => kind::MX,
            Self::Ns(_) => kind::NS,
            Self::Srv { .. } => kind::SRV,
            Self::Txt(_) => kind::TXT,
        }
    }

    /// The type as it is written.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
            Self::Cname(_) => "CNAME",
            Self::Mx(..) => "MX",
            Self::Ns(_) => "NS",
            Self::Srv { .. } => "SRV",
            Self::Txt(_) => "TXT",
        }
    }
}
