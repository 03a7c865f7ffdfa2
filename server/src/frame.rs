//! UDP packets, ARP and Ethernet frames made by hand: for clients that have no address yet, for relays, and for addresses that are to be lent again.

pub(crate) mod read;

use heorot_core::mac::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Octets of an Ethernet header: two addresses and the type.
const ETHERNET_HEADER_OCTETS: usize = 14;
/// Octets of an IPv4 header without options.
const IPV4_HEADER_OCTETS: usize = 20;
/// Octets of a UDP header.
const UDP_HEADER_OCTETS: usize = 8;
/// Octets of the shortest frame, without its check sum (IEEE 802.3 3.2.8).
const FRAME_OCTETS_MIN: usize = 60;
/// Ethernet type of IPv4.
pub(crate) const TYPE_IPV4: u16 = 0x0800;
/// Ethernet type of ARP.
pub(crate) const TYPE_ARP: u16 = 0x0806;
/// Protocol number of UDP.
pub(crate) const PROTOCOL_UDP: u8 = 17;
/// How ARP for IPv4 on Ethernet begins: both types, both lengths (RFC 826).
pub(crate) const ARP_ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
/// ARP's number of a request.
pub(crate) const ARP_REQUEST: u16 = 1;
/// ARP's number of a reply.
pub(crate) const ARP_REPLY: u16 = 2;
/// How many routers it may pass: the default of RFC 1700.
const TIME_TO_LIVE: u8 = 64;

/// An Ethernet frame with [`packet`] in it, padded to the shortest frame. None: it is longer than any IPv4 packet.
pub(crate) fn frame(
    from: Mac,
    to: Mac,
    source: SocketAddrV4,
    destination: SocketAddrV4,
    payload: &[u8],
) -> Option<Vec<u8>> {
    let octets = ETHERNET_HEADER_OCTETS + IPV4_HEADER_OCTETS + UDP_HEADER_OCTETS + payload.len();
    let mut frame = Vec::with_capacity(octets.max(FRAME_OCTETS_MIN));
    frame.extend(to.0);
    frame.extend(from.0);
    frame.extend(TYPE_IPV4.to_be_bytes());
    put_packet(&mut frame, source, destination, payload)?;
    frame.resize(frame.len().max(FRAME_OCTETS_MIN), 0);
    Some(frame)
}

/// An IPv4 packet with a UDP datagram in it; both check sums are right. None: it is longer than any IPv4 packet.
pub(crate) fn packet(source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) -> Option<Vec<u8>> {
    let mut packet = Vec::with_capacity(IPV4_HEADER_OCTETS + UDP_HEADER_OCTETS + payload.len());
    put_packet(&mut packet, source, destination, payload)?;
    Some(packet)
}

/// Appends [`packet`].
fn put_packet(
    octets: &mut Vec<u8>,
    source: SocketAddrV4,
    destination: SocketAddrV4,
    payload: &[u8],
) -> Option<()> {
    let udp_octets = u16::try_from(UDP_HEADER_OCTETS + payload.len()).ok()?;
    let packet_octets = u16::try_from(IPV4_HEADER_OCTETS + usize::from(udp_octets)).ok()?;
    let mut head = [0; IPV4_HEADER_OCTETS];
    head[0] = 0x45; // version 4, five words of header
    head[2..4].copy_from_slice(&packet_octets.to_be_bytes());
    // Never fragmented by us, so its identification means nothing (RFC 6864 4.1).
    head[8..10].copy_from_slice(&[TIME_TO_LIVE, PROTOCOL_UDP]);
    head[12..16].copy_from_slice(&source.ip().octets());
    head[16..20].copy_from_slice(&destination.ip().octets());
    let checksum = complement(sum(0, &head));
    head[10..12].copy_from_slice(&checksum.to_be_bytes());
    octets.extend(head);
    octets.extend(udp_head(source, destination, udp_octets, payload));
    octets.extend_from_slice(payload);
    Some(())
}

/// A frame to everybody that asks who has an address: with no sender's address, so that nobody's ARP table changes by it (RFC 5227 2.1.1).
pub(crate) fn arp_probe(from: Mac, address: Ipv4Addr) -> Vec<u8> {
    arp_request(from, Ipv4Addr::UNSPECIFIED, address)
}

