//! Beside another server, which gives the addresses (PXE 2.1, 2.2.3): firmware gets an offer with a boot file and no address, and nobody gets anything else.
//!
//! A node is known by its hardware address as ever. What address it has is the other server's to say; it is learnt from what the machine asks that
//! server for by broadcast, from what the server acknowledges where that is to be heard, and from the address that it uses when it comes to port 4011.
//! Such an address is kept like one that is lent, so that files that are made for a node find it, also after a restart.

use super::choice::is_numbered_at_request;
use super::client::Client;
use super::offer::{Terms, admit, offer};
use super::reply::{Missing, Reply};
use super::{heard, is_own, meet, power_on, pxe, shadow};
use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::cluster::node::{Firmware, Node};
use crate::cluster::quirk::Trait;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trouble::Beside;
use crate::config::{FirmwareKind, Mode};
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::HOLD_AFTER_LIFE;
use crate::load::Admission;
use crate::message::Datagram;
use crate::promise::Promise;
use crate::wire::dhcp::{Message, MessageType, option};
use std::net::Ipv4Addr;

/// How sure it is that a machine has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It is said, in what any user's program on any host can send.
    Said,
    /// It is said from there, in what any user's program on a host that runs there can send.
    SaidThere,
    /// It asked the other server for it, which may say no.
    Asked,
    /// It uses it, or the other server acknowledged it.
    Used,
}

/// Takes a datagram of port 67 on a network where another server gives the addresses.
pub(super) fn handle(
    turn: &mut Turn<'_>,
    client: &Client,
    message_type: MessageType,
    datagram: Datagram<'_>,
) {
    match message_type {
        MessageType::Discover => discover(turn, client, datagram),
        MessageType::Request => request(turn, client),
        MessageType::Inform => {
            if let Some(target) = pxe::at_its_address(client) {
                pxe::answer(turn, client, target);
            }
        }
        MessageType::Decline if !client.is_of_the_system => turn.malformed("dhcp-decline-source"),
        MessageType::Decline => {
            let address = client.message.options.address(option::REQUESTED_ADDRESS);
            turn.leaves_elsewhere(address.unwrap_or(Ipv4Addr::UNSPECIFIED), client.mac);
            turn.lost(client.mac, "it declined its address");
        }
        // It goes to the other server alone.
        MessageType::Release => {}
        MessageType::Offer | MessageType::Ack | MessageType::Nak => turn.malformed("dhcp-reply"),
    }
}

/// Firmware looks for servers, a node's or a `[[host]]`'s. Guests, and systems that run, want nothing of us; nor does who has never said that it takes a word from anybody but the server that
/// gives its address. Where there is nothing to boot, nothing is said either, whatever an operator's options say beside: some firmware takes such an offer for the one that it waited for, and EDK2, which
/// counts one without option 60 among those that give an address, forgets a real one for it.
fn discover(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) {
    let Some(firmware) = client.firmware else { return };
    let is_node = meet(turn, client);
    if !is_node && client.meant.host(turn).is_none() {
        return;
    }
    let mut admission = Admission::Now;
    if is_node {
        heard(turn, client, format!("DISCOVER{}", client.describe()));
        turn.event(Some(client.mac), Kind::Discover, format!("DISCOVER{}", client.describe()));
        if power_on(turn, client, firmware, true) {
            admission = admit(turn, client);
        }
        turn.tell_misplaced_client(client.mac);
    }
    if !client.hears_proxies {
        return unspoken_to(turn, client);
    }
    let reply = Reply::new(turn, client, MessageType::Offer);
    if !reply.names_something() {
        turn.hall.held_back.remove_by(client.mac, datagram);
        return untold(turn, client, &reply);
    }
    // Who does not come to port 4011 for that has it from the offer.
    let is_told = |node: &&mut Node| {
        !client.traits.contains(&Trait::AsksAtSiaddr) && power_on::is_believed(client, node)
    };
    let named = reply.named(turn);
    if let Some(node) = turn.hall.nodes.get_mut(client.mac).filter(is_told) {
        node.boot.named = Some(named);
    }
    let reply = reply.boot_only();
    let told = turn.line(format_args!("OFFER beside another server{}", reply.describe()));
    turn.hall.held_back.remove_by(client.mac, datagram);
    let terms = Terms { address: Ipv4Addr::UNSPECIFIED, admission, probed: None, told };
    offer(turn, client, terms, reply, datagram);
}

