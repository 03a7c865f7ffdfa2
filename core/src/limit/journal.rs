//! How much is said: lines of the journal, and what the status shows one by one.

use std::time::Duration;

/// Between two lines in the journal about the same such host: it asks every few minutes for as long as it is on.
pub const UNANSWERED_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Such lines in a minute: enough to see that it is no single host, and no more for a thousand of them, or for hardware addresses that somebody makes up.
pub const UNANSWERED_LINES_PER_MINUTE_MAX: u32 = 10;

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

/// The same about our own interfaces: one whose cable is loose says two lines each time, and there are some.
pub const INTERFACE_LINES_PER_MINUTE_MAX: u32 = 120;

/// Such hosts that are counted in a minute, each. Lines about further ones are left out: as many at once are a flood, or hardware addresses that somebody makes up.
pub const CHATTERERS_MAX: usize = 4096;

/// Between two times that it is told of a node that somebody asked for another boot who may not begin one: he may ask as often, and by as many addresses, as he likes.
pub const NO_BOOT_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Between two times that one trouble of a node is told where several come and go: firmware of two kinds may ask in its name by turns, and is offered no boot file for two reasons.
pub const TROUBLE_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Between two lines in the journal about the same other server: it answers whenever a thousand machines ask.
pub const OTHER_SERVER_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Such lines within that time about servers that no frame came from, but that clients name: one client may name as many as there are addresses.
pub const OTHER_SERVERS_SPOKEN_OF_TOLD_MAX: u32 = 8;

/// The same about servers that were heard: as many as are kept in mind. A host may give itself another address for each frame.
pub const OTHER_SERVERS_HEARD_TOLD_MAX: u32 = 64;

/// Other DHCP servers that `heorot status` shows one by one: whoever has more of them needs no list.
pub const OTHER_SERVERS_SHOWN_MAX: usize = 8;

/// Between two lines in the journal about the same such relay, and how long it is spoken of in the status after it asked last.
pub const STRANGE_RELAY_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Such lines within that time.
pub const STRANGE_RELAY_LINES_PER_HOUR_MAX: u32 = 8;

/// Such relays that the status shows one by one.
pub const STRANGE_RELAYS_SHOWN_MAX: usize = 3;

/// Between two lines in the journal about the same two interfaces that are one segment, and how long they are spoken of in the status after both heard the same.
pub const ONE_SEGMENT_TOLD_EVERY: Duration = Duration::from_secs(3600);

/// Updates that were refused, of which the journal has told: what is tried again every few minutes is told once. After so many, some are told again.
pub const UPDATES_DENIED_TOLD_MAX: usize = 256;

/// Machines of which it was told what had no room in their packets: after that, some are told again.
pub const LEFT_OUT_TOLD_MAX: usize = 1024;

/// Troubles of hosts that are no nodes, of which it is known that they were told: after that, some are told again.
pub const HOST_TROUBLES_TOLD_MAX: usize = 1024;

/// Mistakes of a configuration that are told: nobody reads more before he begins to mend.
pub const MISTAKES_MAX: usize = 200;

/// Letters of a path, or of what a machine or another server says, in a line of the journal.
pub const TOLD_LETTERS_MAX: usize = 120;

/// Letters of why somebody is not given a file: paths that are as long as that, and a sentence of ours that says what is to be done.
pub const REFUSED_LETTERS_MAX: usize = 600;
