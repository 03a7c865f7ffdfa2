//! All the hosts at once: who gets a frame, who is to be woken, ARP for each, and what became of them.
//!
//! No socket and no clock: frames and moments come in, frames go out.

use super::plain;
use super::score::Score;
use super::wire::{self, Datagram, Seen};
use crate::frame as ethernet;
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use heorot_sim::frame::{Frame, Payload};
use heorot_sim::machine::{Input, Machine, Output, Told};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long a host waits for an answer by ARP before it asks again.
const ARP_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it asks. Then it gives the datagram up; its own timer brings the next.
const ARP_ASKS_MAX: u8 = 5;
/// The port of DHCP clients.
const CLIENT_PORT: u16 = 68;
/// The port of DHCP servers.
const SERVER_PORT: u16 = 67;
/// Where the hardware address of the client stands in a DHCP message (RFC 2131 2).
const CHADDR: usize = 28;
/// Other servers that are remembered by their addresses, to be shown.
const OTHERS_MAX: usize = 8;

/// Frames to be sent, in order.
pub(super) type Outbox = VecDeque<Vec<u8>>;

/// What a host is.
#[derive(Debug)]
pub(super) enum Actor {
    /// Firmware and loader.
    Machine(Box<Machine>),
    /// A TFTP client alone.
    Plain(plain::Client),
}

impl Actor {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Output>) {
        match self {
            Self::Machine(machine) => machine.handle(now, input, out),
            Self::Plain(client) => client.handle(now, &input, out),
        }
    }

    fn next_wakeup(&self) -> Option<Time> {
        match self {
            Self::Machine(machine) => machine.next_wakeup(),
            Self::Plain(client) => client.next_wakeup(),
        }
    }
}

/// How a host reaches another one on the link.
#[derive(Debug)]
enum Route {
    Unknown,
    /// It asks, and holds the one datagram for which it does.
    Asking {
        address: Ipv4Addr,
        held: Box<Frame>,
        asks: u8,
        again_at: Time,
    },
    Known {
        address: Ipv4Addr,
        mac: Mac,
    },
}

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    actor: Actor,
    mac: Mac,
    power_on: Time,
    is_on: bool,
    route: Route,
    /// The moment of the one entry in the heap that counts.
    armed: Option<Time>,
    /// What became of it.
    pub(super) score: Score,
}

impl Host {
    fn next_wakeup(&self) -> Option<Time> {
        if !self.is_on {
            return Some(self.power_on);
        }
        let again = match &self.route {
            Route::Asking { again_at, .. } => Some(*again_at),
            Route::Unknown | Route::Known { .. } => None,
        };
        [self.actor.next_wakeup(), again].into_iter().flatten().min()
    }
}

/// What happened that belongs to no host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Datagrams of servers other than the one the storm is for; nobody got them.
    pub(super) from_others: u64,
    /// Who sent them.
    pub(super) others: BTreeSet<Ipv4Addr>,
    /// Pieces of datagrams too long for the wire.
    pub(super) fragments: u64,
    /// How often a host got an address that another one has.
    pub(super) address_conflicts: u64,
    /// Datagrams given up because nobody answered by ARP.
    pub(super) unreachable: u64,
    /// HTTP requests, which nobody answers here.
    pub(super) http_asks: u64,
    /// Frames given to hosts.
    pub(super) frames: u64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
    places: HashMap<Mac, usize>,
    by_address: HashMap<Ipv4Addr, usize>,
    wakeups: BinaryHeap<Reverse<(Time, usize)>>,
    /// The server the storm is for, if it was named.
    server: Option<Ipv4Addr>,
    settled: usize,
    outputs: Vec<Output>,
    pub(super) counts: Counts,
}

