//! Asking by ARP who has an address that is to be lent again (RFC 5227 2.1.1).

use crate::frame;
use crate::netio::link_address;
use crate::problem::{Problem, problem};
use heorot_core::mac::Mac;
use socket2::{Domain, SockFilter, Socket, Type};
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};

/// Replies that are read in one go; more are left to the next turn.
const REPLIES_A_TURN: usize = 64;

/// Asks on one interface, and hears the answers.
#[derive(Debug)]
pub(crate) struct Prober {
    socket: Socket,
    mac: Mac,
}

impl Prober {
    /// Opens a packet socket that gets ARP replies and nothing else.
    pub(crate) fn open(interface: &str, index: u32, mac: Mac) -> Result<Self, Problem> {
        let open = || {
            // Of protocol 0 until the filter stands, so that nothing gets in before it.
            let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
            socket.attach_filter(&only_replies())?;
            socket.bind(&link_address(index, frame::TYPE_ARP)?)?;
            io::Result::Ok(socket)
        };
        let socket = open().map_err(|e| problem!("ARP cannot be spoken on {interface}: {e}"))?;
        Ok(Self { socket, mac })
    }

    /// Asks who has this address. Nobody's tables learn anything from it.
    ///
    /// # Errors
    /// The kernel's: its queue is full, or the interface is down.
    pub(crate) fn ask(&self, address: Ipv4Addr) -> io::Result<()> {
        self.socket.send(&frame::arp_probe(self.mac, address)).map(drop)
    }

    /// Who has answered: for which address.
    pub(crate) fn answers(&self) -> Vec<(Ipv4Addr, Mac)> {
        let mut answers = Vec::new();
        let mut buffer = [0; 128];
        for _ in 0..REPLIES_A_TURN {
            match (&self.socket).read(&mut buffer) {
                Ok(octets) => answers.extend(buffer.get(..octets).and_then(frame::arp_reply)),
                Err(_) => break, // Nothing more; or the interface went down, and nobody answers then.
            }
        }
        answers
    }
}

impl AsFd for Prober {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A program for the kernel's packet filter: ARP's operation, 20 octets into the frame, has to be 2.
fn only_replies() -> [SockFilter; 4] {
    const LOAD_HALF_WORD: u16 = 0x28;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let step = SockFilter::new;
    [
        step(LOAD_HALF_WORD, 0, 0, 20),
        step(JUMP_IF_EQUAL, 0, 1, 2),
        step(RETURN, 0, 0, 128),
        step(RETURN, 0, 0, 0),
    ]
}
