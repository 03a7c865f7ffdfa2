use super::client::Client;
use super::{bootp, fqdn, is_own, pxe, renewal, told};
use crate::cluster::boot::{self, BootFile, Offered};
use crate::cluster::network;
use crate::cluster::node::Named;
use crate::cluster::quirk::Trait;
use crate::config::{Config, Mode, Network, OptionPath, OptionTable};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{DhcpSend, DhcpTarget};
use crate::wire::dhcp::{Fitted, Message, MessageType, Op, Options, option};
use crate::wire::pxe::Item;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// A packet for a client, as it is put together.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    client: &'a Client,
    settings: &'a Network,
    message_type: MessageType,
    message: Message,
    cluster: &'a str,
    /// By its number: with an address of that number alone.
    node_name: Option<String>,
    /// As the operator calls a host.
    host_name: Option<&'a str>,
    /// Addresses that are lent to the client, with the names that it goes by there.
    lent: Vec<(Ipv4Addr, String)>,
    /// The same, with the address by which DNS has it.
    host: Option<(Ipv4Addr, &'a str)>,
    /// The operator's options, the later before the earlier.
    tables: Vec<&'a OptionTable>,
    config: &'a Config,
    /// What it is to boot.
    offered: Offered<'a>,
    /// Whether the operator means it to boot what is offered, also if that is nothing.
    is_named: bool,
    /// The server that has the file, if it is another one.
    next_server: Option<Ipv4Addr>,
}

/// A packet as it goes out.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) send: DhcpSend,
    /// The options for which there was no room.
    pub(super) left_out: Vec<u8>,
}

/// What the configuration lacks for a firmware, and what to do.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) what: String,
    pub(super) to_do: String,
}

/// Port of clients, and of servers and relays (RFC 2131 4.1).
const CLIENT_PORT: u16 = 68;
pub(super) const SERVER_PORT: u16 = 67;

/// What every client must be able to take (RFC 2131 2), and what an Ethernet frame takes; option 57 counts the IP and UDP headers.
const DATAGRAM_OCTETS_MIN: u16 = 576;
const DATAGRAM_OCTETS_MAX: u16 = 1500;
const HEADER_OCTETS: u16 = 28;

impl<'a> Reply<'a> {
    /// A packet of this type, with what all of them have.
    pub(super) fn new(turn: &Turn<'a>, client: &'a Client, message_type: MessageType) -> Self {
        let asked = &client.message;
        let mut options = Options::default();
        // First of all: some ROMs look no further (iPXE's history tells).
        options.set(option::MESSAGE_TYPE, [message_type as u8]);
        options.set(option::SERVER_IDENTIFIER, client.identifier().octets());
        // RFC 6842: the client identifier comes back, although it was not asked for its opinion. PXE 2.1 wants the machine identifier back too. What else RFC 4578 2.1 and 2.2 have in servers' packets,
        // its architecture and its network card (93 and 94), a machine knows of itself: no firmware was seen to look for them, and they take room.
        // RFC 3046 2.2: so does the relay's own information. RFC 3011 4: and the subnet that was selected.
        for code in
            [option::CLIENT_IDENTIFIER, option::CLIENT_MACHINE, option::RELAY_AGENT, option::SUBNET_SELECTION]
        {
            // One without an octet is none (RFC 2132 9.14: "Its minimum length is 2"), and there are clients that drop a packet for it.
            if let Some(value) = asked.options.get(code).filter(|value| !value.is_empty()) {
                options.set(code, value);
            }
        }
        // RFC 4039 3.1: an ACK to a DISCOVER says that it is one.
        if message_type == MessageType::Ack && asked.message_type() == Some(MessageType::Discover) {
            options.set(option::RAPID_COMMIT, []);
        }
        let none = Ipv4Addr::UNSPECIFIED;
        let message = Message {
            op: Op::BootReply,
            htype: asked.htype,
            hlen: asked.hlen,
            hops: 0,
            xid: asked.xid,
            secs: 0,
            broadcast: asked.broadcast,
            ciaddr: none,
            yiaddr: none,
            siaddr: none,
            giaddr: asked.giaddr,
            // RFC 4390 2.1: over InfiniBand there is no address, and zeros stand for it.
            chaddr: if asked.hlen == 0 { [0; 16] } else { asked.chaddr },
            sname: Vec::new(),
            file: Vec::new(),
            options,
        };
        let node = turn.hall.nodes.get(client.mac);
        let number = node.and_then(|node| node.number.or(node.claim));
        let node_name = number.map(|number| turn.name_with(client.mac, number));
        let tables = client.meant.option_tables(turn, client);
        let next_server = client.meant.next_server(turn, client).or_else(|| told::next_server(&tables));
        let named = client.meant.boot_file(turn, client, &tables);
        let is_named = named.is_some();
        let served = network::served_address(turn.config, client.server, Some(&client.interface));
        let of_firmware = || {
            let firmware = client.firmware?;
            let (architecture, traits) = (client.architecture, &client.traits);
            Some(boot::offered(turn.config, firmware, architecture, traits, served))
        };
        let offered = match named {
            Some(none) if none.is_empty() => Offered::Nothing,
            Some(name) => Offered::File(boot::named_file(turn.config, client.firmware, served, &name)),
            None => of_firmware().unwrap_or(Offered::Nothing),
        };
        Self {
            client,
            settings: &turn.config.networks[client.place],
            message_type,
            message,
            cluster: &turn.config.cluster.name,
            node_name,
            lent: lent_names(turn, client.mac),
            host_name: client.meant.host(turn).and_then(|host| host.name.as_deref()),
            host: client.meant.host(turn).and_then(|host| Some((host.address?, host.name.as_deref()?))),
            tables,
            config: turn.config,
            offered,
            is_named,
            next_server,
        }
    }

