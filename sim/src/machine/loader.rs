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
    /// It looks under the next name. If the file is there, it needs no other name.
    OneOfThese,
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
        Self { name: name.into(), need: Need::Must, reads: Reads::Nothing, stage }
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
        Program::Edk2 | Program::SpecificationRom | Program::HastyRom => [boot_file()].into(),
        Program::IpxeRom | Program::IpxeEfi if start.boot_file.ends_with(".ipxe") => {
            [Wish { reads: Reads::Ipxe, ..boot_file() }].into()
        }
        Program::IpxeRom if start.boot_file.ends_with(".0") => [boot_file()].into(),
        Program::IpxeRom | Program::IpxeEfi => [boot_file()].into_iter().chain(system()).collect(),
        // It loads these, whatever the server says.
        Program::PiRom => [Wish::must("bootcode.bin", "loader"), Wish::may("bootsig.bin")].into(),
        Program::PiBootcode => system().collect(),
        Program::Pxelinux => {
            let library = Wish::must(format!("{folder}ldlinux.c32"), "loader");
            let names = pxelinux_names(start.mac, start.address);
            let names = names.into_iter().map(|name| Wish {
                need: Need::OneOfThese,
                reads: Reads::Pxelinux,
                ..Wish::may(format!("{folder}pxelinux.cfg/{name}"))
            });
            [library].into_iter().chain(names).chain(system()).collect()
        }
        Program::Shim => {
            let optional = ["revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi"];
            let optional = optional.into_iter().map(|name| Wish::may(format!("{folder}{name}")));
            optional.chain([Wish::must(format!("{folder}grubx64.efi"), "loader")]).collect()
        }
        Program::Grub => grub_wishes(start).into_iter().chain(system()).collect(),
    }
}

/// What is wanted after a file was read: what it says, or the rest as it was. Also the plan.
pub(super) fn after_reading(
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
        Some(_) | None if wish.need == Need::OneOfThese => {
            (rest.into_iter().skip_while(|other| other.need == Need::OneOfThese).collect(), None)
        }
        Some(_) | None => (rest, None),
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
        need: Need::OneOfThese,
        reads: Reads::Grub,
        ..Wish::may(format!("{prefix}/grub.cfg-{name}"))
    });
    let lists = lists.map(|list| Wish::may(format!("{prefix}/x86_64-efi/{list}")));
    let config = Wish { reads: Reads::Grub, ..Wish::may(format!("{prefix}/grub.cfg")) };
    modules.into_iter().chain(own).chain(lists).chain([config]).collect()
}

/// The folder of a path, with its final slash; empty if there is none.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

#[cfg(test)]
mod tests;
