//! From the configuration to what each part wants to know, and what of it cannot change while the server runs.

use crate::dns::Plan;
use heorot_core::config::{self, Config, Interface, MASTER_NAME, SERVER_NAME, Upstream};
use heorot_core::mac::Mac;
use heorot_core::message::Deaf;
use heorot_core::{load, transfer};
use heorot_dns::{Anchor, Digest, Forwarding, Group, NameServer, Prefix, Rebinding, Validation};
use heorot_names::Directory;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

/// The DNS server's port.
const DNS_PORT: u16 = 53;

/// An interface that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    /// The kernel's number of it.
    pub(crate) index: u32,
    /// Its hardware address; of InfiniBand's twenty octets nothing that anybody here could use.
    pub(crate) mac: Mac,
    /// What kind of link it is on.
    pub(crate) kind: LinkKind,
}

/// What can be done on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// Frames of our own making and permanent neighbour entries.
    Ethernet,
    /// Neither: a hardware address there says nothing without the path to it, which the kernel finds (RFC 4391 9.1.1). Replies are broadcast (RFC 4390 2.1).
    InfiniBand,
}

impl LinkKind {
    /// The kind of the kernel's number (linux/if_arp.h).
    fn of(hardware_type: u16) -> Self {
        if hardware_type == libc::ARPHRD_INFINIBAND { Self::InfiniBand } else { Self::Ethernet }
    }
}

/// The interfaces of this host with their IPv4 addresses, as the configuration wants to know them.
///
/// # Errors
/// The kernel's.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut interfaces: BTreeMap<String, Vec<(Ipv4Addr, u8)>> = BTreeMap::new();
    for entry in nix::ifaddrs::getifaddrs()? {
        let addresses = interfaces.entry(entry.interface_name).or_default();
        let ipv4 = |address: &SockaddrStorage| address.as_sockaddr_in().map(|address| address.ip());
        if let Some(address) = entry.address.as_ref().and_then(ipv4) {
            let mask = entry.netmask.as_ref().and_then(ipv4).unwrap_or(Ipv4Addr::BROADCAST);
            let length = u32::from(mask).leading_ones();
            addresses.push((address, u8::try_from(length).expect("32 at most")));
        }
    }
    Ok(interfaces.into_iter().map(|(name, addresses)| Interface { name, addresses }).collect())
}

/// The interfaces of the configuration as the kernel knows them. None of a name: it is not there, or has no hardware address.
///
/// # Errors
/// The kernel's.
pub(crate) fn served(config: &Config) -> io::Result<BTreeMap<String, Option<Served>>> {
    let mut macs = BTreeMap::new();
    for entry in nix::ifaddrs::getifaddrs()? {
        let link = entry.address.as_ref().and_then(SockaddrStorage::as_link_addr);
        if let Some((link, mac)) = link.and_then(|link| Some((link, link.addr()?))) {
            macs.insert(entry.interface_name, (Mac(mac), LinkKind::of(link.hatype())));
        }
    }
    let find = |name: &str| {
        let index = nix::net::if_::if_nametoindex(name).ok()?;
        let (mac, kind) = *macs.get(name)?;
        Some(Served { index, mac, kind })
    };
    Ok(config.networks.iter().map(|network| (network.interface.clone(), find(&network.interface))).collect())
}

/// Whether there is an interface of this name.
pub(crate) fn is_there(name: &str) -> bool {
    nix::net::if_::if_nametoindex(name).is_ok()
}

/// Whether ARP is answered in the place of nodes on an interface.
pub(crate) fn answers_arp(config: &Config, interface: &str) -> bool {
    config
        .networks
        .iter()
        .any(|network| network.on_link && network.interface == interface && network.answer_arp)
}

