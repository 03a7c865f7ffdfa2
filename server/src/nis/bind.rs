use crate::problem::{Problem, problem};
use heorot_dns::nis::Door;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

/// Where calls of one program come by UDP, on all our addresses: clients look for a server by broadcast, and replies tell the address they come from.
pub(super) struct Sockets {
    pub(super) door: Door,
    pub(super) port: u16,
    pub(super) datagrams: Socket,
}

/// All of them, and the listeners beside them.
pub(super) type Bound = (Vec<Sockets>, Vec<TcpListener>);

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// Ports above are anybody's, and clients do not trust who answers there.
const PORT_MAX: u16 = 1023;

/// Binds UDP and TCP to the first of these ports that is free in both.
pub(super) fn any_of(first: u16, count: u16, door: Door) -> Result<(Sockets, TcpListener), Problem> {
    let mut last = None;
    // The tests may not have ports below 1024.
    let highest = if first > PORT_MAX { u16::MAX } else { PORT_MAX };
    for port in (first..=highest).take(count.into()) {
        match bind(port, door) {
            Ok(sockets) => return Ok(sockets),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(port),
            Err(error) => return Err(explain(&error, "NIS", port)),
        }
    }
    let last = last.unwrap_or(first);
    Err(problem!(
        "NIS: all ports from {first} to {last} are in use\n  see who has them: ss -lnptu\n  then set nis.port"
    ))
}

/// Binds UDP and TCP to this port.
pub(super) fn bind(port: u16, door: Door) -> io::Result<(Sockets, TcpListener)> {
    let anywhere = |port| SockAddr::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
    let datagrams = Socket::new(Domain::IPV4, Type::DGRAM.nonblocking().cloexec(), Some(Protocol::UDP))?;
    setsockopt(&datagrams, sockopt::Ipv4PacketInfo, &true)?;
    datagrams.bind(&anywhere(port))?;
    let port = datagrams.local_addr()?.as_socket_ipv4().map_or(port, |address| address.port());
    let listener = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    // Connections of the server before us may still linger in TIME_WAIT; one that listens keeps us out all the same.
    listener.set_reuse_address(true)?;
    listener.bind(&anywhere(port))?;
    listener.listen(BACKLOG)?;
    Ok((Sockets { door, port, datagrams }, listener.into()))
}

/// Says why a port cannot be had and what to do.
pub(super) fn explain(error: &io::Error, service: &str, port: u16) -> Problem {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return problem!(
            "{service}: port {port} may not be opened without privileges\n  start heorot as root: it drops to `server.user` itself"
        );
    }
    problem!("{service}: port {port} cannot be opened: {error}")
}
