//! What is known, taken out for who writes a long text of it.

use super::Answer;
use heorot_names::export::{About, Export, Reservation, Served, Table};
use heorot_names::file::{self, Place};
use heorot_names::{Directory, NodeSet};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A text that is still to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten(pub(crate) UnwrittenOf);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnwrittenOf {
    /// The table of nodes, for another tool.
    Export {
        export: Export,
        directory: Arc<Directory>,
        place: Place,
        about: AboutNodes,
        served: Served,
        reservations: Vec<Reservation>,
    },
    /// The names of all nodes, for one of them.
    Names { directory: Arc<Directory>, place: Place },
    /// A set, folded and name by name.
    NodeSet { directory: Arc<Directory>, set: NodeSet, without_number: u64 },
}

/// What is known of nodes beside their names, as it was gathered: of one that stands there twice the last counts.
pub(crate) type AboutNodes = Vec<Arc<[(u32, About)]>>;

/// `heorot nodeset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSetView {
    /// The shortest text of it.
    pub folded: String,
    /// How many there are.
    pub size: u64,
    /// Each by name, in the order of the numbers.
    pub names: Vec<String>,
    /// How many machines are meant beside that have no number, and so no name.
    #[serde(default, skip_serializing_if = "is_none")]
    pub without_number: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Unwritten {
    /// The names of all nodes, for one of them.
    pub fn of_names(directory: Arc<Directory>, place: Place) -> Self {
        Self(UnwrittenOf::Names { directory, place })
    }

    /// If it is the names of all nodes: of what it is made, so that what is the same for all of them is written once.
    pub fn names(&self) -> Option<(&Arc<Directory>, &Place)> {
        match &self.0 {
            UnwrittenOf::Names { directory, place } => Some((directory, place)),
            UnwrittenOf::Export { .. } | UnwrittenOf::NodeSet { .. } => None,
        }
    }

    /// Writes it: it needs nothing but time.
    pub fn write(self) -> Answer {
        match self.0 {
            UnwrittenOf::Export { export, directory, place, about, served, reservations } => {
                let nodes: BTreeMap<_, _> = about.iter().flat_map(|part| part.iter().cloned()).collect();
                let table = Table { directory: &directory, place: &place, nodes, served, reservations };
                match table.export(export) {
                    Ok(text) => Answer::Text(text),
                    Err(error) => Answer::Json(400, json!({ "error": error.to_string() }).to_string()),
                }
            }
            UnwrittenOf::Names { directory, place } => Answer::Text(file::write(&directory, &place)),
            UnwrittenOf::NodeSet { directory, set, without_number } => {
                let names = set.iter().map(|number| directory.name(number)).collect();
                let folded = directory.fold(&set);
                let view = NodeSetView { folded, size: set.size(), names, without_number };
                let text = serde_json::to_string(&view).expect("no view has keys that are not strings");
                Answer::Json(200, text)
            }
        }
    }
}
