//! The TFTP machine: RFC 1350, 2347-2349, 7440.
//!
//! [`Transfers`] has the form of [`Heorot`](crate::Heorot): it takes a moment and one [`Input`], and says what is to be done as [`Output`]s.
//! It never holds the bytes of a file: what is to be sent is named (image, blocks), and whoever carries it out finds them in memory or says that they are not there.
//!
//! ```text
//! datagram ──> Transfers ──> flight      one transfer: state x event, see its drawing; what it wants to send
//!                        ├─> Lane        of load: whose turn it is, and how much may be sent now
//!                        ├─> images      who uses which file, which chunks are on the way
//!                        ├─> seniority   which machine was there first
//!                        └─> slots       where each transfer is noted for a restart
//! ```
//!
//! Nothing but an ERROR is sent at once: a transfer wants to send, and whoever is next in the ring of its link is granted so many blocks as the link has tokens for.
//!
//! All transfers share a fixed set of ports. A transfer is known by its peer's address and port: a peer has one at a time, so that a request from a port that already
//! has one is its repeat or its successor. A successor is sent from another of our ports: what is still on its way from the old one cannot be mistaken for it.

mod flight;
mod images;
mod message;
mod round_trip;
mod seniority;
mod slots;
mod terms;

pub use message::{
    Block, Body, ImageId, ImageIdentity, Input, Note, Opened, Output, Port, Refusal, Send, Transfer,
    TransferId, Unsent,
};

use crate::limit::{LOAD_CLASS_OCTETS, LOAD_TICK, TFTP_STRAY_GRACE, TFTP_STRAY_INTERVAL, TRANSFERS_MAX};
use crate::load::{self, Lane, Link, Rank, Regime, Wish};
use crate::time::Time;
use crate::wire::tftp::{self, ErrorCode, Packet, ReadRequest};
use flight::{End, Event, Flight, Step};
use images::Images;
pub use round_trip::Resend;
use seniority::Seniority;
use slots::Slots;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use terms::Terms;

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
    /// The links, and how much is controlled.
    pub load: load::Settings,
    /// When silence is answered with a repeat.
    pub resend: Resend,
}

/// Everything that decides.
#[derive(Debug)]
struct State {
    settings: Settings,
    flights: BTreeMap<TransferId, Flight>,
    peers: BTreeMap<SocketAddrV4, TransferId>,
    timers: BTreeSet<(Time, TransferId)>,
    /// The links, as in the settings, and who is to be looked at first.
    lanes: Vec<Lane<TransferId>>,
    lane_turn: usize,
    /// When the present tick is over, while anything is under way.
    tick: Option<Time>,
    seniority: Seniority,
    images: Images,
    slots: Slots,
    next_id: u64,
    next_port: u16,
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
            seniority: Seniority::default(),
            settings,
            flights: BTreeMap::new(),
            peers: BTreeMap::new(),
            timers: BTreeSet::new(),
            images: Images::default(),
            slots: Slots::default(),
            next_id: 0,
            next_port: 0,
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
            }
            Input::Carried { link, octets } => {
                if let Some(lane) = self.state.lanes.get_mut(link) {
                    lane.carried(octets);
                }
            }
            Input::Configure(links) => self.state.configure(now, links),
            Input::Wakeup => self.state.wakeup(now, out),
        }
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

    /// How many transfers there are.
    pub fn active(&self) -> usize {
        self.state.flights.len()
    }

    /// How many of them wait for their file to be opened or read. Counts them one by one: for whoever asks, not for every packet.
    pub fn waiting(&self) -> usize {
        self.state.flights.values().filter(|flight| flight.is_waiting()).count()
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
            (port, Packet::Read(_) | Packet::ReadOtherMode | Packet::Write) => port == Port::Request,
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
        let refuse = |code, text: &str, out: &mut Vec<Output>| out.push(error(port, local, peer, code, text));
        match (packet, port) {
            (Packet::Read(request), _) => self.state.asked(now, local, peer, request, out),
            (Packet::ReadOtherMode, _) => refuse(ErrorCode::Illegal, "only mode octet is served", out),
            (Packet::Write, _) => refuse(ErrorCode::Denied, "files are only read here", out),
            (Packet::Acknowledge(number), Port::Data(data_port)) => {
                match self.state.flight_at(data_port, peer) {
                    Some(id) => self.state.step(now, id, Event::Acknowledged(number), out),
                    None => self.stray(now, port, local, peer, out),
                }
            }
            (Packet::Acknowledge(_), Port::Request) => self.stray(now, port, local, peer, out),
            (Packet::Error { code, text }, Port::Data(data_port)) => {
                // An error is never answered, or two servers might never stop.
                if let Some(id) = self.state.flight_at(data_port, peer) {
                    self.state.step(now, id, Event::Aborted { code, text: &text }, out);
                }
            }
            (Packet::Error { .. }, Port::Request) | (Packet::OfAServer, _) => {}
        }
    }

    /// Answers a packet of a transfer that does not exist (RFC 1350 4), seldom enough that nobody can make us talk. Not to a peer that has a transfer:
    /// what comes late from its last one must not end its next one.
    fn stray(&mut self, now: Time, port: Port, local: Ipv4Addr, peer: SocketAddrV4, out: &mut Vec<Output>) {
        if now >= self.strays_after && !self.state.peers.contains_key(&peer) {
            self.strays_after = now + TFTP_STRAY_INTERVAL;
            out.push(error(port, local, peer, ErrorCode::UnknownTransfer, "no such transfer"));
        }
    }

    fn count(&mut self, word: &'static str) {
        *self.malformed.entry(word).or_default() += 1;
    }
}

