//! How many connections each peer has, and whose gives way where there is no room: an address may be that of a thousand machines behind a router, so that nobody has a bound of his own
//! as long as there is room for all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

/// All connections by peer, with the moment at which each is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Peers {
    timers: BTreeMap<IpAddr, BTreeSet<(Instant, u64)>>,
    by_count: BTreeSet<(usize, IpAddr)>,
}

impl Peers {
    pub(super) fn insert(&mut self, peer: IpAddr, timer: (Instant, u64)) {
        self.change(peer, |its| _ = its.insert(timer));
    }

    pub(super) fn remove(&mut self, peer: IpAddr, timer: (Instant, u64)) {
        self.change(peer, |its| _ = its.remove(&timer));
    }

    /// One is to be looked at at another moment.
    pub(super) fn move_timer(&mut self, peer: IpAddr, (old, new): (Instant, Instant), key: u64) {
        if let Some(its) = self.timers.get_mut(&peer)
            && its.remove(&(old, key))
        {
            its.insert((new, key));
        }
    }

    /// Who has so many more than this peer that one of his gives way to one of its: nobody where all have as many, and the peer itself if it has most.
    pub(super) fn gives_way(&self, to: IpAddr) -> Option<IpAddr> {
        let own = self.timers.get(&to).map_or(0, BTreeSet::len);
        let (count, most) = self.by_count.last()?;
        match own {
            own if own == *count => Some(to),
            own if own + 1 < *count => Some(*most),
            _ => None,
        }
    }

    /// Which of a peer's is to be looked at first.
    pub(super) fn first(&self, peer: IpAddr) -> Option<(Instant, u64)> {
        self.timers.get(&peer)?.first().copied()
    }

    fn change(&mut self, peer: IpAddr, change: impl FnOnce(&mut BTreeSet<(Instant, u64)>)) {
        let its = self.timers.entry(peer).or_default();
        let before = its.len();
        change(its);
        let after = its.len();
        self.by_count.remove(&(before, peer));
        if after == 0 {
            self.timers.remove(&peer);
        } else {
            self.by_count.insert((after, peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_has_most_gives_way_and_nobody_where_all_have_as_many() {
        let peer = |n: u8| IpAddr::from([10, 77, 0, n]);
        let now = Instant::now();
        let mut peers = Peers::default();
        assert_eq!(peers.gives_way(peer(1)), None);
        (1..=4).for_each(|n| peers.insert(peer(n), (now, n.into())));
        assert_eq!(peers.gives_way(peer(9)), None);
        (5..=7).for_each(|key| peers.insert(peer(2), (now + Duration::from_secs(9 - key), key)));
        for n in [1, 2, 9] {
            assert_eq!(peers.gives_way(peer(n)), Some(peer(2)), "{n}");
        }
        assert_eq!(peers.first(peer(2)), Some((now, 2)));
        peers.move_timer(peer(2), (now, now + Duration::from_secs(9)), 2);
        assert_eq!(peers.first(peer(2)), Some((now + Duration::from_secs(2), 7)));
        (8..=9).for_each(|key| peers.insert(peer(3), (now, key)));
        assert_eq!(peers.gives_way(peer(3)), None, "it would have as many");
        let all: Vec<_> =
            peers.timers.iter().flat_map(|(of, its)| its.iter().map(|timer| (*of, *timer))).collect();
        all.into_iter().for_each(|(of, timer)| peers.remove(of, timer));
        assert!(peers.timers.is_empty() && peers.by_count.is_empty());
    }
}
