//! A client gives an address up: because another host has it, or because it is done.

use super::client::Client;
use super::{is_our_identifier, silence, who};
use crate::cluster::node::Trouble;
use crate::cluster::stage::{Stage, Step};
use crate::cluster::unanswered::Why;
use crate::config::Mode;
use crate::event::Kind;
use crate::hall::{Due, Turn};
use crate::limit::{DECLINED_PER_MACHINE_MAX, QUARANTINE};
use crate::wire::dhcp::option;

/// The client has found its new address in use (RFC 2131 4.3.3).
pub(super) fn decline(turn: &mut Turn<'_>, client: &Client) {
    if is_for_another(turn, client) {
        return;
    }
    if !client.is_of_the_system {
        return turn.malformed("dhcp-decline-source");
    }
    let Some(address) = client.message.options.address(option::REQUESTED_ADDRESS) else {
        return turn.malformed("dhcp-decline-address");
    };
    let is_lent = turn.hall.leases.get(address).is_some_and(|lease| lease.mac == client.mac);
    let is_offered = turn.hall.leases.offered(address) == Some(client.mac);
    let is_reserved = who::reserved(turn, client).is_some_and(|(reserved, _)| reserved == address);
    let is_permanent = is_reserved || turn.permanent_address(client.mac, client.place) == Some(address);
    if !is_lent && !is_offered && !is_permanent {
        return; // Not its own to decline: anybody could empty the pool.
    }
    let is_node = turn.hall.nodes.node(client.mac).is_some();
    // A guest that was only offered an address has not asked for it: it is no word that the journal needs each time.
    if is_node || is_lent || is_permanent {
        turn.event(Some(client.mac), Kind::Decline, format!("DECLINE {address}: another host has it"));
    }
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        node.asks(turn.now, format!("DECLINE {address}"));
    }
    if is_reserved {
        // It has it no more, and does not get it again before it was asked who has it. Until then it is a guest like others.
        turn.host_gave_back(address, client.mac);
        turn.unpin(address);
        let until = turn.now + QUARANTINE;
        turn.hall.leases.quarantine(address, until, None);
        turn.hall.timers.arm(until, Due::Address(address));
    }
    // RFC 2131 4.3.3: the server "MUST mark the network address as not available". A number's is not: no other can be given for it, as names and addresses are arithmetic. It is offered again, and whoever
    // has taken it is for the operator to find.
    if is_permanent {
        let what = format!("its address {address} is used by another host");
        return turn.trouble_once(
            client.mac,
            what,
            Some(format!("find who answers for {address} by ARP, and take the address from it")),
        );
    }
    if !is_lent {
        // An address is tried when the DHCPACK has come (RFC 2131 3.1, step 5). One who never asks for what it is offered could close the whole range.
        turn.hall.leases.forget_offers(client.mac);
        return not_believed(turn, client, is_node, "the address was only offered to it".into());
    }
    turn.end_lease(address);
    turn.expired(client.mac, "it declined its temporary address");
    let until = turn.now + QUARANTINE;
    if !turn.hall.leases.decline(address, client.mac, until) {
        let what = format!("{DECLINED_PER_MACHINE_MAX} addresses are closed by it already");
        return not_believed(turn, client, is_node, what);
    }
    turn.hall.timers.arm(until, Due::Address(address));
    if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
        let minutes = QUARANTINE.as_secs() / 60;
        let what = format!(
            "it found {address} in use by another host: the address is not lent for {minutes} minutes"
        );
        let to_do = format!("find who answers for {address} by ARP: the range is for this server alone");
        node.trouble = Some(Trouble { what, to_do: Some(to_do) });
    }
}

/// A DECLINE closes nothing.
fn not_believed(turn: &mut Turn<'_>, client: &Client, is_node: bool, why: String) {
    if !is_node {
        return silence::note(turn, client, Why::Declines);
    }
    let Trouble { to_do, .. } = turn.no_address(client.place, Why::Declines);
    let what = format!("it declines what it is given, and that closes nothing: {why}");
    turn.trouble_once(client.mac, what, to_do);
}

/// The client gives its address back (RFC 2131 4.3.4).
pub(super) fn release(turn: &mut Turn<'_>, client: &Client) {
    if is_for_another(turn, client) {
        return;
    }
    let address = client.message.ciaddr;
    // It is sent from the address that it gives back (RFC 2131 4.4.6). From another one any user's program could give back what is another machine's.
    if *client.source.ip() != address && !client.is_of_the_system {
        return turn.malformed("dhcp-release-source");
    }
    if turn.hall.leases.get(address).is_some_and(|lease| lease.mac == client.mac) {
        turn.event(Some(client.mac), Kind::Release, format!("RELEASE {address}"));
        turn.end_lease(address);
        gave_back(turn, client);
    } else if turn.permanent_address(client.mac, client.place) == Some(address) {
        turn.event(Some(client.mac), Kind::Release, format!("RELEASE {address}"));
        turn.unpin(address);
        if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
            node.grants.end(address);
        }
        if runs_on(turn, client) {
            return;
        }
        turn.step(client.mac, Step::Left, "it gave its address back");
    } else if turn.hall.tenants.has(turn.now, address, client.mac) {
        turn.event(Some(client.mac), Kind::Release, format!("RELEASE {address}"));
        turn.host_gave_back(address, client.mac);
        turn.unpin(address);
    }
}

/// A node's card gives back what it has on a further network: its system runs on with the address that its name has, unless it has none there.
fn runs_on(turn: &Turn<'_>, client: &Client) -> bool {
    let Some(node) = turn.hall.nodes.get(client.mac) else { return false };
    let own = node.number.and_then(|number| turn.own_network(node, number));
    let Some((own, number)) = own.filter(|own| *own != client.place).zip(node.number) else { return false };
    let settings = &turn.config.networks[own];
    match settings.mode {
        // Since it was switched on: whatever card it had there in another boot may be gone.
        Mode::Serve => {
            let address = settings.numbering.address(number);
            address.is_some_and(|address| node.grants.at(turn.now, address).is_some())
        }
        // Nothing of what another server grants is known here but that a card was heard there; and what was heard before a restart is not known.
        Mode::Proxy | Mode::Shadow => {
            let is_there = |card| {
                let said = turn.hall.heard.get(card);
                said.is_some_and(|said| said.placed_of_node() == Some(settings.address))
            };
            node.boot.is_resumed || node.cards().any(is_there)
        }
    }
}

/// Its system is over: what asks next, however soon, is another boot's.
fn gave_back(turn: &mut Turn<'_>, client: &Client) {
    turn.expired(client.mac, "it gave its temporary address back");
    if turn.hall.nodes.get(client.mac).is_some_and(|node| node.stage == Stage::Seen) {
        turn.hall.nodes.set_token(client.mac, String::new());
    }
}

/// Whether a client means another server.
fn is_for_another(turn: &Turn<'_>, client: &Client) -> bool {
    let server = client.message.options.address(option::SERVER_IDENTIFIER);
    server.is_some_and(|server| !is_our_identifier(turn, client, server))
}
