//! The TFTP machine: RFC 1350, 2347-2349, 7440.
//!
//! [`Transfers`] has the form of [`Heorot`](crate::Heorot): it takes a moment and one [`Input`], and says what is to be done as [`Output`]s.
//! It never holds the bytes of a file: what is to be sent is named (image, blocks), and whoever carries it out finds them in memory or says that they are not there.
//!
//! ```text
//! datagram ──> Transfers ──> flight      one transfer: state x event, see its drawing; what it wants to send
//!                        ├─> opening     how one begins: asked for, or noted before a restart
//!                        ├─> flights     all of them; crowd: who gives way where there is no room
//!                        ├─> streams     what goes out by TCP: it asks for leave, piece by piece
//!                        ├─> turns       with load's Lane: whose turn it is, and how much may be sent now
//!                        ├─> images      who uses which file, which chunks are on the way
//!                        ├─> seniority   which machine was there first
//!                        └─> slots       where each transfer is noted for a restart
//! ```
//!
//! Nothing but an ERROR is sent at once: a transfer wants to send, and whoever is next in the ring of its link is granted so many blocks as the link has tokens for.
//!
//! All transfers share a fixed set of ports. A transfer is known by its peer's address and port: a peer has one at a time, so that a request from a port that already
//! has one is its repeat or its successor. A successor is sent from another of our ports: what is still on its way from the old one cannot be mistaken for it.
//! Where all is sent from port 69 itself, for the sake of firewalls, only the client's own port tells them apart.

mod crowd;
mod flight;
mod flights;
mod images;
mod message;
mod opening;
mod round_trip;
mod seniority;
mod slots;
mod streams;
mod terms;
mod turns;

pub use message::{
    Block, Body, ImageId, ImageIdentity, Input, Note, Opened, Outcome, Output, Part, Port, Protocol, Refusal,
    Send, StreamId, StreamNews, Transfer, TransferId, Unsent,
};

use crate::limit::{LOAD_TICK, TFTP_STRAY_GRACE, TFTP_STRAY_INTERVAL, TRANSFERS_MAX};
use crate::load::{self, Coalescing, Lane, Regime};
use crate::time::Time;
use crate::wire::tftp::{self, ErrorCode, Packet};
use flight::{End, Event, Flight, Step};
use flights::Flights;
use images::Images;
pub use round_trip::Resend;
use seniority::Seniority;
use slots::Slots;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;
use streams::Streams;
use turns::{find_place, lanes};

/// All TFTP transfers.
#[derive(Debug)]
pub struct Transfers {
    state: State,
    malformed: BTreeMap<&'static str, u64>,
    /// Before this, packets that belong to no transfer are not answered.
    strays_after: Time,
}

/// What transfers run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many ports transfers are sent from; at least one, better several. It does not change while the server runs.
    pub data_ports: u16,
    /// Whether everything is sent from port 69 instead, where then also the ACKs come.
    pub single_port: bool,
    /// The links, and how much is controlled.
    pub load: load::Settings,
    /// When silence is answered with a repeat.
    pub resend: Resend,
}

impl Settings {
    /// From where a transfer is sent that has this place among our ports.
    fn port(&self, place: u16) -> Port {
        if self.single_port { Port::Request } else { Port::Data(place) }
    }
}

/// Who shares a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Transfer(TransferId),
    Stream(StreamId),
}

/// Everything that decides.
#[derive(Debug)]
struct State {
    settings: Settings,
    flights: Flights,
    streams: Streams,
    /// When each transfer is to be looked at: no later than it has something to do, and perhaps sooner.
    timers: BTreeSet<(Time, TransferId)>,
    /// The links, as in the settings, and who is to be looked at first.
    lanes: Vec<Lane<Member>>,
    lane_turn: usize,
    /// When the present tick is over, while anything is under way.
    tick: Option<Time>,
    /// When it began.
    tick_begun: Time,
    coalescing: Coalescing,
    seniority: Seniority,
    images: Images,
    slots: Slots,
    resent_total: u64,
    retries_total: u64,
}

