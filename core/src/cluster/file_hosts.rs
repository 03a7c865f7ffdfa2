//! What files of hosts (`dns.hosts`) say in the cluster's zone, beside the configuration, which goes before: so no guest is called so, no update says another address, and
//! whoever copies the zone has it.

use crate::cluster::written_names::WrittenNames;
use crate::config::{Config, MASTER_NAME, SERVER_NAME};
use crate::limit::FILE_HOSTS_MAX;
use heorot_names::{FileHosts, HostsLine};
use std::net::IpAddr;

/// What the lines of all files say there. The first line decides who is told for an address; a name has the addresses of all its lines.
pub(crate) fn in_zone(config: &Config, written: &WrittenNames, lines: &[HostsLine]) -> FileHosts {
    let zone = config.cluster.name.as_str();
    let hosts = config.named_hosts();
    let mut files = FileHosts::default();
    for HostsLine { address, names } in lines {
        if files.names.len() + names.len() > FILE_HOSTS_MAX || files.pointers.len() >= FILE_HOSTS_MAX {
            break;
        }
        if let Some(first) =
            names.first().filter(|_| hosts.name(*address).is_none() && !is_a_numbers(config, *address))
        {
            files.pointers.entry(*address).or_insert_with(|| whole(first, zone));
        }
        for name in names {
            let whole = whole(name, zone);
            let Some(inside) = inside(&whole, zone) else { continue };
            let is_free = ![SERVER_NAME, MASTER_NAME].contains(&inside)
                && hosts.addresses(inside).is_empty()
                && !written.have_no_room_for_addresses(inside)
                && !is_computed(config, inside);
            if is_free {
                let addresses = files.names.entry(inside.to_owned()).or_default();
                if !addresses.contains(address) {
                    addresses.push(*address);
                }
            }
        }
    }
    files
}

/// As dnsmasq has it with `expand-hosts`: a name without a dot is one of the zone.
fn whole(name: &str, zone: &str) -> String {
    if name.contains('.') || name == zone { name.to_owned() } else { format!("{name}.{zone}") }
}

/// The name without the zone. None: it is not in it.
fn inside<'n>(whole: &'n str, zone: &str) -> Option<&'n str> {
    match whole.strip_suffix(zone)? {
        "" => Some(""),
        inside => inside.strip_suffix('.'),
    }
}

fn is_computed(config: &Config, name: &str) -> bool {
    config.networks.iter().any(|network| {
        let numbering = &network.numbering;
        let number =
            name.strip_suffix(numbering.suffix.as_str()).and_then(|name| config.cluster.nodes.number(name));
        number.is_some_and(|number| numbering.numbers.contains(number))
    })
}

fn is_a_numbers(config: &Config, address: IpAddr) -> bool {
    config.networks.iter().any(|network| match address {
        IpAddr::V4(address) => network.numbering.number(address).is_some(),
        IpAddr::V6(address) => network.numbering.number_ipv6(address).is_some(),
    })
}

#[cfg(test)]
mod tests;
