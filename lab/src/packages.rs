//! What the lab takes from Debian: programs that are installed, and boot files that are only downloaded and unpacked into `.lab/`.

use crate::command::{self, ask};
use crate::directory;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A program or file that has to be there, and the Debian package that brings it.
const INSTALLED: [(&str, &str); 39] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("/usr/lib/ipxe/qemu/pxe-virtio.rom", "ipxe-qemu"),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
    ("objcopy", "binutils"),
    ("grub-mkimage", "grub-common"),
    ("ip", "iproute2"),
    ("setpriv", "util-linux"),
    ("dhclient", "isc-dhcp-client"),
    ("udhcpc", "udhcpc"),
    ("busybox", "busybox-static"),
    ("dig", "dnsutils"),
    ("host", "bind9-host"),
    ("ping", "iputils-ping"),
    ("ssh", "openssh-client"),
    ("nsupdate", "dnsutils"),
    ("tcpdump", "tcpdump"),
    ("nft", "nftables"),
    ("dnsmasq", "dnsmasq-base"),
    ("named", "bind9"),
    ("dnssec-signzone", "bind9-utils"),
    ("openssl", "openssl"),
    ("knotd", "knot"),
    ("ypcat", "yp-tools"),
    ("ypbind", "ypbind-mt"),
    ("/usr/share/doc/libnss-nis", "libnss-nis"),
    ("rpcbind", "rpcbind"),
    ("tftp", "tftp-hpa"),
    ("atftp", "atftp"),
    ("curl", "curl"),
    ("nodeset", "clustershell"),
    ("nodeattr", "genders"),
    ("ansible-inventory", "ansible-core"),
    ("mmdebstrap", "mmdebstrap"),
    ("ganesha.nfsd", "nfs-ganesha"),
    ("/usr/lib/x86_64-linux-gnu/ganesha/libfsalvfs.so", "nfs-ganesha-vfs"),
    ("mksquashfs", "squashfs-tools"),
    ("mkfs.erofs", "erofs-utils"),
    ("nfs-cat", "libnfs-utils"),
    ("apt-get", "apt"),
];

/// Downloaded and unpacked, besides the kernel that `linux-image-amd64` names.
const UNPACKED: [&str; 7] = [
    "pxelinux",
    "syslinux-common",
    "ipxe",
    "grub-efi-amd64-bin",
    "grub-efi-amd64-signed",
    "shim-signed",
    "systemd-boot-efi",
];

/// Boot files, once they are there.
#[derive(Clone, Debug)]
pub struct BootFiles {
    root: PathBuf,
    kernel_release: String,
}

