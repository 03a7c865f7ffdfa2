//! Every bound of the NIS gateway, with its reason.

use std::time::Duration;

/// Octets of a call over TCP: the head with credential and verifier, and the largest arguments (a key with its map and domain) are 2,024.
pub const CALL_OCTETS_MAX: usize = 4096;

/// Octets of a domain's name (`YPMAXDOMAIN` of yp_prot.h).
pub(crate) const DOMAIN_OCTETS_MAX: usize = 64;

/// Octets of a map's name (`YPMAXMAP`).
pub(crate) const MAP_OCTETS_MAX: usize = 64;

/// Octets of a host's name where one server tells another (`YPMAXPEER`).
pub(crate) const PEER_OCTETS_MAX: usize = 64;

/// Octets of a key or a value (`YPMAXRECORD`): older clients refuse whole replies with more.
pub(crate) const RECORD_OCTETS_MAX: usize = 1024;

/// Octets from which on a piece of a whole map (ALL) is sent before the next is made: all that a connection holds of it.
pub(crate) const PIECE_OCTETS: usize = 16 * 1024;

/// Members of one netgroup, blocks of numbers or nodes. The length of names may allow fewer.
pub(crate) const NETGROUP_MEMBERS_MAX: u32 = 64;

/// Octets of a file of accounts: more than 100,000 lines.
pub const ACCOUNTS_OCTETS_MAX: u64 = 16 << 20;

/// Connections at a time. When they are used up, the one that has been silent longest gives way: a client asks again.
pub const CONNECTIONS_MAX: usize = 64;

/// How long a connection may be silent: an ALL whose client reads nothing, a call that comes octet by octet.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Ports tried from the configured one on: services without a port of their own take any free one below 1024.
pub const PORTS_TRIED: u16 = 16;

const _: () = assert!(
    CALL_OCTETS_MAX
        > heorot_rpc::limit::HEAD_OCTETS_MAX + 12 + DOMAIN_OCTETS_MAX + MAP_OCTETS_MAX + RECORD_OCTETS_MAX
);
const _: () = assert!(PIECE_OCTETS > 2 * (RECORD_OCTETS_MAX + 8));
