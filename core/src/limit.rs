//! Every bound of the core, with its reason.

use std::time::Duration;

/// Nodes that can be known. Ten times the thousand that every element must be good for.
pub const NODES_MAX: usize = 16_384;

/// Numbers in all networks together: a computed name costs nothing, a preview of all of them does.
pub const NUMBERS_MAX: u64 = 1 << 20;

/// Addresses in one temporary or guest range: a /16.
pub const POOL_ADDRESSES_MAX: u64 = 1 << 16;

/// How long an offer stands. EDK2 collects offers for 4 s and repeats its DISCOVER after 4, 8 and 16 s: the offer outlives the longest of these pauses. One whose
/// machine was heard at its address stands for [`HOLD_AFTER_LIFE`] from then on.
pub const OFFER_STANDS: Duration = Duration::from_secs(35);

/// How long it is shown that a machine was turned away because the table of nodes is full. Firmware that has no answer asks again within some minutes.
pub const TURNED_AWAY_SHOWN: Duration = Duration::from_secs(600);

/// How long an address stays its machine's after the last sign of life: firmware never renews, and PXELINUX waits 131 s for a packet.
pub const HOLD_AFTER_LIFE: Duration = Duration::from_secs(150);

/// Exchanges with another server that are watched at a time, where we only look on.
pub const SHADOWS_MAX: usize = NODES_MAX;

/// An exchange with another server is over after so long without a packet: EDK2 waits 4 s between an offer and its REQUEST.
pub const SHADOW_WAIT: Duration = Duration::from_secs(5);

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

/// Between two lines in the journal about the same such host: it asks every few minutes for as long as it is on.
pub const UNANSWERED_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Such lines in a minute: enough to see that it is no single host, and no more for a thousand of them, or for hardware addresses that somebody makes up.
pub const UNANSWERED_LINES_PER_MINUTE_MAX: u32 = 10;

/// Records whose being durable is told at once: the promises that waited for them take a millisecond or two, and what one commit promised to ten thousand nodes took 50.
pub const DECIDED_AT_ONCE: u64 = 512;

/// How often it is recorded what is left of a guest's loan that was lent before a restart, as long as nobody renews it: so much of it begins anew at the next restart.
pub const LEFT_RECORDED_EVERY: Duration = Duration::from_secs(900);

/// Things whose moment has come that one turn of the loop looks at: a loan that ends is some records and lines, and so many of them take a few milliseconds.
pub const DUE_AT_ONCE: usize = 256;

/// Lines in the journal in a minute about one host that is no node: one that starts up says six, and one that asks and gives back in a loop would say thousands.
pub const HOST_LINES_PER_MINUTE_MAX: u32 = 20;

/// The same about one node, of all that is asked and answered together, and of each other kind: a boot with its trial says some 30 of all, and a hundred of one kind if there are as many checks.
/// Whoever sends packets in its name has as many said as he likes of what packets bring about: the others are told all the same.
pub const NODE_LINES_PER_KIND_AND_MINUTE_MAX: u32 = 128;

/// The same about all machines without a number together: a thousand that nobody has seen before say all of their first boots, twice. Whoever makes up hardware addresses says no more.
pub const NEW_LINES_PER_MINUTE_MAX: u32 = 65_536;

/// Those of them about machines that have done no more than ask: eight of each of a thousand. An address that is made up says one or two.
pub const SEEN_LINES_PER_MINUTE_MAX: u32 = 8192;

/// The same of each kind of thing that hosts do of which no hardware address is known, such as asking for files that are not there.
pub const NOBODYS_LINES_PER_MINUTE_MAX: u32 = 120;

/// Such hosts that are counted in a minute, each. Lines about further ones are left out: as many at once are a flood, or hardware addresses that somebody makes up.
pub const CHATTERERS_MAX: usize = 4096;

/// Clients of which it is remembered what they said last, for leasequery: every node, and as many others.
pub const HEARD_MAX: usize = 2 * NODES_MAX;

/// Leasequeries that are answered in a second: a relay that starts anew asks for each of its hosts once, and may ask again.
pub const LEASE_QUERIES_PER_SECOND_MAX: u32 = 200;

