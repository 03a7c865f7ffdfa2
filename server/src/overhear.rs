//! Hearing what other DHCP servers say to their clients: their replies to everybody, which the kernel gives to no socket of ours.
//!
//! A reply to one client alone is heard only where the switch sends it to everybody, or to a port that mirrors.

use crate::netio::link_address;
use crate::problem::{Problem, problem};
use socket2::{Domain, SockFilter, Socket, Type};
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

/// Frames that are read in one go; more are left to the next turn.
const FRAMES_A_TURN: usize = 64;

/// Octets of a frame that are looked at: a DHCP reply on Ethernet is no longer.
const FRAME_OCTETS_MAX: usize = 1600;

const TYPE_IPV4: u16 = 0x0800;
const ETHERNET_HEADER_OCTETS: usize = 14;
const UDP_HEADER_OCTETS: usize = 8;

/// What another server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Who said it.
    pub(crate) source: SocketAddrV4,
    /// To which address.
    pub(crate) destination: Ipv4Addr,
    /// The UDP payload.
    pub(crate) payload: Vec<u8>,
}

/// Hears on one interface.
#[derive(Debug)]
pub(crate) struct Overhearer {
    socket: Socket,
}

impl Overhearer {
    /// Opens a packet socket that gets what comes in from port 67 to port 68, and nothing that we send ourselves.
    pub(crate) fn open(interface: &str, index: u32) -> Result<Self, Problem> {
        let open = || {
            // Of protocol 0 until the filter stands, so that nothing gets in before it.
            let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
            socket.attach_filter(&replies_from_outside())?;
            socket.bind(&link_address(index, TYPE_IPV4)?)?;
            io::Result::Ok(socket)
        };
        let socket =
            open().map_err(|e| problem!("other DHCP servers cannot be heard on {interface}: {e}"))?;
        Ok(Self { socket })
    }

    /// What was said since the last time.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        let mut all = Vec::new();
        let mut buffer = [0; FRAME_OCTETS_MAX];
        for _ in 0..FRAMES_A_TURN {
            match (&self.socket).read(&mut buffer) {
                Ok(octets) => all.extend(buffer.get(..octets).and_then(datagram)),
                Err(_) => break, // Nothing more; or the interface went down.
            }
        }
        all
    }
}

impl AsFd for Overhearer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The UDP datagram in a frame that passed the filter. None: it is cut off.
fn datagram(frame: &[u8]) -> Option<Heard> {
    let packet = frame.get(ETHERNET_HEADER_OCTETS..)?;
    let header_octets = usize::from(packet.first()? & 15) * 4;
    let address = |at: usize| Some(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let udp = packet.get(header_octets..)?;
    let number = |at: usize| Some(u16::from_be_bytes(*udp.get(at..)?.first_chunk::<2>()?));
    let octets = usize::from(number(4)?);
    Some(Heard {
        source: SocketAddrV4::new(address(12)?, number(0)?),
        destination: address(16)?,
        payload: udp.get(UDP_HEADER_OCTETS..octets)?.to_vec(),
    })
}

/// A program for the kernel's packet filter: not our own frame; UDP; no later fragment; from port 67 to port 68.
fn replies_from_outside() -> [SockFilter; 13] {
    const LOAD_OCTET: u16 = 0x30;
    const LOAD_HALF_WORD: u16 = 0x28;
    const LOAD_HALF_WORD_INDEXED: u16 = 0x48;
    const LOAD_HEADER_LENGTH: u16 = 0xb1;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const JUMP_IF_ANY_BIT: u16 = 0x45;
    const RETURN: u16 = 0x06;
    /// Where the kernel shows what kind of frame it is (linux/filter.h: SKF_AD_OFF + SKF_AD_PKTTYPE), and the kind of those that leave.
    const FRAME_KIND: u32 = 0xffff_f004;
    const OUTGOING: u32 = 4;
    let step = SockFilter::new;
    [
        step(LOAD_OCTET, 0, 0, FRAME_KIND),
        step(JUMP_IF_EQUAL, 9, 0, OUTGOING),
        step(LOAD_OCTET, 0, 0, 23),
        step(JUMP_IF_EQUAL, 0, 7, 17),
        step(LOAD_HALF_WORD, 0, 0, 20),
        step(JUMP_IF_ANY_BIT, 5, 0, 0x1fff),
        step(LOAD_HEADER_LENGTH, 0, 0, 14),
        step(LOAD_HALF_WORD_INDEXED, 0, 0, 14),
        step(JUMP_IF_EQUAL, 0, 2, 67),
        step(LOAD_HALF_WORD_INDEXED, 0, 0, 16),
        step(JUMP_IF_EQUAL, 1, 0, 68),
        step(RETURN, 0, 0, 0),
        step(RETURN, 0, 0, u32::MAX),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;
    use heorot_core::mac::Mac;

    #[test]
    fn a_reply_is_read_out_of_its_frame_and_half_of_one_is_not() {
        let (source, mac) = (SocketAddrV4::new([10, 77, 0, 2].into(), 67), Mac([2, 0, 0, 0, 0, 1]));
        let destination = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);
        let whole = frame::frame(mac, Mac::BROADCAST, source, destination, &[7; 300]).unwrap();
        let heard = datagram(&whole).unwrap();
        assert_eq!(heard, Heard { source, destination: *destination.ip(), payload: vec![7; 300] });
        for octets in 0..whole.len() {
            assert_eq!(datagram(&whole[..octets]), None, "{octets}");
        }
    }
}
