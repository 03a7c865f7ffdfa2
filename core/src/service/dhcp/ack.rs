//! What was decided on a client's wish for an address is done: ACK and NAK.

use super::choice::claimed_address;
use super::client::Client;
use super::decision::{Case, Decision};
use super::offer::tell_missing;
use super::reply::{Packet, Reply};
use super::{naming, power_on, probe, renewal, silence, who};
use crate::cluster::lease::PoolId;
use crate::cluster::node::Node;
use crate::cluster::stage::{Stage, Step};
use crate::cluster::trouble::{Beside, Trouble};
use crate::config::OptionPath;
use crate::event::Kind;
use crate::hall::{Due, Turn};
use crate::limit::LEFT_OUT_TOLD_MAX;
use crate::mac::Mac;
use crate::message::{Datagram, Output};
use crate::promise::{Grant, Promise};
use crate::wire::dhcp::MessageType;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Does what was decided on a client's wish for an address.
pub(super) fn carry_out(
    turn: &mut Turn<'_>,
    client: &Client,
    (case, decision): (Case, Decision),
    address: Ipv4Addr,
    is_node: bool,
    datagram: Datagram<'_>,
) {
    match decision {
        Decision::Reserved(..) | Decision::New(..)
            if probe::before_ack(turn, client, case, address).is_some() =>
        {
            turn.defer(address, datagram);
        }
        Decision::Number(..) if probe::before_number(turn, client, case, address).is_some() => {
            turn.defer(address, datagram);
        }
        Decision::Known(lease) | Decision::Reserved(lease) => {
            let is_its_own = turn.permanent_address(client.mac, client.place) == Some(address);
            let is_its_host = who::kept(turn, client).is_some_and(|(kept, _)| kept == address);
            if is_its_host {
                turn.host_comes_back(address, client.mac);
            }
            if (is_its_own || is_its_host) && says_where_it_is(turn, client) {
                turn.leave_former(client.mac, client.place, is_booting(client));
            }
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::Renewed(wanted) => {
            let lease = renewal::grantable(turn, address, wanted);
            let is_another = turn.hall.leases.renew(turn.now, address, lease) || lease < wanted;
            silence::ends(turn, client);
            // It is known by its name at once; a restart that comes before the record forgets it until the next renewal.
            if naming::keep(turn, client, address) || is_another {
                turn.keep_loan(address);
            }
            turn.hall.naming.lent(address, (turn.now + lease).as_nanoseconds());
            // It has chosen this one, and left what it had as a host.
            if case != Case::Renewing && turn.is_former_host(client.mac) {
                turn.leave_former(client.mac, client.place, is_booting(client));
            }
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::Former(wanted) => {
            let lease = renewal::grantable(turn, address, wanted);
            let is_by_another_card = turn.hall.leases.hand_over(address, client.mac);
            if turn.hall.leases.renew(turn.now, address, lease) || lease < wanted || is_by_another_card {
                turn.keep_loan(address);
            }
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::New(pool, lease) => {
            let until = turn.hall.leases.lend(turn.now, address, client.mac, pool, lease);
            // Whatever else it was offered.
            turn.hall.leases.forget_offers(client.mac);
            // It begins anew, and has left behind what it had where nothing is lent any more, or by another number.
            if says_where_it_is(turn, client) {
                turn.leave_former(client.mac, client.place, is_booting(client));
            }
            for stranded in turn.hall.leases.stranded(client.mac).collect::<Vec<_>>() {
                turn.end_lease(stranded);
            }
            // What was found out was found out for this loan.
            turn.hall.probes.forget(address);
            turn.hall.timers.arm(until, Due::Address(address));
            naming::keep(turn, client, address);
            turn.keep_loan(address);
            grant(turn, client, address, lease, Some(pool), is_node);
        }
        Decision::Number(number, lease) => {
            turn.hall.leases.forget_offers(client.mac);
            let mac = turn.hall.nodes.identity(client.mac);
            if !turn.hall.nodes.claim(mac, number) {
                return nak(turn, client, address);
            }
            // It was found out for this; who answers from now on is the node.
            turn.hall.probes.forget(address);
            turn.keep_node(mac);
            let reason = "there is no trial for it".into();
            turn.promise(Promise::Number { mac, reason, in_mid_boot: client.firmware.is_some() });
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::UnderWay(lease) => grant_by_another_way(turn, client, address, lease),
        Decision::No => nak(turn, client, address),
        Decision::Later => {
            turn.defer(address, datagram);
        }
        Decision::Silence => {}
    }
}

/// Sends an ACK: at once, or when what it promises is durable.
fn grant(
    turn: &mut Turn<'_>,
    client: &Client,
    address: Ipv4Addr,
    lease: Duration,
    lent: Option<PoolId>,
    is_node: bool,
) {
    let is_permanent = turn.config.networks[client.place].numbering.number(address).is_some();
    let in_mid_boot = turn.hall.nodes.get(client.mac).is_some_and(|node| !has_booted(node));
    if is_node && is_permanent && says_where_it_is(turn, client) {
        has_for(turn, client, address, lease);
    } else if is_node && is_permanent && client.firmware.is_none() && client.is_relayed() {
        power_on::tell_not_renewed(turn, client);
    }
    let reply = Reply::new(turn, client, MessageType::Ack).lease(address, lease).parameters(address);
    // Of who asks without a DISCOVER, or is granted at once, nothing was said before.
    tell_missing(turn, client, &reply);
    let named = reply.named(turn);
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        node.is_told_to_load(named, client.firmware.is_some());
    }
    if who::kept(turn, client).is_some_and(|(kept, _)| kept == address) {
        turn.host_granted(address, client.mac, lease);
    }
    let told = turn.line(format_args!("ACK {address}{}", reply.describe()));
    let Packet { send, left_out } = reply.packet();
    tell_left_out(turn, client, left_out);
    // The kernel's entries hold no address of Ethernet on InfiniBand.
    let is_host_that_boots = client.firmware.is_some() && client.meant.host(turn).is_some();
    let is_busy = (is_node && in_mid_boot) || is_host_that_boots;
    let pinned = is_busy && !client.message.is_infiniband();
    // Another card of a host has its address now.
    if !is_node && turn.hall.pins.get(address).is_some_and(|pin| pin.mac != client.mac) {
        turn.unpin(address);
    }
    // What is known already is said whatever the disk does, and however long it takes.
    let is_claimed = claimed_address(turn, client) == Some(address);
    let is_joining = turn.hall.nodes.is_joining(client.mac);
    let is_as_long = turn.hall.leases.is_recorded_as_long(address);
    let is_recorded =
        lent.is_none() && is_as_long && !is_claimed && !is_joining && turn.number_is_kept(client.mac);
    let grant = Grant { mac: client.mac, address, length: lease, lent, pinned, told, send };
    if is_recorded {
        grant.fulfil(turn);
    } else {
        if lent.is_some() || is_claimed {
            turn.hall.granting.begin(client.mac, address, way(client));
        }
        turn.promise(Promise::Grant(grant));
    }
}

/// What is being recorded for a client is promised to it by this way too, if it has not asked by it yet: it may be there that it hears us. It is one loan, and one record, however many ways.
fn grant_by_another_way(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr, lease: Duration) {
    if turn.hall.granting.is_further(client.mac, address, way(client)) {
        let reply = Reply::new(turn, client, MessageType::Ack).lease(address, lease).parameters(address);
        turn.hall.granting.add(client.mac, address, client.message.giaddr, reply.send());
    }
}

/// By which interface and which relay a client has asked.
fn way(client: &Client) -> (&str, Ipv4Addr) {
    (&client.interface, client.message.giaddr)
}

/// A node has an address by its number for so long.
fn has_for(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr, lease: Duration) {
    let is_bootp = client.is_bootp();
    let until = turn.now + lease;
    // Firmware is no system that runs.
    let runs = !is_bootp && client.is_of_the_system && client.firmware.is_none();
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        // By BOOTP it has its address for good, and never says that it needs it still.
        node.grants.grant(turn.now, address, client.mac, (!is_bootp).then_some(until));
        node.beside.remove(&Beside::NotRenewed);
        if runs {
            node.renewed(turn.now);
        }
        if !is_bootp {
            turn.hall.timers.arm(until, Due::Grant(node.mac));
        }
    }
    grants_by_bootp(turn, client.mac, is_bootp);
    if !is_bootp {
        turn.hall.leases.supersede(client.mac, client.place);
    }
    if runs {
        turn.step(client.mac, Step::Renewed, "it renewed its lease");
    }
}

/// Takes note whether a node has its address for good. After a restart that is known by the record of its boot, which is written again if it is up: else it will be.
fn grants_by_bootp(turn: &mut Turn<'_>, mac: Mac, is_bootp: bool) {
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    let is_news = std::mem::replace(&mut node.boot.is_bootp, is_bootp) != is_bootp;
    if is_news && node.stage == Stage::Up {
        turn.keep_boot(mac);
    }
}

/// Tells once what a machine is not told, because there is no room for it in its packets. It stands until an answer to the same program of its has room for all: ROM and loader say different sizes.
pub(super) fn tell_left_out(turn: &mut Turn<'_>, client: &Client, left_out: Vec<u8>) {
    let before = turn.hall.left_out.get(&client.mac);
    if left_out.is_empty() {
        if before.is_none_or(|(firmware, _)| *firmware == client.firmware) {
            turn.hall.left_out.remove(&client.mac);
            turn.no_trouble(client.mac, Beside::Options);
        }
        return;
    }
    let codes: Vec<_> = left_out.iter().map(|code| OptionPath::Whole(*code).to_string()).collect();
    let what = format!("there is no room in its packets for option {}", codes.join(", "));
    let to_do = Some("give it fewer or shorter options".into());
    let new = (client.firmware, left_out);
    if before == Some(&new) {
        // It was told; and it stands in the next boot too.
        let node = turn.hall.nodes.get_mut(client.mac);
        return node.into_iter().for_each(|node| {
            node.beside.insert(Beside::Options, Trouble { what: what.clone(), to_do: to_do.clone() });
        });
    }
    if turn.hall.left_out.len() >= LEFT_OUT_TOLD_MAX {
        turn.hall.left_out.clear();
    }
    turn.hall.left_out.insert(client.mac, new);
    turn.trouble_beside(client.mac, Beside::Options, what, to_do);
}

/// The address is not the client's.
fn nak(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr) {
    // What it was offered it does not get, or does not want: it is offered anew what is to be had then.
    turn.hall.leases.forget_offers(client.mac);
    let told = turn.line(format_args!("NAK {address}: it is not the address of this machine"));
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        node.is_told(turn.now, Arc::clone(&told));
    }
    turn.event(Some(client.mac), Kind::Nak, told);
    let why = format!("{address} is not the address of this machine");
    let reply = Reply::new(turn, client, MessageType::Nak).because(why);
    turn.out.push(Output::Dhcp(reply.send()));
}

/// Whether a packet tells where its machine is. Of a system that runs, or is dead, it tells nothing what any user's program can send.
pub(super) fn says_where_it_is(turn: &Turn<'_>, client: &Client) -> bool {
    client.is_of_the_system || !turn.hall.nodes.get(client.mac).is_some_and(has_booted)
}

fn has_booted(node: &Node) -> bool {
    matches!(node.stage, Stage::Up | Stage::Down)
}

/// Whether it is firmware that asks, so that no system of its machine runs.
fn is_booting(client: &Client) -> bool {
    client.firmware.is_some() && client.is_of_the_system
}
