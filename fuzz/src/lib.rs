//! What the fuzzers do with their octets. The property tests of heorot-core call the same functions, so that they never rot.

pub mod corpus;
mod disk;
mod orders;
mod packets;
mod requests;
mod room;
mod words;

pub use packets::heorot_handle;
pub use requests::requests_handle;
pub use words::{config_parse, words_parse};

use heorot_core::limit::TRANSFERS_MAX;
use heorot_core::load::{self, Control, LinkRate};
use heorot_core::time::Time;
use heorot_core::transfer::{
    Body, ImageId, ImageIdentity, Input, Note, Opened, Output, Port, Refusal, Resend, Settings, StreamId,
    StreamNews, TransferId, Transfers, Unsent,
};
use heorot_core::wire::{dhcp, tftp};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Any octets are a DHCP packet or are refused; what is understood is understood the same again once it is written.
pub fn dhcp_parse(bytes: &[u8]) {
    let Ok(message) = dhcp::Message::parse(bytes) else { return };
    let _ = (message.mac(), message.message_type());
    // A relay's information may stand beside what its client takes, as far as a frame goes (RFC 3046 2.1).
    let of_relay = message.options.get(dhcp::option::RELAY_AGENT);
    let of_relay = of_relay.map_or(0, |said| said.len() + 2 * said.len().div_ceil(255).max(1));
    for size_max in [0, 300, 576, 1472] {
        let most = (size_max.max(dhcp::WRITTEN_OCTETS_MIN) + of_relay).min(1472);
        assert!(message.write(size_max).len() <= most);
    }
    // Padding may be written that was not there, so that what just fitted does not fit again: room for all of it.
    let again = dhcp::Message::parse(&message.write(dhcp::DATAGRAM_OCTETS_MAX));
    let again = again.expect("what is written can be read");
    for (code, value) in again.options.iter() {
        assert_eq!(message.options.get(code), Some(value));
    }
}

/// Any octets are a TFTP packet or are refused.
pub fn tftp_parse(bytes: &[u8]) {
    let Ok(packet) = tftp::Packet::parse(bytes) else { return };
    if let tftp::Packet::Read(request) = packet {
        assert!(request.name.len() <= 3 * heorot_core::limit::TFTP_NAME_OCTETS_MAX);
    }
}

/// Any inputs in any order: what is opened is closed, what is noted is forgotten, what is malformed changes nothing, and in the end nothing is left.
pub fn transfers_handle(bytes: &[u8]) {
    let mut shell = Shell::new(bytes);
    while let Some(kind) = shell.octet() {
        shell.act(kind);
    }
    shell.finish();
}

const DATA_PORTS: u16 = 3;

fn settings() -> Settings {
    let load = load::Settings::one(LinkRate::Measured, Control::All);
    Settings { data_ports: DATA_PORTS, single_port: false, load, resend: Resend::Measured }
}
/// Streams that it knows by number.
const STREAMS: usize = 8;
const LOCAL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The world around a [`Transfers`], led by the fuzzer's octets.
struct Shell<'a> {
    octets: std::slice::Iter<'a, u8>,
    now: Time,
    transfers: Transfers,
    /// Asked to be opened, and not answered.
    opening: BTreeSet<TransferId>,
    open: BTreeMap<ImageId, u64>,
    notes: BTreeMap<u32, Note>,
    last: TransferId,
    images: u64,
}

