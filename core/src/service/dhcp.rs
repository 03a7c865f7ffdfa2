//! The DHCP conversation: RFC 2131, with one deliberate difference. A machine is its hardware address on its network: ROM, loader and system present
//! different client identifiers (none, 01 + address, a DUID) or none and must get one address, so that RFC 2131 4.2's key does not serve here.

mod at_once;
mod bootp;
mod choice;
mod client;
mod contested;
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

use crate::cluster::lease::{NotFree, PoolId, PoolKind};
use crate::cluster::network;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trouble::Beside;
use crate::config::{Mode, OptionPath};
use crate::event::Kind;
use crate::hall::{Deferred, Due, Turn};
use crate::limit::LEFT_OUT_TOLD_MAX;
use crate::load::Admission;
use crate::message::{Datagram, Output};
use crate::promise::{Grant, Promise};
use crate::wire::dhcp::{Message, MessageType, Op, option};
use choice::{claimed_address, is_meant, is_numbered_at_request};
use client::Client;
pub(crate) use naming::recheck as recheck_names;
pub(crate) use offer::let_go;
use offer::{admit, make_offer};
pub(crate) use overheard::{forget_allowed, overheard};
use power_on::power_on;
pub(crate) use probe::{answer_deferred, ask_again, expire as probe_expires, occupied};
use reply::{Packet, Reply};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
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
    unplaced::is_placed(turn, client.mac);
    client.meant = Meant::find(turn, &client);
    if client.mode == Mode::Serve && namesake::part(turn, &client) {
        client.meant = Meant::find(turn, &client);
    }
    shared::settle(turn, &mut client);
    if silence::is_ignored(turn, &client) || is_shut_out(turn, &client) {
        return;
    }
    who::note(turn, &client);
    let is_for_an_address = matches!(message_type, None | Some(MessageType::Discover | MessageType::Request));
    let is_in_doubt = |turn: &mut Turn<'_>| {
        namesake::is_in_doubt(turn, &client, datagram) || contested::is_in_doubt(turn, &client, datagram)
    };
    if client.mode == Mode::Serve && is_for_an_address && is_in_doubt(turn) {
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

/// Whether an operator lets this machine have no answer. That it asked is told once, as long as it asks for the same.
fn is_shut_out(turn: &mut Turn<'_>, client: &Client) -> bool {
    let Some(node) = turn.hall.nodes.get_mut(client.mac).filter(|node| node.orders.are_to_ignore()) else {
        return false;
    };
    let standing = node.orders.standing.as_ref().map(ToString::to_string).unwrap_or_default();
    let asked = format!("an address{}, and got no answer: {standing}", client.describe());
    node.asked_at = Some(turn.now);
    if node.asked.as_deref() != Some(&asked) {
        node.asks(turn.now, asked.as_str());
        turn.event(Some(client.mac), Kind::Operator, format!("it asks for {asked}"));
    }
    true
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
                turn.leave_former(client.mac, true);
            }
        }
        turn.tell_misplaced_client(client.mac);
    }
    if who::reserved(turn, client).is_some() {
        turn.hall.leases.supersede(client.mac, client.place);
    }
    make_offer(turn, client, is_node, admission, datagram);
}

