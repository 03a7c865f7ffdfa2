//! Addresses of numbers that another configuration moves: of a network's first address, or of its numbers.
//!
//! Who may use the address that his number had keeps it as a loan of the kind `Number`, as who has another number does (`listed.rs`), until he has asked for the new one. What the numbering
//! was is recorded, so that it is the same whether the configuration changes while the server runs or while it does not.

use super::{Turn, whole_seconds};
use crate::cluster::lease::PoolKind;
use crate::cluster::orders::Exclusion;
use crate::cluster::record::{NumberedRecord, NumberingRecord, Record};
use crate::config::Mode;
use crate::event::Kind;
use crate::mac::Mac;
use crate::time::Time;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// An address that a card uses by the number of its machine, and until when, as far as is known.
pub(crate) struct InUse {
    card: Mac,
    address: Ipv4Addr,
    until: Time,
}

impl NumberingRecord {
    /// The addresses of a number.
    fn addresses(&self, number: u32) -> impl Iterator<Item = Ipv4Addr> {
        let here = self.networks.iter().filter(move |n| (n.lowest..=n.highest).contains(&number));
        here.filter_map(move |n| u32::from(n.first).checked_add(number - n.lowest).map(Ipv4Addr::from))
    }
}

impl Turn<'_> {
    /// The numbering of the configuration, where we give the addresses.
    pub(crate) fn numbering(&self) -> NumberingRecord {
        let serving =
            self.config.networks.iter().enumerate().filter(|(_, network)| network.mode == Mode::Serve);
        let numbered = serving.map(|(place, network)| NumberedRecord {
            lowest: network.numbering.numbers.lowest,
            highest: network.numbering.numbers.highest,
            first: network.numbering.first,
            lease_seconds: Some(whole_seconds(self.longest_lease(place))),
        });
        NumberingRecord { networks: numbered.collect() }
    }

    /// The addresses that machines may use by their numbers, as they were numbered until now. Who is denied runs on until his lease ends; who is retired is
    /// gone, by his operator's word.
    pub(crate) fn in_use(&self, numbering: &NumberingRecord) -> Vec<InUse> {
        let mut all = Vec::new();
        for node in self.hall.nodes.iter() {
            let is_retired = node.orders.exclusion() == Some(Exclusion::Retired);
            let Some(number) = node.number.filter(|_| !is_retired) else { continue };
            for address in numbering.addresses(number) {
                let place = self.config.networks.iter().position(|network| network.contains(address));
                let until = place.and_then(|place| self.uses_until(node, place));
                // What is lent to another one was not its own yet.
                let until = until.filter(|_| self.hall.leases.get(address).is_none());
                let card = place.map(|place| self.card_on(node, place));
                all.extend(card.zip(until).map(|(card, until)| InUse { card, address, until }));
            }
        }
        all
    }

    /// Keeps those of these addresses that are their machines' no more by the configuration as it is now.
    pub(crate) fn keep_moved(&mut self, used: Vec<InUse>) {
        for InUse { card, address, until } in used {
            let number = self.hall.nodes.get(card).and_then(|node| node.number);
            let serves =
                |network: &crate::config::Network| network.mode == Mode::Serve && network.contains(address);
            let Some(place) = self.config.networks.iter().position(serves) else { continue };
            let is_its_own = |number| self.config.networks[place].numbering.address(number) == Some(address);
            if !number.is_some_and(is_its_own) && !self.is_gone_from(card, place) {
                self.keep_address(card, address, place, until);
            }
        }
        let numbered: Vec<_> =
            self.hall.nodes.iter().filter_map(|node| Some((node.mac, node.number?))).collect();
        for (mac, number) in numbered {
            self.come_back(mac, number);
        }
    }

    /// Tells whose addresses are others than they were by this numbering: whoever runs keeps what he has until he asks again.
    pub(crate) fn tell_moved(&mut self, before: &NumberingRecord) {
        let now = self.numbering();
        let of_node = |number| Some((number, before.addresses(number).next()?, now.addresses(number).next()));
        let numbered = self.hall.nodes.iter().filter_map(|node| node.number);
        let moved: Vec<_> = numbered.filter_map(of_node).filter(|(_, b, a)| *a != Some(*b)).collect();
        let Some((number, before, after)) = moved.first() else { return };
        let name = self.name(*number);
        let after = after.map_or_else(|| "none".into(), |after| after.to_string());
        let others = and_more(moved.len());
        let line = format!(
            "the permanent address of {name}{others} is another: {after} instead of {before}. What runs keeps its old one until it asks again: restart it"
        );
        self.event(None, Kind::Trouble, line);
        // That is told, and not once more of each.
        let lent = self.hall.leases.iter().filter(|(_, lease)| lease.pool.kind == PoolKind::Number);
        let macs: Vec<_> = lent.map(|(_, lease)| lease.mac).collect();
        let moved: BTreeSet<_> = moved.iter().map(|(number, ..)| *number).collect();
        for mac in macs {
            let node = self.hall.nodes.get(mac);
            let node = node.filter(|node| node.number.is_some_and(|number| moved.contains(&number)));
            let Some(trouble) = node.map(|node| self.misplaced(node)) else { continue };
            if let Some(node) = self.hall.nodes.get_mut(mac) {
                node.misplaced = trouble.map(|trouble| trouble.what);
            }
        }
    }

    /// Records the numbering as it is now, if it is another than was recorded.
    pub(crate) fn keep_numbering(&mut self, before: Option<&NumberingRecord>) {
        let now = self.numbering();
        if before != Some(&now) {
            self.record(Record::Numbering(now));
        }
    }

    /// Records the numbering once more, and before it whose addresses are kept by an earlier one: nobody waits for these records, so that nobody proposes them again where the store refused
    /// them. With an old numbering in the store the next start would take everybody for where he was by that.
    pub(crate) fn keep_numbering_again(&mut self) {
        let lent = self.hall.leases.iter().filter(|(_, lease)| lease.pool.kind == PoolKind::Number);
        let former: Vec<_> = lent.map(|(address, _)| address).collect();
        for address in former {
            self.keep_loan(address);
        }
        self.keep_tenants_again();
        self.record(Record::Numbering(self.numbering()));
    }
}

/// How many more there are than the one that is named.
pub(crate) fn and_more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}
