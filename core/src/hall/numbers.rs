//! Which numbers are free, and which one a machine gets.

use super::Turn;
use crate::cluster::free::Lowest;
use crate::cluster::lease::Leases;
use crate::cluster::listed::Listed;
use crate::cluster::node::Nodes;
use crate::cluster::probe::Probes;
use crate::config::{Config, Mode};
use crate::mac::Mac;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where the free numbers of each network are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreeNumbers {
    networks: Vec<OfNetwork>,
}

#[derive(Clone, Debug)]
struct OfNetwork {
    /// That nobody has, and that is kept for nobody.
    free: Lowest,
    /// That is offered to nobody either.
    unoffered: Lowest,
}

impl FreeNumbers {
    /// For the networks of a configuration, whatever was known before.
    pub(crate) fn new(config: &Config) -> Self {
        let of_network = |network: &crate::config::Network| {
            let lowest = Lowest::new(network.numbering.numbers);
            OfNetwork { free: lowest.clone(), unoffered: lowest }
        };
        Self { networks: config.networks.iter().map(of_network).collect() }
    }

    /// The number that a machine in no list gets next on a network, where some are given already and not yet theirs: that has to be said of more and more, each time of the same numbers and
    /// of others. What is offered or lent to somebody goes last.
    pub(crate) fn next(
        &mut self,
        turn: &Turn<'_>,
        mac: Mac,
        place: usize,
        given: &BTreeSet<u32>,
    ) -> Option<u32> {
        let is_free = |number| !given.contains(&number) && turn.is_free(number);
        if let Some(number) = turn.number_by_address(mac, place).filter(|number| is_free(*number)) {
            return Some(number);
        }
        let of_network = self.networks.get_mut(place)?;
        let unoffered =
            of_network.unoffered.find(|number| is_free(number) && turn.is_unoffered(place, number));
        unoffered.or_else(|| of_network.free.find(is_free))
    }
}

