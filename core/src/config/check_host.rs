//! What hosts and classes must be together: every identifier, address and name means one of them.

use super::check_network::{self, Prefix};
use super::entry::{Placed, did_you_mean};
use super::mistake::{Findings, quoted};
use super::read::{Draft, NetworkDraft};
use super::read_host::{ClassDraft, HostDraft, IdentifiersDraft};
use super::{Class, Host, Interface, MacPattern, Mode, OptionTable, SERVER_NAME, TRIAL_PROFILE};
use heorot_names::Numbering;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;

/// Looks at all hosts and classes, and at what tells nodes beside their hardware addresses.
pub(super) fn check(
    findings: &mut Findings<'_>,
    draft: &Draft,
    prefixes: &[Option<Prefix>],
    interfaces: &[Interface],
) {
    check_macs(findings, draft);
    check_identifiers(findings, draft);
    check_addresses(findings, draft, prefixes, interfaces);
    check_names(findings, draft);
    for class in &draft.classes {
        check_class(findings, class, draft, prefixes);
    }
    let mut seen = BTreeMap::new();
    for name in draft.classes.iter().filter_map(|class| class.name.as_ref()) {
        once(findings, &mut seen, &name.value, &name.span, |line| {
            format!("name: a class {} is already on line {line}", quoted(&name.value))
        });
    }
}

/// Puts a class together.
pub(super) fn build_class(
    draft: ClassDraft,
    networks: &[NetworkDraft],
    prefixes: &[Option<Prefix>],
) -> Option<Class> {
    let places = draft.networks.map(|named| {
        let places = named.value.iter().flat_map(|name| places(&name.value, networks, prefixes));
        places.collect()
    });
    Some(Class {
        name: draft.name?.value,
        vendor_classes: plain(draft.vendor_classes),
        user_classes: plain(draft.user_classes),
        architectures: draft.architectures,
        macs: plain(draft.macs),
        circuits: plain(draft.circuits),
        remotes: plain(draft.remotes),
        networks: places,
        options: draft.options,
        boot_file: draft.boot_file.map(|file| file.value),
        next_server: draft.next_server.map(|server| server.value),
        profile: draft.profile.map(|profile| profile.value),
        ignore: draft.ignore,
    })
}

/// Puts a host together.
pub(super) fn build_host(draft: HostDraft) -> Host {
    Host {
        macs: plain(draft.macs),
        identifiers: draft.identifiers.build(),
        address: draft.address.map(|address| address.value),
        name: draft.name.map(|name| name.value),
        lease: draft.lease.map(|lease| lease.value),
        options: draft.options,
        ignore: draft.ignore,
    }
}

fn plain<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.value).collect()
}

/// A hardware address, or a pattern of them, is one entry's. Nodes among themselves were looked at before.
fn check_macs(findings: &mut Findings<'_>, draft: &Draft) {
    let of_nodes = draft.nodes.iter().flat_map(|node| &node.macs);
    let of_nodes = of_nodes.map(|mac| (MacPattern::exact(mac.value), &mac.span));
    let mut seen: BTreeMap<MacPattern, &Range<usize>> = of_nodes.collect();
    for host in &draft.hosts {
        for mac in &host.macs {
            once(findings, &mut seen, &mac.value, &mac.span, |line| {
                format!("mac: {} is already on line {line}", mac.value)
            });
            if let Some(address) = host.address.as_ref().filter(|_| mac.value.wildcards() > 0) {
                let message = format!("mac: {} can be many hosts, and one address is one's", mac.value);
                let line = findings.line(&address.span);
                let remedy = format!("leave out the address (line {line}), or write the whole mac");
                findings.error(&mac.span, message, Some(remedy));
            }
        }
    }
}