/// Hosts of a network's `leasequery`: relays that ask for their own network are not among them.
pub const LEASE_QUERY_ASKERS_MAX: usize = 64;

/// A DISCOVER from firmware this long after the same firmware's last begins another boot; EDK2 repeats for 60 s.
pub const BOOT_BEGINS_AFTER: Duration = Duration::from_secs(60);

/// How often it is looked for whose token a stranger has: all machines are looked through for that.
pub const TOKEN_SEARCH_EVERY: Duration = Duration::from_secs(1);

/// A system that asked for its address and is not started anew within this time runs, though nobody says so.
pub const SYSTEM_LIVES_AFTER: Duration = Duration::from_secs(300);

/// A machine that has stood at one stage for this long goes in no circle: there a boot ends within minutes, also where an agent tries ten for its root.
pub const CIRCLE_BOOT_MAX: Duration = Duration::from_secs(3600);

/// How late a DISCOVER may come twice, by two relays or from a queue: no machine loads a kernel and is started anew within that.
pub const DISCOVER_LATE_MAX: Duration = Duration::from_secs(5);

/// Between two times that it is told of a node that somebody asked for another boot who may not begin one: he may ask as often, and by as many addresses, as he likes.
pub const NO_BOOT_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Between two times that one trouble of a node is told where several come and go: firmware of two kinds may ask in its name by turns, and is offered no boot file for two reasons.
pub const TROUBLE_TOLD_EVERY: Duration = Duration::from_secs(60);

/// What happened to a node, kept in memory for `explain`: a whole boot with its trial is some 30 events.
pub const EVENTS_PER_NODE_MAX: usize = 64;

/// Those of them that no talk displaces, however much there is: what became of the machine in its last boot, and what was wrong.
pub const EVENTS_KEPT_PER_NODE: usize = 16;

/// A trial's report: facts of a machine with hundreds of interfaces.
pub const POST_OCTETS_MAX: usize = 64 * 1024;

/// Connections by HTTP at a time: one for each node. When there are as many, the one that has been idle longest gives way to a new one: of the address that has most.
pub const HTTP_CONNECTIONS_MAX: usize = NODES_MAX;

/// Octets of a request before its body; no boot client needs a tenth of it.
pub const HTTP_HEAD_OCTETS_MAX: usize = 8192;

/// Octets that all connections by HTTP hold together: of requests that have not come whole, and of answers that their clients have not taken. A thousand reports of trials that come in one
/// moment are a tenth of it. When there are more, the client that holds most gives way.
pub const HTTP_HELD_OCTETS_MAX: usize = 32 << 20;

/// A connection that holds no more than this is not counted: an ordinary request, or none. All of them together are as much again.
pub const HTTP_HELD_UNCOUNTED_OCTETS: usize = HTTP_HELD_OCTETS_MAX / HTTP_CONNECTIONS_MAX;

/// Fields of a request.
pub const HTTP_HEADERS_MAX: usize = 64;

/// A file by HTTP that is no longer than this goes at once, as heads and generated files do: TCP sends as much before it has heard anything (RFC 6928).
pub const HTTP_AT_ONCE_OCTETS: u64 = 14_480;

/// Octets of the pieces in which images are brought into memory: large enough that a disk is not asked for every block.
pub const CHUNK_OCTETS: u64 = 256 * 1024;

/// Transfers at a time. When there are as many, those give way to a new one that nobody answers, and first those of an address that has more than [`TRANSFERS_FEW`] of them.
pub const TRANSFERS_MAX: usize = NODES_MAX;

/// More transfers at a time than any machine has: firmware and loaders have one or two. An address with more of them is that of many machines, or of somebody who asks for no end.
pub const TRANSFERS_FEW: usize = 64;

/// Transfers to one address of which nothing was acknowledged yet: two for each of a thousand machines behind a router that translates, which all ask in one instant. Of more,
/// the oldest give way, so that no single host fills the table, or makes windows smaller that are shared out among all.
pub const TRANSFERS_UNANSWERED_PER_ADDRESS_MAX: usize = 2048;

