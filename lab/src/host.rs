//! A simulated host: it speaks DHCP and TFTP in whole frames, from its own hardware address, and has no network stack that would answer
//! anything else. Like a firmware in mid-boot it answers no ARP.

use crate::network::{self, Host};
use heorot_agent::client;
use heorot_agent::dhcp::{CLIENT_PORT, Kind, Query, Reply, SERVER_PORT};
use heorot_agent::frame::{Datagram, Mac};
use heorot_agent::link::{Hears, Link};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;
use std::time::{Duration, Instant};

/// One such host.
#[derive(Debug)]
pub struct SimulatedHost {
    mac: Mac,
    link: Link,
    /// Where the server's frames came from.
    server_mac: Option<Mac>,
    /// The address it may use.
    address: Option<Ipv4Addr>,
    next_port: u16,
    host: Host,
}

impl SimulatedHost {
    /// Takes over a host of the lab's network.
    ///
    /// # Errors
    /// In words, if there is no packet socket to be had.
    pub fn new(host: Host) -> Result<Self, String> {
        let interface = host.interface()?;
        let link = host.namespace.enter(|| {
            Link::open(interface.index, Hears::Ipv4).map_err(|error| format!("a packet socket: {error}"))
        })?;
        Ok(Self { mac: host.mac, link, server_mac: None, address: None, next_port: 49152, host })
    }

