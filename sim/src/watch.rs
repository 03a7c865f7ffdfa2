//! Who watches a run: one line an event for people, if they want them, and counts.

use crate::frame::{Frame, Payload};
use crate::reference::{Kept, Reference};
use crate::surroundings::Whereabouts;
use heorot_core::cluster::record::Record;
use heorot_core::config::Config;
use heorot_core::event::{Event, Kind};
use heorot_core::mac::Mac;
use heorot_core::message::DhcpSend;
use heorot_core::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Watch {
    begun: Time,
    /// The lines so far, if anybody wants them.
    lines: Option<String>,
    /// Events that an operator should do something about.
    troubles: Vec<String>,
    ignored: Vec<String>,
    /// What always holds and did not.
    broken: Vec<String>,
    reference: Reference,
    lent: BTreeSet<Ipv4Addr>,
    lent_max: usize,
}

/// Troubles that are kept word for word.
const TROUBLES_MAX: usize = 100;

impl Watch {
    /// Begins to watch a server of this configuration, whose store keeps these records.
    pub(crate) fn new(begun: Time, with_lines: bool, config: &Config, records: &[Record]) -> Self {
        Self {
            begun,
            lines: with_lines.then(String::new),
            troubles: Vec::new(),
            ignored: Vec::new(),
            broken: Vec::new(),
            reference: Reference::new(config, records),
            lent: BTreeSet::new(),
            lent_max: 0,
        }
    }

    /// Something happened to somebody.
    pub(crate) fn line(&mut self, now: Time, who: &str, what: fmt::Arguments<'_>) {
        let Some(lines) = &mut self.lines else { return };
        let elapsed = now.since(self.begun);
        let _ = writeln!(lines, "{:>6}.{:06} {who:<10} {what}", elapsed.as_secs(), elapsed.subsec_micros());
    }

    /// Whether somebody wants lines.
    pub(crate) fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// The server tells its journal.
    pub(crate) fn event(&mut self, now: Time, event: &Event) {
        let ignored = || event.kind == Kind::Operator && event.detail.contains("gets no answer");
        if ignored() && self.ignored.len() < TROUBLES_MAX {
            self.ignored.push(format!("{event}"));
        }
        if event.kind == Kind::Trouble && self.troubles.len() < TROUBLES_MAX {
            self.troubles.push(format!("{event}"));
        }
        self.line(now, "server", format_args!("{event}"));
    }

    /// The server wants this to be durable.
    pub(crate) fn record(&mut self, now: Time, record: &Record) {
        self.reference.decided(record);
        match record {
            Record::Lease(lease) => drop(self.lent.insert(lease.address)),
            Record::LeaseEnded(address) => drop(self.lent.remove(address)),
            Record::Node(_)
            | Record::Boot(_)
            | Record::NodeForgotten(_)
            | Record::BootForgotten(_)
            | Record::Trials(_)
            | Record::Numbering(_)
            | Record::Serial(_)
            | Record::Dynamic(_)
            | Record::Orders(_)
            | Record::Secrets(_) => {}
        }
        self.lent_max = self.lent_max.max(self.lent.len());
        if self.has_lines() {
            let (key, value) = (record.key(), record.value().unwrap_or_default());
            self.line(now, "record", format_args!("{key} {value}"));
        }
    }

    /// The server starts.
    pub(crate) fn started(&mut self, now: Time, life: u32, kept: &Kept) {
        self.line(now, "server", format_args!("starts, life {life}"));
        let held = self.reference.started(kept);
        self.judge(now, held);
    }

    /// The server looks at a datagram for port 67.
    pub(crate) fn asked(&mut self, octets: &[u8]) {
        self.reference.asked(octets);
    }

    /// The server looks at any other datagram.
    pub(crate) fn alive(&mut self, now: Time, address: Ipv4Addr) {
        self.reference.alive(now, address);
    }

    /// A foreign host has an address from now on.
    pub(crate) fn squatted(&mut self, now: Time, address: Ipv4Addr) {
        self.line(now, "foreign", format_args!("has {address}"));
        self.reference.squatted(address);
    }

