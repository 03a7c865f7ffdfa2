//! Ethernet frames that carry UDP over IPv4, or ARP: meaning to bytes and back, for hosts that have no address yet.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A hardware address of Ethernet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Everyone on the segment.
    pub const BROADCAST: Self = Self([0xff; 6]);
}

/// One UDP datagram with the addresses of every layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Hardware address it came from.
    pub source_mac: Mac,
    /// Hardware address it goes to.
    pub destination_mac: Mac,
    /// Address and port it came from.
    pub source: SocketAddrV4,
    /// Address and port it goes to.
    pub destination: SocketAddrV4,
    /// What it carries.
    pub payload: &'a [u8],
}

/// One ARP request or reply, with the Ethernet addresses of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Whether it asks (`true`) or answers.
    pub request: bool,
    /// Hardware address in the Ethernet header it goes to.
    pub destination_mac: Mac,
    /// Who speaks: hardware address.
    pub sender_mac: Mac,
    /// Who speaks: address.
    pub sender: Ipv4Addr,
    /// Who is meant: hardware address (zero in a request).
    pub target_mac: Mac,
    /// Who is meant: address.
    pub target: Ipv4Addr,
}

impl Datagram<'_> {
    /// The frame for this datagram. The payload must fit an IPv4 packet.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let udp_length = UDP_HEADER + self.payload.len();
        let total = u16::try_from(IP_HEADER + udp_length).expect("a payload that fits an IPv4 packet");
        let mut frame = Vec::with_capacity(ETHERNET_HEADER + usize::from(total));
        put_ethernet(&mut frame, self.destination_mac, self.source_mac, ETHERTYPE_IPV4);

        frame.extend([0x45, 0]);
        frame.extend(total.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, PROTOCOL_UDP, 0, 0]);
        frame.extend(self.source.ip().octets());
        frame.extend(self.destination.ip().octets());
        let sum = checksum(&[&frame[ETHERNET_HEADER..]]);
        frame[ETHERNET_HEADER + 10..ETHERNET_HEADER + 12].copy_from_slice(&sum.to_be_bytes());

        let udp_length = total - IP_HEADER as u16;
        let mut udp = [0; UDP_HEADER];
        udp[0..2].copy_from_slice(&self.source.port().to_be_bytes());
        udp[2..4].copy_from_slice(&self.destination.port().to_be_bytes());
        udp[4..6].copy_from_slice(&udp_length.to_be_bytes());
        let mut pseudo = [0; 12];
        pseudo[0..4].copy_from_slice(&self.source.ip().octets());
        pseudo[4..8].copy_from_slice(&self.destination.ip().octets());
        pseudo[9] = PROTOCOL_UDP;
        pseudo[10..12].copy_from_slice(&udp_length.to_be_bytes());
        // RFC 768: a computed sum of zero is sent as all ones, for zero says that there is none.
        let sum = match checksum(&[&pseudo, &udp, self.payload]) {
            0 => 0xffff,
            sum => sum,
        };
        udp[6..8].copy_from_slice(&sum.to_be_bytes());
        frame.extend(udp);
        frame.extend(self.payload);
        frame
    }
}

impl<'a> Datagram<'a> {
    /// The UDP datagram in a frame; `None` if it is anything else, a fragment, or cut short.
    ///
    /// Checksums are not looked at: a frame from a machine's own host may reach a packet socket with its checksum still left to the
    /// network card, and a real card has already dropped what was damaged.
    #[must_use]
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (destination_mac, source_mac, kind, packet) = ethernet(frame)?;
        if kind != ETHERTYPE_IPV4
            || packet.len() < IP_HEADER
            || packet[0] >> 4 != 4
            || packet[9] != PROTOCOL_UDP
        {
            return None;
        }
        let header = usize::from(packet[0] & 15) * 4;
        let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
        // A fragment has an offset or "more fragments" set; only "don't fragment" (0x40) may be.
        let fragment = packet[6] & 0x3f != 0 || packet[7] != 0;
        if fragment || header < IP_HEADER || total < header + UDP_HEADER {
            return None;
        }
        let udp = packet.get(header..total)?;
        let length = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        Some(Self {
            source_mac,
            destination_mac,
            source: SocketAddrV4::new(address(12), u16::from_be_bytes([udp[0], udp[1]])),
            destination: SocketAddrV4::new(address(16), u16::from_be_bytes([udp[2], udp[3]])),
            payload: udp.get(UDP_HEADER..length)?,
        })
    }
}

impl Arp {
    /// Tells a segment who has `address` now (RFC 5227 section 3, an announcement).
    #[must_use]
    pub fn announcement(mac: Mac, address: Ipv4Addr) -> Self {
        Self {
            request: true,
            destination_mac: Mac::BROADCAST,
            sender_mac: mac,
            sender: address,
            target_mac: Mac([0; 6]),
            target: address,
        }
    }

    /// The frame for this message, padded to what Ethernet asks at least.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(60);
        put_ethernet(&mut frame, self.destination_mac, self.sender_mac, ETHERTYPE_ARP);
        frame.extend([0, 1, 8, 0, 6, 4, 0, if self.request { 1 } else { 2 }]);
        frame.extend(self.sender_mac.0);
        frame.extend(self.sender.octets());
        frame.extend(self.target_mac.0);
        frame.extend(self.target.octets());
        frame.resize(60, 0);
        frame
    }

    /// The ARP message in a frame; `None` if it is anything else.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (destination_mac, _, kind, packet) = ethernet(frame)?;
        let packet: &[u8; 28] = packet.first_chunk()?;
        if kind != ETHERTYPE_ARP || packet[..7] != [0, 1, 8, 0, 6, 4, 0] || !(1..=2).contains(&packet[7]) {
            return None;
        }
        let mac = |at: usize| Mac([0, 1, 2, 3, 4, 5].map(|offset| packet[at + offset]));
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        Some(Self {
            request: packet[7] == 1,
            destination_mac,
            sender_mac: mac(8),
            sender: address(14),
            target_mac: mac(18),
            target: address(24),
        })
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What is not a hardware address: anything but six pairs of hexadecimal digits parted by `:` or `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMac;

impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let mut mac = [0; 6];
        let mut pairs = text.trim().split([':', '-']);
        for byte in &mut mac {
            let pair = pairs.next().filter(|pair| pair.len() == 2).ok_or(NotAMac)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAMac)?;
        }
        if pairs.next().is_some() { Err(NotAMac) } else { Ok(Self(mac)) }
    }
}

fn put_ethernet(frame: &mut Vec<u8>, destination: Mac, source: Mac, kind: u16) {
    frame.extend(destination.0);
    frame.extend(source.0);
    frame.extend(kind.to_be_bytes());
}

/// Destination, source, type and payload of a frame.
fn ethernet(frame: &[u8]) -> Option<(Mac, Mac, u16, &[u8])> {
    let (header, payload) = frame.split_first_chunk::<ETHERNET_HEADER>()?;
    let mac = |at: usize| Mac([0, 1, 2, 3, 4, 5].map(|offset| header[at + offset]));
    Some((mac(0), mac(6), u16::from_be_bytes([header[12], header[13]]), payload))
}

/// The Internet checksum (RFC 1071) over pieces of which all but the last have an even length.
fn checksum(pieces: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for piece in pieces {
        for pair in piece.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

const ETHERNET_HEADER: usize = 14;
const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const PROTOCOL_UDP: u8 = 17;
