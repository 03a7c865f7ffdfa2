//! Sending below the kernel's tables: frames to clients without an address, and packets whose source we choose.

use crate::frame;
use crate::netio::packet::send_frames;
use crate::netio::{self, BATCH, link_address};
use crate::problem::{Problem, problem};
use heorot_core::limit::NODES_MAX;
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::time::Duration;

/// The DHCP server's port.
const SERVER_PORT: u16 = 67;
/// The DHCP client's port.
const CLIENT_PORT: u16 = 68;

/// Octets that may wait in the kernel, which gives twice as many and counts some 1200 for a frame: an answer to each of several thousand machines at once.
const SEND_OCTETS: usize = 4 << 20;

/// Frames that wait here for room in the kernel: one for each node.
const WAITING_MAX: usize = NODES_MAX;

/// What had no room is tried again after this, if nothing else comes before.
const RETRY_AFTER: Duration = Duration::from_millis(2);

/// An interface that has taken nothing for so long is stuck: the client has asked again meanwhile.
const WAITS_MAX: Duration = Duration::from_secs(1);

/// An interface by which frames leave, together those of a moment. Nothing is ever received by it.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Socket,
    mac: Mac,
    waiting: Vec<Vec<u8>>,
    /// Since when the kernel has had no room, and when that was seen last.
    full: Option<(Time, Time)>,
    lost: u64,
}

impl Link {
    /// Opens a packet socket of protocol 0, to which the kernel gives no packets.
    pub(crate) fn open(interface: &str, index: u32, mac: Mac) -> Result<Self, Problem> {
        let open = || {
            let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
            netio::send_room(&socket, SEND_OCTETS)?;
            socket.bind(&link_address(index, 0)?)?;
            io::Result::Ok(socket)
        };
        let socket = open().map_err(|e| problem!("raw frames cannot be sent by {interface}: {e}"))?;
        Ok(Self { socket, mac, waiting: Vec::new(), full: None, lost: 0 })
    }

    /// Takes a DHCP reply to a hardware address, which needs no ARP and leaves no trace in the kernel. It leaves with [`Self::flush`].
    ///
    /// # Errors
    /// It is longer than any packet, or too many wait.
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
        if self.waiting.len() >= WAITING_MAX {
            self.lost += 1;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.waiting.push(frame);
        Ok(())
    }

    /// Whether there are as many more frames as leave with one system call.
    pub(crate) fn is_full(&self) -> bool {
        !self.waiting.is_empty() && self.waiting.len().is_multiple_of(BATCH)
    }

    /// Sends what was given. What the kernel has no room for stays, in its order, until [`Self::retry_at`].
    ///
    /// # Errors
    /// The kernel's for the last of the frames that never will leave: the interface is down, or stuck; a frame is too long for it.
    pub(crate) fn flush(&mut self, now: Time) -> io::Result<()> {
        let (mut sent, mut outcome) = (0, Ok(()));
        while sent < self.waiting.len() {
            let rest = self.waiting.iter().skip(sent).map(|frame| [frame.as_slice(), &[]]);
            match send_frames(self.socket.as_fd(), rest) {
                Ok(count) => (sent, self.full) = (sent + count, None),
                Err(error) if has_no_room(&error) => {
                    let (since, _) = *self.full.insert((self.full.map_or(now, |(since, _)| since), now));
                    if now.since(since) < WAITS_MAX {
                        break;
                    }
                    self.lost += (self.waiting.len() - sent) as u64;
                    (sent, outcome) = (self.waiting.len(), Err(error));
                }
                Err(error) => {
                    self.lost += 1;
                    (sent, outcome) = (sent + 1, Err(error));
                }
            }
        }
        self.waiting.drain(..sent);
        if self.waiting.is_empty() {
            self.full = None;
        }
        outcome
    }

    /// When to flush again, if something waits for room.
    pub(crate) fn retry_at(&self) -> Option<Time> {
        self.full.map(|(_, last)| last + RETRY_AFTER)
    }

    /// How many frames never left, since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

/// Whether what waits before it has to leave first: the socket's buffer is full, or the interface's queue.
fn has_no_room(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS))
}

/// Sends DHCP packets from port 67 to where the kernel routes them.
///
/// A raw socket of protocol 255 (raw(7)): it receives nothing, whereas the sockets of port 67 are each tied to an interface, and the way to a relay may
/// leave by another one.
#[derive(Debug)]
pub(crate) struct Routed {
    socket: Socket,
    lost: u64,
}

impl Routed {
    /// Opens the socket.
    pub(crate) fn open() -> Result<Self, Problem> {
        let raw = Some(Protocol::from(libc::IPPROTO_RAW));
        let open = || {
            let socket = Socket::new(Domain::IPV4, Type::RAW.nonblocking().cloexec(), raw)?;
            netio::send_room(&socket, SEND_OCTETS)?;
            io::Result::Ok(socket)
        };
        let socket = open().map_err(|e| problem!("raw packets cannot be sent: {e}"))?;
        Ok(Self { socket, lost: 0 })
    }

    /// Sends a DHCP packet.
    ///
    /// # Errors
    /// The kernel's: no route, a full queue, too long for the way. The network could have lost it as well.
    pub(crate) fn send(
        &mut self,
        source: Ipv4Addr,
        destination: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        let source = SocketAddrV4::new(source, SERVER_PORT);
        let packet = frame::packet(source, destination, payload).ok_or(io::ErrorKind::InvalidInput)?;
        let sent = self.socket.send_to(&packet, &destination.into()).map(drop);
        self.lost += u64::from(sent.as_ref().is_err_and(has_no_room));
        sent
    }

    /// How many packets had no room, since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests;
