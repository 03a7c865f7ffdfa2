//! What each loader loads, in its order.

use super::Kind;
use super::kind::Program;
use super::plan::{self, Plan};
use heorot_core::mac::Mac;
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// A file that a loader wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) name: String,
    pub(super) need: Need,
    /// The file has other names too, in the wishes before and after this one: when it is found, they are not looked for.
    pub(super) sought: Option<Sought>,
    pub(super) reads: Reads,
    /// What people call this part of the boot.
    pub(super) stage: &'static str,
}

/// What happens if a file is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The machine does not boot.
    Must,
    /// It goes on.
    May,
}

/// What is looked for under several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// What PXELINUX consists of.
    Library,
    /// What the server made for this machine.
    Configuration,
}

/// As what a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Not at all: it is started.
    Nothing,
    /// A configuration of PXELINUX.
    Pxelinux,
    /// An iPXE script.
    Ipxe,
    /// A configuration of GRUB.
    Grub,
}

/// What a loader knows when it starts.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) kind: Kind,
    pub(super) mac: Mac,
    pub(super) address: Ipv4Addr,
    /// The boot file, by DHCP.
    pub(super) boot_file: &'a str,
    /// What it loads if no file that was made for it says otherwise.
    pub(super) files: &'a [String],
}

impl Wish {
    /// A file without which there is no boot.
    pub(super) fn must(name: impl Into<String>, stage: &'static str) -> Self {
        Self { name: name.into(), need: Need::Must, sought: None, reads: Reads::Nothing, stage }
    }

    fn may(name: impl Into<String>) -> Self {
        Self { need: Need::May, ..Self::must(name, "loader") }
    }
}

/// What a program loads.
pub(super) fn wishes(program: Program, start: &Start<'_>) -> VecDeque<Wish> {
    let boot_file = || Wish::must(start.boot_file, "loader");
    let folder = folder(start.boot_file);
    let system = || images(start.files.iter().cloned());
    match program {
        Program::Edk2 | Program::Edk2Http | Program::SpecificationRom | Program::HastyRom => {
            [boot_file()].into()
        }
        Program::IpxeRom | Program::IpxeEfi if start.boot_file.ends_with(".ipxe") => {
            [Wish { reads: Reads::Ipxe, ..boot_file() }].into()
        }
        Program::IpxeRom if start.boot_file.ends_with(".0") => [boot_file()].into(),
        Program::IpxeRom | Program::IpxeEfi => [boot_file()].into_iter().chain(system()).collect(),
        // It loads these, whatever the server says.
        Program::PiRom => [Wish::must("bootcode.bin", "loader"), Wish::may("bootsig.bin")].into(),
        Program::PiBootcode => system().collect(),
        Program::Pxelinux => pxelinux_wishes(start).into_iter().chain(system()).collect(),
        Program::Shim => {
            let optional = ["revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi"];
            let optional = optional.into_iter().map(|name| Wish::may(format!("{folder}{name}")));
            optional.chain([Wish::must(format!("{folder}grubx64.efi"), "loader")]).collect()
        }
        Program::Grub => grub_wishes(start).into_iter().chain(system()).collect(),
    }
}

/// What is wanted after a file came: what it says if it is one that is read, else the rest of what was. Also what it says.
pub(super) fn after(
    wish: &Wish,
    text: &str,
    rest: VecDeque<Wish>,
    boot_file: &str,
) -> (VecDeque<Wish>, Option<Plan>) {
    let plan = match wish.reads {
        Reads::Nothing => None,
        Reads::Pxelinux => Some(plan::pxelinux(text, folder(boot_file))),
        Reads::Ipxe => Some(plan::ipxe(text)),
        Reads::Grub => Some(plan::grub(text)),
    };
    match plan {
        Some(plan) if !plan.files.is_empty() => (images(plan.files.clone()).collect(), Some(plan)),
        Some(_) | None => {
            let is_found = |other: &Wish| wish.sought.is_some() && other.sought == wish.sought;
            (rest.into_iter().skip_while(is_found).collect(), None)
        }
    }
}

