//! DNS, and what is reckoned for names.

use std::time::Duration;

/// Between two snapshots of names that differ in hardware addresses alone: each is made of all nodes, of which ten thousand take some milliseconds, and in a storm each commit
/// numbers some. Whoever reads them (the names file, NIS) does so less often.
pub const HARDWARE_ADDRESSES_PUBLISHED_EVERY: Duration = Duration::from_millis(200);

/// How old it may be what a booting node is told of who has an SSH host key: that is reckoned from all nodes too, and in a storm each of them asks.
pub const HOST_KEYS_RECKONED_EVERY: Duration = Duration::from_millis(200);

/// Serials of the zones that are recorded ahead: a batch of changes then waits for no disk, and a start skips as many at most.
pub const SERIALS_RESERVED: u32 = 64;

/// Name servers that are told of every change of a zone, one by one.
pub const SECONDARIES_MAX: usize = 16;

/// `[[dns.key]]`s: each signed message is compared with all of them.
pub const KEYS_MAX: usize = 64;

/// Values of `[[dns.record]]`s together: services and hosts of a site, not a zone of its own.
pub const RECORDS_MAX: usize = 8192;

/// Records that names may have by updates, all together: challenges, services and hosts of a site, not a zone of its own. A listing holds them all.
pub const DYNAMIC_RECORDS_MAX: usize = RECORDS_MAX;

/// Octets of their data together: 512 for each on average, and a start reads them all.
pub const DYNAMIC_OCTETS_MAX: usize = 512 * DYNAMIC_RECORDS_MAX;

/// Octets of a text in a TXT record: the longest keys of mail (RFC 6376) have some 800.
pub const RECORD_TEXT_OCTETS_MAX: usize = 4096;

/// Servers that are asked for outside names, of one domain: the fastest is preferred, and each costs a question now and then.
pub const UPSTREAMS_MAX: usize = 64;

/// Keys of zones that an operator trusts by hand: a site has a few zones, and two keys of each while they change.
pub const TRUST_ANCHORS_MAX: usize = 64;

/// Domains with servers of their own: each question is compared with all of them.
pub const FORWARD_DOMAINS_MAX: usize = 64;

/// Names of the cluster's zone in files of hosts, and addresses with such a name: who comes from a server without arithmetic has his nodes in there. All are looked at in one turn
/// when a file or the configuration has changed, and a listing holds them all.
pub const FILE_HOSTS_MAX: usize = 65_536;

/// Files of hosts: one for each of many purposes. All are read when one of them changes.
pub const HOST_FILES_MAX: usize = 64;