    /// The address, and for how long.
    pub(super) fn lease(mut self, address: Ipv4Addr, lease: Duration) -> Self {
        self.message.yiaddr = address;
        if self.message_type == MessageType::Ack {
            self.message.ciaddr = self.client.message.ciaddr;
        }
        let seconds = u32::try_from(lease.as_secs()).unwrap_or(u32::MAX);
        let (renews, rebinds) = renewal::times(seconds, self.client.mac);
        let options = &mut self.message.options;
        options.set(option::LEASE_TIME, seconds.to_be_bytes());
        options.set(option::T1, renews.to_be_bytes());
        options.set(option::T2, rebinds.to_be_bytes());
        self
    }

    /// How it will be called by this address, if the packet offers that: also by a number that is given when it asks for it.
    pub(super) fn called(mut self, address: Ipv4Addr, name: Option<String>) -> Self {
        if self.settings.numbering.number(address).is_some() {
            self.node_name = name;
            return self;
        }
        self.lent.retain(|(own, _)| *own != address);
        self.lent.extend(name.map(|name| (address, name)));
        self
    }

    /// Why its address is not its own, for who prints that (RFC 2131, table 3: option 56, "SHOULD").
    pub(super) fn because(mut self, why: String) -> Self {
        self.message.options.set(option::MESSAGE, why);
        self
    }

    /// What it answers is an INFORM: the client has its address, and hears this there (RFC 2131 4.3.5).
    pub(super) fn informed(mut self) -> Self {
        // RFC 2131, table 3, of an ACK: "'ciaddr' from DHCPREQUEST or 0". A relay that gets it all the same sends it there.
        self.message.ciaddr = self.client.message.ciaddr;
        // It goes by no relay, who would take this out (RFC 3046 2.1). What has no address of its own for us, as a switch that looks on, sees it go by all the same, and
        // "SHALL" have it back (RFC 3046 2.2).
        if !self.message.giaddr.is_unspecified() {
            self.message.options.remove(option::RELAY_AGENT);
        }
        self
    }

    /// The network's parameters, what the operator says beside them, and what to boot. `address` is the client's own.
    pub(super) fn parameters(mut self, address: Ipv4Addr) -> Self {
        let settings = self.settings;
        let mut parameters = Options::default();
        let options = &mut parameters;
        options.set(option::SUBNET_MASK, settings.mask().octets());
        options.set(option::BROADCAST, settings.broadcast().octets());
        if let Some(gateway) = settings.gateway {
            options.set(option::ROUTER, gateway.octets());
        }
        if !self.looks_up_nothing() {
            options.set(option::DNS, self.served().octets());
        }
        options.set(option::DOMAIN_NAME, self.cluster);
        // A temporary address has no permanent name.
        if let Some(name) = self.node_name.as_ref().filter(|_| settings.numbering.number(address).is_some()) {
            options.set(option::HOST_NAME, format!("{name}{}", settings.numbering.suffix));
        }
        if let Some(name) = self.host_name {
            options.set(option::HOST_NAME, name);
        }
        self.boot(None);
        let own = [option::T1, option::T2].map(|code| (code, self.message.options.u32(code)));
        self.say(|_| true, &mut parameters);
        keep_in_order(&mut self.message.options, own);
        let asked = self.client.message.options.get(option::PARAMETER_LIST);
        told::select(&mut self.message.options, &parameters, asked, &self.tables);
        self.of_protocol();
        self
    }

