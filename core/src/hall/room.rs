//! Machines that are met, and those that are forgotten for them.

use super::Turn;
use crate::cluster::lease::PoolKind;
use crate::cluster::node::{Forgotten, Node};
use crate::cluster::orders::Orders;
use crate::cluster::record::{OrdersRecord, Record, SecretsRecord, TrialsRecord};
use crate::event::Kind;
use crate::limit::{NODES_MAX, TURNED_AWAY_SHOWN};
use crate::mac::Mac;
use crate::time::Time;

impl Turn<'_> {
    /// A machine is known from now on, if it was not. A new one takes the place of the one that was only seen, and the longest ago; where there is none, of the one that failed and has had no
    /// address for longest; one that the configuration lists, of any that has no number and is not listed, so that nobody who makes up hardware addresses keeps it out. False: there is no
    /// room for it.
    pub(crate) fn meet(&mut self, mac: Mac) -> bool {
        let has_room = self.meet_if_there_is_room(mac)
            || self.hall.listed.get(self.config, mac).is_some()
                && self.displace_for(mac)
                && self.meet_if_there_is_room(mac);
        if !has_room {
            self.hall.turned_away = Some((mac, self.now));
        } else if self.hall.turned_away.is_some_and(|(turned_away, _)| turned_away == mac) {
            self.hall.turned_away = None;
        }
        has_room
    }

    /// The same, but nobody is displaced for one that the configuration lists.
    pub(crate) fn meet_if_there_is_room(&mut self, mac: Mac) -> bool {
        let Some((_, forgotten)) = self.hall.nodes.meet(self.now, mac) else { return false };
        if let Some(forgotten) = forgotten {
            self.forgotten(forgotten);
        }
        true
    }

    /// Nothing is kept of a machine that was forgotten. Of most there is nothing: a commit for each hardware address that somebody makes up would be as many syncs.
    ///
    /// What stayed on disk would be known again after a restart: then a card that went into another machine meanwhile would be this one's.
    pub(super) fn forgotten(&mut self, forgotten: Forgotten) {
        let Forgotten { mac, further_macs, is_recorded, was_tried, is_kept, is_secrets_kept, has_orders } =
            forgotten;
        for card in std::iter::once(mac).chain(further_macs) {
            self.take_back(card);
        }
        if is_kept {
            self.record(Record::NodeForgotten(mac));
        }
        if is_recorded {
            self.record(Record::BootForgotten(mac));
        }
        if was_tried {
            self.record(Record::Trials(TrialsRecord { mac, trials: Vec::new() }));
        }
        if has_orders {
            self.record(Record::Orders(OrdersRecord { mac, orders: Orders::default(), at_seconds: None }));
        }
        if is_secrets_kept {
            self.record(Record::Secrets(SecretsRecord::none(mac)));
        }
    }

    /// Ends what a card of a machine that is forgotten has as that machine's. What it has as a guest, or by a number that was its own, it may use still.
    fn take_back(&mut self, card: Mac) {
        let is_its_own = |kind| match kind {
            PoolKind::Temporary | PoolKind::Elsewhere => true,
            PoolKind::Guest | PoolKind::Number => false,
        };
        let lent = self.hall.leases.of(card).filter(|(_, lease)| is_its_own(lease.pool.kind));
        for address in lent.map(|(address, _)| address).collect::<Vec<_>>() {
            self.end_lease(address);
        }
    }

    /// More was kept than there is room for.
    pub(crate) fn forget_surplus(&mut self) {
        while let Some(forgotten) = self.hall.nodes.forget_surplus() {
            self.forgotten(forgotten);
        }
    }

    /// An operator has a machine forgotten, and that is durable. What was recorded of it meanwhile is forgotten too.
    pub(super) fn forget(&mut self, mac: Mac) {
        let Some(node) = self.hall.nodes.take_out(mac) else { return };
        for card in node.cards().collect::<Vec<_>>() {
            self.hall.leases.forget_offers(card);
            self.hall.held_back.remove(card);
        }
        self.hall.listed.unbind(mac);
        self.hall.turned_away = None;
        self.forgotten(node.into());
    }

    /// Why a machine is not served, and what makes room for it.
    pub(crate) fn no_room(&self, mac: Mac) -> String {
        format!(
            "{mac} is not served: the table of nodes is full ({NODES_MAX}). heorot node forget @state:failed, or of others without a number that are gone, makes room"
        )
    }

    /// The same, as long as it is so: whoever does not ask any more is gone, or waits for nothing.
    pub(crate) fn is_full(&self) -> Option<String> {
        let (mac, at) = self.hall.turned_away.filter(|_| self.hall.nodes.is_full())?;
        (self.now.since(at) < TURNED_AWAY_SHOWN).then(|| self.no_room(mac))
    }

    /// When a machine was heard last since the start: by DHCP, by what it loads, or at its addresses.
    pub(crate) fn heard_last(&self, node: &Node) -> Option<Time> {
        let hall = &*self.hall;
        let said = node.cards().filter_map(|card| hall.heard.get(card)).map(|said| said.at);
        let lent = node.cards().flat_map(|card| hall.leases.of(card));
        let lent = lent.filter_map(|(_, lease)| lease.heard_since(hall.started));
        let number = node.number;
        let own = self.config.networks.iter().filter_map(|network| network.numbering.address(number?));
        let loaded = own.filter_map(|address| hall.pins.get(address)).map(|pin| pin.life);
        // What was pinned before the start lives from then on.
        let loaded = loaded.filter(|life| *life > hall.started);
        said.chain(lent).chain(loaded).max()
    }

    /// How far a machine got is recorded no more, if it was.
    pub(super) fn forget_boot(&mut self, mac: Mac) {
        if let Some(node) = self.hall.nodes.get_mut(mac).filter(|node| node.is_recorded) {
            (node.is_recorded, node.boot.kept) = (false, None);
            let mac = node.mac;
            self.record(Record::BootForgotten(mac));
        }
    }

    fn displace_for(&mut self, listed: Mac) -> bool {
        let is_listed = |mac| self.hall.listed.get(self.config, mac).is_some();
        let Some(mac) = self.hall.nodes.gives_way(is_listed, |node| self.heard_last(node)) else {
            return false;
        };
        let what = format!("it is forgotten: the table of nodes is full, and {listed} is listed");
        self.event(Some(mac), Kind::Trouble, what);
        self.forget(mac);
        true
    }
}
