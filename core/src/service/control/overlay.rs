//! The small files of a node, for an operator who wants to know what it gets.

use super::fail;
use crate::cluster::node::Node;
use crate::cluster::plan::Plan;
use crate::hall::Turn;
use crate::message::Answer;
use std::net::Ipv4Addr;

/// What a node would get if it booted now.
pub(super) fn answer(turn: &Turn<'_>, node: &Node) -> Answer {
    let name = turn.profile_name(node);
    let Some(profile) = turn.config.profiles.get(name) else {
        return fail(409, format!("there is no profile {name}"));
    };
    let plan = Plan::new(name, profile, turn.attributes_by(node, &node.orders));
    let numbered = turn
        .config
        .networks
        .iter()
        .find_map(|network| Some((network.numbering.address(node.number?)?, network.address)));
    let here = numbered.unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    match turn.node_files(node.mac, here, &plan, plan.overlays.clone()) {
        Some(files) => Answer::Files(Box::new(files)),
        None => fail(409, "it has no number yet, and files are for nodes that have one".into()),
    }
}