/// Permanent neighbour entries at a time: one for each machine in mid-boot, on up to two addresses. The kernel's `gc_thresh3` does not count them.
pub const PINS_MAX: usize = 2 * NODES_MAX;

/// How long an address that is to be lent again is probed before: a host that has it answers an ARP request at once.
pub const PROBE_WAIT: Duration = Duration::from_millis(300);

/// How long a machine may go on answering for an address that it gave back: its system takes it off when it has said so, and a busy one takes its time.
pub const LINGERS_MAX: Duration = Duration::from_secs(2);

/// Addresses of which it is known whether somebody has them. Being kept for as long as an offer, they also bound how often is asked: a thousand new machines at once are
/// all probed for, twice, and whoever asks for more than 2,000 addresses in half a minute waits for none. An offer beyond is made unprobed; its client may still decline it.
pub const PROBES_MAX: usize = 2048;

/// Offers that are held back at a time, each with the packet that it answers: more than ask within the 300 ms of a probe or the 0.9 s of a full link. Further
/// ones go at once.
pub const OFFERS_HELD_BACK_MAX: usize = 8192;

/// Other DHCP servers that are kept in mind: a segment with more of them is past being helped by a list. The one that was silent longest gives way.
pub const OTHER_SERVERS_MAX: usize = 64;

/// Between two lines in the journal about the same other server: it answers whenever a thousand machines ask.
pub const OTHER_SERVER_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Such lines within that time about servers that no frame came from, but that clients name: one client may name as many as there are addresses.
pub const OTHER_SERVERS_SPOKEN_OF_TOLD_MAX: u32 = 8;

/// The same about servers that were heard: as many as are kept in mind. A host may give itself another address for each frame.
pub const OTHER_SERVERS_HEARD_TOLD_MAX: u32 = 64;

/// Other DHCP servers that `heorot status` shows one by one: whoever has more of them needs no list.
pub const OTHER_SERVERS_SHOWN_MAX: usize = 8;

/// Relays that are in no network and are kept in mind: whoever has more racks than that behind unknown ones is helped by the first. Of forged ones the one that asked least gives way.
pub const STRANGE_RELAYS_MAX: usize = 32;

/// Between two lines in the journal about the same such relay, and how long it is spoken of in the status after it asked last.
pub const STRANGE_RELAY_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Such lines within that time.
pub const STRANGE_RELAY_LINES_PER_HOUR_MAX: u32 = 8;

/// Such relays that the status shows one by one.
pub const STRANGE_RELAYS_SHOWN_MAX: usize = 3;

/// How long after the last sign of life a machine counts as downloading, so that ARP is answered in its place: signs of life come every 5 s ([`TFTP_LIFE_INTERVAL`]), or 10 s.
pub const ARP_ANSWERED_AFTER_LIFE: Duration = Duration::from_secs(15);

const _: () = assert!(ARP_ANSWERED_AFTER_LIFE.as_secs() > TFTP_LIFE_INTERVAL.as_secs());
const _: () = assert!(OFFER_STANDS.as_secs() > 32 && HOLD_AFTER_LIFE.as_secs() > 131);
const _: () = assert!(POOL_ADDRESSES_MAX <= NUMBERS_MAX);
/// Octets of a configuration file: every `[[node]]` with sixteen hardware addresses and every `[[host]]` with name and address fit, which are 9 MB, and comments beside.
pub const CONFIGURATION_OCTETS_MAX: usize = 16 << 20;

/// `[[network]]`s: every pair of them is compared.
pub const NETWORKS_MAX: usize = 256;

/// Different `suffix`es of all networks: interfaces of one node. Names given by hand are compared with each of them.
pub const SUFFIXES_MAX: usize = 16;

/// `[profile.NAME]`s.
pub const PROFILES_MAX: usize = 1024;

/// `[[pxe.service]]`s: menus of some lines for some architectures.
pub const PXE_SERVICES_MAX: usize = 64;

/// Characters of a text that firmware shows: a line of a screen in text mode.
pub const PXE_TEXT_OCTETS_MAX: usize = 80;

