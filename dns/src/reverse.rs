//! Which zones of in-addr.arpa are ours, and what an address is called there (RFC 1035 3.5).

use crate::name::{Name, NameError};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A network's prefix: 10.77.0.0/16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Any address in it.
    pub address: Ipv4Addr,
    /// Leading bits that all its addresses share, 0 to 32; more counts as 32.
    pub length: u8,
}

impl Prefix {
    /// Whether the address is in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.length.min(32))).unwrap_or(0);
        (u32::from(self.address) ^ u32::from(address)) & mask == 0
    }
}

/// The zones of in-addr.arpa that we are the authority for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReverseZones {
    /// in-addr.arpa itself.
    above: Name,
    /// The leading octets of each zone: [10, 77] is 77.10.in-addr.arpa. None lies inside another.
    zones: BTreeSet<Vec<u8>>,
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
    /// Above all of these addresses, both ends included.
    Above(Ipv4Addr, Ipv4Addr),
    /// This address.
    Of(Ipv4Addr),
    /// No address: a fifth label, or one that is no number.
    Nothing,
}

impl ReverseZones {
    /// The fewest zones, cut between octets, that cover the prefixes: one for a /16, sixteen for a /20; the surrounding /24 for what is
    /// smaller, because zones inside a /24 need aliases in somebody else's (RFC 2317).
    pub(crate) fn covering(prefixes: &[Prefix]) -> Result<Self, NameError> {
        let mut zones: BTreeSet<Vec<u8>> = prefixes.iter().flat_map(|prefix| prefix.zones()).collect();
        let all = zones.clone();
        zones.retain(|zone| !(1..zone.len()).any(|above| all.contains(&zone[..above])));
        Ok(Self { above: Name::parse("in-addr.arpa")?, zones })
    }

    /// Where this name lies.
    pub(crate) fn place(&self, name: &Name) -> Result<Place, NameError> {
        let Some(labels) = name.below(&self.above) else { return Ok(Place::Elsewhere) };
        let octets: Vec<u8> = labels.iter().rev().map_while(|label| octet(label)).take(4).collect();
        let Some(zone) =
            (1..=octets.len().min(3)).map(|n| &octets[..n]).find(|zone| self.zones.contains(*zone))
        else {
            return Ok(Place::Elsewhere);
        };
        let apex = zone.iter().try_fold(self.above.clone(), |name, octet| name.child(&octet.to_string()))?;
        let at = match *octets.as_slice() {
            _ if octets.len() < labels.len() => ReverseName::Nothing,
            [a, b, c, d] => ReverseName::Of([a, b, c, d].into()),
            _ if octets.len() == zone.len() => ReverseName::Apex,
            _ => ReverseName::Above(filled(&octets, 0), filled(&octets, 255)),
        };
        Ok(Place::In { apex, at })
    }
}

impl Prefix {
    /// The leading octets of the zones that cover this prefix. At most 256, for a /0.
    fn zones(self) -> Vec<Vec<u8>> {
        let length = u32::from(self.length.min(32));
        let octets = usize::from(self.length.div_ceil(8)).clamp(1, 3);
        let fixed = u32::from(self.address) & u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let step = 1_u64 << (32 - 8 * octets);
        let end = u64::from(fixed) + (1_u64 << (32 - length));
        (u64::from(fixed)..end)
            .step_by(usize::try_from(step).expect("a zone has at most 2^24 addresses"))
            .map(|first| {
                let first = u32::try_from(first).expect("a prefix ends with the last address");
                first.to_be_bytes()[..octets].to_vec()
            })
            .collect()
    }
}

/// 0 to 255 as it is written, without leading zeros: "07" is another name than "7".
fn octet(label: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(label).ok()?;
    let octet: u8 = text.parse().ok()?;
    (octet.to_string() == text).then_some(octet)
}

/// An address that begins with these octets and goes on with another.
fn filled(octets: &[u8], rest: u8) -> Ipv4Addr {
    let mut address = [rest; 4];
    address[..octets.len()].copy_from_slice(octets);
    address.into()
}

#[cfg(test)]
mod tests;
