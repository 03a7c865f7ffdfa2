//! Sending below the kernel's tables: frames to clients without an address, and packets whose source we choose.

use crate::frame;
use crate::netio::link_address;
use crate::problem::{Problem, problem};
use heorot_core::mac::Mac;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

/// The DHCP server's port.
const SERVER_PORT: u16 = 67;
/// The DHCP client's port.
const CLIENT_PORT: u16 = 68;

/// An interface by which frames leave. Nothing is ever received by it.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Socket,
    mac: Mac,
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
        Ok(Self { socket, mac })
    }

    /// Sends a DHCP reply to a hardware address, without ARP and without a trace in the kernel.
    ///
    /// # Errors
    /// The kernel's: its queue is full, the interface is down, the frame is too long for it.
    pub(crate) fn send(
        &self,
        source: Ipv4Addr,
        to: Mac,
        destination: Ipv4Addr,
        payload: &[u8],
    ) -> io::Result<()> {
        let source = SocketAddrV4::new(source, SERVER_PORT);
        let destination = SocketAddrV4::new(destination, CLIENT_PORT);
        let frame =
            frame::frame(self.mac, to, source, destination, payload).ok_or(io::ErrorKind::InvalidInput)?;
        self.socket.send(&frame).map(drop)
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
