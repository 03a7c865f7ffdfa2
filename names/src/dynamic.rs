//! What names have by updates of others (RFC 2136).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// All that a name has by updates of others (RFC 2136), beside what is computed, configured or lent. Without sets it has nothing by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// The whole name in lower case, without a final dot, in labels of letters, digits, hyphens and underlines.
    pub name: String,
    /// Each of another type.
    pub sets: Vec<DynamicSet>,
}

/// All data of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicSet {
    /// The type's number (RFC 6895 3.1).
    pub kind: u16,
    /// How long others may keep it.
    pub ttl_seconds: u32,
    /// One at least, each once, in wire form with no compressed name in it.
    pub data: Vec<Vec<u8>>,
}

/// Names that a key may update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owners {
    /// This name.
    Exactly(String),
    /// Every name below this one.
    Below(String),
    /// Every name in a zone that begins with these labels: labels, zone.
    Beginning(String, String),
}

/// The numbers of types that mean something here (RFC 1035 3.2.2, RFC 3596, RFC 2782).
pub mod kind {
    /// An address.
    pub const A: u16 = 1;
    /// A name server.
    pub const NS: u16 = 2;
    /// The name that is meant.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// The name of an address.
    pub const PTR: u16 = 12;
    /// Where mail goes.
    pub const MX: u16 = 15;
    /// A text.
    pub const TXT: u16 = 16;
    /// An address of IPv6.
    pub const AAAA: u16 = 28;
    /// Where a service is.
    pub const SRV: u16 = 33;
}

const HINFO: u16 = 13;
const SSHFP: u16 = 44;
const TLSA: u16 = 52;
const SMIMEA: u16 = 53;

/// Types that may come by updates, and how they are written. Of all others the data may hold names that somebody compressed (RFC 3597 4), or they
/// belong to signatures, which are not made here.
pub const DYNAMIC_TYPES: [(&str, u16); 20] = [
    ("A", kind::A),
    ("AAAA", kind::AAAA),
    ("CAA", 257),
    ("CERT", 37),
    ("CNAME", kind::CNAME),
    ("DHCID", 49),
    ("HINFO", HINFO),
    ("HTTPS", 65),
    ("LOC", 29),
    ("MX", kind::MX),
    ("NS", kind::NS),
    ("OPENPGPKEY", 61),
    ("PTR", kind::PTR),
    ("SMIMEA", SMIMEA),
    ("SRV", kind::SRV),
    ("SSHFP", SSHFP),
    ("SVCB", 64),
    ("TLSA", TLSA),
    ("TXT", kind::TXT),
    ("URI", 256),
];

impl Dynamic {
    /// Records that it has.
    pub fn count(&self) -> usize {
        self.sets.iter().map(|set| set.data.len()).sum()
    }

    /// Octets of their data.
    pub fn octets(&self) -> usize {
        self.sets.iter().flat_map(|set| &set.data).map(Vec::len).sum()
    }
}

impl Owners {
    /// Whether a whole name in lower case, without a final dot, is one of them.
    pub fn contain(&self, name: &str) -> bool {
        let is_below =
            |name: &str, zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
        match self {
            Self::Exactly(own) => name == own,
            Self::Below(zone) => is_below(name, zone),
            Self::Beginning(labels, zone) => name
                .strip_prefix(labels.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == zone || is_below(rest, zone)),
        }
    }
}

/// Other types that somebody may want to send, and is told that they may not come.
const OTHER_TYPES: [(&str, u16); 18] = [
    ("SOA", kind::SOA),
    ("RP", 17),
    ("AFSDB", 18),
    ("KEY", 25),
    ("NAPTR", 35),
    ("DNAME", 39),
    ("APL", 42),
    ("DS", 43),
    ("IPSECKEY", 45),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("HIP", 55),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("SPF", 99),
];

