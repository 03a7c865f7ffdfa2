//! DHCP and PXE: offers, probes, other servers, and what is kept of who asked.

use super::cluster::{NODES_MAX, NUMBERS_MAX};
use std::time::Duration;

/// Addresses in one temporary or guest range: a /16.
pub const POOL_ADDRESSES_MAX: u64 = 1 << 16;

/// How long an offer stands. EDK2 collects offers for 4 s and repeats its DISCOVER after 4, 8 and 16 s: the offer outlives the longest of these pauses. One whose
/// machine was heard at its address stands for [`HOLD_AFTER_LIFE`] from then on.
pub const OFFER_STANDS: Duration = Duration::from_secs(35);

/// How long an offer is its machine's alone where no other address is left: EDK2 takes it after 4 s. Then it gives way to whoever asks: it may be that of a machine that takes nothing. Sooner it must not: of machines
/// that wait before they take what they were offered, each would be offered what another one is about to take, and none would ever get any.
pub const OFFER_KEPT: Duration = Duration::from_secs(5);

/// How long an address stays its machine's after the last sign of life: firmware never renews, and PXELINUX waits 131 s for a packet.
pub const HOLD_AFTER_LIFE: Duration = Duration::from_secs(150);

/// Exchanges with another server that are watched at a time, where we only look on.
pub const SHADOWS_MAX: usize = NODES_MAX;

/// An exchange with another server is over after so long without a packet: EDK2 waits 4 s between an offer and its REQUEST.
pub const SHADOW_WAIT: Duration = Duration::from_secs(5);

/// Offers that are further apart than this are of two attempts to boot: firmware that takes none starts anew within minutes, if it does so by itself.
pub const OFFERS_OF_ONE_ATTEMPT: Duration = Duration::from_secs(600);

/// Offers of other servers that are told of one exchange: nobody has more servers on one link.
pub const SHADOW_OFFERS_MAX: usize = 4;

/// How long an address that a client declined is left alone: whoever else has it may go away.
pub const QUARANTINE: Duration = Duration::from_secs(600);

/// Addresses that one machine's DECLINEs keep closed at a time: a host that took an address or two by itself is believed in. Whoever finds more in use within
/// [`QUARANTINE`] is broken, is behind something that answers every ARP request, or means to empty the range.
pub const DECLINED_PER_MACHINE_MAX: usize = 3;

/// Addresses of our ranges that one host may be found to use. Whoever answers for more within [`QUARANTINE`] answers for all, as a router with proxy ARP does, and is believed no more.
pub const ANSWERED_PER_HOST_MAX: usize = 8;

/// Such hosts at a time: the routers of a link. The one that was silent longest gives way.
pub const ANSWERS_ALL_MAX: usize = 16;

/// Further addresses that one DISCOVER has tried, where somebody answers for each. Its client asks again, and whoever sits on so many is known as one who answers for all before it gives up.
pub const TRIED_FURTHER_MAX: u32 = 3;

/// Hosts of which is kept that they asked for an address and got none, and why: the newest displace the oldest, and whoever still waits asks again.
pub const UNANSWERED_MAX: usize = 1024;

/// Clients of which it is remembered what they said last, for leasequery: every node, and as many others.
pub const HEARD_MAX: usize = 2 * NODES_MAX;

/// Leasequeries that are answered in a second: a relay that starts anew asks for each of its hosts once, and may ask again.
pub const LEASE_QUERIES_PER_SECOND_MAX: u32 = 200;

/// Hosts of a network's `leasequery`: relays that ask for their own network are not among them.
pub const LEASE_QUERY_ASKERS_MAX: usize = 64;

/// How long an address that is to be lent again is probed before: a host that has it answers an ARP request at once.
pub const PROBE_WAIT: Duration = Duration::from_millis(300);

/// A host that has got its address answers for it within this: a loader at once, a system that first asks about it itself (RFC 5227) a little later.
pub const HOST_SETTLES: Duration = Duration::from_secs(5);

/// Clients that wait for one address at a time, one of which gets it, and the others another: there are as many as ask within the 300 ms of a probe.
pub const DEFERRED_PER_ADDRESS_MAX: usize = 4;

/// Addresses of which it is known whether somebody has them. Being kept for as long as an offer, they also bound how often is asked: a thousand new machines at once are
/// all probed for, twice, and whoever asks for more than 2,000 addresses in half a minute waits for none. An offer beyond is made unprobed; its client may still decline it.
pub const PROBES_MAX: usize = 2048;

/// Offers that are held back at a time, each with the packet that it answers: more than ask within the 300 ms of a probe or the 0.9 s of a full link. Further
/// ones go at once.
pub const OFFERS_HELD_BACK_MAX: usize = 8192;

/// Ways by which one client may wait for an offer at a time: two gateways of its network that both relay, and as many more.
pub const WAYS_PER_CLIENT_MAX: usize = 4;

/// What is heard by two interfaces within this is one packet, and no machine that was moved: a link that comes up takes longer.
pub const SAID_TWICE_WITHIN: Duration = Duration::from_secs(1);

/// What clients said to everybody within that time, where there are several interfaces: more than ask when the power comes back. Of what comes beside nobody knows who heard it.
pub const SAID_MAX: usize = 8192;

/// A packet that one interface has heard is heard by another one of its segment within this: some turns of the loop.
pub const COPY_WAIT: Duration = Duration::from_millis(100);

/// Packets that wait for that, of machines whose address is another interface's. Further ones are answered at once.
pub const COPIES_AWAITED_MAX: usize = 1024;

/// Pairs of interfaces that are found on one segment: those of eleven.
pub const SEGMENT_PAIRS_MAX: usize = 55;

/// Other DHCP servers that are kept in mind: a segment with more of them is past being helped by a list. The one that was silent longest gives way.
pub const OTHER_SERVERS_MAX: usize = 64;

/// Relays that are in no network and are kept in mind: whoever has more racks than that behind unknown ones is helped by the first. Of forged ones the one that asked least gives way.
pub const STRANGE_RELAYS_MAX: usize = 32;

/// Octets of option 43 with a menu in it: one option (RFC 2132 2), as ROMs put no parts together.
pub const VENDOR_OPTION_OCTETS_MAX: usize = 255;

/// Octets of one option's value: more than this and the rest would not go into a frame together.
pub const OPTION_OCTETS_MAX: usize = 1024;

const _: () = assert!(OFFER_STANDS.as_secs() > 32 && HOLD_AFTER_LIFE.as_secs() > 131);
const _: () = assert!(COPY_WAIT.as_millis() * 4 < SAID_TWICE_WITHIN.as_millis());
const _: () = assert!(POOL_ADDRESSES_MAX <= NUMBERS_MAX);
