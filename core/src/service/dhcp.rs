//! The DHCP conversation: RFC 2131, with one deliberate difference. A machine is its hardware address on its network: ROM, loader and system present
//! different client identifiers (none, 01 + address, a DUID) or none and must get one address, so that RFC 2131 4.2's key does not serve here.

mod ack;
mod at_once;
mod bootp;
mod choice;
mod client;
mod contested;
mod copies;
mod decision;
mod farewell;
mod fqdn;
mod inform;
mod leasequery;
mod namesake;
mod naming;
mod offer;
mod overheard;
mod power_on;
mod probe;
mod proxy;
mod pxe;
mod renewal;
mod reply;
mod shadow;
mod shared;
mod silence;
mod told;
mod unplaced;
mod who;

use crate::cluster::stage::Phase;
use crate::config::Mode;
use crate::event::Kind;
use crate::hall::Turn;
use crate::load::Admission;
use crate::message::Datagram;
use crate::wire::dhcp::{Message, MessageType, Op, option};
use ack::{carry_out, says_where_it_is};
use client::Client;
pub(crate) use copies::copies_due;
use decision::{Case, decide};
pub(crate) use naming::recheck as recheck_names;
pub(crate) use offer::let_go;
use offer::{admit, make_offer};
pub(crate) use overheard::{forget_allowed, overheard};
use power_on::power_on;
pub(crate) use probe::{answer_deferred, ask_again, expire as probe_expires, occupied};
use std::net::Ipv4Addr;
use std::sync::Arc;
pub(crate) use unplaced::forget_served as forget_served_relays;
use who::Meant;
pub(crate) use {pxe::boot_server, shadow::due as shadow_due};

/// Takes a datagram of port 67.
pub(crate) fn handle(turn: &mut Turn<'_>, datagram: Datagram<'_>) {
    let message = match Message::parse(datagram.payload) {
        Ok(message) => message,
        Err(malformed) => return turn.malformed(malformed.word()),
    };
    if message.op != Op::BootRequest {
        return turn.malformed("dhcp-reply");
    }
    if message.options.u8(option::MESSAGE_TYPE) == Some(leasequery::LEASEQUERY) {
        return leasequery::handle(turn, datagram, &message);
    }
    let message_type = message.message_type();
    if message_type.is_none() && message.options.contains(option::MESSAGE_TYPE) {
        return turn.malformed("dhcp-message-type");
    }
    let mut client = match Client::read(turn.config, datagram, message) {
        Ok(client) => client,
        Err(unread) => return unplaced::unread(turn, datagram.interface, &unread),
    };
    unplaced::ends(turn, client.mac);
    client.meant = Meant::find(turn, &client);
    if client.mode == Mode::Serve && namesake::part(turn, &client) {
        client.meant = Meant::find(turn, &client);
    }
    shared::settle(turn, &mut client);
    if copies::is_for_another(turn, &client, datagram) {
        return;
    }
    if silence::ignore(turn, &client) || silence::turn_away(turn, &client) {
        return;
    }
    who::note(turn, &client);
    let is_for_an_address = matches!(message_type, None | Some(MessageType::Discover | MessageType::Request));
    let hold = |turn: &mut Turn<'_>| {
        namesake::hold(turn, &client, datagram) || contested::hold(turn, &client, datagram)
    };
    if client.mode == Mode::Serve && is_for_an_address && hold(turn) {
        return;
    }
    if let Some(known) = client.meant.refused().filter(|_| client.mode == Mode::Serve) {
        namesake::tell(turn, &client, known);
    }
    let Some(message_type) = message_type else {
        // It wants an address, which is ours to give or another server's.
        return match client.mode {
            Mode::Serve => bootp::handle(turn, &client, datagram),
            Mode::Proxy | Mode::Shadow => {}
        };
    };
    match (client.mode, pxe::chosen(&client)) {
        (Mode::Serve, None) => {}
        // It looks for the boot server of a menu's entry, by broadcast (PXE 2.1, 2.2.4).
        (Mode::Serve, Some(_)) => {
            let target = pxe::at_its_address(&client);
            return target.into_iter().for_each(|target| pxe::answer(turn, &client, target));
        }
        (Mode::Proxy, _) => {
            overheard::asked_beside(turn, &client, message_type);
            return proxy::handle(turn, &client, message_type, datagram);
        }
        (Mode::Shadow, _) => {
            overheard::asked_beside(turn, &client, message_type);
            return shadow::asked(turn, &client, message_type);
        }
    }
    match message_type {
        MessageType::Discover => discover(turn, &client, datagram),
        MessageType::Request => request(turn, &client, datagram),
        MessageType::Decline => farewell::decline(turn, &client),
        MessageType::Release => farewell::release(turn, &client),
        MessageType::Inform => inform::handle(turn, &client),
        MessageType::Offer | MessageType::Ack | MessageType::Nak => turn.malformed("dhcp-reply"),
    }
}

/// A client looks for servers.
fn discover(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) {
    let is_node = meet(turn, client);
    let mut admission = Admission::Now;
    if is_node {
        let asked = turn.line(format_args!("DISCOVER{}", client.describe()));
        heard(turn, client, Arc::clone(&asked));
        turn.event(Some(client.mac), Kind::Discover, asked);
        // A machine that starts over has left its temporary address behind, as soon as it has a permanent one.
        if client.is_of_the_system && turn.permanent_address(client.mac, client.place).is_some() {
            turn.hall.leases.supersede(client.mac, client.place);
        }
        if let Some(firmware) = client.firmware {
            if power_on(turn, client, firmware, true) {
                admission = admit(turn, client);
            }
            // Its system is over, and what that had by another number.
            if client.is_of_the_system {
                turn.leave_former(client.mac, client.place, true);
            }
        }
        turn.tell_misplaced_client(client.mac);
    }
    power_on::doubt_place(turn, client);
    match who::reserved(turn, client) {
        Some(_) => turn.hall.leases.supersede(client.mac, client.place),
        None => who::tell_twice(turn, client),
    }
    make_offer(turn, client, is_node, admission, datagram);
}

