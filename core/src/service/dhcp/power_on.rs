//! Who begins a boot: firmware that asks, where no user of a node can have sent what it says.

use super::client::Client;
use super::who;
use crate::cluster::node::{Firmware, Node, Trouble};
use crate::cluster::quirk::Trait;
use crate::cluster::stage::Stage;
use crate::cluster::trouble::Beside;
use crate::config::{BOOT_SERVER_PORT, FirmwareKind, Mode};
use crate::event::Kind;
use crate::hall::Turn;
use crate::limit::NO_BOOT_TOLD_EVERY;

/// Firmware asks: perhaps its machine was switched on just now. Whether this firmware asks for the first time in this boot.
///
/// A boot has a token of its own, and secrets are given once in it: no user of a node that runs may begin one by calling himself firmware. What any user's program can send is answered like
/// all else and changes nothing of a boot that is under way or over.
pub(super) fn power_on(turn: &mut Turn<'_>, client: &Client, firmware: Firmware, is_discover: bool) -> bool {
    let begins = |node: &Node| node.begins_boot(turn.now, firmware, is_discover);
    if let Some(node) = turn.hall.nodes.get(client.mac).filter(|node| !is_believed(client, node)) {
        // In the middle of a boot it is EDK2 at port 4011, from which it asks there, when a person has chosen from the menu late.
        if begins(node) && !node.stage.is_booting() {
            tell_no_boot(turn, client);
        }
        return false;
    }
    if turn.hall.nodes.get(client.mac).is_some_and(begins) {
        turn.begin_boot(client.mac);
        // It is switched on: whatever its last system had, by whichever card, it has left.
        if let Some(node) = turn.hall.nodes.get_mut(client.mac) {
            node.grants.clear();
            node.boot.is_bootp = false;
        }
    }
    let machine = FirmwareKind::of_machine(client.architecture);
    turn.meet_firmware(client.mac, machine, client.meant.profile(turn));
    let Some(node) = turn.hall.nodes.get_mut(client.mac) else { return false };
    node.boot.firmware_kind = client.firmware_kind;
    node.boot.is_u_boot |= client.traits.contains(&Trait::KnowsItsFiles);
    node.boot.programs.asks(firmware, turn.now).is_none()
}

/// Whether what a client says changes what is known of its machine: what any user's program can send does not, once that has booted.
pub(super) fn is_believed(client: &Client, node: &Node) -> bool {
    client.is_of_the_system || node.stage == Stage::Seen || node.boot.token.is_empty()
}

/// What would begin a boot may come from any user's program. The journal is told now and then, whatever addresses such packets name, and nothing else that is in the machine's way is hidden.
pub(super) fn tell_no_boot(turn: &mut Turn<'_>, client: &Client) {
    let source = client.source.ip();
    let what = format!(
        "{source} asked for it as firmware does, from a port that any user's program may use: no boot begins by that"
    );
    let is_on_link = turn.config.networks[client.place].on_link;
    // Of UEFI behind a relay that forwards to the server of its address alone this is all that is heard, and it asks from there as any program can.
    let is_at_port_4011 = client.source.port() == BOOT_SERVER_PORT;
    let to_do = if client.mode == Mode::Proxy && is_at_port_4011 && !is_on_link {
        format!(
            "if its firmware did, let the relay of its network forward to {} too: a boot begins by what that forwards; else find who did so on {source}",
            client.server
        )
    } else {
        who_did_so(client)
    };
    tell_disbelieved(turn, client, Beside::NoBoot, what, to_do);
}

/// What would have its lease go on may come from any user's program, so that the node is down when that ends. It may be a relay by which all comes that its system sends (RFC 5107).
pub(super) fn tell_not_renewed(turn: &mut Turn<'_>, client: &Client) {
    let source = client.source.ip();
    let what = format!(
        "{source} asked for its address, from a port that any user's program may use: its lease does not go on by that"
    );
    tell_disbelieved(turn, client, Beside::NotRenewed, what, who_did_so(client));
}

/// What says at which place a machine is may come from any user's program, so that it has no number by that; nor one as a stranger, which it would keep when its place is believed. Of one that has
/// the number of that place nobody is told.
pub(super) fn doubt_place(turn: &mut Turn<'_>, client: &Client) {
    // Who renews what it has says nothing new of its place.
    if client.is_straight {
        return;
    }
    let place = who::doubtful_place(turn, client);
    let source = client.source.ip();
    let trouble = || Trouble {
        what: format!(
            "{source} says at which place of a relay it is, from a port that any user's program may use: it has no number by that"
        ),
        to_do: Some(who_did_so(client)),
    };
    let promised = turn.hall.nodes.get(client.mac).and_then(Node::promised);
    if let Some(node) = turn.hall.nodes.get_mut(client.mac)
        && is_believed(client, node)
    {
        let doubt = place.filter(|_| promised.is_none()).map(|_| Box::new(trouble()));
        let is_news = node.boot.doubt.is_some() != doubt.is_some();
        node.boot.doubt = doubt;
        // Otherwise that is recorded with the stage.
        if is_news && node.stage != Stage::Seen {
            turn.keep_boot(client.mac);
        }
    }
    let Some(place) = place else { return };
    let number = turn.config.nodes.get(place).and_then(|listed| listed.number);
    if promised.is_some() && promised == number {
        return;
    }
    let Trouble { what, to_do } = trouble();
    let to_do = to_do.unwrap_or_default();
    if turn.hall.nodes.node(client.mac).is_none() {
        // It is no node by itself: a system that asks without firmware.
        return turn.event_by_stranger(Kind::Trouble, format!("{}: {what}; {to_do}", client.mac));
    }
    tell_disbelieved(turn, client, Beside::Place, what, to_do);
}

/// What the operator can do about what may come from any user's program.
fn who_did_so(client: &Client) -> String {
    let source = client.source.ip();
    let relay = format!(
        "; if that is a relay, let it send from port 67, or, if it is the router there, say gateway = \"{source}\" in its [[network]]"
    );
    format!("find who did so on {source}{}", if client.is_relayed() { relay } else { String::new() })
}

fn tell_disbelieved(turn: &mut Turn<'_>, client: &Client, kind: Beside, what: String, to_do: String) {
    let Some(node) = turn.hall.nodes.get_mut(client.mac) else { return };
    node.beside.insert(kind, Trouble { what: what.clone(), to_do: Some(to_do) });
    let told = node.boot.told_disbelieved.get(&kind);
    if told.is_some_and(|told| turn.now.since(*told) < NO_BOOT_TOLD_EVERY) {
        return;
    }
    node.boot.told_disbelieved.insert(kind, turn.now);
    turn.event_told_seldom(client.mac, Kind::Trouble, what);
}
