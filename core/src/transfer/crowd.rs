//! Who gives way where there is no room for one more transfer. A request costs its sender one datagram, and a transfer of nobody is repeated to until its patience ends: so that
//! whoever asks by thousands takes room from himself first.

use super::TransferId;
use crate::limit::{TRANSFERS_FEW, TRANSFERS_MAX, TRANSFERS_UNANSWERED_PER_ADDRESS_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// All transfers, by the address of their machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    addresses: BTreeMap<Ipv4Addr, Address>,
    by_count: BTreeSet<(usize, Ipv4Addr)>,
    /// How many were left.
    left: usize,
    /// Those of all whose machines acknowledged nothing yet.
    unanswered: BTreeSet<TransferId>,
}

/// The transfers to one address, the oldest first: names grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Address {
    unanswered: BTreeSet<TransferId>,
    answered: BTreeSet<TransferId>,
    /// Those of both that are repeated to in vain, and may be awaited still; and those that were left, because something was asked for anew since they were heard.
    silent: BTreeSet<TransferId>,
    left: BTreeSet<TransferId>,
}

impl Address {
    fn count(&self) -> usize {
        self.unanswered.len() + self.answered.len()
    }
}

impl Crowd {
    /// A transfer begins; after a restart it may have been answered before.
    pub(super) fn enter(&mut self, address: Ipv4Addr, id: TransferId, is_answered: bool) {
        self.change(address, |it| {
            if is_answered { &mut it.answered } else { &mut it.unanswered }.insert(id);
        });
        if !is_answered {
            self.unanswered.insert(id);
        }
    }

    /// Its machine acknowledged something for the first time.
    pub(super) fn answered(&mut self, address: Ipv4Addr, id: TransferId) {
        if self.unanswered.remove(&id)
            && let Some(it) = self.addresses.get_mut(&address)
            && it.unanswered.remove(&id)
        {
            it.answered.insert(id);
        }
    }

    /// Its machine fell silent; whether something was asked for anew since it was heard.
    pub(super) fn falls_silent(&mut self, address: Ipv4Addr, id: TransferId, is_left: bool) {
        if let Some(it) = self.addresses.get_mut(&address) {
            self.left += usize::from(is_left);
            if is_left { &mut it.left } else { &mut it.silent }.insert(id);
        }
    }

    /// Something was asked for anew from an address: those that were left by that.
    pub(super) fn asked_anew(&mut self, address: Ipv4Addr) -> BTreeSet<TransferId> {
        let Some(it) = self.addresses.get_mut(&address) else { return BTreeSet::new() };
        let left = std::mem::take(&mut it.silent);
        self.left += left.len();
        it.left.extend(&left);
        left
    }

    /// Its machine is not silent, or has gone.
    pub(super) fn is_not_silent(&mut self, address: Ipv4Addr, id: TransferId) {
        if let Some(it) = self.addresses.get_mut(&address)
            && !it.silent.remove(&id)
            && it.left.remove(&id)
        {
            self.left -= 1;
        }
    }

    /// It has ended.
    pub(super) fn leave(&mut self, address: Ipv4Addr, id: TransferId) {
        self.unanswered.remove(&id);
        self.is_not_silent(address, id);
        self.change(address, |it| _ = it.unanswered.remove(&id) || it.answered.remove(&id));
    }

    /// Who gives way to one more transfer, to this address, where there are so many. None: there is room, or nobody who is to.
    pub(super) fn gives_way(&self, to: Ipv4Addr, count: usize) -> Option<TransferId> {
        let own = self.addresses.get(&to).map(|it| &it.unanswered);
        let own = own.filter(|unanswered| unanswered.len() >= TRANSFERS_UNANSWERED_PER_ADDRESS_MAX);
        if let Some(unanswered) = own {
            return unanswered.first().copied();
        }
        if count < TRANSFERS_MAX {
            return None;
        }
        // Whoever begins anew, as all do whose power failed, has one himself that nobody waits for.
        if let Some(left) = self.addresses.get(&to).and_then(|it| it.left.first()) {
            return Some(*left);
        }
        let crowd = self.by_count.last().filter(|(count, _)| *count > TRANSFERS_FEW);
        let Some((address, it)) =
            crowd.and_then(|(_, address)| Some((address, self.addresses.get(address)?)))
        else {
            return self.unanswered.first().copied();
        };
        // What is under way is ended for the sake of another address alone; and who has most himself takes nobody's place.
        let answered = it.answered.first().filter(|_| *address != to);
        it.unanswered.first().or(answered).copied()
    }

    /// How many are repeated to in vain, and were left: something was asked for anew from their address.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Whether its machine acknowledged nothing yet: then it may go without a word, and a client that is there asks again.
    pub(super) fn is_unanswered(&self, id: TransferId) -> bool {
        self.unanswered.contains(&id)
    }

    fn change(&mut self, address: Ipv4Addr, change: impl FnOnce(&mut Address)) {
        let it = self.addresses.entry(address).or_default();
        let before = it.count();
        change(it);
        let after = it.count();
        self.by_count.remove(&(before, address));
        if after == 0 {
            self.addresses.remove(&address);
        } else {
            self.by_count.insert((after, address));
        }
    }
}

#[cfg(test)]
mod tests;
