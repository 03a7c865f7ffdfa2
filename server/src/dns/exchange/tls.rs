//! Servers that are asked by TLS (RFC 7858): one connection to each, opened for the first question, shared by all, told from each other by their
//! ids (RFC 7766 6.2.1.1 and 7), and closed when nobody asked for a while.
//!
//! A server has to prove by its certificate that it is who the operator named (RFC 8310 5, strict); one that cannot is not asked, and the journal says why,
//! once.

use super::{EVENT_TLS, Message, connect, is_transient, whose};
use crate::dns::Roots;
use heorot_dns::{Exchange, ExchangeId, Fault};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The connections that are open.
#[derive(Default)]
pub(in crate::dns) struct Secured {
    /// None as long as nobody has to be asked by TLS.
    authorities: Option<Authorities>,
    open: BTreeMap<u64, Connection>,
    next_key: u64,
    /// Who could not be connected to, and when: said once, and not tried again at once.
    failed: BTreeMap<Peer, Instant>,
    troubles: Vec<String>,
}

/// A server, and the name that it has to have.
type Peer = (SocketAddr, Arc<str>);

/// Whose certificates count.
struct Authorities {
    roots: Roots,
    /// None: there is none that can be read.
    config: Option<Arc<ClientConfig>>,
}

/// One of them.
struct Connection {
    peer: Peer,
    socket: TcpStream,
    tls: ClientConnection,
    is_connected: bool,
    /// Questions without an answer, by the id of their message.
    waiting: BTreeMap<u16, ExchangeId>,
    received: Vec<u8>,
    /// Octets of questions that the kernel has not taken yet, at most.
    unsent: usize,
    /// An answer has come by it: what goes wrong now is no reason not to ask that server.
    has_served: bool,
    /// When it is closed, unless something comes.
    deadline: Instant,
    registered: EventFlags,
}

/// What came of an event.
#[derive(Default)]
pub(in crate::dns) struct Taken {
    pub(in crate::dns) messages: Vec<(ExchangeId, Message)>,
    pub(in crate::dns) faults: Vec<(ExchangeId, Fault)>,
}

/// How long a connection without questions stays (RFC 7766 6.2.3: seconds; a handshake costs more than a descriptor for so long).
const IDLE: Duration = Duration::from_secs(30);
/// How long a server may owe an answer and say nothing at all: questions are given up before.
const SILENT: Duration = Duration::from_secs(5);
/// How long nobody tries to connect to a server again that could not be connected to (RFC 7858 3.1).
const REOPENS_AFTER: Duration = Duration::from_secs(1);
/// Octets that wait to be sent to one server: some hundred questions, when it takes none.
const UNSENT_MAX: usize = 64 * 1024;
/// Reads from one connection, of a record or a few each, before others get their turn.
const READS_MAX: usize = 16;

impl Secured {
    /// Certificates of these authorities count from now on, for connections that are opened then.
    pub(in crate::dns) fn configure(&mut self, roots: Roots) {
        self.failed.clear();
        if self.authorities.as_ref().is_some_and(|authorities| authorities.roots == roots) {
            return;
        }
        self.authorities = Some(Authorities { config: client_config(&roots.pem), roots });
    }

    /// Sends a message by the connection to its server.
    pub(super) fn begin(
        &mut self,
        epoll: &OwnedFd,
        exchange: &Exchange,
        name: &Arc<str>,
        now: Instant,
    ) -> Result<(), Fault> {
        let peer = (exchange.server, Arc::clone(name));
        let found = self.open.iter().find(|(_, connection)| connection.peer == peer);
        let key = match found.map(|(key, _)| *key) {
            Some(key) => key,
            None => self.connect(epoll, peer, exchange, now)?,
        };
        let connection = self.open.get_mut(&key).expect("it was found, or made, a moment ago");
        connection.ask(exchange, now)?;
        // What goes wrong with sending is known by the next event as well, with all that wait.
        let _ = connection.send();
        connection.watch(epoll, key);
        Ok(())
    }

    /// Nobody waits for this answer any more.
    pub(super) fn end(&mut self, exchange: ExchangeId) {
        for connection in self.open.values_mut() {
            connection.waiting.retain(|_, waiting| *waiting != exchange);
        }
    }

