//! A number that one machine has, or is to have by the configuration, while another has it, or its address still; and the address of a `[[host]]` that another machine had as its host's.
//!
//! The configuration goes before what was learnt ([`Turn::place_listed`]), but not over a machine that lives: before its number or its address is another's, it is asked on the wire whether
//! it is there. Where nothing is probed, its lease has to end first.

use super::client::Client;
use super::{choice, probe, who};
use crate::cluster::lease::{Lease, PoolKind};
use crate::cluster::orders::Exclusion;
use crate::cluster::probe::Found;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::Datagram;
use crate::wire::dhcp::relay;
use std::net::Ipv4Addr;

/// Lets a client wait until it is known whether what it is to have is used by another machine. False: it need not.
pub(super) fn hold(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    let settings = &turn.config.networks[client.place];
    let Some((address, user, is_former)) = used(turn, client).filter(|_| settings.probe) else {
        return false;
    };
    // Who is to have another address, and has not asked for it, may be there and not answer an echo; of one that is in no list, its silence is believed. So is it of one that an
    // operator lets have no answer: it is to go on with nothing, however short ago it was heard.
    let is_shut_out = turn.is_shut_out(user);
    let is_host = turn.host_of(user, relay::place).is_some_and(|host| host.address.is_some());
    let is_listed = is_host || turn.hall.listed.place(turn.hall.nodes.identity(user)).is_some();
    let waits = is_former && !settings.on_link && is_listed;
    if !is_shut_out && (waits || turn.heard_since(address, user, client.mac).is_some()) {
        return false;
    }
    match turn.hall.probes.found(turn.now, address) {
        Found::Free if turn.is_silent(address, user, client.mac) => {
            if is_former {
                turn.forget_former(address);
            }
            return false;
        }
        Found::Taken => return false,
        Found::Asked(_) => {}
        Found::Unknown | Found::Free => {
            if probe::ask(turn, client, address).is_none() {
                return false;
            }
        }
    }
    turn.defer(address, datagram);
    true
}

/// The address that a client has by its number, or is to have by the configuration, or as the last one that is left, if another machine has it still; that machine, and whether it has it by a number that is another now, or
/// had another address then.
fn used(turn: &mut Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Mac, bool)> {
    if let Some((address, user)) = choice::last_address(turn, client) {
        let is_anothers = turn.hall.nodes.identity(user) != turn.hall.nodes.identity(client.mac);
        return is_anothers.then_some((address, user, true));
    }
    let nodes = &turn.hall.nodes;
    let identity = nodes.identity(client.mac);
    if let Some((address, _)) = who::waits_for(turn, client) {
        let lease = turn.hall.leases.get(address).filter(|lease| lease.pool.kind == PoolKind::Number)?;
        return Some((address, lease.mac, true));
    }
    let listed = turn.hall.listed.get(turn.config, identity);
    let listed = listed.or_else(|| turn.hall.listed.with_mac(turn.config, client.mac));
    let own = || nodes.get(identity).and_then(|node| node.number);
    let number = listed.and_then(|listed| listed.number).or_else(own)?;
    let address = turn.config.networks[client.place].numbering.address(number)?;
    if let Some(lease) = turn.hall.leases.get(address) {
        let is_anothers = nodes.identity(lease.mac) != identity && lease.pool.kind == PoolKind::Number;
        return is_anothers.then_some((address, lease.mac, true));
    }
    let holder = nodes.get(nodes.holder(number)?)?;
    // Who has left his number because another network is silent may use what he has here.
    let is_retired = holder.orders.exclusion() == Some(Exclusion::Retired);
    let may_use = !is_retired && turn.uses_until(holder, client.place).is_some();
    let is_anothers = holder.mac != identity && (may_use || !turn.has_left(holder, identity));
    is_anothers.then_some((address, holder.mac, false))
}

/// Somebody answers for an address that is to be the client's for which it was asked: who has it keeps it. What is said of that.
pub(super) fn told(
    turn: &Turn<'_>,
    client: Mac,
    known: Mac,
    address: Ipv4Addr,
) -> Option<(&'static str, String)> {
    let to_do = |what| match turn.is_shut_out(known) {
        // It gets no answer, whether it starts again or not.
        true => format!("switch {known} off"),
        false => format!("start {known} again, if it is to have another {what}; or switch it off"),
    };
    let number = turn.hall.nodes.get(client).and_then(|node| node.number);
    let mut serving = turn.config.networks.iter();
    let has = |number| serving.any(|network| network.numbering.address(number) == Some(address));
    if number.is_some_and(has) {
        return Some(("has this address now", to_do("address")));
    }
    let listed = turn.hall.listed.with_mac(turn.config, client).and_then(|listed| listed.number);
    if number.is_none() && listed.is_none() {
        let is_former = |lease: &Lease| lease.pool.kind == PoolKind::Number;
        if turn.hall.reservations.has_address(address) {
            return Some(("is the [[host]] that is to have this address", to_do("address")));
        }
        turn.hall.leases.get(address).filter(|lease| is_former(lease))?;
        let to_do = format!("switch {known} off, if its number is to be another's");
        return Some(("could have the last number that is free", to_do));
    }
    listed?;
    Some(("is to have this number", to_do("number")))
}
