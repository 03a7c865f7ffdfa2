use crate::Prefix;
use heorot_names::Owners;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

/// What the resolver is told by the configuration, beside the names of the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The host name, without the zone, by which our zones call this server (MNAME of SOA, NS): "heorot". It should stand in `hosts`.
    pub server_name: String,
    /// Hosts of the zone that are no nodes, and their addresses: this server above all. Names are lower case, without the zone. They go
    /// before the names of nodes.
    pub hosts: BTreeMap<String, Vec<Ipv4Addr>>,
    /// The prefixes of the networks: we are the authority for the zones of in-addr.arpa that cover them.
    pub reverse_prefixes: Vec<Prefix>,
    /// Servers that may copy the zones, and are told when these change. Nobody else may.
    pub secondaries: Vec<SocketAddr>,
    /// Keys by which messages are signed (RFC 8945).
    pub keys: Vec<Key>,
    /// What nobody else knows: cookies and the numbers of our own messages are made from it.
    pub secret: [u8; 16],
    /// How long others may keep an answer. Names are arithmetic and change only with the configuration.
    pub ttl_seconds: u32,
    /// How long others may keep "there is no such name" (RFC 2308): shorter, for a name is given soon after somebody missed it.
    pub negative_ttl_seconds: u32,
}

/// A secret that is shared with somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// What both sides call it: a domain name.
    pub name: String,
    /// How messages are signed with it.
    pub algorithm: Algorithm,
    /// The octets of the secret.
    pub secret: Vec<u8>,
    /// Whether zones may be copied with it. If there is such a key, none is copied without one.
    pub may_transfer: bool,
    /// What may be updated with it (RFC 2136), if anything.
    pub updates: Option<Updates>,
}

/// What a key may update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// Names; none for all of our zones.
    pub names: Vec<Owners>,
    /// Types by their numbers; none for all that may come by updates.
    pub types: Vec<u16>,
}

/// How messages are signed (RFC 8945 6, but those that may not be used any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Sha256,
    /// HMAC with SHA-384.
    Sha384,
    /// HMAC with SHA-512.
    Sha512,
}

/// Without the secret.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({} {:?})", self.name, self.algorithm)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_name: "heorot".into(),
            hosts: BTreeMap::new(),
            reverse_prefixes: Vec::new(),
            secondaries: Vec::new(),
            keys: Vec::new(),
            secret: [0; 16],
            ttl_seconds: 300,
            negative_ttl_seconds: 60,
        }
    }
}