impl Hosts {
    /// No hosts yet. With a server's address, they hear no other one.
    pub(super) fn new(server: Option<Ipv4Addr>) -> Self {
        Self {
            hosts: Vec::new(),
            places: HashMap::new(),
            by_address: HashMap::new(),
            wakeups: BinaryHeap::new(),
            server,
            settled: 0,
            outputs: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// A further host, to be switched on at this moment.
    pub(super) fn add(&mut self, actor: Actor, mac: Mac, power_on: Time) {
        let place = self.hosts.len();
        let clash = self.places.insert(mac, place);
        assert_eq!(clash, None, "{mac} is there twice");
        let (score, route) = (Score::default(), Route::Unknown);
        self.hosts.push(Host { actor, mac, power_on, is_on: false, route, armed: None, score });
        self.arm(place);
    }

    /// All hosts, in the order in which they were added.
    pub(super) fn all(&self) -> &[Host] {
        &self.hosts
    }

    /// Puts a score in place of a host's.
    #[cfg(test)]
    pub(super) fn set_score(&mut self, place: usize, score: Score) {
        self.hosts[place].score = score;
    }

    /// How many have loaded all, or are lost.
    pub(super) fn settled(&self) -> usize {
        self.settled
    }

    /// When [`Hosts::wake`] is wanted next.
    pub(super) fn next_wakeup(&self) -> Option<Time> {
        self.wakeups.peek().map(|Reverse((at, _))| *at)
    }

    /// Wakes all whose moment has come.
    pub(super) fn wake(&mut self, now: Time, out: &mut Outbox) {
        // One that wants to be woken again at once waits for the next turn.
        for _ in 0..self.hosts.len() {
            let Some(Reverse((at, place))) = self.wakeups.peek().copied().filter(|next| next.0.0 <= now)
            else {
                return;
            };
            self.wakeups.pop();
            let host = &mut self.hosts[place];
            if host.armed == Some(at) {
                host.armed = None;
                self.wake_one(now, place, out);
            }
        }
    }

    fn wake_one(&mut self, now: Time, place: usize, out: &mut Outbox) {
        let host = &mut self.hosts[place];
        if !host.is_on {
            host.is_on = host.power_on <= now;
            if host.is_on {
                host.score.started = Some(now);
                return self.give(now, place, Input::PowerOn, out);
            }
        }
        if matches!(&host.route, Route::Asking { again_at, .. } if *again_at <= now) {
            self.ask_again(now, place, out);
        }
        if self.hosts[place].actor.next_wakeup().is_some_and(|at| at <= now) {
            return self.give(now, place, Input::Wakeup, out);
        }
        self.arm(place);
    }

    /// Takes a frame from the wire; with how many octets of UDP payload each piece has, if the kernel has not cut it yet.
    pub(super) fn receive(&mut self, now: Time, frame: &[u8], piece: Option<usize>, out: &mut Outbox) {
        match wire::read(frame) {
            Seen::Datagram(datagram) => {
                for datagram in datagram.pieces(piece) {
                    self.datagram(now, datagram, out);
                }
            }
            Seen::ArpRequest { from, sender, target } => {
                let host = self.by_address.get(&target).map(|place| &self.hosts[*place]);
                // A host is not asked by itself: what it sends is not heard here.
                if let Some(host) = host.filter(|host| host.mac != from) {
                    out.push_back(ethernet::arp_answer(host.mac, target, from, sender));
                }
            }
            Seen::ArpReply { to, address, mac } => self.resolved(to, address, mac, out),
            Seen::Fragment => self.counts.fragments += 1,
            Seen::Other => {}
        }
    }

    fn datagram(&mut self, now: Time, datagram: Datagram<'_>, out: &mut Outbox) {
        if self.server.is_some_and(|server| server != *datagram.source.ip()) {
            self.counts.from_others += 1;
            if datagram.source.port() == SERVER_PORT && self.counts.others.len() < OTHERS_MAX {
                self.counts.others.insert(*datagram.source.ip());
            }
            return;
        }
        let for_whom = if datagram.to != Mac::BROADCAST {
            Some(datagram.to)
        } else if datagram.destination.port() == CLIENT_PORT {
            // Every host hears it, and each but the one with this hardware address drops it: that is left out, for it is a million times in a storm.
            datagram.payload.get(CHADDR..).and_then(<[u8]>::first_chunk).map(|mac| Mac(*mac))
        } else {
            None
        };
        let Some(place) = for_whom.and_then(|mac| self.places.get(&mac)).copied() else { return };
        if self.hosts[place].is_on {
            self.counts.frames += 1;
            let frame = datagram.to_frame();
            self.hosts[place].score.received(&frame);
            self.give(now, place, Input::Frame(&frame), out);
        }
    }

    fn give(&mut self, now: Time, place: usize, input: Input<'_>, out: &mut Outbox) {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.hosts[place].actor.handle(now, input, &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Send(frame) => self.send(now, place, frame, out),
                Output::Ask(_) | Output::Fetch(_) => self.counts.http_asks += 1,
                Output::Told(told) => self.told(now, place, told),
            }
        }
        self.outputs = outputs;
        self.arm(place);
    }

