//! The small files of a node, for an operator who wants to know what it gets.

use super::{fail, find, no_such_node, others};
use crate::cluster::node::Node;
use crate::cluster::plan::Plan;
use crate::config::ListedNode;
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{Answer, HostKeys};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What a node would get if it booted now, also one that is listed and was not heard yet.
pub(super) fn answer(turn: &Turn<'_>, name: &str) -> Answer {
    match (find(turn, name), others::listed(turn, name)) {
        (Some(node), _) => of_node(turn, node),
        (None, Some(place)) => of_listed(turn, place, &turn.config.nodes[place]),
        (None, None) => no_such_node(name),
    }
}

/// Which nodes have an SSH host key.
pub(super) fn host_keys(turn: &Turn<'_>) -> Answer {
    if !turn.config.has_host_keys() {
        return fail(400, "no node has a host key of ours: no profile says ssh-host-key = true".into());
    }
    let directory = Arc::clone(&turn.hall.directory);
    Answer::HostKeys(Box::new(HostKeys { directory, numbers: turn.hall.host_keys.numbers() }))
}

fn of_node(turn: &Turn<'_>, node: &Node) -> Answer {
    let name = turn.profile_name(node);
    let Some(profile) = turn.config.profiles.get(name) else { return no_profile(name) };
    let plan = Plan::new(name, profile, turn.attributes_by(node, &node.orders));
    files(turn, node.mac, node.number, &plan)
}

fn of_listed(turn: &Turn<'_>, place: usize, listed: &ListedNode) -> Answer {
    let Some(number) = listed.number else { return files_are_for_numbers() };
    let name = turn.config.profile_of_number(number, Some(place));
    let Some(profile) = turn.config.profiles.get(name) else { return no_profile(name) };
    let plan = Plan::new(name, profile, listed.attributes.clone());
    // One that is listed by what identifies it has told none.
    let mac = listed.macs.first().copied().unwrap_or(Mac([0; 6]));
    files(turn, mac, Some(number), &plan)
}

fn files(turn: &Turn<'_>, mac: Mac, number: Option<u32>, plan: &Plan) -> Answer {
    let Some(number) = number else { return files_are_for_numbers() };
    let mut networks = turn.config.networks.iter();
    let here = networks.find_map(|network| Some((network.numbering.address(number)?, network.address)));
    let here = here.unwrap_or((Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    Answer::Files(Box::new(turn.files_of_number((mac, number), here, plan, plan.overlays.clone())))
}

fn no_profile(name: &str) -> Answer {
    fail(409, format!("there is no profile {name}"))
}

fn files_are_for_numbers() -> Answer {
    fail(409, "it has no number yet, and files are for nodes that have one".into())
}
