//! Two machines of one name. A node may be listed by its client identifier, or by its place at a relay, so that its board can be exchanged; but an
//! identifier is copied with a disk, two machines may be at one port, and that a machine says another's is not enough to be that one.
//!
//! Before a further hardware address gets what is a node's, it is asked on the wire whether the node lives behind the one that got it last; and one that was heard just now
//! lives, whatever it answers. If so, they are two: the operator is told, and the newcomer is who it is by its hardware address alone. A machine that is known already is not taken
//! for a card of another one: its number becomes that of its place, as soon as whoever had that has left it ([`Turn::place_listed`]). So is none that has a lease as a guest.
//! Where nothing is probed, what is said is believed.
//!
//! A board that was a node, and is at another place or alive beside the one that is the node now, is that node no more ([`part`]). Nor is a card that a trial saw in a node, and that firmware
//! asks by while that node lives: it was moved into another machine ([`may_be_moved`]).

use super::client::Client;
use super::probe;
use super::{contested, power_on};
use crate::cluster::node::Node;
use crate::cluster::probe::Found;
use crate::cluster::reservation::{By, Entry};
use crate::cluster::trial;
use crate::hall::{AS_CONFIGURED, Turn};
use crate::mac::Mac;
use crate::message::Datagram;
use std::net::Ipv4Addr;

/// The node that a client is said to be, by its client identifier or its place alone and with another hardware address than that node had until now.
pub(super) fn of(turn: &Turn<'_>, client: &Client, entry: Option<(Entry, By)>) -> Option<Mac> {
    let nodes = &turn.hall.nodes;
    let identity = nodes.identity(client.mac);
    let is_with_another = |known| nodes.get(known).is_some_and(|node| node.present() != client.mac);
    let place = match entry {
        Some((Entry::Node(place), By::Client | By::Relay)) => place,
        // It says nothing of itself this time, and another board may be what it was.
        None => {
            let is_doubtful = has_boards(turn, client.mac) || may_be_moved(turn, client);
            return is_doubtful.then_some(identity).filter(|known| is_with_another(*known));
        }
        Some(_) => return None,
    };
    let listed = turn.config.nodes.get(place).filter(|listed| !listed.macs.contains(&client.mac))?;
    let holder = listed.number.and_then(|number| nodes.holder(number));
    let known = nodes.identity(holder.or_else(|| turn.hall.listed.bound(place))?);
    (known != identity || is_with_another(known)).then_some(known)
}

/// Whether a hardware address is known as one of several boards of a node, and not as a card: no entry lists those of the node, and no trial has seen this one in it.
fn has_boards(turn: &Turn<'_>, mac: Mac) -> bool {
    let Some(node) = turn.hall.nodes.get(mac).filter(|node| !node.further_macs.is_empty()) else {
        return false;
    };
    let listed = turn.hall.listed.get(turn.config, node.mac);
    listed.is_none_or(|listed| listed.macs.is_empty()) && !trial::macs(&node.facts).contains(&mac)
}

/// Whether a client asks by a card that only a trial has seen in a node: it may be in another machine by now. Firmware alone is in doubt: no system of the same machine runs beside it, while
/// a system asks by all of its cards.
fn may_be_moved(turn: &Turn<'_>, client: &Client) -> bool {
    client.firmware.is_some() && client.meant.entry().is_none() && is_seen_alone(turn, client.mac)
}

/// Whether a trial saw this card in the node whose it is, and no entry lists it.
fn is_seen_alone(turn: &Turn<'_>, card: Mac) -> bool {
    let node = turn.hall.nodes.get(card).filter(|node| !node.further_macs.is_empty());
    node.is_some_and(|node| trial::macs(&node.facts).contains(&card))
        && turn.hall.listed.place_with_mac(card).is_none()
}

/// Whether a client is another one than the node that it says it is.
pub(super) fn is_another(turn: &Turn<'_>, client: &Client, entry: Option<(Entry, By)>) -> bool {
    let Some(known) = entry.and_then(|entry| of(turn, client, Some(entry))) else { return false };
    if turn.hall.nodes.identity(client.mac) == known {
        return false; // One of its own hardware addresses: at most it is not answered.
    }
    if turn.hall.listed.with_mac(turn.config, client.mac).is_some() {
        return true;
    }
    // Whoever is a node has a number of his own until that of his place is to be had.
    if turn.hall.nodes.node(client.mac).is_some() {
        return false;
    }
    turn.hall.leases.of(client.mac).next().is_some() || lives(turn, client, known)
}

/// Whether a node lives beside a client, as far as is known.
fn lives(turn: &Turn<'_>, client: &Client, known: Mac) -> bool {
    let probes = turn.config.networks[client.place].probe;
    // Of one that no entry means any more it is not known whether they are boards or cards: two cards of a machine ask one shortly after the other.
    let is_listed = turn.hall.listed.place(known).is_some() && !may_be_moved(turn, client);
    address_of(turn, client, known).is_some_and(|address| {
        turn.hall.probes.found(turn.now, address) == Found::Taken
            || (is_listed && probes && turn.heard_since(address, known, client.mac).is_some())
    })
}

