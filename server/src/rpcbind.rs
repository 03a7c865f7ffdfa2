//! The portmapper of this host, where it is another program's (rpcbind): it is told where ours are, and told again whenever it forgets.

use crate::problem::{Problem, problem};
use heorot_rpc::portmap::{Mapping, Protocol as Transport, number_told, ping};
use heorot_rpc::results;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The portmapper of this host, and what it was told.
///
/// It is told by UDP over loopback, from a port below 1024: so it knows that a privileged program speaks, and lets no other one take our
/// entries back. The socket stays open, for privileges are gone when it is needed again.
pub(crate) struct Rpcbind {
    socket: UdpSocket,
    mappings: Vec<Mapping>,
    next_xid: u32,
    checked_every: Duration,
    /// When it is asked next whether it still knows.
    pub(crate) next_check: Instant,
}

/// How long an answer may take. rpcbind may be started by our question.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a question is asked: datagrams get lost even here, when a socket is full.
const TRIES: u32 = 2;
/// How long an answer is waited for when we end: nobody waits for us longer.
const LAST_PATIENCE: Duration = Duration::from_millis(200);

impl Rpcbind {
    /// Tells the portmapper at this port of loopback.
    ///
    /// # Errors
    /// Nobody there speaks its language, it refuses, or another NIS server is known there.
    pub(crate) fn register(
        service: &'static str,
        port: u16,
        mappings: Vec<Mapping>,
        checked_every: Duration,
    ) -> Result<Self, Problem> {
        let mut rpcbind = Self::reach(service, port, mappings, checked_every)?;
        if !rpcbind.tell() {
            return Err(problem!(
                "{service}: the portmapper of this host does not take our registration\n  see what it has: rpcinfo -p 127.0.0.1"
            ));
        }
        rpcbind.socket.set_nonblocking(true).map_err(|e| problem!("{service}: {e}"))?;
        Ok(rpcbind)
    }

    /// Whether it would take us: tells it nothing.
    ///
    /// # Errors
    /// As of [`Rpcbind::register`].
    pub(crate) fn find(service: &'static str, port: u16) -> Result<(), Problem> {
        Self::reach(service, port, Vec::new(), Duration::ZERO).map(drop)
    }

    fn reach(
        service: &'static str,
        port: u16,
        mappings: Vec<Mapping>,
        checked_every: Duration,
    ) -> Result<Self, Problem> {
        let socket = reserved_socket(port)
            .map_err(|e| problem!("{service}: no socket to the portmapper of this host can be had: {e}"))?;
        let next_check = Instant::now() + checked_every;
        let mut rpcbind = Self { socket, mappings, next_xid: 1, checked_every, next_check };
        let xid = rpcbind.xid();
        if rpcbind.ask(xid, &ping(xid), PATIENCE).is_none_or(|reply| results(xid, &reply).is_none()) {
            return Err(problem!(
                "{service}: port {port} is in use, and whoever has it does not answer as a portmapper\n  see who: ss -lnptu 'sport = :{port}'\n  then let it be \
                 rpcbind or nobody: heorot answers there itself if the port is free"
            ));
        }
        if let Some(other) = rpcbind.find_other() {
            return Err(problem!(
                "NIS: another NIS server runs on this host, at port {other}\n  stop it (systemctl disable --now ypserv), or leave [nis] out"
            ));
        }
        Ok(rpcbind)
    }

    /// Asks whether we are still known. The answer comes to [`Rpcbind::take_answer`]; without one all is as it was.
    pub(crate) fn check(&mut self, now: Instant) {
        self.next_check = now + self.checked_every;
        let xid = self.xid();
        let questions: Vec<Vec<u8>> = self.mappings.iter().map(|mapping| mapping.get_port(xid)).collect();
        for question in questions {
            // A portmapper that is gone will be asked again, when it is back.
            let _ = self.socket.send(&question);
        }
    }

