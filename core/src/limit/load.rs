//! The control of links.

use super::cluster::NODES_MAX;
use std::time::Duration;

/// How often it is counted what was sent, delivered and lost, while anything is.
pub const LOAD_TICK: Duration = Duration::from_millis(50);

/// How long a loop rests so that packets coalesce, where so many machines were heard in the last tick, and so many packets at least are to come in that time. In so long a gigabit carries
/// four blocks, and with that many machines fifty are under way.
pub const COALESCE_FOR: Duration = Duration::from_micros(50);
/// See [`COALESCE_FOR`].
pub const COALESCE_PEERS_MIN: usize = 32;
/// See [`COALESCE_FOR`].
pub const COALESCE_PACKETS_MIN: usize = 2;

/// What came of more than this share of them together, one of so many, is answered without a rest.
pub const COALESCE_SHARE: usize = 16;

/// So many are never too few: the most that are taken in one system call. Where there are always as many the loop is saturated, and a rest would hide it.
pub const COALESCE_BATCH: usize = 64;

/// A link's rate before it is measured, and its bounds, in bits per second. The first is slow enough that a storm at it overflows no queue on 100 Mbit/s.
pub const LOAD_RATE_FIRST_BITS: u64 = 90_000_000;
/// See [`LOAD_RATE_FIRST_BITS`].
pub const LOAD_RATE_MIN_BITS: u64 = 1_000_000;
/// See [`LOAD_RATE_FIRST_BITS`].
pub const LOAD_RATE_MAX_BITS: u64 = 400_000_000_000;

/// Where more than this arrives by TCP alone, it is left to TCP how much: no link of 10 Gbit/s is the limit, but one of the processors, of which nobody can tell in a tick how fast it is.
/// A thousand machines have their 4 MB within three seconds there, in whatever order.
pub const LOAD_TCP_ALONE_BITS: u64 = 12_000_000_000;

/// A link whose rate is not given, or was lowered, is probed for more every so often; for the first time a second after that was found.
pub const LOAD_PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// What may be sent at once: so long of the link's time.
pub const LOAD_BURST: Duration = Duration::from_micros(500);

/// What a wake-up that came late is made up for: so long of the link's time at most, and no more than [`LOAD_BURST_OCTETS`].
pub const LOAD_CATCH_UP: Duration = Duration::from_millis(8);

/// Half of what the smallest port of a switch holds (256 kB): a link that is used to 99 of 100 has an empty queue.
pub const LOAD_BURST_OCTETS: u64 = 128_000;

/// Tokens are waited for until there are so many: a wake-up for each block would cost more than it sends.
pub const LOAD_QUANTUM: Duration = Duration::from_micros(100);

/// What is granted at a time to who sends by the piece: as much as a socket takes (the last of `net.ipv4.tcp_wmem`), so that TCP has something to send until the next piece
/// comes. With half of it a core sends a tenth less by the fastest of cables: its readers find nothing to read, and have to be woken up.
pub const LOAD_PIECE_OCTETS_MAX: u64 = 4 << 20;

/// What was granted to TCP and has not arrived waits in queues and sockets: no more of it than the link carries in so long at the rate that it is taken to have, and in so long at the one at
/// which it was seen to deliver. Else a slow link that is taken for a fast one has a thousand connections at once, and none of them gets anything. Where many segments are lost by chance,
/// it takes so many connections to fill the link.
pub const LOAD_UNDER_WAY: Duration = Duration::from_millis(100);
/// See [`LOAD_UNDER_WAY`].
pub const LOAD_UNDER_WAY_DELIVERED: Duration = Duration::from_millis(250);

/// Everybody who asked is served within this, as long as that takes no more than a tenth of the link.
pub const LOAD_SERVED_WITHIN: Duration = Duration::from_millis(500);

/// Nobody waits longer than this as long as the link carries that at all: half the patience of the least patient (a BIOS ROM of 5 tries, 1 s apart).
pub const LOAD_SERVED_WITHIN_MAX: Duration = Duration::from_secs(2);

/// What a machine was served before it steps behind those that were served less: no boot is as large, but a client that loads without end is.
pub const LOAD_CLASS_OCTETS: u64 = 256 << 20;

/// A file is small if it is this part of all that a machine loads: what everybody's small files take together delays nobody by more.
pub const LOAD_SMALL_PART: u64 = 20;

/// A machine that asks again within this after its last transfer is still the same in rank: the pauses of loaders are shorter.
pub const LOAD_REMEMBERED: Duration = Duration::from_secs(60);

/// So many machines without a transfer are remembered: all that there may be. Addresses that somebody makes up come faster than they are forgotten.
pub const LOAD_REMEMBERED_MAX: usize = NODES_MAX;

const _: () = assert!(LOAD_SERVED_WITHIN.as_millis() < LOAD_SERVED_WITHIN_MAX.as_millis());
