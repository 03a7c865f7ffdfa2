//! A packet socket: whole Ethernet frames of one interface, in and out, without the kernel's own idea of addresses.

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socket,
    sockopt::{RcvBufForce, ReceiveTimeout},
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Which frames a [`Link`] hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Those that carry IPv4.
    Ipv4,
    /// All of them, also those that this host sends.
    Everything,
}

/// An open packet socket on one interface.
#[derive(Debug)]
pub struct Link(OwnedFd);

impl Link {
    /// Opens one on the interface with this index, in the calling thread's network namespace. Needs `CAP_NET_RAW`.
    ///
    /// # Errors
    /// What the kernel answered.
    pub fn open(interface: u32, hears: Hears) -> io::Result<Self> {
        // Protocol 0: nothing is heard until `bind` has named the interface.
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)?;
        let protocol = match hears {
            Hears::Ipv4 => libc::ETH_P_IP,
            Hears::Everything => libc::ETH_P_ALL,
        };
        bind(&socket, interface, protocol as u16)?;
        Ok(Self(socket))
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// What the kernel answered.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.0.as_raw_fd(), frame, MsgFlags::empty())?;
        Ok(())
    }

    /// The next frame, cut to the buffer's size; `None` if there was none within `patience`.
    ///
    /// # Errors
    /// What the kernel answered, but for a timeout.
    pub fn receive<'b>(&self, buffer: &'b mut [u8], patience: Duration) -> io::Result<Option<&'b [u8]>> {
        // A timeout of 0 would mean for ever.
        let patience = patience.as_micros().clamp(1000, 3_600_000_000) as i64;
        setsockopt(&self.0, ReceiveTimeout, &TimeVal::microseconds(patience))?;
        match recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()) {
            Ok(length) => Ok(Some(&buffer[..length])),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets this many bytes of frames wait for their reader. Needs `CAP_NET_ADMIN`.
    ///
    /// # Errors
    /// What the kernel answered.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<()> {
        Ok(setsockopt(&self.0, RcvBufForce, &bytes)?)
    }

    /// How many frames were lost since the last call, because the buffer was full.
    ///
    /// # Errors
    /// What the kernel answered.
    pub fn take_lost(&self) -> io::Result<u32> {
        Ok(statistics(&self.0)?.tp_drops)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

// None of the libraries in use has a safe way to write down a `sockaddr_ll`, or to read a `tpacket_stats`.

#[expect(unsafe_code, reason = "bind(2) takes the address by pointer")]
fn bind(socket: &OwnedFd, interface: u32, protocol: u16) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: `address` is a whole sockaddr_ll that outlives the call, `length` is its size, and the kernel only reads it.
    let outcome = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "getsockopt(2) writes through a pointer")]
fn statistics(socket: &OwnedFd) -> io::Result<libc::tpacket_stats> {
    let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = size_of_val(&statistics) as libc::socklen_t;
    // SAFETY: `statistics` is `length` bytes that outlive the call, of two plain integers for which every bit pattern is valid.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast(),
            &raw mut length,
        )
    };
    if outcome == 0 { Ok(statistics) } else { Err(io::Error::last_os_error()) }
}
