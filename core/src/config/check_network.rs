//! What networks must be together and on this host: every address means one thing.

use super::entry::{Placed, did_you_mean};
use super::mistake::{Findings, quoted};
use super::read::{Draft, NetworkDraft};
use super::{AddressRange, Interface, Mode, Network, OptionPath};
use crate::limit::{NUMBERS_MAX, SUFFIXES_MAX};
use heorot_names::{NumberRange, Numbering};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Range;

/// Which network it is, and where the file says so.
#[derive(Clone)]
pub(super) struct Prefix {
    address: Ipv4Addr,
    length: u8,
    on_link: bool,
    span: Range<usize>,
}

/// Looks at all networks. Gives the prefix of each, if it is known.
pub(super) fn check(
    findings: &mut Findings<'_>,
    draft: &Draft,
    interfaces: &[Interface],
) -> Vec<Option<Prefix>> {
    let networks = &draft.networks;
    check_suffixes(findings, networks);
    let prefixes: Vec<_> =
        networks.iter().map(|network| choose_prefix(findings, network, interfaces)).collect();
    let own = own_addresses(findings, networks, interfaces, &prefixes);
    let ranges: Vec<_> =
        networks.iter().enumerate().flat_map(|(at, network)| ranges(findings, at, network)).collect();
    for (network, prefix) in networks.iter().zip(&prefixes) {
        check_gateway(findings, network, prefix.as_ref());
        check_suffix(findings, network, draft);
        check_times(findings, network, draft);
        check_routes(findings, network, draft);
        check_inert(findings, network);
    }
    check_inert_hosts(findings, draft);
    for range in &ranges {
        check_range(findings, range, prefixes[range.network].as_ref(), &own);
    }
    check_pairs(findings, &ranges, &prefixes);
    check_numbers(findings, networks);
    prefixes
}

/// T1 and T2 that are set for a network and are over when the longest of its leases is (RFC 2131 4.4.5): nobody there is told them.
fn check_times(findings: &mut Findings<'_>, network: &NetworkDraft, draft: &Draft) {
    let leases = [&network.lease, &network.temporary_lease, &network.guest_lease];
    let longest = leases.into_iter().flatten().map(|lease| lease.value).max();
    let (Some(name), Some(longest)) = (&network.interface, longest) else { return };
    for code in [58, 59] {
        let set = network.options.seconds(code).or_else(|| draft.options.seconds(code));
        let Some(seconds) = set.filter(|seconds| u64::from(*seconds) >= longest.as_secs()) else { continue };
        let (path, lease) = (OptionPath::Whole(code), longest.as_secs());
        let message = format!(
            "option {path}, {seconds} s, is not before the end of the longest lease of {}, {lease} s",
            name.value
        );
        let remedy = "it is not sent; make it shorter, or the lease longer";
        findings.warning(&name.span, message, Some(remedy.into()));
    }
}

/// Classless routes without a default, beside a router: whoever asks for both leaves the router alone (RFC 3442), and has no way out.
fn check_routes(findings: &mut Findings<'_>, network: &NetworkDraft, draft: &Draft) {
    const ROUTER: OptionPath = OptionPath::Whole(3);
    const ROUTES: OptionPath = OptionPath::Whole(121);
    let is_proxy = network.mode.as_ref().is_some_and(|mode| mode.value == Mode::Proxy);
    // What a network says goes before what is said to all, also where it says that there is to be none.
    let said = |path| network.options.values.get(&path).or_else(|| draft.options.values.get(&path));
    let gateway = network.gateway.as_ref().map(|gateway| gateway.value.octets().to_vec());
    let router = said(ROUTER).map_or(gateway, Clone::clone);
    let router = router.and_then(|octets| octets.first_chunk::<4>().copied()).map(Ipv4Addr::from);
    let routes = said(ROUTES).and_then(Option::as_deref);
    let (Some(name), Some(router), Some(routes)) = (&network.interface, router, routes) else { return };
    if is_proxy || has_default(routes) {
        return;
    }
    let message = format!(
        "option {ROUTES} has no default route: whoever asks for it on {} (networkd, dhcpcd, ipconfig, Windows) leaves the gateway {router} alone",
        name.value
    );
    findings.warning(&name.span, message, Some(format!("add \"default via {router}\" to it")));
}