/// A kernel and its RAM disks.
pub(super) fn images(files: impl IntoIterator<Item = String>) -> impl Iterator<Item = Wish> {
    let stages = ["kernel"].into_iter().chain(std::iter::repeat("initrd"));
    files.into_iter().zip(stages).map(|(name, stage)| Wish::must(name, stage))
}

/// `01-` and the hardware address, the address in hexadecimal, shortened digit by digit, and `default`: the order measured.
fn pxelinux_names(mac: Mac, address: Ipv4Addr) -> Vec<String> {
    let by_address = format!("{:08X}", u32::from(address));
    let shortened = (1..=by_address.len()).rev().map(|digits| by_address[..digits].to_owned());
    let by_mac = format!("01-{mac}").replace(':', "-");
    [by_mac].into_iter().chain(shortened).chain(["default".to_owned()]).collect()
}

/// Its library, its configuration. Both are looked for under several names, in the order measured; without the first it does not go on.
fn pxelinux_wishes(start: &Start<'_>) -> Vec<Wish> {
    let folder = folder(start.boot_file);
    let library = |(place, folder): (usize, &&str)| Wish {
        need: if place + 1 == PXELINUX_FOLDERS.len() { Need::Must } else { Need::May },
        sought: Some(Sought::Library),
        ..Wish::may(format!("{folder}ldlinux.c32"))
    };
    let first = Wish { sought: Some(Sought::Library), ..Wish::may(format!("{folder}ldlinux.c32")) };
    let configuration = |name| Wish {
        sought: Some(Sought::Configuration),
        reads: Reads::Pxelinux,
        ..Wish::may(format!("{folder}pxelinux.cfg/{name}"))
    };
    let libraries = PXELINUX_FOLDERS.iter().enumerate().map(library);
    let names = pxelinux_names(start.mac, start.address);
    [first].into_iter().chain(libraries).chain(names.into_iter().map(configuration)).collect()
}

/// Where PXELINUX looks for its library after its own folder: the first measured, the others by its source.
const PXELINUX_FOLDERS: [&str; 5] = ["/boot/isolinux/", "/isolinux/", "/boot/syslinux/", "/syslinux/", "/"];

/// GRUB's modules and configurations, in the order measured. Any may be missing here: which of them are built in depends on who built it.
fn grub_wishes(start: &Start<'_>) -> Vec<Wish> {
    let lists = ["command.lst", "fs.lst", "crypto.lst", "terminal.lst"];
    if start.kind == Kind::Shim {
        // Debian's signed GRUB has all in it and the prefix /grub, wherever it came from.
        let lists = lists.map(|list| Wish::may(format!("/grub/x86_64-efi/{list}")));
        let config = Wish { reads: Reads::Grub, ..Wish::may("/grub/grub.cfg") };
        return lists.into_iter().chain([config]).collect();
    }
    let folder = folder(start.boot_file);
    let prefix = match folder.strip_suffix("x86_64-efi/").unwrap_or(folder).trim_matches('/') {
        "" => "/grub".to_owned(),
        prefix => format!("/{prefix}"),
    };
    let modules = ["normal", "extcmd", "crypto", "gettext", "terminal", "gzio", "gcry_crc"];
    let modules = modules.map(|module| Wish::may(format!("{prefix}/x86_64-efi/{module}.mod")));
    let own = pxelinux_names(start.mac, start.address);
    // It does not ask for `grub.cfg-default`.
    let own = own.iter().filter(|name| *name != "default").map(|name| Wish {
        sought: Some(Sought::Configuration),
        reads: Reads::Grub,
        ..Wish::may(format!("{prefix}/grub.cfg-{name}"))
    });
    let lists = lists.map(|list| Wish::may(format!("{prefix}/x86_64-efi/{list}")));
    let config = Wish { reads: Reads::Grub, ..Wish::may(format!("{prefix}/grub.cfg")) };
    modules.into_iter().chain(own).chain(lists).chain([config]).collect()
}

/// The folder of a path, with its final slash; empty if there is none.
pub(crate) fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

#[cfg(test)]
mod tests;
