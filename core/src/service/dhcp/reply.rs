use super::client::Client;
use super::{bootp, fqdn, renewal, told};
use crate::cluster::boot::{self, BootFile};
use crate::config::{FirmwareKind, Network, OptionTable};
use crate::hall::Turn;
use crate::mac::Mac;
use crate::message::{DhcpSend, DhcpTarget};
use crate::wire::dhcp::{Message, MessageType, Op, Options, option};
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
    /// The same, with the address by which DNS has it.
    host: Option<(Ipv4Addr, &'a str)>,
    /// The operator's options, the later before the earlier.
    tables: Vec<&'a OptionTable>,
    boot_file: Option<BootFile>,
    /// The option of `[boot]` that is missing.
    missing_boot_file: Option<&'static str>,
}

/// Port of clients, and of servers and relays (RFC 2131 4.1).
const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;

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
        options.set(option::MESSAGE_TYPE, vec![message_type as u8]);
        options.set(option::SERVER_IDENTIFIER, client.identifier().octets().into());
        // RFC 6842: the client identifier comes back, although it was not asked for its opinion. PXE 2.1 wants the machine identifier back too.
        // RFC 3046 2.2: so does the relay's own information. RFC 3011 4: and the subnet that was selected.
        for code in
            [option::CLIENT_IDENTIFIER, option::CLIENT_MACHINE, option::RELAY_AGENT, option::SUBNET_SELECTION]
        {
            if let Some(value) = asked.options.get(code) {
                options.set(code, value.into());
            }
        }
        // RFC 4039 3.1: an ACK to a DISCOVER says that it is one.
        if message_type == MessageType::Ack && asked.message_type() == Some(MessageType::Discover) {
            options.set(option::RAPID_COMMIT, Vec::new());
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
        let node_name = number.map(|number| turn.name(number));
        let tables = client.meant.option_tables(turn, client);
        let named = client.meant.boot_file(turn, client, &tables);
        let of_firmware =
            || client.firmware_kind.and_then(|kind| boot::boot_file(turn.config, kind, client.server));
        let boot_file = match &named {
            Some(none) if none.is_empty() => None,
            Some(name) => Some(boot::named_file(turn.config, client.firmware, client.server, name)),
            None => of_firmware(),
        };
        let is_missing = named.is_none() && boot_file.is_none();
        let missing_boot_file = client.firmware_kind.filter(|_| is_missing).map(boot::boot_option);
        Self {
            client,
            settings: &turn.config.networks[client.place],
            message_type,
            message,
            cluster: &turn.config.cluster.name,
            node_name,
            host_name: client.meant.host(turn).and_then(|host| host.name.as_deref()),
            host: client.meant.host(turn).and_then(|host| Some((host.address?, host.name.as_deref()?))),
            tables,
            boot_file,
            missing_boot_file,
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
        options.set(option::LEASE_TIME, seconds.to_be_bytes().into());
        options.set(option::T1, renews.to_be_bytes().into());
        options.set(option::T2, rebinds.to_be_bytes().into());
        self
    }

    /// The network's parameters, what the operator says beside them, and what to boot. `address` is the client's own.
    pub(super) fn parameters(mut self, address: Ipv4Addr) -> Self {
        let settings = self.settings;
        let mut parameters = Options::default();
        let options = &mut parameters;
        options.set(option::SUBNET_MASK, settings.mask().octets().into());
        options.set(option::BROADCAST, settings.broadcast().octets().into());
        if let Some(gateway) = settings.gateway {
            options.set(option::ROUTER, gateway.octets().into());
        }
        options.set(option::DNS, self.client.server.octets().into());
        options.set(option::DOMAIN_NAME, self.cluster.into());
        // A temporary address has no permanent name.
        if let Some(name) = self.node_name.as_ref().filter(|_| settings.numbering.number(address).is_some()) {
            options.set(option::HOST_NAME, format!("{name}{}", settings.numbering.suffix).into());
        }
        if let Some(name) = self.host_name {
            options.set(option::HOST_NAME, name.into());
        }
        self.boot();
        for table in &self.tables {
            told::apply(table, &mut self.message.options, &mut parameters);
        }
        let asked = self.client.message.options.get(option::PARAMETER_LIST);
        told::select(&mut self.message.options, &parameters, asked, &self.tables);
        self
    }

    /// What firmware is to load. Its name stands in option 67 if the client asked for that, with `file` empty; in `file` otherwise, where
    /// every PXE ROM since 1997 looks. No option 60 for PXEClient: EDK2 would then turn to port 4011, where nobody answers.
    fn boot(&mut self) {
        let Some(file) = &self.boot_file else { return };
        let name = match file {
            BootFile::Path(path) => path.clone(),
            BootFile::Url(url) => url.clone(),
        };
        self.message.siaddr = self.client.server;
        let asked = self.client.message.options.get(option::PARAMETER_LIST).unwrap_or_default();
        const FILE_OCTETS_MAX: usize = 127;
        if asked.contains(&option::BOOT_FILE) || name.len() > FILE_OCTETS_MAX {
            self.message.options.set(option::BOOT_FILE, name.into());
        } else {
            self.message.file = name.into();
        }
        match self.client.firmware_kind {
            // UEFI ignores an HTTP boot offer without it.
            Some(FirmwareKind::HttpX64) => {
                self.message.options.set(option::VENDOR_CLASS, b"HTTPClient".into())
            }
            // no-pxedhcp: iPXE is not to wait 2 s for a proxy's offer.
            Some(FirmwareKind::Ipxe) => self.message.options.set(option::IPXE, vec![176, 1, 1]),
            Some(FirmwareKind::Bios | FirmwareKind::UefiX64 | FirmwareKind::UefiArm64) | None => {}
        }
    }

    /// The option of `[boot]` that is missing for this firmware, if one is.
    pub(super) fn missing_boot_file(&self) -> Option<&'static str> {
        self.missing_boot_file
    }

    /// The file that the client is told to load by TFTP, if it is one.
    pub(super) fn boot_path(&self) -> Option<String> {
        match &self.boot_file {
            Some(BootFile::Path(path)) => Some(path.clone()),
            Some(BootFile::Url(_)) | None => None,
        }
    }

    /// What is booted, for the history.
    pub(super) fn describe(&self) -> String {
        match &self.boot_file {
            Some(BootFile::Path(file) | BootFile::Url(file)) => format!(", boot file {file}"),
            None => String::new(),
        }
    }

    /// The packet, and how it gets there (RFC 2131 4.1).
    pub(super) fn send(mut self) -> DhcpSend {
        let asked = &self.client.message;
        let is_nak = self.message_type == MessageType::Nak;
        if !is_nak && let Some(name) = fqdn::answer(asked, self.true_name()) {
            self.message.options.set(option::FQDN, name);
        }
        if self.client.is_bootp() {
            bootp::plain(&mut self.message, self.client);
        }
        let target = if !asked.giaddr.is_unspecified() {
            // "the server SHOULD set the broadcast bit in the DHCPNAK" (4.3.2), so that the relay does not look for an address that is not the client's.
            self.message.broadcast |= is_nak;
            DhcpTarget::Address(SocketAddrV4::new(asked.giaddr, SERVER_PORT))
        } else if asked.is_infiniband() && !is_nak && !asked.ciaddr.is_unspecified() {
            // RFC 4390 2.2: who has an address is found by ARP, which only the kernel can do there.
            DhcpTarget::Address(SocketAddrV4::new(asked.ciaddr, CLIENT_PORT))
        } else if asked.is_infiniband() {
            // RFC 4390 2.2: everybody else hears broadcasts alone, whether the flag says so or not.
            DhcpTarget::Frame(Mac::BROADCAST, Ipv4Addr::BROADCAST)
        } else if is_nak || (asked.ciaddr.is_unspecified() && asked.broadcast) {
            DhcpTarget::Frame(Mac::BROADCAST, Ipv4Addr::BROADCAST)
        } else if !self.settings.on_link && !asked.ciaddr.is_unspecified() {
            DhcpTarget::Address(SocketAddrV4::new(asked.ciaddr, CLIENT_PORT))
        } else if asked.ciaddr.is_unspecified() {
            DhcpTarget::Frame(self.client.mac, self.message.yiaddr)
        } else {
            DhcpTarget::Frame(self.client.mac, asked.ciaddr)
        };
        DhcpSend {
            interface: self.client.interface.clone(),
            source: self.client.server,
            target,
            payload: self.message.fit(self.octets_max(), self.may_overload()).octets,
        }
    }

    /// The whole name that DNS has for the address of this packet, if it has one.
    fn true_name(&self) -> Option<String> {
        let Message { yiaddr, ciaddr, .. } = self.message;
        let informed = self.client.message.ciaddr;
        let address = [yiaddr, ciaddr, informed].into_iter().find(|address| !address.is_unspecified())?;
        if let Some((_, name)) = self.host.filter(|(own, _)| *own == address) {
            return Some(format!("{name}.{}", self.cluster));
        }
        let numbering = &self.settings.numbering;
        let name = self.node_name.as_ref().filter(|_| numbering.number(address).is_some())?;
        Some(format!("{name}{}.{}", numbering.suffix, self.cluster))
    }

    /// The options for which there is no room.
    pub(super) fn left_out(&self) -> Vec<u8> {
        if self.message.octets_most() <= self.octets_max() {
            return Vec::new();
        }
        self.message.fit(self.octets_max(), self.may_overload()).left_out
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