/// The name of a type; `TYPE300` of one that nobody uses here (RFC 3597 5).
pub fn type_name(kind: u16) -> String {
    let known = DYNAMIC_TYPES.iter().chain(&OTHER_TYPES).find(|(_, number)| *number == kind);
    known.map_or_else(|| format!("TYPE{kind}"), |(name, _)| (*name).to_owned())
}

impl DynamicSet {
    /// Its records as a zone file has them: type and data.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.data.iter().map(|data| format!("{} {}", type_name(self.kind), shown(self.kind, data)))
    }
}

impl fmt::Display for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.sets.iter().flat_map(DynamicSet::lines).collect();
        match lines.is_empty() {
            true => write!(f, "{} has nothing by updates", self.name),
            false => write!(f, "{} has {}", self.name, lines.join(", ")),
        }
    }
}

/// A label as a zone file has it (RFC 1035 5.1, RFC 4343 2.1): what means something else there, or cannot be printed, as `\\DDD`.
pub fn label_text(label: &[u8]) -> String {
    let octets = label.iter().map(|octet| match octet {
        b'"' | b'$' | b'(' | b')' | b'.' | b';' | b'@' | b'\\' => format!("\\{octet:03}"),
        b'!'..=b'~' => char::from(*octet).into(),
        octet => format!("\\{octet:03}"),
    });
    octets.collect()
}

/// A part of a text as a zone file has it, in quotation marks.
fn quoted(part: &[u8]) -> String {
    let octets = part.iter().map(|octet| match octet {
        b'"' | b'\\' => format!("\\{}", char::from(*octet)),
        b' '..=b'~' => char::from(*octet).into(),
        octet => format!("\\{octet:03}"),
    });
    format!("\"{}\"", octets.collect::<String>())
}

/// Data as a zone file has it; where that is not known here, in the form that every type has (RFC 3597 5).
fn shown(kind: u16, data: &[u8]) -> String {
    let known = match (kind, data) {
        (kind::A, _) => <[u8; 4]>::try_from(data).ok().map(|octets| Ipv4Addr::from(octets).to_string()),
        (kind::AAAA, _) => <[u8; 16]>::try_from(data).ok().map(|octets| Ipv6Addr::from(octets).to_string()),
        (kind::CNAME | kind::NS | kind::PTR, _) => name(data),
        (kind::MX, [high, low, host @ ..]) => {
            name(host).map(|host| format!("{} {host}", u16::from_be_bytes([*high, *low])))
        }
        (kind::SRV, [numbers @ .., _]) if numbers.len() >= 6 => name(&data[6..]).map(|host| {
            let numbers = data[..6].chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]]).to_string());
            format!("{} {host}", numbers.collect::<Vec<_>>().join(" "))
        }),
        (kind::TXT | HINFO, _) => {
            parts(data).map(|parts| parts.into_iter().map(quoted).collect::<Vec<_>>().join(" "))
        }
        // RFC 4255 3.2: algorithm, type, fingerprint.
        (SSHFP, [algorithm, form, print @ ..]) => Some(format!("{algorithm} {form} {}", hexadecimal(print))),
        // RFC 6698 2.2: usage, selector, matching type, what is matched; RFC 8162 2.
        (TLSA | SMIMEA, [usage, selector, form, print @ ..]) => {
            Some(format!("{usage} {selector} {form} {}", hexadecimal(print)))
        }
        _ => None,
    };
    known.unwrap_or_else(|| format!("\\# {} {}", data.len(), hexadecimal(data)))
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A name in wire form, with its final dot.
fn name(octets: &[u8]) -> Option<String> {
    let labels = parts(octets.strip_suffix(&[0])?)?;
    let labels = labels.into_iter().map(|label| label_text(label) + ".");
    Some(labels.collect::<String>()).map(|name| if name.is_empty() { ".".into() } else { name })
}

/// What stands behind its length each.
fn parts(mut octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (part, rest) = rest.split_at_checked(usize::from(*length))?;
        parts.push(part);
        octets = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests;
