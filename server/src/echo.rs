//! Asking by ICMP echo whether somebody has an address behind a relay, where no ARP gets (RFC 792; RFC 2131 2.2).

use crate::frame;
use crate::netio;
use crate::problem::{Problem, problem};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::cell::Cell;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

/// Replies that are read in one go; more are left to the next turn.
const REPLIES_A_TURN: usize = 64;
/// Octets that may wait to be received, as the kernel counts them: as for ARP's answers. One that is lost says that nobody has the address.
const RECEIVE_OCTETS: usize = 4 << 20;
/// ICMP's number of an echo request; a reply's is 0.
const ECHO_REQUEST: u8 = 8;
/// Octets of an IPv4 header without options.
const IPV4_HEADER_OCTETS: usize = 20;

/// Asks, and hears the answers.
#[derive(Debug)]
pub(crate) struct Echo {
    socket: Socket,
    /// By which answers to us are told from those to other programs of this host.
    identifier: u16,
    sequence: Cell<u16>,
}

impl Echo {
    /// Opens a raw socket that gets replies to this process and nothing else.
    pub(crate) fn open() -> Result<Self, Problem> {
        let [high, low, ..] = std::process::id().to_le_bytes();
        let identifier = u16::from_be_bytes([high, low]);
        let open = || {
            let icmp = Some(Protocol::ICMPV4);
            let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking().cloexec(), icmp)?;
            socket.attach_filter(&only_replies(identifier))?;
            netio::receive_room(&socket, RECEIVE_OCTETS)?;
            io::Result::Ok(socket)
        };
        let socket = open().map_err(|e| problem!("ICMP cannot be spoken: {e}"))?;
        Ok(Self { socket, identifier, sequence: Cell::new(0) })
    }

    /// Asks whether this address is somebody's; the kernel finds the way.
    ///
    /// # Errors
    /// The kernel's: no route, a full queue.
    pub(crate) fn ask(&self, address: Ipv4Addr) -> io::Result<()> {
        let sequence = self.sequence.get();
        self.sequence.set(sequence.wrapping_add(1));
        let request = frame::icmp_echo(ECHO_REQUEST, self.identifier, sequence);
        self.socket.send_to(&request, &SocketAddrV4::new(address, 0).into()).map(drop)
    }

    /// Which addresses have answered.
    pub(crate) fn answers(&self) -> Vec<Ipv4Addr> {
        let mut answers = Vec::new();
        let mut buffer = [0; 128];
        for _ in 0..REPLIES_A_TURN {
            match (&self.socket).read(&mut buffer) {
                Ok(octets) => answers.extend(buffer.get(..octets).and_then(source)),
                Err(_) => break, // Nothing more.
            }
        }
        answers
    }
}

impl AsFd for Echo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Who sent a packet.
fn source(packet: &[u8]) -> Option<Ipv4Addr> {
    let header = packet.first_chunk::<IPV4_HEADER_OCTETS>()?;
    header.get(12..)?.first_chunk().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets))
}

/// A program for the kernel's packet filter, which begins at the IP header here: an echo reply, with our identifier.
fn only_replies(identifier: u16) -> [SockFilter; 7] {
    const LOAD_HALF_WORD_FROM_INDEX: u16 = 0x48;
    const LOAD_OCTET_FROM_INDEX: u16 = 0x50;
    const INDEX_OF_HEADER_LENGTH: u16 = 0xb1;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let step = SockFilter::new;
    [
        step(INDEX_OF_HEADER_LENGTH, 0, 0, 0),
        step(LOAD_OCTET_FROM_INDEX, 0, 0, 0),
        step(JUMP_IF_EQUAL, 0, 3, 0),
        step(LOAD_HALF_WORD_FROM_INDEX, 0, 0, 4),
        step(JUMP_IF_EQUAL, 0, 1, u32::from(identifier)),
        step(RETURN, 0, 0, 128),
        step(RETURN, 0, 0, 0),
    ]
}

#[cfg(test)]
mod tests;
