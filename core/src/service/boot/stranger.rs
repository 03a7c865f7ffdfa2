//! Who speaks with a token that is not that of the machine at his address. He is refused, and somebody is to know why: a machine that is heard from another address than its own, or by the command
//! line of an earlier boot, starts anew for ever.

use super::{asked, shut_out};
use crate::cluster::trouble::Beside;
use crate::event::Kind;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, Request};
use std::net::Ipv4Addr;

/// The machine that is back at an address of another server's where it was not heard for long, or that has got another one there unheard.
///
/// Of anybody else with this token it is told whose it is, or who is at his address. Nobody hears whether a token was right but who reads that here, and without one that is right nobody has
/// anything told of a machine that is not at his address.
pub(super) fn comes_back(
    turn: &mut Turn<'_>,
    request: &Request,
    token: &str,
    machine: Option<Mac>,
) -> Option<Mac> {
    let from = request.from;
    if let Some(mac) = turn.hall.nodes.of_token(token).map(|node| node.mac) {
        let is_free = machine.is_none() && shut_out(turn, mac).is_none();
        if is_free && turn.is_back_elsewhere(mac, from) {
            return Some(mac);
        }
        tell_elsewhere(turn, mac, from);
        return None;
    }
    tell_stranger(turn, request, machine);
    None
}

/// Tells of a token that is nobody's.
fn tell_stranger(turn: &mut Turn<'_>, request: &Request, machine: Option<Mac>) {
    // The token may be right in a moment, or have been: it stands in no journal.
    let refusal = Answer::Missing("the token is not that of its present boot".into());
    asked(turn, request, "node/…", machine, &refusal);
    let Some(mac) = machine.filter(|mac| turn.hall.nodes.get(*mac).is_some()) else { return };
    let what = "it speaks with a token that is not that of its present boot, and is refused";
    let to_do = "boot it anew by the network: its command line is that of an earlier boot (kexec, a disk, records put back from a backup), or another machine has this address";
    turn.trouble_beside(mac, Beside::Token, what.into(), Some(to_do.into()));
}

/// Whoever knows the token of a boot is its machine, or a user of it.
fn tell_elsewhere(turn: &mut Turn<'_>, mac: Mac, from: Ipv4Addr) {
    let what = format!("its agent speaks from {from}, which is not its address, and is refused");
    let to_do = format!(
        "see whether a router translates its address or a proxy stands between; if it has {from} by another of its cards, add that one's hardware address to its [[node]]"
    );
    turn.trouble_beside(mac, Beside::Elsewhere, what, Some(to_do));
}

/// Somebody asks where he is to talk about himself, and is at no node's address.
pub(super) fn tell_nobody(turn: &mut Turn<'_>, request: &Request) {
    turn.event_by_stranger(
        Kind::File,
        format!("{} asks for node by HTTP: it is no node's address", request.from),
    );
}
