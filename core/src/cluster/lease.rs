//! Addresses that are lent: temporary ones and guests'. Permanent addresses are arithmetic and need none of this.
//!
//! ```text
//!            offer                 lend              end (released, declined, ran out)
//!  free ───────────────> offered ─────────> lent ───────────────────────────────────────> probed ───> free
//!    ^ 35 s, or pool full   │                                                               │ somebody answers
//!    └──────────────────────┘                                                               └──────> quarantine ───> free
//! ```
//! Some ROMs take an offer for the address itself: as long as somebody is heard there, it stands as a loan would, and gives way to nobody.
//!
//! An address that is probed can be offered where no other is left, and a request for it is answered when nobody else has answered for it. After those goes what
//! is in quarantine by another machine's DECLINE alone: nobody was heard to answer for it. Whatever somebody answered for stays closed for its time, but to that machine.

mod closed;
mod held;
mod offer;

use crate::config::{AddressRange, Config, Mode};
use crate::limit::{DECLINED_PER_MACHINE_MAX, HOLD_AFTER_LIFE};
use crate::mac::Mac;
use crate::time::Time;
use closed::Closed;
pub use held::Held;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// All addresses that are lent, or about to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leases {
    pools: BTreeMap<PoolId, Pool>,
    leases: BTreeMap<Ipv4Addr, Lease>,
    by_borrower: BTreeMap<(Mac, PoolId), Ipv4Addr>,
    offers: BTreeMap<Ipv4Addr, Offer>,
    offered_to: BTreeMap<(Mac, PoolId), Ipv4Addr>,
    /// Addresses that nobody gets before a moment.
    closed: Closed,
    /// Addresses that are kept for hosts: in no range.
    reserved: BTreeSet<Ipv4Addr>,
    /// Lent where nothing is lent any more, because the operator has moved the range or keeps the address for a host: nobody else gets it before the loan ends,
    /// and its machine gets another one when it asks next.
    stranded: BTreeSet<(Mac, Ipv4Addr)>,
    /// Addresses that were lent or offered until now, and of which that was not told yet.
    returned: Vec<Ipv4Addr>,
}

/// A range of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolId {
    /// Its network, by its place in the configuration.
    pub network: usize,
    /// What it is for.
    pub kind: PoolKind,
}

/// What the addresses of a range are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoolKind {
    /// Machines without a number.
    Temporary,
    /// Hosts that are no nodes.
    Guest,
    /// Numbers that are offered to a machine before they are recorded. Lent is from here what a machine had by a number that is another one now, until it has left it.
    Number,
    /// Addresses that another server gives: which ones is its affair, and how long they are its machine's too.
    Elsewhere,
}

/// An address that is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// To whom.
    pub mac: Mac,
    /// From where.
    pub pool: PoolId,
    /// Until when, by the last ACK.
    pub until: Time,
    /// For how long it was granted last.
    pub length: Duration,
    /// For how long by its last durable record: an ACK for longer waits for another one.
    pub recorded_length: Duration,
    /// When its machine was last heard of.
    pub life: Time,
    /// Whether its machine has an address of its own on this network, and has moved there or is to: then it is not renewed, as long as that address is to be had.
    pub superseded: bool,
    /// Whether its record is durable; before that its ACK has not left.
    pub recorded: bool,
    /// Whether it was lent before a restart, and was not renewed since.
    pub is_restored: bool,
}

impl Lease {
    /// Until when nobody else gets the address. Firmware never renews, so a node's sign of life counts like a renewal.
    pub fn held_until(&self) -> Time {
        match self.pool.kind {
            PoolKind::Temporary | PoolKind::Number | PoolKind::Elsewhere => {
                self.until.max(self.life + HOLD_AFTER_LIFE)
            }
            PoolKind::Guest => self.until,
        }
    }

    /// When its machine was last heard of, if it was since the server's start: what is lent from before counts from then as if it lived.
    pub fn heard_since(&self, start: Time) -> Option<Time> {
        let was_heard = if self.is_restored { self.life > start } else { self.life >= start };
        was_heard.then_some(self.life)
    }
}

