use super::pxe;
use super::who::Meant;
use crate::cluster::boot;
use crate::cluster::network;
use crate::cluster::node::Firmware;
use crate::cluster::quirk::{self, Asker, Trait};
use crate::config::{Config, FirmwareKind, Mode, Network, Pxe};
use crate::mac::Mac;
use crate::message::Datagram;
use crate::wire::dhcp::{Message, MessageType, Op, Options, encapsulated, option};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Who speaks, from where, and as what.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its hardware address: its identity.
    pub(super) mac: Mac,
    /// Its network, by its place in the configuration.
    pub(super) place: usize,
    /// What we do on that network.
    pub(super) mode: Mode,
    /// The interface by which it is heard, and by which frames go to it.
    pub(super) interface: String,
    /// Our address that it reaches us by.
    pub(super) server: Ipv4Addr,
    /// What asks, if it asks to be booted.
    pub(super) firmware: Option<Firmware>,
    /// Which boot file that needs.
    pub(super) firmware_kind: Option<FirmwareKind>,
    /// Whether it takes a boot file from another server than the one that gives its address: it says so in option 60 (PXE 2.1, 2.2.1), or is iPXE.
    pub(super) hears_proxies: bool,
    /// Its architecture: of those that it says, the first for which firmware of its kind has a loader; a BIOS may say nothing.
    pub(super) architecture: u16,
    /// All that it says ([`architectures`]).
    pub(super) architectures: Vec<u16>,
    /// The word by which answers to it are a PXE server's, for option 60.
    pub(super) class: String,
    /// What it wants different.
    pub(super) traits: Vec<Trait>,
    /// Whether it sent this from the address that it has straight to us, so that no relay has a word in it.
    pub(super) is_straight: bool,
    /// Whom its packet came from.
    pub(super) source: SocketAddrV4,
    /// Whether no user's program can have sent its packet ([`is_of_the_system`]).
    pub(super) is_of_the_system: bool,
    /// What it said.
    pub(super) message: Message,
    /// Whom the operator means by it.
    pub(super) meant: Meant,
}

/// Why nobody can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// A word for the counter.
    Malformed(&'static str),
    /// It is in none of the networks.
    NoNetwork(Box<Unplaced>),
}

impl Unread {
    /// A word for the counter.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Malformed(word) => word,
            Self::NoNetwork(_) => "dhcp-network",
        }
    }
}

/// Who is in none of the networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unplaced {
    /// Its hardware address.
    pub(super) mac: Mac,
    /// The transaction of its packet.
    pub(super) xid: u32,
    /// The relay's own address, if it came by one.
    pub(super) relay: Ipv4Addr,
    /// The address that says in which network it is ([`selected`]).
    pub(super) selected: Ipv4Addr,
    /// Whether it says that it boots from the network.
    pub(super) is_firmware: bool,
}

impl Client {
    /// Reads who speaks out of a packet.
    ///
    /// # Errors
    /// The packet is none that we can answer.
    pub(super) fn read(
        config: &Config,
        datagram: Datagram<'_>,
        mut message: Message,
    ) -> Result<Self, Unread> {
        let mac = message.identity().map_err(Unread::Malformed)?;
        // It looks for servers and has no address, whatever stands there: "0 (DHCPDISCOVER)" (RFC 2131, table 5).
        if message.message_type() == Some(MessageType::Discover) {
            message.ciaddr = Ipv4Addr::UNSPECIFIED;
        }
        let requested = message.options.address(option::REQUESTED_ADDRESS);
        let spoken_of = if message.ciaddr.is_unspecified() {
            requested.unwrap_or(Ipv4Addr::UNSPECIFIED)
        } else {
            message.ciaddr
        };
        // Who has no address yet, or asks everybody, is heard by no router: "the subnet" is that "of the interface on which the message was received" (RFC 2131 4.3.1).
        let may_be_routed = !message.ciaddr.is_unspecified() && !is_to_everybody(config, datagram);
        let selected = selected(&message);
        let place = network::of_client(config, datagram.interface, selected, spoken_of, may_be_routed);
        let Some(place) = place else {
            let (relay, xid) = (message.giaddr, message.xid);
            let is_firmware = firmware(&message, &config.pxe).is_some();
            return Err(Unread::NoNetwork(Box::new(Unplaced { mac, xid, relay, selected, is_firmware })));
        };
        let server = our_address(config, datagram, place);
        // What a relay of its own link added without giving an address is heard as any relay's (RFC 3046 2.1).
        let is_straight = may_be_routed
            && message.giaddr.is_unspecified()
            && !message.options.contains(option::RELAY_AGENT);
        let source = datagram.source;
        let is_of_the_system = is_of_the_system(source, &message, &config.networks[place]);
        let client = Self::new(config, mac, (place, datagram.interface), server, message);
        Ok(Self { is_straight, source, is_of_the_system, ..client })
    }