impl State {
    /// A request came.
    fn asked(
        &mut self,
        now: Time,
        local: Ipv4Addr,
        peer: SocketAddrV4,
        request: ReadRequest,
        out: &mut Vec<Output>,
    ) {
        let terms = Terms::of(&request.options);
        let mut port_before = None;
        if let Some((id, flight)) = self.flight_of(peer) {
            port_before = Some(flight.port);
            if flight.is_for(&request.name, &terms) {
                self.step(now, id, Event::AskedAgain, out);
                if self.flights.contains_key(&id) {
                    return;
                }
            } else {
                self.end(now, id, End::Failed("the client asked for something else".into()), out);
            }
        }
        if self.flights.len() >= TRANSFERS_MAX {
            let text = "too many transfers, try again";
            return out.push(error(Port::Request, local, peer, ErrorCode::Other, text));
        }
        let slot = self.slots.take().expect("there are as many slots as transfers");
        let place = (self.take_port(port_before), local, peer);
        let id = self.take_id();
        let path = request.name;
        out.push(Output::Open { transfer: id, peer: *peer.ip(), local, path: path.clone(), identity: None });
        self.insert(now, Flight::asked(now, id, place, (path, terms), slot, self.settings.resend));
    }

    /// A transfer goes on after a restart. False if that makes no sense.
    fn resume(&mut self, now: Time, slot: u32, note: Note, out: &mut Vec<Output>) -> bool {
        if note.port >= self.settings.data_ports || self.peers.contains_key(&note.peer) {
            return false;
        }
        let id = self.take_id();
        let Some(flight) = Flight::noted(now, id, slot, note, self.settings.resend) else { return false };
        if !self.slots.take_this(slot) {
            return false;
        }
        out.push(Output::Open {
            transfer: id,
            peer: *flight.peer.ip(),
            local: flight.local,
            path: flight.path.clone(),
            identity: flight.expected(),
        });
        self.insert(now, flight);
        true
    }

    fn opened(&mut self, now: Time, id: TransferId, result: Result<Opened, Refusal>, out: &mut Vec<Output>) {
        let waiting = self.flights.get(&id).filter(|flight| flight.is_opening());
        let expected = waiting.and_then(Flight::expected);
        let result = match result {
            // It ended meanwhile.
            Ok(opened) if waiting.is_none() => return out.push(Output::Close(opened.image)),
            Ok(opened) if expected.is_some_and(|identity| identity != opened.identity) => {
                out.push(Output::Close(opened.image));
                Err(Refusal::Changed)
            }
            Ok(opened) => {
                self.images.open(opened.image, opened.size, id);
                let active = self.flights.len();
                if let Some(flight) = self.flights.get_mut(&id) {
                    let lane = &mut self.lanes[flight.lane];
                    flight.limit_window(lane.window_max(active));
                    lane.expect(flight.served_before + opened.size);
                }
                Ok(opened)
            }
            Err(refusal) => Err(refusal),
        };
        self.step(now, id, Event::Opened(result), out);
    }

