//! What is offered, and to whom: in memory alone, nothing is promised.

use super::{Leases, Offer, PoolId, PoolKind};
use crate::config::{AddressRange, Config, Mode};
use crate::limit::{HOLD_AFTER_LIFE, OFFER_KEPT, OFFER_STANDS};
use crate::mac::Mac;
use crate::time::Time;
use std::net::Ipv4Addr;

impl Leases {
    /// The address to offer: the one that is lent to this machine already, else the one that it wishes for if that is free, else the one it was offered last, else the one that it gave
    /// back just now or answers for, else the free one nearest above its own place. None: there is none left.
    pub fn offer(&mut self, now: Time, mac: Mac, id: PoolId, wished: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        if let Some(address) = self.borrowed(mac, id) {
            // What its machine was to have instead is not to be had, or this would not be offered: who takes it gets it.
            if let Some(lease) = self.leases.get_mut(&address) {
                lease.superseded = false;
            }
            return Some(address);
        }
        if let Some(address) = wished.filter(|address| self.check(*address, mac, id).is_ok()) {
            let before = self.offered_to.get(&(mac, id)).copied();
            let made = before.filter(|before| *before == address).and_then(|_| self.made(address));
            if let Some(before) = before {
                self.withdraw(before);
            }
            return Some(self.stand_since(made.unwrap_or(now), now, address, mac, id));
        }
        if let Some(address) = self.offered_to.get(&(mac, id)).copied() {
            let made = self.made(address).unwrap_or(now);
            self.forget(address);
            return Some(self.stand_since(made, now, address, mac, id));
        }
        // "The client's previous address as recorded in the client's (now expired or released) binding" goes first (RFC 2131 4.3.1). A moment later its own place leads there as well.
        let its = self.closed.probed_of(mac).chain(self.closed.answered_by(mac));
        let had_until_now = its.into_iter().find(|address| self.check(*address, mac, id).is_ok());
        if let Some(address) = had_until_now {
            return Some(self.stand(now, address, mac, id));
        }
        let pool = self.pools.get(&id)?;
        let place = place(mac, pool.range);
        let nearest = pool.free.range(place..).next().or_else(|| pool.free.first()).copied();
        if let Some(address) = nearest {
            return Some(self.stand(now, address, mac, id));
        }
        let is_there = |address: &Ipv4Addr| {
            pool.range.contains(*address)
                && !self.offers.contains_key(address)
                && !self.reserved.contains(address)
        };
        let mut probed = self.closed.iter().filter(|(_, closure)| closure.probed.is_some());
        let address = probed.find(|(address, _)| is_there(address)).map(|(address, _)| *address);
        let address = address.or_else(|| self.declined_first(mac, pool.range));
        let is_over = |(made, _): &&(Time, Ipv4Addr)| *made + OFFER_KEPT <= now;
        let address = address.or_else(|| pool.offers.first().filter(is_over).map(|(_, oldest)| *oldest))?;
        self.forget(address);
        if self.is_quarantined(address) {
            self.closed.remove(&address);
        }
        Some(self.stand(now, address, mac, id))
    }

    /// Offers the address of a number that is about to be given: the one that was offered to this machine last, else this one, which is offered to nobody.
    pub fn offer_number(
        &mut self,
        now: Time,
        mac: Mac,
        network: usize,
        address: Option<Ipv4Addr>,
    ) -> Option<Ipv4Addr> {
        let id = PoolId { network, kind: PoolKind::Number };
        if let Some(address) = self.standing(mac, id) {
            let made = self.made(address).unwrap_or(now);
            self.forget(address);
            return Some(self.stand_since(made, now, address, mac, id));
        }
        let is_free =
            |address: &Ipv4Addr| !self.offers.contains_key(address) && !self.leases.contains_key(address);
        Some(self.stand(now, address.filter(is_free)?, mac, id))
    }

    /// Addresses of numbers that were offered so long ago that they give way where no other is left, the oldest first.
    pub fn numbers_that_give_way(&self, now: Time, network: usize) -> Vec<Ipv4Addr> {
        let id = PoolId { network, kind: PoolKind::Number };
        let gives_way = |offer: &Offer| offer.pool == id && !offer.is_taken && offer.made + OFFER_KEPT <= now;
        let old = self.offers.iter().filter(|(_, offer)| gives_way(offer));
        let mut old: Vec<_> = old.map(|(address, offer)| (offer.made, *address)).collect();
        old.sort_unstable();
        old.into_iter().map(|(_, address)| address).collect()
    }

    /// What was offered to a machine last, and stands.
    pub fn standing(&self, mac: Mac, id: PoolId) -> Option<Ipv4Addr> {
        self.offered_to.get(&(mac, id)).copied()
    }

    /// To whom an address is offered.
    pub fn offered(&self, address: Ipv4Addr) -> Option<Mac> {
        self.offers.get(&address).map(|offer| offer.mac)
    }

    /// The machine that is heard at an address which was only offered to it: as with a loan, it is nobody else's.
    pub fn taken(&self, address: Ipv4Addr) -> Option<Mac> {
        self.offers.get(&address).filter(|offer| offer.is_taken).map(|offer| offer.mac)
    }