/// The client is a node that we may give an address, and we know it from now on. Else it is a guest.
fn meet(turn: &mut Turn<'_>, client: &Client) -> bool {
    // The operator says that it is none.
    if client.meant.host(turn).is_some() {
        return false;
    }
    // At which place a node that has booted is, or which identifier it has, no user's program says.
    if turn.hall.nodes.get(client.mac).is_none_or(|node| power_on::is_believed(client, node)) {
        who::recognise(turn, client);
    }
    let is_listed = turn.hall.listed.get(turn.config, client.mac).is_some();
    let is_known = turn.hall.nodes.node(client.mac).is_some();
    if client.firmware.is_none() && !is_listed && !is_known {
        return false;
    }
    if !turn.meet(client.mac) {
        let what = turn.no_room(client.mac);
        turn.event_by_stranger(Kind::Trouble, what);
        return false;
    }
    turn.hall.nodes.is_node_from_now_on(client.mac);
    if let Some(node) = turn.hall.nodes.get_mut(client.mac)
        && (node.network.is_none() || power_on::is_believed(client, node))
    {
        node.network = Some(client.place);
    }
    if is_listed {
        turn.place_listed(turn.hall.nodes.identity(client.mac));
    }
    true
}

/// A client takes an offer, or wants to keep what it has. RFC 2131 4.3.2 tells the four cases apart by what the packet holds.
fn request(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) {
    let server = client.message.options.address(option::SERVER_IDENTIFIER);
    let requested = client.message.options.address(option::REQUESTED_ADDRESS);
    let ciaddr = client.message.ciaddr;
    let (case, address) = match (server, requested) {
        (Some(server), _) if !is_our_identifier(turn, client, server) => {
            overheard::chosen(turn, client, server);
            turn.hall.held_back.remove(client.mac);
            // It chose another server: "SHOULD NOT" hold the offer (RFC 2131 3.1.4).
            return turn.hall.leases.forget_offers(client.mac);
        }
        (Some(_), Some(address)) => (Case::Selecting, address),
        // Some ROMs repeat their address in ciaddr instead.
        (Some(_), None) if !ciaddr.is_unspecified() => (Case::Selecting, ciaddr),
        (None, Some(address)) if ciaddr.is_unspecified() => (Case::InitReboot, address),
        (None, _) if !ciaddr.is_unspecified() => (Case::Renewing, ciaddr),
        (Some(_) | None, _) => return turn.malformed("dhcp-request-address"),
    };
    let is_node = meet(turn, client);
    turn.hall.held_back.remove(client.mac);
    if is_node {
        let asked = turn.line(format_args!("REQUEST {address}{}", client.describe()));
        heard(turn, client, asked);
        turn.hears_us(client.mac);
        // Its DISCOVER may have been answered by this server before a restart.
        if let Some(firmware) = client.firmware {
            power_on(turn, client, firmware, false);
        }
        power_on::doubt_place(turn, client);
        turn.tell_misplaced_client(client.mac);
    }
    let decision = decide(turn, client, case, address, is_node);
    // Whoever asks from INIT-REBOOT has left mid-boot: with a permanent address it is not to go on with its temporary one.
    let has_left = case == Case::InitReboot && says_where_it_is(turn, client);
    if has_left && turn.permanent_address(client.mac, client.place).is_some() {
        turn.hall.leases.supersede(client.mac, client.place);
    }
    carry_out(turn, client, (case, decision), address, is_node, datagram);
}

/// A node speaks: it lives, and `explain` keeps what it asked last.
fn heard(turn: &mut Turn<'_>, client: &Client, asked: impl Into<Arc<str>>) {
    let lent: Vec<_> = turn.hall.leases.of(client.mac).map(|(address, _)| address).collect();
    for address in lent.into_iter().chain(turn.permanent_address(client.mac, client.place)) {
        turn.alive(address);
    }
    let now = turn.now;
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        node.asks(now, asked);
        if client.firmware.is_none() {
            node.boot.went_on = Some(now);
        }
        // Its loader says what it is; who says nothing is a kernel, or runs on one.
        if client.firmware.is_none() && node.phase >= Some(Phase::Kernel) {
            node.boot.system_asked.get_or_insert(now);
        }
    }
}

/// Whether a server identifier is one of ours, or one that a relay gives for ours (RFC 5107 4).
fn is_our_identifier(turn: &Turn<'_>, client: &Client, server: Ipv4Addr) -> bool {
    is_own(turn, server) || [client.server, client.identifier()].contains(&server)
}

/// Whether an address is this host's. "A server with multiple network addresses MUST be prepared to accept any of its network addresses as identifying that server in a DHCP message" (RFC 2131 4.1): a
/// relay may have one as its helper that no network is told of.
fn is_own(turn: &Turn<'_>, server: Ipv4Addr) -> bool {
    let mut networks = turn.config.networks.iter();
    networks.any(|network| network.on_link && network.address == server)
        || turn.hall.own_addresses.contains(&server)
}

#[cfg(test)]
mod tests;