    /// Other links: everybody who waits finds his place anew.
    fn configure(&mut self, now: Time, links: Vec<Link>) {
        if links == self.settings.load.links || links.is_empty() {
            return;
        }
        self.settings.load.links = links;
        self.lanes = lanes(now, &self.settings.load);
        for (id, flight) in &mut self.flights {
            flight.lane = self.settings.load.link_to(*flight.peer.ip());
            flight.place = None;
            self.lanes[flight.lane].join(flight.served_octets());
            find_place(&mut self.lanes[flight.lane], now, *id, flight, false);
        }
    }

    fn wakeup(&mut self, now: Time, out: &mut Vec<Output>) {
        if self.tick.is_some_and(|at| at <= now) {
            for (link, lane) in self.lanes.iter_mut().enumerate() {
                let before = lane.regime();
                lane.tick();
                if lane.regime() != before {
                    out.push(Output::Regime { link, regime: lane.regime() });
                }
            }
            self.seniority.forget(now);
            self.tick = if self.flights.is_empty() { self.seniority.next() } else { Some(now + LOAD_TICK) };
        }
        let due: Vec<TransferId> =
            self.timers.range(..=(now, TransferId(u64::MAX))).map(|(_, id)| *id).collect();
        for id in due {
            self.step(now, id, Event::Due, out);
        }
    }

    /// Something happened to a transfer: has it decide, and carries that out.
    fn step(&mut self, now: Time, id: TransferId, event: Event<'_>, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let (blocks, octets) = (flight.blocks_acknowledged(), flight.served_octets());
        let step = flight.on(now, event);
        let (blocks, octets) = (flight.blocks_acknowledged() - blocks, flight.served_octets() - octets);
        self.lanes[flight.lane].delivered_blocks(blocks, flight.data_octets(), octets);
        if flight.tells_life() {
            out.push(Output::SignOfLife(*flight.peer.ip()));
        }
        self.carry_out(now, id, step, out);
    }

    /// As long as there are tokens: whose turn it is sends.
    fn pump(&mut self, now: Time, out: &mut Vec<Output>) {
        let count = self.lanes.len();
        self.lane_turn = (self.lane_turn + 1) % count;
        for place in (self.lane_turn..self.lane_turn + count).map(|place| place % count) {
            while let Some(id) = self.lanes[place].next(now) {
                let payload = self.flights[&id].payload_octets();
                let behind = self.settings.load.links[place].behind;
                let allowed = self.lanes[place].allowance(now, payload);
                let allowed = match behind {
                    Some(link) if allowed > 0 => allowed.min(self.lanes[link].allowance(now, payload)),
                    Some(_) | None => allowed,
                };
                if allowed == 0 {
                    break;
                }
                self.grant(now, id, allowed, out);
            }
        }
    }

    /// It is this transfer's turn.
    fn grant(&mut self, now: Time, id: TransferId, blocks_max: u64, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let resent_before = flight.resent;
        let payload = flight.payload_octets();
        let step = flight.grant(now, blocks_max);
        let resent = flight.resent - resent_before;
        self.resent_total += resent;
        let behind = self.settings.load.links[flight.lane].behind;
        for link in [Some(flight.lane), behind].into_iter().flatten() {
            let lane = &mut self.lanes[link];
            match &step {
                Step::Send(block) => {
                    lane.sent_blocks(u64::from(block.count), payload);
                    lane.lost_blocks(resent);
                }
                Step::Offer(packet) => lane.sent(packet.len() as u64),
                Step::Wait | Step::Fetch(..) | Step::Reset | Step::End(_) => {}
            }
        }
        self.carry_out(now, id, step, out);
    }

    /// Does what a transfer has decided, and finds it its place among those who want to send, and its next moment.
    fn carry_out(&mut self, now: Time, id: TransferId, step: Step, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let body = match step {
            Step::Wait => None,
            Step::Offer(packet) => Some(Body::Packet(packet)),
            Step::Send(block) => Some(Body::Train(block)),
            Step::Fetch(image, first, last) => {
                self.images.wait(image.image, first, last, id, out);
                None
            }
            Step::Reset => {
                return self.end(now, id, End::Failed("the machine was reset and asked again".into()), out);
            }
            Step::End(end) => return self.end(now, id, end, out),
        };
        out.extend(flight.note_if_new());
        self.retries_total += std::mem::take(&mut flight.retries);
        find_place(&mut self.lanes[flight.lane], now, id, flight, body.is_some());
        let wake = flight.wake().max(now);
        if wake != flight.armed {
            self.timers.remove(&(flight.armed, id));
            self.timers.insert((wake, id));
            flight.armed = wake;
        }
        if let Some(body) = body {
            let Flight { port, local, peer, .. } = *flight;
            if let Body::Train(block) = body
                && block.size > 0
            {
                let last = (block.first + u64::from(block.count) - 1) * u64::from(block.block_octets);
                self.images.enter(block.image, last.min(block.size) - 1, out);
            }
            out.push(Output::Send(Send { transfer: Some(id), port: Port::Data(port), local, peer, body }));
        }
    }

