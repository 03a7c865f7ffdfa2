//! Hearing what other DHCP servers on a link tell their clients.

use crate::frame;
use crate::frame::read::{Datagram, Seen, read};
use crate::netio::{self, link_address};
use crate::problem::{Problem, problem};
use heorot_core::mac::Mac;
use socket2::{Domain, SockFilter, Socket, Type};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// Frames that are read in one go; more are left to the next turn.
const FRAMES_A_TURN: usize = 64;

/// Octets of a frame that are looked at: an Ethernet frame whole.
const FRAME_OCTETS_MAX: u32 = 1514;

/// Octets that may wait, as the kernel counts them: what another server tells a thousand machines, each twice.
const RECEIVE_OCTETS: usize = 4 << 20;

/// Listens on one interface.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    mac: Mac,
}

impl Listener {
    /// Opens a packet socket that gets replies of DHCP servers and nothing else: broadcasts, and what a switch brings us of others'.
    ///
    /// Being of one Ethernet type, it is not given what we send ourselves (packet(7): that goes to sockets of all types only).
    pub(crate) fn open(interface: &str, index: u32, mac: Mac) -> Result<Self, Problem> {
        let open = || {
            // Of protocol 0 until the filter stands, so that nothing gets in before it.
            let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
            socket.attach_filter(&only_server_replies())?;
            netio::receive_room(&socket, RECEIVE_OCTETS)?;
            socket.bind(&link_address(index, frame::TYPE_IPV4)?)?;
            io::Result::Ok(socket)
        };
        let socket =
            open().map_err(|e| problem!("other DHCP servers cannot be heard on {interface}: {e}"))?;
        Ok(Self { socket, mac })
    }

    /// The frames that came since, in their order, but for our own: a bridge may give them back to us.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let mut buffer = [0; FRAME_OCTETS_MAX as usize];
        for _ in 0..FRAMES_A_TURN {
            match (&self.socket).read(&mut buffer) {
                Ok(octets) => {
                    let frame = buffer.get(..octets).filter(|frame| frame.get(6..12) != Some(&self.mac.0));
                    frames.extend(frame.map(<[u8]>::to_vec));
                }
                Err(_) => break, // Nothing more; or the interface went down, and nobody speaks there then.
            }
        }
        frames
    }
}

/// The datagram in a frame.
pub(crate) fn datagram(frame: &[u8]) -> Option<Datagram<'_>> {
    match read(frame) {
        Seen::Datagram(datagram) => Some(datagram),
        Seen::ArpRequest { .. } | Seen::ArpReply { .. } | Seen::Fragment | Seen::Other => None,
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A program for the kernel's packet filter: IPv4, UDP, no later fragment, from port 67 or 4011, and a BOOTP reply.
fn only_server_replies() -> [SockFilter; 14] {
    const LOAD_HALF_WORD: u16 = 0x28;
    const LOAD_OCTET: u16 = 0x30;
    const LOAD_HALF_WORD_FROM_INDEX: u16 = 0x48;
    const LOAD_OCTET_FROM_INDEX: u16 = 0x50;
    const INDEX_OF_HEADER_LENGTH: u16 = 0xb1;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const JUMP_IF_ANY_BIT: u16 = 0x45;
    const RETURN: u16 = 0x06;
    let step = SockFilter::new;
    [
        step(LOAD_HALF_WORD, 0, 0, 12),
        step(JUMP_IF_EQUAL, 0, 11, u32::from(frame::TYPE_IPV4)),
        step(LOAD_OCTET, 0, 0, 23),
        step(JUMP_IF_EQUAL, 0, 9, u32::from(frame::PROTOCOL_UDP)),
        step(LOAD_HALF_WORD, 0, 0, 20),
        step(JUMP_IF_ANY_BIT, 7, 0, 0x1fff),
        step(INDEX_OF_HEADER_LENGTH, 0, 0, 14),
        step(LOAD_HALF_WORD_FROM_INDEX, 0, 0, 14),
        step(JUMP_IF_EQUAL, 1, 0, 67),
        step(JUMP_IF_EQUAL, 0, 3, 4011),
        step(LOAD_OCTET_FROM_INDEX, 0, 0, 22),
        step(JUMP_IF_EQUAL, 0, 1, 2),
        step(RETURN, 0, 0, FRAME_OCTETS_MAX),
        step(RETURN, 0, 0, 0),
    ]
}

#[cfg(test)]
mod tests;
