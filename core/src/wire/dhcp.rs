//! DHCPv4 packets: RFC 2131 (format), RFC 2132 (options), RFC 3396 (long options), RFC 3046 (option 82).
//! `options` holds them, `write` lays a packet out, `encapsulated` has the options that stand in options.
//!
//! ```text
//!   0  op  htype  hlen  hops      44  sname, 64 octets
//!   4  xid                       108  file, 128 octets
//!   8  secs  flags               236  magic cookie 63 82 53 63
//!  12  ciaddr yiaddr siaddr      240  options: code, length, value; 0 is padding, 255 the end
//!  24  giaddr
//!  28  chaddr, 16 octets
//! ```
//!
//! [`Message::parse`] refuses a packet whole or understands it whole: no option is dropped because another one is broken.

/// Options in options.
pub mod encapsulated;
/// Option 81 (RFC 4702).
pub mod fqdn;
/// Who speaks over InfiniBand (RFC 4390).
pub mod infiniband;
mod options;
/// Option 82 (RFC 3046).
pub mod relay;
mod write;

pub use options::Options;
pub use write::Fitted;

use crate::mac::Mac;
use std::fmt;
use std::net::Ipv4Addr;

/// A DHCP packet, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub op: Op,
    /// The kind of the hardware address: 1 is Ethernet, as are 6, other networks of IEEE 802; 32 is InfiniBand.
    pub htype: u8,
    /// Octets of the hardware address, at most 16. InfiniBand says 0 (RFC 4390).
    pub hlen: u8,
    /// Relays that it came through.
    pub hops: u8,
    /// The client's number for this exchange. Two clients may have the same: it is never a key on its own.
    pub xid: u32,
    /// Seconds since the client began, as it says.
    pub secs: u16,
    /// Whether the client wants its answer broadcast.
    pub broadcast: bool,
    /// The address that the client already uses.
    pub ciaddr: Ipv4Addr,
    /// The address that the client is given.
    pub yiaddr: Ipv4Addr,
    /// The next server: where the boot file is.
    pub siaddr: Ipv4Addr,
    /// The relay, where the answer goes; also the network that the client is in.
    pub giaddr: Ipv4Addr,
    /// The hardware address: the first `hlen` octets of it.
    pub chaddr: [u8; 16],
    /// The server's name, to the first zero octet. Empty if the field carried options. At most 63 octets are written.
    pub sname: Vec<u8>,
    /// The boot file's name, to the first zero octet. Empty if the field carried options. At most 127 octets are written.
    pub file: Vec<u8>,
    /// The options.
    pub options: Options,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// 1: a client.
    BootRequest,
    /// 2: a server.
    BootReply,
}

/// What a DHCP packet wants (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// 1: a client looks for servers.
    Discover = 1,
    /// 2: a server offers an address.
    Offer,
    /// 3: a client takes an offer, or wants to keep what it has.
    Request,
    /// 4: the client is to use another address than the one it was given: somebody else has it.
    Decline,
    /// 5: the address is the client's.
    Ack,
    /// 6: the address is not the client's.
    Nak,
    /// 7: the client gives its address back.
    Release,
    /// 8: the client has an address and wants the rest.
    Inform,
}

/// Why a datagram is no DHCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Malformed {
    /// It ends before the options begin.
    Short,
    /// It is longer than any packet that a link takes ([`DATAGRAM_OCTETS_MAX`]).
    Long,
    /// Neither request nor reply.
    Operation,
    /// A hardware address longer than its field.
    HardwareLength,
    /// Another vendor's options, or something else altogether.
    Cookie,
    /// An option goes on past the end of its field.
    Option,
    /// Option 52 has a value that says nothing.
    Overload,
}

/// The option codes that somebody here speaks of. The names are those of RFC 2132 and the later ones given.
#[allow(missing_docs)]
pub mod option {
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DNS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const ROOT_PATH: u8 = 17;
    pub const BROADCAST: u8 = 28;
    pub const VENDOR_SPECIFIC: u8 = 43;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER_IDENTIFIER: u8 = 54;
    pub const PARAMETER_LIST: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const MAX_SIZE: u8 = 57;
    pub const T1: u8 = 58;
    pub const T2: u8 = 59;
    pub const VENDOR_CLASS: u8 = 60;
    pub const CLIENT_IDENTIFIER: u8 = 61;
    pub const TFTP_SERVER: u8 = 66;
    pub const BOOT_FILE: u8 = 67;
    /// RFC 3004; iPXE and others send a bare string without the length octets.
    pub const USER_CLASS: u8 = 77;
    /// RFC 4039: it has no value.
    pub const RAPID_COMMIT: u8 = 80;
    /// RFC 4702.
    pub const FQDN: u8 = 81;
    /// RFC 3046, and what is in it (2.0).
    pub const RELAY_AGENT: u8 = 82;
    pub const RELAY_CIRCUIT: u8 = 1;
    pub const RELAY_REMOTE: u8 = 2;
    /// RFC 4388, and the next one.
    pub const CLIENT_LAST_TRANSACTION_TIME: u8 = 91;
    pub const ASSOCIATED_IP: u8 = 92;
    /// RFC 4578, and the next two.
    pub const ARCHITECTURE: u8 = 93;
    pub const CLIENT_NDI: u8 = 94;
    pub const CLIENT_MACHINE: u8 = 97;
    /// RFC 3011.
    pub const SUBNET_SELECTION: u8 = 118;
    /// Etherboot's encapsulated options: iPXE tells its features here, and is told things.
    pub const IPXE: u8 = 175;
    pub const END: u8 = 255;
}

