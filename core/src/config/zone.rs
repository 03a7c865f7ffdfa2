//! `[[dns.record]]`: what the cluster's zone has beside the names of nodes and hosts.

use super::entry::{Entry, Placed};
use super::mistake::{Findings, quoted};
use super::read::Draft;
use super::value::{self, Wrong};
use super::{Config, Key, Network};
use crate::limit::{RECORD_TEXT_OCTETS_MAX, RECORDS_MAX, SECONDARIES_MAX};
use heorot_names::{Hosts, Record, RecordData};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Range;

/// What the operator says of the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Records of type `host`: a name and an address each, for the way there and back.
    pub hosts: Vec<(String, IpAddr)>,
    /// All others.
    pub records: Vec<Record>,
    /// The zones' serial is this one at least.
    pub serial: u32,
    /// Who may copy the zones, and is told when they change.
    pub secondaries: Vec<SocketAddr>,
    /// `[[dns.key]]`
    pub keys: Vec<Key>,
}

/// The name by which the zone calls this server.
pub const SERVER_NAME: &str = "heorot";

/// What it is called too, unless somebody else is: names files and exports have it so.
pub const MASTER_NAME: &str = "master";

impl Config {
    /// The names of hosts that are no nodes: `[[host]]`s, and records of type `host`.
    pub fn named_hosts(&self) -> Hosts {
        let hosts = self.hosts.iter().filter_map(|host| Some((host.name.clone()?, host.address?.into())));
        hosts.chain(self.zone.hosts.iter().cloned()).collect()
    }
}

impl Network {
    /// The IPv6 prefix that its nodes' addresses are in: for the reverse zone.
    pub fn prefix_ipv6(&self) -> Option<(Ipv6Addr, u8)> {
        self.numbering.first_ipv6.zip(self.prefix_length_ipv6)
    }
}

/// A `[[dns.record]]`: its name, and each of its values.
pub(super) struct RecordDraft {
    name: Placed<String>,
    kind: Kind,
    values: Vec<Placed<Said>>,
}

/// What is said of other servers.
pub(super) struct OthersDraft {
    serial: Option<Placed<u32>>,
    secondaries: Option<Placed<Vec<Placed<SocketAddr>>>>,
    keys: Vec<(Placed<String>, Key)>,
}

/// The types that a record may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Host,
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Srv,
    Txt,
}

/// What one value says.
#[derive(Clone, PartialEq)]
enum Said {
    Host(IpAddr),
    Data(RecordData),
}

const KINDS: [(&str, Kind); 8] = [
    ("host", Kind::Host),
    ("A", Kind::A),
    ("AAAA", Kind::Aaaa),
    ("CNAME", Kind::Cname),
    ("MX", Kind::Mx),
    ("NS", Kind::Ns),
    ("SRV", Kind::Srv),
    ("TXT", Kind::Txt),
];

/// Reads a `[[dns.record]]`. `zone` is the cluster's, if it could be read.
pub(super) fn read_record(
    findings: &mut Findings<'_>,
    record: &Entry<'_>,
    zone: Option<&str>,
) -> Option<RecordDraft> {
    let name =
        record.text(findings, "name", |text| owner(text, zone).map(|name| (name, text.ends_with('.'))));
    let name = name.map(|Placed { value: (name, is_whole), span }| {
        let inner = zone.filter(|_| !is_whole).and_then(|zone| name.strip_suffix(zone)?.strip_suffix('.'));
        if let (Some(inner), Some(zone)) = (inner, zone) {
            let message = format!("name: without a final dot {name:?} is {name}.{zone}");
            findings.warning(&span, message, Some(format!("write {inner:?}, or \"{name}.\"")));
        }
        Placed { value: name, span }
    });
    let kind = record.word(findings, "type", &KINDS);
    let kind = kind?.value;
    let values = record.texts(findings, "value", |text| said(kind, text, zone))?;
    if values.value.is_empty() {
        findings.error(
            &values.span,
            "value: there is none",
            Some("write one, or leave the record out".into()),
        );
    }
    Some(RecordDraft { name: name?, kind, values: values.value })
}