/// Whether one of these routes is for everywhere: the length of a prefix, as many octets of it as that has, and a router (RFC 3442).
fn has_default(mut routes: &[u8]) -> bool {
    while let Some((length, rest)) = routes.split_first() {
        if *length == 0 {
            return true;
        }
        routes = rest.get(usize::from(length.div_ceil(8)) + 4..).unwrap_or_default();
    }
    false
}

/// What says to whom addresses are given, where another server gives them.
fn check_inert(findings: &mut Findings<'_>, network: &NetworkDraft) {
    let Some(mode) = network.mode.as_ref().filter(|mode| mode.value == Mode::Proxy) else { return };
    let is_set = |truth: &Option<Placed<bool>>| truth.as_ref().is_some_and(|truth| truth.value);
    let inert = [
        ("guests", network.guests.is_some()),
        ("rapid-commit", is_set(&network.rapid_commit)),
        ("bootp", is_set(&network.bootp)),
        ("leasequery", network.leasequery.as_ref().is_some_and(|askers| !askers.value.is_empty())),
    ];
    let inert: Vec<_> = inert.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect();
    if !inert.is_empty() {
        let message = format!(
            "mode: beside another server, which gives the addresses, nothing comes of {}",
            inert.join(", ")
        );
        let remedy = "leave that out, or write mode = \"serve\" where this server gives them";
        findings.warning(&mode.span, message, Some(remedy.into()));
    }
}

/// Leases of hosts, where another server gives all addresses.
fn check_inert_hosts(findings: &mut Findings<'_>, draft: &Draft) {
    let is_proxy =
        |network: &NetworkDraft| network.mode.as_ref().is_some_and(|mode| mode.value == Mode::Proxy);
    let lease = draft.hosts.iter().find_map(|host| host.lease.as_ref());
    if let Some(lease) = lease.filter(|_| draft.networks.iter().all(is_proxy)) {
        let message = "lease: nothing comes of it beside another server, which gives the addresses";
        findings.warning(&lease.span, message, Some("leave it out".into()));
    }
}

/// Puts a network together. None: something is missing, which was reported.
pub(super) fn build(draft: &NetworkDraft, prefix: &Prefix) -> Option<Network> {
    let mode = draft.mode.as_ref()?.value;
    // Where another server gives the addresses, ours are none: the network's own is nobody's.
    let none = AddressRange { first: prefix.network(), last: prefix.network() };
    let temporary = draft.temporary.as_ref().map(|range| range.value);
    Some(Network {
        mode,
        interface: draft.interface.as_ref()?.value.clone(),
        address: prefix.address,
        prefix_length: prefix.length,
        prefix_length_ipv6: draft.first_ipv6.as_ref().map(|first| first.value.1),
        on_link: prefix.on_link,
        numbering: Numbering {
            numbers: draft.numbers.as_ref()?.value,
            first: draft.first.as_ref()?.value,
            first_ipv6: draft.first_ipv6.as_ref().map(|first| first.value.0),
            suffix: draft.suffix.as_ref()?.value.clone(),
        },
        temporary: temporary.or_else(|| (mode == Mode::Proxy).then_some(none))?,
        guests: draft.guests.as_ref().map(|guests| guests.value),
        gateway: draft.gateway.as_ref().map(|gateway| gateway.value),
        lease: draft.lease.as_ref()?.value,
        temporary_lease: draft.temporary_lease.as_ref()?.value,
        guest_lease: draft.guest_lease.as_ref()?.value,
        options: draft.options.clone(),
        probe: draft.probe.as_ref()?.value,
        other_servers: draft.other_servers.as_ref()?.value.iter().map(|server| server.value).collect(),
        answer_arp: draft.answer_arp.as_ref()?.value,
        rapid_commit: draft.rapid_commit.as_ref()?.value,
        bootp: draft.bootp.as_ref()?.value,
        leasequery: draft.leasequery.as_ref()?.value.iter().map(|asker| asker.value).collect(),
        block_octets_max: draft.block_octets_max.as_ref().and_then(|most| u16::try_from(most.value).ok()),
    })
}

