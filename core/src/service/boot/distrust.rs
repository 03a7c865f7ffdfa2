//! Machines that end HTTPS before it has begun: nothing was asked for, and a person before the machine sees no more than that it does not boot.

use crate::event::Kind;
use crate::hall::Turn;
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
