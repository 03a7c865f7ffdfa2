//! The other servers, as Debian has them. They are unpacked into `.lab/` and never installed, so that none of them is started as a service.

use heorot_lab::command;
use heorot_lab::directory::kept;
use heorot_lab::packages::locate;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The packages, and the libraries that they want and few hosts have.
const PACKAGES: [&str; 27] = [
    "isc-dhcp-server",
    "tftpd-hpa",
    "atftpd",
    "libwrap0",
    "kea-dhcp4-server",
    "kea-common",
    "liblog4cplus-2.0.5",
    "libmariadb3",
    "libpq5",
    "libldap-2.5-0",
    "libsasl2-2",
    "nginx",
    "nsd",
    "unbound",
    "dnsperf",
    "libevent-2.1-7",
    "libfstrm0",
    "libprotobuf-c1",
    "libpython3.11",
    "libldns3",
    "nfs-ganesha",
    "nfs-ganesha-vfs",
    "libntirpc4.3",
    "liburcu8",
    "libnfsidmap1",
    "libwbclient0",
    "libbsd0",
];
const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(300);

/// A program of the others.
///
/// # Errors
/// In words, if Debian's archive cannot be reached, or the package that is missing.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    if name == "dnsmasq" {
        // Of dnsmasq-base, which has no service.
        return locate(name)
            .ok_or_else(|| "dnsmasq is missing: run make setup, or install dnsmasq-base".into());
    }
    let find = || {
        ["usr/sbin", "usr/bin"]
            .map(|place| root().join(place).join(name))
            .into_iter()
            .find(|path| path.exists())
    };
    if find().is_none() {
        unpack()?;
    }
    find().ok_or_else(|| format!("{name} is in none of {}", PACKAGES.join(", ")))
}

/// Where their libraries are, for `LD_LIBRARY_PATH`.
pub(crate) fn libraries() -> PathBuf {
    root().join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH))
}

fn root() -> PathBuf {
    kept().join("others")
}

fn unpack() -> Result<(), String> {
    let (packages, root) = (kept().join("others-packages"), root());
    for path in [&packages, &root] {
        // Half of an earlier attempt may be there.
        let _ = fs::remove_dir_all(path);
        fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let download = || {
        let mut download = Command::new("apt-get");
        download.args(["-q", "-o", "APT::Sandbox::User=root", "download"]).args(PACKAGES);
        command::run(download.current_dir(&packages), DOWNLOAD_PATIENCE)
    };
    download().or_else(|_| {
        // The lists of packages may be missing or old.
        command::run(Command::new("apt-get").args(["-q", "update"]), DOWNLOAD_PATIENCE)?;
        download()
    })?;
    for entry in fs::read_dir(&packages).map_err(|error| error.to_string())?.flatten() {
        let unpack = &mut Command::new("dpkg-deb");
        command::run(unpack.arg("-x").arg(entry.path()).arg(&root), command::PATIENCE)?;
    }
    let _ = fs::remove_dir_all(&packages);
    Ok(())
}
