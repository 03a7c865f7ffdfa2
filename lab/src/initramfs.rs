//! What a machine boots here: Debian's kernel, and an initramfs of the agent, busybox for its checks, and the modules of QEMU's network
//! cards.

use crate::cpio::Archive;
use crate::directory;
use crate::modules;
use crate::packages::{self, BootFiles};
use std::fs;
use std::path::{Path, PathBuf};

/// Drivers of the network cards that machines here have.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_net", "e1000"];

/// What a program that is linked dynamically names as its interpreter, near its beginning.
const LOADER: &[u8] = b"ld-linux";

/// Lays out a boot directory: kernel and a fresh initramfs. Loaders are found where their packages were unpacked.
///
/// # Errors
/// In words, if something is missing.
pub fn boot_directory(directory: &Path, files: &BootFiles) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let kernel = files.kernel();
    fs::copy(&kernel, directory.join("vmlinuz")).map_err(|error| format!("{}: {error}", kernel.display()))?;
    let image = directory.join("initrd.img");
    fs::write(&image, pack(files)?).map_err(|error| format!("{}: {error}", image.display()))
}

/// The initramfs, not compressed: unpacking takes an emulated machine longer than loading does.
fn pack(files: &BootFiles) -> Result<Vec<u8>, String> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let agent = agent();
    if !agent.exists() {
        return Err(format!("{} is not built yet: run make agent", agent.display()));
    }
    let busybox = busybox()?;

    let mut archive = Archive::new();
    for directory in
        ["bin", "dev", "etc", "etc/heorot-agent", "lib", "lib/modules", "proc", "run", "sys", "tmp"]
    {
        archive.directory(directory);
    }
    archive.character_device("dev/console", 5, 1);
    archive.file("init", 0o755, &read(&agent)?);
    archive.file("bin/busybox", 0o755, &busybox);
    for name in ["sh", "cat", "dd", "echo", "grep", "sleep", "test", "uname"] {
        archive.link(&format!("bin/{name}"), "busybox");
    }
    let mut list = String::new();
    for module in modules::load_order(&files.modules(), &MODULES)? {
        let path = format!("lib/modules/{}", module.file);
        archive.file(&path, 0o644, &module.content);
        list += &format!("/{path}\n");
    }
    archive.file(heorot_agent::modules::LIST, 0o644, list.as_bytes());
    Ok(archive.finish())
}

/// An initramfs in which a shell script is all: busybox runs it, with all of its commands, and these modules are in `/lib/modules` with their order in `/modules`.
///
/// # Errors
/// In words, if something is missing.
pub fn with_script(files: &BootFiles, wanted: &[&str], script: &str) -> Result<Vec<u8>, String> {
    let mut archive = Archive::new();
    for directory in ["bin", "dev", "lib", "lib/modules", "mnt", "proc", "sys", "tmp"] {
        archive.directory(directory);
    }
    archive.character_device("dev/console", 5, 1);
    archive.file("bin/busybox", 0o755, &busybox()?);
    archive.link("bin/sh", "busybox");
    let mut list = String::new();
    for module in modules::load_order(&files.modules(), &[&MODULES, wanted].concat())? {
        archive.file(&format!("lib/modules/{}", module.file), 0o644, &module.content);
        list += &format!("/lib/modules/{}\n", module.file);
    }
    archive.file("modules", 0o644, list.as_bytes());
    archive.file("init", 0o755, script.as_bytes());
    Ok(archive.finish())
}

/// Busybox, which has to be linked statically.
fn busybox() -> Result<Vec<u8>, String> {
    let path = packages::locate("busybox").ok_or("busybox is missing: install busybox-static")?;
    let busybox = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if busybox[..busybox.len().min(4096)].windows(LOADER.len()).any(|bytes| bytes == LOADER) {
        return Err("busybox is not linked statically: run make setup, or install busybox-static".to_owned());
    }
    Ok(busybox)
}

/// Where `make agent` puts the static program.
fn agent() -> PathBuf {
    directory::workspace().join("target/static/x86_64-unknown-linux-gnu/release/heorot-agent")
}
