use crate::Dynamic;
use std::fmt;
use std::net::Ipv4Addr;

/// What changes in DNS from one serial to the next: a batch, so that a storm of loans does not copy all names each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The zones' serial (RFC 1982) with these changes, and not before them.
    pub serial: u32,
    /// In order.
    pub changes: Vec<Change>,
}

/// A name that is no arithmetic comes, changes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A host to which an address is lent has this name, there and back.
    Lent {
        /// Its name in the zone: a label in lower case, which is nobody else's.
        name: String,
        /// Its address.
        address: Ipv4Addr,
        /// Until when it is lent, in nanoseconds on the clock of the server's decisions.
        until_nanoseconds: u64,
    },
    /// The loan has ended.
    Returned {
        /// Its address.
        address: Ipv4Addr,
    },
    /// This is all that a name has by updates from now on.
    Updated(Dynamic),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lent { name, address, .. } => write!(f, "{name} is {address}"),
            Self::Returned { address } => write!(f, "{address} has none"),
            Self::Updated(dynamic) => dynamic.fmt(f),
        }
    }
}
