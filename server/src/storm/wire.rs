//! Frames of the wire <-> frames of the machines, and ARP.

use crate::frame;
use heorot_core::mac::Mac;
use heorot_sim::frame::{Frame, Payload};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Ethernet type of IPv4.
const TYPE_IPV4: u16 = 0x0800;
/// Octets of an Ethernet header.
const ETHERNET_HEADER_OCTETS: usize = 14;
/// Protocol number of UDP.
const PROTOCOL_UDP: u8 = 17;
/// Octets of a UDP header.
const UDP_HEADER_OCTETS: usize = 8;
/// TFTP's number of DATA.
const DATA: u16 = 3;
/// TFTP's number of ACK.
const ACKNOWLEDGE: u16 = 4;
/// The first octets of a file that may be a text that a loader reads, of 16 kB: nobody's generated file is longer.
const TEXT_OCTETS_MAX: usize = 16 << 10;

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
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
pub(super) struct Datagram<'a> {
    pub(super) from: Mac,
    pub(super) to: Mac,
    pub(super) source: SocketAddrV4,
    pub(super) destination: SocketAddrV4,
    pub(super) payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// The datagrams that it is on a real wire, if the kernel has it as a train of pieces of so many octets.
    pub(super) fn pieces(self, octets: Option<usize>) -> impl Iterator<Item = Self> + 'a {
        let size = octets.unwrap_or(usize::MAX).max(1);
        // An empty datagram is one, too.
        let count = self.payload.len().div_ceil(size).max(1);
        (0..count).map(move |place| {
            let rest = self.payload.get(place * size..).unwrap_or_default();
            Self { payload: rest.get(..size).unwrap_or(rest), ..self }
        })
    }

    /// What a machine is given of it. The check sums are not looked at: on a virtual link the kernel leaves them to the hardware that is not there.
    pub(super) fn to_frame(self) -> Frame {
        Frame {
            from: self.from,
            to: self.to,
            source: self.source,
            destination: self.destination,
            payload: payload_of(self.payload),
        }
    }
}

/// DATA is only counted, unless it may be part of a text.
fn payload_of(octets: &[u8]) -> Payload {
    match (u16_at(octets, 0), u16_at(octets, 2)) {
        (Some(DATA), Some(block)) => {
            let content = octets.len() - 4;
            let ends_at = usize::from(block) * content;
            match u16::try_from(content) {
                // The numbers of blocks begin again at 0 after 65535: a file that long is no text, and this is only a copy too many.
                Ok(content) if block == 0 || ends_at > TEXT_OCTETS_MAX => {
                    Payload::Data { block, octets: content }
                }
                _ => Payload::Octets(octets.to_vec()),
            }
        }
        _ => Payload::Octets(octets.to_vec()),
    }
}

/// Reads a frame.
pub(super) fn read(frame: &[u8]) -> Seen<'_> {
    match u16_at(frame, 12) {
        Some(TYPE_IPV4) => read_ipv4(frame),
        Some(frame::TYPE_ARP) => read_arp(frame),
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
    if packet.get(..6)? != frame::ARP_ETHERNET_IPV4 {
        return None;
    }
    let (sender_mac, sender, target) = (mac_at(packet, 8)?, address_at(packet, 14)?, address_at(packet, 24)?);
    match u16_at(packet, 6)? {
        frame::ARP_REQUEST => Some(Seen::ArpRequest { from: sender_mac, sender, target }),
        frame::ARP_REPLY => Some(Seen::ArpReply { to: mac_at(frame, 0)?, address: sender, mac: sender_mac }),
        _ => None,
    }
}

/// A frame on the wire, to this hardware address. None: it is longer than any packet.
pub(super) fn write(frame: &Frame, to: Mac) -> Option<Vec<u8>> {
    let mut counted = Vec::new();
    let payload = match &frame.payload {
        Payload::Octets(octets) => octets,
        Payload::Acknowledge(block) => {
            counted.extend(ACKNOWLEDGE.to_be_bytes());
            counted.extend(block.to_be_bytes());
            &counted
        }
        Payload::Data { block, octets } => {
            counted.extend(DATA.to_be_bytes());
            counted.extend(block.to_be_bytes());
            counted.resize(counted.len() + usize::from(*octets), 0);
            &counted
        }
    };
    frame::frame(frame.from, to, frame.source, frame.destination, payload)
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

#[cfg(test)]
mod tests;
