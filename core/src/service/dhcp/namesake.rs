//! Two machines of one name. A node may be listed by its client identifier, or by its place at a relay, so that its board can be exchanged; but an
//! identifier is copied with a disk, two machines may be at one port, and that a machine says another's is not enough to be that one.
//!
//! Before a further hardware address gets what is a node's, it is asked on the wire whether the node lives behind the one that got it last. If so, they are
//! two: the operator is told, and the newcomer is who it is by its hardware address alone. So is whoever has a life of its own already, as a node or
//! with a lease. Where nothing is probed, what is said is believed.

use super::client::Client;
use super::contested;
use crate::cluster::probe::Found;
use crate::cluster::reservation::{By, Entry};
use crate::hall::{Deferred, Due, Turn};
use crate::mac::Mac;
use crate::message::Datagram;
use std::net::Ipv4Addr;

/// The node that a client is said to be, by its client identifier or its place alone and with another hardware address than that node had until now.
pub(super) fn of(turn: &Turn<'_>, client: &Client, entry: Option<(Entry, By)>) -> Option<Mac> {
    let Some((Entry::Node(place), By::Client | By::Relay)) = entry else { return None };
    let listed = turn.config.nodes.get(place).filter(|listed| !listed.macs.contains(&client.mac))?;
    let nodes = &turn.hall.nodes;
    let holder = listed.number.and_then(|number| nodes.holder(number));
    let known = nodes.identity(holder.or_else(|| turn.hall.listed.bound(place))?);
    let was_another = nodes.get(known).and_then(|node| node.granted_to).is_some_and(|mac| mac != client.mac);
    (known != nodes.identity(client.mac) || was_another).then_some(known)
}

/// Whether a client is another one than the node that it says it is.
pub(super) fn is_another(turn: &Turn<'_>, client: &Client, entry: Option<(Entry, By)>) -> bool {
    let Some(known) = of(turn, client, entry) else { return false };
    if turn.hall.nodes.identity(client.mac) == known {
        return false; // One of its own hardware addresses: at most it is not answered.
    }
    let has_own_life =
        turn.hall.nodes.get(client.mac).is_some() || turn.hall.leases.of(client.mac).next().is_some();
    let lives = |address| turn.hall.probes.found(turn.now, address) == Found::Taken;
    has_own_life || address_of(turn, client, known).is_some_and(lives)
}

/// Whether a client has to wait until it is known who it is; or gets nothing, as it is a node's former board while the node lives without it.
pub(super) fn is_in_doubt(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    if !turn.config.networks[client.place].probe {
        return false;
    }
    let Some(known) = of(turn, client, client.meant.entry()) else { return false };
    let Some(address) = address_of(turn, client, known) else { return false };
    let is_for_it = turn.hall.probes.asked_for(address) == Some(client.mac);
    match turn.hall.probes.found(turn.now, address) {
        Found::Free if is_for_it => return false,
        Found::Taken => return true,
        Found::Asked(_) => {}
        // What was found free for another one may be that one's by now.
        Found::Unknown | Found::Free => {
            let Some(until) = turn.hall.probes.begin(turn.now, address, client.mac) else { return false };
            turn.hall.timers.arm(until, Due::Probe(address));
            turn.probe(client.place, address);
        }
    }
    turn.hall.deferred.entry(address).or_insert_with(|| Deferred::of(datagram));
    true
}

/// Somebody answers for an address. Whether that says of a node that it lives beside the client for which it was asked.
pub(super) fn lives(turn: &mut Turn<'_>, address: Ipv4Addr, by: Option<Mac>) -> bool {
    let Some(client) = turn.hall.probes.asked_for(address).filter(|client| Some(*client) != by) else {
        return false;
    };
    let Some(known) = turn.machine_at(address) else { return false };
    turn.hall.probes.taken(address);
    let who = by.map_or_else(|| "a host that answers ICMP echo".into(), |mac| mac.to_string());
    let listed = turn.hall.listed.get(turn.config, known);
    let contested =
        turn.hall.listed.with_mac(turn.config, client).and_then(|_| contested::told(turn, client, known));
    let (says, to_do) = contested.unwrap_or_else(|| {
        let (says, remedy) = match listed.and_then(|listed| listed.identifiers.client.as_ref()) {
            Some(_) => ("has its client identifier", "give one of them another client identifier"),
            None => ("is at its place at the relay", "let one of them be at another port"),
        };
        (says, format!("{remedy}; or list {client} in mac of its [[node]], if it is one machine"))
    });
    let what = format!("{client} {says}, and {address} is used by {who}: they are two machines");
    turn.trouble(known, what, Some(to_do));
    true
}

/// The address of a node where the client is.
fn address_of(turn: &Turn<'_>, client: &Client, known: Mac) -> Option<Ipv4Addr> {
    let lent = || turn.hall.leases.of(known).find(|(_, lease)| lease.pool.network == client.place);
    turn.permanent_address(known, client.place).or_else(|| lent().map(|(address, _)| address))
}