/// Our own addresses on the networks, each once.
pub(crate) fn own_addresses(config: &Config) -> Vec<Ipv4Addr> {
    let on_link = config.networks.iter().filter(|network| network.on_link);
    on_link.map(|network| network.address).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The interfaces, each with why it hears nobody, if it does not.
///
/// # Errors
/// The kernel's.
pub(crate) fn hearing() -> io::Result<BTreeMap<String, Option<Deaf>>> {
    let deaf = |flags: InterfaceFlags| match (flags.contains(InterfaceFlags::IFF_UP), flags) {
        (false, _) => Some(Deaf::Down),
        (true, flags) => (!flags.contains(InterfaceFlags::IFF_RUNNING)).then_some(Deaf::NoCarrier),
    };
    let all = nix::ifaddrs::getifaddrs()?;
    Ok(all.map(|entry| (entry.interface_name, deaf(entry.flags))).collect())
}

/// Octets of the longest packet that an interface takes, as the kernel says.
pub(crate) fn mtu_octets(interface: &str) -> Option<u32> {
    std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
}

/// What transfers run with that are sent by these links, from so many ports.
pub(crate) fn transfers(config: &Config, links: Vec<load::Link>, ports: usize) -> transfer::Settings {
    transfer::Settings {
        data_ports: u16::try_from(ports).expect("there are a few").max(1),
        single_port: config.tftp.single_port,
        load: load::Settings { control: load::Control::All, links },
        resend: transfer::Resend::Measured,
    }
}

/// How many threads send beside the loop on this machine.
pub(crate) fn senders(config: &Config) -> usize {
    config.tftp.senders_on(std::thread::available_parallelism().map_or(1, usize::from))
}

/// Where names are answered for.
pub(crate) fn dns_addresses(config: &Config) -> Vec<SocketAddr> {
    own_addresses(config).into_iter().map(dns_address).collect()
}

/// Where names are answered for at one of our addresses.
pub(crate) fn dns_address(address: Ipv4Addr) -> SocketAddr {
    (address, DNS_PORT).into()
}

/// What the resolver is told beside the names.
pub(crate) fn dns_settings(config: &Config) -> heorot_dns::Settings {
    let defaults = heorot_dns::Settings::default();
    let prefixes = |network: &config::Network| {
        let ipv4 = Prefix { address: network.address.into(), length: network.prefix_length };
        let ipv6 = network.prefix_ipv6();
        let ipv6 = ipv6.map(|(address, length)| Prefix { address: address.into(), length });
        std::iter::once(ipv4).chain(ipv6)
    };
    heorot_dns::Settings {
        hosts: own_names(config).map(|name| (name.to_owned(), own_addresses(config))).collect(),
        reverse_prefixes: config.networks.iter().flat_map(prefixes).collect(),
        server_name: SERVER_NAME.into(),
        secondaries: config.zone.secondaries.clone(),
        keys: config.zone.keys.iter().map(dns_key).collect(),
        secret: dns_secret(),
        ..defaults
    }
}

/// What this server is called, as names files and exports have it: also `master`, unless the operator calls somebody else so.
fn own_names(config: &Config) -> impl Iterator<Item = &'static str> {
    let zone = &config.zone;
    let given = config.nodes.iter().filter_map(|node| node.name.as_deref());
    let given = given.chain(config.hosts.iter().filter_map(|host| host.name.as_deref()));
    let given = given.chain(zone.hosts.iter().map(|(name, _)| name.as_str()));
    let mut given = given.chain(zone.records.iter().map(|record| record.name.as_str()));
    let is_taken = given.any(|name| name == MASTER_NAME);
    [SERVER_NAME].into_iter().chain((!is_taken).then_some(MASTER_NAME))
}

/// What the resolver is told about names that are not ours, and the files that say more of them.
pub(crate) fn dns_plan(config: &Config, seed: [u8; 32]) -> Plan {
    let networks = dns_settings(config).reverse_prefixes;
    let forward = &config.forward;
    let own = dns_addresses(config);
    let mut plan = Plan {
        forwarding: Forwarding::new(seed),
        server_files: Vec::new(),
        host_files: forward.hosts.clone(),
        zone: config.cluster.name.clone(),
        own,
        roots: forward.tls_roots.clone(),
    };
    for domain in &forward.domains {
        add_group(&mut plan, &domain.domain, &domain.servers);
    }
    add_group(&mut plan, "", &forward.upstream);
    let prefix = |(address, length): &(IpAddr, u8)| Prefix { address: *address, length: *length };
    let clients = forward.clients.as_ref().map(|clients| clients.iter().map(prefix).collect());
    plan.forwarding = Forwarding {
        clients: clients.unwrap_or_else(|| networks.clone()),
        cache_entries: forward.cache_entries as usize,
        least_ttl: forward.minimum_ttl,
        most_ttl: forward.maximum_ttl,
        stale: forward.stale,
        rebinding: match forward.rebinding {
            config::Rebinding::Own => Rebinding::Own,
            config::Rebinding::Private => Rebinding::Private,
            config::Rebinding::Off => Rebinding::Off,
        },
        own_networks: networks,
        rebinding_exempt: forward.rebinding_exempt.clone(),
        rate_per_second: forward.rate_per_second,
        validation: forward.validates.then(|| validation(forward)),
        ..plan.forwarding
    };
    plan
}

fn validation(forward: &config::Forward) -> Validation {
    let anchor = |anchor: &config::TrustAnchor| Anchor {
        domain: anchor.domain.clone(),
        digest: Digest {
            tag: anchor.tag,
            algorithm: anchor.algorithm,
            kind: anchor.kind,
            octets: anchor.digest.clone(),
        },
    };
    let mut anchors: Vec<Anchor> = forward.trust_anchors.iter().map(anchor).collect();
    if anchors.iter().all(|anchor| !anchor.domain.is_empty()) {
        anchors.extend(Anchor::root());
    }
    Validation { anchors, insecure: forward.insecure.clone() }
}

