//! Names that the configuration gives: to nodes, on each network with its suffix, and to what `[[dns.record]]` tells of. Each host that says how it is called asks whether its name is one
//! of them, and with another configuration all are looked at again: so it is one look-up for each suffix, however many nodes and records there are.

use crate::config::Config;
use heorot_names::{Record, RecordData};
use std::collections::BTreeSet;

/// An index of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenNames {
    /// Of nodes, without a suffix.
    nodes: BTreeSet<String>,
    /// Of networks: each once.
    suffixes: BTreeSet<String>,
    records: BTreeSet<String>,
    /// Of records, those that have addresses already, or the name for themselves (RFC 1034 3.6.2).
    full: BTreeSet<String>,
}

impl WrittenNames {
    /// Those of a configuration.
    pub(crate) fn new(config: &Config) -> Self {
        let is_full = |record: &&Record| match &record.data {
            RecordData::A(_) | RecordData::Aaaa(_) | RecordData::Cname(_) => true,
            // Of the zone itself they leave room, and of one below it they do not.
            RecordData::Ns(_) => !record.name.is_empty(),
            RecordData::Mx(..) | RecordData::Srv { .. } | RecordData::Txt(_) => false,
        };
        Self {
            nodes: config.nodes.iter().filter_map(|node| node.name.clone()).collect(),
            suffixes: config.networks.iter().map(|network| network.numbering.suffix.clone()).collect(),
            records: config.zone.records.iter().map(|record| record.name.clone()).collect(),
            full: config.zone.records.iter().filter(is_full).map(|record| record.name.clone()).collect(),
        }
    }

    /// Whether a name is one of them.
    pub(crate) fn have(&self, name: &str) -> bool {
        self.records.contains(name) || self.have_nodes(name)
    }

    /// Whether a name is one that may have no further addresses beside what the configuration says of it.
    pub(crate) fn have_no_room_for_addresses(&self, name: &str) -> bool {
        self.full.contains(name) || self.have_nodes(name)
    }

    fn have_nodes(&self, name: &str) -> bool {
        let is_nodes = |suffix: &String| {
            name.strip_suffix(suffix.as_str()).is_some_and(|given| self.nodes.contains(given))
        };
        self.suffixes.iter().any(is_nodes)
    }
}

#[cfg(test)]
mod tests;
