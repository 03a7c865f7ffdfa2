//! Names of hosts to which addresses are lent, and the serial of the zones.
//!
//! A number's name is arithmetic and needs none of this. A host without a number says how it is called (option 12 or 81), and is called so
//! as long as its loan lasts, if nobody else is.
//!
//! **The serial never goes back**, whatever dies when. So it is served only below a bound that is durable; a start takes the bound itself, which
//! was never served, and records another one.

use crate::cluster::dynamic::UpdateId;
use crate::cluster::record::Ticket;
use crate::limit::SERIALS_RESERVED;
use heorot_names::{Change, Dynamic};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Who is called how, and what of it is not published yet.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    by_address: BTreeMap<Ipv4Addr, Named>,
    by_name: BTreeMap<String, Ipv4Addr>,
    /// By address, of which the last word counts: where no serial is to be had, hosts go on renewing.
    pending: BTreeMap<Ipv4Addr, Pending>,
    pending_updates: Vec<Dynamic>,
    /// Updates whose changes are among these: they are answered when these are told.
    updates: Vec<UpdateId>,
    /// Whether somebody can see what is pending: how long a loan still lasts is no part of a zone.
    is_seen: bool,
    /// Whether the directory has changed, too.
    directory_changed: bool,
    serial: Serial,
}

/// What is to be published of an address.
#[derive(Debug, Default)]
struct Pending {
    /// Whether the name that was published last is over.
    is_returned: bool,
    /// The name that it has since, and until when.
    lent: Option<(String, u64)>,
}

/// A name that is kept for an address.
#[derive(Debug)]
struct Named {
    name: String,
    is_published: bool,
}

/// The serial of all zones (RFC 1982).
#[derive(Debug, Default)]
struct Serial {
    /// As it was published last.
    served: u32,
    /// Serials before this one may be served: it is durable.
    bound: u32,
    /// A further bound that is being recorded.
    proposed: Option<(Ticket, u32)>,
}

impl Naming {
    /// Starts with the bound that was recorded, if one was. The operator's serial goes first, if it is the higher one: then the zones were another server's.
    pub(crate) fn starting(recorded: Option<u32>, at_least: u32) -> Self {
        // What may have been served before goes on being served, until a higher one may be.
        let before = recorded.map_or(at_least, |bound| higher(bound.wrapping_sub(1), at_least));
        let serial = Serial { served: before, bound: before.wrapping_add(1), proposed: None };
        Self { serial, ..Self::default() }
    }

    /// The serial that was published last.
    pub(crate) fn serial(&self) -> u32 {
        self.serial.served
    }

    /// The name of the host that has an address.
    pub(crate) fn name(&self, address: Ipv4Addr) -> Option<&str> {
        self.by_address.get(&address).map(|named| named.name.as_str())
    }

    /// The address that goes by a name.
    pub(crate) fn address(&self, name: &str) -> Option<Ipv4Addr> {
        self.by_name.get(name).copied()
    }

    /// Keeps a name for an address, which may have had another one. Nobody hears of it before [`Naming::lent`].
    pub(crate) fn keep(&mut self, address: Ipv4Addr, name: String) {
        self.ended(address);
        if let Some(before) = self.by_name.get(&name).copied() {
            self.ended(before);
        }
        self.by_name.insert(name.clone(), address);
        self.by_address.insert(address, Named { name, is_published: false });
    }

    /// The loan of an address is durable, or was renewed: its host is known by the name that was kept for it.
    pub(crate) fn lent(&mut self, address: Ipv4Addr, until_nanoseconds: u64) {
        if let Some(named) = self.by_address.get_mut(&address) {
            self.is_seen |= !named.is_published;
            named.is_published = true;
            self.pending.entry(address).or_default().lent = Some((named.name.clone(), until_nanoseconds));
        }
    }

    /// A loan has ended, or came to nothing.
    pub(crate) fn ended(&mut self, address: Ipv4Addr) {
        let Some(named) = self.by_address.remove(&address) else { return };
        self.by_name.remove(&named.name);
        if named.is_published {
            self.is_seen = true;
            self.pending.insert(address, Pending { is_returned: true, lent: None });
        }
    }

    /// An update is durable.
    pub(crate) fn updated(&mut self, id: UpdateId, changes: Vec<Dynamic>) {
        self.is_seen = true;
        self.pending_updates.extend(changes);
        self.updates.push(id);
    }

    /// The updates of which all changes are told.
    pub(crate) fn told_updates(&mut self) -> Vec<UpdateId> {
        if self.is_all_told() { std::mem::take(&mut self.updates) } else { Vec::new() }
    }

    fn is_all_told(&self) -> bool {
        self.pending.is_empty() && self.pending_updates.is_empty()
    }

    /// Every address for which a name is kept, and the name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &str)> {
        self.by_address.iter().map(|(address, named)| (*address, named.name.as_str()))
    }

    /// Whether the directory waits to be published.
    pub(crate) fn is_directory_due(&self) -> bool {
        self.directory_changed
    }

    /// The directory is another one.
    pub(crate) fn directory_changed(&mut self) {
        self.directory_changed = true;
    }

    /// What is to be published now, and whether the directory is: under the next serial, if somebody can see it. Nothing also if that serial is not durable.
    pub(crate) fn due(&mut self) -> Option<(u32, Vec<Change>, bool)> {
        if self.is_all_told() && !self.directory_changed {
            return None;
        }
        if self.is_seen || self.directory_changed {
            let next = self.serial.served.wrapping_add(1);
            if next == self.serial.bound {
                return None;
            }
            self.serial.served = next;
            self.is_seen = false;
        }
        Some((self.serial.served, self.take_pending(), std::mem::take(&mut self.directory_changed)))
    }

    /// What is to be told of names that are no arithmetic. What is over goes first: a name may be another address's by now.
    pub(crate) fn take_pending(&mut self) -> Vec<Change> {
        let pending = std::mem::take(&mut self.pending);
        let over = pending.iter().filter(|(_, pending)| pending.is_returned);
        let mut changes: Vec<_> = over.map(|(address, _)| Change::Returned { address: *address }).collect();
        changes.extend(pending.into_iter().filter_map(|(address, pending)| {
            let (name, until_nanoseconds) = pending.lent?;
            Some(Change::Lent { name, address, until_nanoseconds })
        }));
        changes.extend(std::mem::take(&mut self.pending_updates).into_iter().map(Change::Updated));
        changes
    }

    /// The bound that is to be recorded, if it is time: when half of the serials are used up.
    pub(crate) fn next_bound(&self) -> Option<u32> {
        let left = self.serial.bound.wrapping_sub(self.serial.served);
        let is_time = left <= SERIALS_RESERVED / 2 && self.serial.proposed.is_none();
        is_time.then(|| self.serial.served.wrapping_add(1 + SERIALS_RESERVED))
    }

    /// The record of that bound has this ticket.
    pub(crate) fn proposed(&mut self, ticket: Ticket, bound: u32) {
        self.serial.proposed = Some((ticket, bound));
    }

    /// The records up to and including this ticket are durable, or never will be.
    pub(crate) fn decided(&mut self, through: Ticket, are_durable: bool) {
        if let Some((_, bound)) = self.serial.proposed.take_if(|(ticket, _)| *ticket <= through)
            && are_durable
        {
            self.serial.bound = bound;
        }
    }
}

/// The higher of two serials (RFC 1982 3.2).
fn higher(one: u32, other: u32) -> u32 {
    if one.wrapping_sub(other) < 1 << 31 { one } else { other }
}

#[cfg(test)]
mod tests;