fn add_group(plan: &mut Plan, domain: &str, upstreams: &[Upstream]) {
    let mut servers = Vec::new();
    for upstream in upstreams {
        match upstream {
            // Ourselves we need not ask.
            Upstream::Server(server) if plan.own.contains(server) => {}
            Upstream::Server(server) => servers.push(NameServer::from(*server)),
            Upstream::Tls(address, name) => {
                servers.push(NameServer { address: *address, tls: Some(name.as_str().into()) });
            }
            Upstream::File(path) => plan.server_files.push((plan.forwarding.groups.len(), path.clone())),
        }
    }
    plan.forwarding.groups.push(Group { domain: domain.to_owned(), servers });
}

/// A key as the resolver has it.
fn dns_key(key: &config::Key) -> heorot_dns::Key {
    heorot_dns::Key {
        name: key.name.clone(),
        algorithm: match key.algorithm {
            config::Algorithm::Sha256 => heorot_dns::Algorithm::Sha256,
            config::Algorithm::Sha384 => heorot_dns::Algorithm::Sha384,
            config::Algorithm::Sha512 => heorot_dns::Algorithm::Sha512,
        },
        secret: key.secret.clone(),
        may_transfer: key.may_transfer,
        updates: key.updates.as_ref().map(|updates| heorot_dns::Updates {
            names: updates.names.clone(),
            types: updates.types.clone(),
        }),
    }
}

/// 128 bits that nobody else knows, as long as we run.
fn dns_secret() -> [u8; 16] {
    static SECRET: OnceLock<[u8; 16]> = OnceLock::new();
    *SECRET.get_or_init(|| {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).expect("the kernel has random octets");
        secret
    })
}

/// What the NIS gateway is told beside the names, if there is one: for NIS, or as a portmapper for NFS alone. The port is its own to find.
pub(crate) fn nis_settings(config: &Config) -> Option<heorot_dns::nis::Settings> {
    if config.nis.is_none() && config.nfs.is_none() {
        return None;
    }
    let nis = config.nis.clone().unwrap_or_else(crate::nis::no_nis);
    let dns = dns_settings(config);
    Some(heorot_dns::nis::Settings {
        domain: nis.domain,
        server_name: dns.server_name,
        hosts: dns.hosts,
        networks: dns.reverse_prefixes,
        port: nis.port,
        others: config.nfs.as_ref().map(crate::nfs::mappings).unwrap_or_default(),
    })
}

/// To whom files are served by NFS.
pub(crate) fn nfs_networks(config: &Config) -> Vec<Prefix> {
    dns_settings(config).reverse_prefixes
}

/// The names before any node is known: those that are arithmetic. What is known replaces it at once.
pub(crate) fn first_directory(config: &Config) -> Directory {
    Directory {
        networks: config.networks.iter().map(|network| network.numbering.clone()).collect(),
        hosts: config.named_hosts(),
        records: config.zone.records.clone(),
        // Nobody has been promised another one yet.
        serial: config.zone.serial,
        groups: config.groups.sets(config, |listed| listed.number),
        ..Directory::new(&config.cluster.name, config.cluster.nodes.clone())
    }
}

