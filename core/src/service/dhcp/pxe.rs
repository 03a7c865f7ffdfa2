//! What firmware is told to boot, and the conversation of port 4011 (PXE 2.1): who asks there wants a boot file or an entry of the menu, never an address.

use super::client::Client;
use super::reply::Reply;
use super::silence;
use super::who::Meant;
use super::{heard, meet, power_on, proxy};
use crate::cluster::boot::{BootFile, Offered, file_of};
use crate::cluster::node::Firmware;
use crate::cluster::quirk::Trait;
use crate::config::{Config, Mode, Pxe, PxeBoots, PxeService};
use crate::event::Kind;
use crate::hall::Turn;
use crate::message::{Datagram, DhcpTarget, Output};
use crate::wire::dhcp::{Message, MessageType, Op, option};
use crate::wire::pxe::{Item, TYPE_LOCAL, TYPE_OWN_FIRST, VendorOptions, control};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

/// Takes a datagram of port 4011.
pub(crate) fn boot_server(turn: &mut Turn<'_>, datagram: Datagram<'_>) {
    let message = match Message::parse(datagram.payload) {
        Ok(message) if message.op == Op::BootRequest => message,
        Ok(_) => return turn.malformed("dhcp-reply"),
        Err(malformed) => return turn.malformed(malformed.word()),
    };
    let message_type = message.message_type();
    let mut client = match Client::read(turn.config, datagram, message) {
        Ok(client) => client,
        Err(unread) => return turn.malformed(unread.word()),
    };
    client.meant = Meant::find(turn, &client);
    if client.mode == Mode::Shadow || silence::ignore(turn, &client) || silence::turn_away(turn, &client) {
        return;
    }
    match message_type {
        Some(MessageType::Request | MessageType::Inform) => {
            answer(turn, &client, DhcpTarget::BootServer(datagram.source));
        }
        Some(
            MessageType::Discover
            | MessageType::Offer
            | MessageType::Decline
            | MessageType::Ack
            | MessageType::Nak
            | MessageType::Release,
        )
        | None => turn.malformed("dhcp-boot-server"),
    }
}

/// The entry of the menu that a client has chosen, if this is what its packet is about.
pub(super) fn chosen(client: &Client) -> Option<Item> {
    client.firmware?;
    Item::read(client.message.options.get(option::VENDOR_SPECIFIC)?)
}

/// Tells a client that has its address what it boots: the entry that it has chosen, or whatever there is for it. A `[[host]]` is told as a node is, and nothing of that is kept.
pub(super) fn answer(turn: &mut Turn<'_>, client: &Client, target: DhcpTarget) {
    let Some(firmware) = client.firmware else { return };
    let is_node = meet(turn, client);
    if !is_node && client.meant.host(turn).is_none() {
        return;
    }
    let item = chosen(client);
    if is_node {
        let what = item.map(|item| format!(" entry {} of the menu", item.kind)).unwrap_or_default();
        let uses = proxy::at_port_4011(turn, client);
        heard(turn, client, format!("the boot server for{what}{}", client.describe()));
        power_on(turn, client, firmware, false);
        if let Some((address, evidence)) = uses {
            proxy::learn(turn, client, address, evidence);
        }
    }
    let Some(reply) = Reply::new(turn, client, MessageType::Ack).boot_server(item) else {
        // Whose entry it is not does not answer (PXE 2.1, 2.2.4).
        return;
    };
    let told = turn.line(format_args!("ACK as a boot server{}", reply.describe()));
    let named = reply.named(turn);
    if let Some(node) = turn.hall.nodes.get_mut(client.mac).filter(|_| is_node) {
        node.is_told_to_load(named, true);
        node.is_told(turn.now, Arc::clone(&told));
    }
    turn.event(Some(client.mac), Kind::Ack, told);
    turn.out.push(Output::Dhcp(reply.send_to(target)));
}

/// Where a client that has its address hears us, if it asked us by broadcast.
pub(super) fn at_its_address(client: &Client) -> Option<DhcpTarget> {
    let address = client.message.ciaddr;
    (!address.is_unspecified()).then_some(DhcpTarget::Address(SocketAddrV4::new(address, 68)))
}