/// Firmware that would not take our word. Where the other server names us it boots all the same, so that it stands with its machine alone; and any user's program can say so for one that runs.
fn unspoken_to(turn: &mut Turn<'_>, client: &Client) {
    if is_doubted(turn, client) {
        return;
    }
    let what = "it was offered nothing: it does not call itself PXEClient or HTTPClient (option 60), and takes files from the server of its address alone";
    let to_do =
        format!("name {} as the next server (siaddr) of {} in the other server", client.server, client.mac);
    turn.trouble_beside_once(client.mac, Beside::TakesNoWord, what.into(), to_do);
}

/// Firmware for which there is no word.
fn untold(turn: &mut Turn<'_>, client: &Client, reply: &Reply<'_>) {
    if let Some(Missing { what, to_do }) = reply.missing_boot_file().filter(|_| !is_doubted(turn, client)) {
        let what = format!("its firmware was offered nothing: {what}");
        turn.trouble_beside_once(client.mac, Beside::NoFile, what, to_do);
    }
}

/// Whether it may be any user's program that calls itself firmware, so that nothing is in its machine's way by that.
fn is_doubted(turn: &Turn<'_>, client: &Client) -> bool {
    turn.hall.nodes.get(client.mac).is_some_and(|node| !power_on::is_believed(client, node))
}

/// A machine takes an address from the other server, or keeps it.
fn request(turn: &mut Turn<'_>, client: &Client) {
    if pxe::chosen(client).is_some() {
        if let Some(target) = pxe::at_its_address(client) {
            pxe::answer(turn, client, target);
        }
        return;
    }
    let is_known = client.firmware.is_some() || turn.hall.nodes.node(client.mac).is_some();
    if !is_known || !meet(turn, client) {
        return;
    }
    turn.hall.held_back.remove(client.mac);
    let server = client.message.options.address(option::SERVER_IDENTIFIER);
    let requested = client.message.options.address(option::REQUESTED_ADDRESS);
    let address = requested.unwrap_or(client.message.ciaddr);
    if address.is_unspecified() || server == Some(client.server) {
        return;
    }
    let evidence = match requested {
        Some(_) if client.is_of_the_system => Some(Evidence::Asked),
        Some(_) => Some(Evidence::Said),
        None => evidence_of_use(client),
    };
    let Some(evidence) = evidence else { return turn.malformed("dhcp-request-source") };
    let is_believed = is_claim_believed(turn, client, address, evidence);
    let of = server.map(|server| format!(" of {server}")).unwrap_or_default();
    heard(turn, client, format!("REQUEST {address}{of}{}", client.describe()));
    if let Some(firmware) = client.firmware {
        power_on(turn, client, firmware, false);
    }
    turn.tell_misplaced_client(client.mac);
    if is_believed {
        learn(turn, client, address, evidence);
    }
}

/// How sure it is that a client has the address that it calls its own. None: it speaks from another one, as any user's program can of any machine's.
fn evidence_of_use(client: &Client) -> Option<Evidence> {
    let is_from_there = *client.source.ip() == client.message.ciaddr;
    match client.is_of_the_system {
        true => Some(Evidence::Used),
        // EDK2 asks so at port 4011.
        false if is_from_there => Some(Evidence::SaidThere),
        // Relays that send from another port than theirs forward so, and whoever calls himself one.
        false => (!client.message.giaddr.is_unspecified()).then_some(Evidence::Said),
    }
}

