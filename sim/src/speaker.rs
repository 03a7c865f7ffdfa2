//! A machine: what it says to the server as ROM, loader or system, and how it understands what comes back.

use heorot_core::mac::Mac;
use heorot_core::message::{DhcpSend, DhcpTarget};
use heorot_core::wire::dhcp::{Message, MessageType, Op, Options, option};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Which program of a machine speaks. Each has options and identifiers of its own, as recorded from real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// EDK2's PXE client: no client identifier, wants its answers broadcast, says 65280 for its packet size.
    Uefi,
    /// EDK2's HTTP boot client.
    UefiHttp,
    /// UEFI on 64-bit ARM, by PXE and by HTTP.
    UefiArm64,
    /// The same, by HTTP.
    HttpArm64,
    /// UEFI on x86-64 that says its number as RFC 4578 had it before its erratum.
    UefiEbc,
    /// A BIOS ROM by the PXE specification.
    Bios,
    /// A BIOS ROM whose maker calls it otherwise.
    Maker,
    /// A Raspberry Pi's ROM: the same words as a BIOS.
    Pi,
    /// A Raspberry Pi 4: the same, but its REQUEST has no vendor class.
    Pi4,
    /// U-Boot on 64-bit ARM: its architecture, and a vendor class of its own.
    UBoot,
    /// Etherboot 5.4: option 175, and neither architecture nor user class.
    Etherboot,
    /// gPXE: as iPXE, under its own name.
    Gpxe,
    /// iPXE: the client identifier is 01 and the hardware address.
    Ipxe,
    /// An operating system that identifies itself by a DUID (systemd-networkd, dhcpcd).
    System,
    /// An operating system without client identifier (ipconfig, dhclient).
    Plain,
    /// FlexBoot, the ROM of InfiniBand adapters: RFC 4390's form, with an identifier of Mellanox.
    IbRom,
    /// iPXE over InfiniBand: the port's GUID as hardware address and in its identifier.
    IbIpxe,
    /// dhclient over InfiniBand: a DUID of the link-layer address (RFC 4361).
    IbSystem,
    /// NetworkManager over InfiniBand: hardware type and GUID for its identifier.
    IbPlain,
}

impl Speaker {
    /// The speaker of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "uefi" => Self::Uefi,
            "uefi-http" => Self::UefiHttp,
            "uefi-arm64" => Self::UefiArm64,
            "http-arm64" => Self::HttpArm64,
            "uefi-ebc" => Self::UefiEbc,
            "bios" => Self::Bios,
            "maker" => Self::Maker,
            "pi" => Self::Pi,
            "pi-4" => Self::Pi4,
            "u-boot" => Self::UBoot,
            "etherboot" => Self::Etherboot,
            "gpxe" => Self::Gpxe,
            "ipxe" => Self::Ipxe,
            "system" => Self::System,
            "plain" => Self::Plain,
            "ib-rom" => Self::IbRom,
            "ib-ipxe" => Self::IbIpxe,
            "ib-system" => Self::IbSystem,
            "ib-plain" => Self::IbPlain,
            _ => return None,
        })
    }

    fn vendor_class(self) -> Option<&'static str> {
        match self {
            Self::Uefi => Some("PXEClient:Arch:00007:UNDI:003000"),
            Self::UefiHttp => Some("HTTPClient:Arch:00016:UNDI:003000"),
            Self::UefiArm64 => Some("PXEClient:Arch:00011:UNDI:003000"),
            Self::HttpArm64 => Some("HTTPClient:Arch:00019:UNDI:003000"),
            Self::UefiEbc => Some("PXEClient:Arch:00009:UNDI:003000"),
            Self::UBoot => Some("U-Boot.armv8"),
            Self::Etherboot => Some("Etherboot-5.4"),
            Self::Bios | Self::Ipxe | Self::Gpxe | Self::Pi | Self::Pi4 | Self::IbRom | Self::IbIpxe => {
                Some("PXEClient:Arch:00000:UNDI:002001")
            }
            Self::Maker => Some("HW-Client:Arch:00000:UNDI:002001"),
            Self::System | Self::Plain | Self::IbSystem | Self::IbPlain => None,
        }
    }

    fn architecture(self) -> Option<u16> {
        match self {
            Self::Uefi => Some(7),
            Self::UefiHttp => Some(16),
            Self::UefiArm64 => Some(11),
            Self::HttpArm64 => Some(19),
            Self::UefiEbc => Some(9),
            Self::Bios | Self::Ipxe | Self::Gpxe | Self::Pi | Self::Pi4 | Self::IbRom | Self::IbIpxe => {
                Some(0)
            }
            Self::UBoot => Some(22),
            Self::Maker | Self::Etherboot => None,
            Self::System | Self::Plain | Self::IbSystem | Self::IbPlain => None,
        }
    }

    fn is_infiniband(self) -> bool {
        matches!(self, Self::IbRom | Self::IbIpxe | Self::IbSystem | Self::IbPlain)
    }

    fn client_identifier(self, mac: Mac) -> Option<Vec<u8>> {
        let guid = port_guid(mac);
        match self {
            // ff, IAID 0, DUID-EN of Mellanox, 00 (the manual of FlexBoot).
            Self::IbRom => Some([&[0xff, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0xc9, 0][..], &guid].concat()),
            Self::IbIpxe | Self::IbPlain => Some([&[32][..], &guid].concat()),
            // ff, IAID, DUID-LL of hardware type 32 with flags and queue pair, subnet prefix and GUID.
            Self::IbSystem => {
                let before = [0x80, 0, 0, 0x48, 0xfe, 0x80, 0, 0, 0, 0, 0, 0];
                Some([&[0xff, 0, 1, 2, 3, 0, 3, 0, 32][..], &before, &guid].concat())
            }
            Self::Ipxe => Some([&[1][..], &mac.0].concat()),
            // ff, IAID, DUID-EN of systemd (enterprise 43793) with a hash of the machine id.
            Self::System => Some([&[0xff, 9, 9, 9, 9, 0, 2, 0, 0, 0xab, 0x11][..], &[7; 8]].concat()),
            Self::Uefi
            | Self::UefiHttp
            | Self::UefiArm64
            | Self::HttpArm64
            | Self::UefiEbc
            | Self::Bios
            | Self::Maker
            | Self::Pi
            | Self::Pi4
            | Self::UBoot
            | Self::Etherboot
            | Self::Gpxe
            | Self::Plain => None,
        }
    }
}

