//! Sending below the kernel's tables: frames to clients without an address, and packets whose source we choose.

use crate::frame;
use crate::netio::packet::send_frames;
use crate::netio::{BATCH, link_address};
use crate::problem::{Problem, problem};
use heorot_core::mac::Mac;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;

/// The DHCP server's port.
const SERVER_PORT: u16 = 67;
/// The DHCP client's port.
const CLIENT_PORT: u16 = 68;

/// An interface by which frames leave, together those of a moment. Nothing is ever received by it.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Socket,
    mac: Mac,
    waiting: Vec<Vec<u8>>,
}

impl Link {
    /// Opens a packet socket of protocol 0, to which the kernel gives no packets.
    pub(crate) fn open(interface: &str, index: u32, mac: Mac) -> Result<Self, Problem> {
        let open = || {
            let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
            socket.bind(&link_address(index, 0)?)?;
            io::Result::Ok(socket)
        };
        let socket = open().map_err(|e| problem!("raw frames cannot be sent by {interface}: {e}"))?;
        Ok(Self { socket, mac, waiting: Vec::new() })
    }

    /// Takes a DHCP reply to a hardware address, which needs no ARP and leaves no trace in the kernel. It leaves with [`Self::flush`].
    ///
    /// # Errors
    /// It is longer than any packet.
    pub(crate) fn give(
        &mut self,
        source: Ipv4Addr,
        to: Mac,
        destination: Ipv4Addr,
        payload: &[u8],
    ) -> io::Result<()> {
        let source = SocketAddrV4::new(source, SERVER_PORT);
        let destination = SocketAddrV4::new(destination, CLIENT_PORT);
        let frame =
            frame::frame(self.mac, to, source, destination, payload).ok_or(io::ErrorKind::InvalidInput)?;
        self.waiting.push(frame);
        Ok(())
    }

    /// Whether there are as many frames as leave with one system call.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH
    }

    /// Sends what was given.
    ///
    /// # Errors
    /// The kernel's for the last of the frames that did not leave, which are gone: its queue is full, the interface is down, a frame is too long for it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let (mut sent, mut outcome) = (0, Ok(()));
        while sent < self.waiting.len() {
            let rest = self.waiting.iter().skip(sent).map(|frame| [frame.as_slice(), &[]]);
            match send_frames(self.socket.as_fd(), rest) {
                Ok(count) => sent += count,
                Err(error) => (sent, outcome) = (sent + 1, Err(error)),
            }
        }
        self.waiting.clear();
        outcome
    }
}

/// Sends DHCP packets from port 67 to where the kernel routes them.
///
/// A raw socket of protocol 255 (raw(7)): it receives nothing, whereas the sockets of port 67 are each tied to an interface, and the way to a relay may
/// leave by another one.
#[derive(Debug)]
pub(crate) struct Routed(Socket);

impl Routed {
    /// Opens the socket.
    pub(crate) fn open() -> Result<Self, Problem> {
        let raw = Some(Protocol::from(libc::IPPROTO_RAW));
        Socket::new(Domain::IPV4, Type::RAW.nonblocking().cloexec(), raw)
            .map(Self)
            .map_err(|e| problem!("raw packets cannot be sent: {e}"))
    }

    /// Sends a DHCP packet.
    ///
    /// # Errors
    /// The kernel's: no route, a full queue, too long for the way.
    pub(crate) fn send(&self, source: Ipv4Addr, destination: SocketAddrV4, payload: &[u8]) -> io::Result<()> {
        let source = SocketAddrV4::new(source, SERVER_PORT);
        let packet = frame::packet(source, destination, payload).ok_or(io::ErrorKind::InvalidInput)?;
        self.0.send_to(&packet, &destination.into()).map(drop)
    }
}
