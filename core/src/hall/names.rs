//! Names, told to whoever answers for them when it is due.
//!
//! A snapshot is made of all nodes, and an input is not to cost more where there are more of them. So none is made for a listed machine that is where the list has it, whose
//! name and address were told with the configuration; one for all numbers of a commit that change a name, before anybody hears of them; and for hardware addresses, which are
//! no names, one now and then.

use super::{Due, Turn};
use crate::cluster::network;
use crate::cluster::node::Node;
use crate::cluster::record::{Record, SerialRecord};
use crate::config::ListedNode;
use crate::limit::HARDWARE_ADDRESSES_PUBLISHED_EVERY;
use crate::mac::Mac;
use crate::message::{Output, UpdateOutcome};
use crate::time::Time;
use heorot_names::Changes;
use std::sync::Arc;

/// What of the names is to be published anew.
#[derive(Debug, Default)]
pub(crate) struct Unpublished {
    what: What,
    /// When hardware addresses were published last.
    hardware_addresses_at: Option<Time>,
}

/// How much that is; the latter is more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    #[default]
    Nothing,
    /// Which machine has a number: no part of a zone, and nobody is told of it before it is asked for.
    HardwareAddresses,
    /// Perhaps a name.
    Names,
}

impl Turn<'_> {
    /// A machine has got its number.
    pub(crate) fn numbered(&mut self, mac: Mac) {
        self.hall.unpublished.what = self.hall.unpublished.what.max(self.changed_by(mac));
    }

    /// Machines have got or lost numbers, whatever was known of them.
    pub(crate) fn numbers_changed(&mut self) {
        self.hall.unpublished.what = What::Names;
    }

    /// The hardware address that a number's machine has now. Of one that is listed without any, it is that of the board that got its address last.
    fn board(&self, node: &Node) -> Mac {
        let listed = self.hall.listed.get(self.config, node.mac);
        let has_boards =
            listed.is_some_and(|listed| listed.macs.is_empty() && !listed.identifiers.is_empty());
        node.granted_to.filter(|_| has_boards).unwrap_or(node.mac)
    }

    /// What a machine's number makes another in the names that were published.
    fn changed_by(&self, mac: Mac) -> What {
        let Some(node) = self.hall.nodes.get(mac) else { return What::Nothing };
        let Some(number) = node.number else { return What::Nothing };
        let has_no_other =
            |mac: &Mac| self.hall.nodes.get(*mac).and_then(|node| node.number).is_none_or(|n| n == number);
        let is_where_listed = |mac: &Mac| {
            let entry = self.hall.listed.with_mac(self.config, *mac);
            entry.is_none_or(|entry| entry.number == Some(number) && entry.macs.iter().all(has_no_other))
        };
        let published = self.hall.directory.hardware_addresses.get(&number);
        match std::iter::once(&node.mac).chain(&node.further_macs).all(is_where_listed) {
            false => What::Names,
            true if published != Some(&self.board(node).0) => What::HardwareAddresses,
            true => What::Nothing,
        }
    }

    /// Publishes what numbers have changed: once for all that one commit made true, and hardware addresses alone not in each turn.
    pub(crate) fn publish_numbers(&mut self) {
        match self.hall.unpublished.what {
            What::Nothing => {}
            What::Names => self.publish(),
            What::HardwareAddresses => {
                let last = self.hall.unpublished.hardware_addresses_at;
                match last.map(|last| last + HARDWARE_ADDRESSES_PUBLISHED_EVERY) {
                    Some(at) if at > self.now => self.hall.timers.arm(at, Due::HardwareAddresses),
                    Some(_) | None => self.publish_hardware_addresses(),
                }
            }
        }
    }

    /// Publishes hardware addresses that wait for it: somebody wants to know.
    pub(crate) fn publish_hardware_addresses(&mut self) {
        if self.hall.unpublished.what == What::HardwareAddresses {
            self.hall.unpublished.hardware_addresses_at = Some(self.now);
            self.publish();
        }
    }

    /// Gives the names as they are now to whoever answers queries.
    pub(crate) fn publish(&mut self) {
        // A listed machine that got its number in another way keeps its given name.
        let number_of = |listed: &ListedNode| {
            let recorded = listed.macs.iter().find_map(|mac| self.hall.nodes.get(*mac)?.number);
            recorded.or(listed.number)
        };
        // They come first.
        let numbered = self.hall.nodes.iter().take_while(|node| node.number.or(node.claim).is_some());
        let numbered = numbered.filter_map(|node| Some((node.number?, self.board(node))));
        let serial = self.hall.naming.serial();
        let mut directory = network::directory(self.config, number_of, numbered, serial);
        directory.files = Arc::clone(&self.hall.files);
        self.hall.unpublished.what = What::Nothing;
        // What is no name is no part of a zone, and waits for no serial.
        let is_in_zones = !directory.has_names_of(&self.hall.directory);
        self.hall.directory = Arc::new(directory);
        if is_in_zones {
            self.hall.naming.directory_changed();
        } else if !self.hall.naming.is_directory_due() {
            self.out.push(Output::Publish(Arc::clone(&self.hall.directory), Vec::new()));
        }
    }

    /// Publishes what has changed in names, all of a turn under one serial (RFC 1982). What the disk does not let be served yet waits for the next turn.
    pub(crate) fn publish_due(&mut self) {
        if let Some((serial, changes, directory_changed)) = self.hall.naming.due() {
            if directory_changed {
                Arc::make_mut(&mut self.hall.directory).serial = serial;
                self.out.push(Output::Publish(Arc::clone(&self.hall.directory), changes));
            } else if !changes.is_empty() {
                self.out.push(Output::Names(Changes { serial, changes }));
            }
        }
        for id in self.hall.naming.told_updates() {
            self.out.push(Output::Updated(id, UpdateOutcome::Kept));
        }
        if let Some(bound) = self.hall.naming.next_bound() {
            let ticket = self.record(Record::Serial(SerialRecord { bound }));
            self.hall.naming.proposed(ticket, bound);
        }
    }

    /// The name that a machine has as soon as it has this number, which may be about to be recorded: as [`Self::publish`] is going to tell it.
    pub(crate) fn name_with(&self, mac: Mac, number: u32) -> String {
        let entry = self.hall.listed.with_mac(self.config, self.hall.nodes.identity(mac));
        let has_other = |entry: &&ListedNode| {
            let recorded = entry.macs.iter().find_map(|mac| self.hall.nodes.get(*mac)?.number);
            recorded.is_some_and(|other| other != number)
        };
        let given = entry.filter(|entry| !has_other(entry)).and_then(|entry| entry.name.clone());
        given.unwrap_or_else(|| self.name(number))
    }

    /// The name of a number: given by hand, or computed.
    pub(crate) fn name(&self, number: u32) -> String {
        self.hall.directory.name(number)
    }
}