/// Reads `[dns]`, as far as it is of our own zones, and `[[dns.key]]`s that were read.
pub(super) fn read_others(
    findings: &mut Findings<'_>,
    dns: &Entry<'_>,
    keys: Vec<(Placed<String>, Key)>,
) -> OthersDraft {
    let secondaries = dns.texts(findings, "secondaries", secondary);
    if let Some(all) = secondaries.as_ref().filter(|all| all.value.len() > SECONDARIES_MAX) {
        let message = format!("secondaries: more than {SECONDARIES_MAX}");
        findings.error(&all.span, message, Some("let some of them copy from the others".into()));
    }
    for secondary in secondaries.iter().flat_map(|all| &all.value) {
        if secondary.value.is_ipv6() {
            let message = format!(
                "secondaries: names are told at this server's IPv4 addresses alone: {} is not told of changes, and cannot copy the zones from there",
                secondary.value.ip()
            );
            let remedy = "name the IPv4 address that it asks from, as \"192.0.2.53\"";
            findings.warning(&secondary.span, message, Some(remedy.into()));
        }
    }
    let mut seen: BTreeMap<&str, &Range<usize>> = BTreeMap::new();
    for (name, _) in &keys {
        if let Some(before) = seen.insert(&name.value, &name.span) {
            let line = findings.line(before);
            findings.error(
                &name.span,
                format!("name: a key {:?} is already on line {line}", name.value),
                None,
            );
        }
    }
    OthersDraft { serial: dns.integer(findings, "serial"), secondaries, keys }
}

/// A server's address, with its port if that is not 53.
fn secondary(text: &str) -> Result<SocketAddr, Wrong> {
    let whole = text.parse::<SocketAddr>().ok();
    let address = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    whole.or_else(address).ok_or_else(|| {
        let message = format!("{} is no address of a server", quoted(text));
        Wrong::with(message, "as \"192.0.2.53\", \"192.0.2.53:5353\" or \"[2001:db8::53]:5353\"")
    })
}

/// Looks at all records together, and at their names beside those of nodes and hosts.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft) {
    let total: usize = draft.records.iter().map(|record| record.values.len()).sum();
    if let Some(last) = draft.records.last().filter(|_| total > RECORDS_MAX) {
        let message = format!("{total} values of records; {RECORDS_MAX} are allowed");
        findings.error(&last.name.span, message, None);
        return;
    }
    check_names(findings, draft);
    check_alone(findings, draft);
    check_targets(findings, draft);
    let mut seen: BTreeMap<&str, Vec<&Placed<Said>>> = BTreeMap::new();
    for record in &draft.records {
        let said = seen.entry(&record.name.value).or_default();
        for value in &record.values {
            if let Some(before) = said.iter().find(|before| before.value == value.value) {
                let line = findings.line(&before.span);
                let message = format!("value: {} has it already (line {line})", record.shown());
                findings.error(&value.span, message, None);
            }
            said.push(value);
        }
    }
}

/// Puts the zone together.
pub(super) fn build(drafts: Vec<RecordDraft>, others: OthersDraft) -> Option<Zone> {
    let secondaries = others.secondaries?.value.into_iter().map(|secondary| secondary.value).collect();
    let keys = others.keys.into_iter().map(|(_, key)| key).collect();
    let serial = others.serial?.value;
    let mut zone = Zone { hosts: Vec::new(), records: Vec::new(), serial, secondaries, keys };
    for RecordDraft { name, values, .. } in drafts {
        for value in values {
            match value.value {
                // The zone itself is called so by no host: this is the way there alone.
                Said::Host(address) if name.value.is_empty() => zone.records.push(Record {
                    name: String::new(),
                    data: match address {
                        IpAddr::V4(address) => RecordData::A(address),
                        IpAddr::V6(address) => RecordData::Aaaa(address),
                    },
                }),
                Said::Host(address) => zone.hosts.push((name.value.clone(), address)),
                Said::Data(data) => zone.records.push(Record { name: name.value.clone(), data }),
            }
        }
    }
    Some(zone)
}

