//! Who asks from where nobody is served: most of them by a relay that no `[[network]]` knows.

use super::client::{Unplaced, Unread};
use crate::cluster::network;
use crate::cluster::strange_relay::StrangeRelay;
use crate::cluster::unanswered::{NOWHERE, Why};
use crate::event::Kind;
use crate::hall::Turn;
use crate::mac::Mac;
use std::net::Ipv4Addr;

/// A packet that nobody can be answered to is counted. That of a machine in none of our networks is kept beside that: a whole rack may be waiting behind it.
pub(super) fn unread(turn: &mut Turn<'_>, interface: &str, unread: &Unread) {
    turn.malformed(unread.word());
    let Unread::NoNetwork(unplaced) = unread else { return };
    let Unplaced { mac, xid, relay, selected, is_firmware } = **unplaced;
    let why = if selected.is_unspecified() { Why::NoNetwork } else { Why::StrangeRelay(selected) };
    // Two relays of one link pass the same packet on, and one of them may be known, as long as its network is served.
    let is_placed = |ours| turn.config.networks.iter().any(|network| network.address == ours);
    let is_served = turn.hall.heard.same_packet(turn.now, mac, xid);
    let is_served = is_served.is_some_and(|said| said.placed.is_none_or(is_placed));
    // On the server's own link, where all networks are behind relays, others are another server's business.
    let is_ours = is_firmware
        || turn.hall.nodes.node(mac).is_some()
        || turn.hall.listed.get(turn.config, mac).is_some()
        || !selected.is_unspecified();
    if is_ours && !is_served {
        // A relay has a line for all its machines.
        turn.hall.unanswered.keep(turn.now, mac, NOWHERE, why);
    }
    if !selected.is_unspecified()
        && turn.hall.strange_relays.notice(turn.now, selected, (relay, interface), mac)
        && let Some(strange) = turn.hall.strange_relays.get(selected)
    {
        let what = strange.told(selected);
        turn.event(None, Kind::Trouble, what);
    }
}

/// It asks from one of our networks: that it asked from elsewhere is over.
pub(super) fn ends(turn: &mut Turn<'_>, mac: Mac) {
    if turn.hall.unanswered.get(mac).is_some_and(|host| host.why.is_nowhere()) {
        turn.hall.unanswered.forget(mac);
    }
}

/// Another configuration may have their networks.
pub(crate) fn forget_served(turn: &mut Turn<'_>) {
    let mut relays = std::mem::take(&mut turn.hall.strange_relays);
    relays.retain(|selected, relay: &StrangeRelay| {
        network::of_client(turn.config, &relay.interface, selected, Ipv4Addr::UNSPECIFIED, false).is_none()
    });
    turn.hall.strange_relays = relays;
}
