//! A TFTP client alone: it has an address, asks for one file, and takes it in lock-step or in windows, as RFC 1350, 2347, 2348 and 7440 have it.
//!
//! It has a single timer. How often that runs out is what this client is for: behind a server that sends as the link carries, never.

use super::hosts::data_octets;
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use heorot_sim::frame::{Frame, Payload};
use heorot_sim::machine::{Input, Output, Told};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// TFTP's port.
const SERVER_PORT: u16 = 69;
/// The client's port. Each has an address of its own, so that one is enough.
const CLIENT_PORT: u16 = 2070;
/// Octets of a block that it asks for: what fits an Ethernet frame, and what EDK2 asks for.
pub(super) const BLOCK_OCTETS: u16 = 1468;
/// Octets of a block if nothing was agreed (RFC 1350 2).
const BLOCK_OCTETS_DEFAULT: u16 = 512;
/// What all clients of a storm have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whom they ask.
    pub(super) server: Ipv4Addr,
    /// For what.
    pub(super) file: String,
    /// Blocks to an acknowledgement that they ask for; 1: they do not ask.
    pub(super) window_blocks: u16,
    /// How long they wait for news after each of their sends; after the last of these they give up.
    pub(super) waits: Arc<[Duration]>,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    wish: Wish,
    mac: Mac,
    address: Ipv4Addr,
    state: State,
    /// When it repeats itself.
    repeat_at: Option<Time>,
    repeats: usize,
}

#[derive(Debug)]
enum State {
    Off,
    /// RRQ is sent.
    Asked,
    Receiving(Transfer),
    /// All has come. The last ACK may be lost, so that the last block comes again.
    Done(Transfer),
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Transfer {
    /// The port that the server answered from.
    peer_port: u16,
    block_octets: u16,
    window_blocks: u16,
    /// Blocks that have come in order.
    blocks: u64,
    /// Those since the last acknowledgement.
    since_acknowledged: u16,
    /// A block beyond the next one came, and was answered: further ones say nothing new (RFC 7440 4).
    is_gap_told: bool,
    octets: u64,
}

impl Client {
    /// A client that is off.
    pub(super) fn new(wish: Wish, mac: Mac, address: Ipv4Addr) -> Self {
        Self { wish, mac, address, state: State::Off, repeat_at: None, repeats: 0 }
    }

    /// When [`Input::Wakeup`] is wanted next.
    pub(super) fn next_wakeup(&self) -> Option<Time> {
        self.repeat_at
    }

    /// Takes one input. What it does is appended to `out`, in order.
    pub(super) fn handle(&mut self, now: Time, input: &Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::PowerOn => {
                self.state = State::Asked;
                out.extend([Output::Told(Told::Address(self.address)), Output::Told(Told::Stage("file"))]);
                self.say_again(out);
                self.progress(now);
            }
            Input::PowerOff => (self.state, self.repeat_at) = (State::Off, None),
            Input::Frame(frame) => self.frame(now, frame, out),
            Input::Wakeup if self.repeat_at.is_some_and(|at| at <= now) => self.repeat(now, out),
            Input::Wakeup | Input::Answer { .. } | Input::Begins { .. } => {}
        }
    }

    fn progress(&mut self, now: Time) {
        self.repeats = 0;
        self.repeat_at = self.wish.waits.first().map(|wait| now + *wait);
    }

    fn repeat(&mut self, now: Time, out: &mut Vec<Output>) {
        self.repeats += 1;
        let Some(wait) = self.wish.waits.get(self.repeats) else {
            return self.lose("the server is silent".into(), out);
        };
        self.repeat_at = Some(now + *wait);
        out.push(Output::Told(Told::Retry));
        self.say_again(out);
    }

    fn lose(&mut self, why: String, out: &mut Vec<Output>) {
        (self.state, self.repeat_at) = (State::Lost, None);
        out.push(Output::Told(Told::Lost(why)));
    }

    /// RRQ, or the last ACK.
    fn say_again(&self, out: &mut Vec<Output>) {
        let (port, payload) = match &self.state {
            State::Asked => (SERVER_PORT, Payload::Octets(self.request())),
            State::Receiving(transfer) | State::Done(transfer) => {
                (transfer.peer_port, Payload::Acknowledge(transfer.acknowledged()))
            }
            State::Off | State::Lost => return,
        };
        out.push(Output::Send(self.datagram(port, payload)));
    }

    fn request(&self) -> Vec<u8> {
        let mut text = format!("\0\x01{}\0octet\0blksize\0{BLOCK_OCTETS}\0", self.wish.file);
        if self.wish.window_blocks > 1 {
            text += &format!("windowsize\0{}\0", self.wish.window_blocks);
        }
        text.into_bytes()
    }

    fn datagram(&self, port: u16, payload: Payload) -> Frame {
        Frame {
            from: self.mac,
            to: Mac([0; 6]), // found by ARP
            source: SocketAddrV4::new(self.address, CLIENT_PORT),
            destination: SocketAddrV4::new(self.wish.server, port),
            payload,
        }
    }