impl Turn<'_> {
    /// The number that a machine would get now on a network, if it is one that gets a number there.
    pub(crate) fn number_for(&mut self, mac: Mac, place: usize) -> Option<u32> {
        match self.hall.listed.get(self.config, mac).and_then(|listed| listed.number) {
            Some(number) => self.listed_number(mac, place, number),
            // What is offered or lent to somebody goes last.
            None => self
                .number_by_address(mac, place)
                .or_else(|| self.lowest_unoffered(place))
                .or_else(|| self.lowest_free(place)),
        }
    }

    /// The same where it is not sure that the machine has the address which it is said to have: that does not say which number it gets, but does not keep it from the lowest either.
    pub(crate) fn number_for_doubtful(&mut self, mac: Mac, place: usize) -> Option<u32> {
        match self.hall.listed.get(self.config, mac).and_then(|listed| listed.number) {
            Some(number) => self.listed_number(mac, place, number),
            None => {
                let both = [self.number_by_address(mac, place), self.lowest_unoffered(place)];
                both.into_iter().flatten().min().or_else(|| self.lowest_free(place))
            }
        }
    }

    /// The number that a machine's address says which another server gave it, if that is free. The administrator has reserved it there for this machine: by any other number its name would point to an address
    /// that is another machine's.
    pub(crate) fn number_by_address(&self, mac: Mac, place: usize) -> Option<u32> {
        let settings = self.config.networks.get(place).filter(|network| network.mode == Mode::Proxy)?;
        let address = self.address_elsewhere(self.hall.nodes.get(mac)?, place)?;
        settings.numbering.number(address).filter(|number| self.is_free(*number))
    }

    /// The number that is kept for a machine, if it lives on this network and nobody else has it.
    pub(crate) fn listed_number(&self, mac: Mac, place: usize, number: u32) -> Option<u32> {
        let is_here = self.config.networks[place].numbering.numbers.contains(number);
        let nodes = &self.hall.nodes;
        let may_have = || nodes.holder(number).is_none_or(|holder| holder == nodes.identity(mac));
        (is_here && may_have()).then_some(number)
    }

    /// Where free numbers are looked for as it is now, for who gives several that are not their machines' at once.
    pub(crate) fn free_now(&mut self) -> FreeNumbers {
        self.numbers_returned();
        self.hall.free.clone()
    }

    /// The numbers of a network that may be given to anybody, from one of its numbers on, lowest first.
    pub(crate) fn free_numbers(&self, place: usize, lowest: u32) -> impl Iterator<Item = u32> + '_ {
        let numbers = self.config.networks[place].numbering.numbers;
        (lowest..=numbers.highest).filter(|number| self.is_free(*number))
    }

    /// The first of those.
    pub(crate) fn lowest_free(&mut self, place: usize) -> Option<u32> {
        self.numbers_returned();
        let (nodes, listed) = (&self.hall.nodes, &self.hall.listed);
        self.hall.free.networks.get_mut(place)?.free.find(|number| is_free(nodes, listed, number))
    }

    /// Whether a number is nobody's, and kept for nobody.
    fn is_free(&self, number: u32) -> bool {
        is_free(&self.hall.nodes, &self.hall.listed, number)
    }

    /// The first of those whose address is offered and lent to nobody, and for which nobody was heard to answer.
    pub(crate) fn lowest_unoffered(&mut self, place: usize) -> Option<u32> {
        self.numbers_returned();
        let numbering = &self.config.networks.get(place)?.numbering;
        let (nodes, listed) = (&self.hall.nodes, &self.hall.listed);
        let (leases, probes) = (&self.hall.leases, &self.hall.probes);
        let is_unoffered = |number| {
            is_free(nodes, listed, number)
                && numbering.address(number).is_some_and(|address| is_nobodys(leases, probes, address))
        };
        self.hall.free.networks.get_mut(place)?.unoffered.find(is_unoffered)
    }

    /// The same of one number.
    pub(crate) fn is_unoffered(&self, place: usize, number: u32) -> bool {
        let address = self.config.networks[place].numbering.address(number);
        address.is_some_and(|address| is_nobodys(&self.hall.leases, &self.hall.probes, address))
    }

    /// A number of which the address was offered to a machine that did not ask for it in time: that offer is taken back. Where no other is left, the oldest gives way.
    pub(crate) fn take_back_offered(&mut self, place: usize) -> Option<u32> {
        let numbering = &self.config.networks.get(place)?.numbering;
        let old = self.hall.leases.numbers_that_give_way(self.now, place).into_iter();
        let numbers = old.filter_map(|address| Some((address, numbering.number(address)?)));
        let (address, number) = numbers.into_iter().find(|(_, number)| self.is_free(*number))?;
        self.hall.leases.take_back_offer(address);
        Some(number)
    }

    /// Takes note of numbers that may be free again: somebody had them, or they were offered to somebody.
    pub(crate) fn numbers_returned(&mut self) {
        for number in self.hall.nodes.returned() {
            for of_network in &mut self.hall.free.networks {
                of_network.free.returned(number);
                of_network.unoffered.returned(number);
            }
        }
        let answered_for = self.hall.probes.returned();
        for address in self.hall.leases.returned().into_iter().chain(answered_for) {
            for (of_network, settings) in self.hall.free.networks.iter_mut().zip(&self.config.networks) {
                if let Some(number) = settings.numbering.number(address) {
                    of_network.unoffered.returned(number);
                }
            }
        }
    }
}

fn is_free(nodes: &Nodes, listed: &Listed, number: u32) -> bool {
    #[cfg(test)]
    LOOKED.set(LOOKED.get() + 1);
    nodes.holder(number).is_none() && !listed.has_number(number)
}

#[cfg(test)]
thread_local! {
    /// How many numbers were looked at.
    pub(crate) static LOOKED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Whether an address is offered and lent to nobody, and nobody was heard to have it all the same.
fn is_nobodys(leases: &Leases, probes: &Probes, address: Ipv4Addr) -> bool {
    leases.offered(address).is_none() && leases.get(address).is_none() && !probes.is_answered_for(address)
}