    /// Something happened at a connection.
    pub(in crate::dns) fn take(&mut self, epoll: &OwnedFd, key: u64, now: Instant) -> Taken {
        let mut taken = Taken::default();
        let Some(connection) = self.open.get_mut(&key) else { return taken };
        let ended = connection.converse(now, &mut taken.messages);
        match ended {
            Ok(()) => connection.watch(epoll, key),
            Err(error) => self.close(key, &error, now, &mut taken.faults),
        }
        if taken.messages.is_empty() {
            return taken;
        }
        if let Some(connection) = self.open.get(&key) {
            self.failed.remove(&connection.peer);
        }
        taken
    }

    /// Closes those that are idle, and those that owe an answer for too long.
    pub(in crate::dns) fn end_silent(&mut self, now: Instant) -> Taken {
        let mut taken = Taken::default();
        let due: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, connection)| connection.deadline <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            let silence = io::Error::new(ErrorKind::TimedOut, "it does not answer");
            self.close(key, &silence, now, &mut taken.faults);
        }
        taken
    }

    pub(in crate::dns) fn next_deadline(&self) -> Option<Instant> {
        self.open.values().map(|connection| connection.deadline).min()
    }

    /// What the operator has to know, and was not told yet.
    pub(in crate::dns) fn take_troubles(&mut self) -> Vec<String> {
        std::mem::take(&mut self.troubles)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn connect(
        &mut self,
        epoll: &OwnedFd,
        peer: Peer,
        exchange: &Exchange,
        now: Instant,
    ) -> Result<u64, Fault> {
        if self.failed.get(&peer).is_some_and(|failed| now < *failed + REOPENS_AFTER) {
            return Err(Fault::Theirs);
        }
        let opened = self.client(&peer.1).and_then(|tls| Ok((tls, connect(exchange.server)?)));
        let (tls, socket) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let fault = whose(&error);
                if fault == Fault::Theirs {
                    self.note(peer, &error, now);
                }
                return Err(fault);
            }
        };
        let key = self.next_key;
        self.next_key += 1;
        let registered = EventFlags::OUT;
        epoll::add(epoll, &socket, EventData::new_u64(key | EVENT_TLS), registered)
            .map_err(|_| Fault::Ours)?;
        let connection = Connection {
            peer,
            socket: socket.into(),
            tls,
            is_connected: false,
            waiting: BTreeMap::new(),
            received: Vec::new(),
            unsent: 0,
            has_served: false,
            deadline: now + SILENT,
            registered,
        };
        self.open.insert(key, connection);
        Ok(key)
    }

    /// Our half of a connection to who can prove this name.
    fn client(&self, name: &str) -> io::Result<ClientConnection> {
        let authorities = self.authorities.as_ref();
        let config = authorities.and_then(|authorities| authorities.config.clone()).ok_or_else(|| {
            let path = authorities.map(|authorities| authorities.roots.path.as_str());
            let path = path.unwrap_or("dns.tls-roots");
            io::Error::new(ErrorKind::NotFound, format!("there are no certificates of authorities in {path}"))
        })?;
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let mut client = ClientConnection::new(config, name).map_err(io::Error::other)?;
        // Bounded by `unsent`: the limit of rustls would take half a message.
        client.set_buffer_limit(None);
        Ok(client)
    }

    fn close(&mut self, key: u64, error: &io::Error, now: Instant, faults: &mut Vec<(ExchangeId, Fault)>) {
        let Some(mut connection) = self.open.remove(&key) else { return };
        // So that the server need not wonder (RFC 8446 6.1). If it cannot be sent, there is nobody to wonder.
        connection.tls.send_close_notify();
        let _ = connection.send();
        // RFC 7766 6.2.4: what was on its way when a good connection was closed is asked again.
        let fault = if connection.has_served { Fault::Ours } else { Fault::Theirs };
        faults.extend(connection.waiting.values().map(|exchange| (*exchange, fault)));
        if !connection.has_served {
            self.note(connection.peer, error, now);
        }
    }

    /// A line for the journal, the first time in a row.
    fn note(&mut self, peer: Peer, error: &io::Error, now: Instant) {
        if self.failed.insert(peer.clone(), now).is_none() {
            let (address, name) = peer;
            self.troubles.push(format!("DNS server {address} ({name}) cannot be asked by TLS: {error}"));
        }
    }
}

