//! A world for transfers: a network that loses, doubles and reorders, files in memory, and a server that can be killed.

use super::client::{Client, Said, State};
use heorot_core::limit::CHUNK_OCTETS;
use heorot_core::load::{self, Control, LinkRate};
use heorot_core::time::Time;
use heorot_core::transfer::*;
use heorot_core::wire::tftp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// Ports that transfers are sent from.
pub(crate) const DATA_PORTS: u16 = 8;

pub(crate) fn settings() -> Settings {
    let load = load::Settings::one(LinkRate::Given(1_000_000_000), Control::All);
    Settings { data_ports: DATA_PORTS, single_port: false, load, resend: Resend::Measured }
}

/// How bad it is. Chances are in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    pub(crate) socket_full: u64,
    pub(crate) memory_short: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) content: Rc<[u8]>,
    pub(crate) identity: ImageIdentity,
}

#[derive(Debug)]
enum Event {
    ToServer(Port, SocketAddrV4, Vec<u8>),
    ToClient(SocketAddrV4, u16, Vec<u8>),
    Tired(usize, u64),
    Opened(u64, TransferId, Result<Opened, Refusal>),
    Fetched(u64, ImageId, u64),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) files: BTreeMap<&'static str, File>,
    pub(crate) clients: Vec<Client>,
    pub(crate) weather: Weather,
    /// What a packet takes on the cable to a client, where they come one after another: a train is no instant.
    pub(crate) packet_time: Duration,
    /// By how many microseconds at most what is put in another order is late.
    pub(crate) late_microseconds_max: u64,
    /// Until when the cable to each client is busy.
    busy: BTreeMap<SocketAddrV4, Time>,
    /// Whether all clients have the address of the first one, as behind a router that translates.
    pub(crate) is_one_address: bool,
    pub(crate) server: Option<Transfers>,
    pub(crate) settings: Settings,
    pub(crate) ended: Vec<Transfer>,
    /// Those that ended before their file was open.
    pub(crate) unwanted: Vec<TransferId>,
    pub(crate) life: Vec<(Time, Ipv4Addr)>,
    pub(crate) fetches: Vec<(ImageId, u64)>,
    pub(crate) data_sent: u64,
    /// Every ERROR that the server sent, and to whom.
    pub(crate) errors: Vec<(SocketAddrV4, Vec<u8>)>,
    /// What was noted in each place, all of it, so that a note can be too old.
    pub(crate) notes: BTreeMap<u32, Vec<Option<Note>>>,
    images: BTreeMap<ImageId, File>,
    in_memory: BTreeSet<(ImageId, u64)>,
    queue: BTreeMap<(Time, u64), Event>,
    count: u64,
    lives: u64,
    random: u64,
}

