//! Which file system a path below the boot directory leads to, found without touching any other one than that of the directory: what is mounted below it may not answer.

use crate::disks::Place;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Links that are followed on one path: as many as the kernel follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// Opens what is beneath a directory, and nothing that a link leads out to.
pub(super) fn beneath(directory: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(directory, path, flags, ResolveFlags::empty())
}

/// The same, and nothing that is on another file system than the directory itself: then it is `XDEV`, as where a link leads out.
pub(super) fn on_own(directory: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(directory, path, flags, ResolveFlags::NO_XDEV)
}

fn resolve(directory: &OwnedFd, path: &str, flags: OFlags, further: ResolveFlags) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | further;
    loop {
        match rustix::fs::openat2(directory, path, flags, Mode::empty(), how) {
            // A rename somewhere in the tree got in between (openat2(2)).
            Err(Errno::AGAIN) => std::thread::yield_now(),
            other => return other,
        }
    }
}

/// What is mounted where a path leaves the directory's own file system. None: it does not, or leaves the directory itself.
pub(super) fn place_of(directory: &OwnedFd, path: &str) -> Option<Place> {
    let mut left: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
    let mut walked: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            // What was walked are directories, and no links.
            ".." => {
                walked.pop()?;
                continue;
            }
            _ => walked.push(part),
        }
        let here = walked.join("/");
        match on_own(directory, &here, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC) {
            Err(Errno::XDEV) => {
                let device = device_at(directory, &here).unwrap_or_default();
                return Some(Place::Mounted { at: here.into(), device: device.into() });
            }
            Err(_) => return None,
            Ok(opened) => {
                let Ok(target) = rustix::fs::readlinkat(&opened, "", Vec::new()) else { continue };
                links += 1;
                let target = target.to_str().ok().filter(|target| !target.starts_with('/'));
                let target = target.filter(|_| links <= LINKS_MAX)?;
                walked.pop();
                left.extend(target.rsplit('/').map(str::to_owned));
            }
        }
    }
    None
}

/// The number of the device that is mounted there, as the kernel's list of mounts has it (proc_pid_mountinfo(5)): `0:57`.
fn device_at(directory: &OwnedFd, at: &str) -> Option<String> {
    let root = std::fs::read_link(format!("/proc/thread-self/fd/{}", directory.as_raw_fd())).ok()?;
    let wanted = root.join(at);
    let list = std::fs::read("/proc/thread-self/mountinfo").ok()?;
    let mut mounts = list.split(|octet| *octet == b'\n').filter_map(|line| {
        let mut fields = line.split(|octet| *octet == b' ');
        let device = fields.nth(2)?;
        let point = unescaped(fields.nth(1)?);
        (Path::new(OsStr::from_bytes(&point)) == wanted).then_some(device)
    });
    // Of several at one place the last is on top.
    mounts.next_back().map(|device| String::from_utf8_lossy(device).into_owned())
}

/// A path in that list: blanks, tabs, newlines and backslashes are written in octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(field.len());
    let mut left = field;
    while let Some((first, rest)) = left.split_first() {
        let digits = rest.get(..3).filter(|_| *first == b'\\').and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        octets.push(escaped.unwrap_or(*first));
        left = if escaped.is_some() { &rest[3..] } else { rest };
    }
    octets
}

#[cfg(test)]
mod tests;
