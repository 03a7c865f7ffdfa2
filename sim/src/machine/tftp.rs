//! How a machine loads one file by TFTP.
//!
//! ```text
//!          OACK to a request for the size alone: ERROR, and the next request
//!        ┌────────────┐
//!        v            │   OACK                     DATA
//!      Asking ────────┴──────────> Receiving ─────────────> Receiving ──> the last block, acknowledged: it has the file
//!        │ ERROR: missing           │ │ ^
//!        └─> no answer: gave up     │ └─┘ a block that is not the next one: the program's own way
//!                                   └─> silence: gave up
//! ```
//!
//! A block that is not the next one has come twice, or one before it was lost. iPXE, EDK2 and PXELINUX acknowledge what they have again, at once; GRUB acknowledges the old
//! block. None of them can tell an echo from a loss: a server that answers each of these ACKs by a block sends everything twice from there on (the sorcerer's apprentice).
//! Each of these blocks has an ACK of its own: none of the programs counts what came meanwhile.
//!
//! This is where a simulation spends its time: a block costs no allocation and no look-up.

use super::kind::{Manner, Unexpected, Waits};
use super::message::{Output, Told};
use crate::chance::Chance;
use crate::frame::{Frame, Payload};
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Between whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) mac: Mac,
    pub(super) address: Ipv4Addr,
    pub(super) server_mac: Mac,
    pub(super) server: Ipv4Addr,
}

/// What is wanted.
#[derive(Debug)]
pub(super) struct Order {
    /// The file, as people call it.
    pub(super) name: String,
    /// What stands in the request.
    pub(super) asked: Vec<u8>,
    /// The port to ask from; the next one too, if the size is asked for first.
    pub(super) port: u16,
    /// Whether somebody will read it.
    pub(super) is_text: bool,
    /// Whether the last block is acknowledged.
    pub(super) acknowledges_last: bool,
    /// Whether its first block is the first of this boot.
    pub(super) is_first: bool,
}

/// One file on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    ends: Ends,
    manner: &'static Manner,
    order: Order,
    /// The next request is for the size alone.
    sizing: bool,
    /// The port that the server answers from; none before it did.
    server_port: Option<u16>,
    block_octets: u16,
    window_blocks: u64,
    /// Blocks that came in order, and up to which they were acknowledged.
    received: u64,
    acknowledged: u64,
    octets: u64,
    text: Vec<u8>,
    /// The last block has come.
    is_whole: bool,
    /// What is to be sent, and when.
    answer: Option<(Time, Answer)>,
    /// How many more times: blocks that were not the next one came meanwhile.
    copies: u8,
    /// When it repeats itself, or gives up.
    deadline: Time,
    /// Sends without progress.
    sends: usize,
    /// For adaptive waits: the present one, how many ran out, and when the last packet was sent.
    timeout: Duration,
    expired: u32,
    sent_at: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Acknowledge(u16),
    /// The size is known: an ERROR, and the real request.
    AskAgain,
}

/// What has become of a transfer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on.
    Goes,
    /// The file is there.
    Has,
    /// The server refused, with this text.
    Refused(String),
    /// Nobody answered.
    GaveUp,
}

impl Transfer {
    /// Begins with a request.
    pub(super) fn begin(
        now: Time,
        ends: Ends,
        manner: &'static Manner,
        order: Order,
        out: &mut Vec<Output>,
    ) -> Self {
        let mut new = Self {
            ends,
            manner,
            order,
            sizing: manner.sizing.is_some(),
            server_port: None,
            block_octets: BLOCK_OCTETS_DEFAULT,
            window_blocks: 1,
            received: 0,
            acknowledged: 0,
            octets: 0,
            text: Vec::new(),
            is_whole: false,
            answer: None,
            copies: 0,
            deadline: now,
            sends: 0,
            timeout: Duration::ZERO,
            expired: 0,
            sent_at: now,
        };
        new.ask(now, out);
        new
    }

    /// When it wants to be woken.
    pub(super) fn wakeup_at(&self) -> Time {
        match self.answer {
            Some((at, _)) => at.min(self.deadline),
            None => self.deadline,
        }
    }

