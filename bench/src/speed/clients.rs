//! Clients that load one file again and again, in lock-step or in windows, as fast as they are answered: one socket each, one thread for all.

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Octets of a block: what fits an Ethernet frame, and what EDK2 asks for.
pub(crate) const BLOCK_OCTETS: u16 = 1468;
/// TFTP's port.
pub(crate) const SERVER_PORT: u16 = 69;
/// Each client has an address of its own, so that one port is enough.
const CLIENT_PORT: u16 = 2070;
/// After so long without a packet a client repeats itself.
const RETRY_AFTER: Duration = Duration::from_secs(3);
/// How often it is looked whose time that is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Sockets looked at after one wait.
const EVENTS_MAX: usize = 256;

/// What all of them want.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) server: Ipv4Addr,
    pub(crate) path: String,
    /// Blocks to an acknowledgement; 1: lock-step, and they do not ask.
    pub(crate) window_blocks: u16,
    /// The first client's address.
    pub(crate) first: Ipv4Addr,
    pub(crate) clients: u32,
}

/// What was counted until a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    /// Octets of the file that came in order.
    pub(crate) octets: u64,
    /// Times that a client's timer ran out.
    pub(crate) retries: u64,
    /// ERRORs.
    pub(crate) refused: u64,
}

/// All clients.
pub(crate) struct Clients {
    epoll: OwnedFd,
    clients: Vec<Client>,
    request: Vec<u8>,
    server: SocketAddrV4,
    octets: u64,
    retries: u64,
    refused: u64,
    looked: Instant,
    rested: Instant,
}

struct Client {
    socket: UdpSocket,
    /// Where it is answered from, once it is.
    peer: Option<SocketAddr>,
    window_blocks: u16,
    /// Blocks that came in order, as the wire counts them, and how many of them are not acknowledged.
    block: u16,
    unacknowledged: u16,
    is_gap_told: bool,
    heard: Instant,
}

/// What a packet is to a client.
enum Heard {
    Nothing,
    Octets(u64),
    End(u64),
    Refused,
}

impl Clients {
    /// Opens their sockets, and asks. Inside their namespace.
    ///
    /// # Errors
    /// The kernel's, in words.
    pub(crate) fn open(wish: &Wish) -> Result<Self, String> {
        let words = |error: io::Error| error.to_string();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| error.to_string())?;
        let mut request = format!("\0\x01{}\0octet\0blksize\0{BLOCK_OCTETS}\0", wish.path).into_bytes();
        if wish.window_blocks > 1 {
            request.extend(format!("windowsize\0{}\0", wish.window_blocks).into_bytes());
        }
        let mut clients = Vec::new();
        for number in 0..wish.clients {
            let address = Ipv4Addr::from(u32::from(wish.first) + number);
            let socket = UdpSocket::bind((address, CLIENT_PORT)).map_err(words)?;
            socket.set_nonblocking(true).map_err(words)?;
            epoll::add(&epoll, &socket, EventData::new_u64(number.into()), EventFlags::IN)
                .map_err(|error| error.to_string())?;
            let heard = Instant::now();
            clients.push(Client {
                socket,
                peer: None,
                window_blocks: 1,
                block: 0,
                unacknowledged: 0,
                is_gap_told: false,
                heard,
            });
        }
        let server = SocketAddrV4::new(wish.server, SERVER_PORT);
        let now = Instant::now();
        let (octets, retries, refused) = (0, 0, 0);
        let mut all =
            Self { epoll, clients, request, server, octets, retries, refused, looked: now, rested: now };
        for client in &mut all.clients {
            client.ask(&all.request, server);
        }
        Ok(all)
    }

    /// Lets them load for so long. Until they are let again they take nothing and their time stands still.
    ///
    /// # Errors
    /// The kernel no longer lets us wait.
    pub(crate) fn run(&mut self, time: Duration) -> Result<(), String> {
        let rest = self.rested.elapsed();
        for client in &mut self.clients {
            client.heard += rest;
        }
        let end = Instant::now() + time;
        let nothing = epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
        let mut events = [nothing; EVENTS_MAX];
        let pause = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        loop {
            let now = Instant::now();
            if now >= end {
                self.rested = now;
                return Ok(());
            }
            if now - self.looked > LOOK_EVERY {
                self.look(now);
            }
            let ready = match epoll::wait(&self.epoll, &mut events, Some(&pause)) {
                Err(rustix::io::Errno::INTR) => 0,
                ready => ready.map_err(|error| error.to_string())?,
            };
            let now = Instant::now();
            for event in &events[..ready] {
                let place = event.data.u64();
                self.take(usize::try_from(place).map_err(|error| error.to_string())?, now);
            }
        }
    }

    /// What has been counted.
    pub(crate) fn counted(&self) -> Counted {
        Counted { at: Instant::now(), octets: self.octets, retries: self.retries, refused: self.refused }
    }

    /// One socket is ready: as many packets as a window has.
    fn take(&mut self, place: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(place) else { return };
        let mut room = [0; 2048];
        for _ in 0..client.window_blocks {
            let Ok((octets, from)) = client.socket.recv_from(&mut room) else { return };
            let packet = room.get(..octets).unwrap_or_default();
            match client.hear(packet, from, now) {
                Heard::Nothing => {}
                Heard::Octets(octets) => self.octets += octets,
                Heard::End(octets) => {
                    self.octets += octets;
                    client.ask(&self.request, self.server);
                    return;
                }
                Heard::Refused => {
                    self.refused += 1;
                    client.peer = None; // It asks again when its timer runs out.
                }
            }
        }
    }

    fn look(&mut self, now: Instant) {
        self.looked = now;
        for client in self.clients.iter_mut().filter(|client| now - client.heard > RETRY_AFTER) {
            self.retries += 1;
            client.heard = now;
            match client.peer {
                Some(_) => client.acknowledge(),
                None => client.ask(&self.request, self.server),
            }
        }
    }
}

