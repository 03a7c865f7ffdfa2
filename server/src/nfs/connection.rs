use super::answer::{Answerer, Body, Reply, Room};
use crate::netio::{self, Taking};
use crate::streams;
use heorot_core::transfer::StreamNews;
use heorot_nfs::handle::Handle;
use heorot_nfs::limit::CALL_OCTETS_MAX;
use heorot_rpc::record::{Records, mark};
use rustix::io::Errno;
use socket2::SockRef;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A client's connection: calls in, replies out, in their order. While a reply is on its way no further call is read: a client that does not take what it asked for
/// holds up itself, and of what it is sent only the head is in our memory.
pub(super) struct Connection {
    pub(super) socket: Arc<TcpStream>,
    pub(super) peer: Ipv4Addr,
    /// Whether it comes from a port that only root of the peer's host can have.
    is_privileged: bool,
    records: Records,
    /// What is to be sent begins at `sent`.
    unsent: Vec<u8>,
    sent: usize,
    body: Option<Body>,
    /// Octets that the kernel ever took.
    taken: u64,
    /// How much of the body may go, if it has to wait for its share.
    allowed: u64,
    request: Request,
    account: Option<Account>,
    /// The client sends no more; the connection goes when its replies are sent.
    ending: bool,
}

/// What the loop knows of a connection that has to wait for its share of the link.
struct Account {
    /// Of the octets that the kernel took, those that are told to be delivered, or were none of the loop's affair.
    told: u64,
    /// How the client takes what is sent.
    taking: Taking,
    /// Whether it was told to stand still.
    stands: bool,
    /// When it last asked for something.
    asked_at: Instant,
}

/// What was asked of the loop for the body that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Nothing,
    /// It waits for an answer.
    Open,
    /// A piece was granted.
    Answered,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A call.
    Call,
    /// Room to send.
    Room,
    /// Its share of the link.
    Grant,
    /// Its next turn: it had enough for now.
    Turn,
    /// Nothing: it is over.
    Nothing,
}

/// How far sending has come.
enum Sent {
    All,
    /// The kernel takes no more.
    Full,
    /// The rest waits for its share.
    Held,
}

impl Sent {
    fn waits(self) -> Option<Next> {
        match self {
            Self::All => None,
            Self::Full => Some(Next::Room),
            Self::Held => Some(Next::Grant),
        }
    }
}

/// What was done in a turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) calls: u64,
    /// Octets of replies that the kernel took.
    pub(super) octets: u64,
    /// Where the disk could not read a file, which ended the connection.
    pub(super) unreadable: Option<(Handle, u64)>,
}

/// Calls answered before other connections get their turn.
const CALLS_A_TURN: u64 = 64;
/// Octets sent before other connections get their turn.
const OCTETS_A_TURN: u64 = 4 << 20;
/// Octets of replies that are gathered before they are sent.
const GATHERED_OCTETS: usize = 64 << 10;
/// Octets that a socket takes before they are sent, as long as there are shares: what it was granted it is to send before it asks for more.
const UNSENT_OCTETS: u32 = 512 << 10;