    /// Takes what came. True: it had forgotten us, and was told again.
    pub(crate) fn take_answer(&mut self) -> bool {
        let mut buffer = [0; 512];
        let mut forgotten = false;
        while let Ok(octets) = self.socket.recv(&mut buffer) {
            let told = number_told(self.next_xid - 1, &buffer[..octets]);
            forgotten |= told == Some(0);
        }
        if forgotten {
            let xid = self.xid();
            for mapping in &self.mappings {
                let _ = self.socket.send(&mapping.set(xid));
            }
        }
        forgotten
    }

    /// Takes our entries back.
    pub(crate) fn unregister(mut self) {
        if self.socket.set_nonblocking(false).is_err() {
            return;
        }
        for mapping in self.programs() {
            let xid = self.xid();
            self.ask(xid, &mapping.unset(xid), LAST_PATIENCE);
        }
    }

    /// A mapping of each program and version: to take one back takes back all protocols of it.
    fn programs(&self) -> Vec<Mapping> {
        let mut programs: Vec<Mapping> = Vec::new();
        for mapping in &self.mappings {
            let same = |other: &Mapping| (other.program, other.version) == (mapping.program, mapping.version);
            if !programs.iter().any(same) {
                programs.push(*mapping);
            }
        }
        programs
    }

    /// The port of another server of the same kind that is known and answers. One that died without a word is known and does not. Of what is spoken to by
    /// TCP alone, the port itself is what two cannot have.
    fn find_other(&mut self) -> Option<u16> {
        let mapping = self.mappings.first().copied().filter(|mapping| mapping.protocol == Transport::Udp)?;
        let xid = self.xid();
        let reply = self.ask(xid, &mapping.get_port(xid), PATIENCE)?;
        let other = u16::try_from(number_told(xid, &reply)?).ok().filter(|port| *port != 0)?;
        // Ours is open already, and answers nobody yet.
        if other == mapping.port {
            return None;
        }
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        socket.connect((Ipv4Addr::LOCALHOST, other)).ok()?;
        let mut asked = Self { socket, mappings: Vec::new(), ..*self };
        asked.ask(xid, &mapping.ping(xid), PATIENCE / 4).map(|_| other)
    }

    fn tell(&mut self) -> bool {
        let mappings = self.mappings.clone();
        // What a server before us left there.
        for mapping in self.programs() {
            let xid = self.xid();
            self.ask(xid, &mapping.unset(xid), PATIENCE);
        }
        mappings.iter().all(|mapping| {
            let xid = self.xid();
            let reply = self.ask(xid, &mapping.set(xid), PATIENCE);
            reply.and_then(|reply| number_told(xid, &reply)) == Some(1)
        })
    }

    /// Asks, and waits for the answer; only before there is a loop, and when it has ended.
    fn ask(&mut self, xid: u32, question: &[u8], patience: Duration) -> Option<Vec<u8>> {
        let mut buffer = [0; 512];
        self.socket.set_read_timeout(Some(patience)).ok()?;
        for _ in 0..TRIES {
            let deadline = Instant::now() + patience;
            // Refused: the answer to the question before it, and nothing that waiting would change.
            self.socket.send(question).ok()?;
            while Instant::now() < deadline {
                match self.socket.recv(&mut buffer) {
                    Ok(octets) if buffer[..octets].starts_with(&xid.to_be_bytes()) => {
                        return Some(buffer[..octets].to_vec());
                    }
                    Ok(_) => {}
                    Err(error)
                        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                    {
                        break;
                    }
                    Err(_) => return None,
                }
            }
        }
        None
    }

    fn xid(&mut self) -> u32 {
        let xid = self.next_xid;
        self.next_xid += 1;
        xid
    }
}

impl AsFd for Rpcbind {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket of loopback, from a port below 1024 if we may have one, to this port.
fn reserved_socket(port: u16) -> io::Result<UdpSocket> {
    let loopback = |port| SockAddr::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    let socket = Socket::new(Domain::IPV4, Type::DGRAM.cloexec(), Some(Protocol::UDP))?;
    // As bindresvport(3) has it: 600 to 1023, from above, where fewest services are.
    let reserved = (600..1024).rev().find(|reserved| socket.bind(&loopback(*reserved)).is_ok());
    if reserved.is_none() {
        socket.bind(&loopback(0))?;
    }
    socket.connect(&loopback(port))?;
    Ok(socket.into())
}