    fn told(&mut self, now: Time, place: usize, told: Told) {
        if let Told::Address(address) = told {
            let before = self.by_address.insert(address, place);
            self.counts.address_conflicts += u64::from(before.is_some_and(|before| before != place));
        }
        let score = &mut self.hosts[place].score;
        let was_settled = score.is_settled();
        score.take(now, told);
        self.settled += usize::from(score.is_settled() && !was_settled);
    }

    /// Sends a datagram, after its receiver's hardware address was asked for if it is one host's.
    fn send(&mut self, now: Time, place: usize, frame: Frame, out: &mut Outbox) {
        let host = &mut self.hosts[place];
        if frame.to == Mac::BROADCAST {
            out.extend(wire::write(&frame, Mac::BROADCAST));
            return;
        }
        let wanted = *frame.destination.ip();
        match &mut host.route {
            Route::Known { address, mac } if *address == wanted => out.extend(wire::write(&frame, *mac)),
            // The newer one is what the other side should hear.
            Route::Asking { address, held, .. } if *address == wanted => **held = frame,
            Route::Unknown | Route::Known { .. } | Route::Asking { .. } => {
                out.push_back(ethernet::arp_request(host.mac, *frame.source.ip(), wanted));
                let again_at = now + ARP_AGAIN_AFTER;
                host.route = Route::Asking { address: wanted, held: Box::new(frame), asks: 1, again_at };
            }
        }
    }

    fn ask_again(&mut self, now: Time, place: usize, out: &mut Outbox) {
        let host = &mut self.hosts[place];
        let Route::Asking { address, held, asks, again_at } = &mut host.route else { return };
        if *asks >= ARP_ASKS_MAX {
            self.counts.unreachable += 1;
            host.route = Route::Unknown;
            return;
        }
        *asks += 1;
        *again_at = now + ARP_AGAIN_AFTER;
        out.push_back(ethernet::arp_request(host.mac, *held.source.ip(), *address));
    }

    fn resolved(&mut self, to: Mac, address: Ipv4Addr, mac: Mac, out: &mut Outbox) {
        let Some(place) = self.places.get(&to).copied() else { return };
        let host = &mut self.hosts[place];
        let known = Route::Known { address, mac };
        if matches!(&host.route, Route::Asking { address: wanted, .. } if *wanted == address)
            && let Route::Asking { held, .. } = std::mem::replace(&mut host.route, known)
        {
            out.extend(wire::write(&held, mac));
        }
    }

    fn arm(&mut self, place: usize) {
        let host = &mut self.hosts[place];
        let Some(next) = host.next_wakeup() else { return };
        // A later moment is looked up when the earlier one has come.
        if host.armed.is_none_or(|armed| next < armed) {
            host.armed = Some(next);
            self.wakeups.push(Reverse((next, place)));
        }
    }
}

/// Octets of a file in a datagram, if it is DATA.
pub(super) fn data_octets(payload: &Payload) -> Option<(u16, usize)> {
    match payload {
        Payload::Data { block, octets } => Some((*block, usize::from(*octets))),
        Payload::Octets(octets) => match octets.as_slice() {
            [0, 3, high, low, content @ ..] => Some((u16::from_be_bytes([*high, *low]), content.len())),
            _ => None,
        },
        Payload::Acknowledge(_) | Payload::Segment { .. } | Payload::Received { .. } => None,
    }
}

#[cfg(test)]
mod tests;
