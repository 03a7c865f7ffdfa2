//! The server: the same [`Heorot`] and [`Transfers`] as in the real one, with a simulated kernel, disk and store around them instead of threads.
//!
//! - [`carry`]: what the two machines put out, carried out as the server's loop does it;
//! - [`disk`]: the boot directory, and what of it is in memory;
//! - [`store`]: the records that are durable.

mod carry;
mod disk;
mod store;
mod streams;

pub use disk::{DiskMood, Files};
pub use store::Mood;

use crate::chance::Chance;
use crate::frame::{Frame, Payload};
use crate::happening::Happening;
use crate::machine::Kind;
use crate::moments::Wakes;
use crate::slab::Slab;
use crate::surroundings::Surroundings;
use carry::{Asker, Doing};
use disk::Disk;
use heorot_core::Heorot;
use heorot_core::cluster::network;
use heorot_core::cluster::record::Record;
use heorot_core::commits::Commits;
use heorot_core::config::Config;
use heorot_core::load::{self, Control, Regime};
use heorot_core::mac::Mac;
use heorot_core::message::{self, Answer, Datagram, Query, RequestId};
use heorot_core::time::{Time, Wall};
use heorot_core::transfer::{self, Note, Port, Resend, Transfers};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;
use store::Store;

/// What kind of computer the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    /// What its sockets hold of datagrams that were not yet looked at, as the kernel counts.
    pub receive_octets: u64,
    /// What one datagram costs its processor.
    pub datagram_cost: Duration,
    /// Its store.
    pub store: Mood,
    /// Its disk.
    pub disk: DiskMood,
    /// Octets of files that it keeps in memory.
    pub cache_octets: u64,
    /// Whether roots that are read by NFS wait for their share of the link.
    pub root_shares: bool,
}

/// The server, running or not.
#[derive(Debug)]
pub(crate) struct Server {
    config: Config,
    transfer_settings: transfer::Settings,
    computer: Computer,
    running: Option<Running>,
    /// How often it was started.
    life: u32,
    deaths: Deaths,
    store: Store,
    disk: Disk,
    doing: Slab<Doing>,
    /// Files by HTTP.
    streams: streams::Streams,
    notes: Vec<Option<(Time, Note)>>,
    /// The kernel's neighbour entries that are ours.
    neighbours: BTreeMap<Ipv4Addr, Mac>,
    socket: Socket,
    /// What each machine is, by its place.
    kinds: Vec<Kind>,
    chance: Chance,
    heorot_wakes: Wakes,
    transfers_wakes: Wakes,
    /// How often it was woken for nothing at this moment.
    wakes_at_once: u32,
    /// Lists of outputs that are not in use.
    spare: Vec<Vec<message::Output>>,
    spare_transfer: Vec<Vec<transfer::Output>>,
}

/// How often a running server ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deaths {
    /// Its process was killed.
    pub kills: u64,
    /// Its power was cut.
    pub power_cuts: u64,
}

#[derive(Debug)]
struct Running {
    heorot: Heorot,
    commits: Commits,
    transfers: Transfers,
    asked: BTreeMap<RequestId, Asker>,
    last_request: u64,
}

/// Datagrams that have come and were not yet looked at.
#[derive(Debug)]
struct Socket {
    waiting: VecDeque<u32>,
    octets: u64,
    octets_max: u64,
    busy_until: Time,
    turn_planned: bool,
    dropped: u64,
    looked_at: u64,
}

/// The server's secret: the same in every run, so that every run is the same.
const SECRET: [u8; 16] = *b"no secret at all";

/// Ports that transfers are sent from.
const DATA_PORTS: u16 = 8;
/// The first of them.
const DATA_PORTS_FROM: u16 = 40_000;
/// DHCP's, and TFTP's for requests.
const DHCP_PORT: u16 = 67;
const TFTP_PORT: u16 = 69;

/// As the server's: older notes are of clients that have given up.
const NOTES_LAST: Duration = Duration::from_secs(30);

/// How transfers are carried out. The one place where this is said.
pub(crate) fn transfer_settings(config: &Config, control: Control, resend: Resend) -> transfer::Settings {
    let load = load::Settings { control, links: network::links(config, |_| None) };
    transfer::Settings { data_ports: DATA_PORTS, single_port: config.tftp.single_port, load, resend }
}

