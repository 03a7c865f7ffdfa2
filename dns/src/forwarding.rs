use crate::Prefix;
use crate::limit::{CACHE_OCTETS_PER_ENTRY, UPSTREAMS_MAX};
use crate::validate::Digest;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What the resolver is told about names that are not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// From the kernel, and never told to anybody: ids, ports and letters of questions come from it.
    pub seed: [u8; 32],
    /// Who is asked. Of a domain, and of what is below it, those that are named for the longest domain.
    pub groups: Vec<Group>,
    /// Who may ask for outside names; others hear REFUSED. This host itself always may.
    pub clients: Vec<Prefix>,
    /// Answers in the cache; 0 for no cache.
    pub cache_entries: usize,
    /// The shortest that an answer is kept, whatever its TTL says.
    pub least_ttl: Duration,
    /// The longest.
    pub most_ttl: Duration,
    /// The longest that a denial is kept (RFC 2308 5).
    pub most_denial_ttl: Duration,
    /// How long after its TTL an answer is still told if nobody answers (RFC 8767); 0 for never.
    pub stale: Duration,
    /// Which addresses a name from upstream may not have.
    pub rebinding: Rebinding,
    /// Our own networks, for `rebinding`.
    pub own_networks: Vec<Prefix>,
    /// Domains whose names may have any address, beside those that have servers of their own.
    pub rebinding_exempt: Vec<String>,
    /// Questions that a client may have sent upstream in a second; 0 for any number.
    pub rate_per_second: u32,
    /// Whether servers are asked a name of chance now and then, to see whether the question comes back to us.
    pub find_loops: bool,
    /// Where answers have to be signed; none: what is said is passed on unchecked.
    pub validation: Option<Validation>,
}

/// What is trusted, and what need not be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Where trust begins.
    pub anchors: Vec<Anchor>,
    /// Domains whose names need not be signed (RFC 7646), unless an anchor is at or below them. Those of groups are as well.
    pub insecure: Vec<String>,
}

/// A key that the operator trusts, by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The zone; empty for the root.
    pub domain: String,
    /// What is known of its key.
    pub digest: Digest,
}

impl Anchor {
    /// The keys of the root: that of 2017, and that of 2024, which takes over (<https://data.iana.org/root-anchors/root-anchors.xml>).
    pub fn root() -> Vec<Self> {
        const OF_2017: [u8; 32] = [
            0xe0, 0x6d, 0x44, 0xb8, 0x0b, 0x8f, 0x1d, 0x39, 0xa9, 0x5c, 0x0b, 0x0d, 0x7c, 0x65, 0xd0, 0x84,
            0x58, 0xe8, 0x80, 0x40, 0x9b, 0xbc, 0x68, 0x34, 0x57, 0x10, 0x42, 0x37, 0xc7, 0xf8, 0xec, 0x8d,
        ];
        const OF_2024: [u8; 32] = [
            0x68, 0x3d, 0x2d, 0x0a, 0xcb, 0x8c, 0x9b, 0x71, 0x2a, 0x19, 0x48, 0xb2, 0x7f, 0x74, 0x12, 0x19,
            0x29, 0x8d, 0x0a, 0x45, 0x0d, 0x61, 0x2c, 0x48, 0x3a, 0xf4, 0x44, 0xa4, 0xc0, 0xfb, 0x2b, 0x16,
        ];
        let anchor = |tag, octets: [u8; 32]| Self {
            domain: String::new(),
            digest: Digest { tag, algorithm: 8, kind: 2, octets: octets.to_vec() },
        };
        vec![anchor(20_326, OF_2017), anchor(38_696, OF_2024)]
    }
}

/// Servers for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The domain, without a final dot; empty for all that no other group has.
    pub domain: String,
    /// Its servers: none, and names below it are refused.
    pub servers: Vec<NameServer>,
}

/// A server, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// It is asked by TLS alone (RFC 7858), and has to show a certificate for this name or address (RFC 8310 5).
    pub tls: Option<Arc<str>>,
}

impl From<SocketAddr> for NameServer {
    /// One that is asked in the clear.
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }
}

/// Which addresses a name from upstream may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebinding {
    /// Any address will do.
    Off,
    /// Not ours, and not this host's own.
    Own,
    /// None that is private.
    Private,
}

impl Forwarding {
    /// Nobody is asked; what else holds if the operator says nothing.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            groups: Vec::new(),
            clients: Vec::new(),
            cache_entries: 10_000,
            least_ttl: Duration::ZERO,
            most_ttl: Duration::from_secs(86_400),
            most_denial_ttl: Duration::from_secs(3_600),
            stale: Duration::from_secs(86_400),
            rebinding: Rebinding::Own,
            own_networks: Vec::new(),
            rebinding_exempt: Vec::new(),
            rate_per_second: 500,
            find_loops: true,
            validation: None,
        }
    }

    /// Whether anybody is asked at all.
    pub fn is_on(&self) -> bool {
        self.groups.iter().any(|group| !group.servers.is_empty())
    }

    pub(crate) fn cache_octets(&self) -> usize {
        self.cache_entries.saturating_mul(CACHE_OCTETS_PER_ENTRY)
    }

    /// The groups, as many servers and groups as there may be.
    pub(crate) fn bounded_groups(&self) -> impl Iterator<Item = (&str, &[NameServer])> {
        self.groups.iter().take(UPSTREAMS_MAX).map(|group| {
            let servers = &group.servers[..group.servers.len().min(UPSTREAMS_MAX)];
            (group.domain.as_str(), servers)
        })
    }
}
