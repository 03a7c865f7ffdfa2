//! What operators see of machines that stay temporary because there is no number for them.

use super::{misplaced, together};
use crate::cluster::heard::Said;
use crate::cluster::node::{Node, Trouble};
use crate::hall::Turn;
use crate::wire::dhcp::{encapsulated, option};
use std::collections::BTreeMap;

/// Why one is without, and what the operator can do.
pub(super) fn trouble(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    trouble_by(turn, node, |place| turn.none_left_at(place))
}

/// All of them, as a line of the status.
pub(super) fn all(turn: &Turn<'_>) -> Option<String> {
    let mut known = BTreeMap::new();
    let mut none_left = |place| known.entry(place).or_insert_with(|| turn.none_left_at(place)).clone();
    let is_without = |node: &&Node| trouble_by(turn, node, &mut none_left).is_some();
    let who = together(turn, turn.hall.nodes.iter().filter(is_without))?;
    Some(format!("temporary for want of a number: {who} (heorot explain NODE says why)"))
}

/// The same of one, where it is known already whether numbers are left.
fn trouble_by(
    turn: &Turn<'_>,
    node: &Node,
    none_left: impl FnOnce(usize) -> Option<Trouble>,
) -> Option<Trouble> {
    let said = turn.hall.heard.get(node.mac).and_then(Said::relay_of_node);
    let circuit = said.and_then(|said| encapsulated::part(said, option::RELAY_CIRCUIT));
    let trouble = turn.unnumbered(node, circuit, none_left)?;
    // That it is not where the configuration has it says more.
    misplaced(turn, node).is_none().then_some(trouble)
}
