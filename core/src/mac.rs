use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use std::cmp::Ordering;
use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

/// An Ethernet hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// All ones: everybody on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether it can be one machine's: not a group's (the lowest bit of the first octet), not all zeros.
    pub fn is_one_machine(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }

    /// Its octets as one number.
    pub(crate) fn number(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// The 48-bit address that ROMs make of the GUID of an InfiniBand port: its first three octets and its last three.
    pub fn of_port([a, b, c, _, _, d, e, f]: [u8; 8]) -> Self {
        Self([a, b, c, d, e, f])
    }

    /// The one that a text means as switches and labels show them: `5254.0000.0017`, `5254-0000-0017`, `525400-000017` or `525400000017`. Only where nothing but an address can be
    /// meant: as a name, some of these are a host's.
    pub fn of_switch(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split(['.', '-', ':']).collect();
        let separators: Vec<&str> = text.matches(['.', '-', ':']).collect();
        let is_alike = separators.windows(2).all(|pair| pair[0] == pair[1]);
        let digits = groups.concat();
        let fits = matches!(groups.len(), 1..=3)
            && groups.iter().all(|group| group.len() == 12 / groups.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let octets =
            (fits && is_alike).then(|| u64::from_str_radix(&digits, 16).ok()).flatten()?.to_be_bytes();
        octets.last_chunk().map(|octets| Self(*octets))
    }

    /// Stands for a machine of which only a client identifier is known: always the same, and locally administered, so that it is no adapter's.
    pub fn of_identifier(identifier: &[u8]) -> Self {
        let mut hasher = SipHasher24::new_with_key(b"heorot: a client");
        hasher.write(identifier);
        let [a, b, c, d, e, f, ..] = hasher.finish().to_be_bytes();
        Self([a & 0xfc | 0x02, b, c, d, e, f])
    }

    /// A number that looks like chance and is always the same for the same address, on every server and in every version: SipHash-2-4 with a key that
    /// never changes.
    pub fn stable_hash(self) -> u64 {
        let mut hasher = SipHasher24::new_with_key(b"heorot: a place.");
        hasher.write(&self.0);
        hasher.finish()
    }
}

/// By their octets, which are compared as one number: every table of machines is searched by it.
impl Ord for Mac {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Mac {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = *b"00:00:00:00:00:00";
        for (pair, octet) in text.chunks_mut(3).zip(self.0) {
            pair[0] = DIGITS[usize::from(octet >> 4)];
            pair[1] = DIGITS[usize::from(octet & 0xf)];
        }
        f.write_str(std::str::from_utf8(&text).expect("digits and colons"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMac;

impl fmt::Display for NotAMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a hardware address: six octets in hexadecimal, as 52:54:00:00:00:17")
    }
}

impl std::error::Error for NotAMac {}

/// Reads six octets of one or two digits each, between colons or hyphens, in any case. Of InfiniBand, the eight of a port's GUID or the twenty of an
/// interface: they are the machine's that its ROM calls by six of them.
impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let octet = |part: &str| {
            let digits = part.bytes().all(|b| b.is_ascii_hexdigit()) && (1..=2).contains(&part.len());
            u8::from_str_radix(part, 16).ok().filter(|_| digits).ok_or(NotAMac)
        };
        const OCTETS_MAX: usize = 20;
        // One more than there may be, so that too many are noticed.
        let octets = text.split(separator).take(OCTETS_MAX + 1).map(octet).collect::<Result<Vec<_>, _>>()?;
        let port = octets.last_chunk().copied().map(Self::of_port);
        match octets.len() {
            8 | OCTETS_MAX => port.ok_or(NotAMac),
            _ => octets.try_into().map(Self).map_err(|_| NotAMac),
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = NotAMac;

    fn try_from(text: String) -> Result<Self, NotAMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests;
