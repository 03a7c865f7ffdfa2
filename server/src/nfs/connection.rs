use super::answer::{Answerer, Body, Reply, Room};
use crate::streams;
use heorot_nfs::limit::CALL_OCTETS_MAX;
use heorot_rpc::record::{Records, mark};
use rustix::io::Errno;
use std::io;
use std::net::{Ipv4Addr, TcpStream};

/// A client's connection: calls in, replies out, in their order. While a reply is on its way no further call is read: a client that does not take what it asked for
/// holds up itself, and of what it is sent only the head is in our memory.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) peer: Ipv4Addr,
    records: Records,
    /// What is to be sent begins at `sent`.
    unsent: Vec<u8>,
    sent: usize,
    body: Option<Body>,
    /// The client sends no more; the connection goes when its replies are sent.
    ending: bool,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A call.
    Call,
    /// Room to send.
    Room,
    /// Its next turn: it had enough for now.
    Turn,
    /// Nothing: it is over.
    Nothing,
}

/// What was done in a turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) calls: u64,
    /// Octets of replies that the kernel took.
    pub(super) octets: u64,
}

/// Calls answered before other connections get their turn.
const CALLS_A_TURN: u64 = 64;
/// Octets sent before other connections get their turn.
const OCTETS_A_TURN: u64 = 4 << 20;
/// Octets of replies that are gathered before they are sent.
const GATHERED_OCTETS: usize = 64 << 10;

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: Ipv4Addr) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            peer,
            records: Records::new(CALL_OCTETS_MAX),
            unsent: Vec::new(),
            sent: 0,
            body: None,
            ending: false,
        })
    }

    /// Sends what is left, reads once, answers what is whole. An error ends the connection.
    pub(super) fn serve(
        &mut self,
        answerer: &Answerer,
        room: &mut Room,
        done: &mut Done,
    ) -> io::Result<Next> {
        if !self.send(done)? {
            return Ok(Next::Room);
        }
        if !self.ending {
            self.receive()?;
        }
        while done.calls < CALLS_A_TURN && done.octets < OCTETS_A_TURN {
            let too_long = |_| io::Error::from(io::ErrorKind::InvalidData);
            let Some(message) = self.records.next_message().map_err(too_long)? else {
                return Ok(match (self.send(done)?, self.ending) {
                    (false, _) => Next::Room,
                    (true, false) => Next::Call,
                    (true, true) => Next::Nothing,
                });
            };
            done.calls += 1;
            // What calls nobody answers, in a stream, is an accident or no good.
            let reply = answerer.answer(&message, room).ok_or(io::ErrorKind::InvalidData)?;
            self.take(reply);
            if (self.body.is_some() || self.unsent.len() >= GATHERED_OCTETS) && !self.send(done)? {
                return Ok(Next::Room);
            }
        }
        Ok(if self.send(done)? { Next::Turn } else { Next::Room })
    }

    /// Whether it is between a call and the end of its reply: such a one is ended when nothing moves.
    pub(super) fn is_busy(&self) -> bool {
        !self.unsent.is_empty() || self.body.is_some() || self.records.is_in_mid_message()
    }

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Whole(payload) => self.unsent.extend_from_slice(&mark(&payload, true)),
            Reply::WithFile(head, body) => {
                let octets = head.len() + body.left as usize + usize::from(body.padding);
                let octets = u32::try_from(octets).expect("a READ has bounds");
                self.unsent.extend_from_slice(&(octets | LAST).to_be_bytes());
                self.unsent.extend_from_slice(&head);
                self.body = Some(body);
            }
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let room = self.records.room().min(buffer.len());
        if room == 0 {
            // There are whole calls left from the last turn.
            return Ok(());
        }
        match streams::receive(&self.socket, &mut buffer[..room])? {
            Some(octets) => self.records.push(octets),
            None => self.ending = true,
        }
        Ok(())
    }

    /// Sends what the kernel takes. True: all is sent.
    fn send(&mut self, done: &mut Done) -> io::Result<bool> {
        let more = self.body.is_some();
        while self.sent < self.unsent.len() {
            let flags = if more { rustix::net::SendFlags::MORE } else { rustix::net::SendFlags::empty() };
            let flags = flags | rustix::net::SendFlags::NOSIGNAL;
            match rustix::net::send(&self.socket, &self.unsent[self.sent..], flags) {
                Ok(octets) => {
                    self.sent += octets;
                    done.octets += octets as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        self.sent = 0;
        // Between its calls a client costs no memory.
        self.unsent = Vec::new();
        self.send_body(done)
    }

    fn send_body(&mut self, done: &mut Done) -> io::Result<bool> {
        let Some(body) = &mut self.body else { return Ok(true) };
        while body.left > 0 {
            match rustix::fs::sendfile(&self.socket, &body.file, Some(&mut body.offset), body.left as usize) {
                // Cut off in the meantime: what was announced will never come, so that nothing can follow it.
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(octets) => {
                    body.left -= u32::try_from(octets).expect("no more than was wanted");
                    done.octets += octets as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        let padding = usize::from(body.padding);
        self.body = None;
        if padding == 0 {
            return Ok(true);
        }
        self.unsent.resize(padding, 0);
        self.send(done)
    }
}

/// Set in the mark of a message's last fragment.
const LAST: u32 = 1 << 31;