    /// A frame came.
    pub(super) fn frame(
        &mut self,
        now: Time,
        frame: &Frame,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) -> Step {
        let is_mine = frame.destination.port() == self.order.port
            && *frame.destination.ip() == self.ends.address
            && *frame.source.ip() == self.ends.server
            && self.server_port.is_none_or(|port| port == frame.source.port());
        if !is_mine || self.is_whole {
            return Step::Goes;
        }
        let port = frame.source.port();
        match &frame.payload {
            Payload::Data { block, octets } => self.data(now, port, *block, *octets, chance, out),
            Payload::Octets(octets) => match octets.as_slice() {
                [0, 3, high, low, content @ ..] => {
                    let block = u16::from_be_bytes([*high, *low]);
                    if self.order.is_text && block == wire(self.received + 1) {
                        self.text.extend(content);
                    }
                    let octets = u16::try_from(content.len()).unwrap_or(u16::MAX);
                    self.data(now, port, block, octets, chance, out);
                }
                [0, 6, options @ ..] => self.agree(now, port, options, chance),
                [0, 5, _, _, text @ ..] => {
                    let text = text.split(|octet| *octet == 0).next().unwrap_or_default();
                    return Step::Refused(String::from_utf8_lossy(text).into_owned());
                }
                _ => {}
            },
            Payload::Acknowledge(_) | Payload::Segment { .. } | Payload::Received { .. } => {}
        }
        Step::Goes
    }

    /// Its moment has come.
    pub(super) fn wakeup(&mut self, now: Time, out: &mut Vec<Output>) -> Step {
        match self.answer {
            Some((at, Answer::Acknowledge(block))) if at <= now => {
                self.answer = None;
                let copies = std::mem::take(&mut self.copies);
                if !self.is_whole || self.order.acknowledges_last {
                    (0..=copies).for_each(|_| self.acknowledge(block, out));
                }
                if self.is_whole {
                    return Step::Has;
                }
                self.acknowledged(now);
            }
            Some((at, Answer::AskAgain)) if at <= now => {
                self.answer = None;
                self.abort(out);
                self.order.port += 1;
                self.sizing = false;
                self.server_port = None;
                (self.block_octets, self.window_blocks) = (BLOCK_OCTETS_DEFAULT, 1);
                self.sends = 0;
                self.ask(now, out);
            }
            _ if self.deadline <= now => return self.expired(now, out),
            Some(_) | None => {}
        }
        Step::Goes
    }

    /// How many octets came, and in blocks of how many.
    pub(super) fn size(&self) -> (u64, u16) {
        (self.octets, self.block_octets)
    }

    /// The port that it was loaded to.
    pub(super) fn port(&self) -> u16 {
        self.order.port
    }

    /// The file's name, and its content if somebody was to read it.
    pub(super) fn into_content(self) -> (String, String) {
        (self.order.name, String::from_utf8_lossy(&self.text).into_owned())
    }

    /// Whether the first block of this boot is yet to come.
    pub(super) fn is_first(&self) -> bool {
        self.order.is_first
    }

    fn data(
        &mut self,
        now: Time,
        port: u16,
        block: u16,
        octets: u16,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) {
        // DATA without an OACK: the server takes no option.
        self.server_port = Some(port);
        if block == wire(self.received + 1) {
            if self.order.is_first {
                self.order.is_first = false;
                out.push(Output::Told(Told::FirstData));
            }
            self.received += 1;
            self.octets += u64::from(octets);
            self.is_whole = octets < self.block_octets;
            if self.is_whole || self.received - self.acknowledged >= self.window_blocks {
                self.answer_soon(now, wire(self.received), chance);
            }
            return;
        }
        match self.manner.unexpected {
            Unexpected::Last | Unexpected::LastByItsClock if self.answer.is_some() => {
                self.copies = self.copies.saturating_add(1);
            }
            Unexpected::Last | Unexpected::LastByItsClock => {
                self.answer_soon(now, wire(self.received), chance);
            }
            Unexpected::Itself => {
                let behind = wire(self.received).wrapping_sub(block);
                if behind < u16::MAX / 2 && u64::from(behind) < self.received {
                    self.answer_soon(now, block, chance);
                }
            }
        }
    }

