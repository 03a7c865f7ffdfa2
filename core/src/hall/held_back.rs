//! Offers that wait for their moment: until it is known that nobody has the address, or until the link has room.

use super::{Deferred, Offer};
use crate::limit::{OFFERS_HELD_BACK_MAX, WAYS_PER_CLIENT_MAX};
use crate::mac::Mac;
use crate::message::Datagram;
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// An offer that is held back, and what is told of it when it goes.
#[derive(Debug)]
pub(crate) struct HeldBack {
    pub(crate) address: Ipv4Addr,
    /// When it goes.
    pub(crate) at: Time,
    /// What it answers: another address may have to be offered.
    pub(crate) asked: Deferred,
    pub(crate) offer: Offer,
    /// How many addresses were tried before this one.
    pub(crate) tried: u32,
    /// Whether it was made before the configuration became another, or before an operator decided about its machine or the number of its address: it may be another one by now, or none.
    pub(crate) is_outdated: bool,
}

/// All that are held back. A client that asks by several ways, as by two relays of its network, is answered by each: what came by a relay is answered to the one "whose address appears in 'giaddr'" (RFC 2131 4.1).
#[derive(Debug, Default)]
pub(crate) struct HeldBackOffers {
    /// At least one for each client that is in it.
    offers: BTreeMap<Mac, Vec<HeldBack>>,
}

impl HeldBackOffers {
    /// Of so many clients.
    pub(crate) fn len(&self) -> usize {
        self.offers.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= OFFERS_HELD_BACK_MAX
    }

    /// Holds one back. What the client was to be told by the same way is forgotten; of too many ways the first one is.
    pub(crate) fn insert(&mut self, mac: Mac, held: HeldBack) {
        let offers = self.offers.entry(mac).or_default();
        offers.retain(|other| !other.asked.came_as(held.asked.datagram()));
        if offers.len() >= WAYS_PER_CLIENT_MAX {
            offers.remove(0);
        }
        offers.push(held);
    }

    /// The client has what it wants, or asks for something else.
    pub(crate) fn remove(&mut self, mac: Mac) {
        self.offers.remove(&mac);
    }

    /// The client asks again by this way.
    pub(crate) fn remove_by(&mut self, mac: Mac, asked: Datagram<'_>) {
        self.take(mac, |held| held.asked.came_as(asked));
    }

    /// Takes out what a client is to be told by now.
    pub(crate) fn take_due(&mut self, now: Time, mac: Mac) -> Vec<HeldBack> {
        self.take(mac, |held| held.at <= now)
    }

    /// When the next offer to a client goes.
    pub(crate) fn next(&self, mac: Mac) -> Option<Time> {
        self.offers.get(&mac)?.iter().map(|held| held.at).min()
    }

    /// Takes out what a client waits for that was to be offered this address.
    pub(crate) fn take_of(&mut self, address: Ipv4Addr) -> Option<(Mac, Vec<HeldBack>)> {
        let is_of = |held: &HeldBack| held.address == address;
        let mut all = self.offers.iter();
        let mac = all.find_map(|(mac, offers)| offers.iter().any(is_of).then_some(*mac))?;
        Some((mac, self.take(mac, is_of)))
    }

    /// Whether one waits for this address.
    pub(crate) fn wait_for(&self, address: Ipv4Addr) -> bool {
        self.offers.values().flatten().any(|held| held.address == address)
    }

    /// The one that was held back last for a client.
    pub(crate) fn last_mut(&mut self, mac: Mac) -> Option<&mut HeldBack> {
        self.offers.get_mut(&mac)?.last_mut()
    }

    /// The configuration is another: all that wait were made by the old one.
    pub(crate) fn outdate(&mut self) {
        self.offers.values_mut().flatten().for_each(|held| held.is_outdated = true);
    }

    /// An operator has decided something about the machine with this card: so were those that wait for it.
    pub(crate) fn outdate_of(&mut self, card: Mac) {
        self.offers.get_mut(&card).into_iter().flatten().for_each(|held| held.is_outdated = true);
    }

    /// An address has become somebody's: so were those that speak of it.
    pub(crate) fn outdate_at(&mut self, address: Ipv4Addr) {
        let all = self.offers.values_mut().flatten();
        all.filter(|held| held.address == address).for_each(|held| held.is_outdated = true);
    }

    fn take(&mut self, mac: Mac, is_meant: impl Fn(&HeldBack) -> bool) -> Vec<HeldBack> {
        let Some(offers) = self.offers.remove(&mac) else { return Vec::new() };
        let (taken, left): (Vec<_>, Vec<_>) = offers.into_iter().partition(is_meant);
        if !left.is_empty() {
            self.offers.insert(mac, left);
        }
        taken
    }
}