/// Octets of the largest datagram that is looked at: a jumbo frame's 9000 less the IP and UDP headers. What is longer came in fragments, which no
/// client sends and every attacker can.
pub const DATAGRAM_OCTETS_MAX: usize = 9000 - 28;

/// Octets of the smallest packet written: BOOTP's 300 (RFC 1542 2.1). Relays and ROMs are known that drop shorter ones.
pub const WRITTEN_OCTETS_MIN: usize = 300;

/// Kinds of hardware addresses that are Ethernet's (RFC 1700).
const ETHERNET: u8 = 1;
const IEEE_802: u8 = 6;

const SNAME: usize = 44;
const FILE: usize = 108;
const COOKIE: usize = 236;
const OPTIONS: usize = 240;
const MAGIC: [u8; 4] = [99, 130, 83, 99];
const BROADCAST_FLAG: u16 = 0x8000;

impl Message {
    /// A request on Ethernet that says nothing yet.
    pub fn request() -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        Self {
            op: Op::BootRequest,
            htype: 1,
            hlen: 6,
            hops: 0,
            xid: 0,
            secs: 0,
            broadcast: false,
            ciaddr: none,
            yiaddr: none,
            siaddr: none,
            giaddr: none,
            chaddr: [0; 16],
            sname: Vec::new(),
            file: Vec::new(),
            options: Options::default(),
        }
    }

    /// Understands a datagram, or says why it is none.
    ///
    /// A missing end option is forgiven, and what follows it is not looked at. Packets below BOOTP's 300 octets are accepted (systemd-networkd sends 265).
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > DATAGRAM_OCTETS_MAX {
            return Err(Malformed::Long);
        }
        let (head, options) = bytes.split_first_chunk::<OPTIONS>().ok_or(Malformed::Short)?;
        let op = match head[0] {
            1 => Op::BootRequest,
            2 => Op::BootReply,
            _ => return Err(Malformed::Operation),
        };
        if head[2] > 16 {
            return Err(Malformed::HardwareLength);
        }
        let (sname, file) = (&head[SNAME..FILE], &head[FILE..COOKIE]);
        let (options, overload) = match &head[COOKIE..] {
            cookie if cookie == MAGIC => Options::parse(options, file, sname)?,
            // Plain BOOTP without any options (RFC 951 3).
            [0, 0, 0, 0] => (Options::default(), options::Overload { file: false, sname: false }),
            _ => return Err(Malformed::Cookie),
        };
        Ok(Self {
            op,
            htype: head[1],
            hlen: head[2],
            hops: head[3],
            xid: u32::from_be_bytes(take(head, 4)),
            secs: u16::from_be_bytes(take(head, 8)),
            broadcast: u16::from_be_bytes(take(head, 10)) & BROADCAST_FLAG != 0,
            ciaddr: take::<4>(head, 12).into(),
            yiaddr: take::<4>(head, 16).into(),
            siaddr: take::<4>(head, 20).into(),
            giaddr: take::<4>(head, 24).into(),
            chaddr: take(head, 28),
            sname: if overload.sname { Vec::new() } else { until_zero(sname) },
            file: if overload.file { Vec::new() } else { until_zero(file) },
            options,
        })
    }

    /// The hardware address, if it is an Ethernet address and can be one machine's.
    pub fn mac(&self) -> Option<Mac> {
        let [a, b, c, d, e, f, ..] = self.chaddr;
        let mac = Mac([a, b, c, d, e, f]);
        // Token rings and bridges to them say 6, "IEEE 802 Networks" (RFC 1700), and have addresses of the same register.
        let is_ethernet = matches!(self.htype, ETHERNET | IEEE_802);
        (is_ethernet && self.hlen == 6 && mac.is_one_machine()).then_some(mac)
    }

    /// What the packet wants; none if it does not say so, or something that nobody here does (FORCERENEW, LEASEQUERY).
    pub fn message_type(&self) -> Option<MessageType> {
        self.options.u8(option::MESSAGE_TYPE).and_then(MessageType::from_code)
    }
}

impl MessageType {
    /// The type of this number, if it is known.
    pub fn from_code(code: u8) -> Option<Self> {
        let all = [
            Self::Discover,
            Self::Offer,
            Self::Request,
            Self::Decline,
            Self::Ack,
            Self::Nak,
            Self::Release,
            Self::Inform,
        ];
        all.into_iter().find(|known| *known as u8 == code)
    }
}

impl Malformed {
    /// A short word that stays the same: the name of its counter.
    pub fn word(self) -> &'static str {
        match self {
            Self::Short => "dhcp-short",
            Self::Long => "dhcp-long",
            Self::Operation => "dhcp-operation",
            Self::HardwareLength => "dhcp-hardware-length",
            Self::Cookie => "dhcp-cookie",
            Self::Option => "dhcp-option",
            Self::Overload => "dhcp-overload",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "shorter than a DHCP packet's 240 octets",
            Self::Long => "longer than a link takes",
            Self::Operation => "neither request nor reply",
            Self::HardwareLength => "a hardware address of more than 16 octets",
            Self::Cookie => "no DHCP magic cookie",
            Self::Option => "an option that goes on past the end",
            Self::Overload => "an option 52 that is none of 1, 2 and 3",
        })
    }
}

impl std::error::Error for Malformed {}

fn until_zero(field: &[u8]) -> Vec<u8> {
    field.split(|octet| *octet == 0).next().unwrap_or_default().to_vec()
}

fn take<const N: usize>(head: &[u8; OPTIONS], at: usize) -> [u8; N] {
    *head[at..].first_chunk().expect("every field lies within the head")
}

#[cfg(test)]
mod tests;