/// The prefix that the file says, or that of the interface.
fn choose_prefix(
    findings: &mut Findings<'_>,
    network: &NetworkDraft,
    interfaces: &[Interface],
) -> Option<Prefix> {
    let name = network.interface.as_ref()?;
    let Some(interface) = interfaces.iter().find(|interface| interface.name == name.value) else {
        let names = interfaces.iter().map(|interface| interface.name.as_str());
        let remedy = did_you_mean(&name.value, names.clone()).unwrap_or_default();
        let there: Vec<_> = names.collect();
        let remedy = format!("{remedy} this host has {}", there.join(", "));
        let remedy = if there.is_empty() { "this host has none".into() } else { remedy.trim_start().into() };
        let message = format!("there is no interface {}", quoted(&name.value));
        let Some(given) = &network.address else {
            findings.error(&name.span, message, Some(remedy));
            return None;
        };
        // After a power cut with one dead card, all others are served; and a file may be looked at elsewhere.
        let message = format!("{message}: nobody is served there until there is one");
        findings.warning(&name.span, message, Some(remedy));
        return given_prefix(findings, given).map(|prefix| Prefix { on_link: false, ..prefix });
    };
    match &network.address {
        Some(given) => check_given(findings, given, interface),
        None if network.address_given => None,
        None => {
            let addresses = &interface.addresses;
            let of = |wanted: Ipv4Addr| addresses.iter().find(|(own, length)| holds(*own, *length, wanted));
            let first = network.first.as_ref().map(|first| first.value);
            let temporary = network.temporary.as_ref().map(|range| range.value.first);
            let held = first.and_then(of).or_else(|| temporary.and_then(of));
            let can_have_nodes = |(_, length): &(Ipv4Addr, u8)| (1..=30).contains(length);
            if held.is_none() && first.is_some() && addresses.iter().any(can_have_nodes) {
                tell_elsewhere(findings, network, interface, interfaces);
                return None;
            }
            let Some((address, length)) = held.or_else(|| addresses.first()) else {
                let message = format!("{} has no IPv4 address, and no address is given here", name.value);
                let remedy = format!("ip address add 10.77.0.1/16 dev {}", name.value);
                findings.error(&name.span, message, Some(remedy));
                return None;
            };
            if !(1..=30).contains(length) {
                let message = format!("{address}/{length} of {} is no network with nodes", name.value);
                findings.error(&name.span, message, Some("as 10.77.0.1/16".into()));
                return None;
            }
            Some(Prefix { address: *address, length: *length, on_link: true, span: name.span.clone() })
        }
    }
}

/// Tells of an interface that has addresses, and none where the nodes are to be.
fn tell_elsewhere(
    findings: &mut Findings<'_>,
    network: &NetworkDraft,
    interface: &Interface,
    interfaces: &[Interface],
) {
    let (Some(name), Some(first)) = (&network.interface, &network.first) else { return };
    let shown: Vec<_> =
        interface.addresses.iter().map(|(address, length)| format!("{address}/{length}")).collect();
    let has = shown.join(" and ");
    let what = if network.temporary.is_some() { "first and temporary are" } else { "first is" };
    let message = format!("{} has {has}, and {what} not in there", name.value);
    let other = interfaces.iter().find_map(|other| {
        let (address, length) =
            other.addresses.iter().find(|(own, length)| holds(*own, *length, first.value))?;
        Some(format!("write interface = {:?}, which has {address}/{length}", other.name))
    });
    // Nobody needs an address of ours who hears us by a relay alone: then it is said which network that is.
    let remedy = other.unwrap_or_else(|| {
        let given = fitting_address(network).unwrap_or_else(|| "10.77.0.1/16".into());
        format!(
            "if the nodes are behind a relay, write address = {given:?}, any one of that network; if they are on the link, ip address add {given} dev {}; or name the interface that they are on",
            name.value
        )
    });
    let last = match interface.addresses.as_slice() {
        [(address, length)] => format!("or write addresses of {}/{length}", network_of(*address, *length)),
        _ => "or write addresses of one of these networks".into(),
    };
    findings.error(&name.span, message, Some(format!("{remedy}; {last}")));
}

