//! From the initial RAM disk into the root: as switch_root(8) does it.

use crate::say;
use crate::system::System;
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};
use nix::unistd::{chdir, chroot, dup2_stderr, dup2_stdin, dup2_stdout};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Becomes the root's first process; returns only if that did not work, in words.
///
/// For a system that systemd does not start, an agent is started beside it: it waits until this process is another program's.
pub fn into(root: &Path, system: &System<'_>) -> String {
    match walk(root, system) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn walk(root: &Path, system: &System<'_>) -> Result<std::convert::Infallible, String> {
    let memory = statfs("/").map_err(|error| format!("/: {error}"))?.filesystem_type();
    if memory != RAMFS_MAGIC && memory != TMPFS_MAGIC {
        return Err("this is no initial RAM disk: nothing of it is deleted".to_owned());
    }
    for place in ["dev", "proc", "sys", "run"] {
        let target = root.join(place);
        // Where the root is read-only, not even what is there can be made.
        let made = if target.is_dir() { Ok(()) } else { fs::create_dir_all(&target) };
        let moved = made.map_err(|error| error.to_string()).and_then(|()| {
            let from = Path::new("/").join(place);
            mount(Some(&from), &target, None::<&str>, MsFlags::MS_MOVE, None::<&str>)
                .map_err(|error| error.desc().to_owned())
        });
        moved.map_err(|error| format!("moving /{place} into the root: {error}"))?;
    }
    let device = fs::metadata("/").map_err(|error| format!("/: {error}"))?.dev();
    chdir(root).map_err(|error| format!("the root: {error}"))?;
    remove_all(Path::new("/"), device);
    mount(Some("."), "/", None::<&str>, MsFlags::MS_MOVE, None::<&str>)
        .and_then(|()| chroot("."))
        .and_then(|()| chdir("/"))
        .map_err(|error| format!("the change of root: {}", error.desc()))?;
    open_console();
    say!("starting {}", system.init.display());
    let agent = if system.is_systemd() { None } else { start_agent() };
    let error = Command::new(&system.init).env_clear().envs(handed_on()).exec();
    if let Some((mut agent, mut line)) = agent {
        // It hears that from now on nothing becomes of it.
        let _ = line.write_all(b"x");
        let _ = agent.wait();
    }
    Err(format!("{} cannot be started: {error}", system.init.display()))
}

/// The agent beside the first process. The line to it ends when this process becomes another program.
fn start_agent() -> Option<(std::process::Child, std::process::ChildStdin)> {
    let started = Command::new(crate::handover::PROGRAM).arg("system").stdin(Stdio::piped()).spawn();
    match started {
        Ok(mut agent) => agent.stdin.take().map(|line| (agent, line)),
        Err(error) => {
            say!("{}: {error}: nobody will tell the server that this system runs", crate::handover::PROGRAM);
            None
        }
    }
}

/// The kernel's own variables: what it does not know of its command line it gives to the first process.
fn handed_on() -> impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)> {
    std::env::vars_os().filter(|(name, _)| name != "PWD" && name != "OLDPWD")
}

/// What was open belonged to the initial RAM disk.
fn open_console() {
    if let Ok(console) = File::options().read(true).write(true).open("/dev/console") {
        let _ = dup2_stdin(&console);
        let _ = dup2_stdout(&console);
        let _ = dup2_stderr(&console);
    }
}

/// Frees the memory of what is left; other file systems, the root above all, are on other devices and stay.
fn remove_all(directory: &Path, device: u64) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.dev() != device {
            continue;
        }
        if metadata.is_dir() {
            remove_all(&path, device);
            let _ = fs::remove_dir(&path);
        } else {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Of `linux/magic.h`, which the library lacks.
const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);
