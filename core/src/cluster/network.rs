//! Which network a packet belongs to, and whose an address is by arithmetic.

use crate::config::{Config, LinkSpeed, ListedNode, Mode, Network, SERVER_NAME};
use crate::limit::{MTU_OCTETS_USUAL, TFTP_BLOCK_OCTETS_MIN, TFTP_HEAD_OCTETS};
use crate::load::{Link, LinkRate};
use crate::mac::Mac;
use heorot_names::Directory;
use heorot_names::file::{Master, Me, Place};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The network in which a client is, by its place in the configuration. A relay tells by its own address (RFC 2131 4.3.1); without one it is a
/// network on that interface, where there are several the one of an address that the client already speaks of. A network behind a relay is that of a client without one
/// only if its packet may have come through a router, from an address that it has.
pub fn of_client(
    config: &Config,
    interface: &str,
    relay: Ipv4Addr,
    spoken_of: Ipv4Addr,
    may_be_routed: bool,
) -> Option<usize> {
    let containing = |address: Ipv4Addr| config.networks.iter().position(|network| network.contains(address));
    if !relay.is_unspecified() {
        return containing(relay);
    }
    let here = |network: &Network| network.on_link && network.interface == interface;
    let by_address = containing(spoken_of).filter(|_| !spoken_of.is_unspecified());
    match by_address {
        Some(place) if here(&config.networks[place]) => Some(place),
        // A renewal may come from behind a router, without a relay: then it is not of this link.
        Some(place) if may_be_routed && !config.networks[place].on_link => Some(place),
        _ => config.networks.iter().position(here),
    }
}

/// The number whose permanent address this is, on any network where we give the addresses.
pub fn number_at(config: &Config, address: Ipv4Addr) -> Option<u32> {
    let mut ours = config.networks.iter().filter(|network| network.mode == Mode::Serve);
    ours.find_map(|network| network.numbering.number(address))
}

/// Whether an address is in one of the ranges that are ours to give: there we are authoritative.
pub fn is_ours(config: &Config, address: Ipv4Addr) -> bool {
    config.networks.iter().filter(|network| network.mode == Mode::Serve).any(|network| {
        network.numbering.number(address).is_some()
            || network.temporary.contains(address)
            || network.guests.is_some_and(|guests| guests.contains(address))
    })
}

/// Whether an address can be a host's: not that of a group, a loop or nobody, and on our networks none that means all of them.
pub fn is_of_a_host(config: &Config, address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    // "This network", loops, and from 224 on multicast, what is reserved, and broadcast (RFC 6890 2.2.2).
    let is_usual = !matches!(first, 0 | 127 | 224..);
    let is_edge = |network: &Network| {
        let lowest = Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask()));
        network.prefix_length < 31 && (address == network.broadcast() || address == lowest)
    };
    is_usual && !config.networks.iter().any(is_edge)
}

/// Where HTTP and names are served, which are at our addresses in the networks alone, for whom knows us by this address. A relay may have any other one of this host for its helper: there DHCP, TFTP
/// and NFS answer, and nothing else does. Then it is our address on the interface that it came by, if that is known: there is a way from there.
pub fn served_address(config: &Config, known_by: Ipv4Addr, came_by: Option<&str>) -> Ipv4Addr {
    let find = |is_meant: &dyn Fn(&Network) -> bool| {
        let mut served = config.networks.iter().filter(|network| network.on_link);
        served.find(|network| is_meant(network)).map(|network| network.address)
    };
    if known_by.is_loopback() {
        return known_by;
    }
    find(&|network| network.address == known_by)
        .or_else(|| find(&|network| network.contains(known_by)))
        .or_else(|| find(&|network| came_by == Some(network.interface.as_str())))
        .or_else(|| find(&|_| true))
        .unwrap_or(known_by)
}

/// The same for who asks from an address of one of the networks.
pub fn served_to(config: &Config, known_by: Ipv4Addr, asker: Ipv4Addr) -> Ipv4Addr {
    let its = config.networks.iter().find(|network| network.contains(asker));
    served_address(config, known_by, its.map(|network| network.interface.as_str()))
}

