//! Every bound of the forwarder and its cache, with its reason.

use std::time::Duration;

/// Questions that wait for an upstream at a time. Each costs a socket or two; a storm of a thousand boots asks for the same few names,
/// which are asked once. When there are as many, the oldest of the client with the most gives way to one of another.
pub(crate) const QUESTIONS_MAX: usize = 512;

/// With so many sockets open, each question keeps one: a retry then closes the one before. All together that is no more than [`EXCHANGES_MAX`].
pub(crate) const EXCHANGES_FREE: usize = QUESTIONS_MAX;

/// Sockets to servers that may be open at a time: one for each question, also of those that lead to the answers of others, and those of retries.
pub const EXCHANGES_MAX: usize = 3 * QUESTIONS_MAX;

/// Clients that wait for one and the same question: a thousand nodes that boot together, twice as many with their A and AAAA apart.
pub(crate) const CLIENTS_PER_QUESTION_MAX: usize = 2_048;

/// Clients that wait, over all questions.
pub(crate) const CLIENTS_WAITING_MAX: usize = 16_384;

/// How often one question is sent, to all its servers together. At most so many sockets are open for it.
pub(crate) const ATTEMPTS_MAX: usize = 6;

/// How often an attempt may fail for a reason of ours, such as a port in use, before the question fails.
pub(crate) const OWN_FAULTS_MAX: u32 = 8;

/// When a question is given up. Stubs (glibc, musl) ask again after 5 s: they hear SERVFAIL before that.
pub(crate) const QUESTION_LASTS: Duration = Duration::from_millis(4_500);

/// A stale answer is told after so long without a fresh one (RFC 8767 5: 1.8 s, below what users and stubs wait).
pub(crate) const STALE_AFTER: Duration = Duration::from_millis(1_800);

/// The TTL of a stale answer (RFC 8767 4: 30 s).
pub(crate) const STALE_TTL_SECONDS: u32 = 30;

/// After a failure a stale answer is told at once for so long (RFC 8767 5: the failure recheck timer, 30 s).
pub(crate) const STALE_RECHECK: Duration = Duration::from_secs(30);

/// How long a failure is kept (RFC 9520 3.2: between 1 s and 5 minutes).
pub(crate) const FAILURE_LASTS_SECONDS: u32 = 5;

/// The shortest and longest that a server is given to answer before another is asked.
pub(crate) const PATIENCE_MIN: Duration = Duration::from_millis(200);
/// The longest.
pub(crate) const PATIENCE_MAX: Duration = Duration::from_millis(1_500);

/// The shortest by TLS: a connection that has to be opened first takes three round trips, of 0.3 s across the world.
pub(crate) const TLS_PATIENCE_MIN: Duration = Duration::from_secs(1);

/// Questions by TLS are padded to a multiple of this, so that their length tells nothing of the name (RFC 8467 4.1).
pub(crate) const PADDED_TO_OCTETS: usize = 128;

/// What a server that was never asked is taken to need: it is tried soon, and given time.
pub(crate) const ROUND_TRIP_FIRST: Duration = Duration::from_millis(100);

/// How long a server that does not answer is left alone at first; each further failure doubles it.
pub(crate) const REST_MIN: Duration = Duration::from_secs(1);
/// How long at most: a server that comes back is found within this time.
pub(crate) const REST_MAX: Duration = Duration::from_secs(30);

/// Failures in a row after which a server rests: one lost datagram is no outage.
pub(crate) const FAILURES_BEFORE_REST: u32 = 2;

/// One question in so many also goes to a server that is not the best one, to see how it does today.
pub(crate) const PROBE_ONE_IN: u32 = 32;

/// How long a server that cannot do EDNS is asked without it.
pub(crate) const PLAIN_LASTS: Duration = Duration::from_secs(3_600);

/// How often servers are asked the name by which a loop is found, after the first time.
pub(crate) const LOOP_PROBE_EVERY: Duration = Duration::from_secs(600);

/// How often they are asked that as long as none of a group answers: it shows whether they are silent to all questions, and soon that they are back.
pub(crate) const SILENCE_PROBE_EVERY: Duration = Duration::from_secs(10);

/// How long all servers of a group say nothing before it is told: for less, a switch may have started anew.
pub(crate) const SILENCE_BEFORE_TOLD: Duration = Duration::from_secs(10);

/// Signatures that are checked for one answer, with all that leads to it. A long one (16 aliases in other zones each) has some 60; at 0.1 ms each
/// that is less than a client notices (CVE-2023-50387).
pub(crate) const SIGNATURES_MAX: usize = 64;

