use crate::streams::{self, Stream};
use heorot_dns::TransferId;
use rustix::event::epoll::EventFlags;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// A client's TCP connection: messages in, replies out, each after two octets of length (RFC 1035 4.2.2).
pub(super) struct Connection {
    socket: TcpStream,
    peer: SocketAddr,
    /// What came and was not taken yet begins at `taken`.
    received: Vec<u8>,
    taken: usize,
    /// What is to be sent begins at `sent`.
    unsent: Vec<u8>,
    sent: usize,
    /// The client sends no more, or we want no more of it; it goes when its replies are sent.
    ending: bool,
    /// Messages that were taken and have no reply yet.
    unanswered: usize,
    /// Answers that go on when what is said of them so far is sent.
    more: VecDeque<TransferId>,
    /// When it ends, whatever it is doing then.
    pub(super) deadline: Instant,
}

/// One message of the largest size and its length: more is not read before that is taken.
const RECEIVED_OCTETS_MAX: usize = 2 + 65_535;
/// With so many octets of replies waiting, no further query is taken: a client that does not read stops being heard.
const UNSENT_OCTETS_MAX: usize = 64 * 1024;

/// Queries of one client that are under way (RFC 7766 6.2.1.1: they may be answered out of order).
const UNANSWERED_MAX: usize = 64;

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: SocketAddr, deadline: Instant) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // A reply is one write, and the client waits for it: no use in gathering.
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            peer,
            received: Vec::new(),
            taken: 0,
            unsent: Vec::new(),
            sent: 0,
            ending: false,
            unanswered: 0,
            more: VecDeque::new(),
            deadline,
        })
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Reads once, as much as there is room for. `buffer` is scratch.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.received.drain(..self.taken);
        self.taken = 0;
        let room = buffer.len().min(RECEIVED_OCTETS_MAX - self.received.len());
        if room == 0 || self.ending {
            return Ok(());
        }
        match streams::receive(&self.socket, &mut buffer[..room])? {
            None => self.ending = true,
            Some(octets) => self.received.extend_from_slice(octets),
        }
        Ok(())
    }

    /// The next whole message, if there is one and room for its reply.
    pub(super) fn next_message(&mut self) -> Option<Vec<u8>> {
        if self.unsent.len() - self.sent >= UNSENT_OCTETS_MAX || self.unanswered >= UNANSWERED_MAX {
            return None;
        }
        let (length, rest) = self.received.get(self.taken..)?.split_first_chunk::<2>()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?.to_vec();
        self.taken += 2 + message.len();
        self.unanswered += 1;
        Some(message)
    }

    /// Appends a reply to what is to be sent.
    pub(super) fn queue(&mut self, payload: &[u8]) {
        let length = u16::try_from(payload.len()).expect("the resolver keeps to 65535 octets");
        self.unanswered = self.unanswered.saturating_sub(1);
        self.unsent.extend(length.to_be_bytes());
        self.unsent.extend_from_slice(payload);
    }

    /// An answer goes on: its message is answered when the last of it is queued.
    pub(super) fn queue_more(&mut self, transfer: TransferId) {
        self.unanswered += 1;
        self.more.push_back(transfer);
    }

    /// The answer that goes on now: if all is sent.
    pub(super) fn next_more(&mut self) -> Option<TransferId> {
        if self.unsent.is_empty() { self.more.pop_front() } else { None }
    }

    /// Takes no further query; ends when its replies are sent. The message that led here gets none.
    pub(super) fn end(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.ending = true;
        self.received = Vec::new();
        self.taken = 0;
    }

    /// Sends what the kernel takes. True: all is sent.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        streams::flush(&self.socket, &mut self.unsent, &mut self.sent)
    }
}

impl Stream for Connection {
    fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn is_over(&self) -> bool {
        self.ending && self.unsent.is_empty() && self.more.is_empty() && self.unanswered == 0
    }

    /// What to wait for: room to send as long as something waits, and queries unless too much does.
    fn interest(&self) -> EventFlags {
        let waiting = self.unsent.len() - self.sent;
        let mut interest = EventFlags::empty();
        interest.set(EventFlags::OUT, waiting > 0 || !self.more.is_empty());
        let takes = waiting < UNSENT_OCTETS_MAX && self.unanswered < UNANSWERED_MAX;
        interest.set(EventFlags::IN, !self.ending && takes);
        interest
    }
}
