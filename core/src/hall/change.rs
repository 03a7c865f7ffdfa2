//! What an operator's change does, when its records are durable.

use super::Turn;
use crate::cluster::node::Node;
use crate::cluster::orders::{Orders, Standing};
use crate::cluster::since::Since;
use crate::cluster::stage::{Stage, Step};
use crate::event::Kind;
use crate::mac::Mac;
use crate::message::{Answer, Output, RequestId};

/// A change that is being recorded. What was decided about each machine ([`Decided`]) is done before it: of ten thousand that would be too much for one turn of the loop, and so it comes with
/// the parts in which it is told what is durable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// Whose question it is.
    pub(crate) id: RequestId,
    /// The numbers of its machines, as they were: some may be free by it.
    pub(crate) numbers: Vec<u32>,
    /// What he is told then.
    pub(crate) answer: Answer,
    /// And if it could not be kept.
    pub(crate) refused: Answer,
}

/// What is to be done when it is known what an operator has decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changing {
    /// Who got his number meanwhile, and whether he had been accepted before: what an operator decided about him is recorded then.
    pub(crate) numbered: Vec<(Mac, bool)>,
    /// Whether the configuration became another: the machines that he meant are put where it has them then.
    pub(crate) is_reconfigured: bool,
}

/// What was decided about one machine. Nothing of it holds before that is durable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decided {
    /// Which machine.
    pub(crate) mac: Mac,
    /// What an operator has decided about it from now on.
    pub(crate) orders: Orders,
    /// What becomes of its number.
    pub(crate) becomes: Becomes,
    /// Whose number becomes another by it, or none.
    pub(crate) becoming: Vec<Mac>,
    /// For its history.
    pub(crate) told: String,
}

/// What becomes of a machine's number by what an operator decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// Nothing, by this.
    Stays,
    /// It gets this one, whoever had it.
    Given(u32),
    /// It loses it.
    Freed,
    /// It has none, and is forgotten.
    Forgotten,
}

impl Decided {
    pub(crate) fn fulfil(self, turn: &mut Turn<'_>) {
        let Self { mac, orders, becomes, becoming, told } = self;
        match becomes {
            Becomes::Stays => {}
            Becomes::Given(number) => turn.give_number(mac, number),
            Becomes::Freed => turn.give_up_number(mac, "an operator freed its number"),
            Becomes::Forgotten => {
                turn.event(Some(mac), Kind::Operator, told);
                return turn.forget(mac);
            }
        }
        for other in becoming.iter().filter(|other| **other != mac).chain([&mac]) {
            let cards = turn.hall.nodes.get(*other).into_iter().flat_map(Node::cards);
            cards.for_each(|card| turn.hall.held_back.outdate_of(card));
        }
        turn.became(becoming);
        let now = turn.now;
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            if node.orders.exclusion() != orders.exclusion() {
                node.kept_since = Since::now(now);
            }
            node.orders = orders;
        }
        turn.event(Some(mac), Kind::Operator, told);
        turn.decided(mac);
        turn.forget_if_nobody(mac);
    }

    pub(crate) fn withdraw(self, turn: &mut Turn<'_>) {
        if let Becomes::Given(number) = self.becomes {
            turn.hall.nodes.give_up(self.mac, number);
        }
        turn.became(self.becoming);
        turn.decided(self.mac);
        turn.forget_if_nobody(self.mac);
    }
}

impl Change {
    pub(crate) fn fulfil(self, turn: &mut Turn<'_>) {
        turn.changed();
        // Who waits for a number that is free by it gets that at once.
        for number in self.numbers {
            turn.place_whoever_is_listed(number);
        }
        turn.out.push(Output::Reply(self.id, self.answer));
    }

    pub(crate) fn withdraw(self, turn: &mut Turn<'_>) {
        turn.changed();
        turn.out.push(Output::Reply(self.id, self.refused));
    }
}

