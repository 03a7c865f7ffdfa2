//! Machines of which nothing is heard: there is nothing to go by but where it can be lost on its way here.

use super::others::since;
use super::{fail, gone, no_such_node as no_such, typed};
use crate::cluster::node::Node;
use crate::hall::Turn;
use crate::message::Answer;
use crate::time::{Wall, span};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where that is.
pub(super) const ON_THE_WAY: &str = "its boot order, cable and VLAN, the switch's port (spanning tree: portfast), and a firewall here for UDP 67";

/// What the operator can do for a node that is down, or is taken to be.
pub(super) fn switch_on(turn: &Turn<'_>, wall: Wall, node: &Node) -> String {
    let last = turn.heard_last(node).into_iter().chain(node.asked_at).chain(node.checked_in).max();
    let since = match last {
        Some(at) => format!("since {}", wall.stamp(turn.now, at)),
        None => since(turn, wall),
    };
    let board = node.number.map(|number| match turn.hall.listed.has_number(number) {
        true => {
            "; if its board was exchanged: put the new one's address into its [[node]], and reload".into()
        }
        false => format!(
            "; if its board was exchanged: heorot node number MAC {number}, with the new board's address"
        ),
    });
    format!(
        "switch it on; if it is on, nothing was heard of it {since}: look at {ON_THE_WAY}{}",
        board.unwrap_or_default()
    )
}

/// That the interface hears nobody by which a node would be heard.
pub(super) fn deaf(turn: &Turn<'_>, wall: Wall, node: &Node) -> Option<String> {
    let place = node.network.or_else(|| place_of(turn, node.number?))?;
    deaf_at(turn, wall, &turn.config.networks.get(place)?.interface)
}

/// That an interface hears nobody: it has no carrier, or it is gone.
pub(super) fn deaf_at(turn: &Turn<'_>, wall: Wall, interface: &str) -> Option<String> {
    turn.deaf(wall, interface)
        .or_else(|| turn.hall.gone.get(interface).map(|why| gone(interface, why.as_deref())))
}

/// The network where a number has its address.
pub(super) fn place_of(turn: &Turn<'_>, number: u32) -> Option<usize> {
    turn.config.networks.iter().position(|network| network.numbering.address(number).is_some())
}

/// Who is no node and nothing else that is known. A machine that somebody has before him and that is not heard here is looked for by its address.
pub(super) fn no_such_node(turn: &Turn<'_>, wall: Wall, name: &str) -> Answer {
    let mac = typed::mac(turn, name);
    let address = name.parse::<Ipv4Addr>().ok();
    let said = mac.and_then(|mac| turn.hall.heard.get(mac));
    let error = match (said, mac.is_some(), address.is_some()) {
        (None, false, false) => return no_such(name),
        // Who loads from an address that he has not from here is in the journal alone.
        (None, false, true) => {
            format!("nobody has {name} from here: ask by the hardware address of whom you mean")
        }
        (None, true, _) => {
            let interfaces: BTreeSet<_> =
                turn.config.networks.iter().map(|network| network.interface.as_str()).collect();
            let deaf = interfaces.into_iter().filter_map(|interface| deaf_at(turn, wall, interface));
            let deaf: String = deaf.map(|deaf| format!("; {deaf}")).collect();
            format!(
                "nothing was heard of {name} from any [[network]] {}: if it is on, look at {ON_THE_WAY}{deaf}",
                since(turn, wall)
            )
        }
        (Some(said), ..) => format!(
            "{name} is no node, and has no address from here; it was last heard {} ago",
            span(turn.now.since(said.at))
        ),
    };
    fail(404, error)
}
