//! Frames of the wire <-> frames of the machines.

use crate::frame;
pub(super) use crate::frame::read::{Datagram, Seen, read};
use heorot_core::mac::Mac;
use heorot_sim::frame::{Frame, Payload};

/// TFTP's number of DATA.
const DATA: u16 = 3;
/// TFTP's number of ACK.
const ACKNOWLEDGE: u16 = 4;
/// The first octets of a file that may be a text that a loader reads, of 16 kB: nobody's generated file is longer.
const TEXT_OCTETS_MAX: usize = 16 << 10;

impl Datagram<'_> {
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

/// A frame on the wire, to this hardware address. None: it is longer than any packet, or of TCP.
pub(super) fn write(frame: &Frame, to: Mac) -> Option<Vec<u8>> {
    let mut counted = Vec::new();
    let payload = match &frame.payload {
        Payload::Octets(octets) => octets,
        Payload::Acknowledge(block) => {
            counted.extend(ACKNOWLEDGE.to_be_bytes());
            counted.extend(block.to_be_bytes());
            &counted
        }
        // Machines that load by HTTP are in no storm.
        Payload::Segment { .. } | Payload::Received { .. } => return None,
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

#[cfg(test)]
mod tests;