impl Server {
    /// A server that is off, with what its store keeps already.
    pub(crate) fn new(
        (config, transfer_settings): (Config, transfer::Settings),
        computer: Computer,
        (files, kinds): (&Files, Vec<Kind>),
        records: &[Record],
        seed: u64,
    ) -> Self {
        Self {
            config,
            transfer_settings,
            running: None,
            life: 0,
            deaths: Deaths::default(),
            store: Store::new(computer.store.clone(), records),
            disk: Disk::new(files, computer.disk, computer.cache_octets),
            computer,
            doing: Slab::default(),
            streams: streams::Streams::default(),
            notes: Vec::new(),
            neighbours: BTreeMap::new(),
            socket: Socket {
                waiting: VecDeque::new(),
                octets: 0,
                octets_max: 0,
                busy_until: Time::from_nanoseconds(0),
                turn_planned: false,
                dropped: 0,
                looked_at: 0,
            },
            kinds,
            chance: Chance::of(seed, SERVER),
            heorot_wakes: Wakes::default(),
            transfers_wakes: Wakes::default(),
            wakes_at_once: 0,
            spare: Vec::new(),
            spare_transfer: Vec::new(),
        }
    }

    /// It starts, with what its store and its notes say, if it does not run.
    pub(crate) fn start(&mut self, s: &mut Surroundings) {
        if self.running.is_some() {
            return;
        }
        self.life += 1;
        self.neighbours.clear(); // Entries of an earlier life go before the first of this one.
        let records = self.store.records();
        let (mut out, mut transfer_out) = (Vec::new(), Vec::new());
        let heorot = Heorot::restore(s.now, self.config.clone(), SECRET, records, &mut out);
        for note in &mut self.notes {
            *note = note.take().filter(|(written, _)| s.now.since(*written) <= NOTES_LAST);
        }
        let notes = self.notes.iter().zip(0..);
        let notes = notes.filter_map(|(note, slot)| note.as_ref().map(|(_, note)| (slot, note.clone())));
        let transfers =
            Transfers::restore(s.now, self.transfer_settings.clone(), notes.collect(), &mut transfer_out);
        self.running = Some(Running {
            heorot,
            commits: Commits::default(),
            transfers,
            asked: BTreeMap::new(),
            last_request: 0,
        });
        s.watch.started(s.now, self.life, self.store.kept());
        for output in out {
            self.carry(s, output);
        }
        for output in transfer_out {
            self.carry_transfer(s, output);
        }
        self.turn_over(s);
    }

    /// The process is killed. What the kernel holds stays, until the next start.
    pub(crate) fn crash(&mut self, s: &mut Surroundings) {
        self.deaths.kills += u64::from(self.running.is_some());
        self.end(s);
    }

    fn end(&mut self, s: &mut Surroundings) {
        let Some(running) = self.running.take() else { return };
        for asker in running.asked.into_values() {
            match asker {
                Asker::Http(place) => s.http.forget(place),
                Asker::Transfer(..) => {}
            }
        }
        s.watch.line(s.now, "server", format_args!("is killed"));
        self.store.crash(&mut self.chance);
        self.disk.crash();
        self.streams.clear();
        for frame in std::mem::take(&mut self.socket.waiting) {
            s.network.take(frame);
        }
        self.socket.octets = 0;
        self.heorot_wakes.clear();
        self.transfers_wakes.clear();
    }

    /// Power is cut: only what is on disk stays.
    pub(crate) fn cut_power(&mut self, s: &mut Surroundings) {
        self.deaths.power_cuts += u64::from(self.running.is_some());
        self.end(s);
        s.watch.line(s.now, "server", format_args!("has no power"));
        self.notes.clear();
        self.neighbours.clear();
    }

    /// How it ended so far.
    pub(crate) fn deaths(&self) -> Deaths {
        self.deaths
    }

    /// Somebody else has the processor until then.
    pub(crate) fn stall(&mut self, until: Time) {
        self.socket.busy_until = self.socket.busy_until.max(until);
    }

    /// A frame has come.
    pub(crate) fn frame(&mut self, s: &mut Surroundings, frame: u32) {
        if self.running.is_none() {
            s.network.take(frame);
            return;
        }
        // TCP's is the kernel's affair.
        if let Some(&Payload::Received { stream, through }) = s.network.get(frame).map(|frame| &frame.payload)
        {
            s.network.take(frame);
            self.acknowledged(s, stream, through);
            return self.turn_over(s);
        }
        if self.socket.waiting.is_empty() && self.socket.busy_until <= s.now {
            return self.look_at(s, frame);
        }
        let octets = s.network.get(frame).map_or(0, kernel_octets);
        if self.socket.octets + octets > self.computer.receive_octets {
            self.socket.dropped += 1;
            s.network.take(frame);
            return;
        }
        self.socket.octets += octets;
        self.socket.octets_max = self.socket.octets_max.max(self.socket.octets);
        self.socket.waiting.push_back(frame);
        self.plan_turn(s);
    }