    fn frame(&mut self, now: Time, frame: &Frame, out: &mut Vec<Output>) {
        let from_server = *frame.source.ip() == self.wish.server && frame.destination.port() == CLIENT_PORT;
        if !from_server || *frame.destination.ip() != self.address {
            return;
        }
        let peer_port = frame.source.port();
        let known = match &self.state {
            State::Receiving(transfer) | State::Done(transfer) => Some(transfer.peer_port),
            State::Asked => None,
            State::Off | State::Lost => return,
        };
        let data = data_octets(&frame.payload);
        match (known, data, &frame.payload) {
            (Some(known), ..) if known != peer_port => {
                // RFC 1350 4: to the one that is not meant, and nothing else changes.
                out.push(Output::Send(self.datagram(peer_port, Payload::Octets(b"\0\x05\0\x05\0".to_vec()))));
            }
            (_, None, Payload::Octets(octets)) if octets.starts_with(&[0, 5]) => {
                let text = String::from_utf8_lossy(octets.get(4..).unwrap_or_default());
                self.lose(format!("the server says: {}", text.trim_end_matches('\0')), out);
            }
            (None, None, Payload::Octets(octets)) if octets.starts_with(&[0, 6]) => {
                self.state = State::Receiving(Transfer::agreed(peer_port, octets));
                self.progress(now);
                self.say_again(out);
            }
            (None, Some(_), _) => {
                // A server without options begins at once.
                self.state = State::Receiving(Transfer::agreed(peer_port, &[]));
                self.data(now, data, out);
            }
            (Some(_), Some(_), _) => self.data(now, data, out),
            // The OACK again: the ACK was lost.
            (Some(_), None, Payload::Octets(octets)) if octets.starts_with(&[0, 6]) => self.say_again(out),
            (_, None, _) => {}
        }
    }

    fn data(&mut self, now: Time, data: Option<(u16, usize)>, out: &mut Vec<Output>) {
        let Some((block, octets)) = data else { return };
        let (transfer, is_done) = match &mut self.state {
            State::Receiving(transfer) => (transfer, false),
            State::Done(transfer) => (transfer, true),
            State::Off | State::Asked | State::Lost => return,
        };
        // How far it is from the next in order, on the ring of 16 bits.
        let ahead = block.wrapping_sub(transfer.acknowledged().wrapping_add(1));
        if ahead == u16::MAX {
            // The last one again: its acknowledgement was lost.
            transfer.since_acknowledged = 0;
            return self.say_again(out);
        }
        if is_done || ahead > u16::MAX / 2 {
            return;
        }
        if ahead > 0 {
            if !std::mem::replace(&mut transfer.is_gap_told, true) {
                transfer.since_acknowledged = 0;
                self.say_again(out);
            }
            return;
        }
        if transfer.blocks == 0 {
            out.push(Output::Told(Told::FirstData));
        }
        transfer.take(octets);
        let (is_last, is_due) = (octets < usize::from(transfer.block_octets), transfer.is_due());
        let transfer = *transfer;
        self.progress(now);
        if is_last || is_due {
            self.say_again(out);
        }
        if is_last {
            (self.state, self.repeat_at) = (State::Done(transfer), None);
            let (name, octets, block_octets) =
                (self.wish.file.clone(), transfer.octets, transfer.block_octets);
            out.push(Output::Told(Told::File { name, octets, block_octets }));
            out.push(Output::Told(Told::Loaded));
        }
    }
}

impl Transfer {
    /// By what the server agreed to in its OACK.
    fn agreed(peer_port: u16, option_ack: &[u8]) -> Self {
        let fields: Vec<&[u8]> = option_ack.get(2..).unwrap_or_default().split(|octet| *octet == 0).collect();
        let value = |name: &str| {
            let (pairs, _) = fields.as_chunks::<2>();
            let pair = pairs.iter().find(|pair| pair[0].eq_ignore_ascii_case(name.as_bytes()))?;
            std::str::from_utf8(pair[1]).ok()?.parse().ok()
        };
        Self {
            peer_port,
            block_octets: value("blksize").unwrap_or(BLOCK_OCTETS_DEFAULT),
            window_blocks: value("windowsize").unwrap_or(1).max(1),
            blocks: 0,
            since_acknowledged: 0,
            is_gap_told: false,
            octets: 0,
        }
    }

    fn acknowledged(&self) -> u16 {
        heorot_core::wire::tftp::wire_number(self.blocks)
    }

    fn take(&mut self, octets: usize) {
        self.blocks += 1;
        self.since_acknowledged += 1;
        self.is_gap_told = false;
        self.octets += octets as u64;
    }

    /// Whether an acknowledgement is due; it is taken as given.
    fn is_due(&mut self) -> bool {
        let is_due = self.since_acknowledged >= self.window_blocks;
        if is_due {
            self.since_acknowledged = 0;
        }
        is_due
    }
}

#[cfg(test)]
mod tests;
