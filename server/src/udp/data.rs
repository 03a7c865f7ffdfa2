//! The fixed set of ports from which all transfers are sent.
//!
//! Each has one socket for all our addresses and, beside it, one that is bound to each address of a network that is served: what goes by such a socket needs no word
//! of where it comes from, which the kernel would read, check and write for every block and every ACK (a twentieth of what a client in lock-step costs).
//!
//! Beside that one there is an [outlet](outlet), by which nothing comes, and which nobody waits for. Each datagram that has left a socket wakes whoever waits for that socket (epoll does, always), only to find
//! that it is for reading; and its number is drawn from a counter of its peer's. An outlet has neither: another twentieth.

use super::{BOOT_SERVER_PORT, SEND_OCTETS, UdpPort, new_socket};
use crate::netio;
use crate::problem::{Problem, problem};
use socket2::Socket;
use std::io;
use std::iter;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Ports from which transfers are sent. A machine that was reset asks again from its old port: the new transfer leaves from another of
/// ours, so that what is left of the old one cannot be taken for it. Eight let that happen several times in a row.
const DATA_PORTS: u16 = 8;

/// A socket by which files are sent, and whether it is bound to the address that it sends from.
pub(crate) type Way = (Arc<Socket>, bool);

/// The ports, with their sockets.
#[derive(Debug)]
pub(crate) struct DataPorts {
    /// Port by port: the socket for all addresses, then those that are bound to one each.
    sockets: Vec<UdpPort>,
    /// By which their datagrams leave: those of sockets for all addresses by themselves.
    outlets: Vec<Arc<Socket>>,
    /// To which these are bound, in their order.
    addresses: Vec<Ipv4Addr>,
}

impl DataPorts {
    /// No port: all is sent from port 69.
    pub(crate) fn none() -> Self {
        Self { sockets: Vec::new(), outlets: Vec::new(), addresses: Vec::new() }
    }

    /// Those of `wanted`, as far as they are free, so that transfers go on after a restart; else others.
    /// All [`DATA_PORTS`] of them are open then, in this order; fewer, if only those of `range` may be taken.
    ///
    /// # Errors
    /// There are none to be had, or an address is not ours.
    pub(crate) fn open(
        wanted: &[u16],
        range: Option<&RangeInclusive<u16>>,
        addresses: Vec<Ipv4Addr>,
    ) -> Result<Self, Problem> {
        let ports = match range {
            Some(range) => ports_of(range, wanted)?,
            None => ports_near(wanted)?,
        };
        let count = ports.len() * (1 + addresses.len());
        let (mut sockets, mut outlets) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for port in ports {
            let beside = addresses.iter().map(|address| {
                let bound = bind_beside(&port, *address);
                bound.map_err(|e| {
                    problem!("UDP port {} of {address}, for transfers, cannot be had: {e}", port.number())
                })
            });
            let beside = beside.collect::<Result<Vec<_>, _>>()?;
            outlets.push(Arc::clone(&port.socket));
            sockets.push(port);
            for (bound, outlet) in beside {
                outlets.push(outlet);
                sockets.push(bound);
            }
        }
        Ok(Self { sockets, outlets, addresses })
    }

    /// How many ports there are.
    pub(crate) fn places(&self) -> usize {
        self.sockets.len() / self.each()
    }

    /// The number of each port.
    pub(crate) fn numbers(&self) -> Vec<u16> {
        self.sockets.iter().step_by(self.each()).map(UdpPort::number).collect()
    }