/// Circuit and remote identifier.
type RelayPlace<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// So is a client identifier, and a place at a relay.
fn check_identifiers(findings: &mut Findings<'_>, draft: &Draft) {
    let mut clients: BTreeMap<&[u8], &Range<usize>> = BTreeMap::new();
    let mut places: BTreeMap<RelayPlace<'_>, &Range<usize>> = BTreeMap::new();
    let of_nodes = draft.nodes.iter().map(|node| &node.identifiers);
    let of_hosts = draft.hosts.iter().map(|host| &host.identifiers);
    for IdentifiersDraft { client, circuit, remote } in of_nodes.chain(of_hosts) {
        if let Some(client) = client {
            once(findings, &mut clients, &client.value.as_slice(), &client.span, |line| {
                format!("client-id: it is already on line {line}")
            });
        }
        if let Some(first) = circuit.as_ref().or(remote.as_ref()) {
            let place = (
                circuit.as_ref().map(|circuit| circuit.value.as_slice()),
                remote.as_ref().map(|remote| remote.value.as_slice()),
            );
            once(findings, &mut places, &place, &first.span, |line| {
                format!("the same place at a relay is already on line {line}")
            });
        }
    }
}

/// An address is in a network, where nobody else gets it.
fn check_addresses(
    findings: &mut Findings<'_>,
    draft: &Draft,
    prefixes: &[Option<Prefix>],
    interfaces: &[Interface],
) {
    let own = check_network::own_addresses(findings, &draft.networks, interfaces, prefixes);
    let mut seen: BTreeMap<Ipv4Addr, &Range<usize>> = BTreeMap::new();
    for address in draft.hosts.iter().filter_map(|host| host.address.as_ref()) {
        once(findings, &mut seen, &address.value, &address.span, |line| {
            format!("address: {} is already on line {line}", address.value)
        });
        let at = |prefix: &Option<Prefix>| prefix.as_ref().is_some_and(|p| p.contains(address.value));
        let wrong = match prefixes.iter().position(at) {
            // Where a network could not be read, nobody knows whether it is there.
            None if prefixes.iter().any(Option::is_none) => None,
            None => Some(("is in no network that is served".to_owned(), "use one of a [[network]]")),
            Some(_) if own.contains_key(&address.value) => {
                own.get(&address.value).map(|role| (format!("is {role}"), "choose another"))
            }
            Some(place) => taken(findings, &draft.networks[place], prefixes[place].as_ref(), address.value),
        };
        if let Some((wrong, remedy)) = wrong {
            findings.error(&address.span, format!("address: {} {wrong}", address.value), Some(remedy.into()));
        }
    }
}

/// Why an address of a network can be no host's.
fn taken(
    findings: &Findings<'_>,
    network: &NetworkDraft,
    prefix: Option<&Prefix>,
    address: Ipv4Addr,
) -> Option<(String, &'static str)> {
    let prefix = prefix?;
    for (special, role) in [(prefix.network(), "network"), (prefix.broadcast(), "broadcast")] {
        if address == special {
            return Some((format!("is the {role} address of {prefix}"), "choose another"));
        }
    }
    if let Some(temporary) = network.temporary.as_ref().filter(|range| range.value.contains(address)) {
        let line = findings.line(&temporary.span);
        return Some((format!("is in temporary (line {line})"), "choose one outside, or in guests"));
    }
    let (first, numbers) = (network.first.as_ref()?, network.numbers.as_ref()?);
    let numbering =
        Numbering { numbers: numbers.value, first: first.value, first_ipv6: None, suffix: String::new() };
    let number = numbering.number(address)?;
    let line = findings.line(&first.span);
    Some((format!("is that of node {number} (line {line})"), "choose one outside, or write a [[node]]"))
}

/// A name is one host's, and no node's, given or computed.
fn check_names(findings: &mut Findings<'_>, draft: &Draft) {
    let suffixes: Vec<&str> =
        draft.networks.iter().filter_map(|network| Some(network.suffix.as_ref()?.value.as_str())).collect();
    let of_nodes = draft.nodes.iter().filter_map(|node| node.name.as_ref());
    let mut seen: BTreeMap<String, &Range<usize>> = BTreeMap::new();
    for name in of_nodes {
        for suffix in &suffixes {
            seen.insert(format!("{}{suffix}", name.value), &name.span);
        }
    }
    for name in draft.hosts.iter().filter_map(|host| host.name.as_ref()) {
        once(findings, &mut seen, &name.value, &name.span, |line| {
            format!("name: {:?} is already on line {line}", name.value)
        });
        if name.value == SERVER_NAME {
            let message = format!("name: {SERVER_NAME:?} is this server, whose addresses are known");
            findings.error(&name.span, message, Some("choose another".into()));
        }
        let Some(pattern) = &draft.pattern else { continue };
        let computed = |suffix: &&str| pattern.value.number(name.value.strip_suffix(*suffix)?);
        if let Some(number) = suffixes.iter().find_map(computed) {
            let message = format!("name: {:?} is the computed name of node {number}", name.value);
            let remedy = "choose one that cluster.nodes does not make".to_owned();
            findings.error(&name.span, message, Some(remedy));
        }
    }
}

