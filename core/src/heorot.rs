//! [`Heorot`]: the whole flow, in one match.

use crate::cluster::chatter::Chatter;
use crate::cluster::dynamic::Dynamics;
use crate::cluster::heard::Heard;
use crate::cluster::lease::{Lease, Leases, PoolId, PoolKind};
use crate::cluster::listed::Listed;
use crate::cluster::naming::Naming;
use crate::cluster::network;
use crate::cluster::node::{Firmware, Node, Nodes};
use crate::cluster::orders::Orders;
use crate::cluster::other_server::OtherServers;
use crate::cluster::pin::Pins;
use crate::cluster::plan::Plan;
use crate::cluster::probe::Probes;
use crate::cluster::record::{
    BootRecord, LeaseRecord, NodeRecord, Record, SerialRecord, Ticket, TrialsRecord,
};
use crate::cluster::reservation::Reservations;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::unanswered::Unanswered;
use crate::config::{Config, Mode};
use crate::event::Kind;
use crate::hall::{Due, FreeNumbers, Hall, Turn, Unpublished};
use crate::load::{self, Regime};
use crate::mac::Mac;
use crate::message::{Input, Output, WhoHas};
use crate::promise::Promises;
use crate::service::{boot, control, dhcp, update};
use crate::time::Time;
use crate::timer::Timers;
use heorot_names::Dynamic;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Decides everything about nodes. See [`crate::message`] for what goes in and out.
#[derive(Debug)]
pub struct Heorot {
    config: Config,
    hall: Hall,
}

impl Heorot {
    /// Starts from what is durable: `records` as they were kept, in any order. What is to be done at once goes to `out`.
    ///
    /// `secret` is 128 random bits that nobody else knows; tokens are made from it. The simulator gives the same one twice to get the same run.
    pub fn restore(
        now: Time,
        config: Config,
        secret: [u8; 16],
        records: Vec<Record>,
        out: &mut Vec<Output>,
    ) -> Self {
        let serial = records.iter().find_map(|record| match record {
            Record::Serial(SerialRecord { bound }) => Some(*bound),
            Record::Node(_)
            | Record::NodeForgotten(_)
            | Record::Lease(_)
            | Record::LeaseEnded(_)
            | Record::Boot(_)
            | Record::BootForgotten(_)
            | Record::Trials(_)
            | Record::Dynamic(_)
            | Record::Orders(_)
            | Record::Secrets(_) => None,
        });
        let naming = Naming::starting(serial, config.zone.serial);
        let hall = Hall {
            nodes: Nodes::default(),
            listed: Listed::new(&config),
            reservations: Reservations::new(&config),
            left_out: BTreeMap::new(),
            leases: Leases::new(&config),
            pins: Pins::default(),
            heard: Heard::default(),
            promises: Promises::default(),
            timers: Timers::default(),
            deferred: BTreeMap::new(),
            probes: Probes::default(),
            held_back: BTreeMap::new(),
            shadows: BTreeMap::new(),
            unanswered: Unanswered::default(),
            chatter: Chatter::default(),
            ignored: Unanswered::default(),
            other_servers: OtherServers::default(),
            links: links(&config),
            regimes: BTreeMap::new(),
            malformed: BTreeMap::new(),
            store_trouble: None,
            gone: BTreeSet::new(),
            missing: Vec::new(),
            started: now,
            line: String::new(),
            calendar: None,
            secret,
            boots: 0,
            free: FreeNumbers::new(&config),
            unpublished: Unpublished::default(),
            directory: Arc::new(network::directory(
                &config,
                |listed| listed.number,
                std::iter::empty(),
                naming.serial(),
            )),
            naming,
            dynamics: Dynamics::default(),
            plans: BTreeMap::new(),
            changing: None,
        };
        let mut heorot = Self { config, hall };
        heorot.turn(now, out, |turn| {
            restore(turn, records);
            turn.publish();
            // Whatever has changed while nobody looked: a start is a batch.
            turn.hall.naming.directory_changed();
            // Names are answered for at once, under a serial that may have been served before, and as soon as a higher one is durable under that.
            turn.out.push(Output::Publish(Arc::clone(&turn.hall.directory)));
            update::tell_all(turn);
            update::recheck(turn);
        });
        heorot
    }