/// A frame to everybody by which a host that has an address asks who has another one.
pub(crate) fn arp_request(from: Mac, sender: Ipv4Addr, address: Ipv4Addr) -> Vec<u8> {
    arp(ARP_REQUEST, (from, sender), (Mac::BROADCAST, Mac([0; 6]), address))
}

/// A frame by which a host tells one that asked that it has an address.
pub(crate) fn arp_answer(from: Mac, address: Ipv4Addr, to: Mac, asker: Ipv4Addr) -> Vec<u8> {
    arp(ARP_REPLY, (from, address), (to, to, asker))
}

/// A frame by which we tell a host that asked who has an address, in the place of the machine that has it. It comes from our own hardware address: a switch
/// must not look for the machine at our port.
pub(crate) fn arp_answer_for(us: Mac, (mac, address): (Mac, Ipv4Addr), to: Mac, asker: Ipv4Addr) -> Vec<u8> {
    let mut frame = arp_answer(mac, address, to, asker);
    frame.splice(6..12, us.0);
    frame
}

/// An ICMP message of echo, of a type, without content (RFC 792).
pub(crate) fn icmp_echo(kind: u8, identifier: u16, sequence: u16) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend(identifier.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    let sum = complement(sum(0, &message));
    message.splice(2..4, sum.to_be_bytes());
    message
}

/// From whom, with what address; whom the frame goes to, and whom it speaks of.
fn arp(operation: u16, from: (Mac, Ipv4Addr), to: (Mac, Mac, Ipv4Addr)) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_OCTETS_MIN);
    frame.extend(to.0.0);
    frame.extend(from.0.0);
    frame.extend(TYPE_ARP.to_be_bytes());
    frame.extend(ARP_ETHERNET_IPV4);
    frame.extend(operation.to_be_bytes());
    frame.extend(from.0.0);
    frame.extend(from.1.octets());
    frame.extend(to.1.0);
    frame.extend(to.2.octets());
    frame.resize(FRAME_OCTETS_MIN, 0);
    frame
}

/// The header of a UDP datagram with its check sum over the pseudo-header (RFC 768).
fn udp_head(
    source: SocketAddrV4,
    destination: SocketAddrV4,
    octets: u16,
    payload: &[u8],
) -> [u8; UDP_HEADER_OCTETS] {
    let mut head = [0; UDP_HEADER_OCTETS];
    for (field, number) in head.chunks_exact_mut(2).zip([source.port(), destination.port(), octets]) {
        field.copy_from_slice(&number.to_be_bytes());
    }
    let addresses: [Ipv4Addr; 2] = [*source.ip(), *destination.ip()];
    let pseudo = addresses.iter().fold(0, |total, address| sum(total, &address.octets()));
    let total = sum(sum(pseudo + u32::from(PROTOCOL_UDP) + u32::from(octets), &head), payload);
    // "If the computed checksum is zero, it is transmitted as all ones": zero would mean that there is none (RFC 768).
    let checksum = Some(complement(total)).filter(|sum| *sum != 0).unwrap_or(u16::MAX);
    head[6..].copy_from_slice(&checksum.to_be_bytes());
    head
}

/// Adds 16-bit words to a sum; an odd octet at the end counts as if a zero followed (RFC 1071).
fn sum(start: u32, octets: &[u8]) -> u32 {
    let (words, odd) = octets.as_chunks::<2>();
    let number = |word: &[u8; 2]| u32::from(u16::from_be_bytes(*word));
    // Not one by one with a look at each whether it still fits: `complement` says why it does.
    let words = words.iter().fold(0_u32, |total, word| total.wrapping_add(number(word)));
    start + words + odd.first().map_or(0, |high| u32::from(*high) << 8)
}

/// The ones' complement of a sum, folded to 16 bits (RFC 1071). A packet of 64 KiB adds 2^15 words, which fits 32 bits.
fn complement(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    let twice = (once & 0xffff) + (once >> 16);
    !u16::try_from(twice).expect("two folds of 32 bits fit 16")
}

#[cfg(test)]
mod tests;
