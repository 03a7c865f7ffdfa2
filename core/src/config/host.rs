//! Hosts that are no nodes, and classes of clients: what the operator says of them.

use super::OptionTable;
use crate::mac::Mac;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

/// `[[host]]`: a reservation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Its hardware addresses.
    pub macs: Vec<MacPattern>,
    /// What else tells it.
    pub identifiers: Identifiers,
    /// Its address; one from `guests`, if it has none.
    pub address: Option<Ipv4Addr>,
    /// Its name, lower case.
    pub name: Option<String>,
    /// How long its address is leased at a time.
    pub lease: Option<Duration>,
    /// What it is told.
    pub options: OptionTable,
    /// It gets no answer.
    pub ignore: bool,
}

/// What tells a machine beside its hardware address. Empty for most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// What it calls itself: option 61.
    pub client: Option<Vec<u8>>,
    /// The circuit that its relay heard it by: option 82.1.
    pub circuit: Option<Vec<u8>>,
    /// What its relay calls that end: option 82.2.
    pub remote: Option<Vec<u8>>,
}

impl Identifiers {
    /// Nothing but the hardware address tells it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `[[class]]`: clients that have something in common. All that it says must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// What it is called.
    pub name: String,
    /// With one of these option 60 begins.
    pub vendor_classes: Vec<String>,
    /// One of these is in option 77.
    pub user_classes: Vec<String>,
    /// One of these is in option 93.
    pub architectures: Vec<u16>,
    /// Its hardware address is one of these.
    pub macs: Vec<MacPattern>,
    /// Option 82.1 is one of these.
    pub circuits: Vec<Vec<u8>>,
    /// Option 82.2 is one of these.
    pub remotes: Vec<Vec<u8>>,
    /// It is in one of these networks, by their places in the configuration.
    pub networks: Option<Vec<usize>>,
    /// What its clients are told.
    pub options: OptionTable,
    /// What its firmware is given to start: a file of the boot directory or a URL.
    pub boot_file: Option<String>,
    /// The TFTP server that has it, if not this one.
    pub next_server: Option<Ipv4Addr>,
    /// What its nodes boot that name nothing themselves.
    pub profile: Option<String>,
    /// Its clients get no answer.
    pub ignore: bool,
}

/// A hardware address of which some octets may be any: `52:54:00:*:*:*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MacPattern {
    /// The octets that are given; zero where any will do.
    octets: [u8; 6],
    /// `ff` for each octet that is given, zero where any will do.
    mask: [u8; 6],
}

impl MacPattern {
    /// One address.
    pub fn exact(mac: Mac) -> Self {
        Self { octets: mac.0, mask: [0xff; 6] }
    }

    /// The address, if it is one alone.
    pub fn mac(self) -> Option<Mac> {
        (self.wildcards() == 0).then_some(Mac(self.octets))
    }

    /// Whether an address is one of these.
    pub fn matches(self, mac: Mac) -> bool {
        self.masked(mac) == self.octets
    }

    /// The octets of an address that this pattern looks at, the others zero.
    pub fn masked(self, mac: Mac) -> [u8; 6] {
        std::array::from_fn(|at| mac.0[at] & self.mask[at])
    }

    /// How many octets may be any.
    pub fn wildcards(self) -> usize {
        self.mask.iter().filter(|octet| **octet == 0).count()
    }

    /// Which octets are looked at.
    pub fn mask(self) -> [u8; 6] {
        self.mask
    }

    /// The octets that are given; zero where any will do.
    pub fn octets(self) -> [u8; 6] {
        self.octets
    }
}

impl fmt::Display for MacPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (octet, mask)) in self.octets.iter().zip(self.mask).enumerate() {
            let separator = if at > 0 { ":" } else { "" };
            match mask {
                0 => write!(f, "{separator}*")?,
                _ => write!(f, "{separator}{octet:02x}")?,
            }
        }
        Ok(())
    }
}

/// A text that is no pattern of hardware addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPattern;

/// Reads an address, or one with `*` in place of octets.
impl FromStr for MacPattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut mask = [0xff; 6];
        let mut plain = Vec::new();
        for (at, part) in text.split(separator).enumerate() {
            let is_any = part == "*";
            if is_any {
                *mask.get_mut(at).ok_or(NotAPattern)? = 0;
            }
            plain.push(if is_any { "0" } else { part });
        }
        let Mac(octets) = plain.join(":").parse().map_err(|_| NotAPattern)?;
        Ok(Self { octets, mask })
    }
}

#[cfg(test)]
mod tests;
