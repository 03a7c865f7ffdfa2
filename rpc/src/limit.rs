//! Every bound of RPC itself, with its reason.

/// Octets of a credential or a verifier (RFC 5531 8.2).
pub const AUTH_OCTETS_MAX: usize = 400;

/// Groups of a caller (RFC 5531 appendix A, `gids`).
pub const GROUPS_MAX: usize = 16;

/// Octets of a host's name in a credential (RFC 5531 appendix A, `machinename`).
pub const MACHINE_NAME_OCTETS_MAX: usize = 255;

/// Octets of the arguments of a call in a call: clients look for a server by the name of a domain, which has 64 at most.
pub const INDIRECT_OCTETS_MAX: usize = 1024;

/// Octets of the head of a call, with the longest credential and verifier.
pub const HEAD_OCTETS_MAX: usize = 40 + 2 * AUTH_OCTETS_MAX;