/// The port of which a ROM makes this 48-bit address.
fn port_guid(Mac([a, b, c, d, e, f]): Mac) -> [u8; 8] {
    [a, b, c, 0x03, 0, d, e, f]
}

/// One packet of a machine's. What is not set is zero or left out.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Who speaks.
    pub speaker: Speaker,
    /// Its hardware address.
    pub mac: Mac,
    /// What it wants.
    pub message_type: MessageType,
    /// The address it uses already.
    pub ciaddr: Ipv4Addr,
    /// The address it wants (option 50).
    pub requested: Option<Ipv4Addr>,
    /// The server it means (option 54).
    pub server: Option<Ipv4Addr>,
    /// The entry of a menu that was chosen (option 43.71).
    pub entry: Option<u16>,
    /// Whether it asks for a broadcast answer although its kind does not always.
    pub broadcast: bool,
    /// The relay it came through.
    pub relay: Ipv4Addr,
    /// The network that the relay selects for it (RFC 3527).
    pub link: Option<Ipv4Addr>,
    /// The address that the relay gives for the server's (RFC 5107).
    pub stands_for: Option<Ipv4Addr>,
    /// The port of the relay that it is at: 12 is the circuit "port12" (RFC 3046).
    pub port: Option<u8>,
    /// The network that it selects itself (RFC 3011).
    pub subnet: Option<Ipv4Addr>,
    /// Whether it would do without an offer (RFC 4039).
    pub rapid: bool,
    /// Whether the relay says that it sends from a port of its own (RFC 8357).
    pub own_port: bool,
    /// How it calls itself (option 12).
    pub name: Option<String>,
    /// Whether it asks for no broadcast answer although it hears nothing else.
    pub quiet: bool,
    /// Its number; [`USUAL_XID`] if that does not matter: two machines that were switched on together were seen to send the same.
    pub xid: u32,
}

/// The number of packets of which nobody says another one.
pub const USUAL_XID: u32 = 0x1234_5678;