/// Says which programs are missing.
///
/// # Errors
/// In words, with the packages that bring them.
pub fn check_installed() -> Result<(), String> {
    let missing: Vec<_> = INSTALLED.iter().filter(|(file, _)| locate(file).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let files: Vec<_> = missing.iter().map(|(file, _)| *file).collect();
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    Err(format!("missing: {}; run make setup, or install {}", files.join(", "), packages.join(" ")))
}

/// The file itself, or the program of that name in the places where root's programs are.
#[must_use]
pub fn locate(file: &str) -> Option<PathBuf> {
    let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    // An absolute path replaces the place it is joined to.
    places.iter().map(|place| Path::new(place).join(file)).find(|path| path.exists())
}

/// Downloads and unpacks what is missing.
///
/// # Errors
/// In words, if Debian's archive cannot be reached or a package does not hold what it should.
pub fn fetch() -> Result<BootFiles, String> {
    if let Ok(files) = BootFiles::find() {
        return Ok(files);
    }
    let kept = directory::kept();
    let (packages, root) = (kept.join("packages"), kept.join("root"));
    for path in [&packages, &root] {
        // Half of an earlier attempt may be there.
        let _ = fs::remove_dir_all(path);
        fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let image = kernel_image().or_else(|_| {
        command::run(Command::new("apt-get").args(["-q", "update"]), DOWNLOAD_PATIENCE)?;
        kernel_image()
    })?;
    let mut download = Command::new("apt-get");
    download
        .args(["-q", "-o", "APT::Sandbox::User=root", "download"])
        .args(UNPACKED)
        .arg(&image)
        .current_dir(&packages);
    command::run(&mut download, DOWNLOAD_PATIENCE)?;
    for entry in fs::read_dir(&packages).map_err(|error| error.to_string())?.flatten() {
        let unpack = &mut Command::new("dpkg-deb");
        command::run(unpack.arg("-x").arg(entry.path()).arg(&root), command::PATIENCE)?;
    }
    // Only what was unpacked is needed from now on.
    let _ = fs::remove_dir_all(&packages);
    BootFiles::find()
}

/// The package with the kernel that the distribution has now, such as `linux-image-6.1.0-56-amd64`.
fn kernel_image() -> Result<String, String> {
    let depends = ask("apt-cache", &["depends", "linux-image-amd64"])?;
    let image = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    image.map(str::to_owned).ok_or_else(|| "linux-image-amd64 depends on nothing".to_owned())
}

impl BootFiles {
    /// What was unpacked before.
    ///
    /// # Errors
    /// In words, if something is not there.
    pub fn find() -> Result<Self, String> {
        let root = directory::kept().join("root");
        let releases = fs::read_dir(root.join("lib/modules")).map(|entries| entries.flatten().next());
        let release = releases.ok().flatten().ok_or("no kernel was fetched yet: run heorot-lab fetch")?;
        let kernel_release = release.file_name().to_string_lossy().into_owned();
        let files = Self { root, kernel_release };
        let wanted = [
            files.kernel(),
            files.pxelinux(),
            files.ipxe_efi(),
            files.grub_efi(),
            files.shim(),
            files.unified_stub(),
        ];
        let missing = wanted.into_iter().find(|path| !path.exists());
        missing.map_or(Ok(files), |path| Err(format!("{} is missing: run heorot-lab fetch", path.display())))
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> PathBuf {
        self.root.join(format!("boot/vmlinuz-{}", self.kernel_release))
    }

    /// Its version, as `uname -r` says it.
    #[must_use]
    pub fn kernel_release(&self) -> &str {
        &self.kernel_release
    }

    /// Its modules' directory.
    #[must_use]
    pub fn modules(&self) -> PathBuf {
        self.root.join("lib/modules").join(&self.kernel_release)
    }

    /// The loader for BIOS machines.
    #[must_use]
    pub fn pxelinux(&self) -> PathBuf {
        self.root.join("usr/lib/PXELINUX/pxelinux.0")
    }

    /// One of the loader's own modules for BIOS, such as `ldlinux.c32`.
    #[must_use]
    pub fn syslinux_module(&self, name: &str) -> PathBuf {
        self.root.join("usr/lib/syslinux/modules/bios").join(name)
    }

    /// The loader for UEFI machines.
    #[must_use]
    pub fn ipxe_efi(&self) -> PathBuf {
        self.root.join("boot/ipxe.efi")
    }

    /// Below what all was unpacked.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The loader that Secure Boot starts.
    #[must_use]
    pub fn shim(&self) -> PathBuf {
        self.root.join("usr/lib/shim/shimx64.efi.signed")
    }

    /// What a unified kernel image begins with: systemd's program that starts the kernel behind it.
    #[must_use]
    pub fn unified_stub(&self) -> PathBuf {
        self.root.join("usr/lib/systemd/boot/efi/linuxx64.efi.stub")
    }

    /// GRUB's modules for UEFI.
    #[must_use]
    pub fn grub_modules(&self) -> PathBuf {
        self.root.join("usr/lib/grub/x86_64-efi")
    }

    /// GRUB in one file, which looks for its menu by the network it came by.
    #[must_use]
    pub fn grub_efi(&self) -> PathBuf {
        self.grub_modules().join("monolithic/grubnetx64.efi")
    }
}

const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(300);
