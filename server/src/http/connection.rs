//! One connection: what of a request has come, what of an answer has gone, and what was told of it to those who share out the link.
//!
//! ```text
//!            a whole head          its body           the loop's answer       a file is open
//!  Reading ──────────────> Receiving ──────> Asking ────────────────> Opening ─────────────┐
//!     ^                                         │ a text                                   v
//!     │                                         └────────────────────────────────────> Sending
//!     └──────────────────────────────── all is with the kernel ───────────────────────────┤
//!                                                                                         └─> Lingering ─> Over
//! ```
//!
//! A file goes from the kernel's memory to the socket (sendfile(2)); by TLS it passes through ours, some tens of kilobytes at a time, and so does what is on a file system where nobody can tell
//! whether it has to be waited for: that is read by others.

mod body;

use super::head::{self, Head, Refusal};
use super::reply::{Manner, Reply};
use crate::images::directory::BootFile;
use crate::netio::{self, Taking};
use crate::streams::{Stream, flush, receive};
pub(super) use body::Body;
use body::{SECURED_OCTETS, encipher, send_file};
use heorot_core::limit::{HTTP_HEAD_OCTETS_MAX, LOAD_PIECE_OCTETS_MAX, POST_OCTETS_MAX};
use heorot_core::transfer::StreamId;
use rustix::event::epoll::EventFlags;
use rustls::{ServerConfig, ServerConnection};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the drawing.
#[derive(Debug)]
pub(super) enum Stage {
    Reading,
    Receiving(Box<Head>),
    Asking(Box<Head>),
    Opening(Box<Head>),
    /// And whether the connection ends with it.
    Sending(bool),
    /// All was said: what the client still says is not listened to, but to close while it speaks would take away what it has not read (RFC 9112 9.6).
    Lingering,
    Over,
}

/// A connection.
pub(super) struct Connection {
    socket: TcpStream,
    pub(super) peer: Ipv4Addr,
    pub(super) local: Ipv4Addr,
    tls: Option<Box<ServerConnection>>,
    /// What has come of requests, and whether there will be no more.
    input: Vec<u8>,
    is_ended: bool,
    /// Whether we have said that we say no more.
    has_shut: bool,
    /// The head of an answer, or all of it.
    output: Vec<u8>,
    sent: usize,
    /// Octets that the socket has taken since the beginning, and whether it takes as many unsent as a fast link needs.
    taken: u64,
    is_fast: bool,
    pub(super) stage: Stage,
    /// The file that follows the head.
    pub(super) body: Option<Body>,
    /// What is reckoned of the file that was sent last.
    pub(super) account: Option<Account>,
    /// Questions to the loop so far.
    pub(super) questions: u64,
    pub(super) deadline: Instant,
    /// When it was last told that the machine lives.
    pub(super) life_told: Option<Instant>,
}

/// What was told of a file. One that is large enough to be waited for is a stream, see [`heorot_core::transfer::StreamNews`].
#[derive(Debug)]
pub(super) struct Account {
    pub(super) stream: Option<StreamId>,
    /// What the socket had taken before it, and how much of it was told to be delivered.
    begun_at: u64,
    size: u64,
    told: u64,
    /// How the connection's peer takes what is sent.
    taking: Taking,
    /// Whether it was told to stand still.
    stands: bool,
}

/// What has become of a body.
#[derive(Debug)]
pub(super) enum Progress {
    /// All of it is with the kernel.
    Done,
    /// The socket is full, what was allowed is gone, or it is the others' turn.
    Waits,
    /// This part is on no memory: it has to be read.
    Cold(Arc<BootFile>, Range<u64>),
}

/// How long a peer may leave what we send unacknowledged: as long as the most patient boot client waits (PXELINUX, 131 s).
const SILENT_MAX: Duration = Duration::from_secs(150);