/// `pxe.vendor-classes`: each DISCOVER is compared with all of them.
pub const PXE_VENDOR_CLASSES_MAX: usize = 16;

/// Octets of option 43 with a menu in it: one option (RFC 2132 2), as ROMs put no parts together.
pub const VENDOR_OPTION_OCTETS_MAX: usize = 255;

/// `[[trial.check]]`s: all of them go into one answer to the agent.
pub const CHECKS_MAX: usize = 64;

/// Hardware addresses of one `[[node]]`.
pub const MACS_PER_NODE_MAX: usize = 16;

/// `[[host]]`s: management boards, switches and power strips of all nodes.
pub const HOSTS_MAX: usize = 2 * NODES_MAX;

/// `[[class]]`es: every packet is compared with each of them.
pub const CLASSES_MAX: usize = 256;

/// Values of one key of a class, of which any is right: every packet is compared with each of them.
pub const CLASS_ALTERNATIVES_MAX: usize = 256;

/// Nodes that one part of a list tells of: a millisecond, for which no packet is answered.
pub const NODES_LISTED_AT_ONCE: usize = 256;

/// Nodes, or leases and what else there is, that one part of `state.json` tells of. With its history a node takes some 70 us, so that these take two milliseconds.
pub const NODES_DUMPED_AT_ONCE: usize = 32;

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

/// Updates that were refused, of which the journal has told: what is tried again every few minutes is told once. After so many, some are told again.
pub const UPDATES_DENIED_TOLD_MAX: usize = 256;

/// Octets of a text in a TXT record: the longest keys of mail (RFC 6376) have some 800.
pub const RECORD_TEXT_OCTETS_MAX: usize = 4096;

/// Options in one table: all that there are have numbers of one octet, and some hold others.
pub const OPTIONS_PER_TABLE_MAX: usize = 512;

/// Octets of one option's value: more than this and the rest would not go into a frame together.
pub const OPTION_OCTETS_MAX: usize = 1024;

/// Machines of which it was told what had no room in their packets: after that, some are told again.
pub const LEFT_OUT_TOLD_MAX: usize = 1024;

/// Mistakes of a configuration that are told: nobody reads more before he begins to mend.
pub const MISTAKES_MAX: usize = 200;

/// Octets of a kernel's command line with all that is in it: what x86 and arm64 take (COMMAND_LINE_SIZE less the final zero). They cut off what is beyond, and do not say so.
pub const WHOLE_COMMAND_LINE_OCTETS_MAX: usize = 2047;

/// Octets of an operator's command line, as template and as rendered: so that there is room for what we and loaders add.
pub const COMMAND_LINE_OCTETS_MAX: usize = WHOLE_COMMAND_LINE_OCTETS_MAX - 256;

/// Steps of one rendering: a command line needs some tens, and a loop in a template must end.
pub const TEMPLATE_STEPS_MAX: u64 = 10_000;

/// Octets of a boot file's name: the field `file` of a DHCP packet has 128, with the zero that ends it (RFC 2131 2).
pub const BOOT_FILE_OCTETS_MAX: usize = 127;

/// Octets of a block: what RFC 2348 allows.
pub const TFTP_BLOCK_OCTETS_MAX: u16 = 65464;

/// The same unless the operator allows more: what a way of 1500 takes without fragments, which some ROMs cannot put together.
pub const TFTP_BLOCK_OCTETS_USUAL: u16 = 1468;

/// What an Ethernet takes in one packet, where nobody says otherwise.
pub const MTU_OCTETS_USUAL: u32 = 1500;

/// The smallest block that TFTP has (RFC 2348).
pub const TFTP_BLOCK_OCTETS_MIN: u16 = 8;

/// Octets of a DATA packet before its block: 20 for IP, 8 for UDP, 4 for TFTP.
pub const TFTP_HEAD_OCTETS: u16 = 32;

/// Blocks in a window. EDK2 asks for 4; what is beyond this is more than a switch port's buffer takes from one sender at once.
pub const TFTP_WINDOW_BLOCKS_MAX: u16 = 64;

