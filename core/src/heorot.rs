//! [`Heorot`]: the whole flow, in one match.

mod configure;
mod restore;

use crate::cluster::answers_all::AnswersAll;
use crate::cluster::chatter::Chatter;
use crate::cluster::dynamic::Dynamics;
use crate::cluster::file_hosts;
use crate::cluster::heard::Heard;
use crate::cluster::lease::Leases;
use crate::cluster::listed::Listed;
use crate::cluster::naming::Naming;
use crate::cluster::network;
use crate::cluster::node::Nodes;
use crate::cluster::one_segment::Segments;
use crate::cluster::other_server::OtherServers;
use crate::cluster::phrases::Phrases;
use crate::cluster::pin::Pins;
use crate::cluster::probe::Probes;
use crate::cluster::record::{Record, SerialRecord};
use crate::cluster::reservation::Reservations;
use crate::cluster::strange_relay::StrangeRelays;
use crate::cluster::tenant::Tenants;
use crate::cluster::unanswered::Unanswered;
use crate::cluster::written_names::WrittenNames;
use crate::config::{Config, Lacks, Missing};
use crate::event::Kind;
use crate::hall::{Due, FreeNumbers, Granting, Hall, HeldBackOffers, HostKeyNumbers, Turn, Unpublished};
use crate::limit::DUE_AT_ONCE;
use crate::load::{self, Regime};
use crate::message::{Input, Output, WhoHas};
use crate::promise::Promises;
use crate::service::control::{silent_firmware, silent_loader};
use crate::service::{boot, control, dhcp, update};
use crate::time::{Time, Wall};
use crate::timer::Timers;
use heorot_names::{Directory, HostsLine};
use std::collections::{BTreeMap, BTreeSet};
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
        Self::restore_beside(now, config, secret, (records, Arc::default()), out)
    }

    /// The same where files of hosts have these lines: their names are told from the first moment on.
    pub fn restore_beside(
        now: Time,
        config: Config,
        secret: [u8; 16],
        (records, hosts_lines): (Vec<Record>, Arc<[HostsLine]>),
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
            | Record::Numbering(_)
            | Record::Dynamic(_)
            | Record::Orders(_)
            | Record::Secrets(_) => None,
        });
        let naming = Naming::starting(serial, config.zone.serial);
        let written_names = WrittenNames::new(&config);
        let files = Arc::new(file_hosts::in_zone(&config, &written_names, &hosts_lines));
        let hall = Hall {
            nodes: Nodes::new(secret),
            phrases: Phrases::new(),
            listed: Listed::new(&config),
            reservations: Reservations::new(&config),
            told_of_hosts: BTreeMap::new(),
            left_out: BTreeMap::new(),
            leases: Leases::new(&config),
            longer_leases: BTreeMap::new(),
            tenants: Tenants::default(),
            pins: Pins::default(),
            heard: Heard::default(),
            promises: Promises::default(),
            timers: Timers::default(),
            deferred: BTreeMap::new(),
            probes: Probes::default(),
            answers_all: AnswersAll::default(),
            held_back: HeldBackOffers::default(),
            granting: Granting::default(),
            segments: Segments::default(),
            copies_awaited: BTreeMap::new(),
            shadows: BTreeMap::new(),
            unanswered: Unanswered::default(),
            chatter: Chatter::default(),
            ignored: Unanswered::default(),
            strange_relays: StrangeRelays::default(),
            other_servers: OtherServers::default(),
            links: links(&config),
            regimes: BTreeMap::new(),
            malformed: BTreeMap::new(),
            store_trouble: None,
            gone: BTreeMap::new(),
            deaf: BTreeMap::new(),
            own_addresses: BTreeSet::new(),
            missing: Vec::new(),
            started: now,
            turned_away: None,
            held_up_files: BTreeMap::new(),
            line: String::new(),
            calendar: None,
            secret,
            boots: 0,
            lapsed: BTreeMap::new(),
            free: FreeNumbers::new(&config),
            unpublished: Unpublished::default(),
            host_keys: HostKeyNumbers::default(),
            directory: Arc::new(Directory {
                files: Arc::clone(&files),
                ..network::directory(&config, |listed| listed.number, std::iter::empty(), naming.serial())
            }),
            naming,
            written_names,
            hosts_lines,
            files,
            dynamics: Dynamics::default(),
            plans: BTreeMap::new(),
            changing: None,
        };
        let mut heorot = Self { config, hall };
        heorot.turn(now, out, |turn| {
            restore::restore(turn, records);
            // Files and the configuration may have become others meanwhile.
            dhcp::recheck_names(turn);
            // Whatever has changed while nobody looked: a start is a batch.
            turn.hall.naming.directory_changed();
            turn.publish();
            // Names are answered for at once, under a serial that may have been served before, and as soon as a higher one is durable under that. All of them
            // together: a secondary that copies a zone without some has that serial, and would lack them for good.
            let changes = [turn.hall.naming.take_pending(), update::kept(turn)].concat();
            turn.out.push(Output::Publish(Arc::clone(&turn.hall.directory), changes));
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
            Input::InterfaceGone(interface) => interface_lost(turn, interface, None),
            Input::InterfaceUnfit { interface, why } => interface_lost(turn, interface, Some(why)),
            Input::InterfaceBack(interface) => {
                turn.hall.gone.remove(interface);
                turn.pin_again(interface);
            }
            Input::InterfaceFlushed(interface) => turn.pin_again(interface),
            Input::InterfacesDeaf(deaf) => turn.interfaces_deaf(deaf),
            Input::FilesHeldUp(places) => turn.hall.held_up_files = places,
            Input::Addresses { own, missing } => {
                turn.hall.own_addresses = own;
                // What was taken for another server may be this one.
                dhcp::forget_allowed(turn);
                let before = std::mem::replace(&mut turn.hall.missing, missing.clone());
                for missing in missing.iter().filter(|missing| !before.contains(missing)) {
                    turn.event(None, Kind::Trouble, missing.to_string());
                }
                addresses_back(turn, &before);
            }
            Input::Unavailable { from, path, refusal } => boot::unavailable(turn, from, &path, &refusal),
            Input::Distrusts(from, why) => boot::distrusts(turn, from, &why),
            Input::Misunderstood(from, why) => boot::misunderstood(turn, from, &why),
            Input::NotMade { mac, given, why } => boot::not_made(turn, mac, given, why.as_deref()),
            Input::Sending { to, path } => boot::sending(turn, to, &path),
            Input::Transferred(transfer) => boot::transferred(turn, &transfer),
            Input::Regime { link, regime } => regime_changed(turn, link, regime),
            Input::Occupied { address, mac } => dhcp::occupied(turn, address, mac),
            Input::Committed(through) => {
                let was_in_trouble = turn.hall.store_trouble.take().is_some();
                if was_in_trouble {
                    turn.event(None, Kind::Trouble, "the store keeps what is promised again");
                }
                turn.hall.naming.decided(through, true);
                while let Some(promise) = turn.hall.promises.decided(turn.now, through) {
                    promise.fulfil(turn);
                }
                if was_in_trouble {
                    turn.keep_numbering_again();
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
                while let Some(promise) = turn.hall.promises.decided(turn.now, through) {
                    promise.withdraw(turn);
                }
            }
            Input::Update { id, changes, by } => update::handle(turn, id, changes, &by),
            Input::UpdateDenied { by, why } => update::denied(turn, &by, &why),
            Input::HostsFiles(lines) => configure::hosts_files(turn, lines),
            Input::Calendar(wall) => calendar(turn, wall),
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
}

/// Nobody is heard by an interface, for want of it or for this reason. As long as that is the same it is told once.
fn interface_lost(turn: &mut Turn<'_>, interface: &str, why: Option<&str>) {
    let is_told = turn.hall.gone.get(interface).is_some_and(|told| told.as_deref() == why);
    if !is_told {
        turn.hall.gone.insert(interface.to_owned(), why.map(str::to_owned));
        turn.event(None, Kind::Trouble, control::gone(interface, why));
    }
}

/// It is known what day it is: with the first word, also since when what was known before the start is so. A calendar that is set while we run may have told that wrong before.
fn calendar(turn: &mut Turn<'_>, wall: Wall) {
    let now = turn.now;
    let is_as_told = |(then, before): (Time, Wall)| {
        let foretold = before.0.saturating_add(now.as_nanoseconds().saturating_sub(then.as_nanoseconds()));
        foretold.abs_diff(wall.0) <= CALENDAR_SLEWED_MAX_NANOSECONDS
    };
    if !turn.hall.calendar.replace((now, wall)).is_some_and(is_as_told) {
        let macs: Vec<_> = turn.hall.nodes.iter().map(|node| node.mac).collect();
        for mac in macs {
            if let Some(node) = turn.hall.nodes.get_mut(mac) {
                node.since.place(now, wall);
                node.kept_since.place(now, wall);
                node.vain.iter_mut().for_each(|vain| vain.since.place(now, wall));
            }
        }
    }
}

/// What is more than this between two words of the calendar, beside the time that has passed, is not that it goes a little faster or slower: it was set.
const CALENDAR_SLEWED_MAX_NANOSECONDS: u64 = 1_000_000_000;

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

/// Says which addresses that were lost are back: not those that others stand in the place of now, and not those of interfaces that are gone.
fn addresses_back(turn: &mut Turn<'_>, before: &[Missing]) {
    for Missing { interface, what } in before {
        let Lacks::Own(address) = *what else { continue };
        let is_lost = turn.hall.missing.iter().any(|it| it.interface == *interface && it.what == *what);
        let mut networks = turn.config.networks.iter();
        let is_ours = networks.any(|it| it.interface == *interface && it.address == address);
        if is_ours && !is_lost && !turn.hall.gone.contains_key(interface) {
            turn.event(None, Kind::Trouble, format!("{interface} has {address} again"));
        }
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

/// Everything whose moment has come, as far as a turn has time for it: what is left is due already, and has the next turn. After a restart all loans were lent in one moment, and end in one.
fn wake(turn: &mut Turn<'_>) {
    for _ in 0..DUE_AT_ONCE {
        let Some(due) = turn.hall.timers.due(turn.now) else { return };
        match due {
            Due::Address(address) => {
                dhcp::ask_again(turn, address);
                let (ended, again) = turn.hall.leases.expire(turn.now, address);
                if let Some(again) = again {
                    let again = turn.keep_left(address).map_or(again, |looks| looks.min(again));
                    turn.hall.timers.arm(again, Due::Address(address));
                }
                if !turn.hall.leases.is_probed(address) {
                    dhcp::answer_deferred(turn, address);
                }
                if let Some(lease) = ended {
                    let silent =
                        silent_loader::of(turn, lease.mac).or_else(|| silent_firmware::of(turn, lease.mac));
                    let is_over = turn.runs_out(address, lease);
                    if let Some((what, to_do)) = silent.filter(|_| is_over) {
                        turn.trouble(lease.mac, what, Some(to_do));
                    }
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
            Due::Tokens => turn.give_up_tokens(),
            Due::Copy(mac) => dhcp::copies_due(turn, mac),
            Due::LongerLeases => turn.longer_leases_due(),
            Due::Grant(mac) => {
                let Some(until) = turn.hall.nodes.get(mac).and_then(|node| node.grants.until()) else {
                    continue;
                };
                if until > turn.now {
                    turn.hall.timers.arm(until, due);
                    continue;
                }
                turn.leases_run_out(mac);
            }
        }
    }
}

#[cfg(test)]
mod tests;
