//! The machines that the operator listed by hand, found fast.

use crate::config::{Config, ListedNode};
use crate::limit::NODES_MAX;
use crate::mac::Mac;
use std::collections::BTreeMap;

/// An index of `[[node]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    places: BTreeMap<Mac, usize>,
    numbers: BTreeMap<u32, usize>,
    /// Machines that were found to be listed by something else than their hardware address.
    bound: BTreeMap<Mac, usize>,
    /// The machine of an entry that was bound first.
    first_bound: BTreeMap<usize, Mac>,
}

impl Listed {
    /// The index of a configuration.
    pub fn new(config: &Config) -> Self {
        let by_mac = |(place, node): (usize, &ListedNode)| {
            node.macs.iter().map(move |mac| (*mac, place)).collect::<Vec<_>>()
        };
        Self {
            places: config.nodes.iter().enumerate().flat_map(by_mac).collect(),
            numbers: config
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(place, node)| Some((node.number?, place)))
                .collect(),
            ..Self::default()
        }
    }

    /// The entry of a machine.
    pub fn get<'a>(&self, config: &'a Config, mac: Mac) -> Option<&'a ListedNode> {
        config.nodes.get(self.place(mac)?)
    }

    /// The entry that lists a hardware address.
    pub fn with_mac<'a>(&self, config: &'a Config, mac: Mac) -> Option<&'a ListedNode> {
        config.nodes.get(*self.places.get(&mac)?)
    }

    /// The place of the entry that lists a hardware address.
    pub fn place_with_mac(&self, mac: Mac) -> Option<usize> {
        self.places.get(&mac).copied()
    }

    /// The place of the entry that has a number.
    pub fn place_with_number(&self, number: u32) -> Option<usize> {
        self.numbers.get(&number).copied()
    }

    /// The place of a machine's entry in the configuration.
    pub fn place(&self, mac: Mac) -> Option<usize> {
        self.bound.get(&mac).or_else(|| self.places.get(&mac)).copied()
    }

    /// The entry that has a number.
    pub fn with_number<'a>(&self, config: &'a Config, number: u32) -> Option<&'a ListedNode> {
        config.nodes.get(*self.numbers.get(&number)?)
    }

    /// Whether a number is kept for a listed machine.
    pub fn has_number(&self, number: u32) -> bool {
        self.numbers.contains_key(&number)
    }

    /// Takes note that an entry means this machine, although it has another hardware address or none.
    pub fn bind(&mut self, mac: Mac, place: usize) {
        if self.bound.len() < NODES_MAX || self.bound.contains_key(&mac) {
            if self.bound.get(&mac) != Some(&place) {
                self.unbind(mac);
            }
            self.bound.insert(mac, place);
            self.first_bound.entry(place).or_insert(mac);
        }
    }

    /// The same for a machine that had its number before a restart: an entry without hardware addresses knows it by that.
    pub fn bind_by_number(&mut self, config: &Config, mac: Mac, number: Option<u32>) {
        let place = number.and_then(|number| self.numbers.get(&number)).copied();
        if let Some(place) = place.filter(|place| config.nodes[*place].macs.is_empty()) {
            self.bind(mac, place);
        }
    }

    /// Takes note that no entry means this machine any more by anything but its hardware address.
    pub fn unbind(&mut self, mac: Mac) {
        if let Some(place) = self.bound.remove(&mac)
            && self.bound(place) == Some(mac)
        {
            self.first_bound.remove(&place);
        }
    }

    /// The machine that was first found to be meant by an entry.
    pub fn bound(&self, place: usize) -> Option<Mac> {
        self.first_bound.get(&place).copied()
    }
}
