//! An ACK without an OFFER: to DHCP clients that want it so (RFC 4039), and to all of BOOTP's. It waits for its record like any other ACK.

use super::ack::carry_out;
use super::client::Client;
use super::decision::{Case, Decision, decide};
use crate::hall::Turn;
use crate::load::Admission;
use crate::message::Datagram;
use crate::wire::dhcp::option;
use std::net::Ipv4Addr;

/// Whether a DISCOVER is to be answered by an ACK (RFC 4039 3.1): client and operator want it. Where the client would have to wait for its offer, it gets
/// one: what is held back has to be free to become nothing.
pub(super) fn is_wanted(turn: &Turn<'_>, client: &Client, admission: Admission) -> bool {
    let settings = &turn.config.networks[client.place];
    let is_asked_for = client.message.options.contains(option::RAPID_COMMIT);
    is_asked_for && settings.rapid_commit && admission == Admission::Now
}

/// Grants an address that nobody has offered yet, if it can be had. False: it cannot, and nothing was done.
pub(super) fn grant(
    turn: &mut Turn<'_>,
    client: &Client,
    address: Ipv4Addr,
    is_node: bool,
    datagram: Datagram<'_>,
) -> bool {
    let decision = decide(turn, client, Case::AtOnce, address, is_node);
    match decision {
        Decision::No => return false,
        Decision::Silence => return turn.hall.leases.get(address).is_some(),
        // It asks again while its ACK waits for the record. What is recorded without one is none that it waits for.
        Decision::UnderWay(_) if !turn.hall.granting.is_waiting(client.mac, address) => {
            return turn.hall.leases.get(address).is_some();
        }
        Decision::Known(_)
        | Decision::Reserved(_)
        | Decision::Renewed(_)
        | Decision::Former(_)
        | Decision::New(..)
        | Decision::Number(..)
        | Decision::UnderWay(_)
        | Decision::Later => {}
    }
    turn.hall.held_back.remove(client.mac);
    carry_out(turn, client, (Case::AtOnce, decision), address, is_node, datagram);
    true
}