impl Connection {
    fn ask(&mut self, exchange: &Exchange, now: Instant) -> Result<(), Fault> {
        let id = exchange.payload.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)).ok_or(Fault::Ours)?;
        if self.waiting.contains_key(&id) {
            return Err(Fault::Ours);
        }
        let length = u16::try_from(exchange.payload.len()).expect("a question has at most some 500 octets");
        let framed = [&length.to_be_bytes(), exchange.payload.as_slice()].concat();
        if self.unsent + framed.len() > UNSENT_MAX || self.tls.writer().write_all(&framed).is_err() {
            return Err(Fault::Theirs);
        }
        self.unsent += framed.len();
        if self.waiting.is_empty() {
            self.deadline = now + SILENT;
        }
        self.waiting.insert(id, exchange.id);
        Ok(())
    }

    fn converse(&mut self, now: Instant, messages: &mut Vec<(ExchangeId, Message)>) -> io::Result<()> {
        if !self.is_connected {
            if let Some(error) = self.socket.take_error()? {
                return Err(error);
            }
            self.is_connected = true;
        }
        let ended = self.read(now, messages);
        // Also what tells the server why it is not spoken with (RFC 8446 6.2).
        let sent = self.send();
        ended.and(sent)
    }

    fn read(&mut self, now: Instant, messages: &mut Vec<(ExchangeId, Message)>) -> io::Result<()> {
        for _ in 0..READS_MAX {
            match self.tls.read_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_transient(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
            let state = self.tls.process_new_packets().map_err(io::Error::other)?;
            let octets = state.plaintext_bytes_to_read();
            let before = self.received.len();
            self.received.resize(before + octets, 0);
            self.tls.reader().read_exact(&mut self.received[before..])?;
            self.take_messages(now, messages);
            if state.peer_has_closed() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// The whole messages of what was received. What answers no question that waits is thrown away.
    fn take_messages(&mut self, now: Instant, messages: &mut Vec<(ExchangeId, Message)>) {
        let mut at = 0;
        while let Some((length, rest)) = self.received[at..].split_first_chunk::<2>() {
            let Some(payload) = rest.get(..usize::from(u16::from_be_bytes(*length))) else { break };
            let id = payload.first_chunk::<2>().map(|id| u16::from_be_bytes(*id));
            if let Some(exchange) = id.and_then(|id| self.waiting.remove(&id)) {
                messages.push((exchange, Message { from: self.peer.0, payload: payload.to_vec() }));
                self.has_served = true;
            }
            at += 2 + payload.len();
        }
        self.received.drain(..at);
        if at > 0 {
            self.deadline = now + if self.waiting.is_empty() { IDLE } else { SILENT };
        }
    }

    /// Sends what the kernel takes.
    fn send(&mut self) -> io::Result<()> {
        while self.is_connected && self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_transient(&error) => break,
                Err(error) => return Err(error),
            }
        }
        if !self.tls.is_handshaking() && !self.tls.wants_write() {
            self.unsent = 0;
        }
        Ok(())
    }

    fn watch(&mut self, epoll: &OwnedFd, key: u64) {
        let interest = match self.is_connected {
            false => EventFlags::OUT,
            true if self.tls.wants_write() => EventFlags::IN | EventFlags::OUT,
            true => EventFlags::IN,
        };
        if interest != self.registered {
            self.registered = interest;
            let key = EventData::new_u64(key | EVENT_TLS);
            epoll::modify(epoll, &self.socket, key, interest).expect("our own socket is registered");
        }
    }
}

/// What believes certificates of these authorities and no others. None if there is none among them.
fn client_config(pem: &str) -> Option<Arc<ClientConfig>> {
    let certificates: BTreeSet<Vec<u8>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(|certificate| certificate.ok().map(|certificate| certificate.to_vec()))
        .collect();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
    if added == 0 {
        return None;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(Arc::new(config))
}

#[cfg(test)]
pub(in crate::dns) mod tests;
