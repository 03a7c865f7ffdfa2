//! Until when a node has the addresses of its number. It has one on each network where its number lives, each by a card of its own and for as long as that network's leases are.

use crate::limit::GRANTS_PER_NODE_MAX;
use crate::mac::Mac;
use crate::time::Time;
use std::net::Ipv4Addr;

/// What its cards were granted since the node was switched on. One card may have several, as where networks are VLANs of one cable; and an address is one card's at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Mostly one: a map has room for eleven from the first on.
    all: Vec<(Ipv4Addr, Granted)>,
}

/// An address that a card was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// By which card the node has it.
    pub card: Mac,
    /// Until when. None: for good, as by BOOTP.
    pub until: Option<Time>,
}

impl Granted {
    fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

impl Grants {
    /// A card is granted an address. What has run out is forgotten; and where a node has had another number again and again, what ends first.
    pub fn grant(&mut self, now: Time, address: Ipv4Addr, card: Mac, until: Option<Time>) {
        self.all.retain(|(had, granted)| granted.holds(now) && *had != address);
        if self.all.len() >= GRANTS_PER_NODE_MAX {
            let ends = |(_, granted): &(_, Granted)| (granted.until.is_none(), granted.until);
            let first = (0..self.all.len()).min_by_key(|place| ends(&self.all[*place]));
            first.map(|place| self.all.swap_remove(place));
        }
        self.all.reserve_exact(1);
        self.all.push((address, Granted { card, until }));
    }

    /// When the last of them ends. None: there are none, or one has no end.
    pub fn until(&self) -> Option<Time> {
        let ends: Option<Vec<_>> = self.all.iter().map(|(_, granted)| granted.until).collect();
        ends?.into_iter().max()
    }

    /// When those end that are of a network.
    pub fn until_within(&self, now: Time, is_of_it: impl Fn(Ipv4Addr) -> bool) -> Option<Time> {
        let of_it = self.all.iter().filter(|(address, _)| is_of_it(*address));
        of_it.filter_map(|(_, granted)| granted.until.filter(|until| *until > now)).max()
    }

    /// By which card the node has an address, and until when.
    pub fn at(&self, now: Time, address: Ipv4Addr) -> Option<Granted> {
        let (_, granted) = self.all.iter().find(|(had, _)| *had == address)?;
        Some(*granted).filter(|granted| granted.holds(now))
    }

    /// Whether something is granted that ends, and has not ended yet.
    pub fn any_ends(&self, now: Time) -> bool {
        self.all.iter().any(|(_, granted)| granted.until.is_some_and(|until| until > now))
    }

    /// An address was given back.
    pub fn end(&mut self, address: Ipv4Addr) {
        self.all.retain(|(had, _)| *had != address);
    }

    /// Forgets those of which that does not hold.
    pub fn retain(&mut self, holds: impl Fn(Ipv4Addr) -> bool) {
        self.all.retain(|(address, _)| holds(*address));
    }

    /// Its system is over, and what that had.
    pub fn clear(&mut self) {
        self.all.clear();
    }
}

#[cfg(test)]
mod tests;
