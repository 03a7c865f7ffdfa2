//! Which zones of in-addr.arpa and ip6.arpa are ours, and what an address is called there (RFC 1035 3.5, RFC 3596 2.5).

use crate::name::{Name, NameError};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network's prefix: 10.77.0.0/16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Any address in it.
    pub address: IpAddr,
    /// Leading bits that all its addresses share, 0 to 32 or 128; more counts as that.
    pub length: u8,
}

impl Prefix {
    /// Whether the address lies in it. An IPv4 address in IPv6's clothes (RFC 4291 2.5.5.2) is the IPv4 address.
    pub fn contains(self, address: impl Into<IpAddr>) -> bool {
        match (self.address.to_canonical(), address.into().to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.length.min(32));
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.length.min(128));
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The reverse zones that we are the authority for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReverseZones {
    ipv4: Family,
    ipv6: Family,
}

/// Those of one kind of address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Family {
    form: Form,
    /// in-addr.arpa or ip6.arpa itself.
    above: Name,
    /// The leading digits of each zone: [10, 77] is 77.10.in-addr.arpa. None lies inside another.
    zones: BTreeSet<Vec<u8>>,
}

/// How an address becomes labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Four octets, decimal.
    Ipv4,
    /// Thirty-two half octets, hexadecimal.
    Ipv6,
}

/// Where a name lies in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not ours.
    Elsewhere,
    /// In this zone of ours.
    In {
        /// Name of the zone.
        apex: Name,
        /// What the name says inside of it.
        at: ReverseName,
    },
}

/// What a name of a zone of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReverseName {
    /// The zone's own name.
    Apex,
    /// Above all of these addresses, both ends included and of one kind.
    Above(IpAddr, IpAddr),
    /// This address.
    Of(IpAddr),
    /// No address: a label too many, or one that is no digit.
    Nothing,
}

impl ReverseZones {
    /// The fewest zones, cut between labels, that cover the prefixes: one for a /16, sixteen for a /20; the surrounding /24 for what is
    /// smaller, because zones inside a /24 need aliases in somebody else's (RFC 2317).
    pub(crate) fn covering(prefixes: &[Prefix]) -> Result<Self, NameError> {
        Ok(Self {
            ipv4: Family::covering(Form::Ipv4, prefixes)?,
            ipv6: Family::covering(Form::Ipv6, prefixes)?,
        })
    }

    /// Where this name lies.
    pub(crate) fn place(&self, name: &Name) -> Result<Place, NameError> {
        match self.ipv4.place(name)? {
            Place::Elsewhere => self.ipv6.place(name),
            found @ Place::In { .. } => Ok(found),
        }
    }

    /// The names of all zones, and the lowest and highest address of each.
    pub(crate) fn all(&self) -> Result<Vec<(Name, IpAddr, IpAddr)>, NameError> {
        let zones = |family: &Family| {
            let zone = |zone: &Vec<u8>| {
                Ok((family.name(zone)?, family.form.filled(zone, 0), family.form.filled(zone, 255)))
            };
            family.zones.iter().map(zone).collect::<Result<Vec<_>, _>>()
        };
        Ok([zones(&self.ipv4)?, zones(&self.ipv6)?].concat())
    }

    /// The name that an address has, if it is in a zone of ours.
    pub(crate) fn name_of(&self, address: IpAddr) -> Option<Name> {
        let family = match address {
            IpAddr::V4(_) => &self.ipv4,
            IpAddr::V6(_) => &self.ipv6,
        };
        let digits = family.form.digits(address);
        let is_ours = (1..digits.len()).any(|n| family.zones.contains(&digits[..n]));
        is_ours.then(|| family.name(&digits).ok()).flatten()
    }
}

impl Family {
    fn covering(form: Form, prefixes: &[Prefix]) -> Result<Self, NameError> {
        let mut zones: BTreeSet<Vec<u8>> = prefixes.iter().flat_map(|prefix| form.zones(*prefix)).collect();
        let all = zones.clone();
        zones.retain(|zone| !(1..zone.len()).any(|above| all.contains(&zone[..above])));
        let above = match form {
            Form::Ipv4 => "in-addr.arpa",
            Form::Ipv6 => "ip6.arpa",
        };
        Ok(Self { form, above: Name::parse(above)?, zones })
    }

