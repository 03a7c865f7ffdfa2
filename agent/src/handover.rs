//! What the agent of the initial RAM disk leaves to the one that runs in the system: `/run/heorot/agent.json`.
//!
//! The address, and the lease by which it is had, go along: the kernel keeps the address through the change of root, and the system's
//! agent goes on with the lease where the other one stopped.

use crate::client::Lease;
use crate::console::since_start;
use crate::frame::Mac;
use crate::http::Url;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Where all of it lies.
const PLACE: &str = "/run/heorot";
/// The agent itself, where the system finds it.
pub const PROGRAM: &str = "/run/heorot/agent";
/// Where the hand-over lies.
pub const FILE: &str = "/run/heorot/agent.json";

/// Makes a place for what goes along and for what roots are made of. Where programs cannot be run from /run, as in initramfs-tools, it is
/// a file system of its own.
///
/// # Errors
/// In words.
pub fn make_place() -> Result<(), String> {
    let make = || {
        DirBuilder::new().recursive(true).mode(0o755).create(PLACE)?;
        if statvfs(PLACE)?.flags().contains(FsFlags::ST_NOEXEC) {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount(Some("tmpfs"), PLACE, Some("tmpfs"), flags, Some("mode=755"))?;
        }
        Ok::<(), std::io::Error>(())
    };
    make().map_err(|error| format!("{PLACE}: {error}"))
}

/// What goes along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// `http://ADDRESS:PORT/node/TOKEN`
    pub url: String,
    /// The hardware address of the interface that was booted by, whatever it is called by then.
    pub mac: String,
    /// The node's name.
    pub name: Option<String>,
    /// The root, as a person reads it.
    pub root: String,
    lease: Written,
}

/// A lease whose times count from the kernel's start, which a hand-over does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    address: Ipv4Addr,
    prefix: u8,
    server: Ipv4Addr,
    router: Option<Ipv4Addr>,
    name_servers: Vec<Ipv4Addr>,
    domain: Option<String>,
    mtu: Option<u16>,
    renew_at_seconds: u64,
    rebind_at_seconds: u64,
    expires_at_seconds: u64,
}

impl Written {
    fn of(lease: &Lease) -> Self {
        let (now, started) = (Instant::now(), since_start());
        let at = |time: Instant| (started + time.saturating_duration_since(now)).as_secs();
        Self {
            address: lease.address,
            prefix: lease.prefix,
            server: lease.server,
            router: lease.router,
            name_servers: lease.name_servers.clone(),
            domain: lease.domain.clone(),
            mtu: lease.mtu,
            renew_at_seconds: at(lease.renew_at),
            rebind_at_seconds: at(lease.rebind_at),
            expires_at_seconds: at(lease.expires_at),
        }
    }
}

impl Handover {
    /// Writes down what goes along.
    #[must_use]
    pub fn new(url: &Url, mac: Mac, name: Option<&str>, root: &str, lease: &Lease) -> Self {
        Self {
            url: url.to_string(),
            mac: mac.to_string(),
            name: name.map(str::to_owned),
            root: root.to_owned(),
            lease: Written::of(lease),
        }
    }

    /// The lease, with times from now on.
    #[must_use]
    pub fn lease(&self) -> Lease {
        let (now, started) = (Instant::now(), since_start());
        let at = |seconds: u64| now + Duration::from_secs(seconds).saturating_sub(started);
        let written = self.lease.clone();
        Lease {
            address: written.address,
            prefix: written.prefix,
            server: written.server,
            router: written.router,
            name_servers: written.name_servers,
            domain: written.domain,
            mtu: written.mtu,
            renew_at: at(written.renew_at_seconds),
            rebind_at: at(written.rebind_at_seconds),
            expires_at: at(written.expires_at_seconds),
        }
    }

    /// Leaves it, and the agent with it.
    ///
    /// # Errors
    /// In words.
    pub fn leave(&self) -> Result<(), String> {
        let program = || {
            DirBuilder::new().recursive(true).mode(0o755).create(PLACE)?;
            // A program that runs cannot be written to, but be replaced.
            let _ = fs::remove_file(PROGRAM);
            let mut file = fs::File::options().write(true).create_new(true).mode(0o755).open(PROGRAM)?;
            std::io::copy(&mut fs::File::open("/proc/self/exe")?, &mut file)
        };
        program().map_err(|error| format!("{PROGRAM}: {error}"))?;
        self.write(Path::new(FILE))
    }

    /// Leaves the lease as it stands now, for an agent that is started again in the system: it is to go on with that, and not with an address that was given up.
    ///
    /// # Errors
    /// In words.
    pub fn leave_lease(&mut self, lease: &Lease) -> Result<(), String> {
        self.lease = Written::of(lease);
        self.write(Path::new(FILE))
    }

    /// The file changes as a whole.
    fn write(&self, path: &Path) -> Result<(), String> {
        let new = path.with_extension("new");
        let write = || {
            let text = serde_json::to_vec(self)?;
            let _ = fs::remove_file(&new);
            // The token in it is for root alone.
            fs::File::options().write(true).create_new(true).mode(0o600).open(&new)?.write_all(&text)?;
            fs::rename(&new, path)
        };
        write().map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What was left.
    ///
    /// # Errors
    /// In words.
    pub fn take() -> Result<Self, String> {
        Self::read(Path::new(FILE))
    }

    fn read(path: &Path) -> Result<Self, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        let text = fs::read(path).map_err(wrong)?;
        serde_json::from_slice(&text).map_err(|error| wrong(error.into()))
    }
}