/// The client is a node that we may give an address, and we know it from now on. Else it is a guest.
fn meet(turn: &mut Turn<'_>, client: &Client) -> bool {
    // The operator says that it is none.
    if client.meant.host(turn).is_some() {
        return false;
    }
    who::recognise(turn, client);
    let is_listed = turn.hall.listed.get(turn.config, client.mac).is_some();
    let is_known = turn.hall.nodes.get(client.mac).is_some();
    if client.firmware.is_none() && !is_listed && !is_known {
        return false;
    }
    if !turn.meet(client.mac) {
        let what = turn.no_room(client.mac);
        turn.event_by_stranger(Kind::Trouble, what);
        return false;
    }
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
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
            turn.hall.held_back.remove(&client.mac);
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
    turn.hall.held_back.remove(&client.mac);
    if is_node {
        let asked = turn.line(format_args!("REQUEST {address}{}", client.describe()));
        heard(turn, client, asked);
        turn.hears_us(client.mac);
        // Its DISCOVER may have been answered by this server before a restart.
        if let Some(firmware) = client.firmware {
            power_on(turn, client, firmware, false);
        }
        turn.tell_misplaced_client(client.mac);
    }
    let decision = decide(turn, client, case, address, is_node);
    // Whoever asks from INIT-REBOOT has left mid-boot: with a permanent address it is not to go on with its temporary one.
    if case == Case::InitReboot && turn.permanent_address(client.mac, client.place).is_some() {
        turn.hall.leases.supersede(client.mac, client.place);
    }
    carry_out(turn, client, (case, decision), address, is_node, datagram);
}

/// Does what was decided on a client's wish for an address.
fn carry_out(
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
            turn.hall.deferred.entry(address).or_insert_with(|| Deferred::of(datagram));
        }
        Decision::Known(lease) | Decision::Reserved(lease) => {
            if turn.permanent_address(client.mac, client.place) == Some(address) {
                turn.leave_former(client.mac, is_booting(client));
            }
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::Renewed(lease) => {
            let wanted = lease;
            let lease = renewal::grantable(turn, address, wanted);
            let is_another = turn.hall.leases.renew(turn.now, address, lease) || lease < wanted;
            silence::ends(turn, client);
            // It is known by its name at once; a restart that comes before the record forgets it until the next renewal.
            if naming::keep(turn, client, address) || is_another {
                turn.keep_loan(address);
            }
            turn.hall.naming.lent(address, (turn.now + lease).as_nanoseconds());
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::New(pool, lease) => {
            let until = turn.hall.leases.lend(turn.now, address, client.mac, pool, lease);
            // Whatever else it was offered.
            turn.hall.leases.forget_offers(client.mac);
            // It begins anew, and has left behind what it had where nothing is lent any more, or by another number.
            turn.leave_former(client.mac, is_booting(client));
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
            turn.keep_node(mac);
            let reason = "there is no trial for it".into();
            turn.promise(Promise::Number { mac, reason, in_mid_boot: client.firmware.is_some() });
            grant(turn, client, address, lease, None, is_node);
        }
        Decision::No => nak(turn, client, address),
        Decision::Later => {
            turn.hall.deferred.entry(address).or_insert_with(|| Deferred::of(datagram));
        }
        Decision::Silence => {}
    }
}

/// Whether it is firmware that asks, so that no system of its machine runs.
fn is_booting(client: &Client) -> bool {
    client.firmware.is_some() && client.is_of_the_system
}

/// In which state of RFC 2131 4.4 the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Selecting,
    InitReboot,
    /// RENEWING or REBINDING: to the server, the same.
    Renewing,
}

/// What a REQUEST gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// An ACK: the address is the machine's by its number.
    Known(Duration),
    /// An ACK, as soon as it is known that nobody else has the address: it is kept for the host.
    Reserved(Duration),
    /// An ACK: the address is lent to it.
    Renewed(Duration),
    /// An ACK as soon as the loan is recorded.
    New(PoolId, Duration),
    /// An ACK as soon as the number is recorded.
    Number(u32, Duration),
    /// A NAK: we are authoritative for the address, and it is not the client's.
    No,
    /// Nothing yet: whether the address is free will be known in a moment.
    Later,
    /// Nothing: the address is not ours to judge, or the answer is under way.
    Silence,
}