    /// Our address where names and HTTP are served.
    fn served(&self) -> Ipv4Addr {
        network::served_address(self.config, self.client.server, Some(&self.client.interface))
    }

    /// What the client's own protocol adds or leaves out, before it is reckoned what there is room for.
    fn of_protocol(&mut self) {
        if let Some(name) = fqdn::answer(&self.client.message, self.true_name()) {
            self.message.options.set(option::FQDN, name);
        }
        if self.client.is_bootp() {
            bootp::plain(&mut self.message, self.client);
        }
    }

    /// What to boot and nothing else, beside another server's offer.
    pub(super) fn boot_only(mut self) -> Self {
        self.boot(None);
        self.boot_options();
        self
    }

    /// What to boot, to whom has an address: the entry of the menu that was chosen. None: that is not ours to answer.
    pub(super) fn boot_server(mut self, item: Option<Item>) -> Option<Self> {
        self.message.ciaddr = self.client.message.ciaddr;
        if let Some(item) = item {
            self.offered = pxe::entry(self.config, self.client, item)?;
        }
        self.boot(item);
        if self.client.mode == Mode::Proxy {
            self.boot_options();
        }
        // Whoever comes to a boot server takes its word for it by this (PXE 2.1, 2.2.4).
        self.message.options.set(option::VENDOR_CLASS, self.client.class.as_str());
        self.names_something().then_some(self)
    }

    /// Whether it says what to boot: by a file, or by the menu that has none.
    pub(super) fn names_something(&self) -> bool {
        self.offered != Offered::Nothing || self.client.traits.contains(&Trait::RaspberryPi)
    }

    /// Whether this is firmware that is better not told who knows names, and the file that it is to load is at an address, whoever named it.
    fn looks_up_nothing(&self) -> bool {
        let is_at_address =
            matches!(&self.offered, Offered::File(BootFile::Url(url)) if boot::is_at_address(url));
        is_at_address && self.client.traits.contains(&Trait::NoNameServers)
    }

    /// What firmware is to boot.
    fn boot(&mut self, item: Option<Item>) {
        let (offered, pxe) = (&self.offered, &self.config.pxe);
        pxe::tell(&mut self.message, self.client, offered, self.next_server, pxe, item);
    }

    /// What the operator says to whoever boots, where all else is another server's to say.
    fn boot_options(&mut self) {
        let mut parameters = Options::default();
        self.say(told::is_for_boot, &mut parameters);
        let asked = self.client.message.options.get(option::PARAMETER_LIST);
        told::select(&mut self.message.options, &parameters, asked, &self.tables);
    }

    /// What the operator says of these options.
    fn say(&mut self, is_spoken_of: impl Fn(u8) -> bool, parameters: &mut Options) {
        // Whoever is told that we speak PXE takes option 43 for PXE's, and boots by it, or waits for what it lacks.
        let is_pxes = [option::VENDOR_SPECIFIC, option::VENDOR_CLASS]
            .iter()
            .any(|code| self.message.options.contains(*code));
        // What firmware is told in option 60, or not, is what it boots by ([`Trait`]).
        let (is_firmware, looks_up_nothing) = (self.client.firmware.is_some(), self.looks_up_nothing());
        let firmwares_own = [
            (option::VENDOR_SPECIFIC, is_pxes),
            (option::VENDOR_CLASS, is_firmware),
            (option::DNS, looks_up_nothing),
        ];
        let is_firmwares_own = |path: &OptionPath| {
            firmwares_own.iter().any(|(code, is)| *is && *path == OptionPath::Whole(*code))
        };
        for table in &self.tables {
            // What is said to everybody, or to all of a network, is meant for devices of some other maker (RFC 2132 8.4), and for systems.
            let for_all = [&self.config.options, &self.settings.options];
            let is_for_all = for_all.iter().any(|all| std::ptr::eq(*all, *table));
            let is_left_out = |path: &OptionPath| is_for_all && is_firmwares_own(path);
            let is_said = |path: &OptionPath| is_spoken_of(path.code()) && !is_left_out(path);
            told::apply(table, is_said, &mut self.message.options, parameters);
        }
    }

