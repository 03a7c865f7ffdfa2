//! How a host without a number is called: as it says itself, if that is a name and nobody else's.

use super::client::Client;
use super::who;
use crate::event;
use crate::hall::{LABEL_OCTETS_MAX, Turn, label};
use crate::wire::dhcp::fqdn::Fqdn;
use crate::wire::dhcp::{Message, option};
use std::net::Ipv4Addr;

/// Keeps a name for a loan that is about to be recorded. Whether it is another than before, or none any more.
pub(super) fn keep(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let before = turn.hall.naming.name(address);
    let name = match wanted(&client.message) {
        Wanted::Name(name) => {
            let is_free = turn.why_not_called(&name, address, client.mac).is_none();
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

/// How a client will be called by an address, if it takes that: so an OFFER says of it what the ACK will ("the server SHOULD include" option 81 in both, RFC 4702 4). That of a number is without the network's suffix. None: by none, or by that of its `[[host]]`.
pub(super) fn will_be(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> Option<String> {
    let numbering = &turn.config.networks[client.place].numbering;
    if let Some(number) = numbering.number(address) {
        return Some(turn.name_with(client.mac, number));
    }
    if who::kept(turn, client).is_some_and(|(kept, _)| kept == address) {
        return None;
    }
    let before = turn.hall.naming.name(address).map(str::to_owned);
    match wanted(&client.message) {
        Wanted::Name(name) if turn.why_not_called(&name, address, client.mac).is_none() => Some(name),
        Wanted::Name(_) | Wanted::NoName(_) | Wanted::Nothing => before,
        Wanted::NoEntry => None,
    }
}

/// The configuration is another one: who goes by a name that is now a node's, a host's or a record's goes by none. Of files of hosts the same.
pub(crate) fn recheck(turn: &mut Turn<'_>) {
    let all: Vec<_> = turn.hall.naming.iter().map(|(address, name)| (address, name.to_owned())).collect();
    for (address, name) in all {
        let mac = turn.hall.leases.get(address).map(|lease| lease.mac);
        if mac.is_none_or(|mac| turn.why_not_called(&name, address, mac).is_some()) {
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

#[cfg(test)]
mod tests;
