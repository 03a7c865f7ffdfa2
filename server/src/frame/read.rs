//! Frames taken apart: UDP and ARP.

use super::{
    ARP_ETHERNET_IPV4, ARP_REPLY, ARP_REQUEST, ETHERNET_HEADER_OCTETS, PROTOCOL_UDP, TYPE_ARP, TYPE_IPV4,
    UDP_HEADER_OCTETS,
};
use heorot_core::mac::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    /// A UDP datagram.
    Datagram(Datagram<'a>),
    /// Somebody asks who has an address, or tries whether anybody has it.
    ArpRequest {
        /// Who asks.
        from: Mac,
        /// His address; unspecified if he only tries (RFC 5227 2.1.1).
        sender: Ipv4Addr,
        /// Whose hardware address is wanted.
        target: Ipv4Addr,
    },
    /// Somebody answers.
    ArpReply {
        /// The machine that is told.
        to: Mac,
        /// The address that was asked for.
        address: Ipv4Addr,
        /// Who has it.
        mac: Mac,
    },
    /// A piece of a datagram that was too long for the wire. No firmware puts them together.
    Fragment,
    /// None of these, or not whole.
    Other,
}

/// A UDP datagram as it lies in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Datagram<'a> {
    pub(crate) from: Mac,
    pub(crate) to: Mac,
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
    pub(crate) payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// The datagrams that it is on a real wire, if the kernel has it as a train of pieces of so many octets.
    pub(crate) fn pieces(self, octets: Option<usize>) -> impl Iterator<Item = Self> + 'a {
        let size = octets.unwrap_or(usize::MAX).max(1);
        // An empty datagram is one, too.
        let count = self.payload.len().div_ceil(size).max(1);
        (0..count).map(move |place| {
            let rest = self.payload.get(place * size..).unwrap_or_default();
            Self { payload: rest.get(..size).unwrap_or(rest), ..self }
        })
    }
}

/// Reads a frame.
pub(crate) fn read(frame: &[u8]) -> Seen<'_> {
    match u16_at(frame, 12) {
        Some(TYPE_IPV4) => read_ipv4(frame),
        Some(TYPE_ARP) => read_arp(frame),
        _ => None,
    }
    .unwrap_or(Seen::Other)
}

fn read_ipv4(frame: &[u8]) -> Option<Seen<'_>> {
    let packet = frame.get(ETHERNET_HEADER_OCTETS..)?;
    let (version, words) = (packet.first()? >> 4, packet.first()? & 0xf);
    // What follows the packet fills the shortest frame up.
    let packet = packet.get(..usize::from(u16_at(packet, 2)?))?;
    if version != 4 || words < 5 || *packet.get(9)? != PROTOCOL_UDP {
        return None;
    }
    const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3fff;
    if u16_at(packet, 6)? & MORE_FRAGMENTS_AND_OFFSET != 0 {
        return Some(Seen::Fragment);
    }
    let udp = packet.get(usize::from(words) * 4..)?;
    let payload = udp.get(UDP_HEADER_OCTETS..usize::from(u16_at(udp, 4)?))?;
    Some(Seen::Datagram(Datagram {
        to: mac_at(frame, 0)?,
        from: mac_at(frame, 6)?,
        source: SocketAddrV4::new(address_at(packet, 12)?, u16_at(udp, 0)?),
        destination: SocketAddrV4::new(address_at(packet, 16)?, u16_at(udp, 2)?),
        payload,
    }))
}

fn read_arp(frame: &[u8]) -> Option<Seen<'_>> {
    let packet = frame.get(ETHERNET_HEADER_OCTETS..)?;
    if packet.get(..6)? != ARP_ETHERNET_IPV4 {
        return None;
    }
    let (sender_mac, sender, target) = (mac_at(packet, 8)?, address_at(packet, 14)?, address_at(packet, 24)?);
    match u16_at(packet, 6)? {
        ARP_REQUEST => Some(Seen::ArpRequest { from: sender_mac, sender, target }),
        ARP_REPLY => Some(Seen::ArpReply { to: mac_at(frame, 0)?, address: sender, mac: sender_mac }),
        _ => None,
    }
}

fn u16_at(octets: &[u8], place: usize) -> Option<u16> {
    octets.get(place..)?.first_chunk().map(|value| u16::from_be_bytes(*value))
}

fn mac_at(octets: &[u8], place: usize) -> Option<Mac> {
    octets.get(place..)?.first_chunk().map(|value| Mac(*value))
}

fn address_at(octets: &[u8], place: usize) -> Option<Ipv4Addr> {
    octets.get(place..)?.first_chunk().map(|value: &[u8; 4]| Ipv4Addr::from(*value))
}
