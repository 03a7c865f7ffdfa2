//! When a client is to renew its lease, and for how long it then gets it.

use crate::hall::Turn;
use crate::mac::Mac;
use std::net::Ipv4Addr;
use std::time::Duration;

/// For how long an address that is lent can be granted again: for as long as is wanted, or where the store keeps nothing, for as long as is recorded. A shorter lease is better than none.
pub(super) fn grantable(turn: &Turn<'_>, address: Ipv4Addr, wanted: Duration) -> Duration {
    let is_in_trouble = turn.hall.store_trouble.is_some() || turn.hall.promises.are_stuck(turn.now);
    let lease = turn.hall.leases.get(address).filter(|lease| is_in_trouble && lease.recorded);
    let recorded = lease.map(|lease| lease.recorded_length).filter(|recorded| !recorded.is_zero());
    recorded.map_or(wanted, |recorded| wanted.min(recorded))
}

/// T1 and T2 of a lease, in seconds: half of it and seven eighths of it, each up to a sixteenth of it earlier (RFC 2131 4.4.5: "with some random
/// fuzz around a fixed value"). A cluster that was switched on in one instant does not renew in one instant. Each machine has its own moment, and
/// always the same, whichever server answers.
pub(super) fn times(lease_seconds: u32, mac: Mac) -> (u32, u32) {
    let lease = u64::from(lease_seconds);
    let chance = mac.stable_hash();
    // Two parts of 16 bits of the hash, as fractions of a sixteenth of the lease.
    let earlier = |chance: u64| lease * (chance & 0xffff) / (0x1_0000 * 16);
    let renews = lease / 2 - earlier(chance);
    let rebinds = lease - lease.div_ceil(8) - earlier(chance >> 16);
    let seconds = |time: u64| u32::try_from(time).expect("no longer than the lease");
    (seconds(renews), seconds(rebinds))
}

#[cfg(test)]
mod tests;
