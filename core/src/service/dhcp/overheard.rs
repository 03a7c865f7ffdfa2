//! Other servers: what they answer to our clients goes by on the link, and clients that chose one name it in their REQUEST.

use super::client::Client;
use super::{is_our_identifier, is_own, shadow};
use crate::cluster::network;
use crate::cluster::node::Trouble;
use crate::cluster::other_server::Notice;
use crate::cluster::trouble::Beside;
use crate::config::{Mode, Network};
use crate::event::Kind;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::Overheard;
use crate::wire::dhcp::{Message, MessageType, Op, option};
use std::net::Ipv4Addr;

/// A reply that was not ours went by.
pub(crate) fn overheard(turn: &mut Turn<'_>, heard: Overheard<'_>) {
    let message = match Message::parse(heard.payload) {
        Ok(message) => message,
        Err(malformed) => return turn.malformed(malformed.word()),
    };
    if message.op != Op::BootReply {
        return;
    }
    if shadow::overheard(turn, heard, &message) {
        return;
    }
    // Plain BOOTP has no option 54: the datagram says who speaks.
    let named = message.options.address(option::SERVER_IDENTIFIER);
    let named = named.filter(|server| network::is_of_a_host(turn.config, *server));
    let server = named.unwrap_or_else(|| *heard.source.ip());
    let did = match message.message_type() {
        Some(MessageType::Offer) if message.yiaddr.is_unspecified() => "offered boot parameters to".into(),
        Some(MessageType::Offer) => format!("offered {} to", message.yiaddr),
        Some(MessageType::Ack) if message.yiaddr.is_unspecified() => "answered an INFORM of".into(),
        Some(MessageType::Ack) => format!("granted {} to", message.yiaddr),
        Some(MessageType::Nak) => "refused the address of".into(),
        Some(
            MessageType::Discover
            | MessageType::Request
            | MessageType::Decline
            | MessageType::Release
            | MessageType::Inform,
        )
        | None => format!("answered {} to", message.yiaddr),
    };
    let interface = heard.interface.to_owned();
    let (mac, client) = (Some(heard.mac), message.mac());
    notice(turn, Notice { server, mac, interface, is_on_link: true, did, client });
}

/// A client asks for an address where others give them. Where it is said who they are, it is told if it asks anybody else.
pub(super) fn asked_beside(turn: &mut Turn<'_>, client: &Client, message_type: MessageType) {
    let is_said = !turn.config.networks[client.place].other_servers.is_empty();
    let server = client.message.options.address(option::SERVER_IDENTIFIER);
    if let Some(server) = server.filter(|_| is_said && message_type == MessageType::Request) {
        // A relay that stands between us and a client is named in our place (RFC 5107).
        if !is_our_identifier(turn, client, server) {
            chosen(turn, client, server);
        }
    }
}

/// A client takes the offer of a server that is not us.
pub(super) fn chosen(turn: &mut Turn<'_>, client: &Client, server: Ipv4Addr) {
    if !network::is_of_a_host(turn.config, server) {
        return turn.malformed("dhcp-server-identifier");
    }
    let interface = turn.config.networks[client.place].interface.clone();
    let relay = Some(client.message.giaddr).filter(|relay| !relay.is_unspecified());
    let did = match relay {
        Some(relay) => format!("was chosen, behind the relay {relay}, by"),
        None => "was chosen by".into(),
    };
    let is_on_link = relay.is_none();
    notice(turn, Notice { server, mac: None, interface, is_on_link, did, client: Some(client.mac) });
}

/// Keeps and tells that there is another server, unless it may be there.
fn notice(turn: &mut Turn<'_>, notice: Notice) {
    if !is_rogue(turn, notice.server, &notice.interface) {
        return;
    }
    let (server, interface) = (notice.server, notice.interface.clone());
    let (client, did) = (notice.client, notice.did.clone());
    let is_time = turn.hall.other_servers.notice(turn.now, notice);
    let mac = turn.hall.other_servers.get(server).and_then(|other| other.mac);
    let whose = mac.map(|mac| format!(" ({mac})")).unwrap_or_default();
    let who = client.map_or_else(|| "a client".into(), |client: Mac| client.to_string());
    let what = format!("another DHCP server, {server}{whose} on {interface}, {did}");
    if is_time {
        turn.event(None, Kind::Trouble, format!("{what} {who}"));
    }
    let Some(node) = client.and_then(|client| turn.hall.nodes.get_mut(client)) else { return };
    // Once a boot in its history: what it said before stands there already.
    let what = format!("{what} it");
    let is_told = node.history.iter().any(|(at, _, said)| said == what && at >= node.since.at());
    if !is_told {
        node.history.remember(turn.now, Kind::Trouble, what.as_str().into());
    }
    let allowed = turn.config.networks.iter().filter(|network| network.interface == interface);
    let allowed = allowed.flat_map(|network| &network.other_servers).chain([&server]);
    let all: Vec<_> = allowed.map(|server| format!("\"{server}\"")).collect();
    let to_do = format!(
        "stop {server}, or allow it: other-servers = [{}] in [[network]] of {interface}",
        all.join(", ")
    );
    node.beside.insert(Beside::OtherServer, Trouble { what, to_do: Some(to_do) });
}

/// Whether a server has no business where it was heard: it is neither ours nor allowed, and we do serve there, or it is said who does.
fn is_rogue(turn: &Turn<'_>, server: Ipv4Addr, interface: &str) -> bool {
    let here = || turn.config.networks.iter().filter(|network| network.interface == interface);
    let is_known = |network: &Network| network.mode == Mode::Serve || !network.other_servers.is_empty();
    here().any(is_known)
        && !is_own(turn, server)
        && !here().any(|network| network.other_servers.contains(&server))
}

/// Another configuration may allow servers that were rogues until now.
pub(crate) fn forget_allowed(turn: &mut Turn<'_>) {
    let mut others = std::mem::take(&mut turn.hall.other_servers);
    others.retain(|server, interface| is_rogue(turn, server, interface));
    turn.hall.other_servers = others;
}
