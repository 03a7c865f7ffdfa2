//! Root file systems for machines here: a Debian with systemd, as a directory and as an image, and a busybox in an archive. They are made
//! once, and kept.

use crate::command;
use crate::directory;
use crate::packages;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What these roots say on the console when their system runs, and what follows: the host name, the kind of the root's file system and of
/// what is below it.
pub const SAYS: &str = "the root says: ";
/// Has to come before a root says anything: the kernel writes to the same console in the middle of a line, as when a link comes up, and
/// is silent from here on, but for its last words.
pub const KERNEL_SILENT: &str = "echo 1 > /proc/sys/kernel/printk";

/// A Debian with systemd and hardly more, as a directory.
///
/// # Errors
/// In words, if Debian's archive cannot be reached.
pub fn debian() -> Result<PathBuf, String> {
    let tree = directory::kept().join("debian");
    if tree.exists() {
        return Ok(tree);
    }
    // The first of all that is kept in a fresh clone.
    fs::create_dir_all(directory::kept())
        .map_err(|error| format!("{}: {error}", directory::kept().display()))?;
    let new = directory::kept().join(format!("debian-{}", std::process::id()));
    let _ = fs::remove_dir_all(&new);
    let mut make = Command::new("mmdebstrap");
    make.args([
        "--quiet",
        "--mode=root",
        "--variant=essential",
        "--include=systemd-sysv",
        "--skip=check/empty",
    ]);
    for left_out in ["doc", "man", "locale", "info", "lintian"] {
        make.arg(format!("--dpkgopt=path-exclude=/usr/share/{left_out}/*"));
    }
    make.arg("bookworm").arg(&new);
    command::run(&mut make, MAKE_PATIENCE)?;
    let unit = new.join("etc/systemd/system/says.service");
    let wants = new.join("etc/systemd/system/multi-user.target.wants");
    let furnish = || {
        fs::write(new.join("etc/hostname"), "nobody\n")?;
        fs::write(&unit, SAYS_UNIT)?;
        fs::create_dir_all(&wants)?;
        symlink("../says.service", wants.join("says.service"))?;
        // A machine that is emulated takes seconds for each, and nobody logs in.
        for name in [
            "getty.target",
            "apt-daily.timer",
            "apt-daily-upgrade.timer",
            "dpkg-db-backup.timer",
            "e2scrub_all.timer",
            "fstrim.timer",
            "systemd-update-utmp.service",
            "systemd-update-utmp-runlevel.service",
        ] {
            let masked = new.join("etc/systemd/system").join(name);
            let _ = fs::remove_file(&masked);
            symlink("/dev/null", masked)?;
        }
        fs::rename(&new, &tree)
    };
    furnish().map_err(|error| format!("{}: {error}", new.display()))?;
    Ok(tree)
}

/// The same as a squashfs image.
///
/// # Errors
/// In words.
pub fn squashfs() -> Result<PathBuf, String> {
    let image = directory::kept().join("debian.squashfs");
    if !image.exists() {
        let tree = debian()?;
        let new = directory::kept().join(format!("debian-{}.squashfs", std::process::id()));
        let mut make = Command::new("mksquashfs");
        make.arg(&tree).arg(&new).args([
            "-noappend",
            "-quiet",
            "-no-progress",
            "-comp",
            "zstd",
            "-Xcompression-level",
            "3",
        ]);
        command::run(&mut make, MAKE_PATIENCE)?;
        fs::rename(&new, &image).map_err(|error| format!("{}: {error}", image.display()))?;
    }
    Ok(image)
}

/// A system of busybox alone, whose first process is none that knows the agent, made in this directory.
///
/// # Errors
/// In words.
pub fn busybox(tree: &Path) -> Result<(), String> {
    let busybox = packages::locate("busybox").ok_or("busybox is missing: install busybox-static")?;
    let make = || {
        for directory in ["bin", "sbin", "etc", "proc", "sys", "dev", "run"] {
            fs::create_dir_all(tree.join(directory))?;
        }
        fs::copy(&busybox, tree.join("bin/busybox"))?;
        fs::set_permissions(tree.join("bin/busybox"), fs::Permissions::from_mode(0o755))?;
        for name in ["bin/sh", "bin/hostname", "bin/echo", "bin/cat"] {
            symlink("busybox", tree.join(name))?;
        }
        symlink("../bin/busybox", tree.join("sbin/init"))?;
        fs::write(tree.join("etc/hostname"), "nobody\n")?;
        let says =
            format!("/bin/sh -c '{KERNEL_SILENT}; echo \"{SAYS}$(hostname) $(cat /etc/hostname) busybox\"'");
        fs::write(tree.join("etc/inittab"), format!("::once:{says}\n"))
    };
    make().map_err(|error| format!("{}: {error}", tree.display()))
}

/// The same as a compressed archive.
///
/// # Errors
/// In words.
pub fn archive(scratch: &Path) -> Result<PathBuf, String> {
    let (tree, image) = (scratch.join("tree"), scratch.join("busybox.cpio.gz"));
    busybox(&tree)?;
    let pack = "cd \"$1\" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 > \"$2\"";
    command::ask("/bin/sh", &["-c", pack, "sh", &tree.to_string_lossy(), &image.to_string_lossy()])?;
    Ok(image)
}

const SAYS_UNIT: &str = r#"[Unit]
Description=Tells a serial console what runs here

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo 1 > /proc/sys/kernel/printk; touch /var/tmp/written; echo "the root says: $(hostname) $(findmnt -no FSTYPE /) over $(findmnt -no FSTYPE /run/heorot/lower), $(. /etc/os-release; echo "$PRETTY_NAME"), $(wc -l < /etc/heorot/names) lines of names" > /dev/console'
"#;
/// Packages are downloaded and unpacked.
const MAKE_PATIENCE: Duration = Duration::from_secs(600);
