//! Another configuration.

use super::{Heorot, links};
use crate::cluster::file_hosts;
use crate::cluster::listed::Listed;
use crate::cluster::reservation::Reservations;
use crate::cluster::unanswered::Unanswered;
use crate::cluster::written_names::WrittenNames;
use crate::config::{Config, Mode};
use crate::event::Kind;
use crate::hall::{FreeNumbers, HostKeyNumbers, Turn, and_more};
use crate::message::Output;
use crate::service::{boot, dhcp, update};
use crate::time::Time;
use crate::wire::dhcp::relay;
use heorot_names::HostsLine;
use std::sync::Arc;

impl Heorot {
    /// Another configuration replaces the old one. What was promised stands.
    pub(super) fn configure(&mut self, now: Time, config: Config, out: &mut Vec<Output>) {
        self.hall.listed = Listed::new(&config);
        self.hall.reservations = Reservations::new(&config);
        self.hall.written_names = WrittenNames::new(&config);
        self.hall.files =
            Arc::new(file_hosts::in_zone(&config, &self.hall.written_names, &self.hall.hosts_lines));
        self.hall.left_out.clear();
        self.hall.told_of_hosts.clear();
        self.hall.plans.clear();
        self.hall.held_back.outdate();
        for node in self.hall.nodes.iter() {
            self.hall.listed.bind_by_number(&config, node.mac, node.number);
        }
        let before = Turn { now, config: &self.config, hall: &mut self.hall, out };
        let (numbering, leases) = (before.numbering(), before.leases_out());
        let used = before.in_use(&numbering);
        let is_unserved = |address| !config.networks.iter().any(|network| network.contains(address));
        let lent = self.hall.leases.iter().filter(|(address, _)| is_unserved(*address));
        let unserved: Vec<_> = lent.map(|(address, lease)| (address, lease.mac)).collect();
        self.hall.leases = std::mem::take(&mut self.hall.leases).reconfigured(&config);
        self.hall.free = FreeNumbers::new(&config);
        let links = links(&config);
        if links != self.hall.links {
            // They begin anew, whatever was known of the old ones. Of others a regime is told when it becomes another.
            self.hall.links = links;
            self.hall.regimes.clear();
        }
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
                // What was granted here it renews to another server from now on.
                let is_ours = |address| {
                    let mut networks = self.config.networks.iter();
                    let network = networks.find(|network| network.contains(address));
                    network.is_none_or(|network| network.mode == Mode::Serve)
                };
                node.grants.retain(is_ours);
            }
        }
        let has_other_checks = old.trial.checks != self.config.trial.checks;
        self.turn(now, out, |turn| {
            turn.keep_longer_leases(leases);
            if has_other_checks {
                boot::try_anew(turn);
            }
            for (address, mac) in unserved {
                turn.unserved(address, mac);
            }
            turn.keep_moved(used);
            turn.tell_moved(&numbering);
            turn.keep_moved_hosts(Some(&old), relay::place);
            turn.tell_profiles_gone(|profile| old.profiles.contains_key(profile));
            turn.keep_numbering(Some(&numbering));
            turn.place_all_listed();
            dhcp::forget_allowed(turn);
            dhcp::forget_served_relays(turn);
            // They may be answered now, and it is told anew of those that are not.
            turn.hall.unanswered = Unanswered::default();
            turn.hall.ignored = Unanswered::default();
            tell_stranded(turn);
            turn.publish();
            turn.hall.host_keys = HostKeyNumbers::default();
            dhcp::recheck_names(turn);
            update::recheck(turn);
        });
    }
}

/// Files of hosts have other lines: who goes by a name that stands there now goes by none.
pub(super) fn hosts_files(turn: &mut Turn<'_>, lines: Arc<[HostsLine]>) {
    let files = file_hosts::in_zone(turn.config, &turn.hall.written_names, &lines);
    turn.hall.hosts_lines = lines;
    if files == *turn.hall.files {
        return;
    }
    turn.hall.files = Arc::new(files);
    turn.publish();
    dhcp::recheck_names(turn);
    update::recheck(turn);
}

/// Tells that loans are where nothing is lent any more.
fn tell_stranded(turn: &mut Turn<'_>) {
    let stranded = turn.hall.leases.iter().filter(|(address, _)| turn.hall.leases.is_stranded(*address));
    let stranded: Vec<_> = stranded.map(|(address, lease)| (address, lease.mac)).collect();
    if let Some((address, mac)) = stranded.first() {
        let others = and_more(stranded.len());
        let line = format!(
            "{address}{others} is lent to {mac} where nothing is lent any more: who has such an address gets another one when it asks next"
        );
        turn.event(None, Kind::Trouble, line);
    }
}
