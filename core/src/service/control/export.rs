//! The table of nodes for other tools.

use super::fail;
use crate::cluster::export::{DEFAULT_PROFILE, served};
use crate::cluster::network;
use crate::hall::Turn;
use crate::message::Answer;
use heorot_names::export::{About, Export, Table};

/// What is known, in the form of another tool.
pub(super) fn answer(turn: &Turn<'_>, export: Export) -> Answer {
    let about = |node: &crate::cluster::node::Node| {
        let fact = |key: &str| node.facts.get(key).and_then(serde_json::Value::as_u64);
        let about = About {
            profile: turn.profile_name(node).to_owned(),
            processors: fact("processors"),
            memory_bytes: fact("memory_bytes"),
        };
        Some((node.number?, about))
    };
    let place = network::place(turn.config, None);
    // A listed node with a number is one before it was ever seen.
    let listed = turn.config.nodes.iter().filter_map(|node| {
        let profile = node.profile.as_deref().unwrap_or(DEFAULT_PROFILE).to_owned();
        Some((node.number?, About { profile, ..About::default() }))
    });
    let nodes = listed.chain(turn.hall.nodes.iter().filter_map(about)).collect();
    let served = served(turn.config);
    match (Table { directory: &turn.hall.directory, place: &place, nodes, served }).export(export) {
        Ok(text) => Answer::Text(text),
        Err(error) => fail(400, error.to_string()),
    }
}
