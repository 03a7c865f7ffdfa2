//! Which address a client is offered.

use super::client::Client;
use super::{silence, who};
use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::cluster::probe::Found;
use crate::config::Policy;
use crate::hall::{Due, Turn};
use crate::limit::OFFER_STANDS;
use crate::mac::Mac;
use crate::wire::dhcp::option;
use std::net::Ipv4Addr;
use std::time::Duration;

/// The address that a client is offered, and for how long. The same one for the same client, as long as nothing else was decided. It stands for
/// this client for a while, whether it is told of it or not.
pub(super) fn address_to_offer(
    turn: &mut Turn<'_>,
    client: &Client,
    is_node: bool,
) -> Option<(Ipv4Addr, Duration)> {
    let (address, lease) = choose(turn, client, is_node)?;
    silence::ends(turn, client);
    if turn.hall.leases.offered(address).is_some() {
        turn.hall.timers.arm(turn.now + OFFER_STANDS, Due::Address(address));
    }
    Some((address, lease))
}

fn choose(turn: &mut Turn<'_>, client: &Client, is_node: bool) -> Option<(Ipv4Addr, Duration)> {
    let settings = &turn.config.networks[client.place];
    let pool = |kind| PoolId { network: client.place, kind };
    if !is_node {
        if let Some(reserved) = who::reserved(turn, client) {
            return Some(reserved);
        }
        let wished = client.message.options.address(option::REQUESTED_ADDRESS);
        let address = turn.hall.leases.offer(turn.now, client.mac, pool(PoolKind::Guest), wished)?;
        return Some((address, who::guest_lease(turn, client)));
    }
    if let Some(address) = turn.permanent_address(client.mac, client.place) {
        return Some((address, settings.lease));
    }
    // A number that is being recorded is offered only to a machine that has nothing else to go on with.
    let has_other = turn.hall.leases.borrowed(client.mac, pool(PoolKind::Temporary)).is_some();
    if let Some(address) = claimed_address(turn, client).filter(|_| !has_other) {
        return Some((address, settings.lease));
    }
    if is_numbered_at_request(turn, client) {
        forget_taken(turn, client);
        let is_offered_one = turn.hall.leases.standing(client.mac, pool(PoolKind::Number)).is_some();
        let number = match turn.number_for(client.mac, client.place) {
            Some(number) if turn.hall.listed.has_number(number) => Some(number),
            Some(_) if is_offered_one => None,
            Some(_) => turn.lowest_unoffered(client.place).or_else(|| turn.take_back_offered(client.place)),
            None => None,
        };
        let address = number.and_then(|number| settings.numbering.address(number));
        let address = turn.hall.leases.offer_number(turn.now, client.mac, client.place, address)?;
        return Some((address, settings.lease));
    }
    let address = turn.hall.leases.offer(turn.now, client.mac, pool(PoolKind::Temporary), None)?;
    // Its own may be lent to another machine.
    turn.tell_misplaced_client(client.mac);
    Some((address, settings.temporary_lease))
}

/// Forgets the number that a client was offered if somebody has it by now, or its address, or the configuration has it for another one by now.
fn forget_taken(turn: &mut Turn<'_>, client: &Client) {
    let of_numbers = PoolId { network: client.place, kind: PoolKind::Number };
    let Some(address) = turn.hall.leases.standing(client.mac, of_numbers) else { return };
    let number = turn.config.networks[client.place].numbering.number(address);
    let has_holder = number.is_none_or(|number| turn.hall.nodes.holder(number).is_some());
    let is_anothers = number.is_none_or(|number| !is_meant(turn, client, number));
    let is_used = turn.hall.probes.is_kept_from(turn.now, address, client.mac);
    if has_holder || is_anothers || is_used || turn.hall.leases.get(address).is_some() {
        turn.hall.leases.forget_offers(client.mac);
    }
}

/// Whether the configuration lets this client have a number: it is its own there, or it has none there, and nobody else has this one.
pub(super) fn is_meant(turn: &Turn<'_>, client: &Client, number: u32) -> bool {
    let listed = turn.hall.listed.get(turn.config, client.mac).and_then(|listed| listed.number);
    listed == Some(number) || (listed.is_none() && !turn.hall.listed.has_number(number))
}

