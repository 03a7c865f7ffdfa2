//! The root file system of this node: told by the server, mounted read-only from there or fetched into memory, and made writable by a layer
//! in memory above it.
//!
//! ```text
//!   nfs, nfs4    HOST:/path ─────────────────> /run/heorot/lower ─┐
//!   http         squashfs, erofs: /run/heorot/image, by a loop ───┴─> overlay with /run/heorot/overlay ─> the root
//!   http         cpio: unpacked into memory ────────────────────────────────────────────────────────────> the root
//! ```
//! What is not there yet is tried again, with a line on the console that says what is waited for: a server of files may come up later
//! than its nodes.

mod image;
mod nfs;

use crate::client;
use crate::cmdline::Overlay;
use crate::modules::Modules;
use crate::say;
use crate::waiting::Waiting;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde::Deserialize;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// What the server says is this node's root.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Root {
    /// A directory of another host, by NFS version 3.
    Nfs(Share),
    /// By NFS version 4.
    Nfs4(Share),
    /// A file that holds a whole file system: squashfs, erofs or a cpio archive.
    Http {
        /// Where it is fetched from.
        url: String,
    },
    /// Nothing that this agent knows.
    #[serde(other)]
    Unknown,
}

/// A directory of a file server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Share {
    /// An address or a name.
    pub server: String,
    /// The directory there.
    pub path: String,
    /// Options as in nfs(5), parted by commas.
    #[serde(default)]
    pub options: String,
}

/// What mounting needs to know of this machine.
#[derive(Debug)]
pub struct Here<'a> {
    /// Its modules.
    pub modules: &'a mut Modules,
    /// Who can be asked for names.
    pub name_servers: &'a [Ipv4Addr],
    /// The domain of names.
    pub domain: Option<&'a str>,
    /// Whether the root is made writable.
    pub overlay: &'a Overlay,
}

/// Why a root is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It may be there later.
    Waiting(String),
    /// It will not be, whatever is waited for.
    Final(String),
}

/// Mounts the root at `target`; returns it as a person reads it.
///
/// # Errors
/// In words, if it is not there after ten minutes or never will be.
pub fn attach(root: &Root, here: &mut Here<'_>, target: &Path) -> Result<String, String> {
    let start = Instant::now();
    let mut wait = FIRST_WAIT;
    fs::create_dir_all(target).map_err(|error| format!("{}: {error}", target.display()))?;
    loop {
        let why = match attach_once(root, here, target) {
            Ok(shown) => return Ok(shown),
            Err(Trouble::Final(why)) => return Err(why),
            Err(Trouble::Waiting(why)) => why,
        };
        if start.elapsed() >= PATIENCE {
            return Err(why);
        }
        say!("{why}; trying again in {} s", wait.as_secs());
        thread::sleep(client::scattered(wait));
        wait = (wait * 2).min(LAST_WAIT);
    }
}

fn attach_once(root: &Root, here: &mut Here<'_>, target: &Path) -> Result<String, Trouble> {
    let shown = match root {
        Root::Nfs(share) | Root::Nfs4(share) => {
            let versions: &[&str] =
                if matches!(root, Root::Nfs(_)) { &["3"] } else { &["4.2", "4.1", "4.0"] };
            let address = here.address(&share.server)?;
            here.modules.load("nfs");
            here.modules.load(if versions.len() == 1 { "nfsv3" } else { "nfsv4" });
            make_directory(LOWER)?;
            nfs::mount_share(share, address, versions, Path::new(LOWER))?
        }
        Root::Http { url } => {
            let url = here.url(url)?;
            match image::fetch(&url, here, target)? {
                // It is in memory, and writable, as it is.
                image::Fetched::Unpacked(shown) => return Ok(shown),
                image::Fetched::Mounted(shown) => shown,
            }
        }
        Root::Unknown => {
            return Err(Trouble::Final(
                "the server names a root of a kind that this agent does not know: make the initial RAM disk anew, with heorot initrd of the server's version".into(),
            ));
        }
    };
    match lay_over(here, target) {
        Ok(true) => Ok(format!("{shown}, writable in memory")),
        Ok(false) => Ok(format!("{shown}, read-only")),
        Err(why) => {
            // Nothing may be left of this attempt when the next one begins.
            let _ = umount2(LOWER, MntFlags::MNT_DETACH);
            Err(Trouble::Final(why))
        }
    }
}

/// Lays a writable layer in memory over what is at [`LOWER`], and both at `target`. A kernel without overlayfs gets the root read-only.
fn lay_over(here: &mut Here<'_>, target: &Path) -> Result<bool, String> {
    let size = match here.overlay {
        Overlay::Usual => "mode=755".to_owned(),
        Overlay::Size(size) => format!("mode=755,size={size}"),
        Overlay::Never => return show_lower(target).map(|()| false),
    };
    here.modules.load("overlay");
    fs::create_dir_all(LAYER).map_err(|error| format!("{LAYER}: {error}"))?;
    mount(Some("tmpfs"), LAYER, Some("tmpfs"), MsFlags::empty(), Some(size.as_str()))
        .map_err(|error| format!("memory for the overlay at {LAYER}: {}", error.desc()))?;
    let (upper, work) = (format!("{LAYER}/upper"), format!("{LAYER}/work"));
    for directory in [&upper, &work] {
        fs::create_dir_all(directory).map_err(|error| format!("{directory}: {error}"))?;
    }
    let options = format!("lowerdir={LOWER},upperdir={upper},workdir={work}");
    match mount(Some("overlay"), target, Some("overlay"), MsFlags::empty(), Some(options.as_str())) {
        Ok(()) => Ok(true),
        Err(error) => {
            let why = if error == Errno::ENODEV {
                "the kernel has no overlayfs, and the initial RAM disk no module for it"
            } else {
                error.desc()
            };
            say!("no overlay: {why}; the root is read-only");
            let _ = umount2(LAYER, MntFlags::MNT_DETACH);
            show_lower(target).map(|()| false)
        }
    }
}

/// Not moved, but bound: where another program's initial RAM disk shares its mounts, none of them can be moved.
fn show_lower(target: &Path) -> Result<(), String> {
    mount(Some(LOWER), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|error| format!("the root at {}: {}", target.display(), error.desc()))
}

fn make_directory(path: &str) -> Result<(), Trouble> {
    fs::create_dir_all(path).map_err(|error| Trouble::Final(format!("{path}: {error}")))
}

impl Here<'_> {
    fn address(&self, host: &str) -> Result<Ipv4Addr, Trouble> {
        let _waiting = Waiting::on(format!("the address of {host}"));
        crate::resolve::address(host, self.name_servers, self.domain).map_err(Trouble::Waiting)
    }

    /// A URL whose host may be a name.
    fn url(&self, text: &str) -> Result<crate::http::Url, Trouble> {
        let wrong = || Trouble::Final(format!("root {text}: not a URL as http://HOST[:PORT]/PATH"));
        if let Ok(url) = text.parse() {
            return Ok(url);
        }
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let (server, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let (host, port) = server.split_once(':').unwrap_or((server, "80"));
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let address = self.address(host)?;
        let url: crate::http::Url = format!("http://{address}:{port}{path}").parse().map_err(|_| wrong())?;
        Ok(crate::http::Url { name: Some(server.to_owned()), ..url })
    }
}

/// Where what is above is mounted, and stays visible in the system.
const LOWER: &str = "/run/heorot/lower";
const LAYER: &str = "/run/heorot/overlay";
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// After this long it is better to start anew: the server may want something else by then.
const PATIENCE: Duration = Duration::from_secs(600);