/// The address that a client at port 4011 has, if it is believed, and how sure that is. To be asked before it is taken note that its machine was heard.
pub(super) fn at_port_4011(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Evidence)> {
    let address = client.message.ciaddr;
    let evidence = evidence_of_use(client).filter(|_| client.mode == Mode::Proxy)?;
    is_claim_believed(turn, client, address, evidence).then_some((address, evidence))
}

/// Whether a client is believed that it has an address, or will have. What is made for a node goes to its address: as long as another machine lives there, asking alone takes nothing from it, for whoever
/// comes back with an old address asks for it too. What any user's program can say takes from nobody where he lives: neither what another one has nor, for another address, what the client itself has; and
/// said from elsewhere it takes from nobody at all.
fn is_claim_believed(turn: &Turn<'_>, client: &Client, address: Ipv4Addr, evidence: Evidence) -> bool {
    let mac = client.mac;
    let holder = turn.hall.leases.get(address).filter(|holder| holder.mac != mac);
    let id = PoolId { network: client.place, kind: PoolKind::Elsewhere };
    let before = turn.hall.leases.borrowed(mac, id).filter(|before| *before != address);
    let mut taken = holder.into_iter().chain(before.and_then(|before| turn.hall.leases.get(before)));
    match evidence {
        Evidence::Used => true,
        Evidence::Asked => holder.is_none_or(|holder| turn.now.since(holder.life) >= HOLD_AFTER_LIFE),
        Evidence::SaidThere => !taken.any(|lease| lives(turn, lease)),
        Evidence::Said => taken.next().is_none(),
    }
}

/// Whether a machine lives at the address that another server gave it, as far as is known.
fn lives(turn: &Turn<'_>, lease: &Lease) -> bool {
    let was_heard = turn.now.since(lease.life) < HOLD_AFTER_LIFE;
    turn.hall.nodes.get(lease.mac).map_or(was_heard, |node| match node.stage {
        // Its system has said so, or fell silent.
        Stage::Down => false,
        Stage::Up => was_heard || turn.checks_in_at(lease),
        Stage::Seen | Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Booting => {
            was_heard
        }
    })
}

/// Another server said what it gives a machine, and we heard it.
pub(super) fn overheard(turn: &mut Turn<'_>, client: &Client, message_type: MessageType, source: Ipv4Addr) {
    let is_known = turn.hall.nodes.node(client.mac).is_some();
    match message_type {
        MessageType::Ack if is_known && !client.message.yiaddr.is_unspecified() => {
            learn(turn, client, client.message.yiaddr, Evidence::Used);
            tell_file_of_another(turn, client, source);
        }
        MessageType::Nak if is_known => {
            let id = PoolId { network: client.place, kind: PoolKind::Elsewhere };
            if let Some(address) = turn.hall.leases.borrowed(client.mac, id) {
                turn.leaves_elsewhere(address, client.mac);
                turn.lost(client.mac, "another server refused its address");
            }
        }
        MessageType::Discover
        | MessageType::Offer
        | MessageType::Request
        | MessageType::Decline
        | MessageType::Ack
        | MessageType::Nak
        | MessageType::Release
        | MessageType::Inform => {}
    }
}

/// The other server gives firmware its address, and perhaps names a boot file with it, which is loaded in place of ours.
fn tell_file_of_another(turn: &mut Turn<'_>, client: &Client, source: Ipv4Addr) {
    let mac = client.mac;
    let is_loading = |node: &&Node| {
        node.stage.is_booting() && node.phase <= Some(Phase::Loader) && node.boot.programs.last().is_some()
    };
    let Some(node) = turn.hall.nodes.get(mac).filter(is_loading) else { return };
    let server = client.message.options.address(option::SERVER_IDENTIFIER).unwrap_or(source);
    let taken =
        file_of_another(turn, client, server).filter(|_| takes_word_of_another(node, &client.message));
    let Some((file, at)) = taken else { return turn.no_trouble(mac, Beside::FileOfAnother) };
    let what = format!(
        "{server}, which gives it its address, names a boot file, {file} at {at}: firmware loads that instead of ours"
    );
    let to_do =
        format!("take the boot file (option 67, and the field file) out of what {server} says to {mac}");
    turn.trouble_beside_once(mac, Beside::FileOfAnother, what, to_do);
}