/// An address for the interface by which all that the network gives is on the link: the first free one of the smallest network that has it all.
fn fitting_address(network: &NetworkDraft) -> Option<String> {
    let (first, numbers) = (network.first.as_ref()?.value, network.numbers.as_ref()?.value);
    let last = Numbering { numbers, first, first_ipv6: None, suffix: String::new() }.last()?;
    let gateway = network.gateway.as_ref().map(|gateway| gateway.value);
    let ranges: Vec<AddressRange> = [&network.temporary, &network.guests]
        .into_iter()
        .flatten()
        .map(|range| range.value)
        .chain(gateway.map(|gateway| AddressRange { first: gateway, last: gateway }))
        .chain([AddressRange { first, last }])
        .collect();
    let prefixes = (8..=30).rev().map(|length| Prefix { address: first, length, on_link: true, span: 0..0 });
    let mut fitting = prefixes.filter(|prefix| {
        let is_host = |address| {
            prefix.contains(address) && address != prefix.network() && address != prefix.broadcast()
        };
        ranges.iter().flat_map(|range| [range.first, range.last]).all(is_host)
    });
    fitting.find_map(|prefix| {
        let hosts = u32::from(prefix.first_host())..=u32::from(prefix.last_host());
        let mut hosts = hosts.take(OWN_TRIED_MAX).map(Ipv4Addr::from);
        let own = hosts.find(|own| !ranges.iter().any(|range| range.contains(*own)))?;
        Some(format!("{own}/{}", prefix.length))
    })
}

/// Addresses that are looked at for one of ours.
const OWN_TRIED_MAX: usize = 1024;

/// An address that the file says, as that of a network.
fn given_prefix(findings: &mut Findings<'_>, given: &Placed<(Ipv4Addr, u8)>) -> Option<Prefix> {
    let Placed { value: (address, length), span } = given.clone();
    let prefix = Prefix { address, length, on_link: true, span };
    if address == prefix.broadcast() {
        let message = format!("address: {address} is the broadcast address of {prefix}");
        findings.error(&prefix.span, message, None);
        return None;
    }
    Some(prefix)
}

/// An address that the file says beside those that the interface has.
fn check_given(
    findings: &mut Findings<'_>,
    given: &Placed<(Ipv4Addr, u8)>,
    interface: &Interface,
) -> Option<Prefix> {
    let prefix = given_prefix(findings, given)?;
    let (name, address, length) = (&interface.name, prefix.address, prefix.length);
    if let Some((_, actual)) = interface.addresses.iter().find(|(own, _)| *own == address) {
        if *actual != length {
            let message = format!("{name} has {address} with the prefix length {actual}, not {length}");
            findings.warning(&prefix.span, message, Some(format!("write \"{address}/{actual}\"")));
        }
        return Some(prefix);
    }
    if let Some((own, _)) = interface.addresses.iter().find(|(own, _)| prefix.contains(*own)) {
        let message = format!("{address} is not an address of {name}, which has {own} in {prefix}");
        findings.error(&prefix.span, message, Some(format!("write \"{own}/{length}\"")));
        return None;
    }
    let message = format!("{name} has no address in {prefix}: its hosts are served through a relay only");
    let remedy = format!("if they are on the link, {name} needs an address in it");
    findings.warning(&prefix.span, message, Some(remedy));
    Some(Prefix { on_link: false, ..prefix })
}

/// Addresses that no range may hold, with what they are.
pub(super) fn own_addresses(
    findings: &Findings<'_>,
    networks: &[NetworkDraft],
    interfaces: &[Interface],
    prefixes: &[Option<Prefix>],
) -> BTreeMap<Ipv4Addr, String> {
    let mut own = BTreeMap::new();
    for (gateway, line) in
        networks.iter().filter_map(|n| n.gateway.as_ref()).map(|g| (g.value, findings.line(&g.span)))
    {
        own.insert(gateway, format!("the gateway (line {line})"));
    }
    for (network, prefix) in networks.iter().zip(prefixes) {
        // The address of a network behind a relay may be any, its network's own too, which is no host's.
        let Some(prefix) = prefix.as_ref().filter(|_| network.address_given) else { continue };
        if prefix.address != prefix.network() {
            own.insert(
                prefix.address,
                format!("the address of the network (line {})", findings.line(&prefix.span)),
            );
        }
    }
    for interface in interfaces {
        for (address, _) in &interface.addresses {
            own.insert(*address, format!("our own address on {}", interface.name));
        }
    }
    own
}

/// Addresses that a network gives, and by which words of the file.
struct Given {
    network: usize,
    /// "temporary", "guests", or the nodes' key.
    key: &'static str,
    range: AddressRange,
    span: Range<usize>,
}

fn ranges(findings: &mut Findings<'_>, at: usize, network: &NetworkDraft) -> Vec<Given> {
    let given = |key, placed: &Option<Placed<AddressRange>>| {
        placed.as_ref().map(|p| Given { network: at, key, range: p.value, span: p.span.clone() })
    };
    let nodes = nodes_range(findings, network).map(|p| Given {
        network: at,
        key: NODES,
        range: p.value,
        span: p.span,
    });
    let temporary = given("temporary", &network.temporary);
    let guests = given("guests", &network.guests);
    [nodes, temporary, guests].into_iter().flatten().collect()
}