impl Transfers {
    /// Begins with nothing in flight.
    ///
    /// # Panics
    /// If there is no port to send from.
    pub fn new(now: Time, settings: Settings) -> Self {
        assert!(settings.data_ports > 0, "transfers need a port to be sent from");
        let state = State {
            lanes: lanes(now, &settings.load),
            lane_turn: 0,
            tick: None,
            tick_begun: now,
            coalescing: Coalescing::default(),
            seniority: Seniority::default(),
            settings,
            flights: Flights::default(),
            streams: Streams::default(),
            timers: BTreeSet::new(),
            images: Images::default(),
            slots: Slots::default(),
            resent_total: 0,
            retries_total: 0,
        };
        Self { state, malformed: BTreeMap::new(), strays_after: now + TFTP_STRAY_GRACE }
    }

    /// Goes on after a restart with what was noted: asks for each file again and then for its next window to be sent. Notes that make no sense are forgotten.
    pub fn restore(now: Time, settings: Settings, notes: Vec<(u32, Note)>, out: &mut Vec<Output>) -> Self {
        let mut transfers = Self::new(now, settings);
        for (slot, note) in notes {
            if !transfers.state.resume(now, slot, note, out) && (slot as usize) < TRANSFERS_MAX {
                out.push(Output::Note { slot, note: None });
            }
        }
        transfers
    }