/// Octets of a file's name: RFC 2347 has requests end at 512.
pub const TFTP_NAME_OCTETS_MAX: usize = 512;

/// Octets of a datagram from a TFTP client: what comes unfragmented. Clients send requests, ACKs and ERRORs, all of them short.
pub const TFTP_DATAGRAM_OCTETS_MAX: usize = 1472;

/// Octets of an error's text that are kept or sent.
pub const TFTP_TEXT_OCTETS_MAX: usize = 128;

/// The first repeat of the first packet, before a round trip was measured: PXELINUX takes 107 ms to acknowledge its first OACK.
pub const TFTP_RESEND_FIRST: Duration = Duration::from_millis(500);

/// No repeat before this, however quick the round trips are: EDK2 looks at its network every 10 ms, and a client also has to put its blocks somewhere.
/// Longer is dear: with a hundredth of the packets lost, a megabyte in lock-step waits 14 times for it.
pub const TFTP_RESEND_MIN: Duration = Duration::from_millis(20);

/// Repeats are never further apart, unless round trips are: GRUB never repeats an ACK, and a boot waits for each block that only we repeat.
pub const TFTP_RESEND_MAX: Duration = Duration::from_secs(1);

/// Repeats to which nothing was answered, after which a transfer says nothing of its link any more: its machine may be without power, and a thousand of them together would look like
/// a link that loses half of all.
pub const TFTP_SILENT_REPEATS: u32 = 3;

/// So many machines are looked at, one waiting for the number of the next, when one of them asks. Longer rows are moved when the configuration is read, or link by link.
pub const MOVES_A_PACKET_MAX: usize = 64;

/// A store that refused something is tried so often until it keeps something again. Each time opens its file, which takes some milliseconds of the disk.
pub const STORE_TRIED_EVERY: Duration = Duration::from_secs(5);

/// A disk that takes so long for a batch hangs: what known nodes ask for goes without it. (In the middle of a storm a batch takes some ten milliseconds.)
pub const STORE_HANGS_AFTER: Duration = Duration::from_secs(2);

/// After so many that nothing answered, the blocks of a window leave one by one.
pub const TFTP_SWALLOWED_REPEATS: u32 = 2;

/// After so many, which is six tenths of a second of silence on a fast link, a transfer ends if its machine has asked for the same file anew and does not answer a repeat after that.
pub const TFTP_ABANDONED_REPEATS: u32 = 5;

/// After so many, more than four seconds, repeats are [`TFTP_RESEND_SILENT_MAX`] apart: with a tenth of all packets lost in each direction that befalls one block of ten million.
pub const TFTP_DEAD_REPEATS: u32 = 9;

/// See [`TFTP_DEAD_REPEATS`]. Windows of all transfers together fit into half a second of a link, so that those of dead machines take an eighth of it.
pub const TFTP_RESEND_SILENT_MAX: Duration = Duration::from_secs(4);

/// No round trip counts for longer: it is a client that was stopped, not a slow way.
pub const TFTP_ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// A client that has just spoken of a gap is repeated to after its usual round trip, but no sooner than this: a program that writes what it gets may be away for as long.
pub const TFTP_GAP_RESEND_MIN: Duration = Duration::from_millis(2);

/// A repeated ACK (in lock-step) or request before this is no client's retry: PXELINUX repeats after 100 ms, nobody earlier.
pub const TFTP_RETRY_MIN: Duration = Duration::from_millis(50);

/// A machine that asks anew was reset if it acknowledged nothing for so long; before that, the request is a late copy.
pub const TFTP_RESET_AFTER: Duration = Duration::from_millis(100);

/// A full socket is tried again after this: at 1 Gbit/s the smallest send buffer is empty in 2 ms.
pub const TFTP_FULL_RETRY: Duration = Duration::from_millis(5);

/// Silence after which a transfer is given up: PXELINUX, the most patient, waits 131 s for a packet.
pub const TFTP_PATIENCE: Duration = Duration::from_secs(150);

/// The same before the client's first ACK: until then every client repeats its request (PXELINUX within 14 s), and whoever asked may never have been there.
pub const TFTP_PATIENCE_BEFORE_ACK: Duration = Duration::from_secs(30);

