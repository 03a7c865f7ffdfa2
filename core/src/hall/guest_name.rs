//! What a host without a number may be called.

use super::Turn;
use crate::config::{MASTER_NAME, SERVER_NAME};
use crate::mac::Mac;
use std::fmt;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// Why a host may not go by this name: it is a node's, a host's, a record's, stands in a file of hosts or came by an update; and of two loans it is the first one's.
    pub(crate) fn why_not_called(&self, name: &str, address: Ipv4Addr, mac: Mac) -> Option<NotItsName> {
        let directory = &self.hall.directory;
        let is_nodes = || {
            let mut networks = directory.networks.iter();
            networks.any(|network| {
                let number = |name: &str| directory.pattern.number(name);
                name.strip_suffix(network.suffix.as_str()).is_some_and(|name| number(name).is_some())
            })
        };
        let of_another = || {
            let other = self.hall.naming.address(name).filter(|other| *other != address)?;
            let lease = self.hall.leases.get(other).filter(|lease| lease.mac != mac)?;
            Some(NotItsName::Lent(lease.mac, other))
        };
        match () {
            () if RESERVED.contains(&name) => Some(NotItsName::Reserved),
            () if is_nodes() => Some(NotItsName::Nodes),
            () if self.hall.written_names.have(name) || !directory.hosts.addresses(name).is_empty() => {
                Some(NotItsName::Configured)
            }
            () if directory.files.names.contains_key(name) => Some(NotItsName::OfFile),
            () if self.hall.dynamics.has(&format!("{name}.{}", directory.zone)) => Some(NotItsName::Updated),
            () => of_another(),
        }
    }

    /// That a host without a number wants to be called otherwise than it is, and why it is not.
    pub(crate) fn called_in_vain(&self, mac: Mac, address: Ipv4Addr) -> Option<String> {
        let text = self.hall.heard.get(mac)?.called_in_vain.as_deref()?;
        let why = match label(text) {
            None => "can be no host name".into(),
            Some(name) => match self.why_not_called(&name, address, mac) {
                Some(why) => why.to_string(),
                None => "is nobody's any more".into(),
            },
        };
        Some(format!("it called itself {text}, which {why}"))
    }
}

/// Why a name is not a host's that wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotItsName {
    Reserved,
    Nodes,
    Configured,
    OfFile,
    Updated,
    Lent(Mac, Ipv4Addr),
}

impl fmt::Display for NotItsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved => f.write_str("means something else to resolvers and hosts"),
            Self::Nodes => f.write_str("is a name of nodes"),
            Self::Configured => f.write_str("is another one's by the configuration"),
            Self::OfFile => f.write_str("stands in a file of hosts"),
            Self::Updated => f.write_str("came by an update of DNS"),
            Self::Lent(mac, address) => write!(f, "is that of {mac}, at {address}"),
        }
    }
}

/// The name that is meant by that: of a whole one the first label, as the zone is ours to say (so does dnsmasq). None: it can be no name.
pub(crate) fn label(text: &str) -> Option<String> {
    let label = text.split('.').next()?.to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = (1..=LABEL_OCTETS_MAX).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
        // A number alone is a node's.
        && !label.bytes().all(|b| b.is_ascii_digit());
    is_label.then_some(label)
}

/// Octets of a label (RFC 1035 2.3.4).
pub(crate) const LABEL_OCTETS_MAX: usize = 63;

/// Names that mean something everywhere: to resolvers, to us, and those that hosts look up by themselves and believe (`wpad`: their proxy; `isatap`: their router).
const RESERVED: [&str; 8] =
    [SERVER_NAME, MASTER_NAME, "gateway", "isatap", "localhost", "ns", "self", "wpad"];
