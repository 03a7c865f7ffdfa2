use crate::Prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

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
    /// How long others may keep an answer. Names are arithmetic and change only with the configuration.
    pub ttl_seconds: u32,
    /// How long others may keep "there is no such name" (RFC 2308): shorter, for a name is given soon after somebody missed it.
    pub negative_ttl_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_name: "heorot".into(),
            hosts: BTreeMap::new(),
            reverse_prefixes: Vec::new(),
            ttl_seconds: 300,
            negative_ttl_seconds: 60,
        }
    }
}