    /// What is missing in the configuration, if the client boots and is told of nothing.
    pub(super) fn missing_boot_file(&self) -> Option<Missing> {
        let knows = self.client.traits.contains(&Trait::KnowsItsFiles) && self.client.mode != Mode::Proxy;
        let is_told = self.is_named || self.names_something() || knows;
        self.client.firmware.filter(|_| !is_told)?;
        Some(match self.client.firmware_kind {
            Some(kind) => {
                let key = kind.row().key;
                Missing {
                    what: format!("there is no boot.{key}"),
                    to_do: format!("set {key} in [boot] of the configuration"),
                }
            }
            None => {
                let architecture = self.client.architecture;
                Missing {
                    // One sentence whatever number a packet has: who makes them up is told of once.
                    what: "there is none for its architecture".into(),
                    to_do: format!(
                        "add [[pxe.service]] with architecture = \"{architecture}\" and its file to the configuration"
                    ),
                }
            }
        })
    }

    /// What firmware is told to load by this, and whose that is.
    pub(super) fn named(&self, turn: &Turn<'_>) -> Named {
        let traits = &self.client.traits;
        let knows = traits.contains(&Trait::KnowsItsFiles) || traits.contains(&Trait::RaspberryPi);
        let by_option = || told::server_name(&self.tables);
        let of_path = || self.next_server.map(|server| server.to_string()).or_else(by_option);
        let (file, host) = match &self.offered {
            Offered::File(BootFile::Url(url)) => (Some(url), boot::host_of(url).map(str::to_owned)),
            Offered::File(BootFile::Path(path)) => (Some(path), of_path()),
            Offered::Menu(_) => (None, None),
            Offered::Nothing if knows => (None, self.next_server.map(|server| server.to_string())),
            Offered::Nothing => return Named::Nothing,
        };
        let is_ours = |host: &String| match host.parse() {
            Ok(address) => address == self.client.server || is_own(turn, address),
            Err(_) => bootp::is_our_name(turn, self.client, host.as_bytes()),
        };
        let file = file.cloned();
        match host.filter(|host| !is_ours(host)) {
            Some(server) => Named::Elsewhere { file, server },
            None => Named::Ours(file.filter(|file| !file.contains("://"))),
        }
    }

    /// What is booted, for the history.
    pub(super) fn describe(&self) -> impl fmt::Display {
        Described(&self.offered)
    }

    /// The packet, to where its question came from.
    pub(super) fn send_to(self, target: DhcpTarget) -> DhcpSend {
        DhcpSend { target, ..self.send() }
    }

    /// The packet, where nothing that it may lack has to be told.
    pub(super) fn send(self) -> DhcpSend {
        self.packet().send
    }

    /// The packet, and how it gets there (RFC 2131 4.1).
    pub(super) fn packet(mut self) -> Packet {
        let asked = &self.client.message;
        let is_nak = self.message_type == MessageType::Nak;
        let (has_address, is_relayed) = (!asked.ciaddr.is_unspecified(), !asked.giaddr.is_unspecified());
        // "directly to the address given in the 'ciaddr' field" (4.3.5): a relay forwards to yiaddr, which an INFORM's answer has not.
        let is_informed = asked.message_type() == Some(MessageType::Inform) && has_address;
        let target = if is_relayed && !is_informed {
            // "the server MUST set the broadcast bit in the DHCPNAK" (RFC 2131 4.3.2), so that the relay does not look for an address that is not the client's. Nor for 0.0.0.0
            // (RFC 1542 4.1.2: it sends to yiaddr unless the bit is set), which is what stands in a proxy's offer.
            self.message.broadcast |=
                self.message.yiaddr.is_unspecified() && self.message.ciaddr.is_unspecified();
            // RFC 4390 2.2: over InfiniBand the relay has no hardware address to send to either, until ARP can find one.
            self.message.broadcast |= asked.is_infiniband() && !has_address;
            // RFC 8357 5: a relay that says so has sent from a port of its own, and is answered there.
            let port = match asked.relay_information().has_own_port {
                true => self.client.source.port(),
                false => SERVER_PORT,
            };
            DhcpTarget::Address(SocketAddrV4::new(asked.giaddr, port))
        } else if is_nak && has_address && !self.settings.on_link {
            // "the server broadcasts any DHCPNAK messages to 0xffffffff" where giaddr is zero (4.1): on this link, where who renews through a router does not hear it. It has
            // its address still, and is told there; else it would go on with that until T2.
            DhcpTarget::Address(SocketAddrV4::new(asked.ciaddr, CLIENT_PORT))
        } else if asked.is_infiniband() && !is_nak && has_address {
            // RFC 4390 2.2: who has an address is found by ARP, which only the kernel can do there.
            DhcpTarget::Address(SocketAddrV4::new(asked.ciaddr, CLIENT_PORT))
        } else if asked.is_infiniband() {
            // RFC 4390 2.2: everybody else hears broadcasts alone, whether the flag says so or not.
            DhcpTarget::Frame(Mac::BROADCAST, Ipv4Addr::BROADCAST)
        } else if is_nak || (!has_address && (asked.broadcast || self.message.yiaddr.is_unspecified())) {
            // Also what gives no address: a proxy's offer is for whoever has none yet.
            DhcpTarget::Frame(Mac::BROADCAST, Ipv4Addr::BROADCAST)
        } else if (!self.settings.on_link || is_relayed) && has_address {
            DhcpTarget::Address(SocketAddrV4::new(asked.ciaddr, CLIENT_PORT))
        } else {
            let address = if has_address { asked.ciaddr } else { self.message.yiaddr };
            DhcpTarget::Frame(self.client.mac, address)
        };
        let Fitted { octets, left_out } = self.message.fit(self.octets_max(), self.may_overload());
        let (interface, source) = (self.client.interface.clone(), self.client.server);
        Packet { send: DhcpSend { interface, source, target, payload: octets }, left_out }
    }

