//! The table of nodes for other tools, from a configuration alone.

use super::network;
use crate::config::{Config, Host, Network};
use crate::limit::NODES_LISTED_MAX;
use heorot_names::export::{About, Export, Reservation, Served, Table, TooMany};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

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
    let listed = config.nodes.iter().zip(0_usize..).filter_map(|(node, place)| Some((node.number?, place)));
    let listed: BTreeMap<u32, usize> = listed.collect();
    let profile = |number: u32| config.profile_of_number(number, listed.get(&number).copied());
    let about = |number| (number, About { profile: profile(number).to_owned(), ..About::default() });
    let place = network::place(config, None);
    let nodes = numbers.iter().map(about).collect();
    let (served, reservations) = (served(config), reservations(config));
    Table { directory: &directory, place: &place, nodes, served, reservations }.export(export)
}

/// `[[host]]`s that another DHCP server can know, too: by whole hardware addresses, with something to be given.
pub(crate) fn reservations(config: &Config) -> Vec<Reservation> {
    let reservation = |host: &Host| Reservation {
        hardware_addresses: host.macs.iter().filter_map(|pattern| Some(pattern.mac()?.0)).collect(),
        address: host.address,
        name: host.name.clone(),
        is_ignored: host.ignore,
    };
    let is_one = |it: &Reservation| {
        !it.hardware_addresses.is_empty() && (it.address.is_some() || it.name.is_some() || it.is_ignored)
    };
    config.hosts.iter().map(reservation).filter(is_one).collect()
}

/// What is served by NFS, and to which networks.
pub(crate) fn served(config: &Config) -> Served {
    let network = |network: &Network| {
        (Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask())), network.prefix_length)
    };
    let networks: BTreeSet<_> = config.networks.iter().map(network).collect();
    let directories = config.nfs.as_ref().map(|nfs| nfs.directories.clone()).unwrap_or_default();
    let is_insecure = config.nfs.as_ref().is_some_and(|nfs| nfs.insecure);
    Served { directories, networks: networks.into_iter().collect(), is_insecure }
}
