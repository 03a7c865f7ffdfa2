//! How a machine loads one file by HTTP: a request, and segments of TCP until all octets are there.
//!
//! What has come in order is acknowledged, with every segment (RFC 9293 3.8.6.3 lets a receiver wait for a second one; nothing here depends on that). Segments that overtook
//! others are kept (RFC 2018). The connection itself is not simulated: it takes a round trip and half of another until the request is there.

use super::message::{Ask, Output, Told};
use super::tftp::Ends;
use crate::frame::{Frame, Payload};
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::Duration;

/// How a program is patient with HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Until the head of an answer is there.
    pub(super) head: Duration,
    /// Until the next `octets` of the body are there.
    pub(super) body: Duration,
    /// See `body`.
    pub(super) octets: u64,
}

/// EDK2: a HEAD without an answer was given up after 5.0 s (measured); source (HttpBootClient.c): the body is received 1,500 octets at a time, with the same timer.
pub(super) const EDK2: Patience =
    Patience { head: Duration::from_secs(5), body: Duration::from_secs(5), octets: 1500 };
/// iPXE: not within 132 s (measured).
pub(super) const IPXE: Patience =
    Patience { head: Duration::from_secs(132), body: Duration::from_secs(132), octets: 1 };

/// Linux reads its root by NFS: it never gives up (`hard`), but says after 60 s that the server does not respond, and three minutes of that are no boot.
pub(super) const ROOT: Patience =
    Patience { head: Duration::from_secs(180), body: Duration::from_secs(180), octets: 1 };

/// One file on its way.
#[derive(Debug)]
pub(super) struct Fetch {
    name: String,
    ends: Ends,
    patience: Patience,
    is_first: bool,
    /// Which stream of the server's it is, and how long.
    stream: Option<(u64, u64)>,
    /// What has come in order, and what is beyond: first octet and length.
    received: u64,
    beyond: BTreeMap<u64, u16>,
    /// How much there was when patience began anew, and when it ends.
    counted: u64,
    deadline: Time,
}

/// What has become of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on.
    Goes,
    /// The file is there.
    Has,
    /// The server refused, with this status.
    Refused(u16),
    /// Nothing came for too long.
    GaveUp,
}

impl Fetch {
    /// Asks.
    pub(super) fn begin(
        now: Time,
        (ends, to): (Ends, SocketAddrV4),
        name: String,
        patience: Patience,
        is_first: bool,
        out: &mut Vec<Output>,
    ) -> Self {
        let path = format!("/{}", name.trim_start_matches('/'));
        out.push(Output::Fetch(Ask { from: ends.address, to, path, body: None }));
        Self {
            name,
            ends,
            patience,
            is_first,
            stream: None,
            received: 0,
            beyond: BTreeMap::new(),
            counted: 0,
            deadline: now + patience.head,
        }
    }

    /// When it wants to be woken.
    pub(super) fn wakeup_at(&self) -> Time {
        self.deadline
    }

    /// Its moment has come.
    pub(super) fn wakeup(&self, now: Time) -> Step {
        if self.deadline <= now { Step::GaveUp } else { Step::Goes }
    }

    /// The head of an answer without a file.
    pub(super) fn answered(&self, status: u16) -> Step {
        if (200..300).contains(&status) { Step::Has } else { Step::Refused(status) }
    }

    /// The head of an answer with one.
    pub(super) fn begins(&mut self, now: Time, stream: u64, octets: u64) -> Step {
        self.stream = Some((stream, octets));
        self.deadline = now + self.patience.body;
        if octets == 0 { Step::Has } else { Step::Goes }
    }

    /// A frame came.
    pub(super) fn frame(&mut self, now: Time, frame: &Frame, out: &mut Vec<Output>) -> Step {
        let Payload::Segment { stream, first, octets } = frame.payload else { return Step::Goes };
        let Some((_, size)) = self.stream.filter(|(own, _)| *own == stream) else { return Step::Goes };
        if std::mem::take(&mut self.is_first) {
            out.push(Output::Told(Told::FirstData));
        }
        if first >= self.received {
            self.beyond.insert(first, octets);
        }
        while let Some(octets) = self.beyond.remove(&self.received) {
            self.received += u64::from(octets);
        }
        let through = self.received;
        out.push(Output::Send(Frame {
            from: self.ends.mac,
            to: self.ends.server_mac,
            source: frame.destination,
            destination: frame.source,
            payload: Payload::Received { stream, through },
        }));
        if through >= self.counted + self.patience.octets {
            self.counted = through;
            self.deadline = now + self.patience.body;
        }
        if through == size { Step::Has } else { Step::Goes }
    }

    /// The file's name, and its octets.
    pub(super) fn into_file(self) -> (String, u64) {
        (self.name, self.received)
    }

    /// Whether the first octet of this boot is yet to come.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }
}