    /// Takes one input. What is to be done is appended to `out`, in order.
    pub fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Datagram { port, local, peer, payload } => match Self::packet(peer, payload) {
                Ok(packet) if Self::is_for(port, &packet) => {
                    self.datagram(now, port, local, peer, packet, out);
                }
                Ok(_) => return self.count("tftp-misplaced"),
                Err(word) => return self.count(word),
            },
            Input::Opened { transfer, result } => self.state.opened(now, transfer, result, out),
            Input::Fetched { image, chunk } => {
                for id in self.state.images.fetched(image, chunk) {
                    self.state.step(now, id, Event::InMemory, out);
                }
            }
            Input::Broken { image, why } => {
                for id in self.state.images.users(image) {
                    self.state.step(now, id, Event::Broken(&why), out);
                }
            }
            Input::Unsent { transfer, block, why } => {
                self.state.step(now, transfer, Event::Unsent { block, why }, out);
                // What that gives back is for the next turn: of ten thousand that wait for a disk each would at once make room for the next one, which does not leave either.
                return self.state.ration(out);
            }
            Input::Stream { stream, news } => self.state.stream(now, stream, news, out),
            Input::Carried { link, octets } => {
                if let Some(lane) = self.state.lanes.get_mut(link) {
                    lane.carried(octets);
                }
            }
            Input::Configure(links) => self.state.configure(now, links, out),
            Input::Wakeup => self.state.wakeup(now, out),
        }
        self.state.ration(out);
        self.state.pump(now, out);
    }

    /// When [`Input::Wakeup`] is wanted next.
    pub fn next_wakeup(&self) -> Option<Time> {
        let State { timers, lanes, tick, settings, .. } = &self.state;
        let timer = timers.first().map(|(at, _)| *at);
        let wanted = lanes.iter().zip(&settings.load.links).filter(|(lane, _)| lane.is_wanted());
        let tokens = wanted.map(|(lane, link)| {
            let behind = link.behind.and_then(|place| lanes.get(place)).map(Lane::refilled_at);
            behind.into_iter().fold(lane.refilled_at(), Time::max)
        });
        timer.into_iter().chain(*tick).chain(tokens).min()
    }

    /// How many transfers by TFTP there are.
    pub fn active(&self) -> usize {
        self.state.flights.len()
    }

    /// How long the loop is to rest that has just taken so many datagrams, so that more of them come together.
    pub fn rest(&self, taken: usize) -> Option<Duration> {
        self.state.coalescing.rest(taken)
    }

    /// How many files go out by TCP.
    pub fn streams(&self) -> usize {
        self.state.streams.len()
    }

    /// How many transfers wait for their file to be opened or read. Counts them one by one: for whoever asks, not for every packet.
    pub fn waiting(&self) -> usize {
        self.state.flights.iter().filter(|flight| flight.is_waiting()).count()
    }

    /// How many packets were sent again since the start.
    pub fn resent_total(&self) -> u64 {
        self.state.resent_total
    }

    /// How often clients repeated themselves since the start.
    pub fn retries_total(&self) -> u64 {
        self.state.retries_total
    }

    /// How the links are used: of each, the regime and the bits per second that it is taken to carry, if that was found out or told.
    pub fn links(&self) -> impl Iterator<Item = (Regime, Option<u64>)> + '_ {
        self.state.lanes.iter().map(|lane| (lane.regime(), lane.ceiling_bits()))
    }

    /// By which interface each of the links is sent, if it has one of its own.
    pub fn interfaces(&self) -> impl Iterator<Item = Option<&str>> {
        self.state.settings.load.links.iter().map(|link| link.interface.as_deref())
    }

    /// Datagrams that were dropped since the start, by reason: the words of [`tftp::Malformed`], `tftp-source` and `tftp-misplaced`.
    pub fn malformed(&self) -> &BTreeMap<&'static str, u64> {
        &self.malformed
    }

    /// All that is known, for people and for comparing: what is malformed leaves it as it was.
    pub fn dump(&self) -> impl fmt::Debug {
        &self.state
    }

    /// What a datagram says, or a word for why it says nothing.
    fn packet(peer: SocketAddrV4, payload: &[u8]) -> Result<Packet, &'static str> {
        let address = peer.ip();
        if peer.port() == 0 || address.is_unspecified() || address.is_broadcast() || address.is_multicast() {
            return Err("tftp-source");
        }
        Packet::parse(payload).map_err(|malformed| malformed.word())
    }

    /// Whether such a packet may come to this port.
    fn is_for(port: Port, packet: &Packet) -> bool {
        match (port, packet) {
            (_, Packet::Acknowledge(_) | Packet::Error { .. }) => true,
            (_, Packet::OfAServer) => false,
            (
                port,
                Packet::Read(_)
                | Packet::ReadOtherMode
                | Packet::ReadLongName
                | Packet::ReadCutOff
                | Packet::Write,
            ) => port == Port::Request,
        }
    }

    fn datagram(
        &mut self,
        now: Time,
        port: Port,
        local: Ipv4Addr,
        peer: SocketAddrV4,
        packet: Packet,
        out: &mut Vec<Output>,
    ) {
        let refuse = |code, text: &str, out: &mut Vec<Output>| {
            out.push(Output::SignOfLife(*peer.ip()));
            out.push(error(port, local, peer, code, text));
        };
        match packet {
            Packet::Read(request) => self.state.asked(now, local, peer, request, out),
            Packet::ReadOtherMode => refuse(ErrorCode::Illegal, "the modes here are octet and netascii", out),
            Packet::ReadLongName => refuse(ErrorCode::Other, TOO_LONG, out),
            Packet::ReadCutOff => refuse(ErrorCode::Illegal, CUT_OFF, out),
            Packet::Write => {
                refuse(ErrorCode::Denied, "this server is read only: no file can be put here", out)
            }
            Packet::Acknowledge(number) => match self.state.flight_at(port, peer) {
                Some(id) => self.state.step(now, id, Event::Acknowledged(number), out),
                None => self.stray(now, port, local, peer, out),
            },
            Packet::Error { code, text } => {
                // An error is never answered, or two servers might never stop.
                match self.state.flight_at(port, peer) {
                    Some(id) => self.state.step(now, id, Event::Aborted { code, text: &text }, out),
                    None => out.push(Output::SignOfLife(*peer.ip())),
                }
            }
            Packet::OfAServer => {}
        }
    }

    /// Answers a packet of a transfer that does not exist (RFC 1350 4), seldom enough that nobody can make us talk. Not to a peer that has a transfer:
    /// what comes late from its last one must not end its next one. Its sender lives all the same.
    ///
    /// Also to who gave way to others before he acknowledged anything. Silence would not have him ask anew: whoever was answered once repeats his ACK until his patience ends, and GRUB waits
    /// without a word; while U-Boot begins anew by this.
    fn stray(&mut self, now: Time, port: Port, local: Ipv4Addr, peer: SocketAddrV4, out: &mut Vec<Output>) {
        out.push(Output::SignOfLife(*peer.ip()));
        if now >= self.strays_after && self.state.flights.to(peer).is_none() {
            self.strays_after = now + TFTP_STRAY_INTERVAL;
            out.push(error(port, local, peer, ErrorCode::UnknownTransfer, "no such transfer"));
        }
    }

    fn count(&mut self, word: &'static str) {
        *self.malformed.entry(word).or_default() += 1;
    }
}

/// What is told of a name that is longer ([`TFTP_NAME_OCTETS_MAX`](crate::limit::TFTP_NAME_OCTETS_MAX)).
const TOO_LONG: &str = "a file name has 512 octets at most";