    /// The processor is free.
    pub(crate) fn turn(&mut self, s: &mut Surroundings) {
        self.socket.turn_planned = false;
        if self.socket.busy_until > s.now {
            return self.plan_turn(s);
        }
        let Some(frame) = self.socket.waiting.pop_front() else { return };
        self.socket.octets -= s.network.get(frame).map_or(0, kernel_octets);
        self.look_at(s, frame);
        self.plan_turn(s);
    }

    /// The moment of a machine's wake-up, perhaps.
    pub(crate) fn wake_heorot(&mut self, s: &mut Surroundings) {
        if !self.heorot_wakes.come(s.now) {
            return;
        }
        let due = self.running.as_ref().and_then(|running| running.heorot.next_wakeup());
        if due.is_some_and(|at| at <= s.now) {
            self.heorot(s, message::Input::Wakeup);
        }
        self.turn_over(s);
        self.count_wakes(s, self.heorot_wakes.next());
    }

    /// The same for transfers.
    pub(crate) fn wake_transfers(&mut self, s: &mut Surroundings) {
        if !self.transfers_wakes.come(s.now) {
            return;
        }
        let due = self.running.as_ref().and_then(|running| running.transfers.next_wakeup());
        if due.is_some_and(|at| at <= s.now) {
            self.transfer(s, transfer::Input::Wakeup);
        }
        self.turn_over(s);
        self.count_wakes(s, self.transfers_wakes.next());
    }

    /// Whoever wants to be woken again at the moment at which it was just woken has not done what it was woken for: the loop would never sleep again.
    fn count_wakes(&mut self, s: &mut Surroundings, next: Option<Time>) {
        const AT_ONCE_MAX: u32 = 1000;
        self.wakes_at_once = if next == Some(s.now) { self.wakes_at_once + 1 } else { 0 };
        if self.wakes_at_once == AT_ONCE_MAX {
            s.watch.broken(s.now, format_args!("the server wakes itself without end"));
            self.crash(s);
        }
    }