    /// Whom another server speaks to on a network of ours. What it is that asked is not said in a reply.
    ///
    /// # Errors
    /// A word for the counter.
    pub(super) fn of_reply(config: &Config, place: usize, message: Message) -> Result<Self, &'static str> {
        let mac = message.mac().ok_or("dhcp-hardware-address")?;
        let settings = &config.networks[place];
        Ok(Self::new(config, mac, (place, &settings.interface), settings.address, message))
    }

    fn new(
        config: &Config,
        mac: Mac,
        (place, interface): (usize, &str),
        server: Ipv4Addr,
        message: Message,
    ) -> Self {
        let mode = config.networks[place].mode;
        let said = message.options.get(option::VENDOR_CLASS).unwrap_or_default();
        let firmware = match message.op {
            Op::BootRequest => firmware(&message, &config.pxe),
            Op::BootReply => None,
        };
        let architectures = architectures(&message, &config.pxe);
        let is_its = |architecture: &&u16| {
            firmware.is_some_and(|firmware| boot::firmware_kind(firmware, **architecture).is_some())
        };
        let architecture =
            architectures.iter().find(is_its).or_else(|| architectures.first()).copied().unwrap_or(0);
        let asker = |firmware| Asker { firmware, architecture, vendor_class: said, mac };
        let traits = firmware.map(|firmware| quirk::traits(&asker(firmware), mode)).unwrap_or_default();
        let firmware_kind = firmware.and_then(|firmware| boot::firmware_kind(firmware, architecture));
        let class = pxe::class(&config.pxe, firmware, said);
        let hears_proxies = firmware == Some(Firmware::Ipxe) || is_of_boot(said, &config.pxe);
        let meant = Meant::default();
        Self {
            mac,
            place,
            mode,
            interface: interface.into(),
            server,
            firmware,
            firmware_kind,
            hears_proxies,
            architecture,
            architectures,
            class,
            traits,
            is_straight: false,
            source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            is_of_the_system: false,
            message,
            meant,
        }
    }

    /// The address that it takes for the server's (option 54): ours, or the relay's where the relay wants to stand between (RFC 5107 4).
    pub(super) fn identifier(&self) -> Ipv4Addr {
        self.message.relay_information().server.unwrap_or(self.server)
    }

    /// Whether a relay passed its packet on, or somebody says that he is one.
    pub(super) fn is_relayed(&self) -> bool {
        !self.message.giaddr.is_unspecified()
    }

    /// Whether it or its relay says in which network it is.
    pub(super) fn is_selected(&self) -> bool {
        !selected(&self.message).is_unspecified()
    }

    /// "If the message has no option 53, it is BOOTP's" (RFC 1534 2).
    pub(super) fn is_bootp(&self) -> bool {
        !self.message.options.contains(option::MESSAGE_TYPE)
    }

    /// What it is, for the history: " from iPXE", " from UEFI PXE", or nothing.
    pub(super) fn describe(&self) -> impl fmt::Display {
        Described(self)
    }
}

/// What a client is, written where it is told.
struct Described<'a>(&'a Client);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Client { firmware, architecture, traits, message, .. } = self.0;
        match firmware {
            None => {
                let class = message.options.text(option::VENDOR_CLASS).map(printable);
                if let Some(class) = class.filter(|class| !class.is_empty()) {
                    write!(f, " from {class}")?;
                }
            }
            Some(Firmware::Ipxe) => f.write_str(" from iPXE")?,
            Some(Firmware::Pxe) if traits.contains(&Trait::RaspberryPi) => {
                f.write_str(" from a Raspberry Pi")?;
            }
            Some(Firmware::Pxe) if traits.contains(&Trait::KnowsItsFiles) => {
                write!(f, " from U-Boot (architecture {architecture})")?;
            }
            Some(Firmware::Pxe) if *architecture == 0 => f.write_str(" from BIOS PXE")?,
            Some(Firmware::Pxe) => write!(f, " from UEFI PXE (architecture {architecture})")?,
            Some(Firmware::Http) => write!(f, " from UEFI HTTP (architecture {architecture})")?,
        }
        // RFC 5010 1: what the relay got as a unicast was meant for the server that gave the address, what it got as a broadcast for anyone.
        match message.relay_information().unicast {
            Some(true) => f.write_str(" by unicast to its relay"),
            Some(false) | None => Ok(()),
        }
    }
}

/// An address of the network that the packet means. The relay's link selection goes before the client's subnet selection (RFC 3527 3), and that before
/// the relay's own address (RFC 3011 4).
fn selected(message: &Message) -> Ipv4Addr {
    let subnet = message.options.address(option::SUBNET_SELECTION).filter(|subnet| !subnet.is_unspecified());
    message.relay_information().link.or(subnet).unwrap_or(message.giaddr)
}

/// Whether no user's program on a host that runs can have sent this: it comes from no address, as only who has none yet may send (RFC 2131 4.1), or from a port that is kept
/// for the system, as clients' 68 and relays' 67 are. A relay may send from any other port (RFC 8357); the gateway of its network is known not to be a user's.
fn is_of_the_system(source: SocketAddrV4, message: &Message, network: &Network) -> bool {
    let is_gateway = !message.giaddr.is_unspecified() && network.gateway == Some(*source.ip());
    source.ip().is_unspecified() || source.port() < PORTS_OF_USERS_FROM || is_gateway
}