/// Who has no address of its own, if all else is right, gets one of guests. One with options may have an address already, and only ask what else there is (RFC 2131 4.3.5).
pub(super) fn check_use(findings: &mut Findings<'_>, draft: &Draft) {
    let gives_some = |network: &NetworkDraft| {
        network.guests.is_some() || network.mode.as_ref().is_none_or(|mode| mode.value == Mode::Proxy)
    };
    if draft.networks.is_empty() || draft.networks.iter().any(gives_some) {
        return;
    }
    let is_in_vain =
        |host: &&HostDraft| host.address.is_none() && !host.ignore && host.options == OptionTable::default();
    for host in draft.hosts.iter().filter(is_in_vain) {
        let name = host.name.as_ref().map_or_else(|| "this [[host]]".into(), |name| quoted(&name.value));
        let message =
            format!("{name} gets no address: it has none of its own, and no [[network]] has guests");
        let remedy = "write address = \"10.77.0.20\", or guests in its [[network]]";
        findings.warning(&host.span, message, Some(remedy.into()));
    }
}

/// What a class names is there.
fn check_class(findings: &mut Findings<'_>, class: &ClassDraft, draft: &Draft, prefixes: &[Option<Prefix>]) {
    if let Some(profile) = &class.profile
        && profile.value != TRIAL_PROFILE
        && !draft.profiles.contains_key(&profile.value)
    {
        let known = draft.profiles.keys().map(String::as_str).chain([TRIAL_PROFILE]);
        let remedy = did_you_mean(&profile.value, known)
            .unwrap_or_else(|| format!("write a [profile.{}], or leave it out", profile.value));
        findings.error(
            &profile.span,
            format!("there is no profile {}", quoted(&profile.value)),
            Some(remedy),
        );
    }
    for name in class.networks.iter().flat_map(|networks| &networks.value) {
        let all_known = prefixes.iter().all(Option::is_some);
        if all_known && places(&name.value, &draft.networks, prefixes).is_empty() {
            let interfaces =
                draft.networks.iter().filter_map(|network| Some(network.interface.as_ref()?.value.as_str()));
            let remedy = did_you_mean(&name.value, interfaces)
                .unwrap_or_else(|| "the interface of a [[network]], or an address in one".into());
            let message = format!("network: {} is none that is served", quoted(&name.value));
            findings.error(&name.span, message, Some(remedy));
        }
    }
}

/// The networks that a word means: those of an interface, or the one of an address.
fn places(word: &str, networks: &[NetworkDraft], prefixes: &[Option<Prefix>]) -> Vec<usize> {
    let address: Option<Ipv4Addr> = word.split('/').next().and_then(|host| host.parse().ok());
    let is_meant = |place: &usize| {
        let by_interface = networks[*place].interface.as_ref().is_some_and(|name| name.value == word);
        let prefix = prefixes.get(*place).and_then(Option::as_ref);
        by_interface || address.zip(prefix).is_some_and(|(address, prefix)| prefix.contains(address))
    };
    (0..networks.len()).filter(is_meant).collect()
}

/// Notes what must be there once; a second one is a mistake that names the line of the first.
fn once<'s, K: Ord + Clone>(
    findings: &mut Findings<'_>,
    seen: &mut BTreeMap<K, &'s Range<usize>>,
    key: &K,
    span: &'s Range<usize>,
    message: impl FnOnce(usize) -> String,
) {
    if let Some(before) = seen.get(key) {
        let line = findings.line(before);
        findings.error(span, message(line), None);
    }
    seen.entry(key.clone()).or_insert(span);
}
