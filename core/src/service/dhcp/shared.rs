//! Several networks on one link, which nothing in a packet tells apart: a client that looks for an address is in the one where it is to have one. That is the network of its `[[host]]`'s
//! address, or of its number, or of what is lent to it already, or else the first on the interface; and where nothing is left to be lent there, the next one that has something.

use super::choice::address_to_offer;
use super::client::Client;
use super::who::{self, Meant};
use crate::cluster::lease::PoolKind;
use crate::config::Mode;
use crate::hall::Turn;
use crate::wire::dhcp::{MessageType, option};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Puts a client into the network where it is to have its address, if nothing that it says puts it elsewhere.
pub(super) fn settle(turn: &Turn<'_>, client: &mut Client) {
    if let Some(place) = own(turn, client).filter(|place| *place != client.place) {
        *client = at(turn, client, place);
    }
}

/// An address of another network of the link, where the client's own has none left for it: the client as it is there, what it is offered, and for how long.
pub(super) fn offer_elsewhere(
    turn: &mut Turn<'_>,
    client: &Client,
    is_node: bool,
) -> Option<(Client, Ipv4Addr, Duration)> {
    let others: Vec<_> = places(turn, client).filter(|place| *place != client.place).collect();
    others.into_iter().find_map(|place| {
        let there = at(turn, client, place);
        // Its REQUEST would get no answer there, and it would be offered the same for ever.
        if there.meant.ignored_by(turn).is_some() {
            return None;
        }
        let (address, lease) = address_to_offer(turn, &there, is_node)?;
        Some((there, address, lease))
    })
}

/// The same, whichever interface of ours it is on: for a client that may be heard by several of them.
pub(super) fn own_of_any_link(turn: &Turn<'_>, client: &Client) -> Option<usize> {
    let networks = &turn.config.networks;
    let is_served = |place: &usize| networks[*place].on_link && networks[*place].mode == Mode::Serve;
    let place = own_of(turn, client, || (0..networks.len()).filter(is_served))?;
    if place == client.place {
        return Some(place);
    }
    // If it gets no answer there, or not that address, it is offered one wherever it is heard.
    let there = at(turn, client, place);
    let of_host = there.meant.host(turn).and_then(|host| host.address);
    let is_of_host = of_host.is_some_and(|address| networks[place].contains(address));
    let is_had = !is_of_host || who::reserved(turn, &there).is_some();
    (is_had && there.meant.ignored_by(turn).is_none()).then_some(place)
}

/// The network where a client is to have its address. None: it is where it is.
fn own(turn: &Turn<'_>, client: &Client) -> Option<usize> {
    // Usually there is one alone.
    places(turn, client).nth(1)?;
    own_of(turn, client, || places(turn, client))
}

fn own_of<Places: Iterator<Item = usize>>(
    turn: &Turn<'_>,
    client: &Client,
    places: impl Fn() -> Places,
) -> Option<usize> {
    // Where it is, if that will do.
    let find = |is_its: &dyn Fn(usize) -> bool| {
        let here = Some(client.place).filter(|place| is_its(*place));
        here.or_else(|| places().find(|place| is_its(*place)))
    };
    let networks = &turn.config.networks;
    let of_host = client.meant.host(turn).and_then(|host| host.address);
    let is_of_host = |place: usize| of_host.is_some_and(|address| networks[place].contains(address));
    let is_of_number = |place: usize| {
        client
            .meant
            .number(turn, client.mac)
            .is_some_and(|number| networks[place].numbering.address(number).is_some())
    };
    let is_lent = |place: usize| {
        let mut lent = turn.hall.leases.of(client.mac);
        lent.any(|(address, lease)| {
            let is_range = matches!(lease.pool.kind, PoolKind::Guest | PoolKind::Temporary);
            let is_offered = !lease.superseded && !turn.hall.leases.is_stranded(address);
            lease.pool.network == place && is_range && is_offered
        })
    };
    // What was offered is granted where it was offered, or the client would be offered it for ever: "the server SHOULD respond with a DHCPACK" (RFC 2131 3.1.4). Also where the ACK was lost.
    let message = &client.message;
    let requested = message.options.address(option::REQUESTED_ADDRESS);
    let is_request = message.message_type() == Some(MessageType::Request);
    let requested = requested.filter(|_| is_request && message.options.contains(option::SERVER_IDENTIFIER));
    let is_its = |address: &Ipv4Addr| {
        let lent = turn.hall.leases.get(*address);
        turn.hall.leases.offered(*address) == Some(client.mac)
            || lent.is_some_and(|lease| lease.mac == client.mac && !lease.superseded)
    };
    let requested = requested.filter(is_its);
    let is_requested = |place: usize| requested.is_some_and(|address| networks[place].contains(address));
    if let Some(place) = find(&is_requested) {
        return Some(place);
    }
    find(&is_of_host).or_else(|| find(&is_of_number)).or_else(|| find(&is_lent))
}

/// The networks that a client without an address may be in: those of its link where we do the same. One whom a relay or a selection puts into a network is in that one; and who speaks from
/// his address, or gives one up, says himself where he is.
fn places<'a>(turn: &Turn<'a>, client: &Client) -> impl Iterator<Item = usize> + use<'a> {
    let message = &client.message;
    let looks_for_one =
        matches!(message.message_type(), None | Some(MessageType::Discover | MessageType::Request));
    let may_be_anywhere = looks_for_one && message.ciaddr.is_unspecified() && !client.is_selected();
    let config = turn.config;
    let (interface, mode) = (client.interface.clone(), client.mode);
    let is_here = move |place: &usize| {
        let network = &config.networks[*place];
        network.on_link && network.interface == interface && network.mode == mode
    };
    (0..config.networks.len()).filter(move |place| may_be_anywhere && is_here(place))
}

/// The same client in another network of its link.
fn at(turn: &Turn<'_>, client: &Client, place: usize) -> Client {
    let server = turn.config.networks[place].address;
    let mut there = Client { place, server, ..client.clone() };
    // A class may be one of a network.
    there.meant = Meant::find(turn, &there);
    there
}
