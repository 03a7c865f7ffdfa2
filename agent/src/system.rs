//! What the system of the root has to know, put there before it starts: its name, who answers for names, the names file, and the agent
//! that goes on with the lease and tells when the system runs.
//!
//! Files of the root are written where it is writable. Where it is not, a file that it has is covered by one of ours.

use crate::say;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::mount::{MsFlags, mount};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// A root that was mounted, before its system starts.
#[derive(Debug)]
pub struct System<'a> {
    root: &'a Path,
    directory: File,
    /// The program that becomes the first process, as the root names it.
    pub init: PathBuf,
    /// The same, behind all symbolic links.
    program: PathBuf,
}

/// What the system is told.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The node's name.
    pub name: Option<&'a str>,
    /// The hardware address of the interface that was booted by.
    pub mac: &'a str,
}

impl<'a> System<'a> {
    /// Looks for the program that starts it: the wanted one, or the first of those that the kernel would take.
    ///
    /// # Errors
    /// In words, if there is none.
    pub fn find(root: &'a Path, wanted: Option<&str>) -> Result<Self, String> {
        let directory = File::open(root).map_err(|error| format!("the root: {error}"))?;
        let usual = ["/sbin/init", "/etc/init", "/bin/init"];
        let candidates: &[&str] = wanted.as_ref().map_or(&usual, std::slice::from_ref);
        let mut why = String::new();
        for init in candidates {
            match program(&directory, root, Path::new(init)) {
                Ok(program) => return Ok(Self { root, directory, init: init.into(), program }),
                Err(error) => why += &format!("{init}: {error}; "),
            }
        }
        Err(format!("the root has no program to start: {}", why.trim_end_matches("; ")))
    }

    /// Whether it is systemd that starts it.
    #[must_use]
    pub fn is_systemd(&self) -> bool {
        self.program.file_name().is_some_and(|name| name == "systemd")
    }

    /// The program behind all symbolic links, as the root names it.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Tells it all. What cannot be told is said, and stops nothing.
    pub fn prepare(&self, facts: &Facts<'_>) {
        if let Some(name) = facts.name {
            self.tell("etc/hostname", &format!("{name}\n"));
        }
        if let Ok(text) = fs::read_to_string("/etc/resolv.conf")
            && !text.is_empty()
        {
            self.tell("etc/resolv.conf", &text);
        }
        if let Ok(text) = fs::read_to_string("/etc/heorot/names") {
            self.tell("etc/heorot/names", &text);
        }
        // Whoever manages interfaces there leaves this one alone: its address is the agent's, and the root may be at its other end.
        let told = [
            ("systemd/network/00-heorot.network", network(facts.mac)),
            ("NetworkManager/conf.d/heorot.conf", network_manager(facts.mac)),
        ];
        for (path, text) in told {
            say_trouble(path, write(&Path::new(RUN).join(path), &text));
        }
        if self.is_systemd() {
            let units = Path::new(RUN).join("systemd/system");
            say_trouble(UNIT, write(&units.join(UNIT), UNIT_TEXT));
            let wants = units.join("multi-user.target.wants");
            let wanted =
                fs::create_dir_all(&wants).and_then(|()| symlink(format!("../{UNIT}"), wants.join(UNIT)));
            say_trouble(UNIT, wanted.or_else(unless_there));
        }
    }

    /// Writes a file of the root, or covers it.
    fn tell(&self, path: &str, text: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let covering = || {
            let copy = Path::new(RUN).join("heorot").join(name);
            write(&copy, text)?;
            // What leads out of the root, as a resolver's link into /run, is not ours to cover.
            let target = inside(&self.directory, Path::new(path), OFlag::O_PATH)?;
            let target = PathBuf::from(format!("/proc/self/fd/{}", target.as_raw_fd()));
            mount(Some(&copy), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(io::Error::from)
        };
        let whole = self.root.join(path);
        let is_link = fs::symlink_metadata(&whole).is_ok_and(|there| there.is_symlink());
        let outcome = match write_if(!is_link, &whole, text) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => covering(),
            outcome => outcome,
        };
        say_trouble(path, outcome);
    }
}

/// A symbolic link there is the system's own affair: its target is made by it later, or lies outside.
fn write_if(ours: bool, path: &Path, text: &str) -> io::Result<()> {
    if ours { write(path, text) } else { Ok(()) }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
}

fn say_trouble(what: &str, outcome: io::Result<()>) {
    if let Err(error) = outcome {
        say!("{what}: {error}");
    }
}

fn unless_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

/// The program at this path of the root, behind all symbolic links, as a path of the root; an error if it cannot be run.
fn program(directory: &File, root: &Path, path: &Path) -> io::Result<PathBuf> {
    let file = File::from(inside(directory, path, OFlag::O_PATH)?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(io::Error::other("not a program"));
    }
    let real = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    Ok(real.strip_prefix(root).map_or_else(|_| path.to_owned(), |inner| Path::new("/").join(inner)))
}

/// Opens a path as the root's own processes would see it: links, also absolute ones, stay inside.
fn inside(directory: &File, path: &Path, flags: OFlag) -> io::Result<std::os::fd::OwnedFd> {
    let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    Ok(openat2(directory.as_fd(), path, how)?)
}

fn network(mac: &str) -> String {
    format!(
        "# heorot-agent keeps the address of the interface that this node was booted by.\n[Match]\nMACAddress={mac}\n\n[Link]\nUnmanaged=yes\n"
    )
}

fn network_manager(mac: &str) -> String {
    format!(
        "# heorot-agent keeps the address of the interface that this node was booted by.\n[keyfile]\nunmanaged-devices=mac:{mac}\n"
    )
}

const RUN: &str = "/run";
const UNIT: &str = "heorot-agent.service";
/// Wanted by multi-user.target and, as any service, after basic.target: then the system has got as far as starting services.
const UNIT_TEXT: &str = "[Unit]
Description=Keeps this node's address, and tells heorot that its system runs

[Service]
ExecStart=/run/heorot/agent system
Restart=on-failure
RestartSec=5s
StandardOutput=journal+console
StandardError=inherit

[Install]
WantedBy=multi-user.target
";