/// Writes into an answer what the client boots, as its firmware wants to be told it. `next_server` has the file, if it is another server than this
/// one. `item` is the entry of the menu that this answers: its file is ours, and EDK2 drops an answer that names a server which was not in the list.
pub(super) fn tell(
    message: &mut Message,
    client: &Client,
    offered: &Offered<'_>,
    next_server: Option<Ipv4Addr>,
    pxe: &Pxe,
    item: Option<Item>,
) {
    let has = |wanted: Trait| client.traits.contains(&wanted);
    let comes_here = has(Trait::AsksAtSiaddr) && message.message_type() == Some(MessageType::Offer);
    let next_server = next_server.filter(|_| !comes_here && item.is_none());
    // Also where there is no file: a kernel with `nfsroot=/srv/root ip=dhcp`, and klibc's ipconfig, take it for the server of their root, and U-Boot's `pxe get` for that of its files.
    let here = match client.mode {
        Mode::Serve | Mode::Shadow => client.server,
        // Beside another server that is the other one's to say.
        Mode::Proxy => Ipv4Addr::UNSPECIFIED,
    };
    message.siaddr = next_server.unwrap_or(here);
    let said = match offered {
        Offered::Nothing if has(Trait::RaspberryPi) => Some(raspberry_pi()),
        Offered::Nothing => return,
        Offered::File(_) if item.is_some() => Some(VendorOptions { item, ..VendorOptions::default() }),
        Offered::File(_) if has(Trait::FileIsNamed) => {
            Some(VendorOptions { control: Some(control::FILE_IS_NAMED), ..VendorOptions::default() })
        }
        Offered::File(_) => None,
        Offered::Menu(services) => Some(menu(pxe, services, client.server)),
    };
    let server = next_server.unwrap_or(client.server);
    message.siaddr = server;
    let asked = client.message.options.get(option::PARAMETER_LIST).unwrap_or_default();
    if let Offered::File(BootFile::Path(name) | BootFile::Url(name)) = offered {
        // In `file`, where every PXE ROM since 1997 looks, and what it loads: shim and iPXE read the firmware's ACK themselves, and take the folder that they came from
        // out of this field alone (rhboot/shim 710). In option 67 too if the client asked for that.
        const FILE_OCTETS_MAX: usize = 127;
        let has_room = name.len() <= FILE_OCTETS_MAX;
        if has_room {
            message.file = name.as_str().into();
        }
        if asked.contains(&option::BOOT_FILE) || !has_room {
            message.options.set(option::BOOT_FILE, name.as_str());
        }
    }
    if has(Trait::ServerIsNamed) {
        let name = server.to_string();
        message.sname = name.as_str().into();
        if asked.contains(&option::TFTP_SERVER) {
            message.options.set(option::TFTP_SERVER, name);
        }
    }
    // Whoever is to come to port 4011, or not to go there although it has no menu, has to see that we speak PXE.
    if has(Trait::ClassComesBack) || said.is_some() || client.mode == Mode::Proxy {
        message.options.set(option::VENDOR_CLASS, client.class.as_str());
    }
    if has(Trait::NoProxyWait) {
        message.options.set(option::IPXE, vec![176, 1, 1]);
    }
    if let Some(said) = said {
        message.options.set(option::VENDOR_SPECIFIC, said.write());
    }
}

/// What the entry that a client has chosen boots. None: it is none of ours to answer for.
pub(super) fn entry<'a>(config: &'a Config, client: &Client, item: Item) -> Option<Offered<'a>> {
    /// It asks for the credentials of the file (PXE 2.1, table 2-1, sub-option 71), which we have none of.
    const CREDENTIALS: u16 = 0x8000;
    let place = usize::from(item.kind.checked_sub(TYPE_OWN_FIRST)?);
    let service = config.pxe.services.get(place)?;
    let is_its = service.architectures.contains(&client.architecture) && item.layer & CREDENTIALS == 0;
    let file = file_of(service).filter(|_| is_its)?;
    Some(Offered::File(BootFile::Path(file.into())))
}

/// The menu of some entries.
fn menu(pxe: &Pxe, services: &[(usize, &PxeService)], server: Ipv4Addr) -> VendorOptions {
    let own = |place: usize| TYPE_OWN_FIRST + u16::try_from(place).expect("services are few");
    let kind = |(place, service): &(usize, &PxeService)| match service.boots {
        PxeBoots::File(_) => own(*place),
        PxeBoots::Local => TYPE_LOCAL,
        PxeBoots::Server { kind, .. } => kind,
    };
    let at = |(place, service): &(usize, &PxeService)| match service.boots {
        PxeBoots::File(_) => Some((own(*place), server)),
        PxeBoots::Server { kind, address } => Some((kind, address?)),
        PxeBoots::Local => None,
    };
    let is_sought =
        |(_, service): &(usize, &PxeService)| matches!(service.boots, PxeBoots::Server { address: None, .. });
    let control = match services.iter().any(is_sought) {
        true => control::NO_MULTICAST,
        false => control::NO_BROADCAST | control::NO_MULTICAST | control::LISTED_SERVERS_ONLY,
    };
    /// Waits for a key, however long (PXE 2.1, table 2-1, sub-option 10).
    const UNTIL_A_KEY: u8 = 255;
    VendorOptions {
        control: Some(control),
        servers: services.iter().filter_map(at).collect(),
        menu: services.iter().map(|entry| (kind(entry), entry.1.text.clone())).collect(),
        prompt: pxe.prompt.clone().map(|prompt| (pxe.timeout_seconds.unwrap_or(UNTIL_A_KEY), prompt)),
        item: None,
    }
}

/// What a Raspberry Pi looks for: a menu with its name in it. It chooses nothing, and loads its files from `siaddr`.
fn raspberry_pi() -> VendorOptions {
    VendorOptions {
        control: Some(control::NO_BROADCAST | control::NO_MULTICAST),
        prompt: Some((0, "PXE".into())),
        menu: vec![(TYPE_LOCAL, "Raspberry Pi Boot".into())],
        ..VendorOptions::default()
    }
}

/// The word in option 60 that an answer to this firmware says: as it calls itself, PXE by the specification, HTTP boot, or a maker's own.
pub(super) fn class(pxe: &Pxe, firmware: Option<Firmware>, said: &[u8]) -> String {
    let own = pxe.vendor_classes.iter().find(|class| said.starts_with(class.as_bytes()));
    match (firmware, own) {
        (Some(Firmware::Http), _) => "HTTPClient".into(),
        (Some(Firmware::Pxe), Some(own)) => own.clone(),
        (Some(Firmware::Pxe | Firmware::Ipxe) | None, _) => "PXEClient".into(),
    }
}
