//! A unified kernel image: kernel, initial RAM disk and command line in one program, which firmware starts itself.

use crate::command::{self, run};
use crate::initramfs;
use crate::packages::BootFiles;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes one of the kernel and the initial RAM disk of a boot directory, at `image` there, as systemd's ukify does it.
///
/// # Errors
/// In words, if something is missing.
pub fn image(files: &BootFiles, directory: &Path, cmdline: &str, image: &str) -> Result<PathBuf, String> {
    initramfs::boot_directory(directory, files)?;
    let (words, made) = (directory.join("cmdline"), directory.join(image));
    fs::write(&words, cmdline).map_err(|error| format!("{}: {error}", words.display()))?;
    let mut make = Command::new("objcopy");
    // The kernel is last: it is unpacked where it lies, and needs more room than its file.
    let sections = [
        (".cmdline", words, 0x3_0000),
        (".initrd", directory.join("initrd.img"), 0x100_0000),
        (".linux", directory.join("vmlinuz"), 0x600_0000),
    ];
    for (name, file, address) in sections {
        make.arg("--add-section").arg(format!("{name}={}", file.display()));
        make.arg("--change-section-vma").arg(format!("{name}={address:#x}"));
    }
    run(make.arg(files.unified_stub()).arg(&made), command::PATIENCE)?;
    Ok(made)
}