    fn place(&self, name: &Name) -> Result<Place, NameError> {
        let Some(labels) = name.below(&self.above) else { return Ok(Place::Elsewhere) };
        let (form, most) = (self.form, self.form.labels());
        let digits: Vec<u8> = labels.iter().rev().map_while(|label| form.digit(label)).take(most).collect();
        let Some(zone) =
            (1..=digits.len().min(most - 1)).map(|n| &digits[..n]).find(|zone| self.zones.contains(*zone))
        else {
            return Ok(Place::Elsewhere);
        };
        let at = match digits.len() {
            read if read < labels.len() => ReverseName::Nothing,
            read if read == most => ReverseName::Of(form.filled(&digits, 0)),
            read if read == zone.len() => ReverseName::Apex,
            _ => ReverseName::Above(form.filled(&digits, 0), form.filled(&digits, 255)),
        };
        Ok(Place::In { apex: self.name(zone)?, at })
    }

    fn name(&self, digits: &[u8]) -> Result<Name, NameError> {
        digits.iter().try_fold(self.above.clone(), |name, digit| match self.form {
            Form::Ipv4 => name.child(&digit.to_string()),
            Form::Ipv6 => name.child(&format!("{digit:x}")),
        })
    }
}

impl Form {
    /// How many an address has.
    fn labels(self) -> usize {
        match self {
            Self::Ipv4 => 4,
            Self::Ipv6 => 32,
        }
    }

    /// The leading digits of the zones that cover a prefix, if it is of this kind. At most 256, for a /0.
    fn zones(self, prefix: Prefix) -> Vec<Vec<u8>> {
        let (address, bits, label_bits) = match (self, prefix.address) {
            (Self::Ipv4, IpAddr::V4(address)) => (u128::from(u32::from(address)), 32_u32, 8),
            (Self::Ipv6, IpAddr::V6(address)) => (u128::from(address), 128, 4),
            (Self::Ipv4, IpAddr::V6(_)) | (Self::Ipv6, IpAddr::V4(_)) => return Vec::new(),
        };
        let length = u32::from(prefix.length).min(bits);
        let labels = length.div_ceil(label_bits).clamp(1, bits / label_bits - 1);
        // Below the zones' last digit; the prefix may end above it, and then there are several.
        let below = bits - label_bits * labels;
        let fixed =
            (address >> below) & u128::MAX.checked_shl((bits - length).saturating_sub(below)).unwrap_or(0);
        let many = 1_u128 << (bits - length).saturating_sub(below).min(8);
        (fixed..fixed + many)
            .map(|zone| {
                let digit = |at: u32| {
                    let digit = zone >> (label_bits * (labels - 1 - at)) & ((1 << label_bits) - 1);
                    u8::try_from(digit).expect("a label has at most eight bits")
                };
                (0..labels).map(digit).collect()
            })
            .collect()
    }

    /// A digit as it is written, without leading zeros: "07" is another name than "7".
    fn digit(self, label: &[u8]) -> Option<u8> {
        match (self, label) {
            (Self::Ipv4, label) => {
                let text = std::str::from_utf8(label).ok()?;
                let octet: u8 = text.parse().ok()?;
                (octet.to_string() == text).then_some(octet)
            }
            (Self::Ipv6, [digit]) => {
                char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
            }
            (Self::Ipv6, _) => None,
        }
    }

    /// All digits of an address.
    fn digits(self, address: IpAddr) -> Vec<u8> {
        match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => {
                address.octets().iter().flat_map(|octet| [octet >> 4, octet & 15]).collect()
            }
        }
    }

    /// An address that begins with these digits and goes on with another.
    fn filled(self, digits: &[u8], rest: u8) -> IpAddr {
        match self {
            Self::Ipv4 => {
                let mut octets = [rest; 4];
                octets[..digits.len()].copy_from_slice(digits);
                Ipv4Addr::from(octets).into()
            }
            Self::Ipv6 => {
                let digit = |at: usize| digits.get(at).copied().unwrap_or(rest & 15);
                let octets: [u8; 16] = std::array::from_fn(|at| digit(2 * at) << 4 | digit(2 * at + 1));
                Ipv6Addr::from(octets).into()
            }
        }
    }
}

#[cfg(test)]
mod tests;
