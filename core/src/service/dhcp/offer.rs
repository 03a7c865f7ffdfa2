//! Offers: what they say is the reply's affair, when they go is decided here.

use super::ack::tell_left_out;
use super::choice::address_to_offer;
use super::client::Client;
use super::reply::{Missing, Packet, Reply};
use super::silence::silence;
use super::{at_once, naming, probe, shared};
use crate::cluster::trouble::Beside;
use crate::config::{FirmwareKind, Protocol};
use crate::event::Kind;
use crate::hall::{Deferred, Due, HeldBack, Offer, Turn};
use crate::load::{self, Admission, Waiter};
use crate::mac::Mac;
use crate::message::Datagram;
use crate::time::Time;
use crate::wire::dhcp::MessageType;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Offers an address: now, or when the link has room for the client and nobody was found to have the address.
pub(super) fn make_offer(
    turn: &mut Turn<'_>,
    client: &Client,
    is_node: bool,
    admission: Admission,
    datagram: Datagram<'_>,
) {
    // Who asks again has waited long enough.
    turn.hall.held_back.remove_by(client.mac, datagram);
    let there;
    let (client, address, lease) = match address_to_offer(turn, client, is_node) {
        Some((address, lease)) => (client, address, lease),
        None => match shared::offer_elsewhere(turn, client, is_node) {
            Some((client, address, lease)) => {
                there = client;
                (&there, address, lease)
            }
            None => return silence(turn, client, is_node),
        },
    };
    if at_once::is_wanted(turn, client, admission) && at_once::grant(turn, client, address, is_node, datagram)
    {
        return;
    }
    let name = naming::will_be(turn, client, address);
    let reply = Reply::new(turn, client, MessageType::Offer).called(address, name);
    let reply = reply.lease(address, lease).parameters(address);
    let told = turn.line(format_args!("OFFER {address}{}", reply.describe()));
    let probed = probe::before_offer(turn, client, address);
    offer(turn, client, Terms { address, admission, probed, told }, reply, datagram);
}

/// What an offer speaks of, and what it waits for.
pub(super) struct Terms {
    /// The address; none that is anybody's beside another server, which gives it.
    pub(super) address: Ipv4Addr,
    pub(super) admission: Admission,
    /// Until when it is asked whether somebody has the address.
    pub(super) probed: Option<Time>,
    /// For the history.
    pub(super) told: Arc<str>,
}

/// Sends an offer when it is time for it.
pub(super) fn offer(
    turn: &mut Turn<'_>,
    client: &Client,
    terms: Terms,
    reply: Reply<'_>,
    datagram: Datagram<'_>,
) {
    let Terms { address, admission, probed, told } = terms;
    tell_missing(turn, client, &reply);
    let Packet { send, left_out } = reply.packet();
    tell_left_out(turn, client, left_out);
    let offer = Offer { told, send };
    let now = turn.now;
    let at = match admission {
        Admission::Now => probed,
        Admission::Later(after) => probed.max(Some(now + after)),
        Admission::WhenAskedAgain => {
            let told = "nothing yet: the link is full, and it will ask again within 4 s";
            turn.event(Some(client.mac), Kind::Load, told);
            if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
                node.is_told(turn.now, told);
            }
            return;
        }
    };
    match at {
        None => turn.offer(client.mac, offer),
        Some(at) => hold_back(turn, client.mac, (address, offer), at, datagram),
    }
}

/// Tells that firmware is told of no boot file, and why; or that it is, by one of its ways to boot.
pub(super) fn tell_missing(turn: &mut Turn<'_>, client: &Client, reply: &Reply<'_>) {
    if let Some(Missing { what, to_do }) = reply.missing_boot_file() {
        let what = format!("its firmware was offered no boot file: {what}");
        turn.trouble_beside_once(client.mac, Beside::NoFile, what, to_do);
    } else if client.firmware.is_some() {
        turn.no_trouble(client.mac, Beside::NoFile);
    }
}

/// Keeps an offer until its moment has come.
fn hold_back(
    turn: &mut Turn<'_>,
    mac: Mac,
    (address, offer): (Ipv4Addr, Offer),
    at: Time,
    datagram: Datagram<'_>,
) {
    if turn.hall.held_back.is_full() {
        return turn.offer(mac, offer);
    }
    let asked = Deferred::of(datagram);
    turn.hall.held_back.insert(mac, HeldBack { address, at, asked, offer, tried: 0, is_outdated: false });
    turn.hall.timers.arm(at, Due::Offer(mac));
}

/// The moment of offers that were held back.
pub(crate) fn let_go(turn: &mut Turn<'_>, mac: Mac) {
    for held in turn.hall.held_back.take_due(turn.now, mac) {
        if held.is_outdated {
            // Whom we serve there, and with what, may be another matter by now: it is answered as if it asked now.
            super::handle(turn, held.asked.datagram());
        } else {
            send_held(turn, mac, held);
        }
    }
    if let Some(next) = turn.hall.held_back.next(mac) {
        turn.hall.timers.arm(next, Due::Offer(mac));
    }
}

fn send_held(turn: &mut Turn<'_>, mac: Mac, held: HeldBack) {
    let leases = &turn.hall.leases;
    let is_lent_to_another = leases.get(held.address).is_some_and(|lease| lease.mac != mac);
    let is_offered_to_another = leases.offered(held.address).is_some_and(|other| other != mac);
    // Where no other address was left, the oldest offer has given way: the client asks again.
    if !is_lent_to_another && !is_offered_to_another {
        turn.offer(mac, held.offer);
    }
}

/// When a machine that begins to boot is answered: never is a numbered node in mid-boot, or one that asked before, made to wait.
pub(super) fn admit(turn: &Turn<'_>, client: &Client) -> Admission {
    let waiter = match client.firmware_kind.map(|kind| (kind, kind.row().protocol)) {
        Some((FirmwareKind::Bios, _)) | None => Waiter::Rom,
        Some((_, Protocol::Script)) => Waiter::Ipxe,
        Some((_, Protocol::Tftp | Protocol::Http)) => Waiter::Uefi,
    };
    load::admit(turn.regime(client.place), waiter, client.mac.stable_hash())
}