fn decide(turn: &mut Turn<'_>, client: &Client, case: Case, address: Ipv4Addr, is_node: bool) -> Decision {
    if case == Case::Renewing && who::lacks_its_relay(turn, client, address) {
        return Decision::Silence;
    }
    let settings = &turn.config.networks[client.place];
    let permanent = turn.permanent_address(client.mac, client.place);
    // What a host uses already it may go on to use, whoever else was found there: it is the operator who says whose the address is.
    let reserved = match case {
        Case::Selecting | Case::InitReboot => who::reserved(turn, client),
        Case::Renewing => who::kept(turn, client),
    };
    match reserved {
        Some((reserved, lease)) if reserved == address && case == Case::Renewing => {
            return Decision::Known(lease);
        }
        Some((reserved, lease)) if reserved == address => return Decision::Reserved(lease),
        Some(_) | None if permanent == Some(address) => return Decision::Known(settings.lease),
        Some(_) | None => {}
    }
    let permanent = permanent.or_else(|| reserved.map(|(address, _)| address));
    let number = turn.hall.nodes.get(client.mac).and_then(|node| node.number);
    let has_number_here = number.is_some_and(|number| settings.numbering.address(number).is_some());
    // "The client's notion of its IP address is not correct" (RFC 2131 3.2): ours to say for our own ranges alone.
    let refusal = match case {
        Case::Selecting => Decision::No,
        Case::InitReboot | Case::Renewing if is_ours(turn, address) => Decision::No,
        // We know this client, and that it is to have another address on this very network.
        Case::InitReboot | Case::Renewing if has_number_here && settings.contains(address) => Decision::No,
        // "On the wrong network" (RFC 2131 4.3.2): its network had other addresses once.
        Case::InitReboot | Case::Renewing if has_number_here && is_of_no_server(turn, client, address) => {
            Decision::No
        }
        Case::InitReboot | Case::Renewing => Decision::Silence,
    };
    let kind = if is_node { PoolKind::Temporary } else { PoolKind::Guest };
    let lease = if is_node { settings.temporary_lease } else { who::guest_lease(turn, client) };
    if let Some(lent) = turn.hall.leases.get(address) {
        let is_former = lent.pool.kind == PoolKind::Number && lent.mac == client.mac;
        // It has it by the number that it had before, and what it is to have is not to be had yet: it goes on.
        if is_former && permanent.is_none() && case == Case::Renewing {
            let lease = renewal::grantable(turn, address, settings.lease);
            if turn.hall.leases.renew(turn.now, address, lease) || lease < settings.lease {
                turn.keep_loan(address);
            }
            return Decision::Known(lease);
        }
        let moves_on = permanent.is_some() && case == Case::InitReboot;
        return match () {
            () if lent.mac != client.mac || lent.pool.network != client.place || lent.pool.kind != kind => {
                refusal
            }
            // As long as it has nothing else here, it goes on.
            () if (lent.superseded && permanent.is_some()) || moves_on => refusal,
            // It was lent where it is not ours to lend any more, and to this very client.
            () if turn.hall.leases.is_stranded(address) => Decision::No,
            // Its record is under way, and its ACK will follow.
            () if !lent.recorded => Decision::Silence,
            () => Decision::Renewed(lease),
        };
    }
    if let Some(number) = settings.numbering.number(address) {
        let offered = turn.hall.leases.offered(address);
        let to_another = offered.is_some_and(|mac| mac != client.mac);
        let is_claimed = turn.hall.nodes.get(client.mac).is_some_and(|node| node.promised() == Some(number));
        let is_free = turn.hall.nodes.holder(number).is_none() && !to_another;
        let is_meant = is_meant(turn, client, number);
        return match () {
            () if is_claimed => Decision::Silence,
            () if is_node && is_free && is_meant && is_numbered_at_request(turn, client) => {
                Decision::Number(number, settings.lease)
            }
            () => refusal,
        };
    }
    // A machine with a number does not get a second temporary address; without an offer that we remember, a free one is as good as offered.
    let pool = PoolId { network: client.place, kind };
    let has_other = turn.hall.leases.borrowed(client.mac, pool).is_some();
    let will_have_one = claimed_address(turn, client).is_some() || is_numbered_at_request(turn, client);
    let may_borrow = permanent.is_none() && !has_other && !will_have_one;
    match turn.hall.leases.check(address, client.mac, pool) {
        Ok(()) if may_borrow => Decision::New(pool, lease),
        Err(NotFree::Probed) if may_borrow => Decision::Later,
        Ok(()) | Err(NotFree::Probed | NotFree::Taken | NotFree::Elsewhere) => refusal,
    }
}

