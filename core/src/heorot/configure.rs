//! Another configuration.

use super::{Heorot, links};
use crate::cluster::listed::Listed;
use crate::cluster::reservation::Reservations;
use crate::cluster::unanswered::Unanswered;
use crate::config::Config;
use crate::event::Kind;
use crate::hall::{FreeNumbers, Turn};
use crate::message::Output;
use crate::service::{boot, dhcp, update};
use crate::time::Time;
use std::net::Ipv4Addr;

impl Heorot {
    /// Another configuration replaces the old one. What was promised stands.
    pub(super) fn configure(&mut self, now: Time, config: Config, out: &mut Vec<Output>) {
        self.hall.listed = Listed::new(&config);
        self.hall.reservations = Reservations::new(&config);
        self.hall.left_out.clear();
        self.hall.plans.clear();
        for node in self.hall.nodes.iter() {
            self.hall.listed.bind_by_number(&config, node.mac, node.number);
        }
        self.hall.leases = std::mem::take(&mut self.hall.leases).reconfigured(&config);
        self.hall.free = FreeNumbers::new(&config);
        self.hall.links = links(&config);
        self.hall.regimes.clear();
        let old = std::mem::replace(&mut self.config, config);
        let moved = |place: usize| {
            let interface = &old.networks.get(place)?.interface;
            let network = old.networks.get(place)?;
            let same =
                |new: &crate::config::Network| &new.interface == interface && new.contains(network.address);
            self.config.networks.iter().position(same)
        };
        let macs: Vec<_> = self.hall.nodes.iter().map(|node| node.mac).collect();
        for mac in &macs {
            if let Some(node) = self.hall.nodes.get_mut(*mac) {
                node.network = node.network.and_then(moved);
            }
        }
        let has_other_checks = old.trial.checks != self.config.trial.checks;
        self.turn(now, out, |turn| {
            if has_other_checks {
                boot::try_anew(turn);
            }
            turn.place_all_listed();
            dhcp::forget_allowed(turn);
            // They may be answered now, and it is told anew of those that are not.
            turn.hall.unanswered = Unanswered::default();
            turn.hall.ignored = Unanswered::default();
            tell_moved(turn, &old);
            turn.publish();
            dhcp::recheck_names(turn);
            update::recheck(turn);
        });
    }
}

/// Tells whose addresses are others by another configuration: whoever runs keeps what he has until he asks again.
fn tell_moved(turn: &mut Turn<'_>, old: &Config) {
    let address = |config: &Config, number| {
        config.networks.iter().find_map(|network| network.numbering.address(number))
    };
    let numbered = || turn.hall.nodes.iter().filter_map(|node| node.number);
    let of_node = |number| Some((turn.name(number), address(old, number)?, address(turn.config, number)));
    let others = |count: usize| if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
    let is_moved = |(_, before, after): &(String, Ipv4Addr, Option<Ipv4Addr>)| *after != Some(*before);
    let moved: Vec<_> = numbered().filter_map(of_node).filter(is_moved).collect();
    let stranded = turn.hall.leases.iter().filter(|(address, _)| turn.hall.leases.is_stranded(*address));
    let stranded: Vec<_> = stranded.map(|(address, lease)| (address, lease.mac)).collect();
    if let Some((name, before, after)) = moved.first() {
        let after = after.map_or_else(|| "none".into(), |after| after.to_string());
        let others = others(moved.len());
        let line = format!(
            "the permanent address of {name}{others} is another: {after} instead of {before}. What runs keeps its old one until it asks again: restart it"
        );
        turn.event(None, Kind::Trouble, line);
    }
    if let Some((address, mac)) = stranded.first() {
        let others = others(stranded.len());
        let line = format!(
            "{address}{others} is lent to {mac} where nothing is lent any more: who has such an address gets another one when it asks next"
        );
        turn.event(None, Kind::Trouble, line);
    }
}