/// An address that is offered and not yet asked for: in memory alone, nothing is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offer {
    mac: Mac,
    pool: PoolId,
    /// When it was made for the first time.
    made: Time,
    until: Time,
    /// Whether somebody was heard at the address: it gives way to nobody.
    is_taken: bool,
}

/// Why an address is nobody's for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Until when.
    pub until: Time,
    /// Whose it was, if it is only probed: that machine may have it back at once. None: somebody was found to use it.
    pub probed: Option<Mac>,
    /// The machine that found somebody to use it, if nobody else did: it may be mistaken, or lie.
    pub declined_by: Option<Mac>,
    /// The machine that answered for it.
    pub answered_by: Option<Mac>,
    /// Whether that machine has answered for it itself.
    pub lingers: Lingers,
}

impl Closure {
    /// One that nothing more is known of.
    const fn until(until: Time) -> Self {
        Self { until, probed: None, declined_by: None, answered_by: None, lingers: Lingers::No }
    }

    /// Whether it was this machine's until just now, or it is the one that answers for it: then it has the address, and nobody else is to get it.
    fn is_for(&self, mac: Mac) -> bool {
        self.probed == Some(mac) || self.answered_by == Some(mac)
    }
}

/// Whether a machine answers for an address that it does not have any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lingers {
    /// It has not.
    No,
    /// It has, and its system may be about to take the address off: it is asked again then.
    UntilAskedAgain(Time),
    /// It is asked again: if it still answers, it keeps what is not its own.
    AskedAgain,
}

#[derive(Clone, Debug, PartialEq)]
struct Pool {
    range: AddressRange,
    free: BTreeSet<Ipv4Addr>,
    /// Standing offers that may give way, the oldest first.
    offers: BTreeSet<(Time, Ipv4Addr)>,
}

/// Why an address is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFree {
    /// It is in no range of this kind on this network.
    Elsewhere,
    /// It is lent or offered to another machine, or in quarantine.
    Taken,
    /// It will be free in a moment, if nobody answers for it.
    Probed,
}

impl Leases {
    /// The ranges of a configuration, all addresses free.
    pub fn new(config: &Config) -> Self {
        let reserved: BTreeSet<_> = config.hosts.iter().filter_map(|host| host.address).collect();
        let mut pools = BTreeMap::new();
        let giving = config.networks.iter().enumerate().filter(|(_, settings)| settings.mode != Mode::Proxy);
        for (network, settings) in giving {
            let ranges =
                [(PoolKind::Temporary, Some(settings.temporary)), (PoolKind::Guest, settings.guests)];
            for (kind, range) in ranges {
                let Some(range) = range else { continue };
                let all = (u32::from(range.first)..=u32::from(range.last)).map(Ipv4Addr::from);
                let free = all.filter(|address| !reserved.contains(address)).collect();
                pools.insert(PoolId { network, kind }, Pool { range, free, offers: BTreeSet::new() });
            }
        }
        Self { pools, reserved, ..Self::default() }
    }

    /// The ranges of another configuration; what is lent stays lent until it ends, also where its range is gone. Where its network is gone it has ended.
    /// The same goes for an offer that its machine took for its address. Others stand where they would still be made.
    #[must_use]
    pub fn reconfigured(self, config: &Config) -> Self {
        let mut new = Self { closed: self.closed, ..Self::new(config) };
        for address in new.closed.keys() {
            for pool in new.pools.values_mut() {
                pool.free.remove(address);
            }
        }
        for (address, lease) in self.leases {
            let Some(network) = config.networks.iter().position(|network| network.contains(address)) else {
                continue;
            };
            let pool = PoolId { network, ..lease.pool };
            new.insert(address, Lease { pool, ..lease });
        }
        for (address, offer) in self.offers {
            new.offer_again(config, address, offer);
        }
        new
    }

