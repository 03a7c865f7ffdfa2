//! How a host without a number is called: as it says itself, if that is a name and nobody else's.

use super::client::Client;
use crate::config::{MASTER_NAME, SERVER_NAME};
use crate::event;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::wire::dhcp::fqdn::Fqdn;
use crate::wire::dhcp::{Message, option};
use std::fmt;
use std::net::Ipv4Addr;

/// Keeps a name for a loan that is about to be recorded. Whether it is another than before, or none any more.
pub(super) fn keep(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let before = turn.hall.naming.name(address);
    let name = match wanted(&client.message) {
        Wanted::Name(name) => {
            let is_free = why_not(turn, &name, address, client.mac).is_none();
            let in_vain = (!is_free).then_some(name.as_str());
            turn.hall.heard.is_called_in_vain(client.mac, in_vain);
            if !is_free {
                return false;
            }
            name
        }
        // Who says nothing this time keeps what it said: a ROM has no name, and its system has. So does who says what is no name, as an initial RAM disk that has none ("(none)"), or another's.
        Wanted::Nothing => return false,
        Wanted::NoName(text) => {
            turn.hall.heard.is_called_in_vain(client.mac, Some(&text));
            return false;
        }
        Wanted::NoEntry => {
            turn.hall.heard.is_called_in_vain(client.mac, None);
            let had_one = before.is_some();
            turn.hall.naming.ended(address);
            return had_one;
        }
    };
    if before == Some(name.as_str()) {
        return false;
    }
    turn.hall.naming.keep(address, name);
    true
}

/// The configuration is another one: who goes by a name that is now a node's, a host's or a record's goes by none. Of files of hosts the same.
pub(crate) fn recheck(turn: &mut Turn<'_>) {
    let all: Vec<_> = turn.hall.naming.iter().map(|(address, name)| (address, name.to_owned())).collect();
    for (address, name) in all {
        let mac = turn.hall.leases.get(address).map(|lease| lease.mac);
        if mac.is_none_or(|mac| why_not(turn, &name, address, mac).is_some()) {
            turn.hall.naming.ended(address);
        }
    }
}

/// How a client wants to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Name(String),
    /// It says what can be no name.
    NoName(String),
    /// It says none.
    Nothing,
    /// Nobody is to enter any.
    NoEntry,
}

fn wanted(message: &Message) -> Wanted {
    let fqdn = message.options.get(option::FQDN).and_then(Fqdn::parse);
    // RFC 4702 3.1 and 4: with N set, nobody is to enter the name. It goes before option 12 (4.0).
    if fqdn.as_ref().is_some_and(|fqdn| fqdn.no_updates) {
        return Wanted::NoEntry;
    }
    let Some(text) = said(message, fqdn) else { return Wanted::Nothing };
    match label(&text) {
        Some(name) => Wanted::Name(name),
        // One letter more than a label has: what is too long for one is so also when it is cut.
        None => Wanted::NoName(event::printable(&text, LABEL_OCTETS_MAX + 1)),
    }
}

/// What a client calls itself by.
fn said(message: &Message, fqdn: Option<Fqdn>) -> Option<String> {
    let of_option_12 = || {
        let text = message.options.get(option::HOST_NAME)?;
        Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
    };
    let said = fqdn.map(|fqdn| fqdn.name).filter(|name| !name.is_empty()).or_else(of_option_12);
    // Who has no name says so.
    said.filter(|text| !matches!(text.as_str(), "" | "(none)" | "localhost"))
}

/// The name that is meant by that: of a whole one the first label, as the zone is ours to say (so does dnsmasq). None: it can be no name.
fn label(text: &str) -> Option<String> {
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
const LABEL_OCTETS_MAX: usize = 63;

/// Names that mean something everywhere: to resolvers, to us, and those that hosts look up by themselves and believe (`wpad`: their proxy; `isatap`: their router).
const RESERVED: [&str; 8] =
    [SERVER_NAME, MASTER_NAME, "gateway", "isatap", "localhost", "ns", "self", "wpad"];

/// Why a host may not go by this name: it is a node's, a host's, a record's, stands in a file of hosts or came by an update; and of two loans it is the first one's.
fn why_not(turn: &Turn<'_>, name: &str, address: Ipv4Addr, mac: Mac) -> Option<NotItsName> {
    let directory = &turn.hall.directory;
    let is_nodes = || {
        let mut networks = directory.networks.iter();
        networks.any(|network| {
            let number = |name: &str| directory.pattern.number(name);
            name.strip_suffix(network.suffix.as_str()).is_some_and(|name| number(name).is_some())
        })
    };
    let of_another = || {
        let other = turn.hall.naming.address(name).filter(|other| *other != address)?;
        let lease = turn.hall.leases.get(other).filter(|lease| lease.mac != mac)?;
        Some(NotItsName::Lent(lease.mac, other))
    };
    match () {
        () if RESERVED.contains(&name) => Some(NotItsName::Reserved),
        () if is_nodes() => Some(NotItsName::Nodes),
        () if turn.hall.written_names.have(name) || !directory.hosts.addresses(name).is_empty() => {
            Some(NotItsName::Configured)
        }
        () if directory.files.names.contains_key(name) => Some(NotItsName::OfFile),
        () if turn.hall.dynamics.has(&format!("{name}.{}", directory.zone)) => Some(NotItsName::Updated),
        () => of_another(),
    }
}

/// Why a name is not a host's that wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotItsName {
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

/// That a host without a number wants to be called otherwise than it is, and why it is not.
pub(crate) fn in_vain(turn: &Turn<'_>, mac: Mac, address: Ipv4Addr) -> Option<String> {
    let text = turn.hall.heard.get(mac)?.called_in_vain.as_deref()?;
    let why = match label(text) {
        None => "can be no host name".into(),
        Some(name) => match why_not(turn, &name, address, mac) {
            Some(why) => why.to_string(),
            None => "is nobody's any more".into(),
        },
    };
    Some(format!("it called itself {text}, which {why}"))
}

#[cfg(test)]
mod tests;
