//! A number that the configuration gives to one machine while another has it, or its address still.
//!
//! The configuration goes before what was learnt ([`Turn::place_listed`]), but not over a machine that lives: before its number or its address is another's, it is asked on the wire whether
//! it is there. Where nothing is probed, its lease has to end first.

use super::client::Client;
use super::probe;
use crate::cluster::lease::PoolKind;
use crate::cluster::probe::Found;
use crate::hall::{Deferred, Turn};
use crate::mac::Mac;
use crate::message::Datagram;
use std::net::Ipv4Addr;

/// Whether a client has to wait until it is known whether what it is to have is used by another machine.
pub(super) fn is_in_doubt(turn: &mut Turn<'_>, client: &Client, datagram: Datagram<'_>) -> bool {
    let settings = &turn.config.networks[client.place];
    let Some((address, user, is_former)) = used(turn, client).filter(|_| settings.probe) else {
        return false;
    };
    // Who is to have another address, and has not asked for it, may be there and not answer an echo; of one that is in no list, its silence is believed.
    let waits =
        is_former && !settings.on_link && turn.hall.listed.place(turn.hall.nodes.identity(user)).is_some();
    if waits || turn.heard_since(address, user, client.mac).is_some() {
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
    turn.hall.deferred.entry(address).or_insert_with(|| Deferred::of(datagram));
    true
}

/// The address that the configuration gives to a client, if another machine has it still; that machine, and whether it has it by a number that is another now.
fn used(turn: &Turn<'_>, client: &Client) -> Option<(Ipv4Addr, Mac, bool)> {
    let nodes = &turn.hall.nodes;
    let identity = nodes.identity(client.mac);
    let listed = turn.hall.listed.get(turn.config, identity);
    let number = listed.or_else(|| turn.hall.listed.with_mac(turn.config, client.mac))?.number?;
    let address = turn.config.networks[client.place].numbering.address(number)?;
    if let Some(lease) = turn.hall.leases.get(address) {
        let is_anothers = nodes.identity(lease.mac) != identity && lease.pool.kind == PoolKind::Number;
        return is_anothers.then_some((address, lease.mac, true));
    }
    let holder = nodes.get(nodes.holder(number)?)?;
    let is_anothers = holder.mac != identity && !turn.has_left(holder, identity);
    is_anothers.then_some((address, holder.mac, false))
}

/// Somebody answers for an address that the configuration gives to the client for which it was asked: who has it keeps it. What is said of that.
pub(super) fn told(turn: &Turn<'_>, client: Mac, known: Mac) -> Option<(&'static str, String)> {
    let listed = turn.hall.listed.get(turn.config, client).and_then(|listed| listed.number)?;
    let is_its = turn.hall.nodes.get(client).is_some_and(|node| node.number == Some(listed));
    let says = if is_its { "has this number now" } else { "is to have this number" };
    Some((says, format!("start {known} again, if it is to have another number; or switch it off")))
}
