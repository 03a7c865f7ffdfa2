//! Every bound of the core, with its reason.

use std::time::Duration;

/// Nodes that can be known. Ten times the thousand that every element must be good for.
pub const NODES_MAX: usize = 16_384;

/// Numbers in all networks together: a computed name costs nothing, a preview of all of them does.
pub const NUMBERS_MAX: u64 = 1 << 20;

/// Addresses in one temporary or guest range: a /16.
pub const POOL_ADDRESSES_MAX: u64 = 1 << 16;

/// How long an offer stands. EDK2 collects offers for 4 s and repeats its DISCOVER after 4, 8 and 16 s: the offer outlives the longest of these pauses.
pub const OFFER_STANDS: Duration = Duration::from_secs(35);

/// Offers that stand at a time.
pub const OFFERS_MAX: usize = NODES_MAX;

/// How long an address stays its machine's after the last sign of life: firmware never renews, and PXELINUX waits 131 s for a packet.
pub const HOLD_AFTER_LIFE: Duration = Duration::from_secs(150);

/// How long an address that a client declined is left alone: whoever else has it may go away.
pub const QUARANTINE: Duration = Duration::from_secs(600);

/// A DISCOVER from firmware this long after the same firmware's last begins another boot; EDK2 repeats for 60 s.
pub const BOOT_BEGINS_AFTER: Duration = Duration::from_secs(60);

/// What happened to a node, kept in memory for `explain`: a whole boot with its trial is some 30 events.
pub const EVENTS_PER_NODE_MAX: usize = 64;

/// A trial's report: facts of a machine with hundreds of interfaces.
pub const POST_OCTETS_MAX: usize = 64 * 1024;

/// Octets of the pieces in which images are brought into memory: large enough that a disk is not asked for every block.
pub const CHUNK_OCTETS: u64 = 256 * 1024;

/// Transfers at a time. A peer that floods us with requests gets an error instead of our memory.
pub const TRANSFERS_MAX: usize = NODES_MAX;

/// Octets of a configuration file: sixteen thousand listed nodes fit.
pub const CONFIGURATION_OCTETS_MAX: usize = 1 << 20;

/// `[[network]]`s: every pair of them is compared.
pub const NETWORKS_MAX: usize = 256;

/// `[profile.NAME]`s.
pub const PROFILES_MAX: usize = 1024;

/// `[[trial.check]]`s: all of them go into one answer to the agent.
pub const CHECKS_MAX: usize = 64;

/// Hardware addresses of one `[[node]]`.
pub const MACS_PER_NODE_MAX: usize = 16;

/// Mistakes of a configuration that are told: nobody reads more before he begins to mend.
pub const MISTAKES_MAX: usize = 200;

/// Octets of a kernel's command line, as template and as rendered: what x86 takes (COMMAND_LINE_SIZE).
pub const COMMAND_LINE_OCTETS_MAX: usize = 2048;

/// Steps of one rendering: a command line needs some tens, and a loop in a template must end.
pub const TEMPLATE_STEPS_MAX: u64 = 10_000;

/// Octets of a boot file's name: the field `file` of a DHCP packet has 128, with the zero that ends it (RFC 2131 2).
pub const BOOT_FILE_OCTETS_MAX: usize = 127;