    /// An OACK: it says what holds of what was asked for.
    fn agree(&mut self, now: Time, port: u16, options: &[u8], chance: &mut Chance) {
        let is_again = self.server_port.is_some();
        if self.received > 0 || (is_again && self.manner.unexpected == Unexpected::LastByItsClock) {
            return;
        }
        self.server_port = Some(port);
        if self.sizing {
            let at = now + self.turnaround(chance);
            self.answer = Some((at, Answer::AskAgain));
            return;
        }
        let mut words = options.split(|octet| *octet == 0);
        while let (Some(option), Some(value)) = (words.next(), words.next()) {
            let Some(value) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) else {
                continue;
            };
            if option.eq_ignore_ascii_case(b"blksize") {
                self.block_octets = value;
            } else if option.eq_ignore_ascii_case(b"windowsize") {
                self.window_blocks = u64::from(value).max(1);
            }
        }
        self.answer_soon(now, 0, chance);
    }

    fn answer_soon(&mut self, now: Time, block: u16, chance: &mut Chance) {
        let at = now + self.turnaround(chance);
        self.answer = Some((at, Answer::Acknowledge(block)));
    }

    fn turnaround(&self, chance: &mut Chance) -> Duration {
        let least = self.manner.turnaround;
        least + Duration::from_nanos(chance.below(u64::from(least.subsec_nanos()) / JITTER_PART))
    }

    /// An ACK was sent: the timers after it.
    fn acknowledged(&mut self, now: Time) {
        let is_new = self.acknowledged < self.received || self.received == 0;
        self.acknowledged = self.received;
        match self.manner.unexpected {
            Unexpected::LastByItsClock if !is_new => {}
            Unexpected::Last | Unexpected::LastByItsClock | Unexpected::Itself => {
                self.sends = 0;
                self.measure(now);
                self.wait(now);
            }
        }
    }

    /// Nothing came in time.
    fn expired(&mut self, now: Time, out: &mut Vec<Output>) -> Step {
        match self.waits() {
            Waits::Ladder(ladder) if self.sends == ladder.len() => return self.give_up(out),
            Waits::Adaptive { cap, .. } if self.timeout * 2 > cap => return self.give_up(out),
            Waits::Adaptive { .. } => {
                self.timeout *= 2;
                self.expired += 1;
            }
            Waits::Ladder(_) => {}
        }
        out.push(Output::Told(Told::Retry));
        if self.server_port.is_none() {
            self.ask(now, out);
        } else {
            // What it sent last, which is not always all that it has: EDK2 in mid-window.
            self.acknowledge(wire(self.acknowledged), out);
            self.wait(now);
        }
        Step::Goes
    }

    /// The timer after a send.
    fn wait(&mut self, now: Time) {
        self.sent_at = now;
        let wait = match self.waits() {
            Waits::Ladder(ladder) => ladder[self.sends.min(ladder.len() - 1)],
            Waits::Adaptive { floor, cap, last } => {
                self.timeout = self.timeout.max(floor);
                if self.timeout * 2 > cap { self.timeout + last } else { self.timeout }
            }
        };
        self.sends += 1;
        self.deadline = now + wait;
    }

    /// An answer came to what was sent last. Source (iPXE's retry.c): the wait t becomes 7/8 t + 1/2 of the round trip, unless it ran out before.
    fn measure(&mut self, now: Time) {
        if let Waits::Adaptive { .. } = self.waits() {
            if self.expired > 0 {
                self.expired -= 1;
            } else {
                self.timeout = self.timeout - self.timeout / 8 + now.since(self.sent_at) / 2;
            }
        }
    }

    fn waits(&self) -> Waits {
        match self.server_port {
            None => self.manner.asking,
            Some(_) if self.received == 0 => self.manner.agreed,
            Some(_) => self.manner.receiving,
        }
    }

    fn ask(&mut self, now: Time, out: &mut Vec<Output>) {
        let options = match self.manner.sizing {
            Some((options, ..)) if self.sizing => options,
            Some(_) | None => self.manner.options,
        };
        let octets = [&[0, 1][..], &self.order.asked, b"\0octet\0", options.as_bytes()].concat();
        self.send(SERVER_PORT, Payload::Octets(octets), out);
        self.wait(now);
    }

    fn acknowledge(&self, block: u16, out: &mut Vec<Output>) {
        if let Some(port) = self.server_port {
            self.send(port, Payload::Acknowledge(block), out);
        }
    }

    /// The ERROR after a request for the size.
    fn abort(&self, out: &mut Vec<Output>) {
        if let Some((_, code, text)) = self.manner.sizing {
            self.error(code, text, out);
        }
    }

    fn give_up(&self, out: &mut Vec<Output>) -> Step {
        if let Some((code, text)) = self.manner.farewell {
            self.error(code, text, out);
        }
        Step::GaveUp
    }

    fn error(&self, code: u16, text: &str, out: &mut Vec<Output>) {
        if let Some(port) = self.server_port {
            let octets = [&[0, 5][..], &code.to_be_bytes(), text.as_bytes(), &[0]].concat();
            self.send(port, Payload::Octets(octets), out);
        }
    }

    fn send(&self, port: u16, payload: Payload, out: &mut Vec<Output>) {
        out.push(Output::Send(Frame {
            from: self.ends.mac,
            to: self.ends.server_mac,
            source: SocketAddrV4::new(self.ends.address, self.order.port),
            destination: SocketAddrV4::new(self.ends.server, port),
            payload,
        }));
    }
}

/// A block's number on the wire.
const fn wire(block: u64) -> u16 {
    (block % 65_536) as u16
}

const SERVER_PORT: u16 = 69;
/// Without an agreement (RFC 1350).
const BLOCK_OCTETS_DEFAULT: u16 = 512;
/// Chance adds up to a fifth to a turnaround.
const JITTER_PART: u64 = 5;

#[cfg(test)]
mod tests;
