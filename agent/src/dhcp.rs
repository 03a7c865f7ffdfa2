//! DHCPv4 from the client's side (RFC 2131, RFC 2132): queries to bytes, replies to meaning.

use crate::frame::Mac;
use std::net::Ipv4Addr;

#[cfg(test)]
mod tests;

/// The port that servers listen on.
pub const SERVER_PORT: u16 = 67;
/// The port that clients listen on.
pub const CLIENT_PORT: u16 = 68;

/// What a message is for (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of RFC 2131, table 2")]
pub enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What it is for.
    pub kind: Kind,
    /// Tells this conversation from the client's others.
    pub xid: u32,
    /// Who asks.
    pub mac: Mac,
    /// Seconds since the client began to ask.
    pub seconds: u16,
    /// Whether the reply has to be broadcast.
    pub broadcast: bool,
    /// The address that the client has and uses, unspecified if none (`ciaddr`).
    pub current: Ipv4Addr,
    /// The address it wants (option 50).
    pub requested: Option<Ipv4Addr>,
    /// The server it means (option 54).
    pub server: Option<Ipv4Addr>,
    /// Vendor class (option 60); empty for none.
    pub vendor_class: Vec<u8>,
    /// Further options, in this order; no value may be longer than 255 bytes.
    pub further: Vec<(u8, Vec<u8>)>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Offer, Ack or Nak.
    pub kind: Kind,
    /// The query's.
    pub xid: u32,
    /// Whom it is for.
    pub mac: Mac,
    /// The address that is given (`yiaddr`); unspecified in a Nak.
    pub address: Ipv4Addr,
    /// The server's next-server address (`siaddr`).
    pub next_server: Ipv4Addr,
    /// The server that speaks (option 54).
    pub server: Option<Ipv4Addr>,
    /// Bits of the network's prefix (option 1).
    pub prefix: Option<u8>,
    /// Where everything else goes (option 3, the first).
    pub router: Option<Ipv4Addr>,
    /// Name servers (option 6).
    pub name_servers: Vec<Ipv4Addr>,
    /// The client's name (option 12).
    pub host_name: Option<String>,
    /// The client's domain (option 15).
    pub domain: Option<String>,
    /// The link's greatest packet, in bytes (option 26).
    pub mtu: Option<u16>,
    /// How long the address may be used (option 51).
    pub lease_seconds: Option<u32>,
    /// When to renew (option 58, T1).
    pub renew_seconds: Option<u32>,
    /// When to ask anyone (option 59, T2).
    pub rebind_seconds: Option<u32>,
    /// The boot file's name (option 67, or the `file` field).
    pub boot_file: Option<String>,
}

/// What a query asks to be told (option 55): mask, router, name servers, host name, domain, MTU, broadcast address, lease time,
/// server, T1, T2.
pub const ASKED: [u8; 11] = [1, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59];

impl Query {
    /// A query of `kind` from a host that has no address.
    #[must_use]
    pub fn new(kind: Kind, mac: Mac, xid: u32) -> Self {
        Self {
            kind,
            xid,
            mac,
            seconds: 0,
            broadcast: false,
            current: Ipv4Addr::UNSPECIFIED,
            requested: None,
            server: None,
            vendor_class: Vec::new(),
            further: Vec::new(),
        }
    }

    /// The message's bytes, at least the 300 that RFC 1542 section 2.1 asks for.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[0..4].copy_from_slice(&[BOOT_REQUEST, HARDWARE_ETHERNET, 6, 0]);
        bytes[4..8].copy_from_slice(&self.xid.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.seconds.to_be_bytes());
        bytes[10] = if self.broadcast { 0x80 } else { 0 };
        bytes[12..16].copy_from_slice(&self.current.octets());
        bytes[CHADDR..CHADDR + 6].copy_from_slice(&self.mac.0);
        bytes.extend(COOKIE);

