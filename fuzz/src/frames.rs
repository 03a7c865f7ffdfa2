//! Any frame to what takes frames apart, with the rights of root.

use crate::frame::{self, read::Seen};

/// Nothing panics, and what is seen lies within the frame.
pub fn frames_read(bytes: &[u8]) {
    for octets in [bytes.to_vec(), typed(bytes, frame::TYPE_IPV4), typed(bytes, frame::TYPE_ARP), ipv4(bytes)]
    {
        if let Seen::Datagram(datagram) = frame::read::read(&octets) {
            assert!(datagram.payload.len() + HEADERS_OCTETS <= octets.len());
            let pieces = datagram.pieces(Some(usize::from(octets[0]))).map(|piece| piece.payload.len());
            assert_eq!(pieces.sum::<usize>(), datagram.payload.len(), "pieces are the whole");
        }
    }
}

/// Octets of the headers of Ethernet, IPv4 and UDP, at least.
const HEADERS_OCTETS: usize = 14 + 20 + 8;

/// The octets as a frame of this type.
fn typed(bytes: &[u8], kind: u16) -> Vec<u8> {
    let mut octets = vec![2; 12];
    octets.extend(kind.to_be_bytes());
    if kind == frame::TYPE_ARP {
        octets.extend(frame::ARP_ETHERNET_IPV4);
    }
    octets.extend(bytes);
    octets
}

/// The octets behind an IPv4 header for UDP that is right.
fn ipv4(bytes: &[u8]) -> Vec<u8> {
    let mut octets = typed(&[], frame::TYPE_IPV4);
    octets.extend([0x45, 0]);
    octets.extend(u16::try_from(bytes.len() + 20).unwrap_or(u16::MAX).to_be_bytes());
    octets.extend([0, 0, 0, 0, 64, frame::PROTOCOL_UDP, 0, 0, 10, 77, 0, 9, 10, 77, 0, 1]);
    octets.extend(bytes);
    octets
}
