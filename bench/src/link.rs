//! Three namespaces: a server, clients, and between them a link of some rate that the server cannot see. Or two, with a bare cable.

use heorot_lab::namespace::Namespace;
use std::net::Ipv4Addr;

/// The server's address.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address of the clients' end of an unshaped link.
pub(crate) const CLIENTS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The interface of the server, and of the clients.
pub(crate) const INTERFACE: &str = "eth1";
/// What a port of a switch holds: 256 kB, of which 32 kB leave at once.
const QUEUE: &str = "burst 32kb limit 256kb";

/// The link and what is at its ends.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) server: Namespace,
    pub(crate) clients: Namespace,
    /// Its rate, as it was asked for.
    pub(crate) rate: String,
    // It lives as long as its ends.
    _between: Option<Namespace>,
}

impl Link {
    /// A link of a rate as `tc` writes it: `200mbit`. Both ways are shaped, at the far port of a bridge: the server's own interface says 10 Gbit.
    ///
    /// # Errors
    /// In words: without root's rights, mostly.
    pub(crate) fn new(rate: &str) -> Result<Self, String> {
        Self::through_a_bridge(rate, |between, port| {
            let shaper = format!("qdisc add dev {port} root tbf rate {} {QUEUE}", rate.to_ascii_lowercase());
            between.ask("tc", &shaper.split(' ').collect::<Vec<_>>())
        })
    }

    /// A link as fast as the processors that loses so many frames of a thousand each way, by chance.
    ///
    /// # Errors
    /// In words: without root's rights, mostly.
    pub(crate) fn lossy(per_thousand: u32) -> Result<Self, String> {
        let link = Self::through_a_bridge("", |between, port| {
            let rules = format!(
                "table netdev {port} {{ chain lose {{ type filter hook ingress device {port} priority 0; \
                 numgen random mod 1000 < {per_thousand} counter drop; }}; }}"
            );
            between.ask("nft", &[&rules])
        })?;
        // A train of blocks is one frame to the kernel, and would be lost whole: it leaves in pieces, as on a real wire.
        link.server.ip(&format!("link set {INTERFACE} gso_max_segs 1"))?;
        Ok(link)
    }

    /// Both ends at a bridge; something is done to each of its ports.
    fn through_a_bridge(
        rate: &str,
        shape: impl Fn(&Namespace, &str) -> Result<String, String>,
    ) -> Result<Self, String> {
        let (server, between, clients) =
            (Namespace::new("server")?, Namespace::new("link")?, Namespace::new("clients")?);
        between.ip("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0")?;
        between.ip("link set br0 up")?;
        for (end, port) in [(&server, "to-server"), (&clients, "to-clients")] {
            let (inside, outside) = (end.name(), between.name());
            between.ip(&format!(
                "link add {INTERFACE} netns {inside} type veth peer name {port} netns {outside}"
            ))?;
            between.ip(&format!("link set {port} master br0 up"))?;
            end.ip(&format!("link set {INTERFACE} up"))?;
            shape(&between, port)?;
        }
        server.ip(&format!("address add {SERVER}/16 dev {INTERFACE}"))?;
        Ok(Self { server, clients, rate: rate.to_owned(), _between: Some(between) })
    }

    /// A link that is as fast as the processors: the two ends are one virtual cable.
    ///
    /// # Errors
    /// In words: without root's rights, mostly.
    pub(crate) fn unshaped() -> Result<Self, String> {
        let (server, clients) = (Namespace::new("server")?, Namespace::new("clients")?);
        let (inside, outside) = (server.name(), clients.name());
        server.ip(&format!(
            "link add {INTERFACE} netns {inside} type veth peer name {INTERFACE} netns {outside}"
        ))?;
        for (end, address) in [(&server, SERVER), (&clients, CLIENTS)] {
            end.ip(&format!("link set {INTERFACE} up"))?;
            end.ip(&format!("address add {address}/16 dev {INTERFACE}"))?;
        }
        Ok(Self { server, clients, rate: String::new(), _between: None })
    }
}