/// The address of the number that is being recorded for a machine: it is to get this one and no second, however often it asks meanwhile.
pub(super) fn claimed_address(turn: &Turn<'_>, client: &Client) -> Option<Ipv4Addr> {
    let number = turn.hall.nodes.get(client.mac).filter(|node| node.number.is_none())?.promised()?;
    turn.config.networks[client.place].numbering.address(number)
}

/// Whether a machine without a number gets one as soon as it asks for an address: there is no trial, or the operator has listed it. As long as the addresses of all free numbers are lent to
/// machines that had them before, or used by machines that nobody knows, it gets a temporary one like any other for whom no number is left.
pub(super) fn is_numbered_at_request(turn: &mut Turn<'_>, client: &Client) -> bool {
    if turn.hall.nodes.node(client.mac).is_none() || !wants_number_at_request(turn, client) {
        return false;
    }
    let place = client.place;
    let Some(number) = turn.number_for(client.mac, place) else { return false };
    let is_lent = |number| {
        let address = turn.config.networks[place].numbering.address(number);
        let is_anothers = |address| {
            let taken = turn.hall.leases.taken(address);
            // What another server gave it keeps nobody but others from it.
            let (nodes, mac) = (&turn.hall.nodes, client.mac);
            let is_its_own = |lease: &Lease| nodes.identity(lease.mac) == nodes.identity(mac);
            let is_its = |lease: &Lease| is_its_own(lease) && turn.is_another_servers(lease.pool);
            turn.hall.leases.get(address).is_some_and(|lease| !is_its(lease))
                || taken.is_some_and(|mac| mac != client.mac)
                || turn.hall.probes.is_kept_from(turn.now, address, client.mac)
        };
        address.is_some_and(is_anothers)
    };
    turn.hall.listed.has_number(number)
        || !is_lent(number)
        || turn.free_numbers(place, number).any(|number| !is_lent(number))
}

/// The address of a free number that a client would get if it were not lent to a machine that had it before, where no other is left; and that machine. Nobody was heard to answer for it.
pub(super) fn last_address(turn: &mut Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Mac)> {
    let listed = turn.hall.listed.get(turn.config, client.mac);
    let is_known = turn.hall.nodes.node(client.mac).is_some();
    // As it is when it is met.
    let is_node =
        client.meant.host(turn).is_none() && (is_known || listed.is_some() || client.firmware.is_some());
    let has_its_own = listed.is_some_and(|listed| listed.number.is_some());
    if !is_node || has_its_own || !wants_number_at_request(turn, client) {
        return None;
    }
    // As long as there is one that is neither offered nor lent, nobody has to be asked; nor where none is free at all. This is so of nearly every packet, and is known without going over them all.
    if turn.lowest_unoffered(client.place).is_some() {
        return None;
    }
    let lowest = turn.lowest_free(client.place)?;
    let numbering = &turn.config.networks[client.place].numbering;
    let free = turn.free_numbers(client.place, lowest);
    let addresses = free.filter_map(|number| numbering.address(number));
    let mut first = None;
    for address in addresses {
        // One that is offered to somebody is his, or will be to be had in a moment.
        let lease = turn.hall.leases.get(address)?;
        let is_answered_for = turn.hall.probes.found(turn.now, address) == Found::Taken;
        if lease.pool.kind == PoolKind::Number && !is_answered_for {
            first = first.or(Some((address, lease.mac)));
        }
    }
    first
}

/// Whether a machine is one that gets its number when it asks for an address. Who is not believed at which place it is gets none as a stranger: it would keep that when its place is believed.
/// Nor does one of which an operator has said that it gets no answer: another server may give it an address all the same.
fn wants_number_at_request(turn: &Turn<'_>, client: &Client) -> bool {
    let node = turn.hall.nodes.get(client.mac);
    if node.is_some_and(|node| node.orders.are_to_ignore()) {
        return false;
    }
    let is_promised = node.is_some_and(|node| node.promised().is_some());
    let listed = turn.hall.listed.get(turn.config, client.mac);
    let without_trial = match turn.config.trial.policy {
        Policy::None => turn.config.trial.order.numbers_strangers() || listed.is_some(),
        Policy::Report | Policy::Accept => listed.is_some_and(|listed| listed.number.is_none()),
    };
    !is_promised && without_trial && who::doubtful_place(turn, client).is_none()
}