    fn insert(&mut self, now: Time, mut flight: Flight) {
        let address = *flight.peer.ip();
        flight.lane = self.settings.load.link_to(address);
        (flight.order, flight.served_before) = self.seniority.enter(address);
        self.lanes[flight.lane].join(flight.served_octets());
        self.tick = Some(self.tick.unwrap_or(now + LOAD_TICK).min(now + LOAD_TICK));
        flight.armed = flight.wake();
        self.timers.insert((flight.armed, flight.id));
        self.peers.insert(flight.peer, flight.id);
        self.flights.insert(flight.id, flight);
    }

    /// A transfer ends: all that it holds is given back.
    fn end(&mut self, now: Time, id: TransferId, end: End, out: &mut Vec<Output>) {
        let Some(flight) = self.flights.remove(&id) else { return };
        self.peers.remove(&flight.peer);
        self.timers.remove(&(flight.armed, id));
        let lane = &mut self.lanes[flight.lane];
        lane.part(flight.served_octets());
        if let Some(place) = flight.place {
            lane.leave(id, place);
        }
        self.seniority.leave(now, *flight.peer.ip(), flight.served_octets() - flight.served_before);
        let failure = match &end {
            End::Complete | End::Quiet => None,
            End::Failed(why) => Some(why.clone()),
            End::Refused(code, why) => {
                out.push(error(Port::Data(flight.port), flight.local, flight.peer, *code, why));
                Some(why.clone())
            }
        };
        // A file that was never open was no transfer: whoever refused it knows. One that was open before a restart was.
        if end != End::Quiet && (flight.image().is_some() || flight.expected().is_some()) {
            out.push(Output::Ended(flight.summary(failure)));
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

    fn flight_of(&self, peer: SocketAddrV4) -> Option<(TransferId, &Flight)> {
        let id = self.peers.get(&peer)?;
        Some((*id, self.flights.get(id)?))
    }

    /// The transfer that is sent to this peer from this port of ours.
    fn flight_at(&self, port: u16, peer: SocketAddrV4) -> Option<TransferId> {
        self.flight_of(peer).filter(|(_, flight)| flight.port == port).map(|(id, _)| id)
    }

    fn take_id(&mut self) -> TransferId {
        self.next_id += 1;
        TransferId(self.next_id)
    }

    /// The next port in turn, but not the one that this peer's last transfer was sent from.
    fn take_port(&mut self, but: Option<u16>) -> u16 {
        let turn = |port: u16| (port + 1) % self.settings.data_ports;
        let port = if but == Some(self.next_port) { turn(self.next_port) } else { self.next_port };
        self.next_port = turn(port);
        port
    }
}

fn lanes(now: Time, settings: &load::Settings) -> Vec<Lane<TransferId>> {
    assert!(!settings.links.is_empty(), "transfers need a link to be sent by");
    settings.links.iter().map(|link| Lane::new(now, link, settings.control)).collect()
}

/// Finds a transfer its place among those who want to send. If it was served just now and wants more, it is in the middle of a window.
fn find_place(lane: &mut Lane<TransferId>, now: Time, id: TransferId, flight: &mut Flight, is_served: bool) {
    match (flight.wishes(), flight.place) {
        (Some(_), Some(_)) if is_served => lane.stay(id),
        (Some(opens), None) => {
            let class = match lane.is_small(flight.owed_octets()) {
                true => 0,
                false => 1 + flight.served_octets() / LOAD_CLASS_OCTETS,
            };
            let rank = Rank(u32::try_from(class).unwrap_or(u32::MAX), flight.order);
            let alone = flight.alone(lane.expected_octets(flight.served_octets()));
            let wish = Wish { rank, served: flight.served_at(), opens, alone };
            flight.place = Some(lane.enter(now, id, wish));
        }
        (None, Some(place)) => {
            lane.leave(id, place);
            flight.place = None;
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn error(port: Port, local: Ipv4Addr, peer: SocketAddrV4, code: ErrorCode, text: &str) -> Output {
    let body = Body::Packet(tftp::error(code, text));
    Output::Send(Send { transfer: None, port, local, peer, body })
}
