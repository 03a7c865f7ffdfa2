//! What travels in the simulated network: frames whose bulk is only counted.

use heorot_core::load;
use heorot_core::mac::Mac;
use std::net::SocketAddrV4;

/// A UDP datagram on an Ethernet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The sender's hardware address.
    pub from: Mac,
    /// The receiver's hardware address; all ones means everybody.
    pub to: Mac,
    /// Where it comes from.
    pub source: SocketAddrV4,
    /// Where it goes.
    pub destination: SocketAddrV4,
    /// What it says.
    pub payload: Payload,
}

/// What a datagram says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Octets as they are: DHCP, and TFTP. DATA and ACK may also come in this form, with all their octets.
    Octets(Vec<u8>),
    /// TFTP DATA: the block's number on the wire, and how many octets it carries, which nobody looks at.
    Data {
        /// As on the wire.
        block: u16,
        /// Octets of the file.
        octets: u16,
    },
    /// TFTP ACK of the block with this number.
    Acknowledge(u16),
    /// A segment of TCP with a part of a file: which connection's, from which octet of the file on, and how many.
    Segment {
        /// The server's name for it.
        stream: u64,
        /// The first octet.
        first: u64,
        /// How many.
        octets: u16,
    },
    /// TCP's ACK: so much has come in order.
    Received {
        /// As in the segment.
        stream: u64,
        /// Octets of the file.
        through: u64,
    },
}

/// Octets of DATA before the file's, and of ACK: operation and block number.
const DATA_HEAD_OCTETS: u64 = 4;
/// Octets of TCP's head with time stamps, more than UDP's.
const TCP_HEAD_OCTETS: u64 = 32 - 8;

impl Frame {
    /// Octets that it takes on the wire, with all that surrounds it.
    pub fn wire_octets(&self) -> u64 {
        let payload = match &self.payload {
            Payload::Octets(octets) => octets.len() as u64,
            Payload::Data { octets, .. } => DATA_HEAD_OCTETS + u64::from(*octets),
            Payload::Acknowledge(_) => DATA_HEAD_OCTETS,
            Payload::Segment { octets, .. } => TCP_HEAD_OCTETS + u64::from(*octets),
            Payload::Received { .. } => TCP_HEAD_OCTETS,
        };
        load::wire_octets(payload)
    }
}
