//! TFTP: transfers, blocks, repeats and patience.

use super::cluster::NODES_MAX;
use std::time::Duration;

/// Octets of the pieces in which images are brought into memory: large enough that a disk is not asked for every block.
pub const CHUNK_OCTETS: u64 = 256 * 1024;

/// Transfers at a time. When there are as many, one that is repeated to in vain ([`TFTP_DEAD_REPEATS`]) gives way to a new one of its own address; else those that nobody has answered yet, and first those of
/// an address that has more than [`TRANSFERS_FEW`] of them.
pub const TRANSFERS_MAX: usize = NODES_MAX;

/// More transfers at a time than any machine has: firmware and loaders have one or two. An address with more of them is that of many machines, or of somebody who asks for no end.
pub const TRANSFERS_FEW: usize = 64;

/// Transfers to one address of which nothing was acknowledged yet: two for each of a thousand machines behind a router that translates, which all ask in one instant. Of more,
/// the oldest give way, so that no single host fills the table, or makes windows smaller that are shared out among all.
pub const TRANSFERS_UNANSWERED_PER_ADDRESS_MAX: usize = 2048;

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

/// After so many that nothing answered, the blocks of a window leave one by one.
pub const TFTP_SWALLOWED_REPEATS: u32 = 2;

/// Silence after which a transfer ends if its machine has asked for something anew, by another port, and does not answer a repeat after that: longer than firmware waits for a packet (iPXE 18.3 s, EDK2
/// 24.2 s). Loaders wait for minutes, but not one of them is silent for as long while it is there: each repeat of ours is answered.
pub const TFTP_ABANDONED_AFTER: Duration = Duration::from_secs(30);

/// After so many, more than four seconds, repeats are [`TFTP_RESEND_SILENT_MAX`] apart: with a tenth of all packets lost in each direction that befalls one block of ten million.
pub const TFTP_DEAD_REPEATS: u32 = 9;
/// See [`TFTP_DEAD_REPEATS`]. Windows of all transfers together fit into half a second of a link, so that those of dead machines take an eighth of it.
pub const TFTP_RESEND_SILENT_MAX: Duration = Duration::from_secs(4);

/// No round trip counts for longer: it is a client that was stopped, not a slow way.
pub const TFTP_ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// A client that has just spoken of a gap is repeated to after its usual round trip, but no sooner than this: a program that writes what it gets may be away for as long.
pub const TFTP_GAP_RESEND_MIN: Duration = Duration::from_millis(2);

/// After so many ACKs, each one block further inside a window, the client is taken to acknowledge every block. Where much is lost, or comes in another order, several in a row may each speak of a gap.
pub const TFTP_SINGLE_ACKS: u64 = 12;

/// No more are counted: where some are lost it stays so, and who acknowledges whole windows after all is soon seen to.
pub const TFTP_SINGLE_ACKS_MAX: u64 = 2 * TFTP_SINGLE_ACKS;

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
/// gone, and be told so by an ERROR: every file of one block is such a case. Whose machine asks for something else is given up sooner ([`TFTP_ABANDONED_AFTER`]).
pub const TFTP_PATIENCE_AT_END: Duration = Duration::from_secs(60);

/// How far the client may be ahead of what was noted before a restart: ACKs that came while the last notes were made. Below half of the 65536 block numbers, so that an old ACK is never taken for a new one.
pub const TFTP_NOTE_BEHIND_BLOCKS_MAX: u64 = 4096;

/// Between two signs of life of one transfer.
pub const TFTP_LIFE_INTERVAL: Duration = Duration::from_secs(5);

/// Between two answers to packets that belong to no transfer.
pub const TFTP_STRAY_INTERVAL: Duration = Duration::from_millis(20);

/// After a start nobody is told that his transfer is unknown: what was in flight is still being found again.
pub const TFTP_STRAY_GRACE: Duration = Duration::from_secs(5);

/// `[[tftp.rewrite]]`s: each name is compared with all of them.
pub const TFTP_REWRITES_MAX: usize = 64;

const _: () = assert!(TFTP_BLOCK_OCTETS_USUAL as u32 + TFTP_HEAD_OCTETS as u32 == MTU_OCTETS_USUAL);
