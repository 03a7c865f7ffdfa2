//! What came by updates, between the form in which it is kept and ours.

use crate::data::{Data, Set, Type};
use crate::name::Name;
use heorot_names::dynamic::DYNAMIC_TYPES;
use heorot_names::{Dynamic, DynamicSet};

/// A name as it is kept: whole, without a final dot. None: it has labels of other than letters, digits, hyphens and underlines, which nobody
/// has who wants to be found.
pub(crate) fn text_of(name: &Name) -> Option<String> {
    let is_plain =
        |label: &[u8]| label.iter().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    let labels: Vec<_> = name.labels().collect();
    let text = labels.iter().all(|label| is_plain(label)).then(|| labels.join(&b'.'))?;
    String::from_utf8(text).ok()
}

/// Whether a type may come by updates.
pub(crate) fn may_come(kind: Type) -> bool {
    DYNAMIC_TYPES.iter().any(|(_, number)| *number == kind.0)
}

/// All that a name has, as it is kept.
pub(crate) fn kept(name: String, sets: &[Set]) -> Dynamic {
    let sets = sets.iter().map(|set| DynamicSet {
        kind: set.kind().0,
        ttl_seconds: set.ttl_seconds,
        data: set.data.iter().map(octets).collect(),
    });
    Dynamic { name, sets: sets.collect() }
}

/// The sets of what was kept; what cannot be read is left out.
pub(crate) fn sets(dynamic: &Dynamic) -> Vec<Set> {
    let set = |kept: &DynamicSet| {
        let data: Vec<_> = kept.data.iter().filter_map(|octets| data(Type(kept.kind), octets)).collect();
        (!data.is_empty()).then_some(Set { ttl_seconds: kept.ttl_seconds, data })
    };
    dynamic.sets.iter().filter_map(set).collect()
}

/// Data in wire form, with no compressed name in it.
fn octets(data: &Data) -> Vec<u8> {
    match data {
        Data::A(address) => address.octets().to_vec(),
        Data::Aaaa(address) => address.octets().to_vec(),
        Data::Name(_, name) => name.octets().to_vec(),
        Data::Mx(preference, host) => [&preference.to_be_bytes(), host.octets()].concat(),
        Data::Srv { priority, weight, port, target } => {
            let numbers = [priority, weight, port].map(|number| number.to_be_bytes());
            [numbers.concat().as_slice(), target.octets()].concat()
        }
        Data::Other(_, octets) => octets.clone(),
        // It is computed.
        Data::Soa(_) => Vec::new(),
    }
}

/// Data from its wire form. None: it is not that of its type.
pub(crate) fn data(kind: Type, octets: &[u8]) -> Option<Data> {
    let number = |at: usize| Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]));
    let name = |at: usize| octets.get(at..).and_then(whole_name);
    match kind {
        Type::A => <[u8; 4]>::try_from(octets).ok().map(|octets| Data::A(octets.into())),
        Type::AAAA => <[u8; 16]>::try_from(octets).ok().map(|octets| Data::Aaaa(octets.into())),
        Type::NS | Type::CNAME | Type::PTR => name(0).map(|name| Data::Name(kind, name)),
        Type::MX => Some(Data::Mx(number(0)?, name(2)?)),
        Type::SRV => {
            Some(Data::Srv { priority: number(0)?, weight: number(2)?, port: number(4)?, target: name(6)? })
        }
        Type::TXT => is_text(octets).then(|| Data::Other(kind, octets.to_vec())),
        kind => (!octets.is_empty()).then(|| Data::Other(kind, octets.to_vec())),
    }
}

/// A name that is all of these octets, in lower case.
fn whole_name(octets: &[u8]) -> Option<Name> {
    let length = crate::asked::plain_name_octets(octets)?;
    (length == octets.len()).then(|| Name::from_wire(&octets.to_ascii_lowercase()))
}

/// RFC 1035 3.3.14: one part at least, each behind its length.
fn is_text(mut octets: &[u8]) -> bool {
    if octets.is_empty() {
        return false;
    }
    while let Some((length, rest)) = octets.split_first() {
        match rest.get(usize::from(*length)..) {
            Some(rest) => octets = rest,
            None => return false,
        }
    }
    true
}
