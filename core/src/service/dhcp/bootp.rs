//! BOOTP, as RFC 951 has it and RFC 1534 has a DHCP server speak it: one question, one answer, and an address that is never given back.

use super::choice::address_to_offer;
use super::client::Client;
use super::silence::silence;
use super::{at_once, heard, meet, who};
use crate::hall::Turn;
use crate::message::Datagram;
use crate::wire::dhcp::{Message, Options, WRITTEN_OCTETS_MIN, option};
use std::net::Ipv4Addr;

/// Octets of an answer: 300, of which 64 are for options (RFC 951 3, RFC 1542 2.1). Nobody there says that it takes more.
pub(super) const OCTETS_MAX: usize = WRITTEN_OCTETS_MIN;

/// A packet without option 53 (RFC 1534 2).
pub(super) fn handle(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) {
    let asked = &client.message;
    // RFC 951 7.3: "If this is non-null", the client wants that server and no other.
    let is_for_us = asked.sname.is_empty() || asked.sname == client.server.to_string().into_bytes();
    if !is_for_us {
        return;
    }
    let has_number = |turn: &Turn<'_>| turn.permanent_address(client.mac, client.place).is_some();
    let is_listed =
        turn.hall.listed.get(turn.config, client.mac).is_some() || who::reserved(turn, client).is_some();
    if !has_number(turn) && !is_listed && !turn.config.networks[client.place].bootp {
        return turn.malformed("dhcp-bootp");
    }
    let is_node = meet(turn, client);
    if is_node {
        heard(turn, client, "BOOTP");
    }
    let Some((address, _)) = address_to_offer(turn, client, is_node) else {
        return silence(turn, client, is_node);
    };
    // RFC 951 7.3: who knows its address is only told the rest; a wrong one it cannot be told, for there is no NAK.
    if asked.ciaddr.is_unspecified() || asked.ciaddr == address {
        at_once::grant(turn, client, address, is_node, datagram);
    }
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