/// No name is a node's, and names of hosts are labels.
fn check_names(findings: &mut Findings<'_>, draft: &Draft) {
    let suffixes: Vec<&str> =
        draft.networks.iter().filter_map(|network| Some(network.suffix.as_ref()?.value.as_str())).collect();
    let mut given: BTreeMap<String, &Range<usize>> = BTreeMap::new();
    for name in draft.nodes.iter().filter_map(|node| node.name.as_ref()) {
        given.extend(suffixes.iter().map(|suffix| (format!("{}{suffix}", name.value), &name.span)));
    }
    for record in &draft.records {
        let Placed { value: name, span } = &record.name;
        if let Some(at) = given.get(name) {
            let message = format!("name: {name:?} is a node's (line {})", findings.line(at));
            findings.error(
                span,
                message,
                Some("choose another: a node's name has its addresses alone".into()),
            );
        }
        let Some(pattern) = &draft.pattern else { continue };
        let computed = |suffix: &&str| pattern.value.number(name.strip_suffix(*suffix)?);
        if let Some(number) = suffixes.iter().find_map(computed) {
            let message = format!("name: {name:?} is the computed name of node {number}");
            let remedy = "choose one that cluster.nodes does not make".to_owned();
            findings.error(span, message, Some(remedy));
        }
        let is_address = matches!(record.kind, Kind::Host | Kind::A);
        if name == SERVER_NAME && is_address {
            let message = format!("name: {name:?} is this server, whose addresses are known");
            findings.error(span, message, Some("choose another".into()));
        }
    }
}

/// A CNAME has its name for itself (RFC 1034 3.6.2), and so has a zone below this one.
fn check_alone(findings: &mut Findings<'_>, draft: &Draft) {
    let hosts = draft.hosts.iter().filter_map(|host| host.name.as_ref());
    let mut first: BTreeMap<&str, (Option<Kind>, &Range<usize>)> =
        hosts.map(|name| (name.value.as_str(), (None, &name.span))).collect();
    for record in &draft.records {
        let Placed { value: name, span } = &record.name;
        let stands_alone = |kind: Kind| kind == Kind::Cname || (kind == Kind::Ns && !name.is_empty());
        if record.kind == Kind::Cname && (name.is_empty() || name == SERVER_NAME) {
            let message = format!("type: {} has records of its own, and can be no alias", record.shown());
            findings.error(span, message, Some("write the records that are meant".into()));
        } else if record.kind == Kind::Cname && record.values.len() > 1 {
            let message = "value: an alias is one name's";
            findings.error(&record.values[1].span, message, Some("write one value".into()));
        } else if let Some((kind, before)) = first.get(name.as_str())
            && (*kind != Some(record.kind) || record.kind == Kind::Cname)
            && (stands_alone(record.kind) || kind.is_some_and(stands_alone))
        {
            let line = findings.line(before);
            let message =
                format!("name: {} is on line {line} too, and CNAME and NS stand alone", record.shown());
            findings.error(span, message, Some("leave one of them out".into()));
        }
        first.entry(name).or_insert((Some(record.kind), span));
    }
}

/// Names that are told to be hosts are no aliases (RFC 2181 10.3), and aliases do not run in circles.
fn check_targets(findings: &mut Findings<'_>, draft: &Draft) {
    let zone = draft.cluster_name.as_ref().map_or("", |name| name.value.as_str());
    let aliases: BTreeMap<String, &str> = draft
        .records
        .iter()
        .filter_map(|record| match &record.values.first()?.value {
            Said::Data(RecordData::Cname(target)) => {
                Some((in_zone(&record.name.value, zone), target.as_str()))
            }
            Said::Data(_) | Said::Host(_) => None,
        })
        .collect();
    for record in &draft.records {
        for value in &record.values {
            let Said::Data(data) = &value.value else { continue };
            let target = match data {
                RecordData::Mx(_, host) | RecordData::Ns(host) => host,
                RecordData::Srv { target, .. } => target,
                RecordData::Cname(first) => {
                    // As many steps as there are aliases, and the chain has closed.
                    let last = (0..aliases.len()).try_fold(first.as_str(), |at, _| aliases.get(at).copied());
                    if last.is_some() {
                        let message = format!("value: {} leads back to itself", record.shown());
                        findings.error(&value.span, message, Some("let an alias end at a host".into()));
                    }
                    continue;
                }
                RecordData::A(_) | RecordData::Aaaa(_) | RecordData::Txt(_) => continue,
            };
            if let Some(meant) = aliases.get(target.as_str()) {
                let message = format!("value: {target:?} is an alias, which {} may not lead to", data.kind());
                findings.error(&value.span, message, Some(format!("write the name itself: \"{meant}.\"")));
            }
        }
    }
}

