//! Whom outside names are told to, how often, and which addresses they may have.

use crate::Prefix;
use crate::limit::CLIENTS_WATCHED_MAX;
use crate::upstream::records::{Record, rtype};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that a name of somebody else may not have: a page from there could make a browser on this side ask whoever has them
/// (DNS rebinding).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Barred {
    pub(crate) networks: Vec<Prefix>,
}

impl Barred {
    pub(crate) fn bars(&self, record: &Record) -> bool {
        let address: Option<IpAddr> = match (record.rtype, record.octets()) {
            (rtype::A, Some(octets)) => <[u8; 4]>::try_from(octets).ok().map(|octets| octets.into()),
            (rtype::AAAA, Some(octets)) => <[u8; 16]>::try_from(octets).ok().map(|octets| octets.into()),
            (_, _) => None,
        };
        address.is_some_and(|address| self.networks.iter().any(|network| network.contains(address)))
    }
}

/// This host itself: 127.0.0.0/8, ::1, and what stands for "here".
pub(crate) fn loopback() -> impl Iterator<Item = Prefix> {
    let v4 = [([127, 0, 0, 0], 8), ([0, 0, 0, 0], 8)];
    let v4 = v4.map(|(address, length)| Prefix { address: Ipv4Addr::from(address).into(), length });
    let v6 = [(Ipv6Addr::LOCALHOST, 128), (Ipv6Addr::UNSPECIFIED, 128)];
    let v6 = v6.map(|(address, length)| Prefix { address: address.into(), length });
    v4.into_iter().chain(v6)
}

/// What is nobody's in the world outside: RFC 1918, 3927, 4193 and 4291 2.5.6.
pub(crate) fn private() -> impl Iterator<Item = Prefix> {
    let v4 = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([169, 254, 0, 0], 16)];
    let v4 = v4.map(|(address, length)| Prefix { address: Ipv4Addr::from(address).into(), length });
    let v6 = [(0xfc00, 7), (0xfe80, 10)];
    let v6 = v6
        .map(|(first, length)| Prefix { address: Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0).into(), length });
    v4.into_iter().chain(v6)
}

/// How many questions each client has had sent upstream of late: a bucket that fills with the rate and holds two seconds of it.
#[derive(Debug)]
pub(crate) struct Rates {
    per_second: u32,
    /// Places by a hash; a client has one of four neighbours.
    places: Vec<Place>,
    key: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    client: u128,
    /// When the bucket would be full. A place that nobody had is full since ever.
    full_at: u64,
}

const WAYS: usize = 4;
const SECOND: u64 = 1_000_000_000;

impl Rates {
    /// Zero sets no limit.
    pub(crate) fn new(per_second: u32, key: u64) -> Self {
        let places = if per_second == 0 { 0 } else { CLIENTS_WATCHED_MAX };
        Self { per_second, places: vec![Place { client: 0, full_at: 0 }; places], key }
    }

    /// Whether this client may have one more question sent now. `now` is in nanoseconds.
    pub(crate) fn allows(&mut self, client: IpAddr, now: u64) -> bool {
        if self.places.is_empty() {
            return true;
        }
        let client = client_of(client);
        let set = self.set_of(client);
        let places = &mut self.places[set * WAYS..(set + 1) * WAYS];
        // Whoever was quiet longest gives way: his bucket is the fullest, so that he loses least.
        let index = (0..WAYS)
            .find(|index| places[*index].client == client)
            .unwrap_or_else(|| (0..WAYS).min_by_key(|index| places[*index].full_at).unwrap_or(0));
        let place = &mut places[index];
        if place.client != client {
            *place = Place { client, full_at: now };
        }
        let cost = SECOND / u64::from(self.per_second);
        let full_at = place.full_at.max(now) + cost;
        let allowed = full_at - now <= 2 * SECOND;
        if allowed {
            place.full_at = full_at;
        }
        allowed
    }

    fn set_of(&self, client: u128) -> usize {
        let folded = (client ^ (client >> 64)) as u64;
        let mixed = (folded ^ self.key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize % (self.places.len() / WAYS)
    }
}

/// A host: an IPv4 address, or the /64 of an IPv6 address, of which a host takes as many as it likes.
pub(crate) fn client_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()) | 1 << 64,
        IpAddr::V6(address) => address.to_bits() >> 64 << 64 | 1,
    }
}

#[cfg(test)]
mod tests;
