//! One packet that several interfaces hear, because they are on one segment ([`crate::cluster::one_segment`]). Each of them would answer it by what it knows of its own networks, and refuse what another one has
//! just offered: a host there would never have an address. So it is answered where the client's address is, and nowhere else.
//!
//! That two interfaces are one segment is believed of no other packet than the one that both have heard. Until it is known whether the other one hears this too, an answer that would be wrong then waits for a
//! moment: a machine that was moved to another segment for real is refused that much later.

use super::client::{Client, is_to_everybody};
use super::shared;
use crate::cluster::one_segment::Word;
use crate::config::{Mode, Network};
use crate::event::Kind;
use crate::hall::{Deferred, Due, Turn};
use crate::limit::{COPIES_AWAITED_MAX, COPY_WAIT};
use crate::mac::Mac;
use crate::message::Datagram;
use crate::wire::dhcp::{MessageType, option};

/// Whether a packet is another interface's to answer, or waits until that is known.
pub(super) fn is_for_another(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    if !is_heard_by_all(turn, client, datagram) {
        return false;
    }
    // Whoever speaks again waits for no answer to what he said before.
    turn.hall.copies_awaited.remove(&(client.mac, datagram.interface.to_owned()));
    let word = Word {
        mac: client.mac,
        message_type: client.message.options.u8(option::MESSAGE_TYPE).unwrap_or(0),
        xid: client.message.xid,
    };
    let heard = turn.hall.segments.hear(turn.now, word, datagram.interface);
    for told in heard.told {
        turn.event(None, Kind::Trouble, told);
    }
    let of_server = of_server(turn, client);
    let whose = of_server.or_else(|| of_address(turn, client));
    let Some(interface) = whose.filter(|interface| *interface != datagram.interface) else {
        return false;
    };
    if turn.hall.segments.is_heard_by(turn.now, word, interface) {
        return true;
    }
    let is_waiting = heard.first.is_none_or(|first| first + COPY_WAIT > turn.now);
    let until = heard.first.map(|first| first + COPY_WAIT).filter(|_| is_waiting);
    let Some(until) = until.filter(|_| turn.hall.copies_awaited.len() < COPIES_AWAITED_MAX) else {
        // Where there is no room to wait, who names another server of ours is not refused on the chance that it does not hear him.
        return of_server.is_some() && is_waiting;
    };
    let key = (client.mac, datagram.interface.to_owned());
    turn.hall.copies_awaited.insert(key, (until, word, Deferred::of(datagram)));
    turn.hall.timers.arm(until, Due::Copy(client.mac));
    true
}

/// It is known by now which interfaces have heard what a client said.
pub(crate) fn copies_due(turn: &mut Turn<'_>, mac: Mac) {
    let waiting = turn.hall.copies_awaited.range((mac, String::new())..);
    let own = waiting.take_while(|((other, _), _)| *other == mac);
    let own: Vec<_> = own.map(|(key, (until, ..))| (key.clone(), *until)).collect();
    for (key, until) in own {
        if until > turn.now {
            turn.hall.timers.arm(until, Due::Copy(mac));
        } else if let Some((_, word, deferred)) = turn.hall.copies_awaited.remove(&key) {
            // Who has begun anew meanwhile wants no answer to what he said before.
            if turn.hall.segments.is_last(word) {
                super::handle(turn, deferred.datagram());
            }
        }
    }
}

/// Whether all interfaces of the client's segment hear this, where there may be several of ours: it went to everybody and by no relay.
fn is_heard_by_all(turn: &Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    let mut on_link = turn.config.networks.iter().filter(|network| network.on_link);
    let has_others = on_link.any(|network| network.interface != datagram.interface);
    let message = &client.message;
    let is_unrelayed = message.giaddr.is_unspecified() && !client.is_selected();
    let has_no_address = message.ciaddr.is_unspecified();
    has_others && is_unrelayed && (has_no_address || is_to_everybody(turn.config, datagram))
}

/// The interface of the server that a REQUEST names, if that is us. "DHCPREQUEST … that does not specify" this server's identifier is no business of its (RFC 2131 3.1, step 4).
fn of_server<'a>(turn: &Turn<'a>, client: &Client) -> Option<&'a str> {
    let message = &client.message;
    let is_request = message.message_type() == Some(MessageType::Request);
    let server = message.options.address(option::SERVER_IDENTIFIER).filter(|_| is_request)?;
    interface_of(turn, client, |network| network.address == server)
}

/// The interface of the address that a client wants to keep or gives up; or where it is to have one, if it has none.
fn of_address<'a>(turn: &Turn<'a>, client: &Client) -> Option<&'a str> {
    if client.mode != Mode::Serve {
        return None;
    }
    let message = &client.message;
    match message.message_type() {
        Some(MessageType::Request | MessageType::Decline) => {
            let requested = message.options.address(option::REQUESTED_ADDRESS);
            let address = Some(message.ciaddr).filter(|address| !address.is_unspecified()).or(requested)?;
            // Also where another server gives the addresses: what that has given is its to judge.
            interface_of(turn, client, |network| network.contains(address))
        }
        Some(MessageType::Discover) | None => {
            let place = shared::own_of_any_link(turn, client)?;
            Some(&turn.config.networks[place].interface)
        }
        Some(
            MessageType::Offer
            | MessageType::Ack
            | MessageType::Nak
            | MessageType::Release
            | MessageType::Inform,
        ) => None,
    }
}

/// The interface of a network on our links: the one by which the client is heard, if it has such a network too.
fn interface_of<'a>(turn: &Turn<'a>, client: &Client, is_it: impl Fn(&Network) -> bool) -> Option<&'a str> {
    let config = turn.config;
    let all = || config.networks.iter().filter(|network| network.on_link && is_it(network));
    let here = all().find(|network| network.interface == client.interface);
    here.or_else(|| all().next()).map(|network| network.interface.as_str())
}