/// Of those, that may be wrong: keys may have the same tag by chance, but not often (RFC 4034 B).
pub(crate) const SIGNATURES_FAILED_MAX: usize = 8;

/// Sets of records in an answer that is checked: each alias of the longest chain, its wildcards and their proofs.
pub(crate) const SETS_MAX: usize = 64;

/// Keys of a zone. While they are exchanged there are some six; more are there to be tried one after the other.
pub(crate) const KEYS_MAX: usize = 24;

/// Digests of a zone's keys that are looked at.
pub(crate) const DIGESTS_MAX: usize = 16;

/// How often a hash of a name is hashed again (RFC 9276 3.2; BIND and unbound draw the line at 150 and below): what has more is taken for unsigned.
pub(crate) const HASH_ITERATIONS_MAX: u16 = 100;

/// Names that are hashed for one answer: each label of a long one twice (CVE-2023-50868). With iterations at their most, that takes 3 ms.
pub(crate) const HASHES_MAX: usize = 128;

/// Steps of the check of one answer: keys and digests of a zone for each label of a long name, and of aliases.
pub(crate) const CHECK_ASKS_MAX: usize = 96;

/// Zones, and names that are none, of which it is remembered what they are: those of a site's every day. One has 100 to 2,000 octets.
pub(crate) const FACTS_MAX: usize = 2_048;

/// The shortest that is remembered: as long as a question lasts, which may be about that.
pub(crate) const FACT_LASTS_LEAST: Duration = Duration::from_secs(5);
/// The longest: a zone that changes its keys by the book lets the old ones be for a day.
pub(crate) const FACT_LASTS_MOST: Duration = Duration::from_secs(21_600);

/// Before this a calendar was never set: 2026-11-01, when no program that has this was there.
pub const CALENDAR_LEAST_SECONDS: u64 = 1_793_491_200;

/// Servers in all groups together, and groups.
pub const UPSTREAMS_MAX: usize = 64;

/// Records of one answer. The largest that are seen (a few hundred addresses) stay well below; a message of 64 KiB could hold 5,000.
pub(crate) const RECORDS_MAX: usize = 1_024;

/// Names of a chain of aliases: what unbound and BIND follow, and CDNs use half of.
pub(crate) const CHAIN_MAX: usize = 16;

/// The largest answer that is kept: one alone shall not drive out all others.
pub(crate) const KEPT_OCTETS_MAX: usize = 16_384;

/// Octets of the answers in the cache for each entry that the operator allows: an answer has 100 to 300.
pub(crate) const CACHE_OCTETS_PER_ENTRY: usize = 512;

/// Answers of our own zones that are kept in wire form: every name of the largest cluster, forward and reverse.
pub(crate) const OWN_ANSWERS_MAX: usize = 65_536;

/// Their octets: one has 60 to 200.
pub(crate) const OWN_ANSWERS_OCTETS_MAX: usize = OWN_ANSWERS_MAX * 256;

/// How long they are kept where addresses are lent to hosts, whose TTLs are counted down and whose names end: so much may they be wrong.
pub(crate) const OWN_ANSWERS_LAST_SECONDS: u32 = 1;

/// Clients whose rate is watched. A new one takes the place of whoever was quiet longest.
pub(crate) const CLIENTS_WATCHED_MAX: usize = 16_384;

/// Names in all host files together.
pub(crate) const HOST_NAMES_MAX: usize = 262_144;

/// Records of one update, conditions and changes together: those of some hundred names. Each is looked at beside what its name has.
pub(crate) const UPDATE_LINES_MAX: usize = 1_024;

/// Octets that one name may have by updates: hundreds of addresses, and every answer still has room in a message of TCP.
pub(crate) const UPDATED_NAME_OCTETS_MAX: usize = 16_384;

/// Octets of one record's data that comes by an update: the longest keys of mail (RFC 6376) have some 800, certificates some thousands.
pub(crate) const UPDATED_DATA_OCTETS_MAX: usize = 4_096;

/// Updates that wait for the one before them. One is kept in the time of a sync, so that these are done within a second.
pub(crate) const UPDATES_WAITING_MAX: usize = 64;

/// How long whoever sent an update waits for its being durable before he hears SERVFAIL: nsupdate repeats itself after 3 s.
pub(crate) const UPDATE_WAITS: Duration = Duration::from_millis(2_500);