    /// Its hardware address.
    #[must_use]
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Where it lives.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The address it may use now.
    #[must_use]
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.address
    }

    /// Asks for any address as a BIOS network card does, and returns the one it got.
    ///
    /// # Errors
    /// In words, if none was offered or granted.
    pub fn boot(&mut self) -> Result<Ipv4Addr, String> {
        let discover = self.query(Kind::Discover);
        let offer = self.converse(&discover, Kind::Offer)?;
        self.request(offer.address)
    }

    /// Asks the server for this address, as after its offer, and returns it when it is granted.
    ///
    /// # Errors
    /// In words, if it was refused or nobody answered.
    pub fn request(&mut self, address: Ipv4Addr) -> Result<Ipv4Addr, String> {
        let mut request = self.query(Kind::Request);
        request.requested = Some(address);
        request.server = Some(network::SERVER);
        let ack = self.converse(&request, Kind::Ack)?;
        if ack.address != address {
            return Err(format!("{} asked for {address} and was granted {}", self.mac, ack.address));
        }
        self.address = Some(address);
        Ok(address)
    }

    /// Asks for an address that another has just released, until it is granted: before it is lent again, the server looks whether somebody
    /// still has it.
    ///
    /// # Errors
    /// As [`Self::request`], when `patience` is over.
    pub fn request_when_free(&mut self, address: Ipv4Addr, patience: Duration) -> Result<Ipv4Addr, String> {
        let end = Instant::now() + patience;
        loop {
            match self.request(address) {
                Err(_) if Instant::now() < end => thread::sleep(Duration::from_millis(50)),
                outcome => return outcome,
            }
        }
    }

    /// Gives its address back, in a unicast frame from it.
    ///
    /// # Errors
    /// In words, if it has none.
    pub fn release(&mut self) -> Result<Ipv4Addr, String> {
        let address = self.address.take().ok_or_else(|| format!("{} has no address to release", self.mac))?;
        let mut release = self.query(Kind::Release);
        release.current = address;
        release.server = Some(network::SERVER);
        self.send(
            SocketAddrV4::new(address, CLIENT_PORT),
            SocketAddrV4::new(network::SERVER, SERVER_PORT),
            &release.encode(),
        )?;
        Ok(address)
    }

    /// Reads a file by TFTP in blocks of 1408 bytes, as pxelinux does.
    ///
    /// # Errors
    /// In words, if the server says no or nothing.
    pub fn fetch(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let own = SocketAddrV4::new(self.address.ok_or("no address")?, self.next_port);
        self.next_port = if self.next_port == u16::MAX { 49152 } else { self.next_port + 1 };
        let options = b"\0octet\0tsize\x000\0blksize\x001408\0";
        let request = [&[0, READ_REQUEST], name.as_bytes(), options].concat();
        let mut peer = SocketAddrV4::new(network::SERVER, 69);
        let (mut message, mut content, mut block) = (request, Vec::new(), 0_u16);
        for _ in 0..MAXIMUM_BLOCKS {
            let (from, answer) = self.exchange(own, peer, &message)?;
            match *answer.as_slice() {
                [0, OPTIONS_AGREED, ..] => message = vec![0, ACKNOWLEDGE, 0, 0],
                [0, DATA, high, low, ref data @ ..] => {
                    let number = u16::from_be_bytes([high, low]);
                    message = vec![0, ACKNOWLEDGE, high, low];
                    if number == block.wrapping_add(1) {
                        block = number;
                        content.extend(data);
                        if data.len() < 1408 {
                            self.send(own, from, &message)?;
                            return Ok(content);
                        }
                    }
                }
                [0, ERROR, _, code, ref text @ ..] => {
                    return Err(format!("TFTP error {code}: {}", String::from_utf8_lossy(text)));
                }
                _ => return Err(format!("not TFTP: {answer:?}")),
            }
            peer = from;
        }
        Err(format!("{name} has no end"))
    }

    fn query(&self, kind: Kind) -> Query {
        let mut query = Query::new(kind, self.mac, client::random() as u32);
        query.vendor_class = b"PXEClient:Arch:00000:UNDI:002001".to_vec();
        // Architecture 0, UNDI 2.1, and a UUID.
        let uuid = [[0; 11].as_slice(), &self.mac.0].concat();
        query.further = vec![(93, vec![0, 0]), (94, vec![1, 2, 1]), (97, uuid)];
        query
    }

    /// Broadcasts a query until it is answered with `wanted`.
    fn converse(&mut self, query: &Query, wanted: Kind) -> Result<Reply, String> {
        let payload = query.encode();
        for _ in 0..TRIES {
            let everyone = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT);
            self.send(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT), everyone, &payload)?;
            let end = Instant::now() + RETRY;
            while let Some(heard) = self.hear(end)? {
                let reply = (heard.to.port() == CLIENT_PORT).then(|| Reply::parse(&heard.payload)).flatten();
                let Some(reply) = reply.filter(|reply| reply.xid == query.xid && reply.mac == self.mac)
                else {
                    continue;
                };
                self.server_mac = Some(heard.from_mac);
                if reply.kind == wanted {
                    return Ok(reply);
                }
                if reply.kind == Kind::Nak {
                    return Err(format!("{} was refused {:?}", self.mac, query.requested));
                }
            }
        }
        Err(format!("{}: no answer to {:?}", self.mac, query.kind))
    }

    /// Sends a message until something comes back to its port.
    fn exchange(
        &self,
        own: SocketAddrV4,
        peer: SocketAddrV4,
        message: &[u8],
    ) -> Result<(SocketAddrV4, Vec<u8>), String> {
        for _ in 0..TRIES {
            self.send(own, peer, message)?;
            let end = Instant::now() + RETRY;
            while let Some(heard) = self.hear(end)? {
                if heard.to == own {
                    return Ok((heard.from, heard.payload));
                }
            }
        }
        Err(format!("{}: silence from {peer}", self.mac))
    }

    fn send(&self, source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) -> Result<(), String> {
        let known = (!destination.ip().is_broadcast()).then_some(self.server_mac).flatten();
        let destination_mac = known.unwrap_or(Mac::BROADCAST);
        let datagram = Datagram { source_mac: self.mac, destination_mac, source, destination, payload };
        self.link.send(&datagram.encode()).map_err(|error| format!("{}: {error}", self.mac))
    }

    /// The next datagram in a frame for this host or for everyone, before `end`.
    fn hear(&self, end: Instant) -> Result<Option<Heard>, String> {
        let mut buffer = [0; 2048];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let frame =
                self.link.receive(&mut buffer, left).map_err(|error| format!("{}: {error}", self.mac))?;
            let Some(datagram) = frame.and_then(Datagram::parse) else { continue };
            if datagram.destination_mac == self.mac || datagram.destination_mac == Mac::BROADCAST {
                return Ok(Some(Heard {
                    from_mac: datagram.source_mac,
                    from: datagram.source,
                    to: datagram.destination,
                    payload: datagram.payload.to_vec(),
                }));
            }
        }
    }
}

struct Heard {
    from_mac: Mac,
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: Vec<u8>,
}

const READ_REQUEST: u8 = 1;
const DATA: u8 = 3;
const ACKNOWLEDGE: u8 = 4;
const ERROR: u8 = 5;
const OPTIONS_AGREED: u8 = 6;
const MAXIMUM_BLOCKS: usize = 65_535;
const TRIES: usize = 8;
const RETRY: Duration = Duration::from_millis(1000);
