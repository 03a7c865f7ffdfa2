//! All transfers, each in the place of its note: found without a search, by name or by whom it is sent to.

use super::TransferId;
use super::crowd::Crowd;
use super::flight::Flight;
use crate::limit::{TFTP_ABANDONED_AFTER, TRANSFERS_MAX};
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Address and port as one number: every ACK is looked for by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Peer(u64);

impl Peer {
    fn of(address: SocketAddrV4) -> Self {
        Self(u64::from(u32::from(*address.ip())) << 16 | u64::from(address.port()))
    }
}

/// As what a transfer gives way to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivesWay {
    /// Nothing of it was acknowledged yet.
    Unanswered,
    /// It is repeated to in vain, and was left.
    Left,
    UnderWay,
}

/// The transfers in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flights {
    /// By slot. The last place is taken.
    by_slot: Vec<Option<Flight>>,
    by_peer: BTreeMap<Peer, TransferId>,
    /// Of every address that has some, how many, and when the last one was asked for.
    asked: BTreeMap<Ipv4Addr, (u32, Time)>,
    crowd: Crowd,
    named: u64,
}

impl Flights {
    /// A name for the transfer of this slot that no other has or had: the slot can be read from it, and it is greater than all before.
    pub(super) fn name(&mut self, slot: u32) -> TransferId {
        self.named += 1;
        TransferId(self.named * TRANSFERS_MAX as u64 + u64::from(slot))
    }

    /// Takes in a transfer to a peer that has none, with a name that was made for its slot.
    pub(super) fn insert(&mut self, flight: Flight) {
        let place = place(flight.id);
        assert_eq!(place, flight.slot as usize, "it was named for another slot");
        if self.by_slot.len() <= place {
            self.by_slot.resize(place + 1, None);
        }
        let (count, last) = self.asked.entry(*flight.peer.ip()).or_insert_with(|| (0, flight.asked_at()));
        (*count, *last) = (*count + 1, flight.asked_at());
        self.by_peer.insert(Peer::of(flight.peer), flight.id);
        self.crowd.enter(*flight.peer.ip(), flight.id, flight.is_answered());
        self.by_slot[place] = Some(flight);
    }

    /// Takes a transfer out.
    pub(super) fn remove(&mut self, id: TransferId) -> Option<Flight> {
        let flight = self.by_slot.get_mut(place(id))?.take_if(|flight| flight.id == id)?;
        self.by_peer.remove(&Peer::of(flight.peer));
        self.crowd.leave(*flight.peer.ip(), id);
        if let Some((count, _)) = self.asked.get_mut(flight.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.asked.remove(flight.peer.ip());
            }
        }
        while self.by_slot.pop_if(|flight| flight.is_none()).is_some() {}
        if self.by_slot.is_empty() {
            self.by_slot = Vec::new(); // What a storm needed is given back.
        }
        Some(flight)
    }

    pub(super) fn get(&self, id: TransferId) -> Option<&Flight> {
        self.by_slot.get(place(id))?.as_ref().filter(|flight| flight.id == id)
    }

    pub(super) fn get_mut(&mut self, id: TransferId) -> Option<&mut Flight> {
        self.by_slot.get_mut(place(id))?.as_mut().filter(|flight| flight.id == id)
    }

    /// The transfer to a peer.
    pub(super) fn to(&self, peer: SocketAddrV4) -> Option<&Flight> {
        self.get(*self.by_peer.get(&Peer::of(peer))?)
    }

    /// Whether the machine of a transfer has left it for good: it was left, and did not answer a repeat after that; and it is silent for longer than firmware waits. That alone tells: an address may be that of many machines (a router that translates, the machines within one), which all load the same at
    /// a time, and whoever of them is stopped for some seconds, or cut off, has not left what he loads because another one asks.
    pub(super) fn is_abandoned(now: Time, flight: &Flight) -> bool {
        let is_repeated_since = flight.left.is_some_and(|repeats| flight.unanswered() > repeats);
        is_repeated_since && now.since(flight.heard) >= TFTP_ABANDONED_AFTER
    }

    /// The machine of a transfer has acknowledged something for the first time.
    pub(super) fn answered(&mut self, address: Ipv4Addr, id: TransferId) {
        self.crowd.answered(address, id);
    }

    /// The machine of a transfer fell silent. If a file was asked for from its address since it spoke last, the transfer was left.
    pub(super) fn falls_silent(&mut self, address: Ipv4Addr, id: TransferId) {
        let asked = self.asked.get(&address).map(|(_, asked)| *asked);
        let Some(flight) = self.get_mut(id) else { return };
        let is_left = asked > Some(flight.spoke_at());
        flight.left = is_left.then_some(flight.unanswered());
        self.crowd.falls_silent(address, id, is_left);
    }

    /// It is not silent any more.
    pub(super) fn is_not_silent(&mut self, address: Ipv4Addr, id: TransferId) {
        self.crowd.is_not_silent(address, id);
        if let Some(flight) = self.get_mut(id) {
            flight.left = None;
        }
    }

    /// A file is asked for from this address, by a port that has no transfer, whatever comes of that: what is silent there was left.
    pub(super) fn asked_anew(&mut self, now: Time, from: Ipv4Addr) {
        let Some((_, last)) = self.asked.get_mut(&from) else { return };
        *last = now;
        for id in self.crowd.asked_anew(from) {
            if let Some(flight) = self.get_mut(id) {
                flight.left = Some(flight.unanswered());
            }
        }
    }

    /// Who gives way to one more transfer to this address, if somebody has to; and how.
    pub(super) fn gives_way(&self, to: Ipv4Addr) -> Option<(TransferId, GivesWay)> {
        let id = self.crowd.gives_way(to, self.len())?;
        let way = match (self.crowd.is_unanswered(id), self.get(id)?.left) {
            (true, _) => GivesWay::Unanswered,
            (false, Some(_)) => GivesWay::Left,
            (false, None) => GivesWay::UnderWay,
        };
        Some((id, way))
    }

    /// How many of them share the links: those that were left do not.
    pub(super) fn sharing(&self) -> usize {
        self.len() - self.crowd.left()
    }

    pub(super) fn len(&self) -> usize {
        self.by_peer.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flight> {
        self.by_slot.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Flight> {
        self.by_slot.iter_mut().flatten()
    }
}

/// The slot that a name was made for.
fn place(id: TransferId) -> usize {
    const SLOTS: u64 = TRANSFERS_MAX as u64;
    (id.0 % SLOTS) as usize
}
