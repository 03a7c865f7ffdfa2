//! The conversation by which an interface gets, keeps and gives back an address (RFC 2131 sections 4.4.1 and 4.4.5).

use crate::dhcp::{CLIENT_PORT, Kind, Query, Reply, SERVER_PORT};
use crate::frame::{Datagram, Mac};
use crate::link::{Hears, Link};
use crate::net::Interface;
use crate::say;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// What the agent calls itself (option 60).
const VENDOR_CLASS: &[u8] = b"heorot-agent";

/// An address that this host may use, and what came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of its network's prefix.
    pub prefix: u8,
    /// Who gave it.
    pub server: Ipv4Addr,
    /// Where everything else goes.
    pub router: Option<Ipv4Addr>,
    /// Name servers.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain of names.
    pub domain: Option<String>,
    /// The link's greatest packet, in bytes.
    pub mtu: Option<u16>,
    /// When to ask its server for more time.
    pub renew_at: Instant,
    /// When to ask any server for more time.
    pub rebind_at: Instant,
    /// When it ends.
    pub expires_at: Instant,
}

/// How an attempt to keep a lease came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It goes on.
    Kept(Box<Lease>),
    /// The server does not want this address used.
    Refused,
    /// Nobody spoke.
    Silence,
}

/// Gets an address from nothing: DISCOVER, OFFER, REQUEST, ACK.
///
/// With `broadcast`, replies are asked to be broadcast: a host that has an address already may not hear a unicast frame to another.
///
/// # Errors
/// In words, when nobody has given one within `patience`.
pub fn acquire(interface: &Interface, broadcast: bool, patience: Duration) -> Result<Lease, String> {
    let link = Link::open(interface.index, Hears::Ipv4).map_err(|error| format!("packet socket: {error}"))?;
    let conversation = Conversation { link, mac: interface.mac, broadcast, start: Instant::now(), patience };
    let mut attempt = 0;
    loop {
        let xid = random() as u32;
        let discover = conversation.query(Kind::Discover, xid);
        // The wait doubles, as RFC 2131 section 4.1 wants, from less than its four seconds: a single lost frame should not cost them.
        let wait = scattered(Duration::from_secs(2 << attempt.min(4)));
        let offer = conversation.exchange(&discover, wait, |reply| reply.kind == Kind::Offer)?;
        if let Some((offer, server)) = offer.and_then(|offer| offer.server.map(|server| (offer, server))) {
            say!("offered {} by {server}", offer.address);
            if let Some(lease) = conversation.request(xid, &offer, server)? {
                return Ok(lease);
            }
        }
        attempt += 1;
        if conversation.start.elapsed() >= patience {
            return Err(format!("no address by DHCP on {} after {attempt} attempts", interface.name));
        }
        say!("no lease yet, asking again");
    }
}

/// Asks for more time: its own server before the time to rebind, everyone after it.
///
/// # Errors
/// Of the socket, which is bound to the lease's address.
pub fn renew(lease: &Lease, mac: Mac) -> io::Result<Renewal> {
    let socket = bound(lease)?;
    socket.set_broadcast(true)?;
    socket.set_read_timeout(Some(RENEW_WAIT))?;
    let server = if Instant::now() < lease.rebind_at { lease.server } else { Ipv4Addr::BROADCAST };
    let mut request = Query::new(Kind::Request, mac, random() as u32);
    request.current = lease.address;
    request.vendor_class = VENDOR_CLASS.to_vec();
    socket.send_to(&request.encode(), (server, SERVER_PORT))?;

    let asked_at = Instant::now();
    let mut buffer = [0; 2048];
    while asked_at.elapsed() < RENEW_WAIT {
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => return Err(error),
        };
        let Some(reply) = Reply::parse(&buffer[..length]) else { continue };
        if reply.xid != request.xid || reply.mac != mac {
            continue;
        }
        match reply.kind {
            Kind::Ack if reply.address == lease.address => {
                let server = reply.server.unwrap_or(lease.server);
                return Ok(Renewal::Kept(Box::new(Lease::from_ack(reply, server, asked_at))));
            }
            Kind::Nak => return Ok(Renewal::Refused),
            Kind::Ack
            | Kind::Offer
            | Kind::Discover
            | Kind::Request
            | Kind::Decline
            | Kind::Release
            | Kind::Inform => {}
        }
    }
    Ok(Renewal::Silence)
}

/// Gives an address back, while it is still configured: RFC 2131 section 4.4.6 wants the message unicast.
///
/// # Errors
/// Of the socket, which is bound to the lease's address.
pub fn release(lease: &Lease, mac: Mac) -> io::Result<()> {
    let mut release = Query::new(Kind::Release, mac, random() as u32);
    release.current = lease.address;
    release.server = Some(lease.server);
    bound(lease)?.send_to(&release.encode(), (lease.server, SERVER_PORT))?;
    Ok(())
}