/// Whether it is ours to say whose an address is.
fn is_ours(turn: &Turn<'_>, address: Ipv4Addr) -> bool {
    network::is_ours(turn.config, address) || turn.hall.reservations.has_address(address)
}

/// Whether an address is in none of our networks, and can be no other server's either: on a link that is ours alone, as far as anybody has said or was heard. By a relay there may be
/// another server's network on the same link.
fn is_of_no_server(turn: &Turn<'_>, client: &Client, address: Ipv4Addr) -> bool {
    let settings = &turn.config.networks[client.place];
    let is_here = settings.on_link && client.message.giaddr.is_unspecified();
    let mut here = turn.config.networks.iter().filter(|network| network.interface == settings.interface);
    is_here
        && !turn.config.networks.iter().any(|network| network.contains(address))
        && here.all(|network| network.mode == Mode::Serve && network.other_servers.is_empty())
        && !turn.hall.other_servers.is_on(&settings.interface)
}

/// Tells once what a machine is not told, because there is no room for it in its packets.
fn tell_left_out(turn: &mut Turn<'_>, client: &Client, left_out: Vec<u8>) {
    if left_out.is_empty() || turn.hall.left_out.get(&client.mac) == Some(&left_out) {
        return;
    }
    if turn.hall.left_out.len() >= LEFT_OUT_TOLD_MAX {
        turn.hall.left_out.clear();
    }
    let codes: Vec<_> = left_out.iter().map(|code| OptionPath::Whole(*code).to_string()).collect();
    let what = format!("there is no room in its packets for option {}", codes.join(", "));
    turn.hall.left_out.insert(client.mac, left_out);
    turn.trouble_beside(client.mac, Beside::Options, what, Some("give it fewer or shorter options".into()));
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
    if is_node && is_permanent && client.is_bootp() {
        // It has its address for good, and never says that it needs it still.
        if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
            node.granted_until = None;
        }
    } else if is_node && is_permanent {
        let until = turn.now + lease;
        if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
            node.granted_until = Some(until);
            node.renewed(turn.now);
            let mac = node.mac;
            turn.hall.timers.arm(until, Due::Grant(mac));
        }
        turn.hall.leases.supersede(client.mac, client.place);
        turn.step(client.mac, Step::Renewed, "it renewed its lease");
    }
    let in_mid_boot = turn.hall.nodes.get(client.mac).is_some_and(|node| node.stage != Stage::Up);
    let reply = Reply::new(turn, client, MessageType::Ack).lease(address, lease).parameters(address);
    if let Some(path) = reply.boot_path()
        && let Some(node) = turn.hall.nodes.get_mut(client.mac)
    {
        node.boot.named = Some(path.clone());
        node.boot.file = Some(path);
    }
    if who::kept(turn, client).is_some_and(|(kept, _)| kept == address) {
        turn.hall.heard.granted(client.mac, address, turn.now + lease);
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
        turn.promise(Promise::Grant(grant));
    }
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
    let reply = Reply::new(turn, client, MessageType::Nak);
    turn.out.push(Output::Dhcp(reply.send()));
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
        // Its loader says what it is; who says nothing is a kernel, or runs on one.
        if client.firmware.is_none() && node.phase >= Some(Phase::Kernel) {
            node.boot.system_asked.get_or_insert(now);
        }
    }
}

/// Whether a server identifier is one of ours, or one that a relay gives for ours (RFC 5107 4).
fn is_our_identifier(turn: &Turn<'_>, client: &Client, server: Ipv4Addr) -> bool {
    let is_network = turn.config.networks.iter().any(|network| network.on_link && network.address == server);
    is_network || [client.server, client.identifier()].contains(&server)
}

#[cfg(test)]
mod tests;
