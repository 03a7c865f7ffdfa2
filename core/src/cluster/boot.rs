//! What a node boots first: the boot file of its firmware.

use super::network;
use super::node::Firmware;
use super::quirk::Trait;
use crate::config::{Config, FirmwareKind, Loader, Protocol, PxeBoots, PxeService};
use crate::mac::Mac;
use std::net::Ipv4Addr;

/// What firmware is to load first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootFile {
    /// A path for TFTP, relative to the boot directory.
    Path(String),
    /// An HTTP URL.
    Url(String),
}

/// What firmware is offered to boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered<'a> {
    /// Nothing: the configuration has nothing for it, or it needs to be told nothing.
    Nothing,
    /// This file.
    File(BootFile),
    /// What its user chooses among these; their places in the configuration come along.
    Menu(Vec<(usize, &'a PxeService)>),
}

/// The firmware that loads so and says this in option 93.
pub fn firmware_kind(firmware: Firmware, architecture: u16) -> Option<FirmwareKind> {
    match firmware {
        Firmware::Ipxe => Some(FirmwareKind::Ipxe),
        Firmware::Pxe => FirmwareKind::of(Protocol::Tftp, architecture),
        Firmware::Http => FirmwareKind::of(Protocol::Http, architecture),
    }
}

/// What a firmware is offered: a menu if there is one for its architecture, else the file of its kind.
pub fn offered<'a>(
    config: &'a Config,
    firmware: Firmware,
    architecture: u16,
    traits: &[Trait],
    server: Ipv4Addr,
) -> Offered<'a> {
    if traits.contains(&Trait::RaspberryPi) {
        return Offered::Nothing;
    }
    let is_here = |(_, service): &(usize, &PxeService)| service.architectures.contains(&architecture);
    let services: Vec<_> = config.pxe.services.iter().enumerate().filter(is_here).collect();
    let kind = firmware_kind(firmware, architecture);
    let by_kind =
        || kind.and_then(|kind| boot_file(config, kind, server)).map_or(Offered::Nothing, Offered::File);
    match (firmware, services.as_slice()) {
        (Firmware::Ipxe, _) | (_, []) => by_kind(),
        (Firmware::Http, services) => {
            let file = services.iter().find_map(|(_, service)| file_of(service));
            file.map_or_else(by_kind, |file| Offered::File(BootFile::Url(firmware_url(config, server, file))))
        }
        (Firmware::Pxe, services) if traits.contains(&Trait::NoMenu) => {
            let file = services.iter().find_map(|(_, service)| file_of(service));
            file.map_or_else(by_kind, |file| Offered::File(BootFile::Path(file.into())))
        }
        // A menu of one entry is no question, unless there is time to say no.
        (Firmware::Pxe, [(_, only)])
            if traits.contains(&Trait::NoMenuOfOne)
                || config.pxe.prompt.is_none() && file_of(only).is_some() =>
        {
            file_of(only).map_or_else(
                || Offered::Menu(services.clone()),
                |file| Offered::File(BootFile::Path(file.into())),
            )
        }
        (Firmware::Pxe, _) => Offered::Menu(services),
    }
}

/// The file that an entry of a menu boots, if it is one of ours.
pub fn file_of(service: &PxeService) -> Option<&str> {
    match &service.boots {
        PxeBoots::File(file) => Some(file),
        PxeBoots::Local | PxeBoots::Server { .. } => None,
    }
}

/// The boot file of a firmware. None: the configuration has none for it.
pub fn boot_file(config: &Config, kind: FirmwareKind, server: Ipv4Addr) -> Option<BootFile> {
    let file = config.boot.files.get(&kind);
    match kind.row().protocol {
        Protocol::Script => Some(match file {
            Some(file) => BootFile::Path(file.clone()),
            None => BootFile::Url(format!("{}/{BOOT_IPXE}", http_base(config, server))),
        }),
        Protocol::Http => file.map(|file| BootFile::Url(firmware_url(config, server, file))),
        Protocol::Tftp => file.cloned().map(BootFile::Path),
    }
}

