//! What operators see of machines that stay temporary because there is no number for them.

use super::{misplaced, together};
use crate::cluster::heard::Said;
use crate::cluster::node::{Node, Trouble};
use crate::hall::Turn;
use crate::wire::dhcp::relay;
use std::collections::BTreeMap;

/// Why no numbers are left on a network, where that was reckoned already: all numbers there may have had to be looked at.
#[derive(Debug, Default)]
pub(super) struct NoneLeft(BTreeMap<usize, Option<Trouble>>);

impl NoneLeft {
    /// Why one is without, where more are asked about, and nothing is changed between.
    pub(super) fn trouble(&mut self, turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
        let circuit = || relay::place(turn.hall.heard.get(node.mac).and_then(Said::relay_of_node)).0;
        let none_left = |place| self.0.entry(place).or_insert_with(|| turn.none_left_at(place)).clone();
        let trouble = turn.unnumbered(node, circuit, none_left)?;
        // That it is not where the configuration has it says more.
        misplaced(turn, node).is_none().then_some(trouble)
    }
}

/// Why one is without, and what the operator can do.
pub(super) fn trouble(turn: &Turn<'_>, node: &Node) -> Option<Trouble> {
    NoneLeft::default().trouble(turn, node)
}

/// All of them, as a line of the status.
pub(super) fn all(turn: &Turn<'_>) -> Option<String> {
    let mut none_left = NoneLeft::default();
    let is_without = |node: &&Node| none_left.trouble(turn, node).is_some();
    let who = together(turn, turn.hall.nodes.iter().filter(is_without))?;
    Some(format!("temporary for want of a number: {who} (heorot explain NODE says why)"))
}