/// The boot file that the server of its address names, and where that is. One that is to be had from here is one that the operator means, and a host's name may be ours or not.
fn file_of_another(turn: &Turn<'_>, client: &Client, server: Ipv4Addr) -> Option<(String, Ipv4Addr)> {
    let file = shadow::file_named_by(&client.message)?;
    let at = match file.split_once("://") {
        Some((_, rest)) => rest.split(['/', ':']).next().and_then(|host| host.parse().ok())?,
        None => Some(client.message.siaddr).filter(|next| !next.is_unspecified()).unwrap_or(server),
    };
    (!is_own(turn, at)).then_some((file, at))
}

/// Whether the firmware that asked last loads what the server of its address names, although it was offered a file by us. UEFI does where that server speaks the protocol by which it asks (option 60); else
/// it takes a proxy's offer first (EDK2, PxeBcSelectDhcpOffer). ROMs of a BIOS, U-Boot and iPXE do in any case.
fn takes_word_of_another(node: &Node, message: &Message) -> bool {
    let is_called =
        |class: &[u8]| message.options.get(option::VENDOR_CLASS).is_some_and(|said| said.starts_with(class));
    let is_uefi = node.boot.machine.is_some_and(|machine| machine != FirmwareKind::Bios);
    match node.boot.programs.last() {
        Some(Firmware::Pxe) => !is_uefi || node.boot.is_u_boot || is_called(b"PXEClient"),
        Some(Firmware::Http) => is_called(b"HTTPClient"),
        Some(Firmware::Ipxe) | None => true,
    }
}

/// A machine has an address that another server gave it, and is believed.
pub(super) fn learn(turn: &mut Turn<'_>, client: &Client, address: Ipv4Addr, evidence: Evidence) {
    let settings = &turn.config.networks[client.place];
    if !settings.contains(address) || address.is_unspecified() {
        return;
    }
    let mac = client.mac;
    let is_known = turn.hall.leases.get(address).is_some_and(|holder| holder.mac == mac);
    turn.has_elsewhere(mac, client.place, address);
    let in_mid_boot = turn.hall.nodes.get(mac).is_some_and(|node| node.stage != Stage::Up);
    let is_used = match evidence {
        Evidence::Used => true,
        Evidence::Asked | Evidence::Said => false,
        // Frames of an address go to whom a user there names only if that is whose it was known to be.
        Evidence::SaidThere => is_known,
    };
    if is_used && in_mid_boot && client.firmware.is_some() {
        turn.pin(address, mac);
    }
    turn.step(mac, Step::Lent, "another server gave it an address");
    number_at_once(turn, client, evidence);
}

/// Without a trial a machine has its number as soon as it has an address. Which one, no user's program says for it.
fn number_at_once(turn: &mut Turn<'_>, client: &Client, evidence: Evidence) {
    if !is_numbered_at_request(turn, client) {
        return;
    }
    let mac = turn.hall.nodes.identity(client.mac);
    let number = match evidence {
        Evidence::Asked | Evidence::Used | Evidence::SaidThere => turn.number_for(mac, client.place),
        Evidence::Said => turn.number_for_doubtful(mac, client.place),
    };
    if let Some(number) = number
        && turn.hall.nodes.claim(mac, number)
    {
        turn.keep_node(mac);
        let reason = "there is no trial for it".into();
        turn.promise(Promise::Number { mac, reason, in_mid_boot: client.firmware.is_some() });
    }
}
