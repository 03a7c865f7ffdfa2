//! Machines with a temporary address in the place of their number's: that is lent to another one, or was until they had come up.

use super::Turn;
use crate::cluster::lease::{PoolId, PoolKind};
use crate::cluster::node::{Node, Trouble};
use crate::cluster::stage::Stage;
use crate::config::{Mode, Network};
use crate::mac::Mac;
use crate::time::span;
use std::net::Ipv4Addr;

impl Turn<'_> {
    /// It has a temporary address, or is offered one, where its number has an address: as long as that is so.
    pub(super) fn without_its_own(&self, node: &Node) -> Option<Trouble> {
        let (number, place) = (node.number?, node.network?);
        let settings = self.config.networks.get(place).filter(|network| network.mode == Mode::Serve)?;
        let own = settings.numbering.address(number)?;
        let id = PoolId { network: place, kind: PoolKind::Temporary };
        let leases = &self.hall.leases;
        let lent = node.cards().filter_map(|card| leases.borrowed(card, id)).find_map(|address| {
            // What it has left it may not have any more.
            Some((address, leases.get(address).filter(|lease| !lease.superseded)?))
        });
        if let Some(other) = self.lent_to_another(node.mac, own) {
            // Where none is left here it is offered one of another network on its link.
            let is_beside =
                |other: &Network| settings.on_link && other.on_link && other.interface == settings.interface;
            let is_offered = |card| {
                let mut networks = self.config.networks.iter().enumerate();
                networks.any(|(network, other)| {
                    let is_near = network == place || is_beside(other);
                    is_near && leases.standing(card, PoolId { network, ..id }).is_some()
                })
            };
            let gets = lent.is_some() || node.cards().any(is_offered);
            return gets.then(|| Trouble {
                what: format!("its address {own} is lent to {other}, so that it gets a temporary one"),
                to_do: Some(self.to_free(own, other)),
            });
        }
        // In mid-boot it goes on with what it has, and asks again. Whether it has left what was lent before a restart is not known before it renews that.
        let (has, _) = lent.filter(|(_, lease)| node.stage == Stage::Up && !lease.is_restored)?;
        Some(Trouble {
            what: format!("it has {has}, a temporary address, and its own, {own}, is free by now"),
            to_do: Some(format!("start it again: then it gets {own}")),
        })
    }

    /// What the operator can do for one whose address is lent to another machine. Of one that gets no answer it is no use to start it again.
    pub(super) fn to_free(&self, address: Ipv4Addr, other: Mac) -> String {
        let lease = self.hall.leases.get(address);
        let left = lease.map(|lease| span(lease.held_until().since(self.now)));
        let left = left.map(|left| format!(", in {left}")).unwrap_or_default();
        if !self.is_shut_out(other) {
            return format!(
                "start {other} again, which has {address} still, and then this one; if that is gone for good: it is free when that loan ends{left}"
            );
        }
        let is_asked_about = lease.is_some_and(|lease| {
            lease.pool.kind == PoolKind::Number
                && self.config.networks.get(lease.pool.network).is_some_and(|network| network.probe)
        });
        if is_asked_about {
            return format!("switch {other} off, and start this one again");
        }
        let state = self.hall.nodes.get(other).map_or("denied", Node::state);
        format!(
            "it is free when that loan ends{left}: {other} is {state}, and gets no answer; start this one again then"
        )
    }
}