impl RecordDraft {
    fn shown(&self) -> String {
        if self.name.value.is_empty() { "the zone itself".into() } else { format!("{:?}", self.name.value) }
    }
}

/// A name inside the zone, whole.
pub(super) fn in_zone(name: &str, zone: &str) -> String {
    if name.is_empty() { zone.into() } else { format!("{name}.{zone}") }
}

/// The name of a record: "www", "_ldap._tcp", "@" for the zone itself, or a whole name with a final dot.
fn owner(text: &str, zone: Option<&str>) -> Result<String, Wrong> {
    if text == "@" {
        return Ok(String::new());
    }
    let name = text.to_ascii_lowercase();
    let name = match (name.strip_suffix('.'), zone) {
        (None, _) => name.as_str(),
        (Some(whole), Some(zone)) if whole == zone => return Ok(String::new()),
        (Some(whole), Some(zone)) => match whole.strip_suffix(zone).and_then(|name| name.strip_suffix('.')) {
            Some(name) => name,
            None => {
                let message = format!("{} is not in the zone {zone}", quoted(text));
                return Err(Wrong::with(message, "without a final dot it is a name in the zone, as \"www\""));
            }
        },
        (Some(whole), None) => whole,
    };
    if name.split('.').any(|label| label == "*") {
        return Err(Wrong::with(format!("{}: a \"*\" is not supported", quoted(text)), "write each name"));
    }
    check_name(text, name, zone)?;
    Ok(name.into())
}

/// A name that a value leads to: with a dot in it a whole name, without one a name in the zone.
fn target(text: &str, zone: Option<&str>) -> Result<String, Wrong> {
    let name = text.to_ascii_lowercase();
    let whole = name.strip_suffix('.');
    let name = whole.unwrap_or(&name).to_owned();
    check_name(text, &name, zone)?;
    match (whole, zone) {
        (None, Some(zone)) if !name.contains('.') => Ok(in_zone(&name, zone)),
        _ => Ok(name),
    }
}

/// RFC 1035 2.3.4, and what services have in front of their names (RFC 8552 1.1).
pub(super) fn check_name(text: &str, name: &str, zone: Option<&str>) -> Result<(), Wrong> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let is_label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(allowed) && !ends
    };
    if !name.split('.').all(is_label) {
        let message = format!("{} is no name: its parts have 1 to 63 of a-z, 0-9, '-' and '_'", quoted(text));
        return Err(Wrong::with(message, "as \"www\" or \"_ldap._tcp\""));
    }
    if name.len() + zone.map_or(0, |zone| 1 + zone.len()) > 253 {
        return Err(Wrong::with("longer than the 253 characters of a name", "choose a shorter one"));
    }
    Ok(())
}