    /// Its address for machines.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.config.networks[0].address
    }

    /// The store changes its behaviour.
    pub(crate) fn set_store_mood(&mut self, mood: Mood) {
        self.store.set_mood(mood);
    }

    /// The disk changes its behaviour.
    pub(crate) fn set_disk_mood(&mut self, mood: DiskMood) {
        self.disk.set_mood(mood);
    }

    /// How its busiest link is used.
    pub(crate) fn regime(&self) -> Regime {
        let links = self.running.iter().flat_map(|running| running.transfers.links());
        links.map(|(regime, _)| regime).max().unwrap_or_default()
    }

    /// Transfers in flight.
    pub(crate) fn transfers_active(&self) -> usize {
        self.running.as_ref().map_or(0, |running| running.transfers.active())
    }

    /// Packets that were sent again since it was started.
    pub(crate) fn resent(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.transfers.resent_total())
    }

    /// Datagrams that its kernel dropped, and the most octets that ever waited.
    pub(crate) fn socket_counts(&self) -> (u64, u64) {
        (self.socket.dropped, self.socket.octets_max)
    }

    /// What all datagrams so far took of its processor.
    pub(crate) fn processor_seconds(&self) -> f64 {
        self.computer.datagram_cost.as_secs_f64() * as_real(self.socket.looked_at)
    }

    /// All that it knows, compared with all that was promised, and with what its kernel and its store hold.
    pub(crate) fn compare(&mut self, s: &mut Surroundings) {
        let Some((dump, _)) = self.dump(s.now) else { return };
        let kept = Some(self.store.kept()).filter(|_| self.holds_all_records());
        s.watch.compare(s.now, &dump, &self.neighbours, kept);
    }

    /// All that it knows of nodes, and of transfers.
    pub(crate) fn dump(&mut self, now: Time) -> Option<(String, String)> {
        const DUMP: RequestId = RequestId(0);
        let running = self.running.as_mut()?;
        let mut ask = |query| {
            let mut out = Vec::new();
            running.heorot.handle(now, message::Input::Operator { id: DUMP, wall: Wall(0), query }, &mut out);
            out.into_iter().find_map(|output| {
                if let message::Output::Reply(DUMP, answer) = output { Some(answer) } else { None }
            })
        };
        let Answer::Json(_, nodes) = ask(Query::Dump)?.whole(ask)? else { return None };
        Some((nodes, format!("{:?}", running.transfers.dump())))
    }

    /// What it still holds although nothing is left to be done. Nothing, if all is well.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let Some(running) = &self.running else { return vec!["it does not run".into()] };
        let notes = self.notes.iter().flatten().count();
        let leases = self.store.kept().keys().filter(|key| key.starts_with("lease/")).count();
        let counts = [
            ("transfers", running.transfers.active()),
            ("timers of transfers", usize::from(running.transfers.next_wakeup().is_some())),
            ("streams", running.transfers.streams() + self.streams.len()),
            ("questions", running.asked.len()),
            ("notes", notes),
            ("neighbour entries", self.neighbours.len()),
            ("open images", self.disk.open_count()),
            ("things being done", self.doing.len()),
            ("datagrams in its sockets", self.socket.waiting.len()),
            // An end that was refused stays unrecorded until the next start, or until the address is lent again.
            ("leases", if self.holds_all_records() { leases } else { 0 }),
        ];
        counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect()
    }

    /// The store holds exactly what the server knows: nothing is under way, and nothing was refused.
    fn holds_all_records(&self) -> bool {
        self.store.is_whole() && self.running.as_ref().is_some_and(|running| running.commits.is_idle())
    }

    /// Hands a datagram to whom it concerns.
    fn look_at(&mut self, s: &mut Surroundings, frame: u32) {
        self.socket.busy_until = s.now + self.computer.datagram_cost;
        self.socket.looked_at += 1;
        let Frame { source, destination, payload, .. } = s.network.take(frame);
        let number;
        let octets = match &payload {
            Payload::Octets(octets) => octets.as_slice(),
            Payload::Acknowledge(block) => {
                let [high, low] = block.to_be_bytes();
                number = [0, ACKNOWLEDGE, high, low];
                &number
            }
            // No machine serves files.
            Payload::Data { .. } | Payload::Segment { .. } | Payload::Received { .. } => return,
        };
        match destination.port() {
            DHCP_PORT => {
                s.watch.asked(octets);
                let interface = self.config.networks[0].interface.clone();
                let destination = *destination.ip();
                let datagram = Datagram { interface: &interface, source, destination, payload: octets };
                self.heorot(s, message::Input::Dhcp(datagram));
            }
            port => {
                s.watch.alive(s.now, *source.ip());
                let port = match port {
                    TFTP_PORT => Some(Port::Request),
                    port => port.checked_sub(DATA_PORTS_FROM).filter(|n| *n < DATA_PORTS).map(Port::Data),
                };
                let local = *destination.ip();
                if let Some(port) = port.filter(|_| local == self.address()) {
                    self.transfer(
                        s,
                        transfer::Input::Datagram { port, local, peer: source, payload: octets },
                    );
                }
            }
        }
        self.turn_over(s);
    }

    fn plan_turn(&mut self, s: &mut Surroundings) {
        if !self.socket.turn_planned && !self.socket.waiting.is_empty() {
            self.socket.turn_planned = true;
            s.moments.push(self.socket.busy_until.max(s.now), Happening::ServerTurn);
        }
    }

    /// After whatever happened: records go to the store, and whoever wants to be woken will be.
    fn turn_over(&mut self, s: &mut Surroundings) {
        if let Some(batch) = self.running.as_mut().and_then(|running| running.commits.begin(s.now)) {
            let took = self.store.begin(batch);
            self.begin(s, s.now + took, Doing::Commit);
        }
        let Some(running) = &self.running else { return };
        let wakeup = running.heorot.next_wakeup().into_iter().chain(running.commits.due()).min();
        if let Some(at) = wakeup.map(|at| at.max(s.now))
            && self.heorot_wakes.want(at)
        {
            s.moments.push(at, Happening::HeorotWake);
        }
        if let Some(at) = running.transfers.next_wakeup().map(|at| at.max(s.now))
            && self.transfers_wakes.want(at)
        {
            s.moments.push(at, Happening::TransfersWake);
        }
    }
}

/// What Linux counts for a datagram in a receive buffer (`truesize`): the socket buffer's own size and a piece of memory that the frame fits into.
fn kernel_octets(frame: &Frame) -> u64 {
    const SMALL: u64 = 768;
    const LARGE: u64 = 2304;
    if frame.wire_octets() <= SMALL / 2 { SMALL } else { LARGE }
}

#[allow(clippy::cast_precision_loss, reason = "no run has 2^52 datagrams")]
fn as_real(number: u64) -> f64 {
    number as f64
}

/// TFTP's operation ACK.
const ACKNOWLEDGE: u8 = 4;

/// The server's own stream of chance.
const SERVER: u64 = 2;