        let mut option = |code: u8, value: &[u8]| {
            bytes.push(code);
            bytes.push(u8::try_from(value.len()).expect("option values are short"));
            bytes.extend(value);
        };
        option(53, &[self.kind as u8]);
        if let Some(address) = self.requested {
            option(50, &address.octets());
        }
        if let Some(address) = self.server {
            option(54, &address.octets());
        }
        if !self.vendor_class.is_empty() {
            option(60, &self.vendor_class);
        }
        // RFC 2131 table 5: neither a DECLINE nor a RELEASE may ask for parameters.
        if matches!(self.kind, Kind::Discover | Kind::Request | Kind::Inform) {
            option(57, &1472_u16.to_be_bytes());
            option(55, &ASKED);
        }
        for (code, value) in &self.further {
            option(*code, value);
        }
        bytes.push(END);
        if bytes.len() < MINIMUM {
            bytes.resize(MINIMUM, 0);
        }
        bytes
    }
}

impl Reply {
    /// The reply in a datagram's payload; `None` if it is not one that a client can use.
    ///
    /// Options that lie in the `file` and `sname` fields (option 52) are not read: no server needs them for what is asked here.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < FIXED + COOKIE.len() || bytes[0] != BOOT_REPLY || bytes[FIXED..FIXED + 4] != COOKIE {
            return None;
        }
        let options = &bytes[FIXED + 4..];
        let kind = match option(options, 53)? {
            [2] => Kind::Offer,
            [5] => Kind::Ack,
            [6] => Kind::Nak,
            _ => return None,
        };
        let text = |code| option(options, code).map(printable).filter(|text| !text.is_empty());
        let file = bytes[FILE..FILE + 128].split(|&byte| byte == 0).next().map(printable);
        Some(Self {
            kind,
            xid: u32::from_be_bytes(array(&bytes[4..8])?),
            mac: Mac(array(&bytes[CHADDR..CHADDR + 6])?),
            address: address(&bytes[16..20])?,
            next_server: address(&bytes[20..24])?,
            server: option(options, 54).and_then(address),
            prefix: option(options, 1).and_then(address).and_then(prefix),
            router: option(options, 3).and_then(|value| address(value.get(..4)?)),
            name_servers: option(options, 6)
                .map(|value| value.chunks(4).filter_map(address).collect())
                .unwrap_or_default(),
            host_name: text(12),
            domain: text(15),
            mtu: option(options, 26).and_then(array).map(u16::from_be_bytes),
            lease_seconds: number(options, 51),
            renew_seconds: number(options, 58),
            rebind_seconds: number(options, 59),
            boot_file: text(67).or(file).filter(|name| !name.is_empty()),
        })
    }
}

/// The value of an option's first instance.
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match options {
            [] | [END, ..] => return None,
            [PAD, rest @ ..] => options = rest,
            [code, length, rest @ ..] => {
                let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                if *code == wanted {
                    return Some(value);
                }
                options = rest;
            }
            [_] => return None,
        }
    }
}

fn number(options: &[u8], code: u8) -> Option<u32> {
    option(options, code).and_then(array).map(u32::from_be_bytes)
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    array::<4>(value).map(Ipv4Addr::from)
}

/// How many leading ones a mask has; `None` if a one follows a zero.
fn prefix(mask: Ipv4Addr) -> Option<u8> {
    let mask = mask.to_bits();
    let ones = mask.leading_ones();
    (mask.count_ones() == ones).then_some(ones as u8)
}

/// The text of an option as it may be shown and used: without a NUL at its end, and without control characters.
fn printable(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().filter(|letter| !letter.is_control()).collect()
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

const BOOT_REQUEST: u8 = 1;
const BOOT_REPLY: u8 = 2;
const HARDWARE_ETHERNET: u8 = 1;
const CHADDR: usize = 28;
const FILE: usize = 108;
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const MINIMUM: usize = 300;
const PAD: u8 = 0;
const END: u8 = 255;
