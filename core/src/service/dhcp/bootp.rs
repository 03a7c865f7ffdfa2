//! BOOTP, as RFC 951 has it and RFC 1534 has a DHCP server speak it: one question, one answer, and an address that is never given back.

use super::choice::address_to_offer;
use super::client::Client;
use super::silence::{note, silence};
use super::{at_once, heard, meet, power_on, who};
use crate::cluster::unanswered::Why;
use crate::config::{MASTER_NAME, SERVER_NAME};
use crate::hall::Turn;
use crate::message::Datagram;
use crate::wire::dhcp::{Message, Options, WRITTEN_OCTETS_MIN, option};
use std::net::Ipv4Addr;

/// Octets of an answer: 300, of which 64 are for options (RFC 951 3, RFC 1542 2.1). Nobody there says that it takes more.
pub(super) const OCTETS_MAX: usize = WRITTEN_OCTETS_MIN;

/// A packet without option 53 (RFC 1534 2).
pub(super) fn handle(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) {
    let asked = &client.message;
    // RFC 951 7.3: if the name of a server stands there, the client wants that one and no other.
    if !asked.sname.is_empty() && !is_our_name(turn, client, &asked.sname) {
        return;
    }
    let has_number = |turn: &Turn<'_>| turn.permanent_address(client.mac, client.place).is_some();
    let is_listed =
        turn.hall.listed.get(turn.config, client.mac).is_some() || who::reserved(turn, client).is_some();
    if !has_number(turn) && !is_listed && !turn.config.networks[client.place].bootp {
        turn.malformed("dhcp-bootp");
        // A node without a number has its history; and who has an address by other means lacks the rest alone.
        if turn.hall.nodes.node(client.mac).is_none() && asked.ciaddr.is_unspecified() {
            note(turn, client, Why::NoBootp);
        }
        return;
    }
    let is_node = meet(turn, client);
    if is_node {
        heard(turn, client, "BOOTP");
    }
    power_on::doubt_place(turn, client);
    let Some((address, _)) = address_to_offer(turn, client, is_node) else {
        return silence(turn, client, is_node);
    };
    // RFC 951 7.3: who knows its address is only told the rest; a wrong one it cannot be told, for there is no NAK.
    if asked.ciaddr.is_unspecified() || asked.ciaddr == address {
        at_once::grant(turn, client, address, is_node, datagram);
    }
}

/// Whether a server's name is ours: one of those by which DNS has us, with the zone or without, or our address as text.
pub(super) fn is_our_name(turn: &Turn<'_>, client: &Client, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let zone = &turn.config.cluster.name;
    let first = match name.rsplit_once('.') {
        _ if name == client.server.to_string() => return true,
        Some(_) => {
            name.split_once('.').filter(|(_, rest)| rest.eq_ignore_ascii_case(zone)).map(|(first, _)| first)
        }
        None => Some(name),
    };
    first.is_some_and(|first| [SERVER_NAME, MASTER_NAME].iter().any(|own| first.eq_ignore_ascii_case(own)))
}

/// Makes an answer one of BOOTP: what only DHCP knows is left out (RFC 1534 2: "MUST NOT" be sent).
pub(super) fn plain(answer: &mut Message, client: &Client) {
    let of_dhcp = [
        option::LEASE_TIME,
        option::MESSAGE_TYPE,
        option::SERVER_IDENTIFIER,
        option::T1,
        option::T2,
        option::CLIENT_IDENTIFIER,
    ];
    let mut options = Options::default();
    for (code, value) in answer.options.iter().filter(|(code, _)| !of_dhcp.contains(code)) {
        options.set(code, value);
    }
    answer.options = options;
    // RFC 951 7.3: the file that it names is as good as another: what there is, TFTP will tell.
    let asked = &client.message;
    if answer.file.is_empty() && !asked.file.is_empty() {
        answer.file.clone_from(&asked.file);
        answer.siaddr = client.server;
    }
    // RFC 951 3: yiaddr is for who does not know its address.
    if !asked.ciaddr.is_unspecified() {
        answer.yiaddr = Ipv4Addr::UNSPECIFIED;
    }
}
