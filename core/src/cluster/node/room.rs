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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Which one.
    pub mac: Mac,
    /// Its further hardware addresses.
    pub further_macs: Vec<Mac>,
    /// Whether a record says how far it got.
    pub is_recorded: bool,
    /// Whether it was ever tried.
    pub was_tried: bool,
    /// Whether a record says what was promised to it.
    pub is_kept: bool,
    /// Whether a record says that its secrets were given.
    pub is_secrets_kept: bool,
    /// Whether an operator decided anything about it.
    pub has_orders: bool,
}

impl From<Node> for Forgotten {
    fn from(node: Node) -> Self {
        Self {
            mac: node.mac,
            is_recorded: node.is_recorded,
            was_tried: !node.trials.is_empty(),
            is_kept: node.is_kept,
            is_secrets_kept: node.is_secrets_kept,
            has_orders: !node.orders.are_none(),
            further_macs: node.further_macs,
        }
    }
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

    /// It did not pass its trial, and an operator has decided nothing about it.
    fn is_failed(&self) -> bool {
        self.is_nobodys() && self.stage == super::Stage::Failed
    }

    /// It has no number, and no operator has decided anything about it, or is about to.
    fn is_nobodys(&self) -> bool {
        !self.has_or_gets_number() && !self.is_being_decided && self.orders.are_none()
    }

    /// It has no number, and what operators decided about it keeps nobody from serving: at most it boots something else, or another board has its number.
    fn may_give_way(&self) -> bool {
        !self.has_or_gets_number() && !self.is_being_decided && self.orders.may_be_forgotten()
    }

    fn has_or_gets_number(&self) -> bool {
        self.number.or(self.claim).is_some() || self.becoming.is_some()
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
        if self.is_full() {
            forgotten = Some(self.forget_oldest()?);
        }
        self.forgettable.insert(now, mac);
        let place = self.insert(Node::new(now, mac));
        Some((&mut self.nodes[place], forgotten))
    }

    /// Takes note that nothing is promised to a machine any more, if so: it can be forgotten when the table is full. One that failed and boots again is there.
    pub fn let_go(&mut self, now: Time, mac: Mac) {
        let mac = self.identity(mac);
        let Some(node) = self.get(mac) else { return };
        let (is_forgettable, is_failed) = (node.is_forgettable(), node.is_failed());
        if is_forgettable {
            self.forgettable.insert(now, mac);
        }
        if !is_failed {
            self.given_up.remove(mac);
        }
    }

    /// Takes note that a machine has no address any more: if it failed, it can be forgotten when there is nobody else.
    pub fn give_up_failed(&mut self, now: Time, mac: Mac) {
        let mac = self.identity(mac);
        if self.get(mac).is_some_and(Node::is_failed) {
            self.given_up.insert(now, mac);
        }
    }

    /// Takes note that a machine has an address, also one that failed.
    pub fn is_there(&mut self, mac: Mac) {
        let mac = self.identity(mac);
        self.given_up.remove(mac);
    }

    /// Who gives way to a machine that the configuration lists, where nobody can be forgotten: of those without a number that are not listed, the one that was not heard for longest. Those that were
    /// not heard since the start are equal.
    pub fn gives_way(
        &self,
        is_listed: impl Fn(Mac) -> bool,
        heard_last: impl Fn(&Node) -> Option<Time>,
    ) -> Option<Mac> {
        let strangers = self.nodes.iter().filter(|node| node.may_give_way() && !is_listed(node.mac));
        let last = |node: &Node| heard_last(node).max(Some(node.since.by_clock()));
        strangers.min_by_key(|node| (last(node), node.mac)).map(|node| node.mac)
    }

    /// Whether there is no room for another machine, unless one is forgotten.
    pub fn is_full(&self) -> bool {
        self.nodes.len() >= NODES_MAX
    }

    /// Where more were kept than there is room for, one after another of those that nothing was promised to.
    pub fn forget_surplus(&mut self) -> Option<Forgotten> {
        if self.nodes.len() > NODES_MAX { self.forget_oldest() } else { None }
    }

    /// Takes out the machine that was unseen the longest and that nothing was promised to; where there is none, the one that failed and whose address was taken back the longest ago.
    fn forget_oldest(&mut self) -> Option<Forgotten> {
        while let Some(mac) = self.forgettable.take_first() {
            if self.known_by(mac).is_some_and(Node::is_forgettable) {
                return self.take_out(mac).map(Forgotten::from);
            }
        }
        while let Some(mac) = self.given_up.take_first() {
            if self.known_by(mac).is_some_and(Node::is_failed) {
                return self.take_out(mac).map(Forgotten::from);
            }
        }
        None
    }

    /// The machine that is known by a hardware address.
    fn known_by(&self, mac: Mac) -> Option<&Node> {
        self.places.get(&mac).map(|place| &*self.nodes[*place])
    }
}

#[cfg(test)]
mod tests;