/// Octets that a socket takes before they are sent: whoever stalls holds no more, and the next piece can be asked for as soon as the last one was taken.
const UNSENT_OCTETS: u32 = 512 * 1024;
/// The same on a link that is fast enough for the largest pieces: with fewer the reader has read one before the next one comes.
const UNSENT_OCTETS_FAST: u32 = 4 * LOAD_PIECE_OCTETS_MAX as u32;

/// Octets of a file that one connection gives to the kernel before the others have their turn, in one call: so much has to be in memory. A reader on a fast link
/// that has several connections to read from never sleeps; to wake one up for each packet costs more than to send it.
const TURN_OCTETS: u64 = LOAD_PIECE_OCTETS_MAX / 2;

impl Connection {
    /// One that was just accepted.
    pub(super) fn new(
        socket: TcpStream,
        peer: Ipv4Addr,
        tls: Option<&Arc<ServerConfig>>,
        deadline: Instant,
    ) -> io::Result<Self> {
        let SocketAddr::V4(local) = socket.local_addr()? else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let options = SockRef::from(&socket);
        options.set_tcp_user_timeout(Some(SILENT_MAX))?;
        options.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(30)))?;
        options.set_tcp_notsent_lowat(UNSENT_OCTETS)?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let mut tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                tls.set_buffer_limit(Some(SECURED_OCTETS));
                Some(Box::new(tls))
            }
        };
        Ok(Self {
            socket,
            peer,
            local: *local.ip(),
            tls,
            input: Vec::new(),
            is_ended: false,
            has_shut: false,
            output: Vec::new(),
            sent: 0,
            taken: 0,
            is_fast: false,
            stage: Stage::Reading,
            body: None,
            account: None,
            questions: 0,
            deadline,
            life_told: None,
        })
    }

    /// Takes what has come, as far as it concerns anybody now: what a client says before it has its answer waits in the kernel, or ten thousand of them would fill our memory.
    /// `buffer` is scratch.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let lacking = self.lacking_octets();
        if lacking == 0 {
            return Ok(());
        }
        if let Some(tls) = &mut self.tls {
            self.is_ended |= receive_secured(tls, &self.socket, &mut self.input, lacking)?;
        } else {
            let most = lacking.min(buffer.len());
            match receive(&self.socket, &mut buffer[..most])? {
                None => self.is_ended = true,
                Some(octets) => {
                    self.input.reserve_exact(octets.len());
                    self.input.extend_from_slice(octets);
                }
            }
        }
        if matches!(self.stage, Stage::Lingering) {
            self.input.clear();
            self.give_up_if_ended();
        }
        Ok(())
    }

    /// How many more octets have to come, or may: a head that is longer than any has to be seen to be.
    fn lacking_octets(&self) -> usize {
        match &self.stage {
            Stage::Reading => (HTTP_HEAD_OCTETS_MAX + 1).saturating_sub(self.input.len()),
            Stage::Receiving(head) => head.body_octets.saturating_sub(self.input.len()),
            Stage::Lingering => usize::MAX,
            Stage::Asking(_) | Stage::Opening(_) | Stage::Sending(_) | Stage::Over => 0,
        }
    }

    /// Whether it was shown a certificate, and has not taken it yet.
    pub(super) fn is_handshaking(&self) -> bool {
        let is_shown = |tls: &ServerConnection| tls.is_handshaking() && tls.protocol_version().is_some();
        self.tls.as_deref().is_some_and(is_shown)
    }

    /// Whether the client says no more.
    pub(super) fn has_left(&self) -> bool {
        self.is_ended
    }

    /// What it holds of a request, and of an answer.
    pub(super) fn held_octets(&self) -> usize {
        self.input.capacity() + self.output.capacity()
    }

    /// The next request's head, if it is there whole. A client that says no more and has not said one is gone.
    pub(super) fn next_head(&mut self) -> Result<Option<Head>, Refusal> {
        match head::read(&self.input)? {
            Some((head, octets)) => {
                self.input.drain(..octets);
                Ok(Some(head))
            }
            None => {
                self.give_up_if_ended();
                Ok(None)
            }
        }
    }

    /// Whether what was refused begins as a HEAD does: that is told by headers alone, whatever is wrong with it ("the server MUST NOT send content in the response", RFC 9110 9.3.2).
    pub(super) fn is_asked_by_head(&self) -> bool {
        self.input.starts_with(b"HEAD ")
    }

    /// The body of a request, if it is there whole.
    pub(super) fn next_body(&mut self, octets: usize) -> Option<Vec<u8>> {
        if self.input.len() < octets {
            self.give_up_if_ended();
            return None;
        }
        let rest = self.input.split_off(octets);
        Some(std::mem::replace(&mut self.input, rest))
    }

    /// A client that says no more may still be reading what it was sent.
    pub(super) fn give_up_if_ended(&mut self) {
        if self.is_ended && self.account.is_none() {
            self.stage = Stage::Over;
        }
    }

    /// Tells the client to send its body (RFC 9110 10.1.1), unless it has begun already.
    pub(super) fn give_leave(&mut self) {
        if self.input.is_empty() {
            self.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    /// Answers. What is not yet said of the answer's body follows as `body`.
    pub(super) fn reply(&mut self, reply: &Reply, date: &str, manner: Manner) {
        self.output.extend(reply.written(date, manner));
        self.stage = Stage::Sending(manner.closes);
    }

    /// A file is to follow the head. If it is to be waited for, or is told of, it has an account.
    pub(super) fn follow(
        &mut self,
        file: Arc<BootFile>,
        part: Range<u64>,
        stream: Option<StreamId>,
        is_told: bool,
    ) {
        let size = part.end - part.start;
        let taking = stream.and_then(|_| netio::taking(self.socket.as_fd()).ok()).unwrap_or_default();
        let begun_at = self.taken + (self.output.len() - self.sent) as u64;
        let account = || Account { stream, begun_at, size, told: 0, taking, stands: false };
        self.account = (stream.is_some() || is_told).then(account);
        let allowed = if stream.is_some() { 0 } else { size };
        let has_asked = stream.is_some();
        let body = || Body::new(file, part, allowed, has_asked);
        self.body = (size > 0).then(body);
    }

    /// More of the file in this account may go. False: it is that of no file that is on its way.
    pub(super) fn allow(&mut self, stream: StreamId, octets: u64) -> bool {
        let is_this = self.account.as_ref().is_some_and(|account| account.stream == Some(stream));
        let Some(body) = self.body.as_mut().filter(|_| is_this) else { return false };
        body.allowed += octets;
        body.has_asked = false;
        // By TLS what is unsent is memory of ours.
        if octets > LOAD_PIECE_OCTETS_MAX / 2 && self.tls.is_none() {
            self.be_fast(true);
        }
        true
    }

    /// On a link that is fast enough for the largest pieces the socket takes many of them, and sends no segment that is not full between two. If that cannot be set it is slower.
    fn be_fast(&mut self, is_fast: bool) {
        if is_fast != self.is_fast {
            self.is_fast = is_fast;
            let socket = SockRef::from(&self.socket);
            let _ = socket.set_tcp_notsent_lowat(if is_fast { UNSENT_OCTETS_FAST } else { UNSENT_OCTETS });
            let _ = socket.set_tcp_cork(is_fast);
        }
    }

    /// Whether more is to be asked for now: all that was allowed is with the kernel, which has sent nearly all that it took before.
    pub(super) fn wants(&mut self) -> Option<StreamId> {
        let body = self.body.as_mut().filter(|body| body.allowed == 0 && !body.has_asked)?;
        body.has_asked = true;
        self.account.as_ref().and_then(|account| account.stream)
    }

    /// Octets of the file that have not been given to the kernel.
    pub(super) fn rest_octets(&self) -> u64 {
        self.body.as_ref().map_or(0, |body| body.rest.end - body.rest.start)
    }

    /// Sends what there is to send. True: all of it is with the kernel.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            let before = self.sent;
            let length = self.output.len();
            let is_done = flush(&self.socket, &mut self.output, &mut self.sent)?;
            self.taken += (if is_done { length } else { self.sent } - before) as u64;
            if is_done {
                self.give_room_back();
            }
            return Ok(is_done);
        };
        loop {
            // What a full buffer of ciphertext leaves over waits here.
            self.sent += tls.writer().write(&self.output[self.sent..])?;
            while tls.wants_write() {
                match tls.write_tls(&mut &self.socket) {
                    Ok(octets) => self.taken += octets as u64,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            if self.sent == self.output.len() {
                self.sent = 0;
                self.give_room_back();
                return Ok(true);
            }
        }
    }

    /// All that was to go is with the kernel. The room of what was read for it would else count as held until the client has acknowledged it.
    fn give_room_back(&mut self) {
        self.output = Vec::new();
    }

    /// A part of the file was read: it is in the kernel's memory, or it is this. Whether it goes on by that.
    pub(super) fn warmed(&mut self, octets: Vec<u8>) -> bool {
        let Some(body) = &mut self.body else { return false };
        body.is_cold = false;
        if octets.is_empty() {
            return false;
        }
        body.gave(octets.len() as u64);
        if body.rest.is_empty() {
            self.body = None;
            self.be_fast(false);
        }
        self.output.extend(octets);
        true
    }

    /// Sends of the file what is allowed and the socket takes, until it is the others' turn.
    pub(super) fn send_body(&mut self, buffer: &mut [u8]) -> io::Result<Progress> {
        let Some(body) = &mut self.body else { return Ok(Progress::Done) };
        // All that was to go before is with the kernel. What was read for it is given back, or a thousand connections would hold as many pieces.
        self.output = Vec::new();
        if body.is_cold {
            return Ok(Progress::Waits);
        }
        let mut turn = TURN_OCTETS;
        while let Some(body) = self.body.as_mut().filter(|body| body.allowed > 0 && turn > 0) {
            let piece = body.piece(turn, self.tls.is_some());
            if !body.is_warm(&piece) {
                body.is_cold = true;
                return Ok(Progress::Cold(Arc::clone(&body.file), piece));
            }
            let octets = match &mut self.tls {
                None => send_file(&self.socket, &body.file, &piece)?,
                Some(tls) => Some(encipher(tls, &body.file, &piece, buffer)?),
            };
            // Looked at after it was given: a change that came before it shows, and the client gets no halves of two files.
            if !body.file.is_unchanged()? {
                return Err(io::Error::other("the file was changed in place"));
            }
            let Some(octets) = octets else { return Ok(Progress::Waits) };
            body.gave(octets);
            turn = turn.saturating_sub(octets);
            if body.rest.is_empty() {
                self.body = None;
                self.be_fast(false);
            }
            if self.tls.is_none() {
                self.taken += octets;
            } else if !self.flush()? {
                return Ok(Progress::Waits);
            }
        }
        Ok(if self.body.is_none() { Progress::Done } else { Progress::Waits })
    }

    /// All was said.
    pub(super) fn linger(&mut self, deadline: Instant) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        // While a file was sent nobody listened.
        self.is_ended |= matches!(self.socket.peek(&mut [0]), Ok(0));
        self.input = Vec::new();
        self.stage = Stage::Lingering;
        self.deadline = deadline;
        self.end_speech()?;
        self.give_up_if_ended();
        Ok(())
    }

    /// Says that nothing more will be said, as soon as all was said: with TLS its last record may wait for room in the socket.
    pub(super) fn end_speech(&mut self) -> io::Result<()> {
        if self.has_shut || !self.flush()? {
            return Ok(());
        }
        // Where both sides have said all, the kernel tells of nothing but that.
        if !self.is_ended || self.account.is_none() {
            self.socket.shutdown(Shutdown::Write)?;
        }
        self.has_shut = true;
        Ok(())
    }

    /// The next request is waited for. What memory the last one took is given back, or ten thousand idle clients would hold it.
    pub(super) fn await_request(&mut self, deadline: Instant) {
        if self.input.is_empty() {
            self.input = Vec::new();
        }
        self.output = Vec::new();
        self.stage = Stage::Reading;
        self.deadline = deadline;
    }

    /// How much more of the file in the account the peer has acknowledged, and whether nothing of it is under way.
    pub(super) fn delivered(&mut self) -> Option<(Option<StreamId>, u64, bool)> {
        let is_unsent = self.is_unsent();
        let account = self.account.as_mut()?;
        let queued = netio::queued(self.socket.as_fd()).unwrap_or(0);
        let acknowledged = self.taken.saturating_sub(queued).saturating_sub(account.begun_at);
        let octets = acknowledged.min(account.size).saturating_sub(account.told);
        account.told += octets;
        account.stands &= octets == 0;
        Some((account.stream, octets, queued == 0 && !is_unsent))
    }

    /// Whether something waits for room in the socket.
    fn is_unsent(&self) -> bool {
        self.sent < self.output.len() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Whether its peer takes nothing any more: once, until something more is delivered.
    pub(super) fn stands_still(&mut self) -> Option<StreamId> {
        // By TLS more goes out than the file has: at its end nothing would say that it moves again.
        let account = self
            .account
            .as_mut()
            .filter(|account| account.stream.is_some() && !account.stands && account.told < account.size)?;
        account.stands = netio::stands_still(self.socket.as_fd(), self.is_fast, &account.taking);
        account.stream.filter(|_| account.stands)
    }

    /// How many more segments were sent again. Those by which a kernel asks a peer that takes nothing whether it does so still are among them, and are no losses.
    pub(super) fn resent(&mut self) -> u64 {
        let Some(account) = self.account.as_mut().filter(|account| account.stream.is_some()) else {
            return 0;
        };
        let before = account.taking.resent;
        account.taking = account.taking.again(self.socket.as_fd());
        let again = account.taking.resent.wrapping_sub(before);
        if account.stands { 0 } else { again.into() }
    }

    /// Breaks it off in a way that nobody takes for the end of what was sent.
    pub(super) fn abort(&self) {
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}

impl Stream for Connection {
    fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn interest(&self) -> EventFlags {
        let unsent = self.is_unsent();
        let out = if unsent { EventFlags::OUT } else { EventFlags::empty() };
        match (&self.stage, &self.body) {
            (Stage::Reading | Stage::Receiving(_) | Stage::Lingering, _) if self.is_ended => out,
            (Stage::Reading | Stage::Receiving(_) | Stage::Lingering, _) => EventFlags::IN | out,
            (Stage::Asking(_) | Stage::Opening(_), _) => out,
            (Stage::Sending(_), Some(body)) if !unsent => {
                let is_held = body.is_cold || body.allowed == 0;
                if is_held { EventFlags::empty() } else { EventFlags::OUT }
            }
            (Stage::Sending(_), _) => EventFlags::OUT,
            (Stage::Over, _) => EventFlags::empty(),
        }
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }
}

/// What has come by TLS. True: the client says no more.
fn receive_secured(
    tls: &mut ServerConnection,
    mut socket: &TcpStream,
    input: &mut Vec<u8>,
    lacking: usize,
) -> io::Result<bool> {
    // As much as was said in one record may come beyond; the rest waits in the kernel. What nobody listens to any more is not gathered.
    let most = input.len().saturating_add(lacking.min(POST_OCTETS_MAX));
    while input.len() < most {
        match tls.read_tls(&mut socket) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        let state = match tls.process_new_packets() {
            Ok(state) => state,
            Err(error) => {
                // An alert says why, if there is room for it.
                let _ = tls.write_tls(&mut socket);
                return Err(io::Error::other(error));
            }
        };
        let start = input.len();
        input.resize(start + state.plaintext_bytes_to_read(), 0);
        tls.reader().read_exact(&mut input[start..])?;
        if state.peer_has_closed() {
            return Ok(true);
        }
    }
    while tls.wants_write() {
        match tls.write_tls(&mut socket) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