impl Client {
    /// Asks for the file, from the beginning.
    fn ask(&mut self, request: &[u8], server: SocketAddrV4) {
        (self.peer, self.window_blocks, self.block, self.unacknowledged) = (None, 1, 0, 0);
        self.heard = Instant::now();
        // What the kernel does not take is lost, as on the wire.
        let _ = self.socket.send_to(request, server);
    }

    fn acknowledge(&mut self) {
        self.unacknowledged = 0;
        let [high, low] = self.block.to_be_bytes();
        if let Some(peer) = self.peer {
            let _ = self.socket.send_to(&[0, 4, high, low], peer);
        }
    }

    fn hear(&mut self, packet: &[u8], from: SocketAddr, now: Instant) -> Heard {
        if self.peer.is_some_and(|peer| peer != from) {
            return Heard::Nothing; // of the transfer before
        }
        match *packet {
            [0, 6, ref options @ ..] if self.block == 0 => {
                self.peer = Some(from);
                self.window_blocks = window(options);
                self.heard = now;
                self.acknowledge();
                Heard::Nothing
            }
            [0, 3, high, low, ref data @ ..] if self.peer.is_some() => {
                let number = u16::from_be_bytes([high, low]);
                if number != self.block.wrapping_add(1) {
                    // RFC 7440 4: the gap is told, once.
                    let is_ahead = number.wrapping_sub(self.block) < 0x8000 && number != self.block;
                    if is_ahead && !std::mem::replace(&mut self.is_gap_told, true) {
                        self.acknowledge();
                    }
                    return Heard::Nothing;
                }
                self.heard = now;
                self.is_gap_told = false;
                self.block = number;
                self.unacknowledged += 1;
                let is_last = data.len() < usize::from(BLOCK_OCTETS);
                if is_last || self.unacknowledged >= self.window_blocks {
                    self.acknowledge();
                }
                let octets = data.len() as u64;
                if is_last { Heard::End(octets) } else { Heard::Octets(octets) }
            }
            [0, 5, ..] => Heard::Refused,
            _ => Heard::Nothing,
        }
    }
}

/// The window that an OACK grants.
fn window(options: &[u8]) -> u16 {
    let mut words =
        options.split(|octet| *octet == 0).skip_while(|word| !word.eq_ignore_ascii_case(b"windowsize"));
    words.nth(1).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_granted_window() {
        assert_eq!(window(b"blksize\x001468\0windowsize\x0016\0"), 16);
        assert_eq!(window(b"blksize\x001468\0"), 1);
    }
}