impl Packet {
    /// The packet's octets.
    pub fn write(&self) -> Vec<u8> {
        let mut options = Options::default();
        options.set(option::MESSAGE_TYPE, vec![self.message_type as u8]);
        if let Some(address) = self.requested {
            options.set(option::REQUESTED_ADDRESS, address.octets());
        }
        if let Some(name) = &self.name {
            options.set(option::HOST_NAME, name);
        }
        if let Some(server) = self.server {
            options.set(option::SERVER_IDENTIFIER, server.octets());
        }
        let says_class = self.speaker != Speaker::Pi4 || self.message_type != MessageType::Request;
        if let Some(class) = self.speaker.vendor_class().filter(|_| says_class) {
            options.set(option::VENDOR_CLASS, class);
        }
        if let Some(architecture) = self.speaker.architecture() {
            options.set(option::ARCHITECTURE, architecture.to_be_bytes());
        }
        if let Some(identifier) = self.speaker.client_identifier(self.mac) {
            options.set(option::CLIENT_IDENTIFIER, identifier);
        }
        if matches!(self.speaker, Speaker::Ipxe | Speaker::IbIpxe) {
            options.set(option::USER_CLASS, b"iPXE");
        }
        match self.speaker {
            Speaker::Etherboot => options.set(option::IPXE, [1, 1, 1]),
            Speaker::Gpxe => {
                options.set(option::USER_CLASS, b"gPXE");
                // Its version, and that it has HTTP.
                options.set(option::IPXE, [235, 3, 0, 9, 9, 19, 1, 1]);
            }
            Speaker::Ipxe | Speaker::IbIpxe => options.set(option::IPXE, [235, 3, 1, 21, 1, 19, 1, 1]),
            Speaker::Uefi
            | Speaker::UefiHttp
            | Speaker::UefiArm64
            | Speaker::HttpArm64
            | Speaker::UefiEbc
            | Speaker::Bios
            | Speaker::Maker
            | Speaker::Pi
            | Speaker::Pi4
            | Speaker::UBoot
            | Speaker::System
            | Speaker::Plain
            | Speaker::IbRom
            | Speaker::IbSystem
            | Speaker::IbPlain => {}
        }
        if let Some(kind) = self.entry {
            // PXE 2.1, table 2-1: sub-option 71, the entry and its layer 0.
            let [high, low] = kind.to_be_bytes();
            options.set(option::VENDOR_SPECIFIC, vec![71, 4, high, low, 0, 0, 255]);
        }
        let is_uefi = matches!(
            self.speaker,
            Speaker::Uefi | Speaker::UefiHttp | Speaker::UefiArm64 | Speaker::HttpArm64 | Speaker::UefiEbc
        );
        if is_uefi {
            options.set(option::MAX_SIZE, 65_280_u16.to_be_bytes());
        }
        options.set(option::PARAMETER_LIST, vec![1, 3, 6, 12, 15, 28, 43, 51, 54, 58, 59, 60, 66, 67]);
        if let Some(subnet) = self.subnet {
            options.set(option::SUBNET_SELECTION, subnet.octets());
        }
        if self.rapid {
            options.set(option::RAPID_COMMIT, Vec::new());
        }
        let of_relay = [(5, self.link), (11, self.stands_for)];
        let of_relay = of_relay.into_iter().filter_map(|(code, address)| Some((code, address?)));
        let mut of_relay: Vec<u8> =
            of_relay.flat_map(|(code, address)| [&[code, 4][..], &address.octets()].concat()).collect();
        if let Some(port) = self.port {
            let circuit = format!("port{port}");
            of_relay.extend([option::RELAY_CIRCUIT, circuit.len() as u8]);
            of_relay.extend(circuit.bytes());
        }
        if self.own_port {
            of_relay.extend([19, 0]);
        }
        if !of_relay.is_empty() {
            options.set(option::RELAY_AGENT, of_relay);
        }
        let guid = port_guid(self.mac);
        let (htype, address) = match self.speaker {
            Speaker::IbRom | Speaker::IbSystem | Speaker::IbPlain => (32, &[][..]),
            Speaker::IbIpxe => (32, &guid[..]),
            Speaker::Uefi | Speaker::UefiHttp | Speaker::Bios => (1, &self.mac.0[..]),
            Speaker::Ipxe
            | Speaker::System
            | Speaker::Plain
            | Speaker::UefiArm64
            | Speaker::HttpArm64
            | Speaker::UefiEbc
            | Speaker::Maker
            | Speaker::Pi
            | Speaker::Pi4
            | Speaker::UBoot
            | Speaker::Etherboot
            | Speaker::Gpxe => (1, &self.mac.0[..]),
        };
        let mut chaddr = [0; 16];
        chaddr[..address.len()].copy_from_slice(address);
        let message = Message {
            htype,
            hlen: u8::try_from(address.len()).expect("no address is longer than its field"),
            hops: u8::from(!self.relay.is_unspecified()),
            xid: self.xid,
            broadcast: self.broadcast
                || is_uefi
                || self.speaker.is_infiniband() && self.ciaddr.is_unspecified() && !self.quiet,
            ciaddr: self.ciaddr,
            giaddr: self.relay,
            chaddr,
            options,
            ..Message::request()
        };
        message.write(1472)
    }
}

/// Where other servers' frames come from.
pub const OTHER_SERVER_MAC: Mac = Mac([0x52, 0x54, 0x02, 0, 0, 9]);