/// What a value of this type says.
fn said(kind: Kind, text: &str, zone: Option<&str>) -> Result<Said, Wrong> {
    let data = match kind {
        Kind::Host => return address(text).map(Said::Host),
        Kind::A => RecordData::A(value::address(text)?),
        Kind::Aaaa => RecordData::Aaaa(address_ipv6(text)?),
        Kind::Cname => RecordData::Cname(target(text, zone)?),
        Kind::Ns => RecordData::Ns(target(text, zone)?),
        Kind::Mx => {
            let example = "preference and host, as \"10 mail\"";
            let [preference, host] = words(text, example)?;
            RecordData::Mx(number(preference, example)?, target(host, zone)?)
        }
        Kind::Srv => {
            let example = "priority, weight, port and host, as \"0 100 389 ldap\"";
            let [priority, weight, port, host] = words(text, example)?;
            RecordData::Srv {
                priority: number(priority, example)?,
                weight: number(weight, example)?,
                port: number(port, example)?,
                // RFC 2782: the root says that there is decidedly no such service.
                target: if host == "." { String::new() } else { target(host, zone)? },
            }
        }
        Kind::Txt => {
            if text.len() > RECORD_TEXT_OCTETS_MAX {
                let message = format!("a text of {} octets", text.len());
                return Err(Wrong::with(message, format!("at most {RECORD_TEXT_OCTETS_MAX} are allowed")));
            }
            // RFC 1035 3.3: each part has its length in one octet; readers put them together (RFC 7208 3.3).
            let parts: Vec<_> = text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect();
            RecordData::Txt(if parts.is_empty() { vec![vec![]] } else { parts })
        }
    };
    Ok(Said::Data(data))
}

fn words<'t, const N: usize>(text: &'t str, example: &str) -> Result<[&'t str; N], Wrong> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    words.try_into().map_err(|_| Wrong::with(format!("{} is not what the type has", quoted(text)), example))
}

fn number(text: &str, example: &str) -> Result<u16, Wrong> {
    let number = value::decimal(text).and_then(|number| u16::try_from(number).ok());
    number.ok_or_else(|| Wrong::with(format!("{} is no number up to 65535", quoted(text)), example))
}

fn address(text: &str) -> Result<IpAddr, Wrong> {
    match text.contains(':') {
        true => address_ipv6(text).map(IpAddr::V6),
        false => value::address(text).map(IpAddr::V4),
    }
}

fn address_ipv6(text: &str) -> Result<Ipv6Addr, Wrong> {
    text.parse().map_err(|_| Wrong::with(format!("{} is no IPv6 address", quoted(text)), "as \"fd77::1\""))
}

/// `first-ipv6`: an address, and the length of its network's prefix if that is not 64.
pub(super) fn first_ipv6(text: &str) -> Result<(Ipv6Addr, u8), Wrong> {
    let example = "as \"fd77::1:0\" or \"fd77::1:0/56\"";
    let (host, length) = text.split_once('/').unwrap_or((text, "64"));
    let address = address_ipv6(host)?;
    let is_a_hosts = !address.is_multicast() && !address.is_loopback() && !address.is_unspecified();
    if !is_a_hosts || address.to_ipv4_mapped().is_some() || address.is_unicast_link_local() {
        return Err(Wrong::with(
            format!("{} is no address by which a host is reached from elsewhere", quoted(text)),
            example,
        ));
    }
    match value::decimal(length) {
        Some(length @ 16..=124) => Ok((address, u8::try_from(length).expect("at most 124"))),
        Some(_) | None => {
            Err(Wrong::with(format!("{} is no length from 16 to 124", quoted(length)), example))
        }
    }
}

/// The IPv6 addresses of nodes stay in their prefixes, and no two nodes share one.
pub(super) fn check_ipv6(findings: &mut Findings<'_>, draft: &Draft) {
    let mut ranges: Vec<(u128, u128, &Range<usize>)> = Vec::new();
    for network in &draft.networks {
        let (Some(first), Some(numbers)) = (&network.first_ipv6, &network.numbers) else { continue };
        let (address, length) = first.value;
        let lowest = u128::from(address);
        let highest = lowest.saturating_add(u128::from(numbers.value.highest - numbers.value.lowest));
        if (lowest ^ highest) >> (128 - u32::from(length)) != 0 {
            let message =
                format!("first-ipv6: the nodes' addresses leave the prefix of {length} bits of {address}");
            findings.error(&first.span, message, Some("begin lower, or say the length of the prefix".into()));
        }
        if let Some((.., before)) = ranges.iter().find(|(low, high, _)| *low <= highest && lowest <= *high) {
            let line = findings.line(before);
            let message = format!("first-ipv6: the nodes' addresses overlap those of line {line}");
            findings.error(&first.span, message, Some("let each network have its own".into()));
        }
        ranges.push((lowest, highest, &first.span));
    }
}
