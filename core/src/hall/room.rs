//! Machines that are met, and those that are forgotten for them.

use super::Turn;
use crate::cluster::node::Forgotten;
use crate::cluster::record::{Record, TrialsRecord};
use crate::event::Kind;
use crate::mac::Mac;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// A machine is known from now on, if it was not. A new one takes the place of the one that was only seen, and the longest ago; one that the configuration lists, of any that has no
    /// number and is not listed, so that nobody who makes up hardware addresses keeps it out. False: there is no room for it.
    pub(crate) fn meet(&mut self, mac: Mac) -> bool {
        if let Some((_, forgotten)) = self.hall.nodes.meet(self.now, mac) {
            if let Some(forgotten) = forgotten {
                self.forgotten(forgotten);
            }
            return true;
        }
        self.hall.listed.get(self.config, mac).is_some()
            && self.displace_for(mac)
            && self.hall.nodes.meet(self.now, mac).is_some()
    }

    /// Nothing is kept of a machine that was forgotten. Of most there is nothing: a commit for each hardware address that somebody makes up would be as many syncs.
    fn forgotten(&mut self, Forgotten { mac, is_recorded, was_tried }: Forgotten) {
        if is_recorded {
            self.record(Record::BootForgotten(mac));
        }
        if was_tried {
            self.record(Record::Trials(TrialsRecord { mac, trials: Vec::new() }));
        }
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
        let Some(mac) = self.hall.nodes.gives_way(is_listed) else { return false };
        let cards: Vec<_> = self.hall.nodes.get(mac).into_iter().flat_map(|node| node.cards()).collect();
        for card in cards {
            let lent: Vec<Ipv4Addr> = self.hall.leases.of(card).map(|(address, _)| address).collect();
            for address in lent {
                self.end_lease(address);
            }
            self.hall.leases.forget_offers(card);
            self.hall.held_back.remove(&card);
        }
        let what = format!("it is forgotten: the table of nodes is full, and {listed} is listed");
        self.event(Some(mac), Kind::Trouble, what);
        self.hall.nodes.take_out(mac);
        self.forget_records(mac);
        true
    }
}