/// What another server tells a machine.
pub fn other_reply(
    server: Ipv4Addr,
    message_type: MessageType,
    address: Ipv4Addr,
    mac: Mac,
    (boot_file, next_server, class): (Option<&str>, Option<Ipv4Addr>, Option<&str>),
) -> Vec<u8> {
    let mut options = Options::default();
    options.set(option::MESSAGE_TYPE, vec![message_type as u8]);
    options.set(option::SERVER_IDENTIFIER, server.octets());
    if let Some(file) = boot_file {
        options.set(option::BOOT_FILE, file);
    }
    if let Some(class) = class {
        options.set(option::VENDOR_CLASS, class);
    }
    let mut chaddr = [0; 16];
    chaddr[..6].copy_from_slice(&mac.0);
    let none = Ipv4Addr::UNSPECIFIED;
    let is_nak = message_type == MessageType::Nak;
    let message = Message {
        op: Op::BootReply,
        xid: USUAL_XID,
        broadcast: true,
        yiaddr: if is_nak { none } else { address },
        siaddr: next_server.unwrap_or(none),
        chaddr,
        options,
        ..Message::request()
    };
    message.write(576)
}

/// What a machine, or somebody who listens on its link, sees of an answer: one line.
///
/// # Panics
/// If the server sent what is no answer.
pub fn describe(send: &DhcpSend) -> String {
    let message = Message::parse(&send.payload).expect("the server writes what can be read");
    assert_eq!(message.op, Op::BootReply);
    // Those of BOOTP have no type (RFC 1534 2).
    let kind = message.message_type().map(|kind| format!("{kind:?}"));
    let mut line = kind.map_or_else(|| "BOOTP".into(), |kind| kind.to_uppercase());
    if !message.yiaddr.is_unspecified() {
        let _ = write!(line, " {}", message.yiaddr);
    }
    let _ = match send.target {
        DhcpTarget::Frame(Mac::BROADCAST, _) => write!(line, " to everybody"),
        DhcpTarget::Frame(mac, address) => write!(line, " to {mac} {address}"),
        // A relay goes on as the flag says.
        DhcpTarget::Address(address) if !message.giaddr.is_unspecified() && message.broadcast => {
            write!(line, " to {address} broadcast")
        }
        DhcpTarget::Address(address) => write!(line, " to {address}"),
        DhcpTarget::BootServer(address) => write!(line, " to {address} from port 4011"),
    };
    // Who is given no address is named by the one that it has.
    if message.yiaddr.is_unspecified() && !message.ciaddr.is_unspecified() {
        let _ = write!(line, " ciaddr={}", message.ciaddr);
    }
    let options = &message.options;
    if let Some(seconds) = options.u32(option::LEASE_TIME) {
        let _ = write!(line, " lease={seconds}");
    }
    if let Some(name) = options.text(option::HOST_NAME) {
        let _ = write!(line, " name={name}");
    }
    let file = options.text(option::BOOT_FILE).map(str::to_owned);
    let field = String::from_utf8_lossy(&message.file).into_owned();
    if let Some(file) = file.or_else(|| (!field.is_empty()).then_some(field)) {
        let _ = write!(line, " boot={file}");
    }
    if let Some(class) = options.text(option::VENDOR_CLASS) {
        let _ = write!(line, " class={class}");
    }
    match options.get(option::VENDOR_SPECIFIC) {
        None => {}
        Some([6, 1, 8, 255]) => line += " file-is-named",
        Some(said) => {
            let _ = write!(line, " 43={}", said.escape_ascii());
        }
    }
    if let Some(server) = options.text(option::TFTP_SERVER) {
        let _ = write!(line, " 66={server}");
    }
    if !message.sname.is_empty() {
        let _ = write!(line, " sname={}", message.sname.escape_ascii());
    }
    if let Some(server) = options.address(option::SERVER_IDENTIFIER).filter(|server| *server != send.source) {
        let _ = write!(line, " server={server}");
    }
    if let Some(subnet) = options.address(option::SUBNET_SELECTION) {
        let _ = write!(line, " subnet={subnet}");
    }
    if message.options.contains(option::RAPID_COMMIT) {
        line += " at once";
    }
    if options.contains(option::RELAY_AGENT) {
        line += " with the relay's own";
    }
    if options.get(option::IPXE) == Some(&[176, 1, 1]) {
        line += " no-pxedhcp";
    }
    // Who gives an address or a file is the next server too, unless another one is told.
    let has_address = !message.yiaddr.is_unspecified();
    let has_file = options.contains(option::BOOT_FILE) || !message.file.is_empty();
    let is_expected = (has_address || has_file) && message.siaddr == send.source;
    if !message.siaddr.is_unspecified() && !is_expected {
        let _ = write!(line, " siaddr={}", message.siaddr);
    }
    if has_address && message.siaddr.is_unspecified() {
        line += " no-next-server";
    }
    if options.contains(option::LEASE_TIME) && !options.contains(option::DNS) {
        line += " no-name-servers";
    }
    line
}
