//! The table of nodes for other tools: what is known is gathered in parts, and whoever asked writes it.

use crate::cluster::export::{reservations, served};
use crate::cluster::network;
use crate::cluster::node::Node;
use crate::hall::Turn;
use crate::limit::NODES_LISTED_AT_ONCE;
use crate::message::{Answer, Exported, Rest, RestOf, Unwritten, UnwrittenOf};
use heorot_names::export::{About, Export};
use std::sync::Arc;

/// Begins to gather what is known, for the form of another tool.
pub(super) fn begin(turn: &Turn<'_>, export: Export) -> Answer {
    // A listed node with a number is one before it was ever seen.
    let listed = turn.config.nodes.iter().zip(0..).filter_map(|(node, place)| {
        let profile = turn.config.profile_of_number(node.number?, Some(place)).to_owned();
        Some((node.number?, About { profile, ..About::default() }))
    });
    let about = vec![listed.collect()];
    let macs = turn.hall.nodes.iter().map(|node| node.mac).collect();
    go_on(turn, Exported { export, macs, done: 0, about })
}

/// Goes on.
pub(super) fn go_on(turn: &Turn<'_>, mut exported: Exported) -> Answer {
    let about = |node: &Node| {
        let fact = |key: &str| node.facts.get(key).and_then(serde_json::Value::as_u64);
        let about = About {
            profile: turn.profile_name(node).to_owned(),
            processors: fact("processors"),
            memory_bytes: fact("memory_bytes"),
            kernel_memory_bytes: fact("kernel_memory_bytes"),
        };
        Some((node.number?, about))
    };
    let until = exported.macs.len().min(exported.done + NODES_LISTED_AT_ONCE);
    let macs = exported.macs.get(exported.done..until).unwrap_or_default();
    // Whoever was forgotten meanwhile is left out.
    exported.about.push(macs.iter().filter_map(|mac| about(turn.hall.nodes.get(*mac)?)).collect());
    exported.done = until;
    if exported.done < exported.macs.len() {
        return Answer::Part(String::new(), Box::new(Rest(RestOf::Export(exported))));
    }
    Answer::Unwritten(Box::new(Unwritten(UnwrittenOf::Export {
        export: exported.export,
        directory: Arc::clone(&turn.hall.directory),
        place: network::place(turn.config, None),
        about: exported.about,
        served: served(turn.config),
        reservations: reservations(turn.config),
    })))
}