/// The same for a client that asked to be repeated to so seldom (RFC 2349: up to every 255 s) that three times its own interval are longer. What is believed of
/// whoever has only asked holds a place that others need.
pub const TFTP_PATIENCE_BEFORE_ACK_MAX: Duration = Duration::from_secs(60);

/// The same once the last block was sent, which some clients never acknowledge. Not much shorter, or whoever waits for his last block while a switch is away for ten seconds would come back to a transfer that is
/// gone, and be told so by an ERROR: every file of one block is such a case. Whose machine asks for something else is given up much sooner.
pub const TFTP_PATIENCE_AT_END: Duration = Duration::from_secs(60);

/// How far the client may be ahead of what was noted before a restart: ACKs that came while the last notes were made. Below half of the 65536 block numbers, so that an old ACK is never taken for a new one.
pub const TFTP_NOTE_BEHIND_BLOCKS_MAX: u64 = 4096;

/// Between two signs of life of one transfer.
pub const TFTP_LIFE_INTERVAL: Duration = Duration::from_secs(5);

/// Between two answers to packets that belong to no transfer.
pub const TFTP_STRAY_INTERVAL: Duration = Duration::from_millis(20);

/// After a start nobody is told that his transfer is unknown: what was in flight is still being found again.
pub const TFTP_STRAY_GRACE: Duration = Duration::from_secs(5);

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

/// Files that go out by TCP at a time: no more than there are connections.
pub const STREAMS_MAX: usize = HTTP_CONNECTIONS_MAX;

/// Connections without an end (NFS) that wait for their share at a time. One more waits for nothing: better a full link than a node that stands still.
pub const ENDLESS_STREAMS_MAX: usize = 2 * NODES_MAX;

/// How long after the last file by TFTP or HTTP connections without an end go on asking: a machine has its next file begun by then, and they do not fill the link in between.
pub const RATIONED_AFTER: Duration = Duration::from_secs(1);

/// Octets of a full segment of TCP with time stamps, on an Ethernet of 1500 octets.
pub const STREAM_PACKET_OCTETS: u64 = 1448;

/// What a stream gets whose turn it is not, and whose deadline has come: more than the 1,500 octets that EDK2 waits for 5 s.
pub const STREAM_DRIP_PACKETS: u64 = 2;

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

/// `[[tftp.rewrite]]`s: each name is compared with all of them.
pub const TFTP_REWRITES_MAX: usize = 64;

/// Octets of a directory that is served by NFS: what clients can ask for (RFC 1813 5.1.2, `MNTPATHLEN`).
pub const NFS_PATH_OCTETS_MAX: usize = 1024;

/// `nfs.directories`: all of them go into one list that clients may ask for.
pub const NFS_DIRECTORIES_MAX: usize = 256;

/// Octets of a NIS domain: `YPMAXDOMAIN` of the protocol.
pub const NIS_DOMAIN_OCTETS_MAX: usize = 64;

const _: () = assert!(TFTP_BLOCK_OCTETS_USUAL as u32 + TFTP_HEAD_OCTETS as u32 == MTU_OCTETS_USUAL);
const _: () = assert!(LOAD_SERVED_WITHIN.as_millis() < LOAD_SERVED_WITHIN_MAX.as_millis());

/// Servers that are asked for outside names, of one domain: the fastest is preferred, and each costs a question now and then.
pub const UPSTREAMS_MAX: usize = 64;

/// Keys of zones that an operator trusts by hand: a site has a few zones, and two keys of each while they change.
pub const TRUST_ANCHORS_MAX: usize = 64;

/// Domains with servers of their own: each question is compared with all of them.
pub const FORWARD_DOMAINS_MAX: usize = 64;

/// Files of hosts: one for each of many purposes. All are read when one of them changes.
pub const HOST_FILES_MAX: usize = 64;
/// Nodes of a set that are listed by name: as many as a node set may name.
pub const NODES_LISTED_MAX: u64 = 262_144;

