//! Datagrams that wait until it is known whether somebody has an address.

use super::Turn;
use crate::limit::DEFERRED_PER_ADDRESS_MAX;
use crate::message::Datagram;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

/// A DHCP datagram that is looked at again.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(crate) interface: String,
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: Ipv4Addr,
    pub(crate) payload: Vec<u8>,
}

impl Deferred {
    pub(crate) fn of(datagram: Datagram<'_>) -> Self {
        let Datagram { interface, source, destination, payload } = datagram;
        Self { interface: interface.into(), source, destination, payload: payload.to_vec() }
    }

    /// Whether it is of the same client, which repeats itself. Over InfiniBand no packet has a hardware address (RFC 4390 2.1), but its number is new with each.
    fn is_of(&self, payload: &[u8]) -> bool {
        const XID: Range<usize> = 4..8;
        const CHADDR: Range<usize> = 28..44;
        let (own, other) = (self.payload.get(CHADDR), payload.get(CHADDR));
        let is_said = own.is_some_and(|chaddr| chaddr.iter().any(|octet| *octet != 0));
        own == other && (is_said || self.payload.get(XID) == payload.get(XID))
    }

    /// Whether it came by the same way as another: the same interface, and the same relay or none.
    pub(super) fn came_as(&self, other: Datagram<'_>) -> bool {
        const GIADDR: Range<usize> = 24..28;
        self.interface == other.interface && self.payload.get(GIADDR) == other.payload.get(GIADDR)
    }

    pub(crate) fn datagram(&self) -> Datagram<'_> {
        let Self { interface, source, destination, payload } = self;
        Datagram { interface, source: *source, destination: *destination, payload }
    }
}

impl Turn<'_> {
    /// Looks at a client's datagram again when it is known whether somebody has this address.
    pub(crate) fn defer(&mut self, address: Ipv4Addr, datagram: Datagram<'_>) {
        let waiting = self.hall.deferred.entry(address).or_default();
        let is_repeated = waiting.iter().any(|deferred| deferred.is_of(datagram.payload));
        if !is_repeated && waiting.len() < DEFERRED_PER_ADDRESS_MAX {
            waiting.push(Deferred::of(datagram));
        }
    }
}
