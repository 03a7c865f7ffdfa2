//! How a host without a number is called: as it says itself, if that is a name and nobody else's.

use super::client::Client;
use crate::config::{MASTER_NAME, SERVER_NAME};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::wire::dhcp::fqdn::Fqdn;
use crate::wire::dhcp::{Message, option};
use std::net::Ipv4Addr;

/// Keeps a name for a loan that is about to be recorded. Whether it is another than before, or none any more.
pub(super) fn keep(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let before = turn.hall.naming.name(address);
    let name = match wanted(&client.message) {
        Wanted::Name(name) if is_free(turn, &name, address, client.mac) => name,
        // Who says nothing this time keeps what it said: a ROM has no name, and its system has. So does who says what is no name, as an initial RAM disk that has none ("(none)"), or another's.
        Wanted::Name(_) | Wanted::Nothing => return false,
        Wanted::NoEntry => {
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
        if mac.is_none_or(|mac| !is_free(turn, &name, address, mac)) {
            turn.hall.naming.ended(address);
        }
    }
}

/// How a client wants to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Name(String),
    /// It says no name, or none that can be one.
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
    label(message, fqdn).map_or(Wanted::Nothing, Wanted::Name)
}

/// The label that a client calls itself by. Of a whole name the first is meant: the zone is ours to say (so does dnsmasq).
fn label(message: &Message, fqdn: Option<Fqdn>) -> Option<String> {
    let of_option_12 = || {
        let text = message.options.get(option::HOST_NAME)?;
        Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
    };
    let text = fqdn.map(|fqdn| fqdn.name).filter(|name| !name.is_empty()).or_else(of_option_12)?;
    let label = text.split('.').next()?.to_ascii_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
        // A number alone is a node's.
        && !label.bytes().all(|b| b.is_ascii_digit());
    is_label.then_some(label)
}

/// Names that mean something everywhere: to resolvers, to us, and those that hosts look up by themselves and believe (`wpad`: their proxy; `isatap`: their router).
const RESERVED: [&str; 8] =
    [SERVER_NAME, MASTER_NAME, "gateway", "isatap", "localhost", "ns", "self", "wpad"];

/// Whether a host may go by this name: no node's, no host's, no record's, none that stands in a file of hosts or came by an update, and of two loans the first one's.
fn is_free(turn: &Turn<'_>, name: &str, address: Ipv4Addr, mac: Mac) -> bool {
    let directory = &turn.hall.directory;
    let is_nodes = directory.networks.iter().any(|network| {
        name.strip_suffix(network.suffix.as_str()).is_some_and(|n| directory.pattern.number(n).is_some())
    });
    let is_anothers = turn.hall.naming.address(name).is_some_and(|other| {
        other != address && turn.hall.leases.get(other).is_some_and(|lease| lease.mac != mac)
    });
    !RESERVED.contains(&name)
        && !is_nodes
        && !turn.hall.written_names.have(name)
        && directory.hosts.addresses(name).is_empty()
        && !directory.files.names.contains_key(name)
        && !is_anothers
        && !turn.hall.dynamics.has(&format!("{name}.{}", directory.zone))
}

#[cfg(test)]
mod tests;