    /// All sockets; by their index they are found again.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = &UdpPort> {
        self.sockets.iter()
    }

    /// The socket to which the answers come to what a port sends from one of our addresses.
    fn socket_for(&self, place: u16, local: Ipv4Addr) -> usize {
        let bound = self.addresses.iter().position(|address| *address == local);
        usize::from(place) * self.each() + bound.map_or(0, |bound| bound + 1)
    }

    pub(crate) fn socket_mut(&mut self, index: usize) -> &mut UdpPort {
        &mut self.sockets[index]
    }

    /// All sockets by which files are sent, port 69 first.
    pub(crate) fn ways(&self, requests: &UdpPort) -> Vec<Way> {
        let own = self.sockets.iter().map(|port| &port.socket);
        let bound = (0..self.sockets.len()).map(|index| self.address_of(index).is_some()).cycle();
        let data = own.chain(&self.outlets).map(Arc::clone).zip(bound);
        iter::once((Arc::clone(&requests.socket), false)).chain(data).collect()
    }

    /// Which of them is for what a port sends from one of our addresses. What leaves in fragments leaves by the socket to which the answers come: by its number a client tells whose fragments are whose, and those of
    /// an outlet, which all its peers share, come again after 65,536 datagrams, which may be within the time that fragments wait for each other (RFC 4963).
    pub(crate) fn way(&self, place: u16, local: Ipv4Addr, in_fragments: bool) -> usize {
        let index = self.socket_for(place, local);
        1 + if in_fragments { index } else { self.sockets.len() + index }
    }

    /// Which port a socket belongs to.
    pub(crate) fn place_of(&self, index: usize) -> u16 {
        u16::try_from(index / self.each()).expect("there are a few")
    }

    /// The address that a socket is bound to, if it is bound to one.
    pub(crate) fn address_of(&self, index: usize) -> Option<Ipv4Addr> {
        let bound = (index % self.each()).checked_sub(1)?;
        self.addresses.get(bound).copied()
    }

    /// Sockets of each port.
    fn each(&self) -> usize {
        1 + self.addresses.len()
    }
}

fn open(port: u16) -> io::Result<UdpPort> {
    new_socket().and_then(|socket| UdpPort::bind(socket, port))
}

/// The wanted ones as far as they are free, and others.
fn ports_near(wanted: &[u16]) -> Result<Vec<UdpPort>, Problem> {
    let wanted = wanted.iter().copied().chain(iter::repeat(0)).take(DATA_PORTS.into());
    let open_one = |port| {
        let opened = open(port).or_else(|_| open(0));
        opened.map_err(|e| problem!("no UDP port for TFTP transfers can be had: {e}"))
    };
    wanted.map(open_one).collect()
}

/// The wanted ones of a range as far as they are free, and others of it.
fn ports_of(range: &RangeInclusive<u16>, wanted: &[u16]) -> Result<Vec<UdpPort>, Problem> {
    let wanted = wanted.iter().take(DATA_PORTS.into()).copied().filter(|port| range.contains(port));
    let mut opened = Vec::new();
    // It is the boot server's on every interface, also on one that comes later.
    for port in wanted.chain(range.clone()).filter(|port| *port != BOOT_SERVER_PORT) {
        if opened.len() == usize::from(DATA_PORTS) {
            break;
        }
        opened.extend(open(port));
    }
    if opened.is_empty() {
        let (first, last) = (range.start(), range.end());
        return Err(problem!(
            "no UDP port of tftp.port-range {first}-{last} is free\n  see who has them: ss -ulpn\n  then name others, or leave `port-range` out"
        ));
    }
    Ok(opened)
}

/// A socket at the same port for one address, which gets what comes to that address (udp(7): the closest match), and its outlet. Nobody else may be there, before or afterwards: they
/// share the port for this moment alone.
fn bind_beside(port: &UdpPort, address: Ipv4Addr) -> io::Result<(UdpPort, Arc<Socket>)> {
    let here = SocketAddrV4::new(address, port.number());
    port.socket.set_reuse_address(true)?;
    let beside = bind_both(here);
    port.socket.set_reuse_address(false)?;
    beside
}

fn bind_both(here: SocketAddrV4) -> io::Result<(UdpPort, Arc<Socket>)> {
    // First: as long as it has no peer, what comes may be taken for its own.
    let outlet = outlet(here);
    let socket = new_socket()?;
    socket.set_reuse_address(true)?;
    let bound = UdpPort::bind_to(socket, here)?;
    bound.socket.set_reuse_address(false)?;
    // Without one, it costs a little more.
    let Ok(outlet) = outlet else {
        let own = Arc::clone(&bound.socket);
        return Ok((bound, own));
    };
    outlet.set_reuse_address(false)?;
    Ok((bound, Arc::new(outlet)))
}

/// A socket by which nothing comes: it has a peer, which is nobody but itself. What is sent by it all the same goes to whom each datagram names (udp(7)).
fn outlet(here: SocketAddrV4) -> io::Result<Socket> {
    let socket = new_socket()?;
    socket.set_reuse_address(true)?;
    netio::never_set_df(socket.as_fd())?;
    netio::send_room(&socket, SEND_OCTETS)?;
    socket.bind(&here.into())?;
    socket.connect(&here.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