/// A number that another machine started in the same moment does not have too.
///
/// The standard library seeds its hashers from the kernel without ever waiting for it, which a machine in its first second needs.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A wait, shortened or lengthened by up to a quarter, so that machines switched on together drift apart.
#[must_use]
pub fn scattered(wait: Duration) -> Duration {
    wait.mul_f64(0.75 + 0.5 * (random() >> 11) as f64 / (1_u64 << 53) as f64)
}

impl Lease {
    /// Times count from when the request was sent (RFC 2131 section 4.4.1).
    fn from_ack(ack: Reply, server: Ipv4Addr, asked_at: Instant) -> Self {
        let lasts = ack.lease_seconds.unwrap_or(DEFAULT_LEASE_SECONDS).clamp(10, MAXIMUM_LEASE_SECONDS);
        let within =
            |seconds: Option<u32>, default: u32| seconds.filter(|&s| s > 0 && s < lasts).unwrap_or(default);
        let rebind = within(ack.rebind_seconds, lasts / 8 * 7);
        let renew = within(ack.renew_seconds, lasts / 2).min(rebind);
        let at = |seconds: u32| asked_at + Duration::from_secs(u64::from(seconds));
        Self {
            address: ack.address,
            prefix: ack.prefix.unwrap_or(24),
            server,
            router: ack.router,
            name_servers: ack.name_servers,
            domain: ack.domain,
            mtu: ack.mtu.filter(|&mtu| mtu >= 576),
            renew_at: at(renew),
            rebind_at: at(rebind),
            expires_at: at(lasts),
        }
    }
}

/// What stays the same while one address is asked for.
struct Conversation {
    link: Link,
    mac: Mac,
    broadcast: bool,
    start: Instant,
    patience: Duration,
}

impl Conversation {
    fn query(&self, kind: Kind, xid: u32) -> Query {
        let mut query = Query::new(kind, self.mac, xid);
        query.broadcast = self.broadcast;
        query.seconds = u16::try_from(self.start.elapsed().as_secs()).unwrap_or(u16::MAX);
        query.vendor_class = VENDOR_CLASS.to_vec();
        query
    }

    /// Asks for what was offered; `None` if it was refused or nobody answered.
    fn request(&self, xid: u32, offer: &Reply, server: Ipv4Addr) -> Result<Option<Lease>, String> {
        let mut request = self.query(Kind::Request, xid);
        request.requested = Some(offer.address);
        request.server = Some(server);
        for attempt in 0..REQUESTS {
            let asked_at = Instant::now();
            let wait = scattered(Duration::from_secs(1 << attempt));
            let answer =
                self.exchange(&request, wait, |reply| matches!(reply.kind, Kind::Ack | Kind::Nak))?;
            match answer {
                Some(ack) if ack.kind == Kind::Ack => {
                    return Ok(Some(Lease::from_ack(ack, server, asked_at)));
                }
                Some(_) => {
                    say!("{server} refused {}", offer.address);
                    return Ok(None);
                }
                None if self.start.elapsed() >= self.patience => return Ok(None),
                None => {}
            }
        }
        Ok(None)
    }

    /// Sends one query and returns the first fitting reply that comes within `wait`.
    fn exchange(
        &self,
        query: &Query,
        wait: Duration,
        fits: impl Fn(&Reply) -> bool,
    ) -> Result<Option<Reply>, String> {
        let payload = query.encode();
        let datagram = Datagram {
            source_mac: self.mac,
            destination_mac: Mac::BROADCAST,
            source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
            payload: &payload,
        };
        self.link.send(&datagram.encode()).map_err(|error| format!("sending a DHCP message: {error}"))?;
        let sent_at = Instant::now();
        let mut buffer = [0; 2048];
        while let Some(left) = wait.checked_sub(sent_at.elapsed()) {
            let frame =
                self.link.receive(&mut buffer, left).map_err(|error| format!("hearing DHCP: {error}"))?;
            let reply = frame
                .and_then(Datagram::parse)
                .filter(|datagram| datagram.destination.port() == CLIENT_PORT)
                .and_then(|datagram| Reply::parse(datagram.payload))
                .filter(|reply| reply.xid == query.xid && reply.mac == self.mac && fits(reply));
            if reply.is_some() {
                return Ok(reply);
            }
        }
        Ok(None)
    }
}

fn bound(lease: &Lease) -> io::Result<UdpSocket> {
    UdpSocket::bind((lease.address, CLIENT_PORT))
}

/// REQUESTs before the offer is given up: 1, 2, 4 and 8 seconds apart.
const REQUESTS: u32 = 4;
/// How long a renewal waits for its answer.
const RENEW_WAIT: Duration = Duration::from_secs(4);
/// For a server that names no time.
const DEFAULT_LEASE_SECONDS: u32 = 3600;
/// No longer than this is believed, so that times stay far from any overflow.
const MAXIMUM_LEASE_SECONDS: u32 = 365 * 86_400;
