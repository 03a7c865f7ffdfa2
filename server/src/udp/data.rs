//! The fixed set of ports from which all transfers are sent.
//!
//! Each has one socket for all our addresses and, beside it, one that is bound to each address of a network that is served: what goes by such a socket needs no word
//! of where it comes from, which the kernel would read, check and write for every block and every ACK (a twentieth of what a client in lock-step costs).

use super::{BOOT_SERVER_PORT, UdpPort, new_socket};
use crate::problem::{Problem, problem};
use std::io;
use std::iter;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

/// Ports from which transfers are sent. A machine that was reset asks again from its old port: the new transfer leaves from another of
/// ours, so that what is left of the old one cannot be taken for it. Eight let that happen several times in a row.
const DATA_PORTS: u16 = 8;

/// The ports, with their sockets.
#[derive(Debug)]
pub(crate) struct DataPorts {
    /// Port by port: the socket for all addresses, then those that are bound to one each.
    sockets: Vec<UdpPort>,
    /// To which these are bound, in their order.
    addresses: Vec<Ipv4Addr>,
}

impl DataPorts {
    /// No port: all is sent from port 69.
    pub(crate) fn none() -> Self {
        Self { sockets: Vec::new(), addresses: Vec::new() }
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
        let mut sockets = Vec::with_capacity(ports.len() * (1 + addresses.len()));
        for port in ports {
            let beside = addresses.iter().map(|address| {
                let bound = bind_beside(&port, *address);
                bound.map_err(|e| {
                    problem!("UDP port {} of {address}, for transfers, cannot be had: {e}", port.number())
                })
            });
            let beside = beside.collect::<Result<Vec<_>, _>>()?;
            sockets.push(port);
            sockets.extend(beside);
        }
        Ok(Self { sockets, addresses })
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

    /// The socket by which a port sends from one of our addresses.
    pub(crate) fn socket_for(&self, place: u16, local: Ipv4Addr) -> usize {
        let bound = self.addresses.iter().position(|address| *address == local);
        usize::from(place) * self.each() + bound.map_or(0, |bound| bound + 1)
    }

    pub(crate) fn socket(&self, index: usize) -> &UdpPort {
        &self.sockets[index]
    }

    pub(crate) fn socket_mut(&mut self, index: usize) -> &mut UdpPort {
        &mut self.sockets[index]
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

/// A socket at the same port for one address, which gets what comes to that address (udp(7): the closest match). Nobody else may be there, before or afterwards: the two
/// share the port for this moment alone.
fn bind_beside(port: &UdpPort, address: Ipv4Addr) -> io::Result<UdpPort> {
    let socket = new_socket()?;
    port.socket.set_reuse_address(true)?;
    socket.set_reuse_address(true)?;
    let bound = UdpPort::bind_to(socket, SocketAddrV4::new(address, port.number()));
    port.socket.set_reuse_address(false)?;
    let bound = bound?;
    bound.socket.set_reuse_address(false)?;
    Ok(bound)
}

#[cfg(test)]
mod tests;
