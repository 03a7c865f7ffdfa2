//! Asking by ARP who has an address that is to be lent again (RFC 5227 2.1.1).

use crate::frame;
use crate::frame::read::{Seen, read};
use crate::netio::{self, link_address};
use crate::problem::{Problem, problem};
use heorot_core::mac::Mac;
use socket2::{Domain, SockFilter, Socket, Type};
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};

/// Frames that are read in one go; more are left to the next turn.
const FRAMES_A_TURN: usize = 64;

/// Octets that may wait to be sent, as the kernel counts them: a thousand probes at once are 768 kB.
const SEND_OCTETS: usize = 2 << 20;

/// Octets that may wait to be received, as the kernel counts them: the answers to all addresses that are probed at a time, twice, and as many questions of others.
/// An answer that is lost says that nobody has the address.
const RECEIVE_OCTETS: usize = 4 << 20;

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
            netio::receive_room(&socket, RECEIVE_OCTETS)?;
            netio::send_room(&socket, SEND_OCTETS)?;
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

    /// Whether requests of others are to be heard as well. Where nobody cares for them, every broadcast would wake the server for nothing.
    pub(crate) fn hear_requests(&self, wanted: bool) {
        let filter = if wanted { &all_operations()[..] } else { &only_replies()[..] };
        // With the old one, what was wanted before is heard.
        let _ = self.socket.attach_filter(filter);
    }

    /// Tells a host that asked who has an address, in the place of who has it.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) fn answer_for(&self, owner: (Mac, Ipv4Addr), to: (Mac, Ipv4Addr)) -> io::Result<()> {
        self.socket.send(&frame::arp_answer_for(self.mac, owner, to.0, to.1)).map(drop)
    }

    /// What was said since.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        let mut all = Vec::new();
        let mut buffer = [0; 128];
        for _ in 0..FRAMES_A_TURN {
            match (&self.socket).read(&mut buffer) {
                Ok(octets) => all.extend(buffer.get(..octets).and_then(understood)),
                Err(_) => break, // Nothing more; or the interface went down, and nobody answers then.
            }
        }
        all
    }
}

/// What somebody said by ARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// This one has this address.
    Has(Ipv4Addr, Mac),
    /// Who has this address? This one asks.
    WhoHas(Ipv4Addr, (Mac, Ipv4Addr)),
}

fn understood(frame: &[u8]) -> Option<Heard> {
    match read(frame) {
        Seen::ArpReply { address, mac, .. } => Some(Heard::Has(address, mac)),
        Seen::ArpRequest { from, sender, target } => Some(Heard::WhoHas(target, (from, sender))),
        Seen::Datagram(_) | Seen::Fragment | Seen::Other => None,
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

/// The same for requests and replies.
fn all_operations() -> [SockFilter; 1] {
    [SockFilter::new(0x06, 0, 0, 128)]
}

#[cfg(test)]
mod tests;
