//! Machines that end HTTPS before it has begun, or speak no HTTP that we know: nothing was asked for, and a person before the machine sees no more than that it does not boot.

use crate::event::{self, Kind};
use crate::hall::Turn;
use crate::limit::REFUSED_LETTERS_MAX;
use std::net::Ipv4Addr;

/// What the operator can do.
const TO_DO: &str = "enrol the certificate's authority in its set-up, and see that the certificate is for this server's address and not over (heorot doctor); or boot it by plain HTTP: offer = \"http\" in [http]";

/// A machine does not take our certificate.
pub(crate) fn distrusts(turn: &mut Turn<'_>, from: Ipv4Addr, why: &str) {
    let what = format!("it ends HTTPS before it has asked for anything: {why}");
    let machine = turn.machine_at(from);
    match machine.and_then(|mac| turn.hall.nodes.get(mac)) {
        Some(node) if node.stage.is_booting() => {
            let mac = node.mac;
            turn.trouble_once(mac, what, Some(TO_DO.into()));
        }
        // A program of one that runs says nothing of its boots.
        Some(_) => {}
        None => turn.event_by_stranger(Kind::Trouble, format!("{from}: {what}; {TO_DO}")),
    }
}

/// What the operator can do for a loader that we do not understand.
const TO_DO_MISUNDERSTOOD: &str = "see at its console what asks: a loader that does not speak HTTP as RFC 9112 has it loads by TFTP; one that ends HTTPS so may load by plain HTTP (offer = \"http\" in [http])";

/// A machine is not understood. Of a stranger it is counted and no more; what runs on a node may say what it likes, and of two things in a boot's way the first tells more.
pub(crate) fn misunderstood(turn: &mut Turn<'_>, from: Ipv4Addr, why: &str) {
    let Some(mac) = turn.machine_at(from) else { return };
    let what =
        format!("what it asks by HTTP is not understood: {}", event::printable(why, REFUSED_LETTERS_MAX));
    let is_in_its_way = turn.hall.nodes.get(mac).is_some_and(|node| {
        let is_first = node.trouble.as_ref().is_none_or(|standing| standing.what == what);
        // A node without an agent is booting for as long as its system runs.
        node.stage.is_booting() && node.boot.system_asked.is_none() && is_first
    });
    if is_in_its_way {
        turn.trouble_once(mac, what, Some(TO_DO_MISUNDERSTOOD.into()));
    }
}