    /// Addresses that may be a number's, and were lent or offered until now: each once.
    pub fn returned(&mut self) -> Vec<Ipv4Addr> {
        std::mem::take(&mut self.returned)
    }

    /// Whether this machine may have this address from this range: it is offered to it, or free.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, address: Ipv4Addr, mac: Mac, id: PoolId) -> Result<(), NotFree> {
        let pool = self.pools.get(&id).ok_or(NotFree::Elsewhere)?;
        if !pool.range.contains(address) || self.reserved.contains(&address) {
            return Err(NotFree::Elsewhere);
        }
        let to_another = self.offered(address).is_some_and(|offered| offered != mac)
            || self.get(address).is_some_and(|lease| lease.mac != mac);
        match self.closed.get(&address) {
            _ if to_another => Err(NotFree::Taken),
            None => Ok(()),
            Some(closure) if closure.is_for(mac) => Ok(()),
            Some(Closure { probed: Some(_), .. }) => Err(NotFree::Probed),
            Some(Closure { probed: None, .. }) => Err(NotFree::Taken),
        }
    }

    /// Lends an address, after [`Leases::check`], or as it was recorded before a restart. Returns when to look at it again.
    pub fn lend(&mut self, now: Time, address: Ipv4Addr, mac: Mac, id: PoolId, lease: Duration) -> Time {
        self.forget(address);
        self.closed.remove(&address);
        // Whose it was until now, from whichever range.
        self.remove(address);
        let lease = Lease {
            mac,
            pool: id,
            until: now + lease,
            length: lease,
            recorded_length: Duration::ZERO,
            life: now,
            superseded: false,
            recorded: false,
            is_restored: false,
        };
        self.insert(address, lease);
        lease.held_until()
    }

    /// The record of a lease for this long is durable. None: it has ended in the meantime.
    pub fn recorded(&mut self, address: Ipv4Addr, length: Duration) -> Option<&Lease> {
        let lease = self.leases.get_mut(&address)?;
        (lease.recorded, lease.recorded_length) = (true, length);
        Some(lease)
    }

    /// What is lent was lent before a restart.
    pub fn restored(&mut self, address: Ipv4Addr) {
        if let Some(lease) = self.leases.get_mut(&address) {
            lease.is_restored = true;
        }
    }

    /// What is left of a guest's loan that was lent before a restart and not renewed since: that is to be recorded. None: it was, or is no such.
    pub fn left(&mut self, now: Time, address: Ipv4Addr) -> Option<Duration> {
        let of_guest = |lease: &&mut Lease| lease.is_restored && lease.pool.kind == PoolKind::Guest;
        let lease = self.leases.get_mut(&address).filter(of_guest)?;
        let left = lease.until.since(now);
        lease.recorded_length = lease.recorded_length.min(left);
        Some(left).filter(|left| !left.is_zero())
    }

    /// What is lent was granted before, and until then; and its machine need not have been heard since: its life is not to be counted from now. Returns when to look at it again.
    pub fn unheard(&mut self, address: Ipv4Addr, until: Time) -> Option<Time> {
        let lease = self.leases.get_mut(&address)?;
        (lease.until, lease.life) = (until, Time::from_nanoseconds(0));
        Some(lease.held_until())
    }

    /// Another ACK for an address that is lent. Whether that is for another time than is recorded.
    pub fn renew(&mut self, now: Time, address: Ipv4Addr, lease: Duration) -> bool {
        let Some(entry) = self.leases.get_mut(&address) else { return false };
        (entry.until, entry.length, entry.life, entry.is_restored) = (now + lease, lease, now, false);
        entry.length != entry.recorded_length
    }

    /// Whether it is durable for how long an address is lent: a restart would not make it shorter.
    pub fn is_recorded_as_long(&self, address: Ipv4Addr) -> bool {
        self.get(address).is_none_or(|lease| lease.length <= lease.recorded_length)
    }

    /// A sign of life from an address.
    pub fn alive(&mut self, now: Time, address: Ipv4Addr) {
        match self.leases.get_mut(&address) {
            Some(lease) => lease.life = now,
            None => self.takes_offer(now, address),
        }
    }

    /// What a card of a machine has is another one's of the same machine, unless that has such an address already. Whether it is so from now on, and was not.
    pub fn hand_over(&mut self, address: Ipv4Addr, to: Mac) -> bool {
        let Some(lease) = self.get(address).filter(|lease| lease.mac != to).copied() else { return false };
        if self.borrowed(to, lease.pool).is_some() {
            return false;
        }
        self.remove(address);
        self.insert(address, Lease { mac: to, ..lease });
        true
    }

    /// The machine has an address of its own on a network: what was lent to it there is held, but not renewed.
    pub fn supersede(&mut self, mac: Mac, network: usize) {
        let lent = self.of(mac).filter(|(_, lease)| lease.pool.network == network);
        for address in lent.map(|(address, _)| address).collect::<Vec<_>>() {
            if let Some(lease) = self.leases.get_mut(&address) {
                lease.superseded = true;
            }
        }
    }

    /// Ends a lease; the address is probed until this moment.
    pub fn end(&mut self, address: Ipv4Addr, probed_until: Time) -> Option<Lease> {
        let lease = self.remove(address)?;
        let probed = Some(lease.mac);
        self.closed.insert(address, Closure { probed, ..Closure::until(probed_until) });
        Some(lease)
    }

    /// Whoever had an address until now answers for it, or somebody who does not say who he is. True: it is to be asked again at this moment, and the address stays closed until the answer
    /// would be there.
    pub fn linger(&mut self, address: Ipv4Addr, by: Option<Mac>, ask_again_at: Time, until: Time) -> bool {
        let had_it = |before: Mac| by.is_none_or(|by| by == before);
        let closure = self.closure(address).filter(|closure| closure.probed.is_some_and(had_it));
        let Some(closure) = closure else { return false };
        if closure.lingers == Lingers::No {
            let lingers = Lingers::UntilAskedAgain(ask_again_at);
            self.closed.insert(address, Closure { until, lingers, ..closure });
        }
        closure.lingers != Lingers::AskedAgain
    }

    /// Whether the time has come to ask again whether an address is still answered for. True once.
    pub fn asks_again(&mut self, now: Time, address: Ipv4Addr) -> bool {
        let closure = self.closure(address);
        let due = closure.filter(|c| matches!(c.lingers, Lingers::UntilAskedAgain(at) if at <= now));
        let Some(closure) = due else { return false };
        self.closed.insert(address, Closure { lingers: Lingers::AskedAgain, ..closure });
        true
    }

    /// Takes back a lease that was never granted: the address is free at once.
    pub fn retract(&mut self, address: Ipv4Addr) {
        if self.remove(address).is_some() {
            self.free(address);
        }
    }

    /// Somebody was found to use an address, by his answer if it says who he is: nobody gets it before this moment.
    pub fn quarantine(&mut self, address: Ipv4Addr, until: Time, answered_by: Option<Mac>) {
        self.close(address, Closure { answered_by, ..Closure::until(until) });
    }

    /// How many addresses are closed because a machine answered for them.
    pub fn answered_by(&self, mac: Mac) -> usize {
        self.closed.answered_by(mac).count()
    }

    /// A machine answers for whatever it is asked: what it closed is free.
    pub fn open_answered_by(&mut self, mac: Mac) {
        for address in self.closed.answered_by(mac).collect::<Vec<_>>() {
            self.closed.remove(&address);
            self.free(address);
        }
    }

    /// A machine says that somebody uses an address: nobody gets it before this moment, unless no other is left. False: its DECLINEs keep as many
    /// addresses closed as one machine's may, and nothing was done.
    pub fn decline(&mut self, address: Ipv4Addr, by: Mac, until: Time) -> bool {
        let may_close = self.closed.declined_by(by) < DECLINED_PER_MACHINE_MAX;
        if may_close {
            self.close(address, Closure { declined_by: Some(by), ..Closure::until(until) });
        }
        may_close
    }

    /// Somebody else than who declined an address answers for it: it was true, and is not counted against the machine.
    pub fn confirm(&mut self, address: Ipv4Addr, answers: Option<Mac>) {
        let closure = self.closure(address).filter(|c| c.declined_by.is_some() && c.declined_by != answers);
        if let Some(closure) = closure {
            self.closed.insert(address, Closure { declined_by: None, ..closure });
        }
    }

    fn close(&mut self, address: Ipv4Addr, closure: Closure) {
        self.withdraw(address);
        for pool in self.pools.values_mut() {
            pool.free.remove(&address);
        }
        let before = self.closed.get(&address).map_or(closure.until, |closure| closure.until);
        self.closed.insert(address, Closure { until: closure.until.max(before), ..closure });
    }

    /// The address of a range that was closed longest ago by another machine's DECLINE and nothing else.
    fn declined_first(&self, mac: Mac, range: AddressRange) -> Option<Ipv4Addr> {
        let is_by_another = |closure: &Closure| closure.declined_by.is_some_and(|by| by != mac);
        let is_kept = |address| self.reserved.contains(address) || self.leases.contains_key(address);
        let declined = self.closed.within(range).filter(|(a, closure)| is_by_another(closure) && !is_kept(a));
        declined.min_by_key(|(_, closure)| closure.until).map(|(address, _)| *address)
    }

    /// What the clock does to an address: an offer that stood long enough is withdrawn, one that was closed is free again.
    /// A lease that is no longer held is for the caller to end: it is returned. Also: when to look again.
    pub fn expire(&mut self, now: Time, address: Ipv4Addr) -> (Option<Lease>, Option<Time>) {
        if let Some(lease) = self.leases.get(&address) {
            let held_until = lease.held_until();
            return if held_until <= now { (Some(*lease), None) } else { (None, Some(held_until)) };
        }
        let closure = self.closed.get(&address).filter(|closure| closure.until > now);
        let closed_until = closure.map(|closure| match closure.lingers {
            Lingers::UntilAskedAgain(at) => at,
            Lingers::No | Lingers::AskedAgain => closure.until,
        });
        let offered_until = self.offers.get(&address).map(|offer| offer.until).filter(|until| *until > now);
        if closed_until.is_none() {
            self.closed.remove(&address);
        }
        if offered_until.is_none() {
            self.withdraw(address);
            self.free(address);
        }
        (None, closed_until.into_iter().chain(offered_until).min())
    }

    /// The lease of an address.
    pub fn get(&self, address: Ipv4Addr) -> Option<&Lease> {
        self.leases.get(&address)
    }

    /// Whether an address is lent where nothing is lent any more.
    pub fn is_stranded(&self, address: Ipv4Addr) -> bool {
        self.get(address).is_some_and(|lease| self.stranded.contains(&(lease.mac, address)))
    }

    /// All that is lent to a machine where nothing is lent any more.
    pub fn stranded(&self, mac: Mac) -> impl Iterator<Item = Ipv4Addr> {
        let all = (mac, Ipv4Addr::UNSPECIFIED)..=(mac, Ipv4Addr::BROADCAST);
        self.stranded.range(all).map(|(_, address)| *address)
    }

    /// The address that is lent to a machine from this range.
    pub fn borrowed(&self, mac: Mac, id: PoolId) -> Option<Ipv4Addr> {
        self.by_borrower.get(&(mac, id)).copied()
    }

    /// All that is lent to a machine.
    pub fn of(&self, mac: Mac) -> impl Iterator<Item = (Ipv4Addr, &Lease)> {
        let first = PoolId { network: 0, kind: PoolKind::Temporary };
        let borrowed = self.by_borrower.range((mac, first)..).take_while(move |((m, _), _)| *m == mac);
        let all = borrowed.map(|(_, address)| *address).chain(self.stranded(mac));
        all.filter_map(|address| Some((address, self.leases.get(&address)?)))
    }

    /// All leases, by address.
    pub fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &Lease)> {
        self.leases.iter().map(|(address, lease)| (*address, lease))
    }

    /// Standing offers, by address: to whom and until when.
    pub fn offers(&self) -> impl Iterator<Item = (Ipv4Addr, Mac, Time)> {
        self.offers.iter().map(|(address, offer)| (*address, offer.mac, offer.until))
    }

    /// Addresses that nobody gets now, and why.
    pub fn closed(&self) -> impl Iterator<Item = (Ipv4Addr, Closure)> {
        self.closed.iter().map(|(address, closure)| (*address, *closure))
    }

    /// Why nobody gets an address now, if so.
    pub fn closure(&self, address: Ipv4Addr) -> Option<Closure> {
        self.closed.get(&address).copied()
    }

    /// Whether an address is being probed.
    pub fn is_probed(&self, address: Ipv4Addr) -> bool {
        self.closed.get(&address).is_some_and(|closure| closure.probed.is_some())
    }

    /// Whether somebody was found to use an address.
    pub fn is_quarantined(&self, address: Ipv4Addr) -> bool {
        self.closed.get(&address).is_some_and(|closure| closure.probed.is_none())
    }

    /// Whether somebody else than this machine was.
    pub fn is_quarantined_from(&self, address: Ipv4Addr, mac: Mac) -> bool {
        self.closed.get(&address).is_some_and(|closure| closure.probed.is_none() && !closure.is_for(mac))
    }

    /// The range of an address.
    pub fn pool_of(&self, address: Ipv4Addr) -> Option<PoolId> {
        self.pools.iter().find(|(_, pool)| pool.range.contains(address)).map(|(id, _)| *id)
    }

    /// How many addresses of all ranges of a kind are not to be had now, and how many there are.
    pub fn used(&self, kind: PoolKind) -> (u64, u64) {
        let pools = self.pools.iter().filter(|(id, _)| id.kind == kind);
        pools.fold((0, 0), |(used, size), (_, pool)| {
            let not_offered = (pool.free.len() + pool.offers.len()) as u64;
            (used + pool.range.size() - not_offered, size + pool.range.size())
        })
    }

    fn insert(&mut self, address: Ipv4Addr, lease: Lease) {
        let is_kept = self.reserved.contains(&address);
        let of_range =
            self.pools.get_mut(&lease.pool).filter(|pool| pool.range.contains(address) && !is_kept);
        let is_lent_anywhere = matches!(lease.pool.kind, PoolKind::Number | PoolKind::Elsewhere);
        if let Some(pool) = of_range {
            pool.free.remove(&address);
            self.by_borrower.insert((lease.mac, lease.pool), address);
        } else if is_lent_anywhere {
            // Another configuration may have it in a range: nobody is to be offered it.
            for pool in self.pools.values_mut() {
                pool.free.remove(&address);
            }
            self.by_borrower.insert((lease.mac, lease.pool), address);
        } else {
            for pool in self.pools.values_mut() {
                pool.free.remove(&address);
            }
            self.stranded.insert((lease.mac, address));
        }
        self.leases.insert(address, lease);
    }

    fn remove(&mut self, address: Ipv4Addr) -> Option<Lease> {
        let lease = self.leases.remove(&address)?;
        self.returned.push(address);
        self.stranded.remove(&(lease.mac, address));
        // Another one may have been lent to its machine in its stead.
        if self.borrowed(lease.mac, lease.pool) == Some(address) {
            self.by_borrower.remove(&(lease.mac, lease.pool));
        }
        Some(lease)
    }

    /// The address goes back to its range, unless it is somebody's.
    fn free(&mut self, address: Ipv4Addr) {
        let is_lent = self.leases.contains_key(&address);
        let is_kept = self.closed.contains_key(&address) || self.reserved.contains(&address);
        if is_lent || is_kept || self.offers.contains_key(&address) {
            return;
        }
        let of_range = self.pools.values_mut().find(|pool| pool.range.contains(address));
        if let Some(pool) = of_range {
            pool.free.insert(address);
        }
    }
}

#[cfg(test)]
mod tests;
