//! Where a machine is by its client identifier or its relay, against the `[[node]]` of that place.

use crate::cluster::node::{Node, Trouble};
use crate::cluster::reservation::{Entry, Traits};
use crate::config::{Identifiers, written_identifier};
use crate::hall::Turn;
use crate::limit::HOLD_AFTER_LIFE;
use crate::wire::dhcp::relay;

/// What a machine said last of its place, if the number of that is not its own; and what the operator can do.
pub(super) fn trouble(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    let latest = std::iter::once(&node.mac).chain(&node.further_macs);
    let latest = latest.filter_map(|card| Some((turn.hall.heard.get(*card)?, *card)));
    let (said, card) = latest.max_by_key(|(said, _)| said.at)?;
    let (circuit, remote) = relay::place(said.relay_of_node());
    let traits = Traits { client: said.identifier.as_deref(), circuit, remote, ..Traits::default() };
    let number_of = |listed: usize| turn.config.nodes.get(listed)?.number;
    let Some((Entry::Node(place), _)) = turn.hall.reservations.find_by_place(&traits) else {
        return strayed(turn, node, circuit);
    };
    let listed = turn.config.nodes.get(place)?;
    let number = number_of(place).filter(|number| node.number != Some(*number))?;
    if listed.macs.contains(&card) || turn.hall.listed.with_mac(turn.config, card).is_some() {
        return None;
    }
    let holder = turn.hall.nodes.holder(number).and_then(|mac| turn.hall.nodes.get(mac));
    let holder = holder.filter(|holder| holder.mac != node.mac)?;
    let (by, name) = (place_of(&listed.identifiers), turn.name(number));
    let seconds = HOLD_AFTER_LIFE.as_secs();
    let what = format!("it is {by}, which is {name}, and {} has that number still and was there", holder.mac);
    let to_do = format!(
        "if {} is gone, start this one again {seconds} s after it was heard last; or heorot node retire {name}",
        holder.mac
    );
    Some(Trouble { what, to_do: Some(to_do) })
}

/// It has the number of a place, and is at one that is in no list.
fn strayed(turn: &Turn<'_>, node: &Node, circuit: Option<&[u8]>) -> Option<Trouble> {
    let listed = turn.hall.listed.get(turn.config, node.mac)?;
    let is_by_place = listed.macs.is_empty() && listed.identifiers.client.is_none();
    let (circuit, number) = (written_identifier(circuit.filter(|_| is_by_place)?), listed.number?);
    if node.number != Some(number) {
        return None;
    }
    let of = place_of(&listed.identifiers);
    let what = format!(
        "it is at circuit {circuit}, and its number is that of whoever is {of}: it has it until another machine is there"
    );
    let to_do = format!(
        "connect it there, or add [[node]] circuit-id = {circuit} with a number to the configuration"
    );
    Some(Trouble { what, to_do: Some(to_do) })
}

/// In words.
fn place_of(Identifiers { client, circuit, remote }: &Identifiers) -> String {
    let all = [("by client identifier", client), ("at circuit", circuit), ("at remote end", remote)];
    let said = all.iter().filter_map(|(what, octets)| {
        octets.as_ref().map(|octets| format!("{what} {}", written_identifier(octets)))
    });
    said.collect::<Vec<_>>().join(" ")
}
