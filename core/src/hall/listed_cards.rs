//! Which cards are one machine's, as the configuration says, against what was recorded.
//!
//! A `[[node]]` names the cards of one machine. What was learnt from a trial, or from a client identifier or a place at a relay, stands beside that as long as it says nothing else;
//! what an earlier configuration said does not.

use super::listed::is_busy;
use super::{Due, Turn};
use crate::cluster::node::Node;
use crate::cluster::orders::Orders;
use crate::cluster::record::{OrdersRecord, Record, SecretsRecord, TrialsRecord};
use crate::cluster::trial;
use crate::event::Kind;
use crate::mac::Mac;

/// Why a card is not a machine's any more, where an operator says so.
pub(crate) const AS_CONFIGURED: &str = "as the configuration has it";

impl Turn<'_> {
    /// Takes from all machines the cards that are another's by the configuration, or none's.
    pub(super) fn sort_cards(&mut self) {
        let with_further = self.hall.nodes.iter().filter(|node| !node.further_macs.is_empty());
        let macs: Vec<_> = with_further.map(|node| node.mac).collect();
        for mac in macs {
            self.sort_cards_of(mac);
        }
    }

    fn sort_cards_of(&mut self, mac: Mac) {
        let stays = |node: &&Node| node.mac != mac || is_busy(node) || node.is_being_decided;
        let Some(node) = self.hall.nodes.get(mac).filter(|node| !stays(node)) else { return };
        let learnt = trial::macs(&node.facts);
        let further = node.further_macs.clone();
        let listed = |card: Mac| self.hall.listed.place_with_mac(card);
        let mut known_by = mac;
        if listed(mac).is_none() {
            // The operator lists another card of it: it is the one that he means, unless its own agent has seen both.
            let Some(named) = further.iter().copied().find(|card| listed(*card).is_some()) else { return };
            if learnt.contains(&mac) && learnt.contains(&named) {
                if let Some(place) = listed(named) {
                    self.hall.listed.bind(mac, place);
                }
                return;
            }
            // What an operator let have no answer is the board, and not whoever has its other cards now.
            if node.orders.are_to_ignore() {
                for card in further.into_iter().filter(|card| listed(*card).is_some()).collect::<Vec<_>>() {
                    self.take_card(mac, card, AS_CONFIGURED);
                }
                return;
            }
            self.go_by(mac, named, AS_CONFIGURED);
            known_by = named;
        }
        let place = self.hall.listed.place_with_mac(known_by);
        let has_identifiers = place.is_some_and(|place| {
            let identifiers = &self.config.nodes[place].identifiers;
            identifiers.client.is_some() || identifiers.circuit.is_some() || identifiers.remote.is_some()
        });
        for card in further.into_iter().filter(|card| *card != known_by) {
            let stays = match self.hall.listed.place_with_mac(card) {
                Some(other) => Some(other) == place,
                None => has_identifiers || learnt.contains(&card),
            };
            if !stays {
                self.take_card(known_by, card, AS_CONFIGURED);
            }
        }
    }

    /// Joins the cards that an entry lists to its machine, whoever they were taken for.
    pub(super) fn join_listed(&mut self, mac: Mac, cards: &[Mac]) {
        let identity = self.hall.nodes.identity(mac);
        let cards = cards.iter().copied().filter(|card| self.hall.nodes.identity(*card) != identity);
        for card in cards.collect::<Vec<_>>() {
            // The machine's own card may be in no list: then what is known of another is not its.
            if self.hall.nodes.is_identity(card) {
                if self.hall.listed.place_with_mac(card) == self.hall.listed.place(identity) {
                    self.absorb(identity, card, "as the configuration says");
                }
            } else {
                let other = self.hall.nodes.identity(card);
                if other != card {
                    self.take_card(other, card, AS_CONFIGURED);
                }
                self.hall.nodes.join(identity, &[card]);
            }
        }
    }

    /// A card is not its machine's any more. What it uses stays its own until it has asked for something else.
    pub(crate) fn take_card(&mut self, mac: Mac, card: Mac, why: &str) {
        self.keep_addresses_of(mac, card);
        self.hall.nodes.detach(card);
        self.event(Some(mac), Kind::Operator, format!("{card} is no card of it any more, {why}"));
        self.keep_node(mac);
    }

    /// Keeps the addresses of a machine for the card that has them.
    fn keep_addresses_of(&mut self, mac: Mac, card: Mac) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let Some(number) = node.number else { return };
        let until = |place| Some((place, self.uses_until(node, place)?));
        let its = (0..self.config.networks.len()).filter(|place| self.card_on(node, *place) == card);
        let used: Vec<_> = its.filter_map(until).collect();
        for (place, until) in used {
            self.keep_number(card, number, place, until);
        }
    }

    /// A machine goes by another of its cards: the one that it was known by is no card of it.
    pub(crate) fn go_by(&mut self, mac: Mac, card: Mac, why: &str) {
        if self.hall.nodes.identity(card) != mac || card == mac {
            return;
        }
        self.keep_addresses_of(mac, mac);
        let line = format!("it goes by {card}: {mac} is no card of it any more, {why}");
        self.event(Some(mac), Kind::Operator, line);
        self.hall.nodes.rename(mac, card);
        self.numbers_changed();
        self.forget_records(mac);
        self.keep_node(card);
        self.keep_trials(card);
        self.keep_orders(card);
        if self.hall.nodes.get(card).is_some_and(|node| node.boot.secrets.is_some()) {
            self.keep_secrets(card);
        }
        if let Some(until) = self.hall.nodes.get(card).and_then(|node| node.grants.until()) {
            self.hall.timers.arm(until, Due::Grant(card));
        }
        // Whoever looks there finds out how long it may be silent.
        self.hall.timers.arm(self.now, Due::Silence(card));
    }

    /// What was taken for a machine of its own is a card of another one.
    pub(crate) fn absorb(&mut self, mac: Mac, card: Mac, why: &str) {
        let Some(node) = self.hall.nodes.get(card).filter(|node| node.mac == card) else { return };
        // Who has the number of both takes the other one in.
        let has_number = |mac| self.hall.nodes.get(mac).is_some_and(|node| node.number.is_some());
        if node.number.is_some() && !has_number(mac) {
            return;
        }
        // What an operator decided about it is not to be lost by the way.
        if is_busy(node) || node.is_being_decided || !node.orders.are_none() {
            return;
        }
        for user in node.cards().collect::<Vec<_>>() {
            self.keep_addresses_of(card, user);
        }
        self.hall.nodes.strip(card);
        self.numbers_changed();
        let Some(node) = self.hall.nodes.take_out(card) else { return };
        self.forget_records(card);
        self.hall.nodes.join(mac, &[card]);
        self.hall.nodes.join(mac, &node.further_macs);
        self.event(Some(mac), Kind::Operator, format!("{card} is a card of it, {why}"));
        self.keep_node(mac);
    }

    /// Nothing is kept under this hardware address any more.
    pub(crate) fn forget_records(&mut self, mac: Mac) {
        self.record(Record::NodeForgotten(mac));
        self.record(Record::BootForgotten(mac));
        self.record(Record::Trials(TrialsRecord { mac, trials: Vec::new() }));
        self.record(Record::Orders(OrdersRecord { mac, orders: Orders::default(), at_seconds: None }));
        self.record(Record::Secrets(SecretsRecord::none(mac)));
    }
}
