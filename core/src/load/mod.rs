//! How much may be sent now, and to whom first.
//!
//! ```text
//!  sent, delivered, lost ──> sense ──> budget   the measured ceiling of a link, and the tokens of this moment
//!  who wants to send ──────> ring ────────┐
//!                                         v
//!                              lane: whose turn it is, how many blocks, when to look again, which regime
//!
//!  how long a loop slept ──> saturation   whether others have to send for it
//!  what came in a tick ──> coalescing   whether a loop rests until more has come
//! ```
//!
//! Everything that is sent through one link, or to one network behind a relay, shares a [`Lane`]. A lane never sends faster than its link was seen to
//! deliver, so that no queue overflows and nothing is lost but by chance; and as long as there is more to send than the link carries, it serves those
//! first that were there first and keeps the others alive, so that some machines are done early instead of all of them late.

mod admit;
mod budget;
mod coalescing;
mod lane;
mod ring;
mod saturation;
mod sense;

pub use admit::{Admission, Waiter, admit};
pub use coalescing::Coalescing;
pub use lane::{Lane, Wish};
pub use ring::{Place, Rank};
pub use saturation::Saturation;

use crate::limit::TFTP_BLOCK_OCTETS_USUAL;
use std::fmt;
use std::net::Ipv4Addr;

/// What is to be known of the links before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much is controlled: everything, but in experiments.
    pub control: Control,
    /// The links. There is at least one; the first also carries what no `reaches` of another names.
    pub links: Vec<Link>,
}

/// One link, or a network behind a relay that has a limit of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The interface by which it is sent, if it has one of its own.
    pub interface: Option<String>,
    /// The networks that are reached by it: address and length of the prefix.
    pub reaches: Vec<(Ipv4Addr, u8)>,
    /// How fast it is.
    pub rate: LinkRate,
    /// Octets of a TFTP block that it takes without fragments.
    pub block_octets_max: u16,
    /// The link by which this one is reached, by its place in the list, if it is behind a relay: what goes here also goes there.
    pub behind: Option<usize>,
}

/// What is known of a link's rate beforehand, in bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRate {
    /// An operator says so. It is never exceeded, and not believed if less is delivered.
    Given(u64),
    /// It is to be measured.
    Measured,
}

/// How much of the load control is at work. Less than everything is for the simulator, to show what each part is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// Each ACK is answered at once, windows are as asked for.
    Nothing,
    /// The total is limited; whoever waits longest is next.
    Total,
    /// The total is limited, and windows are smaller than asked for when there are many.
    TotalAndWindows,
    /// Also who is next: some run at full speed, the others are kept alive.
    #[default]
    All,
}

/// How a lane sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regime {
    /// The link carries all that is asked for.
    #[default]
    Paced,
    /// It does not: the first run at full speed, the others get a block before they become impatient.
    RoundRobin,
    /// To keep everybody alive takes a great part of the link: who is new waits.
    Deferring,
}

impl Regime {
    /// The word for status, metrics and events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Paced => "paced",
            Self::RoundRobin => "round-robin",
            Self::Deferring => "deferring",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Octets around a UDP payload on an Ethernet: 8 of UDP, 20 of IP, 14 of the frame's head, 4 of its check sum, and 20 of preamble and gap.
pub const WIRE_OVERHEAD_OCTETS: u64 = 8 + 20 + 14 + 4 + 20;

/// Octets that a UDP payload takes on an Ethernet: at least those of the smallest frame, with preamble and gap (IEEE 802.3).
pub fn wire_octets(payload_octets: u64) -> u64 {
    (payload_octets + WIRE_OVERHEAD_OCTETS).max(64 + 20)
}

/// Octets that a file takes on an Ethernet by TFTP, if each block is sent once: it ends with one that is not full, be it empty (RFC 1350 6).
pub fn file_wire_octets(octets: u64, block_octets: u16) -> u64 {
    /// Operation and number, before each block (RFC 1350 5).
    const HEAD_OCTETS: u64 = 4;
    let blocks = octets / u64::from(block_octets.max(1)) + 1;
    octets + blocks * (HEAD_OCTETS + WIRE_OVERHEAD_OCTETS)
}

impl Link {
    /// A link of this rate, of which nothing else is known.
    pub fn new(rate: LinkRate) -> Self {
        let block_octets_max = TFTP_BLOCK_OCTETS_USUAL;
        Self { interface: None, reaches: Vec::new(), rate, block_octets_max, behind: None }
    }
}

impl Settings {
    /// One link of this rate that reaches everybody.
    pub fn one(rate: LinkRate, control: Control) -> Self {
        Self { control, links: vec![Link::new(rate)] }
    }

    /// The link by which an address is reached: the one with the longest prefix that holds it, else the first.
    pub fn link_to(&self, address: Ipv4Addr) -> usize {
        let prefixes = self.links.iter().enumerate().flat_map(|(place, link)| {
            link.reaches.iter().map(move |(prefix, length)| (place, *prefix, *length))
        });
        let holds = |prefix: Ipv4Addr, length: u8| {
            let differing = u32::from(prefix) ^ u32::from(address);
            u64::from(differing) >> (32 - u32::from(length.min(32))) == 0
        };
        prefixes
            .filter(|(_, prefix, length)| holds(*prefix, *length))
            .max_by_key(|(place, _, length)| (*length, std::cmp::Reverse(*place)))
            .map_or(0, |(place, _, _)| place)
    }
}

#[cfg(test)]
mod tests;