/// The key whose place stands for the addresses of nodes.
const NODES: &str = "first";

/// The addresses of the nodes, if they end before 255.255.255.255.
fn nodes_range(findings: &mut Findings<'_>, network: &NetworkDraft) -> Option<Placed<AddressRange>> {
    let (first, numbers) = (network.first.as_ref()?, network.numbers.as_ref()?);
    let numbering =
        Numbering { numbers: numbers.value, first: first.value, first_ipv6: None, suffix: String::new() };
    let Some(last) = numbering.last() else {
        let NumberRange { lowest, highest } = numbers.value;
        let line = findings.line(&numbers.span);
        let message = format!(
            "first: numbers {lowest}-{highest} (line {line}) run past 255.255.255.255 from {}",
            first.value
        );
        findings.error(&first.span, message, None);
        return None;
    };
    Some(Placed { value: AddressRange { first: first.value, last }, span: first.span.clone() })
}

fn check_range(
    findings: &mut Findings<'_>,
    given: &Given,
    prefix: Option<&Prefix>,
    own: &BTreeMap<Ipv4Addr, String>,
) {
    let AddressRange { first, last } = given.range;
    let what = given.what();
    // What the range holds outside its network it will lose when it is brought back into it.
    let inside = |address: &Ipv4Addr| prefix.is_none_or(|prefix| prefix.contains(*address));
    if let Some((address, role)) = own.range(first..=last).find(|(address, _)| inside(address)) {
        let remedy = match given.key {
            NODES => format!("begin after {address}, or end before it"),
            _ => format!("leave {address} out"),
        };
        findings.error(&given.span, format!("{what} hold {address}, {role}"), Some(remedy));
    }
    let Some(prefix) = prefix else { return };
    if !prefix.contains(first) || !prefix.contains(last) {
        let message = format!("{what} leave the network {prefix} (line {})", findings.line(&prefix.span));
        let remedy = format!("its hosts are {} to {}", prefix.first_host(), prefix.last_host());
        findings.error(&given.span, message, Some(remedy));
        return;
    }
    for (address, role) in [(prefix.network(), "network"), (prefix.broadcast(), "broadcast")] {
        if given.range.contains(address) {
            let message = format!("{what} hold {address}, the {role} address of {prefix}");
            let remedy = format!("its hosts are {} to {}", prefix.first_host(), prefix.last_host());
            findings.error(&given.span, message, Some(remedy));
        }
    }
}

fn check_gateway(findings: &mut Findings<'_>, network: &NetworkDraft, prefix: Option<&Prefix>) {
    let (Some(gateway), Some(prefix)) = (&network.gateway, prefix) else { return };
    let address = gateway.value;
    let wrong = if !prefix.contains(address) {
        format!("is outside the network {prefix} (line {})", findings.line(&prefix.span))
    } else if address == prefix.network() {
        format!("is the network address of {prefix}")
    } else if address == prefix.broadcast() {
        format!("is the broadcast address of {prefix}")
    } else {
        return;
    };
    let remedy = format!("its hosts are {} to {}", prefix.first_host(), prefix.last_host());
    findings.error(&gateway.span, format!("gateway: {address} {wrong}"), Some(remedy));
}

/// Names have room for the suffix (RFC 1035 2.3.4: 63 octets).
fn check_suffix(findings: &mut Findings<'_>, network: &NetworkDraft, draft: &Draft) {
    let (Some(suffix), Some(numbers), Some(pattern)) = (&network.suffix, &network.numbers, &draft.pattern)
    else {
        return;
    };
    let name = pattern.value.name(numbers.value.highest) + &suffix.value;
    if name.len() > 63 {
        findings.error(&suffix.span, format!("suffix: {name:?} is longer than 63 characters"), None);
    }
}

/// There are not too many suffixes together.
fn check_suffixes(findings: &mut Findings<'_>, networks: &[NetworkDraft]) {
    let mut seen = BTreeSet::new();
    for suffix in networks.iter().filter_map(|network| network.suffix.as_ref()) {
        if seen.insert(&suffix.value) && seen.len() == SUFFIXES_MAX + 1 {
            let message = format!("suffix: more than {SUFFIXES_MAX} different ones");
            findings.error(&suffix.span, message, None);
        }
    }
}