/// The snapshot of names for whoever answers queries, without what stands in files. `numbered` are the machines that have a number.
pub fn directory(
    config: &Config,
    number_of: impl Fn(&ListedNode) -> Option<u32>,
    numbered: impl Iterator<Item = (u32, Mac)>,
    serial: u32,
) -> Directory {
    let listed = config.nodes.iter().filter_map(|node| Some((number_of(node)?, *node.macs.first()?)));
    let given = config.nodes.iter().filter_map(|node| Some((number_of(node)?, node.name.clone()?)));
    Directory {
        zone: config.cluster.name.clone(),
        pattern: config.cluster.nodes.clone(),
        networks: config.networks.iter().map(|network| network.numbering.clone()).collect(),
        given_names: given.collect(),
        hosts: config.named_hosts(),
        records: config.zone.records.clone(),
        files: Arc::default(),
        serial,
        // What was seen goes before what is listed.
        hardware_addresses: listed.chain(numbered).map(|(number, mac)| (number, mac.0)).collect(),
        groups: config.groups.sets(config, &number_of),
    }
}

/// What a names file says beside the directory, for whom it is written.
pub fn place(config: &Config, me: Option<Me>) -> Place {
    let mut subnets: Vec<(String, Ipv4Addr)> = Vec::new();
    let cluster = config.cluster.name.split('.').next().unwrap_or_default();
    for network in &config.networks {
        let lowest = Ipv4Addr::from(u32::from(network.address) & u32::from(network.mask()));
        let name = format!("{cluster}{}", network.numbering.suffix);
        if subnets.iter().any(|(_, other)| *other == lowest) {
            continue;
        }
        // Of several networks with one suffix, the further ones are numbered.
        let names = std::iter::once(name.clone()).chain((2_u32..).map(|place| format!("{name}-{place}")));
        let free = names.into_iter().find(|name| !subnets.iter().any(|(other, _)| other == name));
        subnets.extend(free.map(|name| (name, lowest)));
    }
    let own = config.networks.iter().filter(|network| network.on_link).map(|network| network.address);
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in own.map(IpAddr::from) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Place {
        master: Some(Master { name: SERVER_NAME.to_owned(), addresses }),
        me,
        subnets,
        without_hardware_addresses: false,
    }
}

/// The links by which the networks are reached: one for each interface, and one for each network behind a relay. What is behind a relay gets no longer blocks than
/// the interface by which it is reached takes, and nobody longer ones than the operator says that the way to his network takes.
pub fn links(config: &Config, mtu_octets: impl Fn(&str) -> Option<u32>) -> Vec<Link> {
    let block_octets_max = |interface: &str| {
        let fits = mtu_octets(interface).unwrap_or(MTU_OCTETS_USUAL).saturating_sub(TFTP_HEAD_OCTETS.into());
        config.tftp.block_octets_max.min(u16::try_from(fits).unwrap_or(u16::MAX)).max(TFTP_BLOCK_OCTETS_MIN)
    };
    let rate = match config.link {
        LinkSpeed::Auto => LinkRate::Measured,
        LinkSpeed::BitsPerSecond(bits) => LinkRate::Given(bits),
    };
    let prefix = |network: &Network| (network.address, network.prefix_length);
    let interfaces: BTreeSet<&str> =
        config.networks.iter().map(|network| network.interface.as_str()).collect();
    let on = |interface: &str| {
        let here = || config.networks.iter().filter(move |n| n.on_link && n.interface == interface);
        let said = here().filter_map(|network| network.block_octets_max).min();
        let most = block_octets_max(interface);
        Link {
            interface: Some(interface.into()),
            reaches: here().map(prefix).collect(),
            block_octets_max: said.map_or(most, |said| said.min(most)),
            ..Link::new(rate)
        }
    };
    let direct: Vec<Link> = interfaces.iter().map(|interface| on(interface)).collect();
    let behind = |network: &Network| {
        let most = block_octets_max(&network.interface);
        Link {
            reaches: vec![prefix(network)],
            // What the operator says of the rate is of our own link.
            behind: interfaces.iter().position(|interface| *interface == network.interface),
            block_octets_max: network.block_octets_max.map_or(most, |said| said.min(most)),
            ..Link::new(LinkRate::Measured)
        }
    };
    let relayed: Vec<Link> = config.networks.iter().filter(|network| !network.on_link).map(behind).collect();
    [direct, relayed].concat()
}

#[cfg(test)]
mod tests;