    /// The server answers by DHCP.
    pub(crate) fn dhcp(&mut self, now: Time, send: &DhcpSend, kept: &Kept) {
        if self.has_lines() {
            let what = crate::speaker::describe(send);
            self.line(now, "server", format_args!("{what}"));
        }
        let held = self.reference.answered(now, send, kept);
        self.judge(now, held);
    }

    /// The server answers the agent of a machine.
    pub(crate) fn told(&mut self, now: Time, mac: Mac, body: &str, kept: &Kept) {
        let held = self.reference.told(mac, body, kept);
        self.judge(now, held);
    }

    /// The server says all that it knows.
    pub(crate) fn compare(
        &mut self,
        now: Time,
        dump: &str,
        neighbours: &BTreeMap<Ipv4Addr, Mac>,
        kept: Option<&Kept>,
    ) {
        let held = self.reference.compare(dump, neighbours, kept);
        self.judge(now, held);
    }

    fn judge(&mut self, now: Time, held: Result<(), String>) {
        if let Err(what) = held {
            self.broken(now, format_args!("{what}"));
        }
    }

    /// A machine sends.
    pub(crate) fn sent(&mut self, now: Time, machine: u32, frame: &Frame) {
        if self.has_lines() {
            self.line(now, &format!("machine {machine}"), format_args!("-> {}", describe(frame)));
        }
    }

    /// A frame comes to a machine that is on.
    pub(crate) fn delivered(&mut self, now: Time, machine: u32, frame: &Frame, whereabouts: &Whereabouts) {
        let address = *frame.destination.ip();
        // DHCP goes to machines that do not have their address yet.
        if frame.destination.port() != CLIENT_PORT
            && whereabouts.address(machine) != Some(address)
            && let Some(holder) = whereabouts.holder(address)
        {
            self.broken(
                now,
                format_args!("a frame for {address} of machine {holder} came to machine {machine}"),
            );
        }
        if self.has_lines() {
            self.line(now, &format!("machine {machine}"), format_args!("<- {}", describe(frame)));
        }
    }

    /// A machine has an address, which another one had until now, perhaps.
    pub(crate) fn addressed(&mut self, now: Time, machine: u32, address: Ipv4Addr, other: Option<u32>) {
        if let Some(other) = other {
            self.broken(now, format_args!("machines {machine} and {other} both have {address}"));
        }
    }

    /// What always holds did not.
    pub(crate) fn broken(&mut self, now: Time, what: fmt::Arguments<'_>) {
        self.line(now, "BROKEN", what);
        if self.broken.len() < TROUBLES_MAX {
            self.broken.push(what.to_string());
        }
    }

    /// What always holds and did not.
    pub(crate) fn broken_so_far(&self) -> &[String] {
        &self.broken
    }

    /// The lines so far.
    pub(crate) fn take_lines(&mut self) -> String {
        self.lines.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What an operator should have done something about.
    pub(crate) fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// Who gets no answer because the configuration says so.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The most temporary addresses that were ever lent at a time.
    pub(crate) fn lent_max(&self) -> usize {
        self.lent_max
    }
}

/// The port of DHCP clients.
const CLIENT_PORT: u16 = 68;

/// A frame, in a line.
fn describe(frame: &Frame) -> String {
    let (from, to) = (frame.source, frame.destination);
    match &frame.payload {
        Payload::Data { block, octets } => format!("{from} {to} DATA {block} ({octets})"),
        Payload::Acknowledge(block) => format!("{from} {to} ACK {block}"),
        Payload::Segment { first, octets, .. } => format!("{from} {to} TCP {first} ({octets})"),
        Payload::Received { through, .. } => format!("{from} {to} TCP ACK {through}"),
        Payload::Octets(octets) if frame.destination.port() == 67 => {
            let kind = heorot_core::wire::dhcp::Message::parse(octets).ok().and_then(|m| m.message_type());
            kind.map_or_else(
                || format!("{from} {to} no DHCP"),
                |kind| format!("{from} {to} {kind:?}").to_uppercase(),
            )
        }
        Payload::Octets(octets) => {
            let printable = |octet: &u8| if matches!(octet, b' '..=b'~') { char::from(*octet) } else { '.' };
            let text: String = octets.iter().take(80).map(printable).collect();
            format!("{from} {to} {text}")
        }
    }
}