/// Whatever two networks, or two ranges of one, may not share.
fn check_pairs(findings: &mut Findings<'_>, ranges: &[Given], prefixes: &[Option<Prefix>]) {
    for (at, one) in ranges.iter().enumerate() {
        for other in &ranges[at + 1..] {
            let (earlier, later) = in_order((one, &one.span), (other, &other.span));
            if earlier.range.first <= later.range.last && later.range.first <= earlier.range.last {
                let line = findings.line(&earlier.span);
                let message =
                    format!("{} overlap {} (line {line})", later.what(), earlier.what_in_sentence());
                findings.error(&later.span, message, None);
            }
        }
    }
    let known: Vec<_> = prefixes.iter().flatten().collect();
    for (at, one) in known.iter().enumerate() {
        for other in &known[at + 1..] {
            let (earlier, later) = in_order((*one, &one.span), (*other, &other.span));
            let length = earlier.length.min(later.length);
            if masked(earlier.address, length) == masked(later.address, length) {
                let line = findings.line(&earlier.span);
                let message = match later.length == earlier.length {
                    true => format!("the network {later} is already on line {line}"),
                    false => format!("the network {later} overlaps the network {earlier} (line {line})"),
                };
                findings.error(&later.span, message, Some("an address must belong to one network".into()));
            }
        }
    }
}

/// No node has two addresses under one name, and there are not too many of them.
fn check_numbers(findings: &mut Findings<'_>, networks: &[NetworkDraft]) {
    let mut total: u64 = 0;
    for (at, network) in networks.iter().enumerate() {
        let Some(numbers) = &network.numbers else { continue };
        total = total.saturating_add(numbers.value.size());
        if total > NUMBERS_MAX {
            let message = format!("numbers: {total} numbers so far");
            findings.error(&numbers.span, message, Some(format!("at most {NUMBERS_MAX} are allowed")));
            total = 0; // reported once
        }
        for earlier in &networks[..at] {
            let (Some(before), Some(one), Some(other)) = (&earlier.numbers, &earlier.suffix, &network.suffix)
            else {
                continue;
            };
            let NumberRange { lowest, highest } = before.value;
            let shared = lowest <= numbers.value.highest && numbers.value.lowest <= highest;
            if shared && one.value == other.value {
                let line = findings.line(&before.span);
                let message = format!(
                    "numbers: shared with the network of {lowest}-{highest} (line {line}), and both have the suffix {:?}",
                    one.value
                );
                let remedy = "give a further interface of the same nodes a suffix, as \"-ib\"";
                findings.error(&numbers.span, message, Some(remedy.into()));
            }
        }
    }
}

/// The one that stands first in the file comes first.
fn in_order<T>((one, at_one): (T, &Range<usize>), (other, at_other): (T, &Range<usize>)) -> (T, T) {
    if at_one.start <= at_other.start { (one, other) } else { (other, one) }
}

/// Whether two addresses are in one network, which has the first with this length of its prefix.
fn holds(address: Ipv4Addr, length: u8, other: Ipv4Addr) -> bool {
    masked(address, length) == masked(other, length)
}

fn network_of(address: Ipv4Addr, length: u8) -> Ipv4Addr {
    Ipv4Addr::from(masked(address, length))
}

/// The network part of an address.
fn masked(address: Ipv4Addr, length: u8) -> u32 {
    u32::from(address) & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

impl Given {
    fn what(&self) -> String {
        match self.key {
            NODES => format!("first: the nodes' addresses {}-{}", self.range.first, self.range.last),
            key => format!("{key}: the addresses {}-{}", self.range.first, self.range.last),
        }
    }

    fn what_in_sentence(&self) -> String {
        match self.key {
            NODES => format!("the nodes' {}-{}", self.range.first, self.range.last),
            key => format!("{key} {}-{}", self.range.first, self.range.last),
        }
    }
}

impl Prefix {
    pub(super) fn contains(&self, address: Ipv4Addr) -> bool {
        holds(self.address, self.length, address)
    }

    pub(super) fn network(&self) -> Ipv4Addr {
        network_of(self.address, self.length)
    }

    pub(super) fn broadcast(&self) -> Ipv4Addr {
        Ipv4Addr::from(masked(self.address, self.length) | !masked(Ipv4Addr::BROADCAST, self.length))
    }

    fn first_host(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network()).saturating_add(1))
    }

    fn last_host(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.broadcast()).saturating_sub(1))
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network(), self.length)
    }
}
