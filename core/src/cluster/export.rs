//! The table of nodes for other tools, from a configuration alone.

use super::network;
use crate::config::{Config, Network};
use crate::limit::NODES_LISTED_MAX;
use heorot_names::export::{About, Export, Served, Table, TooMany};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What a node boots of which nothing else is said.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// What a server with this configuration and without any memory would export, with every number that there may be.
///
/// # Errors
/// There are more numbers than belong into a file.
pub fn of_configuration(config: &Config, export: Export) -> Result<String, TooMany> {
    let directory =
        network::directory(config, |listed| listed.number, std::iter::empty(), config.zone.serial);
    let numbers = directory.numbers();
    if numbers.size() > NODES_LISTED_MAX {
        return Err(TooMany);
    }
    let listed = |number: u32| config.nodes.iter().find(|node| node.number == Some(number));
    let profile =
        |number: u32| listed(number).and_then(|node| node.profile.as_deref()).unwrap_or(DEFAULT_PROFILE);
    let about = |number| (number, About { profile: profile(number).to_owned(), ..About::default() });
    let place = network::place(config, None);
    let nodes = numbers.iter().map(about).collect();
    Table { directory: &directory, place: &place, nodes, served: served(config) }.export(export)
}

/// What is served by NFS, and to which networks.
pub(crate) fn served(config: &Config) -> Served {
    let network = |network: &Network| {
        (Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask())), network.prefix_length)
    };
    let networks: BTreeSet<_> = config.networks.iter().map(network).collect();
    let directories = config.nfs.as_ref().map(|nfs| nfs.directories.clone()).unwrap_or_default();
    Served { directories, networks: networks.into_iter().collect() }
}
