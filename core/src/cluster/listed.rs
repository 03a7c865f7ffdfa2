//! The machines that the operator listed by hand, found fast.

use crate::config::{Config, ListedNode};
use crate::mac::Mac;
use std::collections::{BTreeMap, BTreeSet};

/// An index of `[[node]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    places: BTreeMap<Mac, usize>,
    numbers: BTreeSet<u32>,
}

impl Listed {
    /// The index of a configuration.
    pub fn new(config: &Config) -> Self {
        let by_mac = |(place, node): (usize, &ListedNode)| {
            node.macs.iter().map(move |mac| (*mac, place)).collect::<Vec<_>>()
        };
        Self {
            places: config.nodes.iter().enumerate().flat_map(by_mac).collect(),
            numbers: config.nodes.iter().filter_map(|node| node.number).collect(),
        }
    }

    /// The entry of a machine.
    pub fn get<'a>(&self, config: &'a Config, mac: Mac) -> Option<&'a ListedNode> {
        config.nodes.get(*self.places.get(&mac)?)
    }

    /// Whether a number is kept for a listed machine.
    pub fn has_number(&self, number: u32) -> bool {
        self.numbers.contains(&number)
    }
}
