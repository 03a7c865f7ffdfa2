//! HTTP, NFS and NIS, and whatever goes by TCP.

use super::cluster::NODES_MAX;
use std::time::Duration;

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

/// What a kernel takes at the most for a program that reads nothing: Linux as much as the second of `net.ipv4.tcp_rmem`, 128 kB, and more only as its program reads. Twice that: who has taken more
/// reads what comes.
pub const STREAM_UNREAD_OCTETS: u64 = 256 << 10;

/// Octets of a directory that is served by NFS: what clients can ask for (RFC 1813 5.1.2, `MNTPATHLEN`).
pub const NFS_PATH_OCTETS_MAX: usize = 1024;

/// `nfs.directories`: all of them go into one list that clients may ask for.
pub const NFS_DIRECTORIES_MAX: usize = 256;

/// Octets of a NIS domain: `YPMAXDOMAIN` of the protocol.
pub const NIS_DOMAIN_OCTETS_MAX: usize = 64;
