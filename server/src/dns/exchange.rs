//! Messages to servers upstream, each from a socket of its own: a datagram from a port that nobody can foresee, or a stream. Those that go by TLS
//! share a connection (`tls`).

pub(super) mod tls;

use heorot_dns::{Exchange, ExchangeId, Fault, Transport};
use rustix::event::epoll::{self, EventData, EventFlags};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Instant;
use tls::Secured;
pub(super) use tls::Taken;

/// The sockets that are open.
#[derive(Default)]
pub(super) struct Exchanges {
    open: BTreeMap<ExchangeId, Way>,
    /// Those by TLS.
    pub(super) secured: Secured,
}

/// One of them.
enum Way {
    Datagrams { socket: UdpSocket, server: SocketAddr },
    Stream(Box<Stream>),
}

/// A message out, two octets of length before it, and one back.
struct Stream {
    stream: TcpStream,
    server: SocketAddr,
    unsent: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
}

/// A message that came, and from where.
pub(super) struct Message {
    pub(super) from: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// Sockets that are open at a time. Where nobody may have so many descriptors, those who find none ask again.
const OPEN_MAX: usize = heorot_dns::limit::EXCHANGES_MAX;
/// Datagrams that are taken from one socket before others get their turn: one is the answer, the rest is somebody's guesswork.
const DATAGRAMS_MAX: usize = 8;
/// Set in an event's key: the rest is the exchange's number.
const EVENT: u64 = 1 << 63;
/// The rest is the number of a connection with TLS.
const EVENT_TLS: u64 = 1 << 62;

/// What an event's key stands for.
pub(super) enum Happened {
    At(ExchangeId),
    /// At a connection that exchanges share.
    Secured(u64),
}

/// None: it is not of a socket of ours.
pub(super) fn of_event(key: u64) -> Option<Happened> {
    match (key & EVENT, key & EVENT_TLS) {
        (0, 0) => None,
        (0, _) => Some(Happened::Secured(key & !EVENT_TLS)),
        (_, _) => Some(Happened::At(ExchangeId(key & !EVENT))),
    }
}

impl Exchanges {
    /// Opens a socket and sends the message. An error tells whose fault it is that this did not do.
    pub(super) fn begin(&mut self, epoll: &OwnedFd, exchange: Exchange, now: Instant) -> Result<(), Fault> {
        if let Some(name) = &exchange.tls {
            return self.secured.begin(epoll, &exchange, name, now);
        }
        if self.open.len() + self.secured.len() >= OPEN_MAX {
            return Err(Fault::Ours);
        }
        let way = match exchange.transport {
            Transport::Udp => send_datagram(&exchange),
            Transport::Tcp => begin_stream(&exchange),
        };
        let way = way.map_err(|error| whose(&error))?;
        let key = EventData::new_u64(exchange.id.0 | EVENT);
        epoll::add(epoll, way.descriptor(), key, way.interest()).map_err(|_| Fault::Ours)?;
        self.open.insert(exchange.id, way);
        Ok(())
    }

    /// Closes a socket.
    pub(super) fn end(&mut self, id: ExchangeId) {
        if self.open.remove(&id).is_none() {
            self.secured.end(id);
        }
    }