    /// Takes one input. What is to be done is appended to `out`, in order.
    pub fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Output>) {
        if let Input::Configure(config) = input {
            return self.configure(now, *config, out);
        }
        self.turn(now, out, |turn| match input {
            Input::Dhcp(datagram) => dhcp::handle(turn, datagram),
            Input::BootServer(datagram) => dhcp::boot_server(turn, datagram),
            Input::Overheard(overheard) => dhcp::overheard(turn, overheard),
            Input::Request(request) => boot::handle(turn, request),
            Input::Operator { id, wall, query } => control::handle(turn, id, wall, &query),
            Input::SignOfLife(address) => {
                turn.alive(address);
                turn.hall.pins.downloads(turn.now, address);
            }
            Input::WhoHas(asked) => who_has(turn, asked),
            Input::InterfaceGone(interface) => {
                if turn.hall.gone.insert(interface.to_owned()) {
                    turn.event(None, Kind::Trouble, control::gone(interface));
                }
            }
            Input::InterfaceBack(interface) => {
                turn.hall.gone.remove(interface);
                turn.pin_again(interface);
            }
            Input::InterfaceFlushed(interface) => turn.pin_again(interface),
            Input::AddressesMissing(missing) => {
                let before = std::mem::replace(&mut turn.hall.missing, missing.clone());
                for missing in missing.iter().filter(|missing| !before.contains(missing)) {
                    turn.event(None, Kind::Trouble, missing.to_string());
                }
            }
            Input::Unavailable { from, path, why } => boot::unavailable(turn, from, &path, &why),
            Input::NotMade { mac, given, why } => boot::not_made(turn, mac, given, &why),
            Input::Transferred(transfer) => boot::transferred(turn, &transfer),
            Input::Regime { link, regime } => regime_changed(turn, link, regime),
            Input::Occupied { address, mac } => dhcp::occupied(turn, address, mac),
            Input::Committed(through) => {
                turn.hall.store_trouble = None;
                turn.hall.naming.decided(through, true);
                while let Some(promise) = turn.hall.promises.decided(through) {
                    promise.fulfil(turn);
                }
            }
            Input::Refused { through, why } => {
                if turn.hall.store_trouble.is_none() {
                    turn.event(None, Kind::Trouble, format!("nothing new can be promised: {why}"));
                }
                turn.hall.store_trouble = Some(why);
                turn.hall.naming.decided(through, false);
                let durable = turn.hall.promises.last_decided();
                turn.hall.nodes.records_refused(durable);
                while let Some(promise) = turn.hall.promises.decided(through) {
                    promise.withdraw(turn);
                }
            }
            Input::Update { id, changes, by } => update::handle(turn, id, changes, &by),
            Input::UpdateDenied { by, why } => update::denied(turn, &by, &why),
            Input::Calendar(wall) => turn.hall.calendar = Some((turn.now, wall)),
            Input::Wakeup => wake(turn),
            Input::Configure(_) => {}
        });
    }

    /// When [`Input::Wakeup`] is wanted next.
    pub fn next_wakeup(&self) -> Option<Time> {
        self.hall.timers.next()
    }

    fn turn(&mut self, now: Time, out: &mut Vec<Output>, handle: impl FnOnce(&mut Turn<'_>)) {
        let mut turn = Turn { now, config: &self.config, hall: &mut self.hall, out };
        handle(&mut turn);
        turn.publish_numbers();
        turn.publish_due();
        turn.numbers_returned();
    }

    /// Another configuration replaces the old one. What was promised stands.
    fn configure(&mut self, now: Time, config: Config, out: &mut Vec<Output>) {
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

/// The links to the networks, for finding the one by which an address is reached.
fn links(config: &Config) -> load::Settings {
    load::Settings { control: load::Control::All, links: network::links(config, |_| None) }
}

/// A link is used in another way.
fn regime_changed(turn: &mut Turn<'_>, link: usize, regime: Regime) {
    let Some(settings) = turn.hall.links.links.get(link) else { return };
    let by = settings.interface.clone().unwrap_or_else(|| "a relay".into());
    turn.hall.regimes.insert(link, regime);
    let what = match regime {
        Regime::Paced => "carries all that is asked for",
        Regime::RoundRobin => "is full: the first are served first, the others are kept alive",
        Regime::Deferring => {
            "is full, and to keep everybody alive takes a great part of it: who is new waits"
        }
    };
    turn.event(None, Kind::Load, format!("the link by {by} {what} ({regime})"));
}

/// What was known before the restart is known again.
fn restore(turn: &mut Turn<'_>, records: Vec<Record>) {
    let mut nodes: BTreeMap<Mac, NodeRecord> = BTreeMap::new();
    let mut boots: BTreeMap<Mac, BootRecord> = BTreeMap::new();
    let (mut trials, mut secrets) = (Vec::new(), Vec::new());
    let mut orders: BTreeMap<Mac, Orders> = BTreeMap::new();
    let mut leases = Vec::new();
    for record in records {
        match record {
            Record::Node(node) => drop(nodes.insert(node.mac, node)),
            Record::Boot(boot) => drop(boots.insert(boot.mac, *boot)),
            Record::Trials(record) => trials.push(record),
            Record::Secrets(record) => secrets.push(record),
            Record::Lease(lease) => leases.push(lease),
            Record::Orders(decided) => drop(orders.insert(decided.mac, decided.orders)),
            Record::Dynamic(dynamic) => turn.hall.dynamics.restore(Dynamic::from(&dynamic)),
            Record::LeaseEnded(_)
            | Record::NodeForgotten(_)
            | Record::BootForgotten(_)
            | Record::Serial(_) => {}
        }
    }
    let all = nodes.keys().chain(boots.keys()).chain(orders.keys());
    let macs: BTreeSet<_> = all.copied().collect();
    for mac in macs {
        let mut node = restored_node(turn, mac, nodes.remove(&mac), boots.remove(&mac));
        node.orders = orders.remove(&mac).unwrap_or_default();
        // Whose agent has fallen silent may have its address still, and renew it.
        let (is_up, had_address) = (node.stage == Stage::Up, matches!(node.stage, Stage::Up | Stage::Down));
        let place = node.network.filter(|_| had_address);
        turn.hall.listed.bind_by_number(turn.config, mac, node.number);
        turn.hall.nodes.restore(node);
        turn.hall.nodes.let_go(turn.now, mac);
        if let Some(place) = place {
            // It has as long again to renew.
            let until = turn.now + turn.config.networks[place].lease;
            if let Some(node) = turn.hall.nodes.get_mut(mac) {
                node.granted_until = Some(until);
            }
            turn.hall.timers.arm(until, Due::Grant(mac));
            if is_up {
                boot::watch_again(turn, mac);
            }
        }
    }
    restore_trials(turn, trials);
    for record in secrets {
        turn.restore_secrets(record);
    }
    for LeaseRecord { address, mac, name, is_guest, of_number } in leases {
        restore_lease(turn, address, mac, (is_guest, of_number));
        let lease = turn.hall.leases.get(address).filter(|lease| lease.mac == mac);
        if let Some((name, until)) = name.zip(lease.map(|lease| lease.until)) {
            turn.hall.naming.keep(address, name);
            turn.hall.naming.lent(address, until.as_nanoseconds());
        }
    }
    turn.place_all_listed();
    pin_booting(turn);
}

/// Those of a machine that was forgotten are forgotten too.
fn restore_trials(turn: &mut Turn<'_>, records: Vec<TrialsRecord>) {
    for TrialsRecord { mac, trials } in records {
        match turn.hall.nodes.get_mut(mac).filter(|node| node.mac == mac) {
            Some(node) => node.trials = trials,
            None => drop(turn.record(Record::Trials(TrialsRecord { mac, trials: Vec::new() }))),
        }
    }
}

fn restored_node(turn: &Turn<'_>, mac: Mac, kept: Option<NodeRecord>, boot: Option<BootRecord>) -> Node {
    let mut node = Node::new(turn.now, mac);
    node.reason = "it was known before the restart".into();
    node.boot.is_resumed = true;
    if let Some(kept) = kept {
        (node.further_macs, node.number, node.facts) = (kept.further_macs, kept.number, kept.facts);
        node.granted_to = kept.granted_to;
    }
    if let Some(boot) = boot {
        node.is_recorded = true;
        (node.boot.token, node.boot.profile, node.boot.machine) = (boot.token, boot.profile, boot.machine);
        node.boot.kept = Some(Ticket::default());
        let plan = boot.plan.and_then(|plan| Plan::restore(plan, turn.config));
        node.boot.plan = plan.map(Arc::new);
        (node.stage, node.phase, node.reason) = (boot.stage, boot.phase, boot.reason);
        (node.boot.tries, node.boot.checks_in) = (boot.tries, boot.checks_in);
        node.last_end = boot.last_end;
        // Whatever its firmware said was said before now: what that says a minute from now is another boot's.
        if node.stage.is_booting() {
            let all = [Firmware::Pxe, Firmware::Http, Firmware::Ipxe];
            node.boot.firmware = all.map(|firmware| (firmware, turn.now)).into();
        }
    }
    // The number is what was promised; the stage is history, and may be a step behind.
    match (node.number, node.stage.is_numbered()) {
        (Some(_), false) => (node.stage, node.phase) = (node.stage.after(Step::Numbered), None),
        (None, true) => (node.stage, node.phase) = (Stage::Seen, None),
        (Some(_), true) | (None, false) => {}
    }
    let has_number =
        |number: u32| turn.config.networks.iter().position(|n| n.numbering.numbers.contains(number));
    node.network = node.number.and_then(has_number);
    node
}

/// A lease is held as long again: when it began is not known any more.
fn restore_lease(turn: &mut Turn<'_>, address: Ipv4Addr, mac: Mac, (is_guest, of_number): (bool, bool)) {
    let Some(network) = turn.config.networks.iter().position(|network| network.contains(address)) else {
        // Its network is no longer served.
        turn.record(Record::LeaseEnded(address));
        return;
    };
    let kind = match turn.config.networks[network].mode {
        Mode::Proxy => PoolKind::Elsewhere,
        Mode::Serve | Mode::Shadow if is_guest => PoolKind::Guest,
        Mode::Serve | Mode::Shadow if of_number => PoolKind::Number,
        // An earlier version did not record who was a guest: then the range tells.
        Mode::Serve | Mode::Shadow => {
            turn.hall.leases.pool_of(address).map_or(PoolKind::Temporary, |pool| pool.kind)
        }
    };
    let pool = PoolId { network, kind };
    if pool.kind == PoolKind::Temporary {
        restore_borrower(turn, mac);
    }
    let settings = &turn.config.networks[pool.network];
    let lease = match pool.kind {
        PoolKind::Guest => settings.guest_lease,
        PoolKind::Temporary => settings.temporary_lease,
        PoolKind::Number | PoolKind::Elsewhere => settings.lease,
    };
    let until = turn.hall.leases.lend(turn.now, address, mac, pool, lease);
    turn.hall.leases.recorded(address);
    turn.hall.timers.arm(until, Due::Address(address));
    let is_moved = turn.hall.nodes.get(mac).is_some_and(|node| node.stage == Stage::Up);
    if is_moved {
        turn.hall.leases.supersede(mac);
    }
    // Who has a temporary address is there, whatever network its number is of.
    let is_there = kind == PoolKind::Temporary;
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.network = node.network.filter(|_| !is_there).or(Some(pool.network));
    }
}

/// Who has a temporary address has begun to boot, also if nothing else was recorded of it.
fn restore_borrower(turn: &mut Turn<'_>, mac: Mac) {
    if turn.hall.nodes.get(mac).is_some() {
        return;
    }
    let token = turn.token(mac);
    if let Some((node, _)) = turn.hall.nodes.meet(turn.now, mac) {
        (node.stage, node.phase) = (Stage::Temporary, Some(Phase::Dhcp));
        node.reason = "it had a temporary address before the restart".into();
        (node.boot.token, node.boot.is_resumed) = (token, true);
    }
}

/// Whoever was in mid-boot when the server stopped may be in mid-download: its neighbour entries stand again.
fn pin_booting(turn: &mut Turn<'_>) {
    let in_mid_boot = |node: &&Node| {
        matches!(
            node.stage,
            Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Booting
        )
    };
    let mut pins = Vec::new();
    for node in turn.hall.nodes.iter().filter(in_mid_boot) {
        for mac in std::iter::once(node.mac).chain(node.further_macs.iter().copied()) {
            let lent = turn.hall.leases.of(mac);
            pins.extend(lent.map(|(address, lease)| (address, mac, lease.pool.network)));
        }
        // Whoever has what was its by another number has not come to this one.
        let mut cards = std::iter::once(&node.mac).chain(&node.further_macs);
        let is_former = |lease: &Lease| lease.pool.kind == PoolKind::Number;
        let has_former = cards.any(|card| turn.hall.leases.of(*card).any(|(_, lease)| is_former(lease)));
        let place = node.network.filter(|_| !has_former);
        let permanent = place.and_then(|place| Some((turn.permanent_address(node.mac, place)?, place)));
        pins.extend(permanent.map(|(address, place)| (address, node.present(), place)));
    }
    for (address, mac, place) in pins {
        turn.pin(address, mac, place);
    }
}

/// A host asks by ARP for a machine that may be too busy downloading to answer, or has firmware that never does.
fn who_has(turn: &mut Turn<'_>, WhoHas { interface, address, from }: WhoHas<'_>) {
    let mut here = turn.config.networks.iter().filter(|network| network.interface == interface);
    let is_wanted = here.any(|network| network.answer_arp && network.contains(address));
    let Some(pin) = turn.hall.pins.downloading(turn.now, address).filter(|_| is_wanted) else { return };
    // A machine that tries whether its own address is free must not hear that it is not (RFC 5227 2.1.1).
    if pin.interface == interface && pin.mac != from.0 {
        let (interface, mac) = (pin.interface.clone(), pin.mac);
        turn.out.push(Output::AnswerArp { interface, address, mac, to: from });
    }
}

/// Everything whose moment has come.
fn wake(turn: &mut Turn<'_>) {
    while let Some(due) = turn.hall.timers.due(turn.now) {
        match due {
            Due::Address(address) => {
                dhcp::ask_again(turn, address);
                let (ended, again) = turn.hall.leases.expire(turn.now, address);
                if let Some(again) = again {
                    turn.hall.timers.arm(again, Due::Address(address));
                }
                if !turn.hall.leases.is_probed(address) {
                    dhcp::answer_deferred(turn, address);
                }
                if let Some(lease) = ended {
                    turn.end_lease(address);
                    turn.step(
                        lease.mac,
                        Step::Expired,
                        "it fell silent, and its temporary address was taken back",
                    );
                }
            }
            Due::Pin(address) => {
                let Some(until) = turn.hall.pins.get(address).map(|pin| pin.stands_until()) else { continue };
                if until > turn.now {
                    turn.hall.timers.arm(until, due);
                } else {
                    turn.unpin(address);
                }
            }
            Due::Shadow(mac) => dhcp::shadow_due(turn, mac),
            Due::Offer(mac) => dhcp::let_go(turn, mac),
            Due::Probe(address) => dhcp::probe_expires(turn, address),
            Due::Silence(mac) => boot::silence_due(turn, mac),
            Due::HardwareAddresses => turn.publish_numbers(),
            Due::Chatter => turn.tell_left_out(),
            Due::Grant(mac) => {
                let Some(until) = turn.hall.nodes.get(mac).and_then(|node| node.granted_until) else {
                    continue;
                };
                if until > turn.now {
                    turn.hall.timers.arm(until, due);
                    continue;
                }
                if let Some(node) = turn.hall.nodes.get_mut(mac) {
                    node.granted_until = None;
                }
                turn.step(mac, Step::Left, "it let its lease run out");
            }
        }
    }
}

#[cfg(test)]
mod tests;
