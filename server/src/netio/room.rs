//! How much may wait in a socket. Beyond the host's `rmem_max` and `wmem_max` only with CAP_NET_ADMIN; without it the kernel grants what these allow: less room for a
//! storm, and no reason not to serve.

use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;
use std::io;

/// Makes room for so many octets to be received, as the kernel counts them.
///
/// # Errors
/// The kernel's.
pub(crate) fn receive_room(socket: &Socket, octets: usize) -> io::Result<()> {
    setsockopt(socket, sockopt::RcvBufForce, &octets).or_else(|_| socket.set_recv_buffer_size(octets))
}

/// Makes room for so many octets to be sent.
///
/// # Errors
/// The kernel's.
pub(crate) fn send_room(socket: &Socket, octets: usize) -> io::Result<()> {
    setsockopt(socket, sockopt::SndBufForce, &octets).or_else(|_| socket.set_send_buffer_size(octets))
}
