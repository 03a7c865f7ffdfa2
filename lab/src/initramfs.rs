//! What a machine boots here: Debian's kernel, and an initial RAM disk as `heorot initrd` makes it, with the drivers of QEMU's network
//! cards.

use crate::command;
use crate::directory;
use crate::packages::BootFiles;
use crate::server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Drivers of the network cards that machines here have.
const DRIVERS: &str = "virtio_pci,virtio_net,e1000";

/// Lays out a boot directory: loaders, kernel and a fresh initramfs.
///
/// # Errors
/// In words, if something is missing.
pub fn boot_directory(directory: &Path, files: &BootFiles) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let copies = [
        (files.kernel(), "vmlinuz"),
        (files.pxelinux(), "pxelinux.0"),
        (files.syslinux_module("ldlinux.c32"), "ldlinux.c32"),
        (files.ipxe_efi(), "ipxe.efi"),
    ];
    for (from, name) in copies {
        fs::copy(&from, directory.join(name)).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let image = directory.join("initrd.img");
    let kept = image_of(files)?;
    fs::copy(&kept, &image).map(|_| ()).map_err(|error| format!("{}: {error}", image.display()))
}

/// The image, made anew if the programs that it is made by and of are newer.
fn image_of(files: &BootFiles) -> Result<PathBuf, String> {
    let (heorot, agent) = (server::program()?, agent());
    if !agent.exists() {
        return Err(format!("{} is not built yet: run make agent", agent.display()));
    }
    let kept = directory::kept().join("initrd.img");
    let made = changed(&kept);
    if made.is_some() && made > changed(&heorot) && made > changed(&agent) {
        return Ok(kept);
    }
    let mut make = Command::new(heorot);
    make.arg("initrd").arg(files.kernel_release()).arg("--modules-from").arg(files.modules());
    make.arg("--agent").arg(&agent).args(["--drivers", DRIVERS]).arg("--output").arg(&kept);
    command::run(&mut make, command::PATIENCE)?;
    Ok(kept)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Where `make agent` puts the static program.
fn agent() -> PathBuf {
    directory::workspace().join("target/static/x86_64-unknown-linux-gnu/release/heorot-agent")
}
