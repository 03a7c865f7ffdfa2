//! Clients: so many at a time. Each asks until it has its address, then the next one begins.
//!
//! One thread, and little work for each frame: what is measured is the server.

use super::packet::{self, Answer, Forms, Kind};
use super::socket::Socket;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What clients do.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Who they are. They come in turn, as often as it takes.
    pub(super) hosts: Range<u32>,
    /// How many exchanges there are to be.
    pub(super) exchanges: u32,
    /// How many are under way at a time.
    pub(super) at_once: u32,
    /// When it is over in any case.
    pub(super) within: Duration,
    /// After how long a client repeats itself; never, if that is longer than all of it.
    pub(super) repeats_after: Duration,
    /// Whether an OFFER is taken. If not, it is all that is wanted.
    pub(super) takes: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// From the first DISCOVER to the last answer.
    pub(super) seconds: f64,
    /// Exchanges that were finished.
    pub(super) done: u32,
    /// How long each of these took, the quickest first.
    pub(super) took: Vec<Duration>,
    /// How often a client repeated itself.
    pub(super) repeats: u32,
    pub(super) naks: u32,
    /// Different addresses among those that hosts have.
    pub(super) addresses: usize,
    /// Answers that the generator itself lost. Then the figures are void.
    pub(super) lost: u32,
}

impl Outcome {
    /// Exchanges that took no longer than this.
    pub(super) fn within(&self, limit: Duration) -> usize {
        self.took.partition_point(|took| *took <= limit)
    }

    pub(super) fn each_second(&self) -> f64 {
        if self.seconds > 0.0 { f64::from(self.done) / self.seconds } else { 0.0 }
    }
}

/// Lets them ask. Every exchange of a host has another number, as those of most firmware do.
///
/// # Errors
/// The kernel's.
pub(super) fn run(socket: &mut Socket, load: &Load, numbers_from: u32) -> io::Result<Outcome> {
    let start = Instant::now();
    let mut clients = Clients::new(load, numbers_from);
    clients.begin(start);
    let mut last = start;
    while !clients.is_done() && start.elapsed() < load.within {
        socket.send(&clients.outbox)?;
        clients.outbox.clear();
        let count = socket.receive()?;
        let now = Instant::now();
        for answer in socket.frames().filter_map(packet::read) {
            clients.take(now, &answer);
        }
        if count > 0 {
            last = now;
        }
        clients.repeat(now);
        clients.begin(now);
    }
    let mut outcome = clients.outcome;
    outcome.seconds = last.duration_since(start).as_secs_f64();
    outcome.took.sort_unstable();
    outcome.addresses = clients.addresses.values().collect::<BTreeSet<_>>().len();
    outcome.lost = socket.take_lost()?;
    Ok(outcome)
}

struct Clients<'a> {
    load: &'a Load,
    forms: Forms,
    /// Those under way, by host.
    under_way: BTreeMap<u32, Client>,
    /// When to look at a host again, the first first: all wait equally long.
    waiting: VecDeque<(Instant, u32, u32)>,
    begun: u32,
    next_number: u32,
    addresses: BTreeMap<u32, Ipv4Addr>,
    outbox: Vec<Vec<u8>>,
    outcome: Outcome,
}

struct Client {
    xid: u32,
    began: Instant,
    /// What it takes.
    chosen: Option<(Ipv4Addr, [u8; 4])>,
    said: Instant,
}

impl<'a> Clients<'a> {
    fn new(load: &'a Load, numbers_from: u32) -> Self {
        Self {
            load,
            forms: Forms::new(),
            under_way: BTreeMap::new(),
            waiting: VecDeque::new(),
            begun: 0,
            next_number: numbers_from,
            addresses: BTreeMap::new(),
            outbox: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    fn is_done(&self) -> bool {
        self.begun == self.load.exchanges && self.under_way.is_empty()
    }

    /// Has as many under way as there are to be.
    fn begin(&mut self, now: Instant) {
        while self.begun < self.load.exchanges && self.under_way.len() < self.load.at_once as usize {
            let hosts = &self.load.hosts;
            let host = hosts.start + self.begun % (hosts.end - hosts.start);
            if self.under_way.contains_key(&host) {
                return; // Slow, from the last time round.
            }
            self.begun += 1;
            let client = Client { xid: self.next_number, began: now, chosen: None, said: now };
            self.next_number = self.next_number.wrapping_add(1);
            self.say(now, host, &client);
            self.under_way.insert(host, client);
        }
    }

    fn say(&mut self, now: Instant, host: u32, client: &Client) {
        let frame = match client.chosen {
            None => self.forms.discover(host, client.xid),
            Some((address, server)) => self.forms.request(host, client.xid, address, server),
        };
        self.outbox.push(frame);
        self.waiting.push_back((now + self.load.repeats_after, host, client.xid));
    }

    fn take(&mut self, now: Instant, answer: &Answer) {
        let host = answer.host;
        let Some(mut client) = self.under_way.remove(&host) else { return };
        let is_for_it = client.xid == answer.xid;
        match answer.kind {
            Kind::Offer if is_for_it && self.load.takes && client.chosen.is_none() => {
                (client.chosen, client.said) = (Some((answer.address, answer.server)), now);
                self.say(now, host, &client);
            }
            Kind::Offer if is_for_it && !self.load.takes => return self.finish(now, answer, &client),
            Kind::Ack if is_for_it => return self.finish(now, answer, &client),
            Kind::Nak if is_for_it && client.chosen.is_some() => {
                // From the beginning, as RFC 2131 3.1.5 says.
                self.outcome.naks += 1;
                (client.chosen, client.said) = (None, now);
                self.say(now, host, &client);
            }
            Kind::Offer | Kind::Ack | Kind::Nak => {}
        }
        self.under_way.insert(host, client);
    }

    fn finish(&mut self, now: Instant, answer: &Answer, client: &Client) {
        self.outcome.done += 1;
        self.outcome.took.push(now.duration_since(client.began));
        self.addresses.insert(answer.host, answer.address);
    }

    /// Those that have waited too long say again what they said last.
    fn repeat(&mut self, now: Instant) {
        while let Some((_, host, xid)) = self.waiting.front().copied().filter(|(at, ..)| *at <= now) {
            self.waiting.pop_front();
            let Some(mut client) = self.under_way.remove(&host) else { continue };
            // It may have said something else since, and be waiting for that.
            if client.xid == xid && now.duration_since(client.said) >= self.load.repeats_after {
                self.outcome.repeats += 1;
                client.said = now;
                self.say(now, host, &client);
            }
            self.under_way.insert(host, client);
        }
    }
}

#[cfg(test)]
mod tests;
