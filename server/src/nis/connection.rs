use crate::streams::{self, Stream};
use heorot_dns::nis::{CALL_OCTETS_MAX, Door};
use heorot_rpc::record::{Records, TooLong};
use rustix::event::epoll::EventFlags;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// A client's TCP connection: calls in, replies out. It holds one call and one piece of a map, whatever the client does.
pub(super) struct Connection {
    socket: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) door: Door,
    records: Records,
    /// What is to be sent begins at `sent`.
    unsent: Vec<u8>,
    sent: usize,
    /// When all is sent, the gateway has more to say.
    pub(super) more: bool,
    /// The client sends no more, or we want no more of it; it goes when its replies are sent.
    ending: bool,
    /// When it ends, whatever it is doing then.
    pub(super) deadline: Instant,
}

impl Connection {
    pub(super) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        door: Door,
        deadline: Instant,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // A reply is one write, and the client waits for it: no use in gathering.
        socket.set_nodelay(true)?;
        let (records, unsent) = (Records::new(CALL_OCTETS_MAX), Vec::new());
        Ok(Self { socket, peer, door, records, unsent, sent: 0, more: false, ending: false, deadline })
    }

    /// Reads once, as much as there is room for. `buffer` is scratch.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let room = buffer.len().min(self.records.room());
        if room == 0 || self.ending {
            return Ok(());
        }
        match streams::receive(&self.socket, &mut buffer[..room])? {
            None => self.ending = true,
            Some(octets) => self.records.push(octets),
        }
        Ok(())
    }

    /// The next whole message, once all that was said before is sent.
    pub(super) fn next_message(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        if self.is_busy() { Ok(None) } else { self.records.next_message() }
    }

    /// Takes what is to be sent.
    pub(super) fn send(&mut self, payload: Vec<u8>, more: bool) {
        debug_assert!(self.unsent.is_empty(), "one reply at a time");
        (self.unsent, self.sent, self.more) = (payload, 0, more);
    }

    /// Takes no further message; ends when its reply is sent.
    pub(super) fn end(&mut self) {
        self.ending = true;
        self.more = false;
        self.records = Records::new(CALL_OCTETS_MAX);
    }

    /// Sends what the kernel takes. True: all is sent.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        streams::flush(&self.socket, &mut self.unsent, &mut self.sent)
    }

    /// Whether a reply is not sent yet, or not all of it is made.
    pub(super) fn is_busy(&self) -> bool {
        self.more || !self.unsent.is_empty()
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
        self.ending && !self.is_busy()
    }

    /// What to wait for: room to send as long as there is a reply, and calls when there is none.
    fn interest(&self) -> EventFlags {
        match (self.is_busy(), self.ending) {
            (true, _) => EventFlags::OUT,
            (false, true) => EventFlags::empty(),
            (false, false) => EventFlags::IN,
        }
    }
}