impl<'a> Shell<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let now = Time::from_nanoseconds(1 << 50);
        Self {
            octets: bytes.iter(),
            now,
            transfers: Transfers::new(now, settings()),
            opening: BTreeSet::new(),
            open: BTreeMap::new(),
            notes: BTreeMap::new(),
            last: TransferId(0),
            images: 0,
        }
    }

    fn octet(&mut self) -> Option<u8> {
        self.octets.next().copied()
    }

    fn next(&mut self) -> u8 {
        self.octet().unwrap_or(0)
    }

    fn act(&mut self, kind: u8) {
        let peer = SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, kind >> 5), 2070 + u16::from(kind >> 7));
        match kind % 16 {
            0..=2 => self.ask(peer),
            3..=6 => {
                let (port, number) = (u16::from(self.next() % 4), self.next());
                self.datagram(Port::Data(port), peer, &[0, 4, 0, number]);
            }
            7 => {
                let (port, code) = (u16::from(self.next() % 4), self.next() % 10);
                self.datagram(Port::Data(port), peer, &[0, 5, 0, code, b'x', 0]);
            }
            8 => {
                let length = usize::from(self.next());
                let (some, rest) = self.octets.as_slice().split_at(length.min(self.octets.len()));
                let port = if length.is_multiple_of(2) { Port::Request } else { Port::Data(0) };
                self.octets = rest.iter();
                self.datagram(port, peer, some);
            }
            9 | 10 => self.answer_open(),
            11 => {
                let transfer = TransferId(self.last.0.saturating_sub(u64::from(self.next() % 4)));
                let why =
                    [Unsent::Full, Unsent::NotInMemory, Unsent::Impossible][usize::from(self.next() % 3)];
                let block = u64::from(self.next());
                self.tell(Input::Unsent { transfer, block, why });
            }
            12 => {
                let image = ImageId(u64::from(self.next()) % (self.images + 1));
                let chunk = u64::from(self.next() % 4);
                self.tell(Input::Fetched { image, chunk });
            }
            13 if self.next().is_multiple_of(8) => {
                let image = ImageId(u64::from(self.next()) % (self.images + 1));
                self.tell(Input::Broken { image, why: "cut".into() });
            }
            14 if self.next().is_multiple_of(8) => self.restart(),
            15 if kind >> 4 & 1 == 1 => self.stream(),
            _ => {
                self.now = self.now + Duration::from_millis(u64::from(self.next()) * 4);
                self.tell(Input::Wakeup);
            }
        }
    }

    fn ask(&mut self, peer: SocketAddrV4) {
        let (name, options) = (self.next() % 4, self.next());
        let mut text = format!("\0\x01file{name}\0octet\0");
        let all = ["blksize\x0064\0", "tsize\x000\0", "windowsize\x003\0", "timeout\x001\0"];
        all.iter().enumerate().filter(|(n, _)| options >> n & 1 == 1).for_each(|(_, option)| text += option);
        self.datagram(Port::Request, peer, text.as_bytes());
    }

    /// Something became of a file by HTTP, or of a connection by NFS: a stream has a number that tells which it is.
    fn stream(&mut self) {
        let (kind, octets) = (self.next(), u64::from(self.next()) * 1000);
        let number = u64::from(kind >> 5);
        let peer = Ipv4Addr::new(10, 77, 1, kind >> 6);
        let news = match kind % 8 {
            0 | 1 if number < 4 => StreamNews::Begun { peer, octets },
            0 | 1 => StreamNews::Asks { peer, octets },
            2 | 3 => StreamNews::Wants,
            4 | 5 => StreamNews::Delivered { octets, resent: u64::from(kind >> 3 & 1) },
            _ => StreamNews::Ended,
        };
        self.tell(Input::Stream { stream: StreamId(number), news });
        assert!(self.transfers.streams() <= STREAMS);
    }

    fn answer_open(&mut self) {
        let Some(transfer) = self.opening.pop_first() else { return };
        let size = u64::from(self.next()) * 7;
        let result = match self.next() % 8 {
            0 => Err(Refusal::Missing("no".into())),
            1 => Err(Refusal::Denied("no".into())),
            2 => Err(Refusal::Changed),
            _ => {
                // Two openings of one file may share an image, or not.
                self.images += u64::from(self.images == 0 || size.is_multiple_of(2));
                let image = ImageId(self.images);
                *self.open.entry(image).or_default() += 1;
                Ok(Opened { image, identity: ImageIdentity { file: 1, size, modified: 0 } })
            }
        };
        self.tell(Input::Opened { transfer, result });
    }

    fn restart(&mut self) {
        let notes = std::mem::take(&mut self.notes).into_iter().collect::<Vec<_>>();
        self.notes = notes.iter().cloned().collect();
        self.opening.clear();
        self.open.clear();
        let mut out = Vec::new();
        self.transfers = Transfers::restore(self.now, settings(), notes, &mut out);
        self.carry_out(out);
    }

    fn datagram(&mut self, port: Port, peer: SocketAddrV4, payload: &[u8]) {
        let before = format!("{:?}", self.transfers.dump());
        let malformed = self.transfers.malformed().values().sum::<u64>();
        self.tell(Input::Datagram { port, local: LOCAL, peer, payload });
        if self.transfers.malformed().values().sum::<u64>() > malformed {
            assert_eq!(before, format!("{:?}", self.transfers.dump()), "what is malformed changes nothing");
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.transfers.handle(self.now, input, &mut out);
        self.carry_out(out);
        assert!(self.transfers.active() <= TRANSFERS_MAX);
        assert!(self.transfers.waiting() <= self.transfers.active());
        assert!(self.transfers.active() == 0 || self.transfers.next_wakeup().is_some());
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Open { transfer, .. } => {
                    assert!(self.opening.insert(transfer), "a name is never used twice");
                    self.last = transfer;
                }
                // It is told all the same, or never.
                Output::Unwanted { transfer, .. } => {
                    assert!(self.opening.contains(&transfer), "only what is being opened is left")
                }
                Output::Close(image) => {
                    let users = self.open.get_mut(&image).expect("only what is open is closed");
                    *users -= 1;
                    if *users == 0 {
                        self.open.remove(&image);
                    }
                }
                Output::Note { slot, note: Some(note) } => {
                    assert!((slot as usize) < TRANSFERS_MAX && note.port < DATA_PORTS);
                    self.notes.insert(slot, note);
                }
                Output::Note { slot, note: None } => {
                    assert!(self.notes.remove(&slot).is_some(), "only what is kept is forgotten");
                }
                Output::Advance { slot, options_acknowledged, acknowledged } => {
                    let note = self.notes.get_mut(&slot).expect("what has come further was noted");
                    note.advance(options_acknowledged, acknowledged);
                }
                Output::Send(send) => {
                    if let Body::Train(block) = send.body {
                        assert!(self.open.contains_key(&block.image), "only what is open is sent");
                        let blocks = block.size / u64::from(block.block_octets) + 1;
                        let last = block.first + u64::from(block.count) - 1;
                        assert!(block.first >= 1 && block.count >= 1 && last <= blocks);
                    }
                }
                Output::Fetch { image, .. } => {
                    assert!(self.open.contains_key(&image), "only what is open is read")
                }
                Output::SignOfLife(_)
                | Output::Ended(_)
                | Output::Regime { .. }
                | Output::Grant { .. }
                | Output::Rationed(_) => {}
            }
        }
    }

    /// Everybody falls silent.
    fn finish(mut self) {
        while !self.opening.is_empty() {
            self.answer_open();
        }
        for number in 0..STREAMS as u64 {
            self.tell(Input::Stream { stream: StreamId(number), news: StreamNews::Ended });
        }
        for _ in 0..100_000 {
            let Some(at) = self.transfers.next_wakeup() else { break };
            self.now = self.now.max(at);
            self.tell(Input::Wakeup);
        }
        assert_eq!(self.transfers.active(), 0, "a transfer is left");
        assert_eq!(self.transfers.streams(), 0, "a stream is left");
        assert_eq!(self.transfers.next_wakeup(), None, "something is waited for");
        assert!(self.open.is_empty(), "an image is left open: {:?}", self.open);
        assert!(self.notes.is_empty(), "a note is left: {:?}", self.notes);
    }
}