/// Whether a path below the boot directory is what some firmware boots, or what is told to this one; or what such a loader cannot do without, whatever folder it looks for that in.
pub fn is_boot_file(config: &Config, told: Option<&str>, path: &str) -> bool {
    let of_services = config.pxe.services.iter().filter_map(file_of);
    let of_classes = config.classes.iter().filter_map(|class| class.boot_file.as_deref());
    let mut files = config.boot.files.values().map(String::as_str).chain(of_services).chain(of_classes);
    let next = |file: &str| Loader::second_stage(file_name(file));
    let is_it = |file: &str| file == path || next(file).is_some_and(|next| next == file_name(path));
    files.any(is_it) || told.is_some_and(is_it)
}

/// A path without its folder.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path below the boot directory is what UEFI's HTTP boot is told to start.
pub fn is_started_by_http(config: &Config, path: &str) -> bool {
    let is_by_http = |(kind, _): &(&FirmwareKind, &String)| kind.row().protocol == Protocol::Http;
    let of_firmware = config.boot.files.iter().filter(is_by_http).map(|(_, file)| file.as_str());
    let of_services = config.pxe.services.iter().filter_map(file_of);
    let of_classes = config.classes.iter().filter_map(|class| class.boot_file.as_deref());
    of_firmware.chain(of_services).chain(of_classes).any(|file| file == path)
}

/// How a boot file that is missing is had.
pub fn remedy(config: &Config, path: &str) -> String {
    let directory = &config.boot.directory;
    match Loader::of(path).filter(|_| config.boot.packages.is_some()) {
        Some(Loader { package, .. }) => {
            format!("install {package} (apt install {package}), or put {path} into {directory}")
        }
        None => format!("put {path} into {directory}, readable for heorot"),
    }
}

/// The boot file that an operator names for some clients: a URL, or a file of the boot directory, which firmware that boots by HTTP gets as one.
pub fn named_file(config: &Config, firmware: Option<Firmware>, server: Ipv4Addr, name: &str) -> BootFile {
    if name.contains("://") {
        BootFile::Url(name.into())
    } else if firmware == Some(Firmware::Http) {
        BootFile::Url(firmware_url(config, server, name))
    } else {
        BootFile::Path(name.into())
    }
}

/// Whether a URL has an address where others have a name, so that nobody has to be asked for it.
pub fn is_at_address(url: &str) -> bool {
    host_of(url).is_some_and(|host| host.parse::<Ipv4Addr>().is_ok())
}

/// The address or name that a URL has.
pub fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?;
    place.rsplit('@').next()?.split(':').next()
}

/// A file of the boot directory by HTTP.
pub fn url(config: &Config, server: Ipv4Addr, file: &str) -> String {
    format!("{}/{}", http_base(config, server), percent_encode(file))
}

/// What firmware that boots by HTTP is offered.
fn firmware_url(config: &Config, server: Ipv4Addr, file: &str) -> String {
    let served = network::served_address(config, server, None);
    let base = match &config.http.tls {
        Some(tls) if tls.is_offered && tls.port == 443 => format!("https://{served}"),
        Some(tls) if tls.is_offered => format!("https://{served}:{}", tls.port),
        Some(_) | None => http_base(config, server),
    };
    format!("{base}/{}", percent_encode(file))
}

/// Where a node talks about itself, and where boot files are to be had by HTTP.
pub fn http_base(config: &Config, server: Ipv4Addr) -> String {
    let server = network::served_address(config, server, None);
    match config.http.port {
        80 => format!("http://{server}"),
        port => format!("http://{server}:{port}"),
    }
}

/// The name of the generated iPXE script.
pub const BOOT_IPXE: &str = "boot.ipxe";

/// A hardware address as it stands in names of files: with hyphens.
pub fn hyphenated(mac: Mac) -> String {
    mac.to_string().replace(':', "-")
}

/// A path as part of a URL (RFC 3986 2): everything but letters, digits, `-._~` and the slash is escaped.
pub(crate) fn percent_encode(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                url.push(char::from(byte))
            }
            _ => url += &format!("%{byte:02X}"),
        }
    }
    url
}

#[cfg(test)]
mod tests;
