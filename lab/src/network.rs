//! The segment that everything here happens on: a bridge, with the server at one port, a client at another, and machines at the rest.

use crate::namespace::Namespace;
use crate::packages;
use crate::router::Router;
use heorot_agent::frame::Mac;
use heorot_agent::net::Interface;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The server's address on its interface `eth1`.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The client's, given by hand.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
/// The server's interface.
pub const SERVER_INTERFACE: &str = "eth1";

/// The bridge's port that the server is at: the first that is made.
pub const SERVER_PORT: &str = "port0";

/// The three namespaces and what joins them.
#[derive(Debug)]
pub struct Network {
    // Before the namespaces, so that it ends before they do.
    _router: Router,
    /// Where the server runs.
    pub server: Namespace,
    /// Where the bridge is, and QEMU.
    pub segment: Namespace,
    /// Where `dig` is asked from.
    pub client: Namespace,
    ports: AtomicU32,
}

/// A further host on the segment, in a namespace of its own, with one interface `eth0` that has no address.
#[derive(Debug)]
pub struct Host {
    /// Where it lives.
    pub namespace: Namespace,
    /// Its hardware address.
    pub mac: Mac,
}

impl Network {
    /// Makes all of it, after a look whether the programs it takes are there.
    ///
    /// # Errors
    /// In words, if a program is missing or the kernel does not let us.
    pub fn new() -> Result<Self, String> {
        packages::check_installed()?;
        let segment = Namespace::new("segment")?;
        // A switch that forwards at once: what spanning tree does to firmware is another test's matter.
        segment.ip("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0")?;
        segment.ip("link set br0 up")?;
        let network = Self {
            _router: Router::start(&segment, "br0")?,
            server: Namespace::new("server")?,
            segment,
            client: Namespace::new("client")?,
            ports: AtomicU32::new(0),
        };
        network.join(&network.server, SERVER_INTERFACE, None)?;
        network.server.ip(&format!("address add {SERVER}/16 dev {SERVER_INTERFACE}"))?;
        network.join(&network.client, "eth0", None)?;
        network.client.ip(&format!("address add {CLIENT}/16 dev eth0"))?;
        Ok(network)
    }

    /// Adds a host with this hardware address.
    ///
    /// # Errors
    /// In words, if the kernel does not let us.
    pub fn host(&self, mac: Mac) -> Result<Host, String> {
        let namespace = Namespace::new("host")?;
        self.join(&namespace, "eth0", Some(mac))?;
        Ok(Host { namespace, mac })
    }

    /// Adds a tap for a machine, and returns its name in the segment's namespace.
    ///
    /// # Errors
    /// In words, if the kernel does not let us.
    pub fn tap(&self) -> Result<String, String> {
        let name = format!("tap{}", self.ports.fetch_add(1, Ordering::Relaxed));
        self.segment.ip(&format!("tuntap add dev {name} mode tap"))?;
        self.segment.ip(&format!("link set {name} master br0 up"))?;
        Ok(name)
    }

    /// The server's interface, as its namespace has it.
    ///
    /// # Errors
    /// In words, if it is not there.
    pub fn server_interface(&self) -> Result<Interface, String> {
        interface(&self.server, SERVER_INTERFACE)
    }

    fn join(&self, namespace: &Namespace, interface: &str, mac: Option<Mac>) -> Result<(), String> {
        let port = format!("port{}", self.ports.fetch_add(1, Ordering::Relaxed));
        let address = mac.map(|mac| format!("address {mac}")).unwrap_or_default();
        let (inside, outside) = (namespace.name(), self.segment.name());
        self.segment.ip(&format!(
            "link add {interface} netns {inside} {address} type veth peer name {port} netns {outside}"
        ))?;
        self.segment.ip(&format!("link set {port} master br0 up"))?;
        namespace.ip(&format!("link set {interface} up"))?;
        Ok(())
    }
}

impl Host {
    /// Its interface.
    ///
    /// # Errors
    /// In words, if it is not there.
    pub fn interface(&self) -> Result<Interface, String> {
        interface(&self.namespace, "eth0")
    }
}

/// An interface as a namespace has it. Asked of `ip`, for `/sys` shows the interfaces of the namespace it was mounted in.
///
/// # Errors
/// In words, if it is not there.
pub fn interface(namespace: &Namespace, name: &str) -> Result<Interface, String> {
    let line = namespace.ip(&format!("-o link show dev {name}"))?;
    let mut words = line.split_whitespace();
    let index = words.next().and_then(|word| word.trim_end_matches(':').parse().ok());
    let mac = words.skip_while(|word| *word != "link/ether").nth(1).and_then(|word| word.parse().ok());
    match (index, mac) {
        (Some(index), Some(mac)) => Ok(Interface { name: name.to_owned(), index, mac }),
        _ => Err(format!("not understood: {line}")),
    }
}
