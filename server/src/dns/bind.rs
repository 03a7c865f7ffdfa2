use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// Where queries to one served address come by UDP.
pub(super) struct Datagrams {
    /// As it is bound, with the port that was taken for 0.
    pub(super) address: SocketAddr,
    pub(super) socket: UdpSocket,
}

/// Room for a rack's worth of machines that all ask in the same instant: a thousand queries are 0.8 MiB as the kernel counts them. The
/// kernel may give less (net.core.rmem_max).
const RECEIVE_OCTETS: usize = 4 << 20;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// How often a free UDP port may turn out to be taken in TCP before we give up.
const PORT_ATTEMPTS: usize = 16;

/// Binds UDP and TCP to one address and port.
pub(super) fn bind(address: SocketAddr) -> io::Result<(Datagrams, TcpListener)> {
    if address.ip().is_unspecified() {
        // A reply from it could come from another address than the one that was asked, and would be thrown away.
        let message = format!("DNS cannot listen on {address}: name each address that is to be served");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut attempts_left = PORT_ATTEMPTS;
    loop {
        let socket = bind_datagrams(address).map_err(|error| explain("UDP", address, &error))?;
        let bound = socket.local_addr()?;
        attempts_left -= 1;
        match bind_listener(bound) {
            Ok(listener) => return Ok((Datagrams { address: bound, socket }, listener)),
            Err(error)
                if address.port() == 0 && attempts_left > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(explain("TCP", bound, &error)),
        }
    }
}

fn bind_datagrams(address: SocketAddr) -> io::Result<UdpSocket> {
    // No SO_REUSEADDR: two servers on one port would share the queries without a word.
    let socket = new_socket(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_recv_buffer_size(RECEIVE_OCTETS)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket.into())
}

fn bind_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = new_socket(address, Type::STREAM, Protocol::TCP)?;
    // Connections of the server before us may still linger in TIME_WAIT; one that listens keeps us out all the same.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn new_socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// The error with the place, and with what to do where we know.
fn explain(protocol: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    let port = address.port();
    let remedy = if error.kind() == io::ErrorKind::AddrInUse {
        format!("; another name server has the port: `ss -lnptu 'sport = :{port}'` shows which")
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "; ports below 1024 need root or CAP_NET_BIND_SERVICE".to_owned()
    } else if error.kind() == io::ErrorKind::AddrNotAvailable {
        "; no interface of this machine has the address".to_owned()
    } else {
        String::new()
    };
    let message = format!("DNS cannot listen on {protocol} {} port {port}: {error}{remedy}", address.ip());
    io::Error::new(error.kind(), message)
}
