//! Who has to be forgotten when the table of nodes is full.

use super::{Node, Nodes};
use crate::limit::NODES_MAX;
use crate::mac::Mac;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Machines that can be forgotten: each once, since when it was one of them last.
#[derive(Clone, Debug, Default)]
pub(super) struct Forgettable {
    since: BTreeMap<Mac, Time>,
    /// The longest unseen first.
    in_order: BTreeSet<(Time, Mac)>,
}

/// A machine that was forgotten, and whether anything of it is kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Which one.
    pub mac: Mac,
    /// Whether a record says how far it got.
    pub is_recorded: bool,
    /// Whether it was ever tried.
    pub was_tried: bool,
}

impl Forgettable {
    fn insert(&mut self, now: Time, mac: Mac) {
        self.remove(mac);
        self.since.insert(mac, now);
        self.in_order.insert((now, mac));
    }

    pub(super) fn remove(&mut self, mac: Mac) {
        if let Some(since) = self.since.remove(&mac) {
            self.in_order.remove(&(since, mac));
        }
    }

    pub(super) fn rename(&mut self, mac: Mac, to: Mac) {
        if let Some(since) = self.since.get(&mac).copied() {
            self.remove(mac);
            self.insert(since, to);
        }
    }

    fn take_first(&mut self) -> Option<Mac> {
        let (_, mac) = self.in_order.pop_first()?;
        self.since.remove(&mac);
        Some(mac)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        assert_eq!(self.since.len(), self.in_order.len());
        self.since.len()
    }
}

impl Node {
    /// Nothing was promised to it: it can be forgotten when the table is full.
    fn is_forgettable(&self) -> bool {
        self.is_nobodys() && self.stage == super::Stage::Seen
    }

    /// It has no number, and no operator has decided anything about it.
    fn is_nobodys(&self) -> bool {
        let has_number = self.number.or(self.claim).is_some() || self.becoming.is_some();
        !has_number && self.orders.are_none()
    }
}

impl Nodes {
    /// The machine with this hardware address, new if need be. Also which one had to be forgotten for it.
    /// None: the table is full of machines that something was promised to.
    pub fn meet(&mut self, now: Time, mac: Mac) -> Option<(&mut Node, Option<Forgotten>)> {
        if let Some(place) = self.place(mac) {
            return Some((&mut self.nodes[place], None));
        }
        let mut forgotten = None;
        if self.nodes.len() >= NODES_MAX {
            forgotten = Some(self.forget_oldest()?);
        }
        self.forgettable.insert(now, mac);
        let place = self.insert(Node::new(now, mac));
        Some((&mut self.nodes[place], forgotten))
    }

    /// Takes note that nothing is promised to a machine any more, if so: it can be forgotten when the table is full.
    pub fn let_go(&mut self, now: Time, mac: Mac) {
        let mac = self.identity(mac);
        if self.get(mac).is_some_and(Node::is_forgettable) {
            self.forgettable.insert(now, mac);
        }
    }

    /// Who gives way to a machine that the configuration lists, where nobody can be forgotten: of those without a number that are not listed, the one that has been where it is for longest.
    pub fn gives_way(&self, is_listed: impl Fn(Mac) -> bool) -> Option<Mac> {
        let strangers = self.nodes.iter().filter(|node| node.is_nobodys() && !is_listed(node.mac));
        strangers.min_by_key(|node| (node.since.at(), node.mac)).map(|node| node.mac)
    }

    /// Takes out the machine that was unseen the longest and that nothing was promised to.
    fn forget_oldest(&mut self) -> Option<Forgotten> {
        while let Some(mac) = self.forgettable.take_first() {
            let is_forgettable = |place: &usize| self.nodes[*place].is_forgettable();
            if self.places.get(&mac).is_some_and(is_forgettable)
                && let Some(node) = self.take_out(mac)
            {
                let (is_recorded, was_tried) = (node.is_recorded, !node.trials.is_empty());
                return Some(Forgotten { mac, is_recorded, was_tried });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