/// The settings that a running server cannot change, by their names: what is open was opened with privileges that are gone.
pub(crate) fn need_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let interfaces = |config: &Config| -> BTreeSet<String> {
        config.networks.iter().map(|n| n.interface.clone()).collect()
    };
    let tls_port = |config: &Config| config.http.tls.as_ref().map(|tls| tls.port);
    let nis_port = |config: &Config| config.nis.as_ref().map(|nis| nis.port);
    let nfs_port = |config: &Config| config.nfs.as_ref().map(|nfs| nfs.port);
    [
        ("server.state", old.server.state != new.server.state),
        ("server.control", old.server.control != new.server.control),
        ("server.user", old.server.user != new.server.user),
        ("network.interface", interfaces(old) != interfaces(new)),
        ("network.address", own_addresses(old) != own_addresses(new)),
        ("http.port", old.http.port != new.http.port),
        ("http.tls-port", tls_port(old) != tls_port(new)),
        ("names.file", old.names_file != new.names_file),
        ("nis.domain", old.nis.is_some() != new.nis.is_some()),
        ("nis.port", nis_port(old).zip(nis_port(new)).is_some_and(|(old, new)| old != new)),
        // The right to read a root file system was given away if there was none.
        ("nfs.directories", old.nfs.is_some() != new.nfs.is_some()),
        ("nfs.port", nfs_port(old).zip(nfs_port(new)).is_some_and(|(old, new)| old != new)),
        ("tftp.port-range", old.tftp.ports != new.tftp.ports),
        ("tftp.single-port", old.tftp.single_port != new.tftp.single_port),
        ("tftp.senders", old.tftp.senders != new.tftp.senders),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heorot_core::cluster::network;

    const SAMPLE: &str = r#"
        [[network]]
        interface = "lo"
        address = "127.0.0.1/8"
        numbers = "0-9"
        first = "127.0.1.0"
        temporary = "127.0.2.1-127.0.2.9"
    "#;

    fn config(text: &str) -> Config {
        let lo = Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
        Config::parse(text, &[lo]).expect("a right configuration").0
    }

    #[test]
    fn the_loopback_interface_is_found() {
        let interfaces = interfaces().unwrap();
        let lo = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(lo.addresses.contains(&(Ipv4Addr::LOCALHOST, 8)), "{lo:?}");
    }

    #[test]
    fn an_interface_says_what_it_takes() {
        assert!(mtu_octets("lo").is_some_and(|octets| octets >= 1500), "{:?}", mtu_octets("lo"));
        assert_eq!(mtu_octets("none of this host"), None);
        let blocks = |max: u16, mtu: Option<u32>| {
            let config = config(&format!("{SAMPLE}[tftp]\nblock-size-max = {max}\n"));
            network::links(&config, |_| mtu)[0].block_octets_max
        };
        for (max, mtu, expected) in [
            (1468, Some(1500), 1468),
            (1468, Some(9000), 1468),
            (65464, Some(9000), 8968),
            (65464, Some(65536), 65464),
            (65464, None, 1468),
            (1468, Some(1280), 1248),
            (1468, Some(20), 8),
        ] {
            assert_eq!(blocks(max, mtu), expected, "{max}, {mtu:?}");
        }
    }

    #[test]
    fn what_cannot_change_is_named_and_the_rest_may() {
        let old = config(SAMPLE);
        for (from, to, expected) in [
            ("0-9", "0-19", vec![]),
            (
                "[[network]]",
                "[server]\nstate = \"/elsewhere\"\n[http]\nport = 8080\n[[network]]",
                vec!["server.state", "http.port"],
            ),
            ("[[network]]", "[boot]\ndirectory = \"/elsewhere\"\n[[network]]", vec![]),
            ("[[network]]", "[tftp]\ncase-fold = true\nblock-size-max = 8968\n[[network]]", vec![]),
            ("[[network]]", "[tftp]\nsingle-port = true\n[[network]]", vec!["tftp.single-port"]),
            ("[[network]]", "[tftp]\nport-range = \"30000-30007\"\n[[network]]", vec!["tftp.port-range"]),
            ("[[network]]", "[tftp]\nsenders = 1\n[[network]]", vec!["tftp.senders"]),
            ("127.0.0.1/8", "127.0.0.1/16", vec![]),
            ("[[network]]", "[names]\nfile = \"\"\n[[network]]", vec!["names.file"]),
            ("[[network]]", "[nis]\ndomain = \"cluster\"\n[[network]]", vec!["nis.domain"]),
            ("[[network]]", "[nfs]\nport = 2050\n[[network]]", vec![]),
            ("[[network]]", "[profile.x]\nroot = \"nfs:/srv\"\n[[network]]", vec!["nfs.directories"]),
        ] {
            assert_eq!(need_restart(&old, &config(&SAMPLE.replace(from, to))), expected, "{from} -> {to}");
        }
    }

    /// linux/if_arp.h. Loopback has frames like Ethernet's.
    #[test]
    fn only_infiniband_is_no_ethernet() {
        for (number, kind) in [(1, LinkKind::Ethernet), (772, LinkKind::Ethernet), (32, LinkKind::InfiniBand)]
        {
            assert_eq!(LinkKind::of(number), kind, "{number}");
        }
        let lo = served(&config(SAMPLE)).unwrap()["lo"].unwrap();
        assert_eq!(lo.kind, LinkKind::Ethernet);
    }

    #[test]
    fn arp_is_answered_where_it_is_wanted() {
        assert!(!answers_arp(&config(SAMPLE), "lo"));
        let wanted = config(&SAMPLE.replace("numbers", "answer-arp = true\nnumbers"));
        assert!(answers_arp(&wanted, "lo") && !answers_arp(&wanted, "eth1"));
    }

    #[test]
    fn the_server_itself_has_a_name() {
        let settings = dns_settings(&config(SAMPLE));
        assert_eq!(settings.hosts["heorot"], [Ipv4Addr::LOCALHOST]);
        assert_eq!(settings.hosts["master"], [Ipv4Addr::LOCALHOST], "as names files have it");
        let record = "[[dns.record]]\nname = \"master\"\ntype = \"CNAME\"\nvalue = \"node3\"\n";
        let settings = dns_settings(&config(&format!("{SAMPLE}{record}")));
        assert!(!settings.hosts.contains_key("master"), "the operator calls somebody else so");
        assert_eq!(settings.reverse_prefixes[0].length, 8);
    }
}