const fn us(microseconds: u64) -> Duration {
    Duration::from_micros(microseconds)
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        Self::with(settings(), seed, weather)
    }

    pub(crate) fn with(settings: Settings, seed: u64, weather: Weather) -> Self {
        let now = Time::from_nanoseconds(1_000_000_000_000);
        Self {
            now,
            files: BTreeMap::new(),
            clients: Vec::new(),
            weather,
            packet_time: Duration::ZERO,
            late_microseconds_max: 3000,
            busy: BTreeMap::new(),
            is_one_address: false,
            server: Some(Transfers::new(now, settings.clone())),
            settings,
            ended: Vec::new(),
            unwanted: Vec::new(),
            life: Vec::new(),
            fetches: Vec::new(),
            data_sent: 0,
            errors: Vec::new(),
            notes: BTreeMap::new(),
            images: BTreeMap::new(),
            in_memory: BTreeSet::new(),
            queue: BTreeMap::new(),
            count: 0,
            lives: 0,
            random: seed,
        }
    }

    /// A file of so many octets, none like another.
    pub(crate) fn file(&mut self, path: &'static str, octets: usize) {
        let content: Rc<[u8]> = (0..octets).map(|n| (n * 31 / 7 + n / 251) as u8).collect();
        let identity = ImageIdentity { file: self.roll(), size: octets as u64, modified: 1 };
        self.files.insert(path, File { content, identity });
    }

    /// A client asks now. Gives its number.
    pub(crate) fn start(&mut self, mut client: Client) -> usize {
        let said = client.ask();
        self.clients.push(client);
        let index = self.clients.len() - 1;
        self.say(index, said);
        index
    }

    /// A client sends these, and sets its timer.
    pub(crate) fn say(&mut self, index: usize, said: Vec<Said>) {
        let peer = self.peer(index);
        for packet in said {
            let (port, from, bytes) = match packet {
                Said::Request(bytes) => (Port::Request, peer, bytes),
                // EDK2 leaves its probe from the port before.
                Said::Packet(port, bytes) if bytes[1] == 5 => {
                    (our_port(port), SocketAddrV4::new(*peer.ip(), peer.port() - 1), bytes)
                }
                Said::Packet(port, bytes) => (our_port(port), peer, bytes),
            };
            self.carry(|bytes| Event::ToServer(port, from, bytes), bytes);
        }
        let client = &self.clients[index];
        if let Some(patience) = client.patience() {
            let waiting = client.waiting;
            self.at(patience, Event::Tired(index, waiting));
        }
    }

    pub(crate) fn peer(&self, index: usize) -> SocketAddrV4 {
        let address = address(if self.is_one_address { 0 } else { index });
        SocketAddrV4::new(address, self.clients[index].port)
    }

    /// The server takes this input now.
    pub(crate) fn tell(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        let Some(server) = &mut self.server else { return };
        server.handle(self.now, input, &mut out);
        self.carry_out(out);
    }

    /// Lets time pass until `done` or so many seconds are over.
    pub(crate) fn run(&mut self, seconds: u64, done: impl Fn(&Self) -> bool) {
        self.run_to(self.now + Duration::from_secs(seconds), done);
    }

    fn run_to(&mut self, end: Time, done: impl Fn(&Self) -> bool) {
        for _ in 0..20_000_000 {
            if done(self) {
                return;
            }
            let wakeup = self.server.as_ref().and_then(Transfers::next_wakeup);
            let event = self.queue.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = wakeup.into_iter().chain(event).min().filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = next.max(self.now);
            if wakeup.is_some_and(|at| at <= self.now) {
                self.tell(Input::Wakeup);
            } else if let Some((_, event)) = self.queue.pop_first() {
                self.happen(event);
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn run_for(&mut self, milliseconds: u64) {
        let end = self.now + Duration::from_millis(milliseconds);
        self.run_to(end, |_| false);
    }

    /// Until every client is done or has failed, and the server has nothing left to do.
    pub(crate) fn run_out(&mut self, seconds: u64) {
        self.run(seconds, |world| {
            let busy = |client: &Client| matches!(client.state, State::Asking | State::Loading);
            !world.clients.iter().any(busy) && world.server.as_ref().is_none_or(|server| server.active() == 0)
        });
    }

    /// The server dies: what it knew is gone but for the notes, of which the last `behind` of each were not written.
    pub(crate) fn kill(&mut self, behind: usize) -> Vec<(u32, Note)> {
        self.server = None;
        self.images.clear();
        self.in_memory.clear();
        let written = |all: &Vec<Option<Note>>| {
            all[..all.len().saturating_sub(behind).max(1)].last().cloned().flatten()
        };
        let notes = std::mem::take(&mut self.notes);
        notes.iter().filter_map(|(slot, all)| Some((*slot, written(all)?))).collect()
    }

    /// It comes back with these notes.
    pub(crate) fn restore(&mut self, notes: Vec<(u32, Note)>) {
        self.lives += 1;
        self.notes = notes.iter().map(|(slot, note)| (*slot, vec![Some(note.clone())])).collect();
        let mut out = Vec::new();
        self.server = Some(Transfers::restore(self.now, self.settings.clone(), notes, &mut out));
        self.carry_out(out);
    }

    /// Nothing is held any more: no transfer, no image, no note.
    pub(crate) fn assert_at_rest(&mut self, what: &str) {
        let now = self.now;
        let server = self.server.as_mut().expect("it runs");
        assert_eq!((server.active(), server.waiting()), (0, 0), "{what}: transfers are left");
        // Who was there is remembered for a minute, and then forgotten.
        let mut out = Vec::new();
        while let Some(at) = server.next_wakeup() {
            assert!(at.since(now) < Duration::from_secs(120), "{what}: a timer is left");
            server.handle(at, Input::Wakeup, &mut out);
        }
        out.retain(|output| !matches!(output, Output::Regime { .. } | Output::Rationed(false)));
        assert_eq!(out, [], "{what}: something was left to do");
        assert!(self.images.is_empty(), "{what}: images are left open");
        assert!(self.notes.values().all(|all| all.last() == Some(&None)), "{what}: notes are left");
    }

    /// The client has the file, octet for octet.
    pub(crate) fn assert_loaded(&self, index: usize, what: &str) {
        let client = &self.clients[index];
        assert_eq!(client.state, State::Done, "{what}, {}", client.habits.name);
        assert!(
            client.received[..] == self.files[client.path].content[..],
            "{what}, {}: wrong content",
            client.habits.name
        );
    }

    pub(crate) fn roll(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn happens(&mut self, thousandths: u64) -> bool {
        self.roll() % 1000 < thousandths
    }

    fn at(&mut self, delay: Duration, event: Event) {
        self.count += 1;
        self.queue.insert((self.now + delay, self.count), event);
    }

    /// Carries a packet to a client, behind those that are on its cable.
    fn carry_to(&mut self, peer: SocketAddrV4, from: u16, bytes: Vec<u8>) {
        let busy = self.busy.entry(peer).or_insert(self.now);
        *busy = (*busy).max(self.now) + self.packet_time;
        let waits = busy.since(self.now);
        self.carry_behind(waits, |bytes| Event::ToClient(peer, from, bytes), bytes);
    }

    /// Carries a packet over the network, or does not.
    fn carry(&mut self, event: impl Fn(Vec<u8>) -> Event, bytes: Vec<u8>) {
        self.carry_behind(Duration::ZERO, event, bytes);
    }

    fn carry_behind(&mut self, waits: Duration, event: impl Fn(Vec<u8>) -> Event, bytes: Vec<u8>) {
        let copies = 1 + u64::from(self.happens(self.weather.doubled));
        for _ in 0..copies {
            if self.happens(self.weather.lost) {
                continue;
            }
            // Without reordering, packets keep their order: the delay is the same for all.
            let is_late = self.happens(self.weather.reordered);
            let late = if is_late { self.roll() % self.late_microseconds_max } else { 0 };
            self.at(waits + us(200 + late), event(bytes.clone()));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToServer(port, peer, payload) => {
                self.tell(Input::Datagram { port, local: SERVER, peer, payload: &payload });
            }
            Event::ToClient(peer, from, bytes) => {
                let here = (0..self.clients.len()).find(|index| self.peer(*index) == peer);
                if let Some(index) = here {
                    let waiting = self.clients[index].waiting;
                    let said = self.clients[index].hear(from, &bytes);
                    if !said.is_empty() || self.clients[index].waiting != waiting {
                        self.say(index, said);
                    }
                }
            }
            Event::Tired(index, waiting) => {
                if self.clients[index].waiting == waiting && self.clients[index].patience().is_some() {
                    let said = self.clients[index].tired();
                    self.say(index, said);
                }
            }
            Event::Opened(life, transfer, result) if life == self.lives => {
                self.tell(Input::Opened { transfer, result });
            }
            Event::Fetched(life, image, chunk) if life == self.lives => {
                self.in_memory.insert((image, chunk));
                self.tell(Input::Fetched { image, chunk });
            }
            Event::Opened(..) | Event::Fetched(..) => {}
        }
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Open { transfer, path, .. } => self.open(transfer, &path),
                Output::Send(send) => self.send(send),
                Output::Fetch { image, chunk } => {
                    self.fetches.push((image, chunk));
                    self.at(us(2000), Event::Fetched(self.lives, image, chunk));
                }
                Output::Close(image) => {
                    assert!(self.images.remove(&image).is_some(), "closed twice");
                    let chunks =
                        self.in_memory.range((image, 0)..=(image, u64::MAX)).copied().collect::<Vec<_>>();
                    chunks.iter().for_each(|chunk| _ = self.in_memory.remove(chunk));
                }
                Output::Note { slot, note } => self.notes.entry(slot).or_default().push(note),
                Output::Advance { slot, options_acknowledged, acknowledged } => {
                    let notes = self.notes.entry(slot).or_default();
                    let mut note = notes.last().cloned().flatten().expect("what has come further was noted");
                    note.advance(options_acknowledged, acknowledged);
                    notes.push(Some(note));
                }
                Output::SignOfLife(address) => self.life.push((self.now, address)),
                Output::Regime { .. } | Output::Rationed(_) => {}
                // It is being opened already; and is told, and closed.
                Output::Unwanted { transfer, .. } => self.unwanted.push(transfer),
                Output::Grant { stream, .. } => panic!("{stream:?} was never begun"),
                Output::Ended(transfer) => self.ended.push(transfer),
            }
        }
    }

    fn open(&mut self, transfer: TransferId, path: &str) {
        let result = match self.files.get(path.trim_start_matches('/')) {
            None => Err(Refusal::Missing(format!("there is no {path}"))),
            Some(_) if path.starts_with("secret") => Err(Refusal::Denied("not for you".into())),
            Some(file) => {
                self.count += 1;
                let image = ImageId(self.count);
                self.images.insert(image, file.clone());
                Ok(Opened { image, identity: file.identity })
            }
        };
        self.at(us(1000), Event::Opened(self.lives, transfer, result));
    }

    fn send(&mut self, send: Send) {
        let from = match send.port {
            Port::Request => 69,
            Port::Data(port) => port,
        };
        let block = match send.body {
            Body::Packet(bytes) => {
                if bytes[1] == 5 {
                    self.errors.push((send.peer, bytes.clone()));
                }
                if bytes[1] == 6 && self.happens(self.weather.socket_full) {
                    return self.unsent(send.transfer, 0, Unsent::Full);
                }
                return self.carry_to(send.peer, from, bytes);
            }
            Body::Train(block) => block,
        };
        let content = self.images[&block.image].content.clone();
        for number in block.first..block.first + u64::from(block.count) {
            let octets = u64::from(block.block_octets);
            let (start, end) = ((number - 1) * octets, (number * octets).min(block.size));
            if self.happens(self.weather.memory_short) {
                self.in_memory.remove(&(block.image, start / CHUNK_OCTETS));
            }
            let chunks = start / CHUNK_OCTETS..=end.saturating_sub(1) / CHUNK_OCTETS;
            if start < end && !chunks.clone().all(|chunk| self.in_memory.contains(&(block.image, chunk))) {
                return self.unsent(send.transfer, number, Unsent::NotInMemory);
            }
            if self.happens(self.weather.socket_full) {
                return self.unsent(send.transfer, number, Unsent::Full);
            }
            let mut bytes = tftp::data_head(number).to_vec();
            bytes.extend(&content[start as usize..end as usize]);
            self.data_sent += 1;
            self.carry_to(send.peer, from, bytes);
        }
    }

    fn unsent(&mut self, transfer: Option<TransferId>, block: u64, why: Unsent) {
        let transfer = transfer.expect("only transfers send what can be unsent");
        self.tell(Input::Unsent { transfer, block, why });
    }
}

/// Which of the server's ports has this number.
fn our_port(number: u16) -> Port {
    if number == 69 { Port::Request } else { Port::Data(number) }
}

/// The address of a client by its number.
pub(crate) fn address(index: usize) -> Ipv4Addr {
    let [high, low] = u16::try_from(index).expect("fewer clients than addresses").to_be_bytes();
    Ipv4Addr::new(10, 77, high, low)
}
