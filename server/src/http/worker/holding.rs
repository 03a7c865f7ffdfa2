//! What connections hold of our memory: of requests that have not come whole, and of answers that their clients do not take. One of them holds little; thousands together have a bound, and the
//! client that holds most gives way.

use super::Worker;
use super::delivering::End;
use heorot_core::limit::{HTTP_HELD_OCTETS_MAX, HTTP_HELD_UNCOUNTED_OCTETS};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Who holds how much.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Of connections, the oldest first: whose, and how many octets.
    held: BTreeMap<u64, (Ipv4Addr, usize)>,
    peers: BTreeMap<Ipv4Addr, Peer>,
    by_octets: BTreeSet<(usize, Ipv4Addr)>,
    octets: usize,
}

#[derive(Debug, Default)]
struct Peer {
    octets: usize,
    keys: BTreeSet<u64>,
}

impl Holding {
    /// A connection holds so much now.
    fn set(&mut self, key: u64, peer: Ipv4Addr, octets: usize) {
        if self.held.get(&key).is_some_and(|(_, before)| *before == octets) {
            return;
        }
        self.gone(key);
        if octets == 0 {
            return;
        }
        self.held.insert(key, (peer, octets));
        self.octets += octets;
        let its = self.peers.entry(peer).or_default();
        self.by_octets.remove(&(its.octets, peer));
        its.octets += octets;
        its.keys.insert(key);
        self.by_octets.insert((its.octets, peer));
    }

    /// It holds nothing any more.
    pub(super) fn gone(&mut self, key: u64) {
        let Some((peer, octets)) = self.held.remove(&key) else { return };
        self.octets -= octets;
        let Some(its) = self.peers.get_mut(&peer) else { return };
        self.by_octets.remove(&(its.octets, peer));
        its.octets -= octets;
        its.keys.remove(&key);
        if its.keys.is_empty() {
            self.peers.remove(&peer);
        } else {
            self.by_octets.insert((its.octets, peer));
        }
    }

    /// If it is too much: the oldest connection of who holds most.
    fn gives_way(&self) -> Option<u64> {
        let (_, peer) = self.by_octets.last().filter(|_| self.octets > HTTP_HELD_OCTETS_MAX)?;
        self.peers.get(peer)?.keys.first().copied()
    }
}

impl Worker {
    /// Looks what a connection holds now, and ends some if that is too much.
    pub(super) fn look_at_held(&mut self, key: u64) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        let octets = connection.held_octets();
        let counted = if octets > HTTP_HELD_UNCOUNTED_OCTETS { octets } else { 0 };
        self.holding.set(key, connection.peer, counted);
        while let Some(key) = self.holding.gives_way() {
            self.streams.displace(key);
            self.closed(key, End::GaveWay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_most_gives_way_with_the_oldest() {
        const PIECE: usize = HTTP_HELD_OCTETS_MAX / 10;
        let peer = |n: u8| Ipv4Addr::new(10, 77, 0, n);
        let mut holding = Holding::default();
        (1..=6).for_each(|key| holding.set(key, peer(1), PIECE));
        (7..=10).for_each(|key| holding.set(key, peer(2), PIECE));
        assert_eq!(holding.gives_way(), None);
        holding.set(11, peer(3), 100);
        assert_eq!(holding.gives_way(), Some(1));
        holding.set(1, peer(1), 50);
        assert_eq!(holding.gives_way(), None);
        holding.set(7, peer(2), 4 * PIECE);
        assert_eq!(holding.gives_way(), Some(7));
        (1..=11).for_each(|key| holding.gone(key));
        holding.gone(12);
        holding.set(13, peer(1), 0);
        assert!(holding.held.is_empty() && holding.peers.is_empty() && holding.by_octets.is_empty());
        assert_eq!(holding.octets, 0);
    }
}
