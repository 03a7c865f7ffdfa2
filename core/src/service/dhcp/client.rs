use super::who::Meant;
use crate::cluster::boot;
use crate::cluster::network;
use crate::cluster::node::Firmware;
use crate::config::{Config, FirmwareKind};
use crate::mac::Mac;
use crate::message::Datagram;
use crate::wire::dhcp::{Message, option};
use std::net::Ipv4Addr;

/// Who speaks, from where, and as what.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its hardware address: its identity.
    pub(super) mac: Mac,
    /// Its network, by its place in the configuration.
    pub(super) place: usize,
    /// Our address that it knows us by.
    pub(super) server: Ipv4Addr,
    /// What asks, if it asks to be booted.
    pub(super) firmware: Option<Firmware>,
    /// Which boot file that needs.
    pub(super) firmware_kind: Option<FirmwareKind>,
    /// What it said.
    pub(super) message: Message,
    /// Whom the operator means by it.
    pub(super) meant: Meant,
}

impl Client {
    /// Reads who speaks out of a packet.
    ///
    /// # Errors
    /// The packet is none that we can answer: a word for the counter.
    pub(super) fn read(
        config: &Config,
        datagram: Datagram<'_>,
        message: Message,
    ) -> Result<Self, &'static str> {
        let mac = message.mac().ok_or("dhcp-hardware-address")?;
        let requested = message.options.address(option::REQUESTED_ADDRESS);
        let spoken_of = if message.ciaddr.is_unspecified() {
            requested.unwrap_or(Ipv4Addr::UNSPECIFIED)
        } else {
            message.ciaddr
        };
        let place = network::of_client(config, datagram.interface, message.giaddr, spoken_of)
            .ok_or("dhcp-network")?;
        let settings = &config.networks[place];
        // A network behind a relay knows us by the address to which the relay sends.
        let server = if settings.on_link { settings.address } else { datagram.destination };
        let firmware = firmware(&message);
        let architecture = message.options.u16(option::ARCHITECTURE);
        let firmware_kind = firmware.and_then(|firmware| boot::firmware_kind(firmware, architecture));
        Ok(Self { mac, place, server, firmware, firmware_kind, message, meant: Meant::default() })
    }

    /// What it is, for the history: " from iPXE", " from UEFI PXE", or nothing.
    pub(super) fn describe(&self) -> String {
        let architecture = self.message.options.u16(option::ARCHITECTURE);
        let who = match (self.firmware, self.firmware_kind) {
            (None, _) => self.message.options.text(option::VENDOR_CLASS).map(printable).unwrap_or_default(),
            (Some(Firmware::Ipxe), _) => "iPXE".into(),
            (Some(_), Some(FirmwareKind::Bios)) => "BIOS PXE".into(),
            (Some(Firmware::Pxe), _) => {
                format!("UEFI PXE (architecture {})", architecture.unwrap_or_default())
            }
            (Some(Firmware::Http), _) => {
                format!("UEFI HTTP (architecture {})", architecture.unwrap_or_default())
            }
        };
        if who.is_empty() { who } else { format!(" from {who}") }
    }
}

/// What asks to be booted: iPXE says so in option 77 or shows its features in option 175, other firmware says in option 60 which protocol it
/// speaks (PXE 2.1; UEFI 24.7), or at least its architecture (RFC 4578 2.1). A chain-loaded iPXE still says PXEClient.
fn firmware(message: &Message) -> Option<Firmware> {
    let options = &message.options;
    // RFC 3004 wants a length before each class; iPXE sends its name bare.
    let is_ipxe =
        options.get(option::USER_CLASS).is_some_and(|class| class == b"iPXE" || class == b"\x04iPXE");
    if is_ipxe || options.contains(option::IPXE) {
        return Some(Firmware::Ipxe);
    }
    let class = options.get(option::VENDOR_CLASS).unwrap_or_default();
    if class.starts_with(b"HTTPClient") {
        return Some(Firmware::Http);
    }
    (class.starts_with(b"PXEClient") || options.contains(option::ARCHITECTURE)).then_some(Firmware::Pxe)
}

/// A client's text as it may stand in a journal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(40).collect()
}
