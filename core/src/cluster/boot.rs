//! What a node boots: the boot file of its firmware, and the files that are made for its loader.

use super::node::Firmware;
use crate::config::{Config, FirmwareKind, Profile};
use crate::mac::Mac;
use std::net::Ipv4Addr;

/// Everything that a loader has to know to start one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The kernel, relative to the boot directory.
    pub kernel: String,
    /// The initial RAM disks in their order, relative to the boot directory.
    pub initrd: Vec<String>,
    /// The whole kernel command line.
    pub cmdline: String,
    /// Where the boot files are to be had by HTTP, without a final slash.
    pub http: String,
}

/// What firmware is to load first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootFile {
    /// A path for TFTP, relative to the boot directory.
    Path(String),
    /// An HTTP URL.
    Url(String),
}

/// The firmware whose option 93 this is (RFC 4578 2.1 with its errata, and the IANA registry), and what it calls itself.
pub fn firmware_kind(firmware: Firmware, architecture: Option<u16>) -> Option<FirmwareKind> {
    match (firmware, architecture) {
        (Firmware::Ipxe, _) => Some(FirmwareKind::Ipxe),
        // 9 is EBC by the letter; much 64-bit firmware has always said it for x86-64.
        (Firmware::Pxe, Some(7 | 9)) => Some(FirmwareKind::UefiX64),
        (Firmware::Pxe, Some(11)) => Some(FirmwareKind::UefiArm64),
        (Firmware::Http, Some(16)) => Some(FirmwareKind::HttpX64),
        (Firmware::Pxe, Some(0) | None) => Some(FirmwareKind::Bios),
        (Firmware::Pxe | Firmware::Http, _) => None,
    }
}

/// The boot file of a firmware. None: the configuration has none for it.
pub fn boot_file(config: &Config, kind: FirmwareKind, server: Ipv4Addr) -> Option<BootFile> {
    let file = config.boot.files.get(&kind);
    match kind {
        FirmwareKind::Ipxe => Some(match file {
            Some(file) => BootFile::Path(file.clone()),
            None => BootFile::Url(format!("{}/{BOOT_IPXE}", http_base(config, server))),
        }),
        FirmwareKind::HttpX64 => {
            let url = |file: &String| format!("{}/{}", http_base(config, server), percent_encode(file));
            file.map(|file| BootFile::Url(url(file)))
        }
        FirmwareKind::Bios | FirmwareKind::UefiX64 | FirmwareKind::UefiArm64 => {
            file.cloned().map(BootFile::Path)
        }
    }
}

/// The boot file that an operator names for some clients: a URL, or a file of the boot directory, which firmware that boots by HTTP gets as one.
pub fn named_file(config: &Config, firmware: Option<Firmware>, server: Ipv4Addr, name: &str) -> BootFile {
    if name.contains("://") {
        BootFile::Url(name.into())
    } else if firmware == Some(Firmware::Http) {
        BootFile::Url(format!("{}/{}", http_base(config, server), percent_encode(name)))
    } else {
        BootFile::Path(name.into())
    }
}

/// The option of `[boot]` that gives this firmware its file.
pub fn boot_option(kind: FirmwareKind) -> &'static str {
    match kind {
        FirmwareKind::Bios => "bios",
        FirmwareKind::UefiX64 => "uefi-x64",
        FirmwareKind::UefiArm64 => "uefi-arm64",
        FirmwareKind::HttpX64 => "http-x64",
        FirmwareKind::Ipxe => "ipxe",
    }
}

/// Where a node talks about itself, and where boot files are to be had by HTTP.
pub fn http_base(config: &Config, server: Ipv4Addr) -> String {
    match config.http.port {
        80 => format!("http://{server}"),
        port => format!("http://{server}:{port}"),
    }
}

/// The name of the generated iPXE script.
pub const BOOT_IPXE: &str = "boot.ipxe";

/// A file that is made for the node that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated<'a> {
    /// `boot.ipxe`
    Ipxe,
    /// A PXELINUX configuration. `folder` is where PXELINUX itself is, with a final slash if it is not empty.
    Pxelinux {
        /// The folder.
        folder: &'a str,
        /// The name below `pxelinux.cfg/`.
        name: &'a str,
    },
}

/// Whether a path, relative to the boot directory, is that of a generated file.
pub fn generated(path: &str) -> Option<Generated<'_>> {
    const PXELINUX: &str = "pxelinux.cfg/";
    if path == BOOT_IPXE {
        return Some(Generated::Ipxe);
    }
    let at = path.find(PXELINUX)?;
    let (folder, rest) = path.split_at(at);
    let is_folder = folder.is_empty() || folder.ends_with('/');
    is_folder.then(|| Generated::Pxelinux { folder, name: &rest[PXELINUX.len()..] })
}

/// Whether PXELINUX means this machine when it asks for `pxelinux.cfg/NAME`: `01-` and the hardware address, or the address in hexadecimal,
/// or what all machines share. A shortened address means its whole neighbourhood and is not ours to answer.
pub fn is_pxelinux_name(name: &str, mac: Mac, address: Ipv4Addr) -> bool {
    let by_mac = format!("01-{}", hyphenated(mac));
    name.eq_ignore_ascii_case(&by_mac) || name == format!("{:08X}", u32::from(address)) || name == "default"
}

/// A hardware address as it stands in names of files: with hyphens.
pub fn hyphenated(mac: Mac) -> String {
    mac.to_string().replace(':', "-")
}

/// The PXELINUX configuration of a plan. Paths are relative to where PXELINUX was loaded from, unless `::` leads them.
pub fn pxelinux_cfg(plan: &Plan, folder: &str) -> String {
    let root = if folder.is_empty() { "" } else { "::" };
    let initrd: Vec<_> = plan.initrd.iter().map(|file| format!("{root}{file}")).collect();
    let mut text = format!("DEFAULT heorot\nPROMPT 0\nLABEL heorot\nKERNEL {root}{}\n", plan.kernel);
    if !initrd.is_empty() {
        text += &format!("INITRD {}\n", initrd.join(","));
    }
    text + &format!("APPEND {}\n", plan.cmdline)
}

/// The iPXE script of a plan. It tries again for ever: a machine that gave up would stay dead until somebody came.
pub fn boot_ipxe(plan: &Plan) -> String {
    let url = |file: &String| format!("{}/{}", plan.http, percent_encode(file));
    // An EFI kernel finds its RAM disks by the names that iPXE gives them (initrd=); a BIOS kernel gets them in their order.
    let named: String = (0..plan.initrd.len()).map(|place| format!(" initrd=initrd{place}")).collect();
    let mut text = String::from("#!ipxe\n:again\nimgfree\n");
    text += &format!("kernel {}{named} {} || goto wait\n", url(&plan.kernel), plan.cmdline);
    for (place, file) in plan.initrd.iter().enumerate() {
        text += &format!("initrd --name initrd{place} {} || goto wait\n", url(file));
    }
    text + "boot || goto wait\n:wait\necho The server did not deliver. Once more in 3 seconds.\nsleep 3\ngoto again\n"
}

/// The profile of a node: the one that it was given by hand, else `default`; `trial` without a number.
pub fn profile<'a>(config: &'a Config, listed: Option<&'a str>, numbered: bool) -> (&'a str, &'a Profile) {
    let name = if numbered { listed.unwrap_or("default") } else { "trial" };
    let profile = config.profiles.get(name).expect("a configuration has every profile that it names");
    (name, profile)
}

/// A path as part of a URL (RFC 3986 2): everything but letters, digits, `-._~` and the slash is escaped.
fn percent_encode(path: &str) -> String {
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
