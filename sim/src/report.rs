//! What came of a power restore.

use serde::Serialize;
use std::collections::BTreeMap;

/// What came of a power restore. Seconds are counted from the moment at which the first machine has power.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// How many machines there were.
    pub nodes: u64,
    /// How many of them gave up, or had not loaded everything at the end.
    pub lost: u64,
    /// Until the last octet came to a machine.
    pub seconds: f64,
    /// The slowest unloaded way of any machine in the mix to its first block, and all octets on the wire by the link's rate.
    pub ideal_seconds: f64,
    /// The one by the other.
    pub ratio_to_ideal: f64,
    /// Until half of the machines had loaded everything.
    pub median_seconds: f64,
    /// Until the first machine had.
    pub first_seconds: f64,
    /// Of the ideal, the slowest unloaded way to a first block,
    pub first_data_seconds: f64,
    /// and what is the wire's.
    pub wire_seconds: f64,
    /// The rate of the link that all of them are behind.
    pub link_bits_per_second: u64,
    /// What the server did about its load, and from when on.
    pub regimes: Vec<Regime>,
    /// The machines by what they are.
    pub by_firmware: BTreeMap<String, Firmware>,
    /// Those that were lost.
    pub lost_machines: Vec<LostMachine>,
    /// How far everything was, some five hundred times.
    pub samples: Vec<Sample>,
    /// How often timers of machines ran out, so that they repeated themselves.
    pub client_retries: u64,
    /// What all datagrams took of the server's processor.
    pub processor_seconds: f64,
    /// Packets that the server sent again.
    pub resent: u64,
    /// Frames that queues in the network dropped.
    pub dropped_in_queue: u64,
    /// Frames that were lost on the wire.
    pub lost_on_wire: u64,
    /// Datagrams that the server's kernel dropped because a socket was full.
    pub kernel_drops: u64,
    /// The most that ever was of something.
    pub high_water: HighWater,
    /// What the server told its operator to mend.
    pub troubles: Vec<String>,
    /// Of whom it told that they get no answer because the configuration says so.
    pub ignored: Vec<String>,
    /// What always holds and did not. There should be nothing here.
    pub broken: Vec<String>,
    /// How many things happened in the simulation.
    pub events: u64,
}

/// What the server did about its load from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Regime {
    /// From when on.
    pub from_seconds: f64,
    /// What.
    pub regime: String,
}

/// The machines of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Firmware {
    /// How many.
    pub nodes: u64,
    /// How many were lost.
    pub lost: u64,
    /// Until half of them had loaded everything.
    pub median_seconds: f64,
    /// Until the slowest of them has, if it is alone: its own pace. 0 if it never has.
    pub alone_seconds: f64,
    /// Until the last of them had.
    pub last_seconds: f64,
    /// How often their timers ran out.
    pub client_retries: u64,
}

/// A machine that was lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LostMachine {
    /// Its hardware address.
    pub mac: String,
    /// What it is.
    pub firmware: String,
    /// When it gave up.
    pub seconds: f64,
    /// Why.
    pub why: String,
}

/// How far everything was at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// When.
    pub seconds: f64,
    /// Machines that had loaded everything.
    pub loaded: u64,
    /// What the server had sent since the sample before, all that surrounds it on the wire included.
    pub bits_per_second: f64,
    /// What it did about its load.
    pub regime: String,
}

/// The most that ever was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HighWater {
    /// Transfers in flight, as seen at the samples.
    pub transfers: u64,
    /// Temporary addresses lent.
    pub temporary_addresses: u64,
    /// Octets before the link.
    pub queue_octets: u64,
    /// Octets in the server's sockets, as the kernel counts.
    pub socket_octets: u64,
}
