//! The table of nodes, what is kept of each, and how much one turn of the loop does.

use super::tftp::TFTP_LIFE_INTERVAL;
use std::time::Duration;

/// Nodes that can be known. Ten times the thousand that every element must be good for.
pub const NODES_MAX: usize = 16_384;

/// Numbers in all networks together: a computed name costs nothing, a preview of all of them does.
pub const NUMBERS_MAX: u64 = 1 << 20;

/// How long it is shown that a machine was turned away because the table of nodes is full. Firmware that has no answer asks again within some minutes.
pub const TURNED_AWAY_SHOWN: Duration = Duration::from_secs(600);

/// Records whose being durable is told at once: the promises that waited for them take a millisecond or two, and what one commit promised to ten thousand nodes took 50.
pub const DECIDED_AT_ONCE: u64 = 512;

/// How often it is recorded what is left of a guest's loan that was lent before a restart, as long as nobody renews it: so much of it begins anew at the next restart.
pub const LEFT_RECORDED_EVERY: Duration = Duration::from_secs(900);

/// Things whose moment has come that one turn of the loop looks at: a loan that ends is some records and lines, and so many of them take a few milliseconds.
pub const DUE_AT_ONCE: usize = 256;

/// What happened to a node, kept in memory for `explain`: a whole boot with its trial is some 30 events.
pub const EVENTS_PER_NODE_MAX: usize = 64;

/// Those of them that no talk displaces, however much there is: what became of the machine in its last boot, and what was wrong.
pub const EVENTS_KEPT_PER_NODE: usize = 16;

/// Phrases that the histories of several nodes share: those of one kind of boot are some thirty, and each node's own, which name its address, come between.
pub const PHRASES_SHARED_MAX: usize = 1024;

/// Addresses of its numbers that a node is known to have: one on each network, and those of numbers that it had just before.
pub const GRANTS_PER_NODE_MAX: usize = 32;

/// Permanent neighbour entries at a time: one for each machine in mid-boot, on up to two addresses. The kernel's `gc_thresh3` does not count them.
pub const PINS_MAX: usize = 2 * NODES_MAX;

/// How long a machine may go on answering for an address that it gave back: its system takes it off when it has said so, and a busy one takes its time.
pub const LINGERS_MAX: Duration = Duration::from_secs(2);

/// How long after the last sign of life a machine counts as downloading, so that ARP is answered in its place: signs of life come every 5 s ([`TFTP_LIFE_INTERVAL`]), or 10 s.
pub const ARP_ANSWERED_AFTER_LIFE: Duration = Duration::from_secs(15);

/// Nodes that one part of a list tells of: a millisecond, for which no packet is answered.
pub const NODES_LISTED_AT_ONCE: usize = 256;

/// Nodes, or leases and what else there is, that one part of `state.json` tells of. With its history a node takes some 70 us, so that these take two milliseconds.
pub const NODES_DUMPED_AT_ONCE: usize = 32;

/// So many machines are looked at, one waiting for the number of the next, when one of them asks. Longer rows are moved when the configuration is read, or link by link.
pub const MOVES_A_PACKET_MAX: usize = 64;

/// A store that refused something is tried so often until it keeps something again. Each time opens its file, which takes some milliseconds of the disk.
pub const STORE_TRIED_EVERY: Duration = Duration::from_secs(5);

/// A disk that takes so long for a batch hangs: what known nodes ask for goes without it. (In the middle of a storm a batch takes some ten milliseconds.)
pub const STORE_HANGS_AFTER: Duration = Duration::from_secs(2);

/// Nodes of a set that are listed by name: as many as a node set may name.
pub const NODES_LISTED_MAX: u64 = 262_144;

/// Octets of what an operator says why: a line of the history.
pub const REASON_OCTETS_MAX: usize = 200;

/// Trials of a machine that are kept: what it lacked in its last boots, and whether that was always the same.
pub const TRIALS_PER_NODE_MAX: usize = 8;

const _: () = assert!(ARP_ANSWERED_AFTER_LIFE.as_secs() > TFTP_LIFE_INTERVAL.as_secs());
