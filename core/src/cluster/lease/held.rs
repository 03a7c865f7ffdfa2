//! What keeps the addresses of a range from being free.

use super::{Leases, PoolId};
use std::net::Ipv4Addr;

/// How many addresses of a range there are, and where those are that are not free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// All of the range.
    pub size: u64,
    /// Lent, or taken by who was only offered it.
    pub lent: u64,
    /// Offered.
    pub offered: u64,
    /// Somebody was found to use them.
    pub quarantined: u64,
    /// Free in a moment.
    pub probed: u64,
    /// Kept for hosts.
    pub kept: u64,
}

impl Leases {
    /// What keeps the addresses of a range from being free. None: there is no such range.
    pub fn held(&self, id: PoolId) -> Option<Held> {
        let pool = self.pools.get(&id)?;
        let count = |count: usize| count as u64;
        let kept = count(self.reserved.range(pool.range.first..=pool.range.last).count());
        let is_only_closed = |address: &Ipv4Addr| {
            !self.offers.contains_key(address)
                && !self.reserved.contains(address)
                && self.get(*address).is_none()
        };
        let closed = self.closed.within(pool.range).filter(|(address, _)| is_only_closed(address));
        let (probed, quarantined) = closed.fold((0, 0), |(probed, quarantined), (_, closure)| {
            if closure.probed.is_some() { (probed + 1, quarantined) } else { (probed, quarantined + 1) }
        });
        let (size, offered) = (pool.range.size(), count(pool.offers.len()));
        let lent = size.saturating_sub(count(pool.free.len()) + offered + kept + probed + quarantined);
        Some(Held { size, lent, offered, quarantined, probed, kept })
    }
}
