//! A client has an address by other means and wants to know the rest (RFC 2131 4.3.5).

use super::ack::tell_left_out;
use super::client::Client;
use super::is_own;
use super::reply::{Packet, Reply};
use crate::cluster::network;
use crate::hall::Turn;
use crate::message::Output;
use crate::wire::dhcp::MessageType;

/// Answers at ciaddr.
pub(super) fn handle(turn: &mut Turn<'_>, client: &Client) {
    let settings = &turn.config.networks[client.place];
    let address = client.message.ciaddr;
    // It says that this is its own, and the answer goes there: to nobody, to all of a network, or to ourselves.
    if !network::is_of_a_host(turn.config, address) || is_own(turn, address) {
        return turn.malformed("dhcp-inform-address");
    }
    let is_host = client.meant.host(turn).is_some();
    let is_served = is_host || turn.hall.nodes.node(client.mac).is_some() || settings.guests.is_some();
    // "SHOULD check the network address for consistency", but not for a lease.
    if !is_served || !settings.contains(address) {
        return;
    }
    // Neither yiaddr nor lease times: it has its address from elsewhere.
    let reply = Reply::new(turn, client, MessageType::Ack).informed().parameters(address);
    let Packet { send, left_out } = reply.packet();
    tell_left_out(turn, client, left_out);
    turn.out.push(Output::Dhcp(send));
}