/// A board or card that is not its node's any more is a machine of its own: it is at another place, or the node lives with another one. Whether it was one.
pub(super) fn part(turn: &mut Turn<'_>, client: &Client) -> bool {
    let is_board = has_boards(turn, client.mac);
    let is_doubtful = is_board || may_be_moved(turn, client);
    let Some(node) = turn.hall.nodes.get(client.mac).filter(|_| is_doubtful) else {
        return false;
    };
    let (mac, present) = (node.mac, node.present());
    let place = turn.hall.listed.place(mac);
    let is_busy = node.claim.is_some() || node.becoming.is_some() || node.is_being_decided;
    let is_gone = match client.meant.entry() {
        Some((Entry::Node(other), By::Client | By::Relay)) => Some(other) != place,
        Some(_) => true,
        None => lives(turn, client, mac),
    };
    if present == client.mac || is_busy || !is_gone {
        return false;
    }
    // Without a board that it was, a node lacks nothing; of a card that is in it any user's program can say that it is in another machine.
    if !client.is_of_the_system && !is_board {
        if client.firmware.is_some() {
            power_on::tell_no_boot(turn, client);
        }
        return false;
    }
    let why = if is_board { AS_CONFIGURED } else { "as it is in another machine" };
    if client.mac == mac {
        turn.go_by(mac, present, why);
        turn.hall.listed.unbind(mac);
        if let Some(place) = place {
            turn.hall.listed.bind(present, place);
        }
    } else {
        turn.take_card(mac, client.mac, why);
        turn.hall.listed.unbind(client.mac);
    }
    true
}

/// Tells once of a client that it is not the node that it says it is, as that was heard just now.
pub(super) fn tell(turn: &mut Turn<'_>, client: &Client, known: Mac) {
    let Some(address) = address_of(turn, client, known) else { return };
    if turn.hall.probes.found(turn.now, address) == Found::Taken {
        return; // That was told.
    }
    let (says, to_do) = said(turn, client.mac, known);
    let what = format!("{} {says}, and {address} was in use just now: they are two machines", client.mac);
    let is_told = |node: &Node| node.trouble.as_ref().is_some_and(|trouble| trouble.what == what);
    if !turn.hall.nodes.get(known).is_some_and(is_told) {
        turn.trouble(known, what, Some(to_do));
    }
}

/// What a client says that makes it a node, and what can be done if it is not.
fn said(turn: &Turn<'_>, client: Mac, known: Mac) -> (&'static str, String) {
    let listed = turn.hall.listed.get(turn.config, known);
    let (says, remedy) = match listed.and_then(|listed| listed.identifiers.client.as_ref()) {
        Some(_) => ("has its client identifier", "give one of them another client identifier"),
        None => ("is at its place at the relay", "let one of them be at another port"),
    };
    (says, format!("{remedy}; or list {client} in mac of its [[node]], if it is one machine"))
}

/// Lets a client wait until it is known who it is; or have nothing, as it is a node's former board while the node lives without it. False: it need not wait.
pub(super) fn hold(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    if !turn.config.networks[client.place].probe {
        return false;
    }
    let Some(known) = of(turn, client, client.meant.entry()) else { return false };
    let Some(address) = address_of(turn, client, known) else { return false };
    // A node of its own goes on with what it has, as long as it cannot have this.
    let identity = turn.hall.nodes.identity(client.mac);
    let is_one_of_its_own = identity != known && turn.hall.nodes.get(identity).is_some();
    if lives(turn, client, known) {
        if !is_one_of_its_own {
            tell(turn, client, known);
        }
        return !is_one_of_its_own;
    }
    let is_for_it = turn.hall.probes.asked_for(address) == Some(client.mac);
    match turn.hall.probes.found(turn.now, address) {
        Found::Free if is_for_it => return false,
        Found::Taken => return true,
        Found::Asked(_) => {}
        // What was found free for another one may be that one's by now.
        Found::Unknown | Found::Free => {
            if probe::ask(turn, client, address).is_none() {
                return false;
            }
        }
    }
    turn.defer(address, datagram);
    true
}

/// Somebody answers for an address. Whether that says of a node that it lives beside the client for which it was asked.
pub(super) fn answers(turn: &mut Turn<'_>, address: Ipv4Addr, by: Option<Mac>) -> bool {
    let Some(client) = turn.hall.probes.asked_for(address).filter(|client| Some(*client) != by) else {
        return false;
    };
    let Some(known) = turn.machine_at(address) else { return false };
    turn.hall.probes.taken(turn.now, address, by);
    if is_seen_alone(turn, client) && turn.hall.nodes.identity(client) == turn.hall.nodes.identity(known) {
        return true; // It is told when it is taken out of the node.
    }
    let who = by.map_or_else(|| "a host that answers ICMP echo".into(), |mac| mac.to_string());
    let contested = contested::told(turn, client, known, address);
    let (says, to_do) = contested.unwrap_or_else(|| said(turn, client, known));
    let what = format!("{client} {says}, and {address} is used by {who}: they are two machines");
    turn.trouble(known, what, Some(to_do));
    true
}

/// The address of a node where the client is.
fn address_of(turn: &Turn<'_>, client: &Client, known: Mac) -> Option<Ipv4Addr> {
    let present = turn.hall.nodes.get(known).map_or(known, Node::present);
    let lent = || turn.hall.leases.of(present).find(|(_, lease)| lease.pool.network == client.place);
    turn.permanent_address(known, client.place).or_else(|| lent().map(|(address, _)| address))
}