/// What is told of a request that is cut off (RFC 1350 5, RFC 2347).
const CUT_OFF: &str =
    "the request is cut off: each of its strings ends with a zero octet, and each option has a value";

/// Why a transfer ends whose machine begins anew.
const ABANDONED: &str = "its machine left it, and asked anew";

impl State {
    fn wakeup(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.tick.is_some_and(|at| at <= now) {
            self.count_streams(now);
            for (link, lane) in self.lanes.iter_mut().enumerate() {
                let before = lane.regime();
                lane.tick();
                if lane.regime() != before {
                    out.push(Output::Regime { link, regime: lane.regime() });
                }
            }
            self.let_go();
            self.tick_begun = now;
            self.coalescing.tick();
            self.seniority.forget(now);
            self.stop_rationing(now, out);
            let is_idle = self.flights.len() + self.streams.len() == 0 && !self.streams.are_rationed();
            self.tick = if is_idle { self.seniority.next() } else { Some(now + LOAD_TICK) };
        }
        let due: Vec<TransferId> =
            self.timers.range(..=(now, TransferId(u64::MAX))).map(|(_, id)| *id).collect();
        for id in due {
            if let Some(flight) = self.flights.get_mut(id)
                && let Some(armed) = flight.armed.take_if(|armed| *armed <= now)
            {
                self.timers.remove(&(armed, id));
                // A timer may be too early.
                let is_due = |flight: &&Flight| flight.wake().is_some_and(|wake| wake <= now);
                let silent = self.flights.get(id).filter(is_due);
                if silent.is_some_and(|flight| Flights::is_abandoned(now, flight)) {
                    self.end(now, id, End::Left(ABANDONED.into()), out);
                } else {
                    self.step(now, id, Event::Due, out);
                }
            }
        }
    }

    /// Something happened to a transfer: has it decide, and carries that out.
    fn step(&mut self, now: Time, id: TransferId, event: Event<'_>, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(id) else { return };
        if event.is_of_the_client() {
            self.coalescing.heard(flight.heard < self.tick_begun);
            if flight.tells_life(now) {
                out.push(Output::SignOfLife(*flight.peer.ip()));
            }
        }
        let (blocks, octets) = (flight.blocks_acknowledged(), flight.served_octets());
        let (was_answered, was_silent) = (flight.is_answered(), flight.is_silent());
        let resent = flight.resent;
        let step = flight.on(now, event);
        self.resent_total -= resent - flight.resent; // What did not leave after all.
        let address = *flight.peer.ip();
        let (is_answered, is_silent) = (flight.is_answered(), flight.is_silent());
        let (blocks, octets) = (flight.blocks_acknowledged() - blocks, flight.served_octets() - octets);
        let (link, payload, trip) = (flight.lane, flight.data_octets(), flight.take_trip());
        let unsent = flight.take_unsent();
        self.acknowledged(link, blocks, payload, octets);
        unsent.into_iter().for_each(|unsent| self.not_left(link, payload, unsent));
        if is_answered && !was_answered {
            self.flights.answered(address, id);
        }
        match (was_silent, is_silent) {
            (false, true) => self.flights.falls_silent(address, id),
            (true, false) => self.flights.is_not_silent(address, id),
            (false, false) | (true, true) => {}
        }
        if let Some(trip) = trip {
            self.lanes[link].measured(trip);
            if let Some(behind) = self.settings.load.links[link].behind {
                self.lanes[behind].measured(trip);
            }
        }
        let Some(flight) = self.flights.get_mut(id) else { return };
        // Where nobody waits there is no turn to wait for.
        let wants_more = step == Step::Wait && flight.place.is_none() && flight.wishes().is_some();
        if wants_more && !self.lanes[flight.lane].is_wanted() {
            let (lane, payload) = (flight.lane, flight.payload_octets());
            let allowed = self.allowance(now, lane, payload);
            if allowed > 0 {
                return self.grant(now, id, allowed, out);
            }
        }
        self.carry_out(now, id, step, out);
    }