/// `[groups]`: a rack, a switch, a queue each, and everything that they are of.
pub const GROUPS_MAX: usize = 1024;

/// Octets of the name of a group: it becomes a netgroup and a word of node sets.
pub const GROUP_NAME_OCTETS_MAX: usize = 64;

/// Groups in groups in groups: each takes some of the stack.
pub const GROUP_DEPTH_MAX: usize = 16;

/// Letters of what an agent says kept it from going on: two or three lines of a console, and there is one for each node.
pub const REASON_LETTERS_MAX: usize = 400;

/// Octets of the template of a loader's file: menus of many entries, with their pictures' names.
pub const FILE_TEMPLATE_OCTETS_MAX: usize = 64 << 10;

/// Octets of a file that is made for a loader: what GRUB and PXELINUX read at once, and what is held for each machine that loads it just now.
pub const MADE_FILE_OCTETS_MAX: usize = 64 << 10;

/// Steps of one rendering of a loader's file: some ten for each line, and a loop in a template must end before anybody waits for it (5 ms).
pub const FILE_TEMPLATE_STEPS_MAX: u64 = 50_000;

/// Attributes of one profile, `[[node]]` or node: words for templates and scripts.
pub const ATTRIBUTES_MAX: usize = 64;

/// Octets of an attribute's name and of its value: a word, and what has room on a command line.
pub const ATTRIBUTE_NAME_OCTETS_MAX: usize = 64;
/// See [`ATTRIBUTE_NAME_OCTETS_MAX`].
pub const ATTRIBUTE_VALUE_OCTETS_MAX: usize = 256;

/// Profiles that inherit from profiles: more than anybody follows with a finger.
pub const PROFILE_DEPTH_MAX: usize = 16;

/// Octets of what an operator says why: a line of the history.
pub const REASON_OCTETS_MAX: usize = 200;

const _: () = assert!(ATTRIBUTE_VALUE_OCTETS_MAX < COMMAND_LINE_OCTETS_MAX);
/// Trials of a machine that are kept: what it lacked in its last boots, and whether that was always the same.
pub const TRIALS_PER_NODE_MAX: usize = 8;

/// Letters of what a check found, and of what a machine lacks: a line of a console, which a check's last line is cut to.
pub const CHECK_LETTERS_MAX: usize = 200;

/// Letters of the last words of a system that ended: the message of a panic and the calls that led to it.
pub const LAST_WORDS_LETTERS_MAX: usize = 1500;

/// Overlays and secrets of one profile: one for each thing that nodes are told, as of a package.
pub const OVERLAYS_PER_PROFILE_MAX: usize = 32;

/// Octets of an overlay's name: a word.
pub const OVERLAY_NAME_OCTETS_MAX: usize = 64;

/// Octets of one file of an overlay: what is larger belongs into the root, which is cached and not made anew for each node.
pub const OVERLAY_FILE_OCTETS_MAX: usize = 4 << 20;

/// Octets of all files that a node gets at once: they are in its memory, and in ours.
pub const OVERLAY_OCTETS_MAX: usize = 16 << 20;

/// Files and directories that a node gets at once.
pub const OVERLAY_ENTRIES_MAX: usize = 4096;

/// Octets of the path of such a file: half of what Linux takes, for what is before it on the node.
pub const OVERLAY_PATH_OCTETS_MAX: usize = 2048;

/// Octets of a template of an overlay.
pub const OVERLAY_TEMPLATE_OCTETS_MAX: usize = 256 << 10;

/// Steps of one rendering of such a template: a loop over ten thousand nodes, each with some names. It takes a tenth of a second, and nobody waits but its node.
pub const OVERLAY_TEMPLATE_STEPS_MAX: u64 = 2_000_000;

/// Octets of all archives of overlays that are being sent at a time: some hundred kilobytes for each of a thousand nodes that boot at once. Whoever finds no
/// room comes again.
pub const OVERLAY_ARCHIVES_OCTETS_MAX: u64 = 256 << 20;

const _: () = assert!(OVERLAY_OCTETS_MAX as u64 * 4 < OVERLAY_ARCHIVES_OCTETS_MAX);