/// Ports from which any user's program may send.
const PORTS_OF_USERS_FROM: u16 = 1024;

/// Whether a datagram went to all hosts of a link, which no router forwards.
pub(super) fn is_to_everybody(config: &Config, datagram: Datagram<'_>) -> bool {
    let mut here = config.networks.iter().filter(|network| network.on_link);
    datagram.destination.is_broadcast() || here.any(|network| network.broadcast() == datagram.destination)
}

/// Our address for a client. A network that is not on our link knows us by the address to which its relay sends; who selects such a network by himself
/// may speak to everybody, and knows us by our address there.
pub(super) fn our_address(config: &Config, datagram: Datagram<'_>, place: usize) -> Ipv4Addr {
    let settings = &config.networks[place];
    if settings.on_link {
        return settings.address;
    }
    let here =
        config.networks.iter().filter(|network| network.on_link && network.interface == datagram.interface);
    let is_everybody = |network: &&Network| datagram.destination == network.broadcast();
    let by_broadcast = here.clone().find(is_everybody);
    let by_broadcast =
        by_broadcast.or_else(|| here.clone().next().filter(|_| datagram.destination.is_broadcast()));
    by_broadcast.map_or(datagram.destination, |network| network.address)
}

/// What asks to be booted: iPXE says so in option 77 or shows its features in option 175, other firmware says in option 60 which protocol it
/// speaks (PXE 2.1; UEFI 24.7), or at least its architecture (RFC 4578 2.1). A chain-loaded iPXE still says PXEClient. Its ancestors Etherboot and gPXE, which send
/// option 175 too, know no iPXE script: they boot what a ROM of their architecture does.
fn firmware(message: &Message, pxe: &Pxe) -> Option<Firmware> {
    let options = &message.options;
    // RFC 3004 wants a length before each class; iPXE sends its name bare.
    let is_ipxe =
        options.get(option::USER_CLASS).is_some_and(|class| class == b"iPXE" || class == b"\x04iPXE");
    if is_ipxe || has_features_of_ipxe(options) {
        return Some(Firmware::Ipxe);
    }
    let class = options.get(option::VENDOR_CLASS).unwrap_or_default();
    if class.starts_with(b"HTTPClient") {
        return Some(Firmware::Http);
    }
    let is_pxe = is_of_boot(class, pxe)
        || [option::ARCHITECTURE, option::IPXE].iter().any(|code| options.contains(*code));
    is_pxe.then_some(Firmware::Pxe)
}

/// What a client says of its architecture: in option 93, where it may be several (RFC 4578 2.1), of which an HTTP client may mean some for PXE alone. Firmware is known that says nothing there, or nothing that
/// can be understood: then what its class says counts, `PXEClient:Arch:00007:UNDI:003000` (PXE 2.1, 2.2.1).
fn architectures(message: &Message, pxe: &Pxe) -> Vec<u16> {
    let (said, rest) = message.options.get(option::ARCHITECTURE).unwrap_or_default().as_chunks::<2>();
    if !said.is_empty() && rest.is_empty() {
        return said.iter().map(|octets| u16::from_be_bytes(*octets)).collect();
    }
    let class = message.options.get(option::VENDOR_CLASS).filter(|class| is_of_boot(class, pxe));
    class.and_then(architecture_of_class).into_iter().collect()
}

/// The number in a class, five digits.
fn architecture_of_class(class: &[u8]) -> Option<u16> {
    let (_, rest) = std::str::from_utf8(class).ok()?.split_once(":Arch:")?;
    let number = rest.get(..5).filter(|number| number.bytes().all(|b| b.is_ascii_digit()))?;
    number.parse().ok()
}

/// Whether it is iPXE by option 175, whatever it calls itself: there are its features and its version (`iPXE src/include/ipxe/dhcp.h`). gPXE has the same, and says so.
fn has_features_of_ipxe(options: &Options) -> bool {
    const FEATURES: std::ops::RangeInclusive<u8> = 16..=47;
    const VERSION: u8 = 235;
    let is_gpxe =
        options.get(option::USER_CLASS).is_some_and(|class| class == b"gPXE" || class == b"\x04gPXE");
    let said = options.get(option::IPXE).filter(|_| !is_gpxe).and_then(encapsulated::parts);
    said.is_some_and(|parts| parts.iter().any(|(code, _)| FEATURES.contains(code) || *code == VERSION))
}

/// Whether a vendor class says that its client speaks PXE or HTTP boot.
fn is_of_boot(class: &[u8], pxe: &Pxe) -> bool {
    let own = pxe.vendor_classes.iter().map(String::as_str);
    own.chain(["PXEClient", "HTTPClient"]).any(|word| class.starts_with(word.as_bytes()))
}

/// A client's text as it may stand in a journal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(40).collect()
}