impl Turn<'_> {
    /// A machine has this number from now on. Whoever had it has none, and is retired: it was exchanged, and must not come back as somebody new.
    fn give_number(&mut self, mac: Mac, number: u32) {
        if let Some(other) = self.hall.nodes.holder(number).filter(|holder| *holder != mac) {
            self.give_up_number(other, &format!("its number {number} was given to {mac}"));
            if let Some(node) = self.hall.nodes.get_mut(other) {
                node.orders.standing = Some(Standing::replaced(mac));
                node.kept_since = Since::now(self.now);
            }
        }
        let node = self.hall.nodes.get(mac);
        let uses = node.filter(|node| self.elsewhere(node).is_none()).and_then(|node| node.number);
        if let Some(before) = uses.filter(|before| *before != number) {
            self.keep_former(mac, before);
        }
        self.take_back_offers(number);
        self.hall.nodes.give(mac, number);
        self.come_back(mac, number);
        self.numbers_changed();
        self.event(Some(mac), Kind::Number, format!("number {number}: an operator gave it"));
        self.step(mac, Step::Numbered, "an operator gave it its number");
    }

    /// The addresses of a number are offered to nobody any more. Whoever waits for such an offer is to have another one; who has got it already is told at its REQUEST.
    fn take_back_offers(&mut self, number: u32) {
        for address in self.config.networks.iter().filter_map(|network| network.numbering.address(number)) {
            self.hall.leases.take_back_offer(address);
            self.hall.held_back.outdate_at(address);
        }
    }

    /// A machine has no number any more.
    pub(super) fn lose_number(&mut self, mac: Mac, why: &str) {
        let Some(node) = self.hall.nodes.get(mac) else { return };
        let number = node.number;
        let addresses =
            (0..self.config.networks.len()).filter_map(|place| self.permanent_address(mac, place));
        for address in addresses.collect::<Vec<_>>() {
            self.unpin(address);
        }
        self.hall.nodes.strip(mac);
        self.numbers_changed();
        let now = self.now;
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            (node.stage, node.phase) = (Stage::Seen, None);
            node.grants.clear();
            (node.since, node.reason) = (Since::now(now), why.into());
        }
        let shown = number.map(|number| format!("no longer number {number}: {why}"));
        self.event(Some(mac), Kind::Number, shown.unwrap_or_else(|| why.into()));
        self.keep_boot(mac);
    }

    /// The same of one that may use its address still: nobody else gets that before it is known that it does not.
    fn give_up_number(&mut self, mac: Mac, why: &str) {
        if let Some(number) = self.hall.nodes.get(mac).and_then(|node| node.number) {
            self.keep_former(mac, number);
        }
        self.lose_number(mac, why);
    }

    /// It is known what the numbers of these machines are, and what else was to be recorded of them is recorded.
    fn became(&mut self, macs: Vec<Mac>) {
        for mac in macs {
            if self.hall.nodes.became(mac) {
                self.keep_node(mac);
            }
        }
    }

    /// A machine is not forgotten, and does not become another one's card or go by another card, while it is recorded what an operator decided about it: that would be nobody's then, or
    /// somebody else's.
    pub(crate) fn decides_about(&mut self, mac: Mac) {
        if let Some(node) = self.hall.nodes.get_mut(mac) {
            node.is_being_decided = true;
        }
    }

    /// It is known what an operator has decided about a machine.
    pub(crate) fn decided(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        node.is_being_decided = false;
        // Whoever had to be forgotten meanwhile was looked for among others.
        self.hall.nodes.let_go(self.now, mac);
        if !self.has_another_address(mac) {
            self.hall.nodes.give_up_failed(self.now, mac);
        }
    }

    /// A machine that an operator has named, and about which nothing stands any more, is the guest or host that it was, or nobody.
    fn forget_if_nobody(&mut self, mac: Mac) {
        let is_nobody = self.hall.nodes.get(mac).is_some_and(|node| node.mac == mac && node.is_nobody());
        if is_nobody && self.hall.listed.get(self.config, mac).is_none() {
            self.forget(mac);
        }
    }

    /// It is known what an operator has decided. Who got his number meanwhile waits for nobody's word any more.
    fn changed(&mut self) {
        let Changing { numbered, is_reconfigured } = self.hall.changing.take().unwrap_or_default();
        if is_reconfigured {
            self.place_all_listed();
        }
        for (mac, was_accepted) in numbered {
            let Some(node) = self.hall.nodes.get_mut(mac) else { continue };
            if std::mem::take(&mut node.orders.accepted) || was_accepted {
                self.keep_orders(mac);
            }
        }
    }

    /// A machine has got its number: that an operator accepted it has been done.
    pub(crate) fn accepted(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.get_mut(mac) else { return };
        let was_accepted = std::mem::take(&mut node.orders.accepted);
        // What a change decides about it is on its way to the disk already, and must not be written over.
        if let Some(meanwhile) = &mut self.hall.changing {
            meanwhile.numbered.push((mac, was_accepted));
        } else if was_accepted {
            self.keep_orders(mac);
        }
    }
}
