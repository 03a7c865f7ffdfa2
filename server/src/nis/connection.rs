use heorot_dns::nis::{Door, Records, TooLong};
use rustix::event::epoll::EventFlags;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// A client's TCP connection: calls in, replies out. It holds one call and one piece of a map, whatever the client does.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
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
        stream: TcpStream,
        peer: SocketAddr,
        door: Door,
        deadline: Instant,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // A reply is one write, and the client waits for it: no use in gathering.
        stream.set_nodelay(true)?;
        let (records, unsent) = (Records::default(), Vec::new());
        Ok(Self { stream, peer, door, records, unsent, sent: 0, more: false, ending: false, deadline })
    }

    /// Reads once, as much as there is room for. `buffer` is scratch.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let room = buffer.len().min(self.records.room());
        if room == 0 || self.ending {
            return Ok(());
        }
        match self.stream.read(&mut buffer[..room]) {
            // The client may have shut down its half, and still wait for replies.
            Ok(0) => self.ending = true,
            Ok(octets) => self.records.push(&buffer[..octets]),
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(error),
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
        self.records = Records::default();
    }

    /// Sends what the kernel takes. True: all is sent.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(octets) => self.sent += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.unsent = Vec::new();
        self.sent = 0;
        Ok(true)
    }

    /// Whether a reply is not sent yet, or not all of it is made.
    pub(super) fn is_busy(&self) -> bool {
        self.more || !self.unsent.is_empty()
    }

    /// Whether nothing is left to do here.
    pub(super) fn is_over(&self) -> bool {
        self.ending && !self.is_busy()
    }

    /// What to wait for: room to send as long as there is a reply, and calls when there is none.
    pub(super) fn interest(&self) -> EventFlags {
        match (self.is_busy(), self.ending) {
            (true, _) => EventFlags::OUT,
            (false, true) => EventFlags::empty(),
            (false, false) => EventFlags::IN,
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