    /// Something happened at a socket: the messages that came, and whether there will be no more. `buffer` is scratch.
    pub(super) fn take(
        &mut self,
        epoll: &OwnedFd,
        id: ExchangeId,
        buffer: &mut [u8],
    ) -> (Vec<Message>, Option<Fault>) {
        // Gone if an earlier event of this turn ended it.
        let Some(way) = self.open.get_mut(&id) else { return (Vec::new(), None) };
        let before = way.interest();
        let taken = match way {
            Way::Datagrams { socket, server } => receive(socket, *server, buffer),
            Way::Stream(stream) => stream.converse(buffer),
        };
        let (messages, error) = match taken {
            Ok(messages) => (messages, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(error) = error {
            self.open.remove(&id);
            return (messages, Some(whose(&error)));
        }
        let interest = way.interest();
        if interest != before {
            let key = EventData::new_u64(id.0 | EVENT);
            epoll::modify(epoll, way.descriptor(), key, interest).expect("our own socket is registered");
        }
        (messages, None)
    }
}

impl Way {
    fn descriptor(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd as _;
        match self {
            Self::Datagrams { socket, .. } => socket.as_fd(),
            Self::Stream(stream) => stream.stream.as_fd(),
        }
    }

    fn interest(&self) -> EventFlags {
        match self {
            Self::Stream(stream) if stream.sent < stream.unsent.len() => EventFlags::OUT,
            Self::Stream(_) | Self::Datagrams { .. } => EventFlags::IN,
        }
    }
}

impl Stream {
    fn converse(&mut self, buffer: &mut [u8]) -> io::Result<Vec<Message>> {
        if self.sent < self.unsent.len() {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(octets) => self.sent += octets,
                Err(error) if is_transient(&error) => {}
                Err(error) => return Err(error),
            }
            return Ok(Vec::new());
        }
        match self.stream.read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(octets) => self.received.extend_from_slice(&buffer[..octets]),
            Err(error) if is_transient(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        let Some((length, rest)) = self.received.split_first_chunk::<2>() else { return Ok(Vec::new()) };
        let length = usize::from(u16::from_be_bytes(*length));
        match rest.get(..length) {
            Some(message) => {
                let message = Message { from: self.server, payload: message.to_vec() };
                self.received.drain(..2 + length);
                Ok(vec![message])
            }
            None => Ok(Vec::new()),
        }
    }
}

fn send_datagram(exchange: &Exchange) -> io::Result<Way> {
    let socket = new_socket(exchange.server, Type::DGRAM, Protocol::UDP)?;
    let any: IpAddr = match exchange.server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    socket.bind(&SockAddr::from(SocketAddr::new(any, exchange.port)))?;
    // Connected: the kernel throws away what others send, and tells when nobody listens there.
    socket.connect(&SockAddr::from(exchange.server))?;
    socket.send(&exchange.payload)?;
    Ok(Way::Datagrams { socket: socket.into(), server: exchange.server })
}

/// A stream that will be there, unless the next event says that it will not.
fn connect(server: SocketAddr) -> io::Result<Socket> {
    let socket = new_socket(server, Type::STREAM, Protocol::TCP)?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&SockAddr::from(server)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) => return Err(error),
    }
    Ok(socket)
}

fn begin_stream(exchange: &Exchange) -> io::Result<Way> {
    let socket = connect(exchange.server)?;
    let length = u16::try_from(exchange.payload.len()).expect("a question has at most some 300 octets");
    Ok(Way::Stream(Box::new(Stream {
        stream: socket.into(),
        server: exchange.server,
        unsent: [&length.to_be_bytes(), exchange.payload.as_slice()].concat(),
        sent: 0,
        received: Vec::new(),
    })))
}

fn receive(socket: &UdpSocket, server: SocketAddr, buffer: &mut [u8]) -> io::Result<Vec<Message>> {
    let mut messages = Vec::new();
    while messages.len() < DATAGRAMS_MAX {
        match socket.recv(buffer) {
            Ok(octets) => messages.push(Message { from: server, payload: buffer[..octets].to_vec() }),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock || !messages.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(messages)
}

fn new_socket(server: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(server), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    if server.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// A port that is taken and a want of descriptors or memory are ours; all else lies between us and the server.
fn whose(error: &io::Error) -> Fault {
    let ours = matches!(
        error.kind(),
        ErrorKind::AddrInUse
            | ErrorKind::PermissionDenied
            | ErrorKind::OutOfMemory
            | ErrorKind::AddrNotAvailable
    );
    let no_descriptor = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE, rustix::io::Errno::NOBUFS];
    let no_descriptor = no_descriptor.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    if ours || no_descriptor { Fault::Ours } else { Fault::Theirs }
}
