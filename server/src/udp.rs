//! The UDP sockets: ports 67 and 4011 once for each interface, port 69, and the fixed set of ports from which all transfers are sent.

mod data;

pub(crate) use data::{DataPorts, Way};

use crate::netio;
use crate::problem::{Problem, problem};
use heorot_core::config::BOOT_SERVER_PORT;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// Octets that may wait in a socket: a thousand machines that ask in the same millisecond, with room.
const RECEIVE_OCTETS: usize = 16 << 20;

/// Octets that may wait to be sent by a socket.
const SEND_OCTETS: usize = 4 << 20;

/// A UDP socket that tells address, interface and losses of what comes in.
#[derive(Debug)]
pub(crate) struct UdpPort {
    /// Shared with those who send by it.
    socket: Arc<Socket>,
    /// What was dropped when that was last asked for.
    dropped: u64,
}

impl UdpPort {
    /// Port 67 of one interface.
    ///
    /// It is bound to the interface and shares the port with nobody there: another DHCP server is found at the start and not by the confusion of
    /// two, and one on another interface (a virtual machine manager's dnsmasq) is none of our business.
    pub(crate) fn dhcp(interface: &str) -> Result<Self, Problem> {
        let wrong = |e: io::Error| explain(&e, 67, Some(interface));
        let socket = new_socket().map_err(wrong)?;
        socket.bind_device(Some(interface.as_bytes())).map_err(wrong)?;
        socket.set_broadcast(true).map_err(wrong)?;
        Self::bind(socket, 67).map_err(wrong)
    }

    /// Port 4011 of one interface, where PXE clients look for boot servers. Bound like port 67.
    pub(crate) fn boot_server(interface: &str) -> Result<Self, Problem> {
        let wrong = |e: io::Error| explain(&e, BOOT_SERVER_PORT, Some(interface));
        let socket = new_socket().map_err(wrong)?;
        socket.bind_device(Some(interface.as_bytes())).map_err(wrong)?;
        Self::bind(socket, BOOT_SERVER_PORT).map_err(wrong)
    }

    /// Port 69 on all our addresses.
    pub(crate) fn tftp() -> Result<Self, Problem> {
        new_socket().and_then(|socket| Self::bind(socket, 69)).map_err(|e| explain(&e, 69, None))
    }

    /// The port it is bound to.
    pub(crate) fn number(&self) -> u16 {
        let address = self.socket.local_addr().ok().and_then(|a| a.as_socket_ipv4());
        address.map_or(0, |a| a.port())
    }

    /// How many datagrams the kernel has dropped since the start, because the socket was full.
    pub(crate) fn dropped(&self) -> u64 {
        netio::dropped(self.socket.as_fd())
    }

    /// How many of them since this was last asked for.
    pub(crate) fn newly_dropped(&mut self) -> u64 {
        let now = self.dropped();
        now.saturating_sub(std::mem::replace(&mut self.dropped, now))
    }

    /// What to do about it, if the kernel gives the socket less room than a storm takes.
    pub(crate) fn too_small(&self) -> Option<String> {
        too_small(self.socket.recv_buffer_size().ok()?)
    }

    /// Binds a socket to all our addresses: each datagram says which of them it came to.
    fn bind(socket: Socket, port: u16) -> io::Result<Self> {
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        Self::bind_to(socket, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))
    }

    fn bind_to(socket: Socket, address: SocketAddrV4) -> io::Result<Self> {
        netio::never_set_df(socket.as_fd())?;
        netio::receive_room(&socket, RECEIVE_OCTETS)?;
        netio::send_room(&socket, SEND_OCTETS)?;
        socket.bind(&address.into())?;
        Ok(Self { socket: Arc::new(socket), dropped: 0 })
    }
}

impl AsFd for UdpPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// In words, if so many octets are too few. The kernel counts its own for each datagram and doubles what it was asked for (socket(7)).
fn too_small(octets: usize) -> Option<String> {
    (octets < RECEIVE_OCTETS).then(|| {
        format!(
            "only {} kB of requests may wait for the server: in a storm some are lost\n  sysctl -w net.core.rmem_max={RECEIVE_OCTETS}, and in /etc/sysctl.d \
             for the next start of this host; or start heorot with CAP_NET_ADMIN",
            octets / 1000
        )
    })
}

fn new_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    Ok(socket)
}

/// Says why a port cannot be had and what to do.
fn explain(error: &io::Error, port: u16, interface: Option<&str>) -> Problem {
    let (service, culprits) = match port {
        67 => ("DHCP", "dnsmasq, isc-dhcp-server, kea or another heorot"),
        BOOT_SERVER_PORT => ("PXE boot servers", "dnsmasq or another heorot"),
        _ => ("TFTP", "tftpd-hpa, atftpd, dnsmasq or another heorot"),
    };
    let place = interface.map(|name| format!(" on {name}")).unwrap_or_default();
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => problem!(
            "UDP port {port} ({service}){place} is in use, probably by {culprits}\n  see who: ss -ulpn 'sport = :{port}'\n  then stop it: \
             heorot takes its place"
        ),
        Some(libc::ENODEV) => problem!(
            "there is no interface {}\n  see those there are: ip -brief address",
            interface.unwrap_or_default()
        ),
        Some(libc::EACCES | libc::EPERM) => problem!(
            "UDP port {port} ({service}){place} may not be opened without privileges\n  start heorot as root: it drops to `server.user` itself"
        ),
        _ => problem!("UDP port {port} ({service}){place} cannot be opened: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_the_port_and_a_remedy() {
        for (code, port, words) in [
            (libc::EADDRINUSE, 67, ["67", "ss -ulpn", "dnsmasq"]),
            (libc::EADDRINUSE, 4011, ["4011", "ss -ulpn", "dnsmasq"]),
            (libc::EADDRINUSE, 69, ["69", "ss -ulpn", "tftpd-hpa"]),
            (libc::EACCES, 69, ["69", "root", "server.user"]),
            (libc::ENODEV, 67, ["eth1", "no interface", "ip -brief"]),
        ] {
            let text = explain(&io::Error::from_raw_os_error(code), port, Some("eth1")).0;
            for word in words {
                assert!(text.contains(word), "{text:?} lacks {word:?}");
            }
        }
    }

    #[test]
    fn what_a_full_socket_dropped_is_told_though_nothing_comes_after() {
        let mut port = new_socket().and_then(|socket| UdpPort::bind(socket, 0)).unwrap();
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port.number());
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let datagram = vec![0; 65_000];
        // Twice the room, whatever the kernel granted and however it counts.
        let count = 2 * port.socket.recv_buffer_size().unwrap() / datagram.len() + 1;
        for _ in 0..count {
            peer.send_to(&datagram, to).unwrap();
        }
        let dropped = port.dropped();
        assert!(dropped > 0 && dropped < count as u64, "{dropped} of {count}");
        assert_eq!((port.newly_dropped(), port.newly_dropped()), (dropped, 0));
    }

    #[test]
    fn too_little_room_is_told_with_a_remedy() {
        assert_eq!(too_small(2 * RECEIVE_OCTETS), None);
        let text = too_small(2 * 212_992).unwrap();
        assert!(text.contains("425 kB") && text.contains("net.core.rmem_max=16777216"), "{text}");
    }
}