    /// Somebody is heard at an address that is only offered: the ROM of a Raspberry Pi 2 or 3 never sends a REQUEST for it (raspberrypi/documentation 1067). As with a
    /// loan, a node's sign of life holds it, and a guest has to ask.
    pub(super) fn takes_offer(&mut self, now: Time, address: Ipv4Addr) {
        let Some(offer) = self.offers.get_mut(&address).filter(|offer| offer.pool.kind != PoolKind::Guest)
        else {
            return;
        };
        if let Some(pool) = self.pools.get_mut(&offer.pool) {
            pool.offers.remove(&(offer.made, address));
        }
        (offer.until, offer.is_taken) = (offer.until.max(now + HOLD_AFTER_LIFE), true);
    }

    /// What was offered by another configuration. An address that its machine has taken is nobody else's, whatever is in its place now; but the machine is offered it again only where it
    /// would be by this one.
    pub(super) fn offer_again(&mut self, config: &Config, address: Ipv4Addr, offer: Offer) {
        let network = config.networks.iter().position(|network| network.contains(address));
        let Some(network) = network.filter(|_| !self.leases.contains_key(&address)) else { return };
        let id = PoolId { network, ..offer.pool };
        let settings = &config.networks[network];
        let is_of_range = self.pools.get(&id).is_some_and(|pool| pool.range.contains(address));
        let is_of_number = id.kind == PoolKind::Number
            && settings.mode == Mode::Serve
            && settings.numbering.number(address).is_some();
        let is_its_own = (is_of_range || is_of_number) && !self.reserved.contains(&address);
        if !is_its_own && !offer.is_taken {
            return;
        }
        for pool in self.pools.values_mut() {
            pool.free.remove(&address);
        }
        self.offers.insert(address, Offer { pool: id, ..offer });
        if is_its_own {
            self.offered_to.insert((offer.mac, id), address);
        }
        if let Some(pool) = self.pools.get_mut(&id).filter(|_| !offer.is_taken) {
            pool.offers.insert((offer.made, address));
        }
    }

    /// Forgets what was offered to a machine: it chose another server, or has got its address.
    pub fn forget_offers(&mut self, mac: Mac) {
        let first = PoolId { network: 0, kind: PoolKind::Temporary };
        let of_machine = self.offered_to.range((mac, first)..).take_while(|((m, _), _)| *m == mac);
        let addresses: Vec<_> = of_machine.map(|(_, address)| *address).collect();
        for address in addresses {
            self.withdraw(address);
        }
    }

    /// An address is no more to be had by whom it is offered to, unless that is heard there already.
    pub fn take_back_offer(&mut self, address: Ipv4Addr) {
        if self.offered(address).is_some() && self.taken(address).is_none() {
            self.withdraw(address);
        }
    }

    fn stand(&mut self, now: Time, address: Ipv4Addr, mac: Mac, id: PoolId) -> Ipv4Addr {
        self.stand_since(now, now, address, mac, id)
    }

    /// The same of an offer that was made before, and is made again.
    fn stand_since(&mut self, made: Time, now: Time, address: Ipv4Addr, mac: Mac, id: PoolId) -> Ipv4Addr {
        let offer = Offer { mac, pool: id, made, until: now + OFFER_STANDS, is_taken: false };
        self.offers.insert(address, offer);
        self.offered_to.insert((mac, id), address);
        if let Some(pool) = self.pools.get_mut(&id) {
            pool.free.remove(&address);
            pool.offers.insert((offer.made, address));
        }
        address
    }

    /// When an address was offered for the first time to the machine that it is offered to.
    fn made(&self, address: Ipv4Addr) -> Option<Time> {
        self.offers.get(&address).map(|offer| offer.made)
    }

    /// Takes an offer back: the address goes back to its range.
    pub(super) fn withdraw(&mut self, address: Ipv4Addr) {
        if self.forget(address) {
            self.free(address);
        }
    }

    /// Takes an offer of an address back that is somebody's in the next moment. Whether there was one.
    pub(super) fn forget(&mut self, address: Ipv4Addr) -> bool {
        let Some(offer) = self.offers.remove(&address) else { return false };
        let of_machine = (offer.mac, offer.pool);
        // Another one may have been offered to it in its stead.
        if self.offered_to.get(&of_machine) == Some(&address) {
            self.offered_to.remove(&of_machine);
        }
        // By another configuration it may be a number's, whatever it was offered as.
        self.returned.push(address);
        if let Some(pool) = self.pools.get_mut(&offer.pool) {
            pool.offers.remove(&(offer.made, address));
        }
        true
    }
}

/// Where a machine's search for a free address begins: always at the same place, so that it is offered the same address again
/// although nothing was kept.
pub(super) fn place(mac: Mac, range: AddressRange) -> Ipv4Addr {
    let offset = mac.stable_hash() % range.size();
    let offset = u32::try_from(offset).expect("a range of addresses has less than 2^32 of them");
    Ipv4Addr::from(u32::from(range.first) + offset)
}