/// The first port that a user may take who is not root (`IPPORT_RESERVED`).
const PORTS_OF_USERS_FROM: u16 = 1024;

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: SocketAddrV4) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket: Arc::new(socket),
            peer: *peer.ip(),
            is_privileged: peer.port() < PORTS_OF_USERS_FROM,
            records: Records::new(CALL_OCTETS_MAX),
            unsent: Vec::new(),
            sent: 0,
            body: None,
            taken: 0,
            allowed: 0,
            request: Request::Nothing,
            account: None,
            ending: false,
        })
    }

    /// Sends what is left, reads once, answers what is whole. An error ends the connection. `rationed`: whether what is large has to wait for its share.
    pub(super) fn serve(
        &mut self,
        (answerer, room): (&Answerer, &mut Room),
        rationed: bool,
        done: &mut Done,
    ) -> io::Result<Next> {
        if let Some(next) = self.send(rationed, done)?.waits() {
            return Ok(next);
        }
        if !self.ending {
            self.receive()?;
        }
        while done.calls < CALLS_A_TURN && done.octets < OCTETS_A_TURN {
            let too_long = |_| io::Error::from(io::ErrorKind::InvalidData);
            let Some(message) = self.records.next_message().map_err(too_long)? else {
                let all = if self.ending { Next::Nothing } else { Next::Call };
                return Ok(self.send(rationed, done)?.waits().unwrap_or(all));
            };
            done.calls += 1;
            // What calls nobody answers, in a stream, is an accident or no good.
            let reply =
                answerer.answer(&message, self.is_privileged, room).ok_or(io::ErrorKind::InvalidData)?;
            self.take(reply);
            if (self.body.is_some() || self.unsent.len() >= GATHERED_OCTETS)
                && let Some(next) = self.send(rationed, done)?.waits()
            {
                return Ok(next);
            }
        }
        Ok(self.send(rationed, done)?.waits().unwrap_or(Next::Turn))
    }

    /// So much more may go.
    pub(super) fn granted(&mut self, octets: u64) {
        if octets > 0 && self.request == Request::Open {
            self.request = Request::Answered;
            self.allowed += octets;
        }
    }

    /// What is to be asked of the loop for the body that is held, unless it was.
    pub(super) fn ask(&mut self, now: Instant) -> Option<StreamNews> {
        let body = self.body.as_ref()?;
        if let Some(account) = &mut self.account {
            account.asked_at = now;
        }
        match std::mem::replace(&mut self.request, Request::Open) {
            Request::Nothing => Some(StreamNews::Asks { peer: self.peer, octets: body.left.into() }),
            Request::Answered => Some(StreamNews::Wants),
            Request::Open => None,
        }
    }

    /// Whether it waits for its share: then it is not its client that stands still.
    pub(super) fn is_held(&self) -> bool {
        self.body.is_some() && self.request == Request::Open
    }

    /// From now on the loop knows of it. False: it did before.
    pub(super) fn open_account(&mut self, now: Instant) -> bool {
        if self.account.is_some() {
            return false;
        }
        let taking = netio::taking(self.socket.as_fd()).unwrap_or_default();
        self.account = Some(Account { told: self.taken, taking, stands: false, asked_at: now });
        // What cannot be set is not worth losing a connection for.
        let _ = SockRef::from(&*self.socket).set_tcp_notsent_lowat(UNSENT_OCTETS);
        true
    }

    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// Closes it, if all was acknowledged and for so long nothing was asked for.
    pub(super) fn close_account(&mut self, now: Instant, quiet: Duration) -> bool {
        let is_quiet = self.account.as_ref().is_some_and(|account| {
            account.told >= self.taken && now.saturating_duration_since(account.asked_at) >= quiet
        });
        if !is_quiet || self.body.is_some() {
            return false;
        }
        self.account = None;
        // Nothing of its own: as all sockets have it (tcp(7)).
        let _ = SockRef::from(&*self.socket).set_tcp_notsent_lowat(0);
        true
    }

    /// What the client has acknowledged since this was told last, or that it takes nothing any more.
    pub(super) fn delivered(&mut self) -> Option<StreamNews> {
        let account = self.account.as_mut()?;
        let queued = netio::queued(self.socket.as_fd()).ok()?;
        let taking = account.taking.again(self.socket.as_fd());
        let acknowledged = self.taken.saturating_sub(queued);
        let octets = acknowledged.saturating_sub(account.told);
        // Those by which a kernel asks a peer that takes nothing whether it does so still are no losses.
        let again =
            if account.stands { 0 } else { u64::from(taking.resent.wrapping_sub(account.taking.resent)) };
        account.told += octets;
        account.taking = taking;
        if octets > 0 || again > 0 {
            account.stands &= octets == 0;
            return Some(StreamNews::Delivered { octets, resent: again });
        }
        // Of what was sent before the account was opened nothing would say that it moves again.
        let is_ours = acknowledged >= account.told;
        let stands = is_ours && netio::stands_still(self.socket.as_fd(), false, &account.taking);
        let stood = std::mem::replace(&mut account.stands, stands);
        (account.stands && !stood).then_some(StreamNews::StandsStill)
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
                self.allowed = 0;
                self.request = Request::Nothing;
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

    /// Sends what the kernel takes, and of a body what it may.
    fn send(&mut self, rationed: bool, done: &mut Done) -> io::Result<Sent> {
        let more = self.body.is_some() && !(rationed && self.allowed == 0);
        while self.sent < self.unsent.len() {
            let flags = if more { rustix::net::SendFlags::MORE } else { rustix::net::SendFlags::empty() };
            let flags = flags | rustix::net::SendFlags::NOSIGNAL;
            match rustix::net::send(&self.socket, &self.unsent[self.sent..], flags) {
                Ok(octets) => {
                    self.sent += octets;
                    self.taken += octets as u64;
                    done.octets += octets as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Sent::Full),
                Err(error) => return Err(error.into()),
            }
        }
        self.sent = 0;
        // Between its calls a client costs no memory.
        self.unsent = Vec::new();
        self.send_body(rationed, done)
    }

    fn send_body(&mut self, rationed: bool, done: &mut Done) -> io::Result<Sent> {
        let Some(body) = &mut self.body else { return Ok(Sent::All) };
        while body.left > 0 {
            let most = if rationed { self.allowed.min(body.left.into()) } else { body.left.into() };
            if most == 0 {
                return Ok(Sent::Held);
            }
            let most = usize::try_from(most).expect("a READ has bounds");
            match rustix::fs::sendfile(&self.socket, &body.file, Some(&mut body.offset), most) {
                // Cut off in the meantime: what was announced will never come, so that nothing can follow it.
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(octets) => {
                    body.left -= u32::try_from(octets).expect("no more than was wanted");
                    self.allowed = self.allowed.saturating_sub(octets as u64);
                    self.taken += octets as u64;
                    done.octets += octets as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Sent::Full),
                Err(error) => {
                    if is_of_file(error) {
                        done.unreadable = Some((body.handle, body.offset));
                    }
                    return Err(error.into());
                }
            }
        }
        let padding = usize::from(body.padding);
        self.body = None;
        self.request = Request::Nothing;
        if padding == 0 {
            return Ok(Sent::All);
        }
        self.unsent.resize(padding, 0);
        self.send(rationed, done)
    }
}

/// Whether it is the file that could not be read, and not the socket that took no more.
fn is_of_file(error: Errno) -> bool {
    // An unreadable sector, a device that is gone, a file system that found itself damaged, a server behind it that is gone.
    let is_damage = matches!(
        error,
        Errno::IO
            | Errno::NODATA
            | Errno::REMOTEIO
            | Errno::BADMSG
            | Errno::UCLEAN
            | Errno::NXIO
            | Errno::STALE
    );
    // A file system from which nothing can be sent, but perhaps read (sendfile(2)).
    is_damage || matches!(error, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Set in the mark of a message's last fragment.
const LAST: u32 = 1 << 31;