    /// The whole name that DNS has for the address of this packet, if it has one.
    fn true_name(&self) -> Option<String> {
        let Message { yiaddr, ciaddr, .. } = self.message;
        let informed = self.client.message.ciaddr;
        let address = [yiaddr, ciaddr, informed].into_iter().find(|address| !address.is_unspecified())?;
        if let Some((_, name)) = self.host.filter(|(own, _)| *own == address) {
            return Some(format!("{name}.{}", self.cluster));
        }
        if let Some((_, name)) = self.lent.iter().find(|(own, _)| *own == address) {
            return Some(format!("{name}.{}", self.cluster));
        }
        let numbering = &self.settings.numbering;
        let name = self.node_name.as_ref().filter(|_| numbering.number(address).is_some())?;
        Some(format!("{name}{}.{}", numbering.suffix, self.cluster))
    }

    /// Firmware is not asked to look for options where a boot file's name or a server's may stand: not every ROM knows option 52.
    fn may_overload(&self) -> bool {
        self.client.firmware.is_none() && !self.client.is_bootp()
    }

    /// Octets that the client can take. EDK2 says 65280 in its REQUESTs: nothing above a frame is believed.
    fn octets_max(&self) -> usize {
        if self.client.is_bootp() {
            return bootp::OCTETS_MAX;
        }
        let said = self.client.message.options.u16(option::MAX_SIZE).unwrap_or(DATAGRAM_OCTETS_MIN);
        usize::from(said.clamp(DATAGRAM_OCTETS_MIN, DATAGRAM_OCTETS_MAX) - HEADER_OCTETS)
    }
}

/// "T1 MUST be earlier than T2, which, in turn, MUST be earlier than the time at which the client's lease will expire" (RFC 2131 4.4.5). One table may be for leases of several
/// lengths: where what it says does not fit this one, its client is told what it would be told without.
fn keep_in_order(options: &mut Options, own: [(u8, Option<u32>); 2]) {
    let Some(lease) = options.u32(option::LEASE_TIME) else { return };
    let renews = options.u32(option::T1).unwrap_or(0);
    let rebinds = options.u32(option::T2).unwrap_or_else(|| lease.saturating_sub(1));
    if renews < rebinds && rebinds < lease {
        return;
    }
    for (code, seconds) in own {
        match seconds {
            Some(seconds) => options.set(code, seconds.to_be_bytes()),
            None => options.remove(code),
        }
    }
}

/// What is booted, written where it is told.
struct Described<'a>(&'a Offered<'a>);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Offered::File(BootFile::Path(file) | BootFile::Url(file)) => write!(f, ", boot file {file}"),
            Offered::Menu(services) => write!(f, ", a menu of {} entries", services.len()),
            Offered::Nothing => Ok(()),
        }
    }
}

/// The names that a client goes by at the addresses that are lent to it.
fn lent_names(turn: &Turn<'_>, mac: Mac) -> Vec<(Ipv4Addr, String)> {
    let named = |(address, _)| Some((address, turn.hall.naming.name(address)?.to_owned()));
    turn.hall.leases.of(mac).filter_map(named).collect()
}
