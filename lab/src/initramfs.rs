//! What a machine boots here: Debian's kernel, and an initial RAM disk as `heorot initrd` makes it, with the drivers of QEMU's network
//! cards.

use crate::command;
use crate::directory::{self, Scratch};
use crate::packages::BootFiles;
use crate::server;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Drivers of the network cards that machines here have.
const DRIVERS: &str = "virtio_pci,virtio_net,e1000";

/// Lays out a boot directory: kernel and a fresh initramfs. Loaders are found where their packages were unpacked.
///
/// # Errors
/// In words, if something is missing.
pub fn boot_directory(directory: &Path, files: &BootFiles) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let kernel = files.kernel();
    fs::copy(&kernel, directory.join("vmlinuz")).map_err(|error| format!("{}: {error}", kernel.display()))?;
    let image = directory.join("initrd.img");
    let kept = image_of(files)?;
    fs::copy(&kept, &image).map(|_| ()).map_err(|error| format!("{}: {error}", image.display()))
}

/// The image, made anew if the programs that it is made by and of are newer.
fn image_of(files: &BootFiles) -> Result<PathBuf, String> {
    let heorot = server::program()?;
    let kept = directory::kept().join("initrd.img");
    let made = changed(&kept);
    if made.is_none() || made < changed(&heorot) || made < changed(&agent()) {
        command::run(command_for(files)?.arg("--output").arg(&kept), command::PATIENCE)?;
    }
    Ok(kept)
}

/// `heorot initrd`, for machines here.
fn command_for(files: &BootFiles) -> Result<Command, String> {
    let agent = agent();
    if !agent.exists() {
        return Err(format!("{} is not built yet: run make agent", agent.display()));
    }
    let mut make = Command::new(server::program()?);
    make.arg("initrd").arg(files.kernel_release()).arg("--modules-from").arg(files.modules());
    make.arg("--agent").arg(&agent).args(["--drivers", DRIVERS]);
    Ok(make)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The same with a shell script beside it, at `/lab`, for a machine that has `rdinit=/lab` on its command line: an archive is unpacked after
/// another.
///
/// # Errors
/// In words, if something is missing.
pub fn with_script(files: &BootFiles, script: &str) -> Result<Vec<u8>, String> {
    let scratch = Scratch::new()?;
    let (image, path) = (scratch.join("initrd.img"), scratch.join("lab"));
    let trouble = |error: std::io::Error| format!("{}: {error}", scratch.path().display());
    command::run(
        command_for(files)?.args(["--compress", "none", "--output"]).arg(&image),
        command::PATIENCE,
    )?;
    fs::write(&path, script).map_err(trouble)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(trouble)?;
    let pack = "cd \"$1\" && echo lab | busybox cpio -o -H newc 2>/dev/null >> initrd.img";
    command::ask("/bin/sh", &["-c", pack, "sh", &scratch.path().to_string_lossy()])?;
    fs::read(&image).map_err(trouble)
}

/// Where `make agent` puts the static program.
#[must_use]
pub fn agent() -> PathBuf {
    directory::workspace().join("target/static/x86_64-unknown-linux-gnu/release/heorot-agent")
}