    /// Does what a transfer has decided, and finds it its place among those who want to send, and its next moment.
    fn carry_out(&mut self, now: Time, id: TransferId, step: Step, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(id) else { return };
        let body = match step {
            Step::Wait => None,
            Step::Offer(packet) => Some(Body::Packet(packet)),
            Step::Send(block) => Some(Body::Train(block)),
            Step::Fetch(image, first, last) => {
                self.images.wait(image.image, first, last, id, out);
                None
            }
            Step::Reset => {
                return self.end(now, id, End::Left("the machine was reset and asked again".into()), out);
            }
            Step::End(end) => return self.end(now, id, end, out),
        };
        out.extend(flight.note_if_new());
        self.retries_total += std::mem::take(&mut flight.retries);
        find_place(&mut self.lanes[flight.lane], now, flight, body.is_some());
        arm(&mut self.timers, now, flight);
        if let Some(body) = body {
            let Flight { port, local, peer, .. } = *flight;
            if let Body::Train(block) = body
                && block.size > 0
            {
                let last = (block.first + u64::from(block.count) - 1) * u64::from(block.block_octets);
                self.images.enter(block.image, last.min(block.size) - 1, out);
            }
            let port = self.settings.port(port);
            out.push(Output::Send(Send { transfer: Some(id), port, local, peer, body }));
        }
    }

    fn insert(&mut self, now: Time, mut flight: Flight) {
        let address = *flight.peer.ip();
        flight.lane = self.settings.load.link_to(address);
        (flight.order, flight.served_before) = self.seniority.enter(address);
        self.lanes[flight.lane].join(flight.served_octets());
        self.tick = Some(self.tick.unwrap_or(now + LOAD_TICK).min(now + LOAD_TICK));
        arm(&mut self.timers, now, &mut flight);
        self.flights.insert(flight);
    }

    /// A transfer ends: all that it holds is given back.
    fn end(&mut self, now: Time, id: TransferId, end: End, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.remove(id) else { return };
        if let Some(armed) = flight.armed {
            self.timers.remove(&(armed, id));
        }
        let lane = &mut self.lanes[flight.lane];
        lane.part(flight.served_octets());
        if let Some(place) = flight.place {
            lane.leave(Member::Transfer(id), place);
        }
        if !flight.is_told {
            out.push(Output::Unwanted { transfer: id, peer: *flight.peer.ip() });
        }
        self.seniority.leave(now, *flight.peer.ip(), flight.served_octets() - flight.served_before);
        let outcome = match &end {
            End::Complete | End::Quiet => Outcome::Complete,
            End::Unconfirmed => Outcome::Unconfirmed,
            End::Failed(why) => Outcome::Failed(why.clone()),
            End::Left(why) => Outcome::Left(why.clone()),
            End::Refused(code, why) => {
                out.push(error(self.settings.port(flight.port), flight.local, flight.peer, *code, why));
                Outcome::Failed(why.clone())
            }
        };
        // A file that was never open was no transfer: whoever refused it knows. One that was open before a restart was.
        if end != End::Quiet && (flight.image().is_some() || flight.expected().is_some()) {
            out.push(Output::Ended(flight.summary(outcome)));
        }
        if let Some(opened) = flight.image() {
            self.images.close(opened.image, id);
            out.push(Output::Close(opened.image));
        }
        if flight.is_noted() {
            out.push(Output::Note { slot: flight.slot, note: None });
        }
        self.slots.give_back(flight.slot);
    }

    /// The transfer that is sent to this peer from this port of ours.
    fn flight_at(&self, port: Port, peer: SocketAddrV4) -> Option<TransferId> {
        let flight = self.flights.to(peer).filter(|flight| self.settings.port(flight.port) == port)?;
        Some(flight.id)
    }
}

/// Sees to it that a transfer is looked at in time. A timer that is too early is left: with every packet the moment moves on, and whoever is looked at too early is armed anew.
fn arm(timers: &mut BTreeSet<(Time, TransferId)>, now: Time, flight: &mut Flight) {
    let Some(wake) = flight.wake().map(|wake| wake.max(now)) else { return };
    if flight.armed.is_none_or(|armed| wake < armed) {
        if let Some(armed) = flight.armed.replace(wake) {
            timers.remove(&(armed, flight.id));
        }
        timers.insert((wake, flight.id));
    }
}

fn error(port: Port, local: Ipv4Addr, peer: SocketAddrV4, code: ErrorCode, text: &str) -> Output {
    let body = Body::Packet(tftp::error(code, text));
    Output::Send(Send { transfer: None, port, local, peer, body })
}
